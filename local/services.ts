/** The AWS endpoint of the functions: services that speak JSON, told apart by the `x-amz-target` header. */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRecord } from './template.ts';

/** An error as a service reports it; `type` is the exception's name in the SDK. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly type: string;
  readonly queryCode: string | undefined;

  /** @param queryCode the code that services with an older protocol also send, where it differs from the type */
  constructor(type: string, message: string, queryCode?: string) {
    super(message);
    this.type = type;
    this.queryCode = queryCode;
  }
}

export type Input = Record<string, unknown>;

/** Answers one operation (`SendMessage`) of a service; throws ServiceError. */
export type Service = (operation: string, input: Input) => Promise<object> | object;

const maxRequestBytes = 16 * 1024 * 1024;

/** Serves `services`, by their prefix in `x-amz-target`, on a free port of this machine. */
export async function serveServices(services: Record<string, Service>): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxRequestBytes) chunks.push(chunk);
    });
    request.on('end', () => {
      void answer(String(request.headers['x-amz-target'] ?? ''), Buffer.concat(chunks).toString()).then(
        ({ status, headers, body }) => {
          response.writeHead(status, {
            'content-type': 'application/x-amz-json-1.0',
            'content-length': Buffer.byteLength(body),
            'x-amzn-requestid': randomUUID(),
            ...headers,
          });
          response.end(body);
        },
      );
    });
  });

  async function answer(
    target: string,
    body: string,
  ): Promise<{ status: number; headers?: Record<string, string>; body: string }> {
    const [prefix = '', operation = ''] = target.split('.');
    try {
      const service = services[prefix];
      if (!service)
        throw new ServiceError('UnknownOperationException', `no service answers ${target || 'this request'}`);
      return { status: 200, body: JSON.stringify(await service(operation, parse(body))) };
    } catch (error) {
      if (!(error instanceof ServiceError)) {
        const message = error instanceof Error ? error.message : String(error);
        return { status: 500, body: JSON.stringify({ __type: 'InternalFailure', message }) };
      }
      return {
        status: 400,
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
