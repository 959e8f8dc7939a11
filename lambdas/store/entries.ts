import { createHash } from 'node:crypto';
import {
  BatchExecuteStatementCommand,
  ProvisionedThroughputExceededException,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type {
  AttributeValue,
  BatchStatementRequest,
  BatchStatementResponse,
  QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { hashedText, heldAt } from '../domain/entries.ts';
import type { Balance, ChainedEntry, Entry, Held } from '../domain/entries.ts';
import type { WalletStatus } from '../domain/wallet.ts';
import { entryKey, entryOfKey, ledgerPartition } from './keys.ts';
import { readItems, readMany } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, requireVersion } from './unreadable.ts';
import { fromItem, toItem } from './write.ts';
import type { Item } from './write.ts';

/** Returns the SHA-256 of an entry and the hash of the one before it (empty for the opening), in base64url. */
export function hashOf(entry: Entry, previousHash: string): string {
  return createHash('sha256').update(hashedText(entry, previousHash)).digest('base64url');
}

/** Returns the entry with its hash, as it follows `previous`. */
export function chained(entry: Entry, previous: ChainedEntry | undefined): ChainedEntry {
  return { ...entry, hash: hashOf(entry, previous?.hash ?? '') };
}

/** Most entries that one call inserts. */
export const mostInserts = 25;

/** The result of an insert. `known`: the ledger has an entry of this version already, perhaps the same one. */
export type Inserted = 'stored' | 'known' | { readonly error: unknown };

/** Codes of a statement that failed, and may succeed when it is repeated. */
const transientCodes = new Set<string | undefined>([
  'InternalServerError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'ThrottlingError',
  'TransactionConflict',
]);

/**
 * Inserts entries of different wallets in one call, each behind the last one of its wallet. A PartiQL insert fails when
 * the item exists. It takes 1 write unit, 1 for the index, and no transaction.
 *
 * That condition keeps the chain whole: a container inserts version N only if it knows that version N-1 is stored.
 *
 * Repeats statements that fail for the moment. A statement that was stored, and whose answer was lost, is then `known`.
 *
 * @param batch 1 to 25 entries, each of another wallet
 * @returns the result of each, in the same order
 */
export async function insertEntries(entries: Table, batch: readonly ChainedEntry[]): Promise<Inserted[]> {
  const outcomes = new Map<ChainedEntry, Inserted>();
  let pending = batch;
  try {
    await withRetries(entries, async () => {
      const sent = pending;
      const { Responses = [] } = await entries.client.send(
        new BatchExecuteStatementCommand({ Statements: sent.map((entry) => insertOf(entries, entry)) }),
      );
      for (const [index, entry] of sent.entries()) outcomes.set(entry, insertedBy(Responses[index]));
      pending = sent.filter((_, index) => transientCodes.has(Responses[index]?.Error?.Code));
      if (pending.length === 0) return;
      // A part was throttled. DynamoDB itself throws this error when all of it is.
      throw new ProvisionedThroughputExceededException({ message: `${pending.length} not inserted`, $metadata: {} });
    });
  } catch (error) {
    for (const entry of pending) outcomes.set(entry, { error });
  }
  return batch.map((entry) => outcomes.get(entry) ?? { error: new Error('the batch was not answered') });
}

function insertedBy(response: BatchStatementResponse | undefined): Inserted {
  if (response === undefined) return { error: new Error('the insert was not answered') };
  const { Error: refusal } = response;
  if (refusal === undefined) return 'stored';
  return refusal.Code === 'DuplicateItem'
    ? 'known'
    : { error: new Error(`not inserted: ${refusal.Code ?? 'no code'}, ${refusal.Message ?? 'no message'}`) };
}

/** Returns an entry as it is stored. */
export function storedEntry({ walletId, version, ...rest }: ChainedEntry): Item {
  return { ...entryKey(walletId, version), v: itemVersion, ...rest };
}

function insertOf(entries: Table, entry: ChainedEntry): BatchStatementRequest {
  const item = toItem(storedEntry(entry));
  const places = Object.keys(item).map((name) => `'${name}': ?`);
  return { Statement: `INSERT INTO "${entries.name}" VALUE {${places.join(', ')}}`, Parameters: Object.values(item) };
}

/** Reads the entries of at most 100 wallets and versions in one call. Leaves out those that do not exist. */
export async function entriesAt(
  entries: Table,
  positions: readonly { readonly walletId: string; readonly version: number }[],
): Promise<ChainedEntry[]> {
  const keys = positions.map(({ walletId, version }) => entryKey(walletId, version));
  return (await readItems(entries, keys)).map(toEntry);
}

/**
 * Reads the entries of any number of wallets and versions, with the read units. Leaves out those that do not exist.
 *
 * @param consistent at twice the price, one read unit for each
 */
export async function readEntriesAt(
  entries: Table,
  positions: readonly { readonly walletId: string; readonly version: number }[],
  consistent: boolean,
): Promise<{ items: ChainedEntry[]; readUnits: number }> {
  const keys = positions.map(({ walletId, version }) => entryKey(walletId, version));
  return readMany(entries, keys, consistent, toAnyEntry);
}

/**
 * Returns the last entry of a wallet's ledger; undefined when it has none. Half a read unit, doubled for consistency.
 */
export async function lastEntry(entries: Table, walletId: string): Promise<ChainedEntry | undefined> {
  const { items } = await queryEntries(entries, walletId, { ScanIndexForward: false, Limit: 1, ConsistentRead: true });
  return items[0];
}

/** Reads a page of a wallet's ledger, newest first. The page ends in front of the version `before`. */
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

/**
 * Reads a page of at most 1 MB of a wallet's ledger, oldest first, behind the version `after`, with its read units.
 * Stored items may have any shape.
 */
export function readEntries(
  entries: Table,
  { walletId, after, consistent }: { walletId: string; after: number | undefined; consistent: boolean },
): Promise<{ items: ChainedEntry[]; more: boolean; readUnits: number }> {
  const page = {
    ConsistentRead: consistent,
    ...(after !== undefined && { ExclusiveStartKey: toItem(entryKey(walletId, after)) }),
  };
  return queryEntries(entries, walletId, page, toAnyEntry);
}

/** Reads up to `limit` entries of a wallet's ledger, oldest first, behind the version `after`. */
export async function entriesBehind(
  entries: Table,
  { walletId, after, limit }: { walletId: string; after: number; limit: number },
): Promise<ChainedEntry[]> {
  const start = after < 0 ? {} : { ExclusiveStartKey: toItem(entryKey(walletId, after)) };
  return (await queryEntries(entries, walletId, { Limit: limit, ...start })).items;
}

/** Reads the entries of these versions, both included; one read unit for about a dozen. */
export async function entriesBetween(
  entries: Table,
  walletId: string,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<ChainedEntry[]> {
  const found: ChainedEntry[] = [];
  for (let next = first, more = true; more;) {
    const page = await queryEntries(entries, walletId, {
      KeyConditionExpression: 'pk = :ledger AND sk BETWEEN :first AND :last',
      ExpressionAttributeValues: toItem({
        ':ledger': ledgerPartition(walletId),
        ':first': entryKey(walletId, next).sk,
        ':last': entryKey(walletId, last).sk,
      }),
      ConsistentRead: true,
    });
    found.push(...page.items);
    next = (found.at(-1)?.version ?? last) + 1;
    more = page.more;
  }
  return found;
}

/** How many entries the search reads as one page, once fewer are left. */
const searchPage = 20;
/**
 * How many entries one step of the search reads. They are spread evenly, so each step leaves a ninth of the versions.
 */
const probesAtATime = 8;
/** How far the times of entries without `bookedAt` run backwards at most, ms. No function ran longer than this. */
const disorderMs = 60_000;

/**
 * Returns the entry that held at a moment (ISO 8601). Times never fall as versions grow, so no index by time is needed.
 *
 * Takes two calls and 2 read units when the wallet has not changed since, or has at most 20 entries. Each further step
 * of the search takes one call and 8 units: two steps for 1,000 entries, five for a million.
 */
export async function findHeld(entries: Table, walletId: string, moment: string): Promise<Held<ChainedEntry>> {
  const last = await lastEntry(entries, walletId);
  if (last === undefined) return { entry: undefined, isOver: false };
  const held = await readHeldFrom(entries, walletId, moment, await searchVersionUpTo(entries, last, moment));
  if (held.first?.bookedAt !== undefined) return held;
  // Entries without `bookedAt` may be out of order: one before `held.first` may be later than the moment.
  const earlier = new Date(Date.parse(moment) - disorderMs).toISOString();
  return readHeldFrom(entries, walletId, moment, await searchVersionUpTo(entries, last, earlier));
}

/**
 * Reads pages from a version on, until one has the first entry after the moment.
 *
 * @param start a version that held at the moment, or before it; or the first one
 */
async function readHeldFrom(
  entries: Table,
  walletId: string,
  moment: string,
  start: number,
): Promise<Held<ChainedEntry> & { readonly first: ChainedEntry | undefined }> {
  let first: ChainedEntry | undefined;
  let before: ChainedEntry | undefined;
  let after = start === 0 ? undefined : start - 1;
  for (;;) {
    const { items, more } = await queryEntries(entries, walletId, {
      ConsistentRead: true,
      Limit: searchPage,
      ...(after !== undefined && { ExclusiveStartKey: toItem(entryKey(walletId, after)) }),
    });
    first ??= items[0];
    const held = heldAt(items, moment, before);
    if (held.isOver || !more) return { ...held, first };
    before = items.at(-1) ?? before;
    after = before?.version;
  }
}

/**
 * Searches for a version at or before a time, less than a page in front of the first entry after that time. Returns the
 * first version when all are later. Missing entries may leave the result further in front.
 */
async function searchVersionUpTo(entries: Table, last: Entry, time: string): Promise<number> {
  if (last.at <= time) return last.version;
  let low = 0;
  let high = last.version;
  while (high - low >= searchPage) {
    const step = (high - low) / (probesAtATime + 1);
    const versions = Array.from({ length: probesAtATime }, (_, probe) => low + Math.ceil(step * (probe + 1)));
    const found = await entriesAt(
      entries,
      versions.map((version) => ({ walletId: last.walletId, version })),
    );
    if (found.length === 0) break;
    high = Math.min(high, ...found.filter(({ at }) => at > time).map(({ version }) => version));
    const before = found.filter(({ at, version }) => at <= time && version < high);
    low = Math.max(low, ...before.map(({ version }) => version));
  }
  return low;
}

async function queryEntries(
  entries: Table,
  walletId: string,
  page: Partial<QueryCommandInput>,
  parse = (item: Record<string, AttributeValue>) => toEntry(fromItem(item)),
) {
  const {
    Items = [],
    LastEvaluatedKey,
    ConsumedCapacity,
  } = await withRetries(entries, () =>
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
    items: Items.map(parse),
    more: LastEvaluatedKey !== undefined,
    readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
  };
}

/**
 * Returns the entry in a stored item. Its other members are not checked: the check of the books judges them.
 *
 * @throws UnreadableItem for a newer version, and InvalidItem for an entry without a hash
 */
export function toEntry(item: Item): ChainedEntry {
  requireVersion(item);
  if (typeof item['hash'] !== 'string') throw new InvalidItem(item, 'it has no hash');
  const { pk, sk, v, moment, at = timeOf(moment), ...rest } = item as unknown as StoredEntry;
  return { ...entryOfKey({ pk, sk }), at, ...rest };
}

/** Returns the time in a `moment`. The stored item may have any shape. */
function timeOf(moment: unknown): string {
  return typeof moment === 'string' ? moment.slice(0, moment.indexOf('#')) : '';
}

/** Returns an entry of which perhaps only the key can be read. The check of the books goes on behind it. */
function toAnyEntry(item: Record<string, AttributeValue>): ChainedEntry {
  try {
    return toEntry(fromItem(item));
  } catch {
    return entryOfKey({ pk: item['pk']?.S ?? '', sk: item['sk']?.S ?? '' }) as ChainedEntry;
  }
}

interface StoredEntry {
  readonly pk: string;
  readonly sk: string;
  readonly v?: typeof itemVersion;
  readonly at?: string;
  /** `<at>#<version>`, in place of `at`, in entries that have no `bookedAt`. */
  readonly moment?: string;
  readonly bookedAt?: string;
  readonly changes: Entry['changes'];
  readonly balanceAfter: Balance;
  readonly statusAfter: WalletStatus;
  readonly transactionId?: string;
  readonly hash: string;
}
