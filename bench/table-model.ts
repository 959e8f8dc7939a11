import { DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { BatchGetItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { fromItem, toItem } from '../lambdas/store/write.ts';
import type { Item, WriteRequest } from '../lambdas/store/write.ts';

/** Write units that DynamoDB gives one partition key of a table or an index in a second. */
const unitsOfPartition = 1_000;
/** Indexes of the table, by the attribute that names the partition. */
const indexKeys = ['walletId', 'counterpartyWalletId', 'dueShard'] as const;

/** A model of the speed of DynamoDB's table of wallets and transfers. */
export interface TableModel {
  readonly client: DynamoDBClient;
  /** Returns the sum that the writes have added to a wallet. */
  readonly addedTo: (walletId: string) => number;
  readonly counts: {
    readonly writes: number;
    readonly conflicts: number;
    readonly throttles: number;
    readonly units: number;
  };
}

/**
 * Makes a client whose table is a model. A write takes its time, and meets no other write on one of its items. Each
 * partition of the table and its indexes has 1,000 units a second. The only condition is that a transfer ends once.
 *
 * @param times how long a write and a batch of reads take, ms
 */
export function modelTable(
  clock: { readonly now: () => number; readonly sleep: (ms: number) => Promise<void> },
  times: { readonly write: number; readonly read: number },
): TableModel {
  const items = new Map<string, Item>();
  const added = new Map<string, number>();
  const underWay = new Set<string>();
  const takeUnits = openPartitions(clock.now);
  const counts = { writes: 0, conflicts: 0, throttles: 0, units: 0 };

  async function write({ TransactItems = [] }: TransactWriteCommandInput): Promise<object> {
    const writes = TransactItems.map((request) => writeOf(request, items));
    counts.writes++;
    const refuse = (codeOf: (index: number) => string | undefined) => {
      const CancellationReasons = writes.map((_, index) => ({ Code: codeOf(index) ?? 'None' }));
      if (CancellationReasons.every(({ Code }) => Code === 'None')) return;
      throw new TransactionCanceledException({ message: 'refused by the model', $metadata: {}, CancellationReasons });
    };
    try {
      refuse((index) => (underWay.has(writes[index]?.key ?? '') ? 'TransactionConflict' : undefined));
    } catch (error) {
      counts.conflicts++;
      await clock.sleep(times.write);
      throw error;
    }
    for (const { key } of writes) underWay.add(key);
    try {
      await clock.sleep(times.write);
      refuse((index) => (writes[index]?.holds === false ? 'ConditionalCheckFailed' : undefined));
      if (!takeUnits(writes.flatMap(({ units }) => units))) {
        counts.throttles++;
        refuse((index) => (index === 0 ? 'ThrottlingError' : undefined));
      }
      for (const { key, after, amount, units } of writes) {
        if (after) items.set(key, after);
        if (amount !== 0) added.set(key, (added.get(key) ?? 0) + amount);
        counts.units += units.reduce((sum, [, count]) => sum + count, 0);
      }
    } finally {
      for (const { key } of writes) underWay.delete(key);
    }
    return {};
  }

  async function read({ RequestItems = {} }: BatchGetItemCommandInput): Promise<object> {
    await clock.sleep(times.read);
    const Responses = Object.fromEntries(
      Object.entries(RequestItems).map(([table, { Keys = [] }]) => [
        table,
        Keys.map((key) => items.get(String(fromItem(key)['pk']))).flatMap((item) => (item ? [toItem(item)] : [])),
      ]),
    );
    return { Responses };
  }

  const client = new DynamoDBClient({});
  client.middlewareStack.add(
    (_next, { commandName }) =>
      async ({ input }) => {
        const answer =
          commandName === 'BatchGetItemCommand'
            ? read(input as BatchGetItemCommandInput)
            : write(input as TransactWriteCommandInput);
        return { output: { ...(await answer), $metadata: {} } as never, response: undefined };
      },
    { step: 'initialize' },
  );
  return { client, addedTo: (walletId) => added.get(`WALLET#${walletId}`) ?? 0, counts };
}

/** The effect of a write on one item. */
interface ItemWrite {
  /** The partition key, which is the item's alone. */
  readonly key: string;
  readonly holds: boolean;
  /** The item after the write, of transfers. */
  readonly after: Item | undefined;
  /** The amount that it adds to a wallet. */
  readonly amount: number;
  /** Units by partition, of the table and of the indexes. */
  readonly units: readonly (readonly [partition: string, count: number])[];
}

function writeOf({ Put, Update }: WriteRequest, items: ReadonlyMap<string, Item>): ItemWrite {
  const { pk }: Item = Put?.Item ?? Update?.Key ?? {};
  const key = String(pk);
  const ofTable = [key, 2] as const;
  if (Put) {
    const after = Put.Item ?? {};
    return { key, holds: true, after, amount: 0, units: [ofTable, ...unitsOfIndexes(undefined, after)] };
  }
  const values: Item = Update?.ExpressionAttributeValues ?? {};
  const before = items.get(key);
  if (before === undefined) {
    const sign = Update?.UpdateExpression?.includes('available + :amount') === true ? 1 : -1;
    return { key, holds: true, after: undefined, amount: sign * Number(values[':amount']), units: [ofTable] };
  }
  const { dueShard, dueAt, toWalletId, ...rest } = before;
  const after = { ...rest, status: 'completed', counterpartyWalletId: values[':receiver'] };
  const units = [ofTable, ...unitsOfIndexes(before, after)];
  return { key, holds: before['status'] === 'pending', after, amount: 0, units };
}

/** Returns the units of the indexes: one for each that has the item before or after. */
function unitsOfIndexes(before: Item | undefined, after: Item): (readonly [string, number])[] {
  return indexKeys.flatMap((name) => {
    const partition = after[name] ?? before?.[name];
    return typeof partition === 'string' ? [[`${name} ${partition}`, 1] as const] : [];
  });
}

/** Returns a function that takes units from partitions, from all or from none. */
function openPartitions(now: () => number) {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (units: readonly (readonly [string, number])[]): boolean => {
    const sums = new Map<string, number>();
    for (const [partition, count] of units) sums.set(partition, (sums.get(partition) ?? 0) + count);
    const taken = [...sums].map(([partition, count]) => {
      const { tokens, at } = buckets.get(partition) ?? { tokens: unitsOfPartition, at: now() };
      const filled = Math.min(unitsOfPartition, tokens + ((now() - at) / 1_000) * unitsOfPartition);
      return [partition, filled - count] as const;
    });
    if (taken.some(([, tokens]) => tokens < 0)) return false;
    for (const [partition, tokens] of taken) buckets.set(partition, { tokens, at: now() });
    return true;
  };
}
