import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { hoursFromText, uncheckedMs } from '../integrity/hours.ts';
import type { Hours } from '../integrity/hours.ts';
import { costOf } from '../integrity/cost.ts';
import { KnownDiscrepancies } from '../integrity/known.ts';
import { passFromText } from '../integrity/pass.ts';
import type { Pass } from '../integrity/pass.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { query, serve } from '../http/http.ts';
import type { RouteServices } from '../http/http.ts';
import { getState } from '../store/integrity.ts';
import { openTable } from '../store/table.ts';

/**
 * `GET /integrity`: the discrepancies, the progress through the closed hours, and the progress of the pass over all
 * books. A job does the work (docs/integrity.md). This route only reads what the job has stored.
 */
export const integrity = query({
  name: 'integrity',
  query: z.strictObject({}),
  async handle(_call, { table: entries }: RouteServices) {
    const [last, running, hours, known] = await Promise.all(
      (['last', 'running', 'hours', 'known'] as const).map((which) => getState(entries, which)),
    );
    return {
      status: 200,
      body: {
        hours: hours === undefined ? null : hoursView(hoursFromText(hours.text), entries.now()),
        discrepancies: new KnownDiscrepancies(known?.text).all,
        last: last === undefined ? null : passView(passFromText(last.text)),
        running: running === undefined ? null : passView(passFromText(running.text)),
      },
    };
  },
});

function hoursView(hours: Hours, now: number) {
  const { hour, suspects, bank, last } = hours;
  return {
    next: hour,
    nextOfBank: bank.from,
    uncheckedSeconds: Math.floor(uncheckedMs(hours, now) / 1000),
    suspects: suspects.map(({ walletId }) => walletId),
    last:
      last === undefined
        ? null
        : { hour: last.hour, checkedAt: last.at, counts: last.counts, readUnits: last.readUnits },
  };
}

/**
 * Returns a pass as operators see it. Sums are texts, as they may be larger than the largest number that JSON readers
 * agree on.
 */
function passView(pass: Pass) {
  const { passId, startedAt, asOf, finishedAt, stage, bankId, runs, counts, suspects, found, items, scanned } = pass;
  return {
    passId,
    status: stage === 'done' ? (found === 0 ? 'sound' : 'discrepancies') : 'running',
    stage,
    startedAt,
    finishedAt,
    asOf,
    withBank: bankId !== undefined,
    runs,
    counts,
    otherBanks: Object.entries(pass.otherBanks).map(([bankId, withdrawals]) => ({ bankId, withdrawals })),
    scanned,
    items,
    ...costOf(pass),
    sums: Object.entries(pass.sums).map(([currency, { wallets, external, transit, fees, collected, opening }]) => ({
      currency,
      wallets: String(wallets),
      external: String(external),
      transit: String(transit),
      ...(fees !== undefined && { fees: String(fees) }),
      ...(collected !== undefined && { collected: String(collected) }),
      ...(opening !== undefined && { opening: String(opening) }),
      sum: String(wallets + external + transit + (fees ?? 0n) + (collected ?? 0n) + (opening ?? 0n)),
    })),
    suspects: suspects.map(({ walletId }) => walletId),
    found,
    discrepancies: pass.discrepancies,
  };
}

export const open = (environment: Environment<'integrity'>) =>
  serve(integrity, { table: openTable(dynamodbClient(), environment.ENTRIES_TABLE_NAME) });
