/** A stack that is deployed, by its outputs. Region, credentials and endpoint come from the environment. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  CognitoIdentityProviderClient,
  DescribeUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { backendScopes, resourceServer } from '../lambdas/contract.ts';

type Outputs = Readonly<Record<string, string>>;

/**
 * Returns the outputs of a stack by name; undefined when there is no such stack.
 *
 * @param settings its region; absent: that of the environment
 */
export async function outputsOf(
  stackName: string,
  settings: { readonly region?: string } = {},
): Promise<Outputs | undefined> {
  const client = new CloudFormationClient({ maxAttempts: 2, ...settings });
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    const outputs = stack?.Outputs ?? [];
    return Object.fromEntries(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}

/**
 * Returns the base URL of an API. An emulator at `AWS_ENDPOINT_URL` serves APIs below its own address, while the stack's
 * output has the address that AWS would give.
 */
export function apiUrlOf({ ApiUrl: url = '' }: Outputs): string {
  const emulator = process.env['AWS_ENDPOINT_URL'];
  const { hostname, pathname } = new URL(url);
  const [apiId = ''] = hostname.split('.', 1);
  const base = emulator ? `${emulator.replace(/\/+$/, '')}/_aws/execute-api/${apiId}${pathname}` : url;
  return base.replace(/\/+$/, '');
}

/** Returns a token of the stack's client for a backend; undefined for a stack with an issuer of its own. */
export async function backendTokenOf({ ClientId, UserPoolId, TokenEndpoint }: Outputs): Promise<string | undefined> {
  if (ClientId === undefined || TokenEndpoint === undefined) return undefined;
  const client = new CognitoIdentityProviderClient({ maxAttempts: 2 });
  const { UserPoolClient } = await client.send(new DescribeUserPoolClientCommand({ UserPoolId, ClientId }));
  client.destroy();
  const scope = backendScopes.map((name) => `${resourceServer}/${name}`).join(' ');
  const response = await fetch(TokenEndpoint, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${ClientId}:${UserPoolClient?.ClientSecret ?? ''}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
  });
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`${TokenEndpoint} gives no token: it answered ${response.status}`);
  return token;
}
