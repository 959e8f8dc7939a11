import { DescribeTableCommand, QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { indexes } from '../contract.ts';
import { hasBookings } from '../domain/bookings.ts';
import type { BookedTransaction, StoredBookings } from '../domain/bookings.ts';
import type { Alias } from '../domain/alias.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import { parseAlias } from './aliases.ts';
import { kindOf, transactionKey, walletKey } from './keys.ts';
import { receiverPartitions, transactionIdOfHistoryKey } from './history-keys.ts';
import { readMany } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import { InvalidItem, parsed, UnreadableItem } from './unreadable.ts';
import { parseWallet } from './wallets.ts';
import { fromItem, toItem } from './write.ts';

/** The key of an item, at which a scan of the table goes on. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/**
 * An item of the books. `invalid`: a transaction of a known type breaks a rule of its type. `unreadable`: the item is not
 * what its key says, or is of a type or version that this release does not know.
 */
export type BookItem = { readonly key: ItemKey } & (
  | { readonly kind: 'wallet'; readonly wallet: Wallet }
  | { readonly kind: 'transaction'; readonly transaction: Transaction }
  | { readonly kind: 'invalid'; readonly problem: string }
  | { readonly kind: 'unreadable'; readonly problem: string }
);

/** An item of the books, the record that a transaction has its reference for itself alone, or an alias. */
export type ScannedItem =
  | BookItem
  | { readonly key: ItemKey; readonly kind: 'reference'; readonly transactionId: string }
  | { readonly key: ItemKey; readonly kind: 'alias'; readonly alias: Alias };

/** Returns about how many items the table has; undefined before the first count. DynamoDB counts every six hours. */
export async function countItems(table: Table): Promise<number | undefined> {
  const { Table: description } = await withRetries(table, () =>
    table.client.send(new DescribeTableCommand({ TableName: table.name })),
  );
  return description?.ItemCount;
}

/** Reads up to 1 MB of one segment of the table: its wallets, transactions, taken references and aliases, about 128 read units. */
export async function scanBooks(
  table: Table,
  part: { segment: number; segments: number; after: ItemKey | undefined },
): Promise<{ items: ScannedItem[]; scanned: number; next: ItemKey | undefined; readUnits: number }> {
  const {
    Items = [],
    ScannedCount = 0,
    LastEvaluatedKey,
    ConsumedCapacity,
  } = await withRetries(table, () =>
    table.client.send(
      new ScanCommand({
        TableName: table.name,
        Segment: part.segment,
        TotalSegments: part.segments,
        FilterExpression: 'sk IN (:wallet, :transaction, :reference, :alias)',
        ExpressionAttributeValues: toItem({
          ...{ ':wallet': 'WALLET', ':transaction': 'TX' },
          ...{ ':reference': 'REFERENCE', ':alias': 'ALIAS' },
        }),
        ReturnConsumedCapacity: 'TOTAL',
        ...(part.after && { ExclusiveStartKey: toItem(part.after) }),
      }),
    ),
  );
  return {
    items: Items.flatMap((item): ScannedItem | readonly ScannedItem[] => {
      if (item['sk']?.S === 'REFERENCE') return toReference(item);
      return (item['sk']?.S === 'ALIAS' ? toAlias(item) : toBookItem(item)) ?? [];
    }),
    scanned: ScannedCount,
    next: LastEvaluatedKey && toKey(LastEvaluatedKey),
    readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
  };
}

/**
 * Reads any number of wallets and transactions by their ids, with the read units. Leaves out those that do not exist.
 */
export async function readBookItems(
  table: Table,
  ids: { readonly walletIds: Iterable<string>; readonly transactionIds: Iterable<string> },
  consistent: boolean,
): Promise<{ items: BookItem[]; readUnits: number }> {
  const keys = [...Array.from(ids.walletIds, walletKey), ...Array.from(ids.transactionIds, transactionKey)];
  return readMany(table, keys, consistent, (item) => toBookItem(item) ?? []);
}

type StoredItem = Parameters<typeof fromItem>[0];

function toKey({ pk, sk }: StoredItem): ItemKey {
  return { pk: pk?.S ?? '', sk: sk?.S ?? '' };
}

function toBookItem(stored: StoredItem): BookItem | undefined {
  const key = toKey(stored);
  try {
    const item = fromItem(stored);
    if (kindOf(key) === 'wallet') return { key, kind: 'wallet', wallet: parseWallet(item) };
    const transaction = toTransaction(item);
    return transaction && { key, kind: 'transaction', transaction };
  } catch (error) {
    if (error instanceof UnreadableItem) {
      return { key, kind: error instanceof InvalidItem ? 'invalid' : 'unreadable', problem: error.problem };
    }
    return { key, kind: 'unreadable', problem: error instanceof Error ? error.message : 'it has no values' };
  }
}

function toAlias(stored: StoredItem): ScannedItem {
  const key = toKey(stored);
  const alias = parsed(() => parseAlias(fromItem(stored)));
  return alias instanceof UnreadableItem
    ? { key, kind: 'unreadable', problem: alias.problem }
    : { key, kind: 'alias', alias };
}

/** Returns the record of a taken reference. One that cannot be read names no transaction. */
function toReference(stored: StoredItem): ScannedItem {
  return { key: toKey(stored), kind: 'reference', transactionId: stored['transactionId']?.S ?? '' };
}

/** The members of a transaction in an index that its wallet's check reads. */
export interface IndexedTransaction extends BookedTransaction {
  readonly transactionId: string;
  readonly originalTransactionId?: string;
  /** Of a transaction that was refunded. */
  readonly refunded?: unknown;
  /** Of a refund. */
  readonly chargeback?: unknown;
}

/** On which side of its transactions a wallet is. */
export type Side = 'sender' | 'receiver';

/**
 * Reads up to 1 MB of a wallet's transactions on one side. Reads the partitions of the index one after the other, each
 * oldest first.
 *
 * @param page `after` is the `next` of the page before
 */
export async function readBookings(
  table: Table,
  page: { side: Side; walletId: string; isCrowded?: boolean; after: string | undefined },
): Promise<{ items: IndexedTransaction[]; next: string | undefined; readUnits: number }> {
  const [index, key, partitions] =
    page.side === 'sender'
      ? [indexes.byWallet, 'walletId', [page.walletId]]
      : [indexes.byCounterparty, 'counterpartyWalletId', receiverPartitions(page)];
  const { part, historyKey } = positionIn(page.after);
  const partition = partitions[part] ?? page.walletId;
  const {
    Items = [],
    LastEvaluatedKey,
    ConsumedCapacity,
  } = await withRetries(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: index,
        KeyConditionExpression: `${key} = :partition`,
        ExpressionAttributeValues: toItem({ ':partition': partition }),
        ProjectionExpression:
          'transactionId, originalTransactionId, #type, postings, createdAt, updatedAt, completedAt, executeAt, executedAt, refunded, chargeback',
        ExpressionAttributeNames: { '#type': 'type' },
        ReturnConsumedCapacity: 'TOTAL',
        ...(historyKey !== undefined && {
          ExclusiveStartKey: toItem({
            ...transactionKey(transactionIdOfHistoryKey(historyKey)),
            [key]: partition,
            historyKey,
          }),
        }),
      }),
    ),
  );
  const readTo = LastEvaluatedKey && (fromItem(LastEvaluatedKey)['historyKey'] as string);
  const nextPart = part + 1 < partitions.length ? `${part + 1}/` : undefined;
  return {
    // The scan of all transactions reports a transaction that is itself wrong.
    items: Items.flatMap((stored) => {
      const item = parsed(() => fromItem(stored));
      return !(item instanceof UnreadableItem) && isIndexed(item) ? [item] : [];
    }),
    next: readTo === undefined ? nextPart : `${part}/${readTo}`,
    readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
  };
}

function isIndexed(item: StoredBookings): item is IndexedTransaction {
  return hasBookings(item);
}

/** Returns the number of the partition in a `next`, and the history key behind which it goes on there. */
function positionIn(next: string | undefined): { readonly part: number; readonly historyKey?: string } {
  const [part = '', historyKey = ''] = next?.split('/') ?? [];
  return { part: Number(part), ...(historyKey !== '' && { historyKey }) };
}
