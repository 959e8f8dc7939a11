import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { indexes } from '../contract.ts';
import { dueShard, dueShards } from './keys.ts';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { fromItem, toItem } from './write.ts';

/** The earliest due time (ISO 8601) of all open work, or undefined when nothing is open. Reads one entry a shard. */
export async function earliestDue(table: Table): Promise<string | undefined> {
  const earliest = await Promise.all(Array.from({ length: dueShards }, (_, shard) => earliestOfShard(table, shard)));
  return earliest.filter((dueAt) => dueAt !== undefined).sort()[0];
}

async function earliestOfShard(table: Table, shard: number): Promise<string | undefined> {
  const { Items } = await persist(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: indexes.due,
        KeyConditionExpression: 'dueShard = :shard',
        ExpressionAttributeValues: toItem({ ':shard': dueShard(shard) }),
        Limit: 1,
      }),
    ),
  );
  const first = Items?.[0];
  return first && (fromItem(first)['dueAt'] as string);
}
