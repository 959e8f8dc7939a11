/** Clients of AWS services whose calls end in this process, between the SDK's serializer and its deserializer. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { HttpResponse } from '@smithy/core/protocols';
import type { HttpRequest } from '@smithy/core/protocols';
import { localCredentials } from '../../local/dynamodb/dynamodb.ts';

/** A call as it would leave the machine. */
export interface ClientCall {
  /** `TransactWriteItems`, `SendMessage`, … */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The input in its serialized form. */
  readonly text: Uint8Array;
}

export interface Reply {
  readonly status: number;
  /** JSON, or an object that is serialized as JSON. */
  readonly body: Buffer | object;
  /** The time of the service's answer, epoch ms; absent: the answer does not name the time. */
  readonly at?: number;
}

/** The model behind a client. It rejects as the SDK's HTTP handler would. */
export type Model = (call: ClientCall) => Promise<Reply>;

type Service = 'dynamodb' | 'sqs' | 'secrets';

/** Clients are costly to create, so they outlive the histories. */
export interface Clients {
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly secrets: SecretsManagerClient;
  /** Sets the model behind a client from now on. */
  readonly connect: (service: Service, model: Model) => void;
}

export function openClients(): Clients {
  const models = new Map<Service, Model>();
  const settingsOf = (service: Service) => ({
    region: 'us-east-1',
    credentials: localCredentials,
    endpoint: 'http://127.0.0.1:9',
    // One attempt for each call: the store does its own retries, and the tests must see each fault of the other
    // services.
    maxAttempts: 1,
    // As in the client of lambdas/aws/clients.ts.
    disableClockSkewCorrection: true,
    // The signature is not checked, and computing it would be a tenth of all work.
    signer: { sign: <T>(request: T) => Promise.resolve(request) },
    requestHandler: {
      metadata: { handlerProtocol: 'h1' },
      async handle(request: HttpRequest) {
        const model = models.get(service);
        if (model === undefined) throw new Error(`no model is connected to ${service}`);
        const operation = request.headers['x-amz-target']?.split('.').at(-1) ?? '';
        const text = bytesOf(request.body);
        const input = JSON.parse(new TextDecoder().decode(text)) as ClientCall['input'];
        const { status, body, at } = await model({ operation, input, text });
        return {
          response: new HttpResponse({
            statusCode: status,
            headers: {
              'content-type': 'application/x-amz-json-1.0',
              ...(at !== undefined && { date: new Date(at).toUTCString() }),
            },
            // Bytes at hand are read without a turn of the event loop.
            body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
          }),
        };
      },
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
    },
  });
  return {
    dynamodb: new DynamoDBClient(settingsOf('dynamodb')),
    sqs: new SQSClient(settingsOf('sqs')),
    secrets: new SecretsManagerClient(settingsOf('secrets')),
    connect: (service, model) => models.set(service, model),
  };
}

function bytesOf(body: unknown): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : (body as Uint8Array);
}

/** The answer of a failing service. Errors of this name come from the simulation. */
export const injected: Reply = { status: 500, body: { __type: 'Injected', message: 'injected' } };

/** Returns the error of a caller that timed out. */
export function noAnswer(): Error {
  return Object.assign(new Error('no answer in time'), { name: 'TimeoutError' });
}
