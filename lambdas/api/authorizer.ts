import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { positiveInteger, readEnvironment } from '../runtime/environment.ts';
import { openForgeries } from '../runtime/forgeries.ts';
import { describe, logger } from '../runtime/telemetry.ts';
import { openTokenVerifier } from '../runtime/tokens.ts';
import type { VerifyToken } from '../runtime/tokens.ts';

/**
 * Lets requests with a valid token into the API and tells the handlers who calls. The gateway keeps the answer for
 * every route of the API, so it allows them all; a handler decides by scope.
 */
export function authorize(verify: VerifyToken) {
  return async (event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
    let caller;
    try {
      caller = await verify(onlyAuthorization(event), event.requestContext.identity.sourceIp);
    } catch (error) {
      logger.error('token not checked', { error: describe(error) });
      throw error;
    }
    // The one message that the gateway answers with its 401; any other is a 500.
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

/** The Authorization header; undefined when there is none, or a second one: which of them would count is not known. */
function onlyAuthorization({ multiValueHeaders }: APIGatewayRequestAuthorizerEvent): string | undefined {
  const values = Object.entries(multiValueHeaders ?? {}).flatMap(([name, values = []]) =>
    name.toLowerCase() === 'authorization' ? values : [],
  );
  return values.length === 1 ? values[0] : undefined;
}

/** `arn:…:<api>/<stage>/GET/wallets` → `arn:…:<api>/<stage>/*` */
function everyRoute(methodArn: string): string {
  return `${methodArn.split('/', 2).join('/')}/*`;
}

const env = readEnvironment('authorizer');
const forgeries = openForgeries(positiveInteger('BAD_TOKENS_PER_MINUTE', env.BAD_TOKENS_PER_MINUTE));
export const handler = authorize(openTokenVerifier(env, Date.now, forgeries));
