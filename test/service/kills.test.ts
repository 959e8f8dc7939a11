/**
 * The running service, killed with SIGKILL at random moments under load and restarted on the same data. At the end all
 * accepted work has ended, every figure adds up, and the bank has paid each withdrawal once.
 *
 * `npm test` kills it twice, under half of the load; `npm run kills` twenty times. KILLS sets the number, SEED the moments.
 */
import { it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkBooks, newRandom, newRunning, openWallets, untilAllEnded } from './running.ts';
import type { Transaction } from './running.ts';
import { report } from '../fixture.ts';

const isShort = process.env['KILLS'] === undefined;
const kills = Number(process.env['KILLS'] ?? 2);
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const wallets = 6;
const clients = isShort ? 3 : 6;
const opening = 1_000_000;
const longestLifeMs = isShort ? 2_000 : 4_000;
/** Longer than a lease, the sweeper's grace period and its minute together. */
const patienceMs = 240_000;

/** The usual bank, with a second of latency and 30 % failures, and its extremes. */
const accounts = [
  'GB33 BUKB 2020',
  'DE89 3704 0044',
  'SIM-OK',
  'SIM-REJECT',
  'SIM-FLAKY',
  'SIM-TIMEOUT-PAID',
  'SIM-TIMEOUT-LOST',
];

it(
  `survives ${kills} kills (SEED=${seed})`,
  async () => {
    const { next, pick } = newRandom(seed);
    const service = await newRunning();
    await service.start();
    const walletIds = await openWallets(service, wallets, opening);

    const accepted = new Set<string>();
    let loading = true;
    const load = Array.from({ length: clients }, async () => {
      while (loading) {
        const from = pick(walletIds);
        const toWalletId = pick(walletIds.filter((walletId) => walletId !== from));
        const amount = 1 + Math.floor(next() * 50);
        const kind = next();
        const { transactionId } =
          kind < 0.4
            ? await service.command<Transaction>(`/wallets/${from}/withdraw`, {
                amount,
                destination: { account: pick(accounts) },
              })
            : await service.command<Transaction>(
                `/wallets/${from}/transfer`,
                { amount, toWalletId },
                kind < 0.7 ? { Prefer: 'respond-async' } : {},
              );
        accepted.add(transactionId);
        await sleep(20 + next() * 60);
      }
    });

    for (let kill = 1; kill <= kills; kill++) {
      // Waits for accepted work in this life too, also on a busy machine, so that the kill comes under load.
      for (const before = accepted.size; accepted.size < before + 10;) await sleep(50);
      await sleep(next() * longestLifeMs);
      await service.end('SIGKILL');
      report(`kill ${kill}: ${accepted.size} accepted so far`);
      await service.start();
    }
    await sleep(1_000);
    loading = false;
    await Promise.all(load);

    const ended = await untilAllEnded(service, accepted, patienceMs);
    const { statuses, putIn, inWallets, paidOut } = await checkBooks(service, walletIds, opening, ended);
    report(
      `${accepted.size} accepted, ${JSON.stringify(statuses)}; ${putIn} put in, ${inWallets} in wallets, ${paidOut} paid out`,
    );
  },
  120_000 + kills * 30_000 + patienceMs,
);
