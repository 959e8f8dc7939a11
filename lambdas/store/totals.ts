import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue, QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { Booking } from '../domain/bookings.ts';
import { hourAfter, hourOf } from '../domain/hours.ts';
import { fingerprintOf } from '../domain/ids.ts';
import { isWalletAccount, net } from '../domain/postings.ts';
import { forEachOf } from '../aws/parallel.ts';
import { bookedKey, totalKey, totalPartitions } from './keys.ts';
import { readMany } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { changed, toItem, write } from './write.ts';
import type { Item, WriteItem, WriteRequest } from './write.ts';

/** A booking that a change of a transaction added. The transaction has `count` postings after it. */
export interface CountedBooking extends Booking {
  readonly transactionId: string;
  readonly count: number;
}

/** Most items that one write takes. */
const mostItems = 100;
/** Parts of a total that are read at the same time. */
const readsAtATime = 32;
/** How long a booking is stored as counted, ms. The stream repeats no record that is older than a day. */
const memoryMs = 7 * 24 * 3_600_000;

/**
 * Adds bookings to the totals of the accounts outside of wallets. A booking that is repeated is not added again: the
 * same write stores an item for it.
 *
 * One write holds about 95 bookings. It takes 2 write units for each booking, and 2 for each account and hour. It adds
 * to the part of each total that its first booking names, so that writes seldom meet. A repeated batch may be cut
 * differently and add to another part: the item of each booking prevents a second addition.
 *
 * @returns bookings that are not added: their transaction was counted with another content
 */
export async function addToTotals(entries: Table, bookings: readonly CountedBooking[]): Promise<CountedBooking[]> {
  const contradicted: CountedBooking[] = [];
  let open = bookings.filter(({ postings }) => postings.some(({ account }) => !isWalletAccount(account)));
  for (let [first, ...others] = open; first !== undefined; [first, ...others] = open) {
    const group = groupOf(first, others);
    const result = await write(entries, itemsOf(entries, group));
    if (result.written) {
      open = open.slice(group.length);
      continue;
    }
    // The bookings are the write's first items, in their order.
    const counted = result.refusals.flatMap((refusal) => {
      const booking = group[refusal.item];
      return refusal.kind === 'changed' && booking ? [{ booking, content: refusal.image?.['content'] }] : [];
    });
    open = open.filter((booking) => !counted.some((known) => known.booking === booking));
    for (const { booking, content } of counted) {
      if (content !== undefined && content !== contentOf(booking)) contradicted.push(booking);
    }
  }
  return contradicted;
}

function contentOf({ at, postings }: CountedBooking): string {
  return fingerprintOf([at, postings]);
}

/** Returns the record that the totals have counted a booking. */
export function countedItem(booking: CountedBooking, now: number): Item {
  const ttl = Math.ceil((now + memoryMs) / 1000);
  return { ...bookedKey(booking.transactionId, booking.count), content: contentOf(booking), ttl };
}

/** Returns the first bookings that fit into one write, together with the totals that they change. */
function groupOf(first: CountedBooking, others: readonly CountedBooking[]): [CountedBooking, ...CountedBooking[]] {
  const group: [CountedBooking, ...CountedBooking[]] = [first];
  const totals = new Set(totalsOf(first));
  const seen = new Set([nameOf(first)]);
  for (const booking of others) {
    for (const total of totalsOf(booking)) totals.add(total);
    // A write must not name an item twice. A repeated booking goes into the next write, which finds it counted.
    if (group.length + 1 + totals.size > mostItems || seen.has(nameOf(booking))) break;
    seen.add(nameOf(booking));
    group.push(booking);
  }
  return group;
}

function nameOf({ transactionId, count }: CountedBooking): string {
  return `${transactionId} ${count}`;
}

function totalsOf(booking: CountedBooking): string[] {
  return outside(booking).map(({ account }) => `${account} ${hourOf(booking.at)}`);
}

