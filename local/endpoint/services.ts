/**
 * The AWS endpoint of the functions: services that speak JSON, told apart by the `x-amz-target` header, and one that
 * speaks the older query protocol.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRecord } from '../cloudformation/template.ts';

/** An error as a service reports it; `type` is the exception's name in the SDK. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly type: string;
  readonly queryCode: string | undefined;
  readonly status: number;

  /** @param queryCode the code that services with an older protocol also send, where it differs from the type */
  constructor(type: string, message: string, queryCode?: string, status = 400) {
    super(message);
    this.type = type;
    this.queryCode = queryCode;
    this.status = status;
  }
}

export type Input = Record<string, unknown>;

/** Answers one operation (`SendMessage`) of a service; throws ServiceError. */
export type Service = (operation: string, input: Input) => Promise<object> | object;

/** Answers a form of the query protocol with XML; throws ServiceError. */
export interface QueryService {
  answer(form: URLSearchParams): string;
  error(error: ServiceError): string;
}

const maxRequestBytes = 16 * 1024 * 1024;

/**
 * Serves `services`, by their prefix in `x-amz-target`, and a service of the query protocol, on a free port of this
 * machine.
 */
export async function serveServices(
  services: Record<string, Service>,
  query?: QueryService,
): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxRequestBytes) chunks.push(chunk);
    });
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const isForm = query && /^application\/x-www-form-urlencoded/.test(request.headers['content-type'] ?? '');
      const answered = isForm ? answerForm(query, text) : answer(String(request.headers['x-amz-target'] ?? ''), text);
      void answered.then(({ status, headers, body }) => {
        response.writeHead(status, {
          'content-type': isForm ? 'text/xml' : 'application/x-amz-json-1.0',
          'content-length': Buffer.byteLength(body),
          'x-amzn-requestid': randomUUID(),
          ...headers,
        });
        response.end(body);
      });
    });
  });

  interface Reply {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body: string;
  }

  function answerForm(query: QueryService, text: string): Promise<Reply> {
    try {
      return Promise.resolve({ status: 200, body: query.answer(new URLSearchParams(text)) });
    } catch (error) {
      const known =
        error instanceof ServiceError ? error : new ServiceError('InternalFailure', String(error), undefined, 500);
      return Promise.resolve({ status: known.status, body: query.error(known) });
    }
  }

  async function answer(target: string, body: string): Promise<Reply> {
    const [prefix = '', operation = ''] = target.split('.');
    try {
      const service = services[prefix];
      if (!service) {
        throw new ServiceError('UnknownOperationException', `no service answers ${target || 'this request'}`);
      }
      return { status: 200, body: JSON.stringify(await service(operation, parse(body))) };
    } catch (error) {
      if (!(error instanceof ServiceError)) {
        const message = error instanceof Error ? error.message : String(error);
        return { status: 500, body: JSON.stringify({ __type: 'InternalFailure', message }) };
      }
      return {
        status: error.status,
        headers: error.queryCode ? { 'x-amzn-query-error': `${error.queryCode};Sender` } : {},
        body: JSON.stringify({ __type: error.type, message: error.message }),
      };
    }
  }

  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
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
