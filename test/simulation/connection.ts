/** A connection to the engine: plain HTTP, several times as fast as the SDK's. */
import { Agent, request } from 'node:http';

export interface Connection {
  readonly send: (operation: string, text: Uint8Array) => Promise<{ status: number; body: Buffer }>;
  /** Throws unless the answer is a success. */
  readonly call: (operation: string, input: object) => Promise<Record<string, unknown>>;
  readonly close: () => void;
}

/** Engines on one machine check the form of a signature but not its value. */
const credential = 'Credential=local/20260301/us-east-1/dynamodb/aws4_request';
const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=none`;

export function openConnection(endpoint: string): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  function send(operation: string, text: Uint8Array): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/x-amz-json-1.0',
        'content-length': text.byteLength,
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        'x-amz-date': '20260301T120000Z',
        authorization,
      };
      const sent = request(endpoint, { method: 'POST', agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }

  return {
    send,
    async call(operation, input) {
      const { status, body } = await send(operation, Buffer.from(JSON.stringify(input)));
      const text = body.toString('utf8');
      if (status !== 200) throw new Error(`${operation} was answered with ${status} ${text}`);
      return JSON.parse(text) as Record<string, unknown>;
    },
    close() {
      agent.destroy();
    },
  };
}
