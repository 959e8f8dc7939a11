import { noActivity } from '../domain/fraud.ts';
import type { Activity, Signal } from '../domain/fraud.ts';
import { activityKey, countedKey } from './keys.ts';
import { readItems } from './read.ts';
import type { Table } from './table.ts';
import { toItem, write } from './write.ts';
import type { WriteItem } from './write.ts';

/** Most movements that one write counts: DynamoDB takes 100 items, and the counters are one of them. */
export const mostMovementsPerWrite = 99;

/** Longer than a message can wait in a queue and then in the dead letters, 14 days each. */
const countedSeconds = 30 * 86_400;
/** How long a wallet that does not pay anybody is remembered, with the destinations that it knows. */
const activitySeconds = 400 * 86_400;

/** What is remembered of a wallet, and what came of those of some transactions that were counted before. */
export interface KnownActivity {
  readonly activity: Activity;
  /** Counts the writes; 0 when there was none. */
  readonly version: number;
  /** By transaction: the signals that counting it gave. */
  readonly counted: ReadonlyMap<string, readonly Signal[]>;
}

/**
 * Reads what is remembered of a wallet.
 *
 * @param transactionIds at most 99
 */
export async function getActivity(
  table: Table,
  walletId: string,
  transactionIds: readonly string[],
): Promise<KnownActivity> {
  const key = activityKey(walletId);
  const items = await readItems(table, [key, ...transactionIds.map((id) => countedKey(walletId, id))]);
  const found = items.find(({ sk }) => sk === key.sk);
  const counted = items.filter((item) => item !== found);
  return {
    activity: (found?.['activity'] as Activity | undefined) ?? noActivity,
    version: (found?.['version'] as number | undefined) ?? 0,
    counted: new Map(counted.map((item) => [item['transactionId'] as string, item['signals'] as Signal[]])),
  };
}

/**
 * Writes what is remembered of a wallet, with a mark for each transaction that is counted in it: counted once,
 * however often its events are delivered, and its signals kept for who delivers them again.
 *
 * @param counted 1 to 99 transactions with the signals that counting them gave
 * @returns false when somebody else has counted for this wallet since it was read
 */
export async function putActivity(
  table: Table,
  walletId: string,
  next: { activity: Activity; seenVersion: number; counted: ReadonlyMap<string, readonly Signal[]> },
): Promise<boolean> {
  const nowSeconds = Math.floor(table.now() / 1000);
  const { activity, seenVersion, counted } = next;
  const readings = await write<typeof outrun>(table, [
    {
      label: 'activity',
      request: {
        Put: {
          TableName: table.name,
          Item: toItem({
            ...activityKey(walletId),
            activity,
            version: seenVersion + 1,
            ttl: nowSeconds + activitySeconds,
          }),
          ...(seenVersion === 0
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: 'version = :seen',
                ExpressionAttributeValues: toItem({ ':seen': seenVersion }),
              }),
        },
      },
      refused: () => outrun,
    },
    ...[...counted].map(([transactionId, signals]): WriteItem<typeof outrun> => ({
      label: 'counted transaction',
      request: {
        Put: {
          TableName: table.name,
          Item: toItem({
            ...countedKey(walletId, transactionId),
            transactionId,
            signals,
            ttl: nowSeconds + countedSeconds,
          }),
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      refused: () => outrun,
    })),
  ]);
  return readings.length === 0;
}

const outrun = Symbol('somebody else was faster');
