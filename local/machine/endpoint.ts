/**
 * The AWS endpoint of the functions. The header `x-amz-target` names the service of a JSON request. One service speaks
 * the older query protocol, in forms. Another has its operations in paths.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRecord } from '../cloudformation/template.ts';
import { readBody } from '../http/body.ts';
import { refusalOfPage } from '../http/callers.ts';
import { listen } from '../http/server.ts';

/** An error as a service reports it; `type` is the exception's name in the SDK. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly type: string;
  readonly queryCode: string | undefined;
  readonly status: number;

  /** @param queryCode the code in the older query protocol, where it differs from the type */
  constructor(type: string, message: string, queryCode?: string, status = 400) {
    super(message);
    this.type = type;
    this.queryCode = queryCode;
    this.status = status;
  }
}

export type Input = Record<string, unknown>;

/** A function that answers one operation (`SendMessage`) of a service. Throws ServiceError. */
export type JsonService = (operation: string, input: Input) => Promise<object> | object;

/** A service that answers a form of the query protocol with XML. Throws ServiceError. */
export interface QueryService {
  answer(form: URLSearchParams): string;
  error(error: ServiceError): string;
}

/** A service whose operations are paths. Returns undefined for a path that it does not serve. Throws ServiceError. */
export type PathService = (method: string, path: string, body: string) => Promise<PathAnswer> | undefined;

/** The answer of a `PathService`: a JSON text, and headers. */
export interface PathAnswer {
  readonly body: string;
  readonly headers?: Record<string, string>;
}

export interface Endpoint {
  readonly url: string;
  /** Adds a service. `prefix`: its name in `x-amz-target`. */
  readonly serve: (prefix: string, service: JsonService) => void;
  /** Adds the service that answers all forms. */
  readonly serveForms: (service: QueryService) => void;
  /** Adds the service that answers requests by their path. */
  readonly servePaths: (service: PathService) => void;
  readonly close: () => Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

const maxRequestBytes = 16 * 1024 * 1024;

/** Opens the endpoint on a free port of this machine. */
export async function openEndpoint(): Promise<Endpoint> {
  const services = new Map<string, JsonService>();
  let forms: QueryService | undefined;
  let paths: PathService | undefined;
  const server = await listen(0);
  server.open(async (request, response) => {
    const body = await readBody(request, maxRequestBytes);
    const refusal = refusalOfPage(request.headers);
    if (refusal) {
      reply(response, 'application/x-amz-json-1.0', failure(403, 'AccessDeniedException', refusal.message));
    } else if (body === 'too long') {
      reply(response, 'application/x-amz-json-1.0', failure(413, 'RequestEntityTooLarge', 'the request is too long'));
    } else if (forms && isForm(request)) {
      reply(response, 'text/xml', answerForm(forms, body.toString()));
    } else if (paths && request.url !== '/') {
      reply(response, 'application/json', await answerPath(paths, request, body.toString()));
    } else {
      const [prefix = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
      reply(response, 'application/x-amz-json-1.0', await answer(services.get(prefix), operation, body.toString()));
    }
  });
  return {
    url: server.url,
    serve(prefix, service) {
      services.set(prefix, service);
    },
    serveForms(service) {
      forms = service;
    },
    servePaths(service) {
      paths = service;
    },
    close: () => server.close(),
  };
}

async function answerPath(
  service: PathService,
  { method = '', url = '' }: IncomingMessage,
  body: string,
): Promise<Reply> {
  try {
    const answered = await service(method, url, body);
    if (answered) return { status: 200, ...answered };
    throw new ServiceError('UnknownOperationException', 'no service here answers this request', undefined, 404);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { ...failure(error.status, error.type, error.message), headers: { 'x-amzn-errortype': error.type } };
  }
}

const isForm = (request: IncomingMessage): boolean =>
  /^application\/x-www-form-urlencoded/.test(request.headers['content-type'] ?? '');

function answerForm(service: QueryService, text: string): Reply {
  try {
    return { status: 200, body: service.answer(new URLSearchParams(text)) };
  } catch (error) {
    const known =
      error instanceof ServiceError ? error : new ServiceError('InternalFailure', String(error), undefined, 500);
    return { status: known.status, body: service.error(known) };
  }
}

async function answer(service: JsonService | undefined, operation: string, body: string): Promise<Reply> {
  try {
    if (!service) throw new ServiceError('UnknownOperationException', 'no service here answers this request');
    return { status: 200, body: JSON.stringify(await service(operation, parse(body))) };
  } catch (error) {
    if (!(error instanceof ServiceError)) {
      return failure(500, 'InternalFailure', error instanceof Error ? error.message : String(error));
    }
    return {
      ...failure(error.status, error.type, error.message),
      headers: error.queryCode ? { 'x-amzn-query-error': `${error.queryCode};Sender` } : {},
    };
  }
}

function failure(status: number, type: string, message: string): Reply {
  return { status, body: JSON.stringify({ __type: type, message }) };
}

function reply(response: ServerResponse, contentType: string, { status, headers, body }: Reply): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': randomUUID(),
    ...headers,
  });
  response.end(body);
}

function parse(body: string): Input {
  try {
    const input: unknown = JSON.parse(body || '{}');
    if (isRecord(input)) return input;
  } catch {
    // Answered below.
  }
  throw new ServiceError('SerializationException', 'the request body is not a JSON object');
}
