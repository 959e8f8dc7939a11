import { createHash, randomBytes } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Activity } from '../domain/fraud.ts';
import { forgetMarks, noMemory } from '../domain/screening.ts';
import type { Memory } from '../domain/screening.ts';
import { bytesOf, marksWithin, memoryIn, nameBytes, saltBytes } from './activity-bytes.ts';
import type { SaltedMemory } from './activity-bytes.ts';
import { activityKey } from './keys.ts';
import { readParsed } from './read.ts';
import type { Table } from './table.ts';
import { readable } from './unreadable.ts';
import { writeOne } from './write-one.ts';
import type { Item } from './write.ts';

/** How long the item of a wallet that pays nothing is kept, with its known destinations. */
const activitySeconds = 400 * 86_400;
/** With its keys, the item of an ordinary wallet stays below 1 KB, so that a write of it costs one unit. */
const ordinaryBytes = 900;
/** The same for a busy wallet: 4 KB and four units. */
const busyBytes = 3_900;
/** Most items of one batch read. */
const mostKeys = 100;

/** The stored memory of a wallet as it was read. */
export interface KnownActivity extends SaltedMemory {
  /** Counts the writes; 0 when there was none. */
  readonly version: number;
}

/**
 * Reads the memories of wallets, 100 in a call.
 *
 * @returns a function of a wallet's id that returns its memory; throws for a wallet whose item cannot be read, and only
 * for that one
 */
export async function getActivities(
  table: Table,
  walletIds: readonly string[],
): Promise<(walletId: string) => KnownActivity> {
  const parts = Array.from({ length: Math.ceil(walletIds.length / mostKeys) }, (_, part) =>
    walletIds.slice(part * mostKeys, (part + 1) * mostKeys),
  );
  const read = parts.map((ids) => readParsed(table, ids, activityKey, (item) => item));
  const found = new Map((await Promise.all(read)).flatMap((part) => [...part]));
  return (walletId) => toKnown(readable(found.get(walletId)));
}

/**
 * Writes the memory of a wallet. The marks are part of it, so a movement is counted and marked in one write.
 *
 * @param seen the memory that was read before; the write depends on its version
 * @returns false when another worker has counted for this wallet since, or an earlier try of this write has arrived
 */
export async function putActivity(
  table: Table,
  walletId: string,
  seen: KnownActivity,
  memory: Memory,
): Promise<boolean> {
  const { salt, version } = seen;
  const withoutMarks = bytesOf({ salt, memory: { ...memory, marks: [] } }).length;
  const within = (bytes: number) => marksWithin(memory.marks, bytes - withoutMarks);
  const bounded = forgetMarks(memory, within(ordinaryBytes), within(busyBytes));
  const command = new PutCommand({
    TableName: table.name,
    Item: {
      ...activityKey(walletId),
      memory: bytesOf({ salt, memory: bounded }),
      version: version + 1,
      ttl: Math.floor(table.now() / 1000) + activitySeconds,
    },
    ...(version === 0
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : { ConditionExpression: 'version = :seen', ExpressionAttributeValues: { ':seen': version } }),
  });
  return (await writeOne(table, command)).written;
}

/**
 * Returns a function that shortens ids of transactions and destinations. The salt is secret and the wallet's own. So no
 * caller can choose two keys whose transactions have the same name, of which the second would not be counted.
 */
export function shortNames(salt: Uint8Array): (id: string) => string {
  return (id) => createHash('sha256').update(salt).update(id).digest().subarray(0, nameBytes).toString('base64url');
}

function toKnown(item: Item | undefined): KnownActivity {
  const version = (item?.['version'] as number | undefined) ?? 0;
  const bytes = item?.['memory'] as Uint8Array | undefined;
  if (bytes !== undefined) return { version, ...memoryIn(bytes) };
  const salt = randomBytes(saltBytes);
  const earlier = item?.['activity'] as Activity | undefined;
  return { version, salt, memory: earlier === undefined ? noMemory : fromEarlier(earlier, shortNames(salt)) };
}

/**
 * Returns the memory of an item that an earlier release wrote, with its marks in items of their own. These are not
 * read. Instead, every movement up to the time of the latest counted one counts as known.
 */
function fromEarlier(activity: Activity, nameOf: (id: string) => string): Memory {
  // The buckets of both directions span a minute.
  const latestMs = [...activity.outRecent, ...activity.inRecent].map(([start]) => (start + 60) * 1000 - 1);
  return {
    ...noMemory,
    activity: { ...activity, destinations: activity.destinations.map(nameOf) },
    forgottenUntilMs: Math.max(0, ...latestMs),
  };
}
