import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type { QueryCommandInput, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Booking } from '../domain/bookings.ts';
import { isWalletAccount, net } from '../domain/postings.ts';
import { bookedKey, fingerprintOf, totalKey, totalPartition } from './keys.ts';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { toItem, write } from './write.ts';
import type { WriteItem } from './write.ts';

/** What a transaction has booked anew: its first `count` postings are booked after it. */
export interface CountedBooking extends Booking {
  readonly transactionId: string;
  readonly count: number;
}

/** Most items that one write takes. */
const mostItems = 100;
/** How long a booking is remembered as counted: the stream repeats nothing that is older than a day. */
const memoryMs = 7 * 24 * 3_600_000;

/**
 * Adds bookings to the totals of the accounts outside of wallets, each once however often it is told: what says that
 * it is counted is in the same write. One write takes about 95 bookings and 2 write units for each, and 2 for each
 * account and hour.
 *
 * @returns bookings that are not added: their transaction was counted with another content
 */
export async function addToTotals(entries: Table, bookings: readonly CountedBooking[]): Promise<CountedBooking[]> {
  const contradicted: CountedBooking[] = [];
  let open = bookings.filter(({ postings }) => postings.some(({ account }) => !isWalletAccount(account)));
  while (open.length > 0) {
    const group = groupOf(open);
    const known = await write(entries, itemsOf(entries, group));
    const counted = new Set(known.map(({ booking }) => booking));
    if (counted.size === 0) open = open.slice(group.length);
    else open = open.filter((booking) => !counted.has(booking));
    contradicted.push(...known.filter(({ isSame }) => !isSame).map(({ booking }) => booking));
  }
  return contradicted;
}

/** As many of the first bookings as one write takes with the totals that they change. */
function groupOf(bookings: readonly CountedBooking[]): CountedBooking[] {
  const group: CountedBooking[] = [];
  const totals = new Set<string>();
  const seen = new Set<string>();
  for (const booking of bookings) {
    const id = `${booking.transactionId} ${booking.count}`;
    for (const { account } of outside(booking)) totals.add(`${account} ${hourOf(booking.at)}`);
    // A write takes no item twice: what a batch repeats goes into the next one, and is known there.
    if (group.length + 1 + totals.size > mostItems || seen.has(id)) break;
    seen.add(id);
    group.push(booking);
  }
  return group;
}

/** A booking that was counted before: the same, or another one of its transaction. */
interface Known {
  readonly booking: CountedBooking;
  readonly isSame: boolean;
}

function itemsOf(entries: Table, group: readonly CountedBooking[]): WriteItem<Known>[] {
  const forget = Math.ceil((entries.now() + memoryMs) / 1000);
  const counted = group.map((booking): WriteItem<Known> => {
    const content = fingerprintOf([booking.at, booking.postings]);
    return {
      label: `booking ${booking.transactionId}`,
      request: {
        Put: {
          TableName: entries.name,
          Item: toItem({ ...bookedKey(booking.transactionId, booking.count), content, ttl: forget }),
          ConditionExpression: 'attribute_not_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
      },
      refused: (image) => ({ booking, isSame: image?.['content'] === undefined || image['content'] === content }),
    };
  });
  const hours = Map.groupBy(group, ({ at }) => hourOf(at));
  const totals = [...hours].flatMap(([hour, bookings]) =>
    [...net(bookings.flatMap(outside))].map(([account, amount]): WriteItem<never> => ({
      label: `total of ${account}`,
      request: { Update: addition(entries, totalKey(account, hour), amount) },
      refused: () => undefined,
    })),
  );
  return [...counted, ...totals];
}

function addition(entries: Table, key: object, amount: bigint): NonNullable<TransactWriteItem['Update']> {
  return {
    TableName: entries.name,
    Key: toItem(key),
    UpdateExpression: 'ADD booked :amount',
    ExpressionAttributeValues: { ':amount': { N: String(amount) } },
  };
}

/**
 * What is booked on an account in all hours before `before` (ISO 8601; undefined: until now), exact. Reads one small
 * item for each hour in which something was booked, about 80 in a read unit.
 */
export async function totalOf(entries: Table, account: string, before: string | undefined): Promise<bigint> {
  let total = 0n;
  const input: QueryCommandInput = {
    TableName: entries.name,
    KeyConditionExpression: 'pk = :account AND sk < :hour',
    ExpressionAttributeValues: toItem({
      ':account': totalPartition(account),
      // Behind every hour.
      ':hour': before === undefined ? '~' : hourOf(before),
    }),
    ConsistentRead: true,
  };
  for (let start: QueryCommandInput['ExclusiveStartKey'], more = true; more; more = start !== undefined) {
    const { Items = [], LastEvaluatedKey } = await persist(entries, () =>
      entries.client.send(new QueryCommand({ ...input, ExclusiveStartKey: start })),
    );
    for (const item of Items) total += BigInt(item['booked']?.N ?? '0');
    start = LastEvaluatedKey;
  }
  return total;
}

function outside({ postings }: Booking) {
  return postings.filter(({ account }) => !isWalletAccount(account));
}

function hourOf(at: string): string {
  return at.slice(0, 'yyyy-mm-ddThh'.length);
}
