import { BatchGetItemCommand, ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { parsed } from './unreadable.ts';
import type { UnreadableItem } from './unreadable.ts';
import { fromItem, toItem } from './write.ts';
import type { Item } from './write.ts';

/**
 * Reads up to 100 items in one call, and in later calls those that DynamoDB left out; consistent, in no order.
 *
 * @param deadline latest time for a second or later call, epoch ms; as `withRetries` has it when absent
 * @throws WalletError `busy` when the rest stays left out until the budget is spent
 * @throws UnreadableItem when one of them has a number that no JavaScript value holds
 */
export async function readItems(table: Table, keys: readonly Item[], deadline?: number): Promise<Item[]> {
  return (await readStored(table, keys, { consistent: true, deadline })).items.map(fromItem);
}

/**
 * Reads up to 100 items by their ids, as `readItems` does, and parses each. One that cannot be read does not fail the
 * others.
 *
 * @param parse returns undefined for an item to leave out
 * @returns by id, in the order of `ids`; those that do not exist are left out
 */
export async function readParsed<T>(
  table: Table,
  ids: readonly string[],
  keyOf: (id: string) => { readonly pk: string; readonly sk: string },
  parse: (item: Item) => T | undefined,
): Promise<Map<string, T | UnreadableItem>> {
  const { items } = await readStored(table, ids.map(keyOf), { consistent: true });
  const found = new Map(items.map((item) => [item['pk']?.S, item]));
  return new Map(
    ids.flatMap((id) => {
      const item = found.get(keyOf(id).pk);
      const value = item && parsed(() => parse(fromItem(item)));
      return value === undefined ? [] : [[id, value] as const];
    }),
  );
}

/** Most items that one call reads. */
const mostItems = 100;

/**
 * Reads any number of items, 100 in a call, with the read units.
 *
 * @param parse returns the value that is kept of an item: a crowd's items themselves would not fit into memory
 */
export async function readMany<T>(
  table: Table,
  keys: readonly Item[],
  consistent: boolean,
  parse: (item: Record<string, AttributeValue>) => T | readonly T[],
): Promise<{ items: T[]; readUnits: number }> {
  const items: T[] = [];
  let readUnits = 0;
  for (let start = 0; start < keys.length; start += mostItems) {
    const page = await readStored(table, keys.slice(start, start + mostItems), { consistent });
    items.push(...page.items.flatMap(parse));
    readUnits += page.readUnits;
  }
  return { items, readUnits };
}

async function readStored(
  table: Table,
  keys: readonly Item[],
  { consistent, deadline }: { readonly consistent: boolean; readonly deadline?: number | undefined },
): Promise<{ items: Record<string, AttributeValue>[]; readUnits: number }> {
  const items: Record<string, AttributeValue>[] = [];
  let readUnits = 0;
  if (keys.length === 0) return { items, readUnits };
  let pending = keys.map(toItem);
  await withRetries(
    table,
    async () => {
      const { Responses, UnprocessedKeys, ConsumedCapacity } = await table.client.send(
        new BatchGetItemCommand({
          RequestItems: { [table.name]: { Keys: pending, ConsistentRead: consistent } },
          ReturnConsumedCapacity: 'TOTAL',
        }),
      );
      items.push(...(Responses?.[table.name] ?? []));
      readUnits += ConsumedCapacity?.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0) ?? 0;
      pending = UnprocessedKeys?.[table.name]?.Keys ?? [];
      if (pending.length === 0) return;
      // A part was throttled. DynamoDB itself throws this error when all of it is.
      throw new ProvisionedThroughputExceededException({ message: `${pending.length} items not read`, $metadata: {} });
    },
    deadline,
  );
  return { items, readUnits };
}
