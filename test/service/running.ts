/** The service in its own process, as `npm start` runs it, for tests that load it for long or kill it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt } from '../../lambdas/domain/transaction-record.ts';
import type { BookEntry } from '../../local/bank/bank-book.ts';
import { freePort } from '../../local/process/free-port.ts';
import { afterTest } from '../fixture.ts';

export interface Transaction {
  readonly transactionId: string;
  readonly type: string;
  readonly status: string;
  readonly amount: number;
  readonly walletId: string;
  readonly counterpartyWalletId?: string;
  readonly postings: { account: string; amount: number }[];
  readonly attempts?: readonly Attempt[];
  readonly createdAt: string;
  readonly completedAt?: string;
}

export interface Running {
  /** The folder of the service's data. */
  readonly data: string;
  start(): Promise<void>;
  end(signal: NodeJS.Signals): Promise<void>;
  /** Sends one request as an operator; a POST when it has a body. */
  request(
    path: string,
    options?: { method?: string; body?: object; headers?: Record<string, string> },
  ): Promise<Response>;
  /** Sends a command with the same key until it has a definite answer, as a careful client does. */
  command<T>(path: string, body: object, headers?: Record<string, string>): Promise<T>;
  /** Returns the body of an answer that must be a 200. */
  ask<T>(path: string): Promise<T>;
}

/** Prepares a service with its own folder and port. The test must start it; it ends with the test. */
export async function newRunning(): Promise<Running> {
  const data = mkdtempSync(join(tmpdir(), 'wallet-running-'));
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let token: Promise<string> | undefined;

  async function signIn(): Promise<string> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'operator',
      scope: 'wallet:operate',
    });
    const response = await fetch(`${baseUrl}/oauth/token`, { method: 'POST', body: form });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  const running: Running = {
    data,
    async start() {
      const service = spawn(process.execPath, ['bin/local.ts', '--port', String(port), '--data', data, '--quiet'], {
        cwd: join(import.meta.dirname, '..', '..'),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child = service;
      const up = once(service.stdout, 'data').then(() => true);
      const ended = once(service, 'exit').then(() => false);
      assert.ok(await Promise.race([up, ended]), 'the service starts');
      token = undefined;
    },
    async end(signal) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
    async request(path, { method, body, headers = {} } = {}) {
      token ??= signIn();
      token.catch(() => (token = undefined));
      return fetch(baseUrl + path, {
        method: method ?? (body ? 'POST' : 'GET'),
        headers: {
          Authorization: `Bearer ${await token}`,
          'Content-Type': 'application/json',
          'Idempotency-Key': randomUUID(),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(15_000),
      });
    },
    async command<T>(path: string, body: object, headers: Record<string, string> = {}) {
      const key = randomUUID();
      for (;;) {
        try {
          const response = await running.request(path, { body, headers: { 'Idempotency-Key': key, ...headers } });
          if (response.ok) return (await response.json()) as T;
          assert.ok(
            response.status >= 500 || response.status === 429,
            `${path} is answered ${response.status}: ${await response.text()}`,
          );
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
        }
        await sleep(100);
      }
    },
    async ask<T>(path: string) {
      const response = await running.request(path);
      assert.equal(response.status, 200, path);
      return (await response.json()) as T;
    },
  };
  afterTest(async () => {
    await running.end('SIGTERM');
    rmSync(data, { recursive: true, force: true });
  });
  return running;
}

/** Creates wallets with this much money each. Returns their ids. */
export async function openWallets(service: Running, count: number, opening: number): Promise<string[]> {
  const walletIds: string[] = [];
  for (let index = 0; index < count; index++) {
    const { walletId } = await service.command<{ walletId: string }>('/wallets', { currency: 'USD' });
    await service.command(`/wallets/${walletId}/charge`, { amount: opening });
    walletIds.push(walletId);
  }
  return walletIds;
}

/** Returns the transactions by id once all have ended or are in review. Fails after `patienceMs`. */
export async function untilAllEnded(
  service: Running,
  transactionIds: Iterable<string>,
  patienceMs: number,
): Promise<Map<string, Transaction>> {
  const deadline = Date.now() + patienceMs;
  const open = new Set(transactionIds);
  const ended = new Map<string, Transaction>();
  while (open.size > 0) {
    assert.ok(Date.now() < deadline, `${open.size} did not end in time: ${[...open].slice(0, 5).join(', ')}`);
    for (const transactionId of open) {
      const transaction = await service.ask<Transaction>(`/transactions/${transactionId}`);
      if (!['completed', 'failed', 'review'].includes(transaction.status)) continue;
      ended.set(transactionId, transaction);
      open.delete(transactionId);
    }
    await sleep(500);
  }
  return ended;
}

/**
 * Checks wallets and the bank's own book against all accepted work, which must have ended. Each wallet must be the sum
 * of its postings. The bank must have paid each completed withdrawal once and nothing else. No money may appear or
 * disappear.
 *
 * @param opening the opening balance of each wallet
 * @returns the number of transactions by end, and the sums of money put in, in the wallets, and paid out
 */
export async function checkBooks(
  service: Running,
  walletIds: readonly string[],
  opening: number,
  ended: ReadonlyMap<string, Transaction>,
) {
  const { items: book } = await service.ask<{ items: BookEntry[] }>('/local/bank/payments');
  const payments = new Map(book.map((entry) => [entry.reference, entry.timesPaid]));
  const expected = new Map(walletIds.map((walletId) => [walletId, { available: opening, held: 0 }]));
  const statuses: Record<string, number> = {};
  let putIn = walletIds.length * opening;
  let paidOut = 0;
  for (const transaction of ended.values()) {
    const { transactionId, type, status, amount, postings } = transaction;
    const name = `${type} ${status}`;
    statuses[name] = (statuses[name] ?? 0) + 1;
    assert.equal(
      postings.reduce((sum, posting) => sum + posting.amount, 0),
      0,
      transactionId,
    );
    for (const posting of postings) {
      const [, walletId = '', part = ''] = posting.account.split(':');
      const wallet = expected.get(walletId);
      if (wallet) wallet[part as keyof typeof wallet] += posting.amount;
    }
    if (type === 'charge') putIn += amount;
    // The end of a withdrawal in review is unknown, and its money is held.
    if (type !== 'withdrawal' || status === 'review') continue;
    const times = payments.get(transactionId) ?? 0;
    assert.equal(times, status === 'completed' ? 1 : 0, `paid ${transactionId}`);
    paidOut += amount * times;
  }
  for (const reference of payments.keys()) assert.ok(ended.has(reference), `the bank knows ${reference}, and so do we`);
  let inWallets = 0;
  for (const [walletId, figures] of expected) {
    const { available, held } = await service.ask<{ available: number; held: number }>(
      `/wallets/${walletId}/balance?consistent=true`,
    );
    assert.deepEqual({ available, held }, figures, walletId);
    inWallets += available + held;
  }
  assert.equal(inWallets + paidOut, putIn, 'money in the wallets and paid out is what was put in');
  return { statuses, putIn, inWallets, paidOut };
}

/** Returns Mulberry32, which gives the same numbers in [0, 1) for the same seed. */
export function newRandom(seed: number): { next: () => number; pick: <T>(from: readonly T[]) => T } {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { next, pick: (from) => from[Math.floor(next() * from.length)]! };
}
