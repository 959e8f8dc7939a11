import type { APIGatewayProxyEvent, Context } from 'aws-lambda';

/** A request to a route, as the gateway would receive it. */
export interface BenchRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** The path with its parameters as `{name}`. */
  readonly resource: string;
  /** The path with its parameters filled in. */
  readonly path: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** A body that is no JSON; in place of `body`. */
  readonly text?: string;
}

/** The caller of a request: an operator by default. */
export interface BenchCaller {
  readonly principal: string;
  readonly scopes: string;
}

export const operator: BenchCaller = { principal: 'operator', scopes: 'read write operate' };

/** Returns a request; of `parameters` it takes those that the path names as `{name}`. */
export function request(
  method: BenchRequest['method'],
  template: string,
  parameters: Readonly<Record<string, string>>,
  more: Pick<BenchRequest, 'query' | 'headers' | 'body' | 'text'> & { key?: string } = {},
): BenchRequest {
  const { key, ...rest } = more;
  const pathParameters = Object.fromEntries(
    [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, parameters[name] ?? '']),
  );
  return {
    method,
    resource: template,
    path: template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(pathParameters[name] ?? '')),
    pathParameters,
    ...rest,
    headers: {
      ...(key !== undefined && { 'Idempotency-Key': key }),
      ...(rest.body !== undefined && { 'Content-Type': 'application/json' }),
      ...rest.headers,
    },
  };
}

/** Returns the event that the gateway passes to a function for the request. */
export function eventOf(request: BenchRequest, caller: BenchCaller = operator): APIGatewayProxyEvent {
  const { query } = request;
  const headers = { Accept: '*/*', Host: 'wallet.example', 'User-Agent': 'bench', ...request.headers };
  const requestContext: Partial<APIGatewayProxyEvent['requestContext']> = {
    authorizer: { ...caller },
    requestId: 'bench',
    path: request.path,
  };
  const event: Partial<APIGatewayProxyEvent> = {
    httpMethod: request.method,
    resource: request.resource,
    path: request.path,
    pathParameters: { ...request.pathParameters },
    headers,
    multiValueHeaders: several(headers),
    queryStringParameters: query ? { ...query } : null,
    multiValueQueryStringParameters: query ? several(query) : null,
    body: request.text ?? (request.body === undefined ? null : JSON.stringify(request.body)),
    isBase64Encoded: false,
    requestContext: requestContext as APIGatewayProxyEvent['requestContext'],
  };
  return event as APIGatewayProxyEvent;
}

/** Returns headers or parameters as the gateway also passes them: a list for each name. */
export function several(single: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(single).map(([name, value]) => [name, [value]]));
}

/** Returns a Lambda context with the members that handlers read. */
export function contextOf(awsRequestId: string): Context {
  const context: Partial<Context> = { awsRequestId, getRemainingTimeInMillis: () => 10_000 };
  return context as Context;
}

/** The operations whose speed is measured, by the name of their function. */
export const operations = ['charge', 'transfer', 'withdraw', 'get-balance'] as const;
export type Operation = (typeof operations)[number];

/** Returns the `index`th request of an operation. The wallets take turns, so that none of them is hot. */
export function operationRequest(
  operation: Operation,
  wallets: readonly string[],
  key: string,
  index: number,
): BenchRequest {
  const walletId = wallets[index % wallets.length] ?? '';
  const toWalletId = wallets[(index + 1) % wallets.length] ?? '';
  const money = { amount: 100, description: 'Invoice 2026-001', metadata: { invoice: 'INV-2026-001' } };
  switch (operation) {
    case 'charge':
      return request('POST', '/wallets/{walletId}/charge', { walletId }, { key, body: money });
    case 'transfer':
      return request('POST', '/wallets/{walletId}/transfer', { walletId }, { key, body: { ...money, toWalletId } });
    case 'withdraw': {
      const destination = { account: 'DE89370400440532013000', name: 'Ada Lovelace' };
      return request('POST', '/wallets/{walletId}/withdraw', { walletId }, { key, body: { ...money, destination } });
    }
    case 'get-balance':
      return request('GET', '/wallets/{walletId}/balance', { walletId });
  }
}
