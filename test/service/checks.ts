/** Measures the check of the books: what each command takes in the check of its hour, and a transaction in a pass. */
import { hourMs, startOf } from '../../lambdas/domain/hours.ts';
import { beginHours, runHours } from '../../lambdas/integrity/hours.ts';
import { beginPass } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import type { RunControl } from '../../lambdas/integrity/pass.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { startTestEngine } from '../engine.ts';
import type { TestEngine } from '../engine.ts';
import { charge, transfer, withdraw } from '../store/commands.ts';
import { settle } from '../store/histories.ts';
import { fundedWallet } from '../store/wallets.ts';
import type { CheckUnits, CheckUsage } from '../../bench/check-model.ts';

/** Commands of each kind; each is of wallets of its own, which is the dearest. */
const count = 150;
const firstHour = '2026-03-01T10';
const details = { description: 'Invoice 2026-001', externalReference: 'INV-2026-001' };

/** Runs commands of each kind in an hour of its own, checks these hours and then all books. */
export async function measureChecks(): Promise<CheckUnits> {
  const engine = await startTestEngine();
  const books = await newBooks(engine);
  try {
    setClock(books, startOf(firstHour) - 600_000);
    const hours = beginHours(books.table.now(), undefined);
    const owners = Array.from({ length: count }, (_, number) => `owner-${number}`);
    const payers = await each(owners, (owner) => fundedWallet(books.table, owner, 1_000));
    const payees = await each(owners, (owner) => fundedWallet(books.table, `${owner}-payee`, 1));
    await books.follow();

    let hour = startOf(firstHour);
    async function hourOf(command: (payer: string, number: number) => Promise<unknown>): Promise<CheckUsage> {
      setClock(books, hour + 60_000);
      for (const [number, payer] of payers.entries()) await command(payer, number);
      await books.follow();
      hour += hourMs;
      setClock(books, hour + 1_200_000);
      const before = process.cpuUsage();
      await runHours({ ...books, statement: undefined }, hours, control(books));
      return { readUnits: hours.last?.readUnits ?? NaN, cpuMs: cpuSince(before) };
    }
    // The first hour warms the code up.
    await hourOf((payer) => charge(books.table, payer, { amount: 1, ...details }));
    const charges = await hourOf((payer) => charge(books.table, payer, { amount: 1, ...details }));
    const transfers = await hourOf((payer, number) =>
      transfer(books.table, payer, payees[number] ?? '', { owner: owners[number] ?? '', amount: 1, ...details }),
    );
    const withdrawals = await hourOf(async (payer, number) => {
      const accepted = await withdraw(books.table, payer, { owner: owners[number] ?? '', amount: 1, ...details });
      await settle(books.table, accepted.transaction.transactionId);
    });
    const idleHour = await hourOf(() => Promise.resolve());
    const ofOne = ({ readUnits, cpuMs }: CheckUsage): CheckUsage => ({
      readUnits: (readUnits - idleHour.readUnits) / count,
      cpuMs: Math.max(0, cpuMs - idleHour.cpuMs) / count,
    });
    return {
      command: { charge: ofOne(charges), transfer: ofOne(transfers), withdrawal: ofOne(withdrawals) },
      idleHour,
      transaction: await measurePass(engine),
    };
  } finally {
    books.close();
    await engine.stop();
  }
}

/** Wallets of the books that a pass is measured with, and charges and transfers of each. */
const wallets = 20;
const commandsOfWallet = 30;

async function measurePass(engine: TestEngine): Promise<CheckUsage> {
  const books = await newBooks(engine);
  const owners = Array.from({ length: wallets }, (_, number) => `owner-${number}`);
  const ids = await each(owners, (owner) => fundedWallet(books.table, owner, 1_000));
  for (let round = 0; round < commandsOfWallet; round++) {
    for (const [number, id] of ids.entries()) {
      const owner = owners[number] ?? '';
      const payee = ids[(number + 1) % wallets] ?? '';
      if (round % 2 === 0) await charge(books.table, id, { amount: 1, ...details });
      else await transfer(books.table, id, payee, { owner, amount: 1, ...details });
    }
    await books.follow();
  }
  const pass = beginPass({ passId: 'bench', now: books.table.now(), segments: 4, standStill: true, bankId: undefined });
  const before = process.cpuUsage();
  await runPass({ ...books, statement: undefined }, pass, control(books));
  books.close();
  const { transactions } = pass.counts;
  return { readUnits: pass.readUnits / transactions, cpuMs: cpuSince(before) / transactions };
}

function control({ table }: TestBooks): RunControl {
  return {
    now: table.now,
    stop: () => false,
    secondLookMs: 0,
    report: ({ kind, subject, detail }) => {
      throw new Error(`the books of the benchmark are wrong: ${kind} ${subject}: ${detail}`);
    },
  };
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function setClock({ table, entries }: TestBooks, now: number): void {
  table.clock.now = now;
  entries.clock.now = now;
}

async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
