import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { openForgeries } from '../http/forgeries.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { openTokenVerifier } from '../http/tokens.ts';
import type { VerifyToken } from '../http/tokens.ts';
import { claimIssuer } from '../store/issuer.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';

/**
 * Returns an authorizer that allows requests with a valid token and passes the caller to the handlers. The gateway
 * keeps the answer for every route of the API, so it allows them all; a handler decides by scope.
 *
 * @param holdToIssuer throws when the wallets belong to subjects of another issuer
 */
export function authorize(verify: VerifyToken, holdToIssuer: (issuer: string) => Promise<void>) {
  return async (event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
    let caller;
    try {
      caller = await verify(onlyAuthorization(event), event.requestContext.identity.sourceIp);
      if (caller !== undefined) await holdToIssuer(caller.issuer);
    } catch (error) {
      logger.error('token not checked', { error: describe(error) });
      throw error;
    }
    // Only for this message the gateway answers 401; for any other it answers 503 `token_not_checked`.
    if (caller === undefined) throw new Error('Unauthorized');
    return {
      principalId: caller.principal,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: everyRoute(event.methodArn) }],
      },
      context: { ...caller },
    };
  };
}

/**
 * Returns a function that holds this stack to its first issuer: the same `sub` of another issuer is another person. The
 * first valid token of a container reads the record, or writes it. Success is remembered. A failure is checked again
 * with the next token, and never answered with a 401, which the gateway would keep.
 */
export function openHoldToIssuer(table: Table): (issuer: string) => Promise<void> {
  let held: string | undefined;
  return async (issuer) => {
    if (issuer === held) return;
    const first = await claimIssuer(table, issuer);
    if (first !== issuer) {
      throw new Error(
        `tokens of issuer ${issuer} are refused, as the wallets belong to subjects of issuer ${first}: see docs/runbook.md#the-token-issuer-was-changed`,
      );
    }
    held = issuer;
  };
}

/**
 * Returns the Authorization header; undefined when there is none, or more than one. Of two headers, the valid one is
 * not known.
 */
function onlyAuthorization({ multiValueHeaders }: APIGatewayRequestAuthorizerEvent): string | undefined {
  const values = Object.entries(multiValueHeaders ?? {}).flatMap(([name, values = []]) =>
    name.toLowerCase() === 'authorization' ? values : [],
  );
  return values.length === 1 ? values[0] : undefined;
}

/** Returns `arn:…:<api>/<stage>/*` for `arn:…:<api>/<stage>/GET/wallets`. */
function everyRoute(methodArn: string): string {
  return `${methodArn.split('/', 2).join('/')}/*`;
}

export function open(environment: Environment<'authorizer'>) {
  const forgeries = openForgeries(positiveInteger(environment, 'BAD_TOKENS_PER_MINUTE'));
  return authorize(
    openTokenVerifier(environment, Date.now, forgeries),
    openHoldToIssuer(openTable(dynamodbClient(), environment.TABLE_NAME)),
  );
}
