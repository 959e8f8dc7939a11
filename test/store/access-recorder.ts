/** Records the calls of each function to the tables, by the type of item. */
import { AsyncLocalStorage } from 'node:async_hooks';
import assert from 'node:assert/strict';
import type { BankClient } from '../../lambdas/bank/client.ts';
import type { SubmitOutcome } from '../../lambdas/bank/answers.ts';
import { nameOfRoute, routes } from '../../lambdas/contract.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import type { TestEngine, TestTable } from '../engine.ts';
import { send } from '../request.ts';
import type { Request } from '../request.ts';
import { accessesOf } from './accesses.ts';
import { openRoutes } from './every-route.ts';
import type { Routes } from './every-route.ts';
import { newKey } from './commands.ts';
import { bankId } from './visits.ts';

export const bankKey = 'key of the bank';

const limitedCommands: ReadonlySet<string> = new Set([
  ...(['create-wallet', 'change-wallet', 'withdraw', 'transfer', 'cancel'] as const),
  ...(['open-hold', 'capture', 'release', 'refund', 'split', 'open-standing-order', 'cancel-standing-order'] as const),
]);

/** The functions of the service over tables whose calls are recorded by function. */
export interface RecordedService {
  readonly engine: TestEngine;
  readonly books: TestBooks;
  readonly table: TestTable;
  /** The `<action> <item type>` of each call, by function. */
  readonly seen: ReadonlyMap<FunctionName, ReadonlySet<string>>;
  /** Records the calls to this table too. */
  readonly watch: (table: TestTable) => void;
  /** Runs the work of a function, and records its calls. */
  readonly as: <T>(name: FunctionName, work: () => Promise<T>) => Promise<T>;
  /** Runs work whose calls are not recorded. */
  readonly unrecorded: <T>(work: () => Promise<T>) => Promise<T>;
  /** Sends a request to its function. Fails unless it succeeds. */
  readonly ask: (name: keyof Routes, request: Request) => Promise<Readonly<Record<string, string>>>;
  /** Lets the worker of withdrawals ask a bank that answers so. */
  readonly visit: (transactionId: string, outcome: Accepted, maxAttempts?: number) => Promise<unknown>;
}

type Accepted = Exclude<SubmitOutcome, { outcome: 'not_accepted' }>;

/** Creates the tables of the service. */
export async function recordService(engine: TestEngine): Promise<RecordedService> {
  const running = new AsyncLocalStorage<FunctionName>();
  const seen = new Map<FunctionName, Set<string>>();
  const books = await newBooks(engine);
  const { table } = books;

  function watch(watched: TestTable): void {
    watched.fault = (call, perform) => {
      const name = running.getStore();
      if (name !== undefined) {
        const known = seen.get(name) ?? new Set();
        seen.set(name, known);
        for (const access of accessesOf(call)) known.add(access);
      }
      return perform();
    };
  }
  for (const each of [table, books.entries]) watch(each);
  const as = <T>(name: FunctionName, work: () => Promise<T>): Promise<T> => running.run(name, work);

  async function ask(name: keyof Routes, request: Request) {
    const handler = openRoutes(table, books.entries, bankKey)[name];
    const served = routes.find((route) => nameOfRoute(route) === name)!.function;
    const asked = { key: newKey(), ...request };
    const { status, body } = await as(served, () => send(name, handler, asked));
    // After a repetition the limits put reads before the write.
    const repetitions = limitedCommands.has(name) ? 2 : 0;
    for (let times = 0; times < repetitions; times++) await as(served, () => send(name, handler, asked));
    assert.ok(status < 300, `${name}: ${status} ${JSON.stringify(body)}`);
    return body as Readonly<Record<string, string>>;
  }

  function visit(transactionId: string, outcome: Accepted, maxAttempts = 20) {
    const bank: BankClient = {
      submit: () => Promise.resolve(outcome),
      find: () => Promise.resolve(outcome),
      statement: () => Promise.reject(new Error('the worker reads no statement')),
      isDown: () => false,
    };
    const policy = { maxAttempts, notFoundWindowMs: 2_000 };
    return as('withdrawals', () => advanceWithdrawal(transactionId, { table, bank, bankId, policy }));
  }

  const unrecorded = <T>(work: () => Promise<T>): Promise<T> => running.exit(work);
  return { engine, books, table, seen, watch, as, unrecorded, ask, visit };
}
