import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { defaultDueShards, indexes } from '../contract.ts';
import type { ClockReading } from '../domain/withdrawal.ts';
import { forEachOf } from '../aws/parallel.ts';
import { watchClock } from './database-clock.ts';
import { transactionKey } from './keys.ts';
import { dueShard, dueShardOf, dueTypes, queuedTypes, reviewShard, shardsOf, waitingShard } from './due-keys.ts';
import type { DueKind, DueType } from './due-keys.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, parsed, requireTransactionVersion, UnreadableItem } from './unreadable.ts';
import { writeOne } from './write-one.ts';
import { fromItem, toItem, update } from './write.ts';

/** Open work as the `due` index has it. */
export interface DueWork {
  readonly transactionId: string;
  readonly type: DueType;
  /** Empty where the item does not name it. */
  readonly walletId: string;
  /** ISO 8601 UTC. */
  readonly dueAt: string;
  /** Whether it is a payment that was not executed yet. */
  readonly isScheduled?: boolean;
}

/** Work that was read from the index, or the error of an entry that cannot be read: it does not fail the others. */
export type ListedWork = DueWork | UnreadableItem;

type StoredItem = Record<string, AttributeValue>;

/** A page of open work. `next`: where the next page begins; undefined at the end. */
export interface WorkPage {
  readonly work: readonly ListedWork[];
  readonly next: StoredItem | undefined;
}

/** Bounds of a page: due before `before` (ISO 8601), at most `limit`, from the `next` of the page before. */
export interface PageBounds {
  readonly before: string;
  readonly limit: number;
  readonly from?: StoredItem | undefined;
}

/** A page of work that is due, and the open work that was read with it. */
export interface OpenPage extends WorkPage {
  /**
   * From when on each piece of open work on the page was open (ISO 8601 UTC); undefined where the item does not say. A
   * scheduled payment is open from its execution on, and before it from the time at which it was first queued.
   */
  readonly acceptedAt: readonly (string | undefined)[];
}

/** A page of work whose time has come. */
export interface ExpiredPage extends WorkPage {
  /** The earliest due time on the page (ISO 8601 UTC), also of work that cannot be read; undefined: the page is empty. */
  readonly earliestAt: string | undefined;
}

/**
 * Reads a page of open work of one type and shard (from 0), the earliest due first. Returns the work that was due before
 * `before`, and the time of acceptance of all. `next` is undefined when the rest is not due. A page without due work
 * costs as much as one with: up to `limit` entries of a kilobyte, of which an idle shard has none.
 */
export async function listDue(
  table: Table,
  { type, shard, before, ...page }: PageBounds & { readonly type: DueType; readonly shard: number },
): Promise<OpenPage> {
  const command = shardQuery(table, dueShard(type, shard), page);
  const { Items = [], LastEvaluatedKey: next } = await withRetries(table, () => table.client.send(command));
  // The sort key of the index, which is a text in each entry.
  const due = Items.filter(({ dueAt }) => (dueAt?.S ?? '') < before);
  return {
    work: due.map(toWork),
    acceptedAt: Items.map(
      ({ createdAt, executeAt = createdAt, queuedAt = executeAt, executedAt = queuedAt }) => executedAt?.S,
    ),
    next: due.length < Items.length ? undefined : next,
  };
}

/** Lists the holds of a shard (from 0) that were due before `before`, the earliest first. */
export function listExpired(table: Table, shard: number, bounds: PageBounds): Promise<ExpiredPage> {
  return listWork(table, dueShard('hold', shard), bounds);
}

/** Lists the scheduled payments of a shard (from 0) whose time came before `before`, the earliest first. */
export function listScheduled(table: Table, shard: number, bounds: PageBounds): Promise<ExpiredPage> {
  return listWork(table, dueShard('scheduled', shard), bounds);
}

/** Lists withdrawals whose wait for their wallet ended before `before`, the earliest first. */
export function listWaiting(table: Table, bounds: PageBounds): Promise<WorkPage> {
  return listWork(table, waitingShard, bounds);
}

async function listWork(table: Table, shard: string, bounds: PageBounds): Promise<ExpiredPage> {
  const command = shardQuery(table, shard, bounds);
  const { Items = [], LastEvaluatedKey: next } = await withRetries(table, () => table.client.send(command));
  return { work: Items.map(toWork), next, earliestAt: Items[0]?.['dueAt']?.S };
}

