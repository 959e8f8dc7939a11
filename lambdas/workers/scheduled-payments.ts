/** The scheduled payments whose time has come, as a part of the sweeper's run. */
import { forEachOf } from '../aws/parallel.ts';
import { logger } from '../aws/telemetry.ts';
import { listScheduled } from '../store/due.ts';
import type { DueWork, ExpiredPage } from '../store/due.ts';
import { queuedTypes, scheduleShards } from '../store/due-keys.ts';
import type { QueuedType } from '../store/due-keys.ts';
import { attempt, databaseTime, earlier, noteOldest, pageSize, readableWork, shardsAtATime } from './sweeper-run.ts';
import type { Run } from './sweeper-run.ts';

/** The queues of scheduled payments. */
export interface ScheduledQueues {
  /** Queues work of a type, and returns how much. */
  readonly queueAll: (type: QueuedType, work: readonly DueWork[]) => Promise<number>;
  /** Reads how many messages the queue of a type has. */
  readonly depth: (type: QueuedType) => Promise<number>;
  /** Messages of a queue from which on it gets no further scheduled payment. */
  readonly mostQueued: number;
}

/**
 * Queues the scheduled payments whose time has come by the database's clock, without a grace: they have no message yet.
 * Queued ones are ordinary open work, whose worker executes them.
 *
 * A run fills a queue to `mostQueued`, so that a crowd of payments leaves room to the commands of others. It reads the shards
 * in turn, a page of each, and each minute begins with another one. The rest waits for later runs, and counts in the time of
 * the oldest one. Those that had room and could not be queued count as open work, whose alarms see them.
 *
 * @param endsAt time after which no page is read, epoch ms
 */
export async function queueScheduled(run: Run, queues: ScheduledQueues, endsAt: number): Promise<void> {
  const { table } = run;
  const rooms = {
    withdrawal: roomOf(run, 'withdrawal', queues),
    transfer: roomOf(run, 'transfer', queues),
  };
  const turn = Math.min(pageSize, Math.ceil(queues.mostQueued / scheduleShards));
  const first = Math.floor(databaseTime(run) / 60_000);
  let pages = Array.from({ length: scheduleShards }, (_, n) => ({
    shard: (first + n) % scheduleShards,
    from: undefined as ExpiredPage['next'],
    limit: turn,
  }));
  let queued = 0;
  while (pages.length > 0 && table.now() < endsAt) {
    // A run may take most of a minute, so the time is that of this round.
    const before = new Date(databaseTime(run)).toISOString();
    const next: typeof pages = [];
    await forEachOf(pages, shardsAtATime, async ({ shard, from, limit }) => {
      const page = await attempt(run, () => listScheduled(table, shard, { before, limit, from }));
      if (page === undefined) return;
      run.scheduledAt = earlier(run.scheduledAt, page.earliestAt);
      const work = readableWork(run, page.work);
      let [sent, tried] = [0, 0];
      for (const type of queuedTypes) {
        const ofType = work.filter((one) => one.type === type);
        const given = ofType.slice(0, ofType.length === 0 ? 0 : await rooms[type].take(ofType.length));
        const sentOfType = await queues.queueAll(type, given);
        if (sentOfType < given.length) noteOldest(run.open[type], [given[0]?.dueAt]);
        sent += sentOfType;
        tried += given.length;
      }
      queued += sent;
      // A page may hold only work that cannot be read, or whose queue is full. Work for the other queue may follow.
      const goesOn = async () => sent > 0 || (tried === 0 && (await hasRoom(rooms)));
      if (page.next !== undefined && (await goesOn())) {
        next.push({ shard, from: page.next, limit: tried === 0 ? pageSize : turn });
      }
    });
    pages = next;
  }
  if (queued > 0) logger.info('scheduled payments queued', { queued });
}

/** The room in a queue. */
interface Room {
  /** Takes room for up to `wanted` messages, and returns for how many. */
  readonly take: (wanted: number) => Promise<number>;
  readonly isLeft: () => Promise<boolean>;
}

/** Returns the room in a queue. Reads its depth once, and only if asked. */
function roomOf(run: Run, type: QueuedType, { depth, mostQueued }: ScheduledQueues): Room {
  let left: number | undefined;
  let reading: Promise<void> | undefined;
  const read = () =>
    (reading ??= attempt(run, () => depth(type)).then((waiting) => {
      left = waiting === undefined ? 0 : Math.max(0, mostQueued - waiting);
    }));
  return {
    async take(wanted) {
      await read();
      const taken = Math.min(wanted, left ?? 0);
      left = (left ?? 0) - taken;
      return taken;
    },
    async isLeft() {
      await read();
      return (left ?? 0) > 0;
    },
  };
}

async function hasRoom(rooms: Readonly<Record<QueuedType, Room>>): Promise<boolean> {
  return (await rooms.withdrawal.isLeft()) || (await rooms.transfer.isLeft());
}
