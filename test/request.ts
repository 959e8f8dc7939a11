/** Requests to the routes, in the form in which API Gateway passes them to a function. */
import assert from 'node:assert/strict';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { nameOfRoute, routes } from '../lambdas/contract.ts';
import type { RouteName } from '../lambdas/contract.ts';
import type { AuthorizerContext } from '../lambdas/http/caller.ts';
import { several } from '../bench/requests.ts';
import { assertDocumented } from './documented.ts';

/** The caller, as the authorizer describes it. */
export type CallerContext = AuthorizerContext;

/** An issuer as long as Cognito's. */
export const issuer = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI';

export const operator: CallerContext = { principal: 'operator-1', scopes: 'operate', issuer };

/** A person who reads all wallets, and decides nothing. */
export const support: CallerContext = { ...operator, principal: 'supporter', scopes: 'support' };

export function endUser(principal: string): CallerContext {
  return { principal, scopes: 'read write', issuer };
}

export interface Request {
  /** The caller; absent for a request without a token. */
  readonly as?: CallerContext | undefined;
  /** Path parameters by name. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** The Idempotency-Key. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Repeated headers with all their values. */
  readonly repeated?: Readonly<Record<string, string[]>>;
  /** The body, sent as JSON; a string is sent unchanged. */
  readonly body?: unknown;
  /** The bytes of a body that the gateway passes on in Base64. */
  readonly bytes?: Uint8Array;
}

/** The answer as a caller sees it. `body` is parsed JSON, or undefined if there was none. */
export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** The body as it was sent. */
  readonly text: string;
}

/** Returns the status of an answer, and the code that a refusal has. */
export function codeOf({ status, body }: Response): unknown[] {
  return [status, body?.['code']];
}

/** Returns the id of the transaction in an answer. Fails for a refusal. */
export function idOf({ status, body }: Response): string {
  assert.ok(status < 300, JSON.stringify(body));
  return String(body?.['transactionId']);
}

/** A route as `serve` makes it. */
export type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/** Sends a request to the function behind a route. Fails when the answer does not match docs/openapi.json. */
export async function send(name: RouteName, handler: Handler, request: Request): Promise<Response> {
  const event = eventOf(name, request);
  const result = await handler(event, { awsRequestId: 'request-1' } as Context);
  const headers = new Headers(
    Object.entries(result.headers ?? {}).map(([header, value]) => [header, String(value)] as [string, string]),
  );
  assertDocumented({
    method: event.httpMethod,
    path: `${event.path}?${new URLSearchParams(request.query).toString()}`,
    sent: event.body ?? undefined,
    status: result.statusCode,
    headers,
    answer: result.body,
  });
  const isJson = headers.get('content-type')?.endsWith('json') === true;
  return {
    status: result.statusCode,
    headers: result.headers ?? {},
    body: isJson && result.body !== '' ? (JSON.parse(result.body) as Record<string, unknown>) : undefined,
    text: result.body,
  };
}

function eventOf(name: RouteName, request: Request): APIGatewayProxyEvent {
  const route = routes.find((one) => nameOfRoute(one) === name);
  if (route === undefined) throw new Error(`no route reaches ${name}`);
  const { as, path = {}, query = {}, key, headers = {}, repeated = {}, body, bytes } = request;
  const sent = {
    ...(key !== undefined && { 'Idempotency-Key': key }),
    ...((body ?? bytes) !== undefined && { 'Content-Type': typeOf(name) }),
    ...headers,
  };
  const filledPath = route.path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) =>
    encodeURIComponent(path[parameter] ?? ''),
  );
  return {
    resource: route.path,
    httpMethod: route.method,
    path: filledPath,
    headers: sent,
    multiValueHeaders: { ...several(sent), ...repeated },
    queryStringParameters: Object.keys(query).length === 0 ? null : query,
    multiValueQueryStringParameters: Object.keys(query).length === 0 ? null : several(query),
    pathParameters: Object.keys(path).length === 0 ? null : path,
    stageVariables: null,
    body: bytes ? Buffer.from(bytes).toString('base64') : textOf(body),
    isBase64Encoded: bytes !== undefined,
    requestContext: {
      authorizer: as ?? null,
      requestId: 'gateway-1',
      // The path as it is behind a stage.
      path: `/prod${filledPath}`,
    },
  } as APIGatewayProxyEvent;
}

/** Returns the media type of a route's body. */
function typeOf(name: RouteName): string {
  return name === 'create-batch' ? 'application/x-ndjson' : 'application/json';
}

function textOf(body: unknown): string | null {
  return body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body);
}
