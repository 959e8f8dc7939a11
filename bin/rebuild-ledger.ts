/**
 * `npm run rebuild-ledger`: rebuilds the entries of one wallet from its transactions, while the service runs. Exits 0
 * when the ledger is whole, 1 when the wallet itself is wrong, and 2 when the work could not be done.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Books } from '../lambdas/integrity/pass.ts';
import { booksOptions, namesIn, openBooks } from './books.ts';
import { placeUsage, runCommand, UsageError } from './command.ts';
import { loadWallet } from './recover/load.ts';
import { mendWallet, planMending } from './recover/mend.ts';
import { Recovery } from './recover/recovery.ts';
import { printingReport } from './recover/report.ts';

const usage = `npm run rebuild-ledger -- --wallet ID --table NAME --entries-table NAME [options]

  --dry-run              says what the ledger lacks, and writes nothing
${placeUsage}

Entries of a sound chain stay. What follows a break is removed, and written again from the wallet's transactions.`;

/** Longer than an index or the projector is behind. */
const settledMs = 10_000;

const options = {
  ...booksOptions,
  wallet: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
} as const;

runCommand({ usage, options }, async (values) => {
  const names = namesIn(values, usage);
  const { wallet: walletId } = values;
  if (walletId === undefined) throw new UsageError(`--wallet is needed\n\n${usage}`);
  const books = await openBooks(names);
  const dryRun = values['dry-run'];
  const first = await lackOf(books, walletId);
  if (first === 'nothing') {
    console.log(`The ledger of ${walletId} is whole.`);
    return 0;
  }
  // An index and the projector may be behind: only what is missing twice is missing.
  await sleep(settledMs);
  if ((await lackOf(books, walletId)) !== first) {
    console.log(`${walletId} is changing: run the command again.`);
    return 1;
  }
  return rebuild(books, walletId, dryRun);
});

/** Returns a text that names what the wallet's ledger lacks. */
async function lackOf(books: Books, walletId: string): Promise<string> {
  const recovery = await openWalletRecovery(books, walletId, true);
  try {
    const { wallet, missing, behindBreak } = planMending(recovery, walletId) ?? {};
    return wallet === undefined ? 'nothing' : JSON.stringify([wallet.version, missing, behindBreak]);
  } finally {
    recovery.close();
  }
}

async function rebuild(books: Books, walletId: string, dryRun: boolean): Promise<number> {
  const recovery = await openWalletRecovery(books, walletId, dryRun);
  try {
    const mending = planMending(recovery, walletId);
    if (mending !== undefined && mending.mended !== mending.wallet) {
      console.log(`${walletId} itself does not agree with its transactions: see docs/disaster.md`);
      return 1;
    }
    await mendWallet(recovery, walletId);
    return 0;
  } finally {
    recovery.close();
  }
}

async function openWalletRecovery({ table, entries }: Books, walletId: string, dryRun: boolean): Promise<Recovery> {
  const report = printingReport();
  const options = { bank: undefined, comparedFrom: table.now(), dryRun, restartsChecks: false, report };
  const recovery = new Recovery({ table, entries, ...options }, true);
  if (!(await loadWallet({ table, entries }, walletId, recovery.copy, report))) {
    recovery.close();
    throw new UsageError(`there is no wallet ${walletId} in ${table.name}`);
  }
  return recovery;
}
