/**
 * The running service, killed outright (SIGKILL) at random moments under load and started again on the same data. Then
 * all accepted work ends, every figure adds up, and the bank has paid each withdrawal once.
 *
 * `npm test` kills it a few times; `npm run kills` twenty times. KILLS sets the number, SEED the moments.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BookEntry } from '../../local/bank-book.ts';

const kills = Number(process.env['KILLS'] ?? 3);
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const wallets = 6;
const clients = 6;
const opening = 1_000_000;
const longestLifeMs = 4_000;
/** Longer than a lease, the sweeper's grace and its minute together. */
const patienceMs = 240_000;

const data = mkdtempSync(join(tmpdir(), 'wallet-kills-'));
const port = await freePort();
const baseUrl = `http://127.0.0.1:${port}`;
let child: ChildProcess | undefined;
after(async () => {
  if (child) await end(child, 'SIGTERM');
  rmSync(data, { recursive: true, force: true });
});

interface Transaction {
  readonly transactionId: string;
  readonly type: string;
  readonly status: string;
  readonly amount: number;
  readonly walletId: string;
  readonly counterpartyWalletId?: string;
  readonly postings: { account: string; amount: number }[];
}

it(`survives ${kills} kills (SEED=${seed})`, { timeout: 120_000 + kills * 30_000 + patienceMs }, async (t) => {
  const random = newRandom(seed);
  child = await start();
  const walletIds: string[] = [];
  for (let index = 0; index < wallets; index++) {
    const { walletId } = await command<{ walletId: string }>('/wallets', { currency: 'USD' }, randomUUID());
    await command(`/wallets/${walletId}/charge`, { amount: opening }, randomUUID());
    walletIds.push(walletId);
  }

  const accepted = new Map<string, Transaction>();
  let loading = true;
  const load = Array.from({ length: clients }, async () => {
    while (loading) {
      const from = pick(walletIds);
      const to = pick(walletIds.filter((walletId) => walletId !== from));
      const amount = 1 + Math.floor(random() * 50);
      const kind = random();
      const transaction =
        kind < 0.4
          ? await command<Transaction>(
              `/wallets/${from}/withdraw`,
              { amount, destination: { account: pick(accounts) } },
              randomUUID(),
            )
          : kind < 0.7
            ? await command<Transaction>(`/wallets/${from}/transfer`, { amount, toWalletId: to }, randomUUID(), {
                Prefer: 'respond-async',
              })
            : await command<Transaction>(`/wallets/${from}/transfer`, { amount, toWalletId: to }, randomUUID());
      accepted.set(transaction.transactionId, transaction);
      await sleep(20 + random() * 60);
    }
  });

  for (let kill = 1; kill <= kills; kill++) {
    // Under load means that work was accepted in this life too, however busy the machine is.
    for (const before = accepted.size; accepted.size < before + 10;) await sleep(50);
    await sleep(random() * longestLifeMs);
    await end(child, 'SIGKILL');
    t.diagnostic(`kill ${kill}: ${accepted.size} accepted so far`);
    child = await start();
  }
  await sleep(1_000);
  loading = false;
  await Promise.all(load);

  const deadline = Date.now() + patienceMs;
  const ended = new Map<string, Transaction>();
  while (ended.size < accepted.size) {
    assert.ok(Date.now() < deadline, `${accepted.size - ended.size} of ${accepted.size} did not end in time`);
    for (const transactionId of accepted.keys()) {
      if (ended.has(transactionId)) continue;
      const transaction = await ask<Transaction>(`/transactions/${transactionId}`);
      if (['completed', 'failed', 'review'].includes(transaction.status)) ended.set(transactionId, transaction);
    }
    await sleep(500);
  }

  const { items: book } = await ask<{ items: BookEntry[] }>('/local/bank/payments');
  const paid = new Map(book.map((entry) => [entry.reference, entry.timesPaid]));
  const expected = new Map(walletIds.map((walletId) => [walletId, { available: opening, held: 0 }]));
  const statuses: Record<string, number> = {};
  for (const transaction of ended.values()) {
    const name = `${transaction.type} ${transaction.status}`;
    statuses[name] = (statuses[name] ?? 0) + 1;
    assert.equal(
      transaction.postings.reduce((sum, { amount }) => sum + amount, 0),
      0,
      transaction.transactionId,
    );
    for (const { account, amount } of transaction.postings) {
      const [, walletId = '', part = ''] = account.split(':');
      const wallet = expected.get(walletId);
      if (wallet) wallet[part as keyof typeof wallet] += amount;
    }
    if (transaction.type !== 'withdrawal' || transaction.status === 'review') continue;
    const times = transaction.status === 'completed' ? 1 : 0;
    assert.equal(paid.get(transaction.transactionId) ?? 0, times, `paid ${transaction.transactionId}`);
  }
  for (const reference of paid.keys()) assert.ok(ended.has(reference), `the bank knows ${reference}, and so do we`);
  let total = 0;
  for (const [walletId, figures] of expected) {
    const { available, held } = await ask<{ available: number; held: number }>(
      `/wallets/${walletId}/balance?consistent=true`,
    );
    assert.deepEqual({ available, held }, figures, walletId);
    total += available + held;
  }
  t.diagnostic(`${accepted.size} accepted, ${JSON.stringify(statuses)}; ${wallets * opening} before, ${total} after`);

  function pick<T>(from: readonly T[]): T {
    return from[Math.floor(random() * from.length)]!;
  }
});

/** The usual bank: a second of latency and 30 % failures; and its extremes. */
const accounts = [
  'GB33 BUKB 2020',
  'DE89 3704 0044',
  'SIM-OK',
  'SIM-REJECT',
  'SIM-FLAKY',
  'SIM-TIMEOUT-PAID',
  'SIM-TIMEOUT-LOST',
];

async function start(): Promise<ChildProcess> {
  const service = spawn(process.execPath, ['bin/local.ts', '--port', String(port), '--data', data, '--quiet'], {
    cwd: join(import.meta.dirname, '..', '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const up = once(service.stdout, 'data').then(() => true);
  const ended = once(service, 'exit').then(() => false);
  assert.ok(await Promise.race([up, ended]), 'the service starts');
  token = undefined;
  return service;
}

async function end(service: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return;
  const ended = once(service, 'exit');
  service.kill(signal);
  await ended;
}

/** Sends a command until it is definitely answered, always with its key, as a careful client does. */
async function command<T>(path: string, body: object, key: string, headers: Record<string, string> = {}): Promise<T> {
  for (;;) {
    try {
      const response = await fetch(baseUrl + path, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${await signIn()}`,
          'Content-Type': 'application/json',
          'Idempotency-Key': key,
          ...headers,
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(15_000),
      });
      if (response.ok) return (await response.json()) as T;
      assert.ok(response.status >= 500, `${path} is answered ${response.status}: ${await response.text()}`);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    await sleep(100);
  }
}

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(baseUrl + path, { headers: { Authorization: `Bearer ${await signIn()}` } });
  assert.equal(response.status, 200, path);
  return (await response.json()) as T;
}

let token: Promise<string> | undefined;

function signIn(): Promise<string> {
  token ??= (async () => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'operator',
      scope: 'wallet:operate',
    });
    const response = await fetch(`${baseUrl}/oauth/token`, { method: 'POST', body: form });
    return ((await response.json()) as { access_token: string }).access_token;
  })();
  token.catch(() => (token = undefined));
  return token;
}

/** Mulberry32: small, and the same moments for the same seed. */
function newRandom(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
