import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { WalletError } from '../domain/errors.ts';
import { endOfWindow, fullUntil, secondsUntil, stepAt, windowsOver } from '../domain/rate.ts';
import { rateWindowKey } from './keys.ts';
import { readItems } from './read.ts';
import type { Table } from './table.ts';
import { denied, update } from './write.ts';
import type { Item, Reads, WriteItem } from './write.ts';

/** The allowance of one end user for one kind of command. */
export interface RateLimit {
  readonly principal: string;
  readonly operation: string;
  /** Accepted commands in an hour, wherever it begins. */
  readonly perHour: number;
  /** Commands that this one counts as; one when it is absent. At most `perHour`. */
  readonly count?: number;
  /** Whether plain reads decide before the write is tried: the caller's last command was refused or a repetition. */
  readonly readFirst?: boolean;
}

/** Steps for which a window is kept after its last one, so that a slow clock still finds it. */
const graceSteps = 1;
/** Each write removes the windows of a whole day. An item that is idle for longer has met its time to live. */
const removedSteps = 72;

interface Expressions {
  readonly step: number;
  readonly set: string;
  readonly if: string;
  readonly remove: string;
}

let latest: Expressions | undefined;

/** Returns the expressions of a step; they are the same for all commands of its 20 minutes. */
function expressionsAt(step: number): Expressions {
  if (latest?.step === step) return latest;
  const windows = windowsOver(step);
  const [oldest = step] = windows;
  const ended = Array.from({ length: removedSteps }, (_, n) => oldest - graceSteps - 1 - n);
  latest = {
    step,
    set: windows.map((window) => `${nameOf(window)} = if_not_exists(${nameOf(window)}, :none) + :count`).join(', '),
    if: windows.map((window) => `(attribute_not_exists(${nameOf(window)}) OR ${nameOf(window)} < :full)`).join(' AND '),
    remove: ended.map(nameOf).join(', '),
  };
  return latest;
}

/** Counts an accepted command of the caller; refused as `rate_limited` while a window that covers it has no room. */
function countInRateWindow(table: Table, limit: RateLimit, at: string): WriteItem {
  const time = Date.parse(at);
  const step = stepAt(time);
  const { set, remove, if: hasRoom } = expressionsAt(step);
  const { count = 1, perHour } = limit;
  const full = perHour - count + 1;
  return {
    label: 'rate window',
    request: {
      Update: update(table, rateWindowKey(limit.principal, limit.operation), {
        set: `${set}, #ttl = :ttl`,
        remove,
        if: hasRoom,
        values: { none: 0, count, full, ttl: timeToLive(step) },
      }),
    },
    refused: (image) => {
      const until = fullUntil((window) => countOf(image, window), full, time);
      if (until === undefined) return undefined;
      return denied(new WalletError('rate_limited', { limit: perHour, retryAfterSeconds: secondsUntil(until, time) }));
    },
  };
}

/** Returns the parts that a limit adds to the write of a command. None for operators, who have no limit. */
export function limitedBy(
  table: Table,
  rate: RateLimit | undefined,
  at: string,
): { items: readonly WriteItem[]; reads?: Reads } {
  if (rate === undefined) return { items: [] };
  return { items: [countInRateWindow(table, rate, at)], reads: { first: rate.readFirst ?? false, readItems } };
}

/** Kinds of requests that move no money, each with windows of its own. */
export type CountedKind = 'reads' | 'cancellations' | 'refusals' | 'lookups';

/**
 * Adds requests that moved no money to the caller's windows, in one write of one write unit, tried once. Rejects with
 * the SDK's error.
 *
 * @param counted the caller and the kind of the windows
 * @param counts number of requests to add to each window; windows that cover the step of `time` (epoch ms)
 * @returns the counts of these windows now
 */
export async function addToWindows(
  table: Table,
  counted: { readonly principal: string; readonly kind: CountedKind },
  counts: ReadonlyMap<number, number>,
  time: number,
): Promise<Map<number, number>> {
  const windows = [...counts.keys()];
  const step = stepAt(time);
  const { Attributes } = await table.client.send(
    new UpdateCommand({
      TableName: table.name,
      Key: rateWindowKey(counted.principal, counted.kind),
      UpdateExpression:
        `ADD ${windows.map((window) => `${nameOf(window)} :${nameOf(window)}`).join(', ')} ` +
        `SET #ttl = :ttl REMOVE ${expressionsAt(step).remove}`,
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ...Object.fromEntries([...counts].map(([window, count]) => [`:${nameOf(window)}`, count])),
        ':ttl': timeToLive(step),
      },
      ReturnValues: 'UPDATED_NEW',
    }),
  );
  return new Map(windows.map((window) => [window, countOf(Attributes, window)]));
}

function nameOf(window: number): string {
  return `w${window}`;
}

function countOf(image: Item | undefined, window: number): number {
  return Number(image?.[nameOf(window)] ?? 0);
}

/** Returns when an item that was last written in this step may be deleted: epoch seconds. */
function timeToLive(step: number): number {
  return endOfWindow(step + graceSteps) / 1000;
}
