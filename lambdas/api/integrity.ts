import * as z from 'zod/mini';
import { passFromText } from '../integrity/pass.ts';
import type { Pass } from '../integrity/pass.ts';
import { dynamodbClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { query, serve } from '../runtime/http.ts';
import type { RouteServices } from '../runtime/http.ts';
import { getPass } from '../store/integrity.ts';
import { openTable } from '../store/table.ts';

/**
 * `GET /integrity`: what the check of the books has found in the last pass that came to its end, and how far the
 * running one is. The hourly job does the work (docs/integrity.md); this only reads what it has stored.
 */
export const integrity = query({
  name: 'integrity',
  query: z.strictObject({}),
  async handle(_call, { table: entries }: RouteServices) {
    const [last, running] = await Promise.all([getPass(entries, 'last'), getPass(entries, 'running')]);
    return {
      status: 200,
      body: {
        last: last === undefined ? null : passView(passFromText(last.text)),
        running: running === undefined ? null : passView(passFromText(running.text)),
      },
    };
  },
});

/** A pass as operators see it. Sums are texts, as they may be larger than what JSON readers agree on. */
function passView(pass: Pass) {
  const { passId, startedAt, asOf, finishedAt, stage, bankId, runs, counts, readUnits, suspects, found } = pass;
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
    readUnits,
    sums: Object.entries(pass.sums).map(([currency, { wallets, external, transit }]) => ({
      currency,
      wallets: String(wallets),
      external: String(external),
      transit: String(transit),
      sum: String(wallets + external + transit),
    })),
    suspects: suspects.map(({ walletId }) => walletId),
    found,
    discrepancies: pass.discrepancies,
  };
}

const env = readEnvironment('integrity');
export const handler = serve(integrity, { table: openTable(dynamodbClient(), env.ENTRIES_TABLE_NAME) });
