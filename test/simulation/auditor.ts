/** The auditor's own way to the engine: plain HTTP, past the SDK, the wire and its faults, and several times as fast. */
import type { TableDescription } from '@aws-sdk/client-dynamodb';
import { Agent, request } from 'node:http';
import type { StoredItem } from './dynamodb.ts';

export interface Auditor {
  /** An empty table with the keys and indexes of another, but without its stream, which nobody reads here. */
  readonly newTable: () => Promise<AuditedTable>;
  readonly close: () => void;
}

export interface AuditedTable {
  readonly name: string;
  /** Up to 100 items by key, consistent. */
  readonly read: (keys: readonly StoredItem[]) => Promise<StoredItem[]>;
  /** The whole table. */
  readonly scan: () => Promise<StoredItem[]>;
  readonly drop: () => Promise<void>;
}

/** Engines on one machine look at a signature's form, not at its truth. */
const credential = 'Credential=local/20260301/us-east-1/dynamodb/aws4_request';
const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=none`;

export function openAuditor(endpoint: string, model: string): Auditor {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let shape: object | undefined;
  let tables = 0;

  function call(operation: string, input: object): Promise<Record<string, unknown>> {
    const text = Buffer.from(JSON.stringify(input));
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
          const body = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(JSON.parse(body) as Record<string, unknown>);
          else reject(new Error(`${operation} was answered with ${String(response.statusCode)} ${body}`));
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }

  async function shapeOf(name: string): Promise<object> {
    const { Table } = (await call('DescribeTable', { TableName: name })) as { Table: TableDescription };
    return {
      KeySchema: Table.KeySchema,
      AttributeDefinitions: Table.AttributeDefinitions,
      BillingMode: 'PAY_PER_REQUEST',
      GlobalSecondaryIndexes: Table.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => ({
        IndexName,
        KeySchema,
        Projection,
      })),
    };
  }

  return {
    async newTable() {
      const name = `${model}-${++tables}`;
      shape ??= await shapeOf(model);
      await call('CreateTable', { TableName: name, ...shape });
      return {
        name,
        async read(keys) {
          const { Responses } = await call('BatchGetItem', {
            RequestItems: { [name]: { Keys: keys, ConsistentRead: true } },
          });
          return (Responses as Record<string, StoredItem[]>)[name] ?? [];
        },
        async scan() {
          const items: StoredItem[] = [];
          let after: unknown;
          do {
            const page = await call('Scan', { TableName: name, ConsistentRead: true, ExclusiveStartKey: after });
            items.push(...(page['Items'] as StoredItem[]));
            after = page['LastEvaluatedKey'];
          } while (after !== undefined);
          return items;
        },
        async drop() {
          await call('DeleteTable', { TableName: name });
        },
      };
    },
    close() {
      agent.destroy();
    },
  };
}
