import { BatchGetItemCommand, ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { fromItem, toItem } from './write.ts';
import type { Item } from './write.ts';

/**
 * Reads up to 100 items in one call, and later what DynamoDB left out of it; consistent, in no order.
 *
 * @param deadline latest time for a second or later call, epoch ms; as `persist` has it when absent
 * @throws WalletError `busy` when the rest stays left out until the budget is spent
 */
export async function readItems(table: Table, keys: readonly Item[], deadline?: number): Promise<Item[]> {
  if (keys.length === 0) return [];
  const items: Item[] = [];
  let pending = keys.map(toItem);
  await persist(
    table,
    async () => {
      const { Responses, UnprocessedKeys } = await table.client.send(
        new BatchGetItemCommand({ RequestItems: { [table.name]: { Keys: pending, ConsistentRead: true } } }),
      );
      items.push(...(Responses?.[table.name] ?? []).map(fromItem));
      pending = UnprocessedKeys?.[table.name]?.Keys ?? [];
      if (pending.length === 0) return;
      // Throttling of a part; DynamoDB throws the same itself when it is the whole.
      throw new ProvisionedThroughputExceededException({ message: `${pending.length} items not read`, $metadata: {} });
    },
    deadline,
  );
  return items;
}
