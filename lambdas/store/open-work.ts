import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../contract.ts';
import { forEachOf } from '../aws/parallel.ts';
import type { OpenStatus, Transaction, TransactionType } from '../domain/transaction.ts';
import { subjectOfKey, transactionKey } from './keys.ts';
import { openShards } from './due-keys.ts';
import type { OpenPosition } from './due-keys.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import { legible, parsed } from './unreadable.ts';

/** The selection of a page of open work. Times are ISO 8601 UTC: `from` inclusive, `to` exclusive. */
export interface OpenQuery {
  readonly status: OpenStatus;
  readonly type?: TransactionType | undefined;
  readonly limit: number;
  readonly after?: OpenPosition | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Most partitions of the index that are read at the same time. */
const readsAtATime = 32;
/** A page may have to read past many entries. After this many rounds it is answered short, with a position. */
const mostRounds = 5;
/** The least entries of each of several partitions that are read in a round. */
const leastStretch = 5;

/** An entry of the index, with its place in the order of the list. */
interface Entry extends OpenPosition {
  /** Undefined where the entry cannot be read: it does not hide the others. */
  readonly transaction: Transaction | undefined;
}

/** Entries of one partition, in their order; `readTo`: the last one that was read, absent at the end of the partition. */
interface OpenStretch {
  readonly entries: readonly Entry[];
  readonly readTo?: OpenPosition | undefined;
}

/**
 * Reads a page of the open work of all wallets, by the time when it is due, the latest first. Work of the same time is in the
 * order of its partitions, and in each in that of the index, which nothing else knows. So a position names a partition and
 * its last entry there. Reads each partition that has such work, half a read unit or more.
 */
export async function listOpen(table: Table, query: OpenQuery): Promise<{ items: Transaction[]; next?: OpenPosition }> {
  const shards = openShards(query.status, query.type, table.dueShards);
  const items: Transaction[] = [];
  let after = query.after;
  for (let round = 0; round < mostRounds; round++) {
    const wanted = query.limit - items.length;
    const limit = shards.length === 1 ? wanted : Math.max(leastStretch, Math.ceil((2 * wanted) / shards.length));
    const stretches: OpenStretch[] = [];
    await forEachOf(shards, readsAtATime, async (shard) => {
      stretches.push(await readStretch(table, shard, { ...query, after, limit }));
    });
    const page = mergeOpen(stretches, wanted);
    items.push(...page.items);
    if (page.next === undefined) return { items };
    after = page.next;
    if (items.length === query.limit) break;
  }
  return after === undefined ? { items } : { items, next: after };
}

/**
 * Merges stretches of several partitions into one page. Shows an entry only when every partition was read down to its place:
 * otherwise the page would skip an entry of another partition for ever.
 */
function mergeOpen(
  stretches: readonly OpenStretch[],
  limit: number,
): { items: Transaction[]; next?: OpenPosition | undefined } {
  const frontier = stretches
    .flatMap(({ readTo }) => readTo ?? [])
    .reduce<OpenPosition | undefined>((a, b) => (a === undefined || order(b, a) < 0 ? b : a), undefined);
  const known = stretches
    .flatMap(({ entries }) => entries)
    .filter((entry) => frontier === undefined || order(entry, frontier) <= 0)
    .sort(order);
  const shown = known.slice(0, limit);
  const items = shown.flatMap(({ transaction }) => transaction ?? []);
  const last = shown.at(-1);
  return known.length > limit && last !== undefined ? { items, next: positionIn(last) } : { items, next: frontier };
}

/** Compares places in the list. Entries of one partition and time are equal here, and keep the order of the index. */
function order(a: OpenPosition, b: OpenPosition): number {
  if (a.dueAt !== b.dueAt) return a.dueAt > b.dueAt ? -1 : 1;
  if (a.shard === b.shard) return 0;
  return a.shard > b.shard ? -1 : 1;
}

function positionIn({ dueAt, shard, transactionId }: OpenPosition): OpenPosition {
  return { dueAt, shard, transactionId };
}

async function readStretch(
  table: Table,
  shard: string,
  { status, type, after, from, to, limit }: OpenQuery,
): Promise<OpenStretch> {
  // In the partition of the position the start key is exact. The others have shown all, or nothing, of its time.
  const isShown = after !== undefined && shard > after.shard;
  const filters = [
    '#status = :status',
    ...(type === undefined ? [] : ['#type = :type']),
    ...(from === undefined ? [] : ['historyKey >= :from']),
    ...(to === undefined ? [] : ['historyKey < :to']),
  ];
  const { Items = [], LastEvaluatedKey } = await withRetries(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: indexes.due,
        KeyConditionExpression: `dueShard = :shard${after === undefined ? '' : ` AND dueAt ${isShown ? '<' : '<='} :dueAt`}`,
        FilterExpression: filters.join(' AND '),
        ExpressionAttributeNames: { '#status': 'status', ...(type !== undefined && { '#type': 'type' }) },
        ExpressionAttributeValues: {
          ...{ ':shard': shard, ':status': status, ':type': type, ':from': from, ':to': to },
          ...(after && { ':dueAt': after.dueAt }),
        },
        ScanIndexForward: false,
        ...(after?.shard === shard && {
          ExclusiveStartKey: { ...transactionKey(after.transactionId), dueShard: shard, dueAt: after.dueAt },
        }),
        Limit: limit,
      }),
    ),
  );
  const entries = Items.map((item) => ({
    ...{ shard, dueAt: String(item['dueAt']), transactionId: String(item['transactionId']) },
    transaction: legible(parsed(() => toTransaction(item))),
  }));
  if (LastEvaluatedKey === undefined) return { entries };
  const { pk, sk, dueAt } = LastEvaluatedKey as Readonly<Record<'pk' | 'sk' | 'dueAt', string>>;
  return { entries, readTo: { shard, dueAt, transactionId: subjectOfKey(pk, sk)?.id ?? '' } };
}
