/** API Gateway's REST API with Lambda proxy and MOCK integrations, on one port of this machine and without a stage in the path. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gzip, inflate } from 'node:zlib';
import { readBody } from '../http/body.ts';
import type { RequestHandler } from '../http/server.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';
import { FunctionError } from '../lambda/function-thread.ts';
import type { Authorizer } from './authorizer.ts';
import type { Answer, GatewayResponses, Refusal, RequestContext } from './gateway-responses.ts';
import type { Mock } from './mock-integration.ts';
import { readProxyAnswer } from './proxy-answer.ts';

/** The integration that answers a method's requests: a function, or the gateway itself. */
export type Integration =
  | {
      readonly target: LocalFunction;
      /** How long the gateway waits for the function, in milliseconds. */
      readonly timeoutMs: number;
    }
  | { readonly mock: Mock };

export type Method = Integration & {
  /** Path with its parameters in braces, as the template has it. */
  readonly resourcePath: string;
  /** Upper case, or `ANY`. */
  readonly httpMethod: string;
  readonly authorizer?: Authorizer | undefined;
  /** Requests to this method that all callers together may make. */
  readonly throttle?: Throttle | undefined;
};

/** A bucket of tokens. */
export interface Throttle {
  readonly ratePerSecond: number;
  readonly burst: number;
}

export interface ApiSettings {
  readonly apiId: string;
  readonly stage: string;
  readonly accountId: string;
  readonly region: string;
  readonly methods: readonly Method[];
  readonly responses: GatewayResponses;
  /** Answers of at least this many bytes are compressed; undefined for none. */
  readonly minCompressionBytes?: number | undefined;
  /** Requests that all callers together may make. */
  readonly throttle?: Throttle | undefined;
}

interface Node {
  readonly children: Map<string, Node>;
  readonly methods: Map<string, Method>;
  parameter?: { readonly name: string; readonly greedy: boolean; readonly node: Node };
}

interface Match {
  readonly node: Node;
  readonly parameters: Record<string, string>;
}

const maxBodyBytes = 10 * 1024 * 1024;
const maxEventBytes = 6 * 1024 * 1024;
const gzipped = promisify(gzip);
const gunzipped = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);
const inflated = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate);
const decoders = new Map([
  ['gzip', gunzipped],
  ['deflate', inflated],
]);

export function createGateway(api: ApiSettings): RequestHandler {
  const root = newNode();
  for (const method of api.methods) insert(root, method);
  const takeToken = tokenBucket(api.throttle);
  const takeTokenOf = new Map(api.methods.map((method) => [method, tokenBucket(method.throttle)]));

  async function respond(request: IncomingMessage, context: RequestContext, path: string): Promise<Answer> {
    const refused = (refusal: Refusal): Answer => api.responses.answer(refusal, context);
    const segments = path.split('/').slice(1).map(decode);
    if (segments.includes(undefined)) return refused('BAD_REQUEST_PARAMETERS');
    const match = find(root, segments as string[]);
    const method = match?.node.methods.get(context.httpMethod) ?? match?.node.methods.get('ANY');
    if (!match || !method) return refused('MISSING_AUTHENTICATION_TOKEN');
    const routed = { ...context, resourcePath: method.resourcePath };
    if (!takeTokenOf.get(method)?.() || !takeToken()) return api.responses.answer('THROTTLED', routed);
    const body = await readDecoded(request);
    if (typeof body === 'string') return api.responses.answer(body, routed);

    const event = proxyEvent(request, routed, match.parameters, body, api);
    let authorizerContext = {};
    if (method.authorizer) {
      const methodArn = `arn:aws:execute-api:${api.region}:${api.accountId}:${api.apiId}/${api.stage}/${routed.httpMethod}${path}`;
      const verdict = await method.authorizer(request.headers, methodArn, { ...event, body: undefined });
      if (!verdict.allowed) return api.responses.answer(verdict.refusal, routed);
      authorizerContext = { authorizer: { ...verdict.context, integrationLatency: 0 } };
    }
    const invocation = { ...event, requestContext: { ...event.requestContext, ...authorizerContext } };
    if (body.length > maxEventBytes) return api.responses.answer('REQUEST_TOO_LARGE', routed);
    const outcome = 'mock' in method ? method.mock(request.headers) : await integrate(method, invocation);
    return typeof outcome === 'string' ? api.responses.answer(outcome, routed) : outcome;
  }

  return async (request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const context: RequestContext = {
      requestId: randomUUID(),
      httpMethod: request.method ?? 'GET',
      path,
      resourcePath: path,
      stage: api.stage,
      sourceIp: (request.socket.remoteAddress ?? '127.0.0.1').replace('::ffff:', ''),
      requestTimeEpoch: Date.now(),
      headers: request.headers,
    };
    // Whatever goes wrong in here is this machine's fault and stays inside.
    const answer = await respond(request, context, path).catch(() => api.responses.answer('DEFAULT_5XX', context));
    await write(request, response, context.requestId, answer, api.minCompressionBytes);
  };
}

async function integrate(method: Extract<Method, { target: LocalFunction }>, event: object): Promise<Answer | Refusal> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Refusal>((resolve) => {
    timer = setTimeout(resolve, method.timeoutMs, 'INTEGRATION_TIMEOUT');
  });
  const answered = method.target.invoke(event, 'request').then(
    (answer): Answer | Refusal => readProxyAnswer(answer) ?? 'DEFAULT_5XX',
    (error: unknown): Refusal => {
      if (error instanceof FunctionError) return error.errorType === 'TooManyRequests' ? 'THROTTLED' : 'DEFAULT_5XX';
      throw error;
    },
  );
  return Promise.race([answered, tooLate]).finally(() => {
    clearTimeout(timer);
  });
}

