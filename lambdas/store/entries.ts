import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { entryIndexes } from '../contract.ts';
import { BrokenChain, hashedText } from '../domain/entries.ts';
import type { Balance, ChainedEntry, Entry } from '../domain/entries.ts';
import type { WalletStatus } from '../domain/wallet.ts';
import { entryKey, entryOfKeys, ledgerPartition, momentOf } from './keys.ts';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { fromItem, toItem } from './write.ts';
import type { Item } from './write.ts';

/** SHA-256 over an entry and the hash of the one before it (empty for the opening), in base64url. */
export function hashOf(entry: Entry, previousHash: string): string {
  return createHash('sha256').update(hashedText(entry, previousHash)).digest('base64url');
}

/**
 * Puts an entry behind the last one, in one conditional put of 1 write unit, and 1 for the index. The condition is
 * enough: whoever puts version N has seen N-1, so that puts alone leave neither gap nor fork.
 *
 * @returns the entry with its hash; also when it was there already
 * @throws BrokenChain when another entry of the same version is there
 */
export async function appendEntry(entries: Table, entry: Entry, previousHash: string): Promise<ChainedEntry> {
  const hash = hashOf(entry, previousHash);
  const { walletId, version, changes, balanceAfter, statusAfter, transactionId } = entry;
  const command = new PutItemCommand({
    TableName: entries.name,
    Item: toItem({
      ...entryKey(walletId, version),
      moment: momentOf(entry),
      changes,
      balanceAfter,
      statusAfter,
      transactionId,
      hash,
    }),
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  try {
    await persist(entries, () => entries.client.send(command));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    if (error.Item === undefined || toEntry(fromItem(error.Item)).hash !== hash) {
      throw new BrokenChain(walletId, `entry ${version} is there already, and another one`);
    }
  }
  return { ...entry, hash };
}

/** The last entry of a wallet's ledger; half a read unit, doubled for consistency. Undefined when there is none yet. */
export async function lastEntry(entries: Table, walletId: string): Promise<ChainedEntry | undefined> {
  const { items } = await queryEntries(entries, walletId, { ScanIndexForward: false, Limit: 1, ConsistentRead: true });
  return items[0];
}

/** A page of a wallet's ledger, newest first; `before` is the version that the page ends in front of. */
export async function listEntries(
  entries: Table,
  page: { walletId: string; limit: number; before: number | undefined },
): Promise<{ items: ChainedEntry[]; next?: number }> {
  const { items, more } = await queryEntries(entries, page.walletId, {
    ScanIndexForward: false,
    Limit: page.limit,
    ...(page.before !== undefined && { ExclusiveStartKey: toItem(entryKey(page.walletId, page.before)) }),
  });
  const last = items.at(-1);
  return more && last !== undefined ? { items, next: last.version } : { items };
}

/** A page of at most 1 MB of a wallet's ledger, oldest first, behind the version `after`, and its read units. */
export function readEntries(
  entries: Table,
  { walletId, after, consistent }: { walletId: string; after: number | undefined; consistent: boolean },
): Promise<{ items: ChainedEntry[]; more: boolean; readUnits: number }> {
  return queryEntries(entries, walletId, {
    ConsistentRead: consistent,
    ...(after !== undefined && { ExclusiveStartKey: toItem(entryKey(walletId, after)) }),
  });
}

/** The balance of a wallet at a moment (ISO 8601): one query of one entry. Undefined before the wallet was opened. */
export async function balanceAt(
  entries: Table,
  walletId: string,
  at: string,
): Promise<(Balance & { version: number }) | undefined> {
  const { Items: [found] = [] } = await persist(entries, () =>
    entries.client.send(
      new QueryCommand({
        TableName: entries.name,
        IndexName: entryIndexes.byTime,
        KeyConditionExpression: 'pk = :ledger AND moment < :after',
        // Moments are `<time>#<version>`: '$' follows '#'.
        ExpressionAttributeValues: toItem({ ':ledger': ledgerPartition(walletId), ':after': `${at}$` }),
        ScanIndexForward: false,
        Limit: 1,
      }),
    ),
  );
  if (found === undefined) return undefined;
  const { version, balanceAfter } = toEntry(fromItem(found));
  return { ...balanceAfter, version };
}

async function queryEntries(entries: Table, walletId: string, page: Partial<QueryCommandInput>) {
  const {
    Items = [],
    LastEvaluatedKey,
    ConsumedCapacity,
  } = await persist(entries, () =>
    entries.client.send(
      new QueryCommand({
        TableName: entries.name,
        KeyConditionExpression: 'pk = :ledger',
        ExpressionAttributeValues: toItem({ ':ledger': ledgerPartition(walletId) }),
        ReturnConsumedCapacity: 'TOTAL',
        ...page,
      }),
    ),
  );
  return {
    items: Items.map((item) => toEntry(fromItem(item))),
    more: LastEvaluatedKey !== undefined,
    readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
  };
}

function toEntry(item: Item): ChainedEntry {
  const { pk, sk, moment, ...rest } = item as unknown as StoredEntry;
  return { ...entryOfKeys({ pk, sk, moment }), ...rest };
}

interface StoredEntry {
  readonly pk: string;
  readonly sk: string;
  readonly moment: string;
  readonly changes: Entry['changes'];
  readonly balanceAfter: Balance;
  readonly statusAfter: WalletStatus;
  readonly transactionId?: string;
  readonly hash: string;
}