function itemsOf(entries: Table, group: readonly [CountedBooking, ...CountedBooking[]]): WriteItem[] {
  const [first] = group;
  const counted = group.map((booking): WriteItem => ({
    label: `booking ${booking.transactionId}`,
    request: {
      Put: {
        TableName: entries.name,
        Item: countedItem(booking, entries.now()),
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused: changed,
  }));
  const hours = Map.groupBy(group, ({ at }) => hourOf(at));
  const totals = [...hours].flatMap(([hour, bookings]) =>
    [...net(bookings.flatMap(outside))].map(([account, amount]): WriteItem => ({
      label: `total of ${account}`,
      request: { Update: addition(entries, totalKey(account, hour, first.transactionId), amount) },
      refused: () => undefined,
    })),
  );
  return [...counted, ...totals];
}

function addition(entries: Table, key: Item, amount: bigint): NonNullable<WriteRequest['Update']> {
  return {
    TableName: entries.name,
    Key: key,
    UpdateExpression: 'ADD booked :amount',
    ExpressionAttributeValues: { ':amount': amount },
  };
}

/** A sum of parts; undefined where a stored part is no whole number. */
export type Total = bigint | undefined;

/**
 * Returns the exact sum of an account's bookings in all hours before `before` (ISO 8601; undefined: until now). Reads
 * 129 parts of the total side by side, a read unit each. A read unit covers about 80 hours.
 */
export async function totalOf(entries: Table, account: string, before: string | undefined): Promise<Total> {
  let total: Total = 0n;
  await forEachOf(totalPartitions(account), readsAtATime, async (partition) => {
    const part = await sumOf(entries, partition, before);
    total = plus(total, part);
  });
  return total;
}

/** Returns the exact sum of an account's bookings in one hour (`yyyy-mm-ddThh`): 129 read units in two calls. */
export async function totalOfHour(
  entries: Table,
  account: string,
  hour: string,
): Promise<{ total: Total; readUnits: number }> {
  const keys = totalPartitions(account).map((pk) => ({ pk, sk: hour }));
  const { items, readUnits } = await readMany(entries, keys, true, ({ booked }) => [partOf(booked)]);
  return { total: items.reduce(plus, 0n), readUnits };
}

function partOf(booked: AttributeValue | undefined): Total {
  return booked?.N !== undefined && /^-?\d+$/.test(booked.N) ? BigInt(booked.N) : undefined;
}

function plus(one: Total, other: Total): Total {
  return one === undefined || other === undefined ? undefined : one + other;
}

/**
 * Returns the sums of an account's bookings by hour, of the hours from `first` to `last` (`yyyy-mm-ddThh`), both included. The
 * reads are eventually consistent. So of an account that is only added to, no sum is too large. They take half a read unit
 * for each of 129 parts and 80 hours.
 *
 * @throws Error where a stored part is no whole number
 */
export async function totalsByHour(entries: Table, account: string, hours: Range): Promise<Map<string, bigint>> {
  const sums = new Map<string, bigint>();
  await forEachOf(totalPartitions(account), readsAtATime, (partition) =>
    eachPart(entries, { partition, hours, consistent: false }, (hour, part) => {
      if (part === undefined) throw new Error(`a part of the total of ${account} is no whole number`);
      sums.set(hour, (sums.get(hour) ?? 0n) + part);
    }),
  );
  return sums;
}

async function sumOf(entries: Table, partition: string, before: string | undefined): Promise<Total> {
  let total: Total = 0n;
  const hours = { first: beforeAll, last: before === undefined ? afterAll : hourAfter(hourOf(before), -1) };
  await eachPart(entries, { partition, hours, consistent: true }, (_hour, part) => {
    total = plus(total, part);
  });
  return total;
}

/** Hours, both included. */
interface Range {
  readonly first: string;
  readonly last: string;
}

/** Texts before and behind every hour. */
export const beforeAll = '0';
const afterAll = '~';

/** Reads the parts of a total in a partition, hour by hour. */
async function eachPart(
  entries: Table,
  { partition, hours, consistent }: { readonly partition: string; readonly hours: Range; readonly consistent: boolean },
  take: (hour: string, part: Total) => void,
): Promise<void> {
  const input: QueryCommandInput = {
    TableName: entries.name,
    KeyConditionExpression: 'pk = :partition AND sk BETWEEN :first AND :last',
    ExpressionAttributeValues: toItem({ ':partition': partition, ':first': hours.first, ':last': hours.last }),
    ConsistentRead: consistent,
  };
  for (let start: QueryCommandInput['ExclusiveStartKey'], more = true; more; more = start !== undefined) {
    const { Items = [], LastEvaluatedKey } = await withRetries(entries, () =>
      entries.client.send(new QueryCommand({ ...input, ExclusiveStartKey: start })),
    );
    for (const { sk, booked } of Items) take(sk?.S ?? '', partOf(booked));
    start = LastEvaluatedKey;
  }
}

function outside({ postings }: Booking) {
  return postings.filter(({ account }) => !isWalletAccount(account));
}
