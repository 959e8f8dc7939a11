/** The progress of a run of the sweeper, and what its parts have in common. */
import type { WorkMessage } from '../contract.ts';
import type { Queue } from '../aws/queue.ts';
import type { DueWork, ListedWork } from '../store/due.ts';
import type { QueuedType } from '../store/due-keys.ts';
import type { Table } from '../store/table.ts';
import { UnreadableItem } from '../store/unreadable.ts';

/** Shards of a type that are swept at the same time. */
export const shardsAtATime = 8;
/** Work of one shard that is read before the next shard's turn. */
export const pageSize = 100;

/** A queue for work, and the number of its messages. */
export interface SweptQueue {
  readonly send: Pick<Queue<WorkMessage>, 'sendAll'>['sendAll'];
  readonly depth: () => Promise<number>;
}

/** The progress of a run. */
export interface Run {
  readonly table: Table;
  /** The run's beginning, epoch ms by the local clock. */
  readonly startedAt: number;
  /** A reading of the database's clock, and the local time then, epoch ms. */
  readonly databaseAt: number;
  readonly readAt: number;
  requeued: number;
  readonly open: Readonly<Record<QueuedType, OpenWork>>;
  /** When the oldest of the expired holds that were open at the run's beginning expired (ISO 8601 UTC). */
  holdExpiredAt: string | undefined;
  /** The time of the earliest scheduled payment that the run found due (ISO 8601 UTC). */
  scheduledAt: string | undefined;
  /** From when on the oldest of the standing orders waited that the run found due (ISO 8601 UTC). */
  orderDueAt: string | undefined;
  readonly failures: unknown[];
}

/** The open work of a type, as far as a run has listed it, without withdrawals in review or in frozen wallets. */
export interface OpenWork {
  count: number;
  /** When the oldest was accepted (ISO 8601 UTC); undefined: none is open. */
  oldestAt: string | undefined;
}

/** Adds a page of open work. */
export function note(open: OpenWork, acceptedAt: readonly (string | undefined)[]): void {
  open.count += acceptedAt.length;
  noteOldest(open, acceptedAt);
}

/** Adds the times of open work that other pages count. */
export function noteOldest(open: OpenWork, openSince: readonly (string | undefined)[]): void {
  for (const at of openSince) open.oldestAt = earlier(open.oldestAt, at);
}

/** Returns the earlier of two times (ISO 8601 UTC), of which each may be absent. */
export function earlier(one: string | undefined, other: string | undefined): string | undefined {
  return one === undefined || (other !== undefined && other < one) ? other : one;
}

/** Does a part of a run, and keeps its failure for the run's end. Returns undefined when the part has failed. */
export async function attempt<T>(run: Run, part: () => Promise<T>): Promise<T | undefined> {
  try {
    return await part();
  } catch (error) {
    run.failures.push(error);
    return undefined;
  }
}

/** Returns the database's time now, epoch ms: its time when it was read, and the time since. */
export function databaseTime({ table, databaseAt, readAt }: Run): number {
  return databaseAt + table.now() - readAt;
}

/** Returns the work that can be read. Keeps the errors of the rest, which stays due. */
export function readableWork(run: Run, listed: readonly ListedWork[]): DueWork[] {
  const work: DueWork[] = [];
  for (const one of listed) {
    if (one instanceof UnreadableItem) run.failures.push(one);
    else work.push(one);
  }
  return work;
}
