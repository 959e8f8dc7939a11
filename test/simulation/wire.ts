/** Clients of AWS services that speak to a model in this process, through the SDK's own reading and writing. */
import { HttpResponse } from '@smithy/core/protocols';
import type { HttpRequest } from '@smithy/core/protocols';
import { localCredentials } from '../../local/dynamodb.ts';

export interface Reply {
  readonly status: number;
  readonly body: object;
}

export type Input = Readonly<Record<string, unknown>>;

/** What a client needs to reach the model; it makes one try for each call, so that each fault is seen by the caller. */
export function wiredTo(model: (operation: string, input: Input) => Promise<Reply>) {
  return {
    region: 'us-east-1',
    credentials: localCredentials,
    endpoint: 'http://127.0.0.1:9',
    maxAttempts: 1,
    requestHandler: {
      metadata: { handlerProtocol: 'h1' },
      async handle(request: HttpRequest) {
        const operation = request.headers['x-amz-target']?.split('.').at(-1) ?? '';
        const { status, body } = await model(operation, JSON.parse(textOf(request.body)) as Input);
        const headers = { 'content-type': 'application/x-amz-json-1.0' };
        const text = Buffer.from(JSON.stringify(body));
        return { response: new HttpResponse({ statusCode: status, headers, body: text }) };
      },
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
    },
  };
}

/** What a service that is not well answers; errors of this name are the simulation's. */
export const injected: Reply = { status: 500, body: { __type: 'Injected', message: 'injected' } };

/** What a caller sees that waited in vain. */
export function noAnswer(): Error {
  return Object.assign(new Error('no answer in time'), { name: 'TimeoutError' });
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
}