function toWork(stored: StoredItem): ListedWork {
  return parsed(() => {
    const item = fromItem(stored);
    requireTransactionVersion(item);
    const { transactionId, walletId, dueAt } = item;
    const type = dueTypes.find((one) => one === item['type']);
    if (type === undefined) {
      throw new UnreadableItem(item, `work of type "${String(item['type'])}", which this release does not know`);
    }
    if (typeof transactionId !== 'string' || typeof dueAt !== 'string') {
      throw new InvalidItem(item, 'it has no id or time');
    }
    if (transactionKey(transactionId).pk !== item['pk']) throw new InvalidItem(item, `its id is ${transactionId}`);
    const isScheduled = item['status'] === 'scheduled';
    return { transactionId, type, walletId: typeof walletId === 'string' ? walletId : '', dueAt, isScheduled };
  });
}

/** A withdrawal in review, and its time of entering review (ISO 8601 UTC). */
export interface Review {
  readonly transactionId: string;
  readonly since: string;
}

/** Most withdrawals in review that are listed: an operator needs no more at a time. */
export const mostReviews = 100;

/** Lists up to `limit` withdrawals in review, the longest in review first. */
export async function listReviews(table: Table, limit = mostReviews): Promise<Review[]> {
  return toReviews(await readShard(table, reviewShard, limit));
}

/** Does as `listReviews`, and reads the database's clock; `clock` is undefined when the answer has no time. */
export async function listReviewsWithClock(
  table: Table,
): Promise<{ reviews: Review[]; clock: ClockReading | undefined }> {
  const command = shardQuery(table, reviewShard, { limit: mostReviews });
  const clock = watchClock(command, table.now);
  const { Items = [] } = await withRetries(table, () => table.client.send(command));
  return { reviews: toReviews(Items), clock: clock() };
}

/** Returns the reviews of these items. An operator must see each, also one whose other members cannot be read. */
function toReviews(items: readonly StoredItem[]): Review[] {
  return items.map(({ transactionId, dueAt }) => ({ transactionId: transactionId?.S ?? '', since: dueAt?.S ?? '' }));
}

/**
 * Marks overdue work as due at `at` (ISO 8601), so that it is not overdue again while its message is on the way. A
 * worker may claim it at once. Work that waited for its wallet or its time becomes ordinary open work. A scheduled payment
 * keeps the time at which it was first queued, from which on its age counts.
 *
 * @returns false when a worker has moved the work meanwhile; nothing is written then
 * @throws WalletError `busy`
 */
export async function touchDue(table: Table, work: Omit<DueWork, 'walletId'>, at: string): Promise<boolean> {
  const command = update(table, transactionKey(work.transactionId), {
    set: `dueAt = :at, dueShard = :shard${work.isScheduled ? ', queuedAt = if_not_exists(queuedAt, :at)' : ''}`,
    remove: 'waitingFor',
    if: 'dueAt = :seen',
    values: { at, shard: dueShardOf(work.type, work.transactionId, table.dueShards), seen: work.dueAt },
  });
  return (await writeOne(table, new UpdateCommand(command))).written;
}

/** Most partitions of the index that are read at the same time. */
const readsAtATime = 32;

/**
 * Returns the earliest due time (ISO 8601) of all open work of these kinds, by default of that for a worker, with scheduled
 * payments; undefined when nothing is open. Reads one entry of each partition that work is written to, half a read unit
 * each.
 */
export async function earliestDue(
  table: Table,
  kinds: readonly DueKind[] = [...queuedTypes, 'scheduled'],
): Promise<string | undefined> {
  const { dueShards = defaultDueShards } = table;
  const shards = kinds.flatMap((kind) =>
    Array.from({ length: shardsOf(kind, dueShards) }, (_, shard) => dueShard(kind, shard)),
  );
  let earliest: string | undefined;
  await forEachOf(shards, readsAtATime, async (shard) => {
    const [first] = await readShard(table, shard, 1);
    const dueAt = first?.['dueAt']?.S;
    if (dueAt !== undefined && (earliest === undefined || dueAt < earliest)) earliest = dueAt;
  });
  return earliest;
}

/** Reads up to `limit` entries of a partition of the index, the earliest first. */
async function readShard(table: Table, shard: string, limit: number): Promise<StoredItem[]> {
  const command = shardQuery(table, shard, { limit });
  const { Items = [] } = await withRetries(table, () => table.client.send(command));
  return Items;
}

function shardQuery(table: Table, shard: string, { before, limit, from }: Partial<PageBounds>): QueryCommand {
  return new QueryCommand({
    TableName: table.name,
    IndexName: indexes.due,
    KeyConditionExpression: before === undefined ? 'dueShard = :shard' : 'dueShard = :shard AND dueAt < :before',
    ExpressionAttributeValues: toItem({ ':shard': shard, ':before': before }),
    ExclusiveStartKey: from,
    Limit: limit,
  });
}
