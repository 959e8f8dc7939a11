import { BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { fromItem, toItem } from './write.ts';
import type { Item } from './write.ts';

/** Reads up to 100 items in one call, and again what DynamoDB left out of it; consistent, in no order. */
export async function readItems(table: Table, keys: readonly Item[]): Promise<Item[]> {
  const items: Item[] = [];
  let pending = keys.map(toItem);
  while (pending.length > 0) {
    const command = new BatchGetItemCommand({
      RequestItems: { [table.name]: { Keys: pending, ConsistentRead: true } },
    });
    const { Responses, UnprocessedKeys } = await persist(table, () => table.client.send(command));
    items.push(...(Responses?.[table.name] ?? []).map(fromItem));
    pending = UnprocessedKeys?.[table.name]?.Keys ?? [];
  }
  return items;
}
