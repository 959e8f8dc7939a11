/** The end of the holds that have expired, as a part of the sweeper's run. */
import { forEachOf } from '../aws/parallel.ts';
import { logger } from '../aws/telemetry.ts';
import { WalletError } from '../domain/errors.ts';
import { listExpired } from '../store/due.ts';
import type { DueWork, WorkPage } from '../store/due.ts';
import { expireHold } from '../store/holds.ts';
import { holdShards } from '../store/due-keys.ts';
import { attempt, databaseTime, earlier, pageSize, readableWork, shardsAtATime } from './sweeper-run.ts';
import type { Run } from './sweeper-run.ts';

/** Wallets whose holds end at the same time, and the most holds of one wallet that end in a round. */
const walletsAtATime = 32;
const mostOfWallet = 100;
/** While this many holds are listed and have not ended, no further page is read. */
const mostListed = 20_000;

/** The holds that a run has listed and not tried to end yet. */
interface Listed {
  /** By wallet, the earliest expiry first. */
  readonly ofWallets: Map<string, DueWork[]>;
  /** Wallets with a write that was not made in its time: further ones would take the time of other wallets. */
  readonly busy: Set<string>;
  /** Shards with a further page, and its place. */
  readonly pages: Map<number, WorkPage['next']>;
}

/**
 * Ends the holds whose time is over by the database's clock, in rounds: reads a page of each shard, and ends some holds of
 * each wallet. The holds of one wallet end one after the other, as their writes would refuse each other. So a wallet
 * with many leaves time to the others in each round, and its rest ends in later rounds.
 *
 * A hold that cannot be ended leaves the other ones of its wallet to be ended.
 */
export async function endHolds(run: Run, endsAt: number): Promise<void> {
  const { table } = run;
  const every = Array.from({ length: holdShards }, (_, shard) => [shard, undefined] as const);
  const listed: Listed = { ofWallets: new Map(), busy: new Set(), pages: new Map(every) };
  const { ofWallets, pages } = listed;
  let ended = 0;
  while ((pages.size > 0 || ofWallets.size > 0) && table.now() < endsAt) {
    // A run may take most of a minute, so the time is that of this round.
    const before = new Date(databaseTime(run)).toISOString();
    const waiting = [...ofWallets.values()].reduce((count, { length }) => count + length, 0);
    if (waiting < mostListed) await listRound(run, listed, before);
    await forEachOf([...ofWallets], walletsAtATime, async ([walletId, holds]) => {
      for (const hold of holds.splice(0, mostOfWallet)) {
        if (table.now() >= endsAt) return;
        const outcome = await endHold(run, hold, before);
        if (outcome === 'ended') ended++;
        if (outcome !== 'busy') continue;
        listed.busy.add(walletId);
        ofWallets.delete(walletId);
        return;
      }
      if (holds.length === 0) ofWallets.delete(walletId);
    });
  }
  if (ended > 0) logger.info('expired holds ended', { ended });
}

/** Reads the next page of each shard. Begins behind the page before, which may hold only holds that cannot be ended. */
async function listRound(run: Run, { ofWallets, busy, pages }: Listed, before: string): Promise<void> {
  await forEachOf([...pages], shardsAtATime, async ([shard, from]) => {
    const page = await attempt(run, () => listExpired(run.table, shard, { before, limit: pageSize, from }));
    run.holdExpiredAt = earlier(run.holdExpiredAt, page?.earliestAt);
    for (const hold of readableWork(run, page?.work ?? [])) {
      if (busy.has(hold.walletId)) continue;
      const others = ofWallets.get(hold.walletId);
      if (others === undefined) ofWallets.set(hold.walletId, [hold]);
      else others.push(hold);
    }
    if (page?.next === undefined) pages.delete(shard);
    else pages.set(shard, page.next);
  });
}

/** Ends a hold, and keeps its failure for the end of the run. `busy`: the time of its write was over. */
async function endHold(run: Run, hold: DueWork, before: string): Promise<'ended' | 'unchanged' | 'busy'> {
  try {
    return (await expireHold(run.table, hold, before)) ? 'ended' : 'unchanged';
  } catch (error) {
    run.failures.push(error);
    return error instanceof WalletError && error.code === 'busy' ? 'busy' : 'unchanged';
  }
}
