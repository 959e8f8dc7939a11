import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type { QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { groupOf, hasWholeBookings, newBooking, positionOfCount } from '../domain/bookings.ts';
import { hourMs, hourOf, hourOfMs, startOf } from '../domain/hours.ts';
import { fingerprintOf } from '../domain/ids.ts';
import { isSum } from '../domain/money.ts';
import { walletOfAccount } from '../domain/postings.ts';
import { journalKey, journalPartitions, subjectOfKey } from './keys.ts';
import { changeOf } from './stream.ts';
import type { Change } from './stream.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { itemVersion, requireVersion, UnreadableItem } from './unreadable.ts';
import { fromItem, toItem } from './write.ts';
import type { Item } from './write.ts';

/**
 * The journal of changes, by hour: the versions of wallets and the bookings that the stream has delivered. The check of
 * closed hours reads it in place of the tables.
 */

/** A change as the journal lists it. */
export interface ListedChange {
  /** When it was booked, ISO 8601; anything else where the record cannot be read. */
  readonly at: unknown;
  /** The wallet under which it is listed; empty for a transaction that cannot be read. */
  readonly walletId: string;
  readonly version?: number;
  readonly booking?: ListedBooking;
}

/** A change of a transaction. It has `count` postings after the booking; 0: nothing was booked. */
export interface ListedBooking {
  readonly transactionId: string;
  readonly count: number;
}

/** The part of one item of the journal that belongs to one wallet. */
export interface JournalLine {
  readonly walletId: string;
  readonly versions: readonly number[];
  readonly bookings: readonly ListedBooking[];
}

/**
 * How long before and after an hour a change is still listed in it, ms. The journal lists later changes in the hour in
 * which it writes them, so a checked hour gets no more. The check begins later than this after the hour.
 */
const journalSlackMs = 300_000;
/** How far in the future the hour of a change may be, ms. A later one is listed only now. */
const mostAheadMs = 24 * hourMs;
/** How long an item is kept, ms. The check reads it within hours, or within days after it has stood still. */
export const journalMs = 30 * 24 * hourMs;

/** A record of the stream, as the projector reads it. */
export interface ListedRecord {
  /** Undefined for items that are neither wallet nor transaction, and where there is an error. */
  readonly change?: Change | undefined;
  /** How the journal lists the record: under more than one wallet where its booking shares an entry. */
  readonly listed?: readonly ListedChange[];
  /** No later delivery to this release would succeed. */
  readonly error?: UnreadableItem;
}

/** Reads a record of the stream. Images may have any shape. */
export function readListed(record: DynamoDBRecord): ListedRecord {
  let change: Change | undefined;
  try {
    change = changeOf(record);
  } catch (cause) {
    const problem = 'the image is none of a wallet or transaction';
    const error = cause instanceof UnreadableItem ? cause : new UnreadableItem(keyOf(record), problem, { cause });
    return { listed: listedChange(record, undefined), error };
  }
  if (change === undefined || !isOfBooks(change)) return {};
  if (canBeProjected(change)) return { change, listed: listedChange(record, change) };
  const hasVersion = change.kind === 'wallet' && Number.isSafeInteger(change.after.version);
  return {
    listed: listedChange(record, hasVersion ? change : undefined),
    error: new UnreadableItem(keyOf(record), `the image of the ${change.kind} has members of another type`),
  };
}

function keyOf(record: DynamoDBRecord): Record<'pk' | 'sk', string> {
  const { pk, sk } = record.dynamodb?.Keys ?? {};
  return { pk: pk?.S ?? '', sk: sk?.S ?? '' };
}

/** A change of an item that the books are made of. */
type BooksChange = Extract<Change, { kind: 'wallet' | 'transaction' }>;

function isOfBooks(change: Change): change is BooksChange {
  return change.kind === 'wallet' || change.kind === 'transaction';
}

/** Returns whether the images have the members that entries and totals are made of. */
function canBeProjected(change: BooksChange): boolean {
  if (change.kind === 'transaction') return hasWholeBookings(change.after);
  return [change.before ?? change.after, change.after].every(
    ({ version, available, held, updatedAt }) =>
      Number.isSafeInteger(version) && isSum(available) && isSum(held) && typeof updatedAt === 'string',
  );
}

/**
 * Returns how the journal lists the change in a record; not at all for items that are neither wallet nor transaction. A
 * booking is listed under its first wallet, and under each one whose entry it shares: the entry is the sum of them all.
 *
 * @param change the change that the record was read as; undefined when it could not be read
 */
function listedChange(record: DynamoDBRecord, change: Change | undefined): ListedChange[] {
  const { pk, sk } = keyOf(record);
  const subject = subjectOfKey(pk, sk);
  if (subject === undefined) return [];
  if (subject.kind === 'wallet') {
    const { updatedAt: at, version } = change?.kind === 'wallet' ? change.after : {};
    return [{ at, walletId: subject.id, ...(version !== undefined && { version }) }];
  }
  const transactionId = subject.id;
  if (change?.kind !== 'transaction') return [{ at: undefined, walletId: '', booking: { transactionId, count: 0 } }];
  const { before, after } = change;
  const booking = newBooking(before, after);
  const { at = after.updatedAt, count = 0, postings = [] } = booking ?? {};
  const [first = after.walletId, ...others] = new Set(
    postings.flatMap(({ account }) => walletOfAccount(account) ?? []),
  );
  const position = positionOfCount(after, count);
  const sharing = others.filter((walletId) => groupOf(after, position, walletId) !== undefined);
  return [first, ...sharing].map((walletId) => ({ at, walletId, booking: { transactionId, count } }));
}

/**
 * Lists changes in the journal: one item for each hour in which they were booked. One write unit covers a kilobyte,
 * which is some 30 changes. The same changes make the same item, so a repetition is harmless. Other cuts of them
 * overlap.
 */
export async function putJournal(entries: Table, changes: readonly ListedChange[]): Promise<void> {
  const now = entries.now();
  const hours = Map.groupBy(changes, ({ at }) => bookedHour(at, now));
  await Promise.all(
    [...hours].flatMap(([booked, listed]) => {
      const text = textOf(listed);
      const lines = deflateRawSync(text);
      return filedHours(booked, now).map((hour) => {
        const item = {
          ...journalKey(hour, fingerprintOf([booked, text])),
          ...{ v: itemVersion, booked, lines, ttl: Math.ceil((now + journalMs) / 1000) },
        };
        return withRetries(entries, () => entries.client.send(new PutCommand({ TableName: entries.name, Item: item })));
      });
    }),
  );
}

/** Returns the hour of a booking. A booking without a readable time counts as booked now. */
function bookedHour(at: unknown, now: number): string {
  const hour = typeof at === 'string' ? hourOf(at) : '';
  return Number.isNaN(startOf(hour)) ? hourOfMs(now) : hour;
}

/**
 * Returns the hours in whose partitions a change is listed. A booking of a clock that is ahead is listed twice: now,
 * and in its hour, whose sums need it.
 */
function filedHours(booked: string, now: number): string[] {
  const start = startOf(booked);
  const isOpen = now >= start - journalSlackMs && now < start + hourMs + journalSlackMs;
  if (isOpen) return [booked];
  return start > now && start < now + mostAheadMs ? [hourOfMs(now), booked] : [hourOfMs(now)];
}

/** Returns the changes as JSON: of each wallet its id, its versions, and its bookings as `<transactionId>:<count>`. */
function textOf(changes: readonly ListedChange[]): string {
  const wallets = Map.groupBy(changes, ({ walletId }) => walletId);
  return JSON.stringify(
    [...wallets].map(([walletId, listed]) => [
      walletId,
      listed.flatMap(({ version }) => version ?? []),
      ...listed.flatMap(({ booking }) => (booking ? `${booking.transactionId}:${booking.count}` : [])),
    ]),
  );
}

/** Returns the changes that an item of the journal lists. */
export function journalLinesOf({ lines }: Item): JournalLine[] {
  const text = inflateRawSync(lines as Uint8Array).toString();
  return (JSON.parse(text) as [string, number[], ...string[]][]).map(([walletId, versions, ...bookings]) => ({
    walletId,
    versions,
    bookings: bookings.map((booking) => {
      const [transactionId = '', count = ''] = booking.split(':');
      return { transactionId, count: Number(count) };
    }),
  }));
}

/** Reads an item of the journal; undefined when it cannot be read. */
function toJournalItem(stored: Parameters<typeof fromItem>[0]): { booked: string; lines: JournalLine[] } | undefined {
  try {
    const item = fromItem(stored);
    requireVersion(item);
    const { booked } = item;
    if (typeof booked !== 'string' || Number.isNaN(startOf(booked))) return undefined;
    return { booked, lines: journalLinesOf(item) };
  } catch {
    return undefined;
  }
}

/** A page of the journal, with its read units. */
export interface JournalPage {
  readonly lines: readonly JournalLine[];
  /** The hours in which these lines were booked. */
  readonly booked: readonly string[];
  /** Sort keys of the items that cannot be read. */
  readonly unreadable: readonly string[];
  readonly readUnits: number;
}

/**
 * Reads the changes that are listed in an hour, a page of up to 1 MB at a time. Takes half a read unit for 4 KB, and
 * for each of 32 partitions.
 *
 * @param booked limits the pages to changes that were booked in this hour
 */
export async function* readJournal(entries: Table, hour: string, booked?: string): AsyncGenerator<JournalPage> {
  for (const partition of journalPartitions(hour)) {
    const input: QueryCommandInput = {
      TableName: entries.name,
      KeyConditionExpression: 'pk = :partition',
      ...(booked !== undefined && { FilterExpression: 'booked = :booked' }),
      ExpressionAttributeValues: toItem({
        ':partition': partition,
        ...(booked !== undefined && { ':booked': booked }),
      }),
      ReturnConsumedCapacity: 'TOTAL',
    };
    for (let start: QueryCommandInput['ExclusiveStartKey'], more = true; more; more = start !== undefined) {
      const {
        Items = [],
        LastEvaluatedKey,
        ConsumedCapacity,
      } = await withRetries(entries, () =>
        entries.client.send(new QueryCommand({ ...input, ExclusiveStartKey: start })),
      );
      const items = Items.map((item) => toJournalItem(item) ?? { unreadable: item['sk']?.S ?? '' });
      const read = items.filter((item) => 'lines' in item);
      yield {
        lines: read.flatMap(({ lines }) => lines),
        booked: [...new Set(read.map(({ booked: hour }) => hour))],
        unreadable: items.flatMap((item) => ('unreadable' in item ? item.unreadable : [])),
        readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
      };
      start = LastEvaluatedKey;
    }
  }
}
