/** Tables for one history each, with reads that bypass the wire and its faults. */
import type { TableDescription } from '@aws-sdk/client-dynamodb';
import type { Connection } from './connection.ts';
import type { StoredItem } from './dynamodb.ts';

export interface AuditedTable {
  readonly name: string;
  /** Reads up to 100 items by key, consistently. */
  readonly read: (keys: readonly StoredItem[]) => Promise<StoredItem[]>;
  /** Reads the whole table. */
  readonly scan: () => Promise<StoredItem[]>;
  /** Puts an item unchanged, or removes the one with this key. */
  readonly put: (item: StoredItem) => Promise<void>;
  readonly remove: (key: StoredItem) => Promise<void>;
  readonly drop: () => Promise<void>;
}

let tables = 0;

/**
 * Creates an empty table with the keys and indexes of another. It has no stream, as the simulation reads none.
 *
 * @param shape see `shapeOf`
 */
export async function newTable({ call }: Connection, shape: object): Promise<AuditedTable> {
  const name = `history-${process.pid}-${++tables}`;
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
    async put(item) {
      await call('PutItem', { TableName: name, Item: item });
    },
    async remove(key) {
      await call('DeleteItem', { TableName: name, Key: key });
    },
    async drop() {
      await call('DeleteTable', { TableName: name });
    },
  };
}

/** Returns the description from which `newTable` makes another table like this one. */
export async function shapeOf({ call }: Connection, name: string): Promise<object> {
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