async function write(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  { status, headers, body }: Answer,
  minCompressionBytes = Infinity,
): Promise<void> {
  for (const [name, value] of headers) response.appendHeader(name, value);
  response.setHeader('x-amzn-requestid', requestId);
  if (status === 204 || status === 304) {
    response.writeHead(status).end();
    return;
  }
  let content = body;
  const accepts = /(^|[\s,])(gzip|\*)(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(request.headers['accept-encoding'] ?? '');
  if (accepts && body.length >= minCompressionBytes && !response.hasHeader('content-encoding')) {
    content = await gzipped(body);
    response.setHeader('content-encoding', 'gzip');
  }
  response.setHeader('content-length', content.length);
  // A request that was not read to its end would be taken for the next one.
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(status).end(content);
}

/** Returns the body without its content encoding. */
async function readDecoded(request: IncomingMessage): Promise<Buffer | Refusal> {
  const body = await readBody(request, maxBodyBytes);
  if (body === 'too long') return 'REQUEST_TOO_LARGE';
  const decode = decoders.get(String(request.headers['content-encoding']).toLowerCase());
  if (body.length === 0 || !decode) return body;
  return decode(body, { maxOutputLength: maxBodyBytes }).catch((): Refusal => 'BAD_REQUEST_BODY');
}

function proxyEvent(
  request: IncomingMessage,
  context: RequestContext,
  parameters: Record<string, string>,
  body: Buffer,
  api: ApiSettings,
) {
  const query = new URLSearchParams((request.url ?? '').split('?').slice(1).join('?'));
  const multiQuery = grouped(query.entries());
  const forwarded: [string, string][] = [
    ['X-Forwarded-For', context.sourceIp],
    ['X-Forwarded-Port', String(request.socket.localPort)],
    ['X-Forwarded-Proto', 'http'],
  ];
  const multiHeaders = grouped([...pairs(request.rawHeaders), ...forwarded]);
  return {
    resource: context.resourcePath,
    path: context.path,
    httpMethod: context.httpMethod,
    headers: lastOf(multiHeaders),
    multiValueHeaders: multiHeaders,
    queryStringParameters: query.size > 0 ? lastOf(multiQuery) : null,
    multiValueQueryStringParameters: query.size > 0 ? multiQuery : null,
    pathParameters: Object.keys(parameters).length > 0 ? parameters : null,
    stageVariables: null,
    requestContext: {
      accountId: api.accountId,
      apiId: api.apiId,
      domainName: request.headers.host ?? '',
      domainPrefix: api.apiId,
      extendedRequestId: context.requestId,
      httpMethod: context.httpMethod,
      identity: { sourceIp: context.sourceIp, userAgent: request.headers['user-agent'] ?? null },
      path: context.path,
      protocol: `HTTP/${request.httpVersion}`,
      requestId: context.requestId,
      requestTime: logTime(context.requestTimeEpoch),
      requestTimeEpoch: context.requestTimeEpoch,
      resourceId: context.resourcePath,
      resourcePath: context.resourcePath,
      stage: api.stage,
    },
    body: body.length > 0 ? body.toString() : null,
    isBase64Encoded: false,
  };
}

/** `09/Apr/2026:12:34:56 +0000` */
function logTime(epochMs: number): string {
  const [, day = '', month = '', year = '', time = ''] = new Date(epochMs).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

const newNode = (): Node => ({ children: new Map(), methods: new Map() });

function insert(root: Node, method: Method): void {
  let node = root;
  for (const segment of method.resourcePath.split('/').slice(1)) {
    const [, name, plus] = /^\{([^}+]+)(\+?)\}$/.exec(segment) ?? [];
    if (name === undefined) {
      const child = node.children.get(segment) ?? newNode();
      node.children.set(segment, child);
      node = child;
    } else {
      node.parameter ??= { name, greedy: plus === '+', node: newNode() };
      node = node.parameter.node;
    }
  }
  node.methods.set(method.httpMethod, method);
}

// A literal part of a path wins over a parameter, and a parameter over a greedy one.
function find(node: Node, segments: readonly string[], parameters: Record<string, string> = {}): Match | undefined {
  const [segment, ...rest] = segments;
  if (segment === undefined) return node.methods.size > 0 ? { node, parameters } : undefined;
  const child = node.children.get(segment);
  const literal = child && find(child, rest, parameters);
  if (literal || !node.parameter || segment === '') return literal;
  const { name, greedy, node: next } = node.parameter;
  if (greedy) return { node: next, parameters: { ...parameters, [name]: segments.join('/') } };
  return find(next, rest, { ...parameters, [name]: segment });
}

function tokenBucket(throttle: Throttle | undefined): () => boolean {
  if (throttle === undefined) return () => true;
  const { ratePerSecond, burst } = throttle;
  let tokens = burst;
  let last = performance.now();
  return () => {
    const now = performance.now();
    tokens = Math.min(burst, tokens + ((now - last) / 1000) * ratePerSecond);
    last = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? '']);
}

function grouped(entries: Iterable<[string, string]>): Record<string, string[]> {
  // Without a prototype, so that a header or parameter named `constructor` is one like any other.
  const groups = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of entries) (groups[name] ??= []).push(value);
  return groups;
}

function lastOf(groups: Record<string, string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, values]) => [name, values.at(-1) ?? '']));
}
