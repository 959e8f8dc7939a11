/** The scheduled payments whose time has come, as a part of the sweeper's run. */
import { forEachOf } from '../aws/parallel.ts';
import { logger } from '../aws/telemetry.ts';
import { listScheduled } from '../store/due.ts';
import type { DueWork, WorkPage } from '../store/due.ts';
import { queuedTypes, scheduleShards } from '../store/keys.ts';
import type { QueuedType } from '../store/keys.ts';
import { attempt, databaseTime, noteOldest, pageSize, readableWork, shardsAtATime } from './sweeper-run.ts';
import type { Run } from './sweeper-run.ts';

/**
 * Queues the scheduled payments whose time has come by the database's clock, without a grace and also behind a backlog:
 * they have no message yet. Queued ones are ordinary open work, whose worker executes them. Their time counts as that of
 * open work, so its alarms see those that cannot be queued.
 *
 * @param queueAll queues work of a type, and returns how much
 * @param endsAt time after which no page is read, epoch ms
 */
export async function queueScheduled(
  run: Run,
  queueAll: (type: QueuedType, work: readonly DueWork[]) => Promise<number>,
  endsAt: number,
): Promise<void> {
  let queued = 0;
  const shards = Array.from({ length: scheduleShards }, (_, shard) => shard);
  await forEachOf(shards, shardsAtATime, async (shard) => {
    let from: WorkPage['next'];
    for (let more = true; more && run.table.now() < endsAt; more = from !== undefined) {
      // A run may take most of a minute, so the time is that of this page.
      const before = new Date(databaseTime(run)).toISOString();
      const page = await attempt(run, () => listScheduled(run.table, shard, { before, limit: pageSize, from }));
      if (page === undefined) return;
      const due = Map.groupBy(readableWork(run, page.work), ({ type }) => type);
      for (const type of queuedTypes) {
        const work = due.get(type) ?? [];
        const openSince = work.map(({ dueAt }) => dueAt);
        noteOldest(run.open[type], openSince);
        queued += await queueAll(type, work);
      }
      from = page.next;
    }
  });
  if (queued > 0) logger.info('scheduled payments queued', { queued });
}
