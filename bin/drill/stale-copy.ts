/** A copy of a table that moves, as a stand-in for a restore: each item is of a moment of its own. */
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ScanCommand,
  UpdateTableCommand,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import type { AttributeValue, TableDescription } from '@aws-sdk/client-dynamodb';
import { DatabaseSync } from 'node:sqlite';
import { region } from '../../local/cloudformation/account.ts';
import { localCredentials } from '../../local/dynamodb/dynamodb.ts';

export interface StaleCopy {
  readonly description: TableDescription;
  readonly items: readonly Record<string, AttributeValue>[];
}

const pageSize = 25;
const longestWaitSeconds = 60;

function clientOf(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({ endpoint, region, credentials: localCredentials });
}

/** Copies a table in small pages, while it moves. */
export async function copyTable(endpoint: string, name: string): Promise<StaleCopy> {
  const client = clientOf(endpoint);
  const items: Record<string, AttributeValue>[] = [];
  const { Table: description = {} } = await client.send(new DescribeTableCommand({ TableName: name }));
  for (let start: Record<string, AttributeValue> | undefined, more = true; more; more = start !== undefined) {
    const page = await client.send(
      new ScanCommand({
        TableName: name,
        Limit: pageSize,
        ConsistentRead: true,
        ...(start && { ExclusiveStartKey: start }),
      }),
    );
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  }
  client.destroy();
  return { description, items };
}

/**
 * Forgets the stream of a table that was deleted: the engine would go on with it in the next table of this name. In AWS the
 * next table has a stream of its own.
 *
 * @param file the engine's file, while no engine has it open
 */
export function forgetStream(file: string, name: string): void {
  const database = new DatabaseSync(file);
  database.prepare('DELETE FROM _stream_records WHERE table_name = ?').run(name);
  database.close();
}

/** Deletes a table, and makes it again from a copy, without the settings that a restore does not bring back. */
export async function replaceTable(endpoint: string, name: string, { description, items }: StaleCopy): Promise<void> {
  const client = clientOf(endpoint);
  const waits = { client, maxWaitTime: longestWaitSeconds };
  await client
    .send(new UpdateTableCommand({ TableName: name, DeletionProtectionEnabled: false }))
    .catch(() => undefined); // It may have none.
  await client.send(new DeleteTableCommand({ TableName: name }));
  await waitUntilTableNotExists(waits, { TableName: name });
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: description.KeySchema,
      AttributeDefinitions: description.AttributeDefinitions,
      GlobalSecondaryIndexes: description.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => ({
        IndexName,
        KeySchema,
        Projection,
      })),
    }),
  );
  await waitUntilTableExists(waits, { TableName: name });
  for (let at = 0; at < items.length; at += pageSize) {
    const requests = items.slice(at, at + pageSize).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [name]: requests } }));
  }
  client.destroy();
}
