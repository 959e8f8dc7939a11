/**
 * `npm run load`: sends a mixed load to a running service at a fixed rate, and checks the books at the end. Requests
 * are sent when they are due, whether or not earlier ones were answered. Latency counts from that time, so that a stall
 * of the service shows. Exits with 1 when any first try failed, or the books do not match.
 */
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { createHistogram } from 'node:perf_hooks';
import type { RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { readOptions } from '../bin/options.ts';
import { forEachOf } from '../lambdas/aws/parallel.ts';
import { exchange } from './exchange.ts';
import { checkBooks } from './load-books.ts';
import type { LoadedTransaction } from './load-books.ts';
import { figure, table } from './report.ts';

const usage = `npm run load -- [options]

  --url URL        the service (http://127.0.0.1:3000)
  --token TOKEN    a token with every scope; without one, one of the local runner
  --rate N         commands a second: ten charges to two withdrawals and two transfers (33)
  --reads N        reads a second, of balances (28)
  --seconds N      length of the load (60)
  --wallets N      wallets that it opens and uses (100)
  --skew S         Zipf's exponent: 0 uses all wallets alike, 1 sends a fifth to the first of 100 (1)

The load opens wallets of its own, with money that it charges. It adds about N x seconds transactions.`;

const options = readOptions(usage, {
  url: { type: 'string', default: 'http://127.0.0.1:3000' },
  token: { type: 'string' },
  rate: { type: 'string', default: '33' },
  reads: { type: 'string', default: '28' },
  seconds: { type: 'string', default: '60' },
  wallets: { type: 'string', default: '100' },
  skew: { type: 'string', default: '1' },
});

const kinds = ['charge', 'withdraw', 'transfer', 'balance'] as const;
type Kind = (typeof kinds)[number];

/** How the commands are mixed: the requirements name five charges for each withdrawal. */
const mix: readonly Exclude<Kind, 'balance'>[] = [
  ...Array<'charge'>(10).fill('charge'),
  'withdraw',
  'withdraw',
  'transfer',
  'transfer',
];
/** A target for p99, ms, where the requirements name one. */
const targets: Partial<Record<Kind, number>> = { charge: 100, withdraw: 50, balance: 10 };
const currency = 'EUR';
const opening = 1_000_000_000;
/** Connections; a request that finds none free waits, and its wait counts. */
const mostConnections = 256;
/** How long withdrawals may take to end after the load. */
const patienceMs = 300_000;

/** The answers to one kind of request; times in microseconds. */
interface Tally {
  readonly latency: RecordableHistogram;
  sent: number;
  readonly failures: Map<string, number>;
}

const baseUrl = options.url.replace(/\/+$/, '');
const rates = { commands: numberOf('rate'), reads: numberOf('reads') };
const seconds = numberOf('seconds');
const agent = new (baseUrl.startsWith('https:') ? SecureAgent : Agent)({
  keepAlive: true,
  maxSockets: mostConnections,
});
let token = options.token ?? (await localToken());
/** A token of the local runner is good for an hour. */
const renewal = setInterval(() => {
  if (options.token !== undefined) return;
  void localToken().then((next) => {
    token = next;
  });
}, 1_800_000);
renewal.unref();

function numberOf(name: 'rate' | 'reads' | 'seconds' | 'wallets' | 'skew'): number {
  const value = Number(options[name]);
  if (options[name] !== '' && value >= 0 && value <= 1_000_000) return value;
  console.error(`--${name} must be a number from 0 to 1,000,000, received ${options[name]}\n\n${usage}`);
  process.exit(1);
}

async function localToken(): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'load', scope: 'wallet:operate' });
  try {
    const answer = await fetch(`${baseUrl}/oauth/token`, { method: 'POST', body: form });
    if (!answer.ok) throw new Error(`it answered ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { access_token: string }).access_token;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`${baseUrl} gives no token (${reason}): start the service with npm start, or give --url and --token`);
    process.exit(1);
  }
}

/** A request, which may be sent again: a command has a key. */
interface Request {
  readonly path: string;
  readonly body?: object;
  readonly key?: string;
}

function send({ path, body, key }: Request): Promise<{ status: number; text: string }> {
  return exchange(agent, new URL(baseUrl + path), {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body && { 'Content-Type': 'application/json' }),
      ...(key !== undefined && { 'Idempotency-Key': key }),
    },
    body: body ? JSON.stringify(body) : '',
  });
}

/** Sends a request until it is definitely answered. */
async function must<T>(path: string, body?: object, key: string = randomUUID()): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const answer = await send({ path, ...(body && { body, key }) }).catch(() => undefined);
    if (answer !== undefined && answer.status < 300) return JSON.parse(answer.text) as T;
    const isDefinite = answer !== undefined && answer.status < 500;
    if (isDefinite || performance.now() > deadline) {
      throw new Error(`${path} was answered ${answer ? `${answer.status}: ${answer.text}` : 'never'}`);
    }
    await sleep(500);
  }
}

async function openWallets(count: number): Promise<string[]> {
  const walletIds: string[] = [];
  await forEachOf(Array.from({ length: count }), 8, async () => {
    const { walletId } = await must<{ walletId: string }>('/wallets', { currency, ownerId: 'load' });
    await must(`/wallets/${walletId}/charge`, { amount: opening });
    walletIds.push(walletId);
  });
  return walletIds;
}

/** Picks the wallet at rank k as often as 1 / k to the power of the skew. */
function pickerOf(walletIds: readonly string[], skew: number): () => string {
  let sum = 0;
  const cumulated = walletIds.map((_, index) => (sum += 1 / (index + 1) ** skew));
  return () => {
    const at = Math.random() * sum;
    return walletIds[cumulated.findIndex((share) => share >= at)] ?? '';
  };
}

/** Transactions that were accepted, by id. */
const accepted: string[] = [];
/** Commands without a definite answer: they are sent again after the load. */
const unclear: (Request & { readonly body: object; readonly key: string })[] = [];

function requestOf(kind: Kind, pick: () => string): Request {
  const walletId = pick();
  const amount = 1 + Math.floor(Math.random() * 100);
  const command = (path: string, body: object) => ({ path, body, key: randomUUID() });
  switch (kind) {
    case 'charge':
      return command(`/wallets/${walletId}/charge`, { amount });
    case 'withdraw':
      return command(`/wallets/${walletId}/withdraw`, { amount, destination: { account: 'DE89370400440532013000' } });
    case 'transfer': {
      let toWalletId = pick();
      while (toWalletId === walletId) toWalletId = pick();
      return command(`/wallets/${walletId}/transfer`, { amount, toWalletId });
    }
    case 'balance':
      return { path: `/wallets/${walletId}/balance` };
  }
}

/** Sends a request, and counts its answer and the time since it was due. */
async function sendAndCount(request: Request, dueAt: number, tally: Tally): Promise<void> {
  tally.sent += 1;
  try {
    const { status, text } = await send(request);
    const { transactionId, code } = JSON.parse(text) as { transactionId?: string; code?: string };
    if (transactionId !== undefined) accepted.push(transactionId);
    if (status >= 300) count(tally, `${status} ${code ?? ''}`);
    if (status < 500) return;
  } catch (error) {
    count(tally, error instanceof Error ? error.name : 'unknown');
  } finally {
    tally.latency.record(Math.max(1, Math.round((performance.now() - dueAt) * 1000)));
  }
  if (request.body !== undefined && request.key !== undefined) {
    unclear.push({ path: request.path, body: request.body, key: request.key });
  }
}

/** Sends requests at a fixed rate until the time is over, and resolves when all are answered. */
async function drive(perSecond: number, next: () => Kind, pick: () => string, tallies: Record<Kind, Tally>) {
  const startAt = performance.now();
  const running = new Set<Promise<void>>();
  const total = Math.floor(perSecond * seconds);
  for (let sent = 0; sent < total; sent++) {
    const dueAt = startAt + (sent * 1000) / perSecond;
    const early = dueAt - performance.now();
    if (early > 0) await sleep(early);
    const kind = next();
    const request = sendAndCount(requestOf(kind, pick), dueAt, tallies[kind]).finally(() => running.delete(request));
    running.add(request);
  }
  await Promise.all(running);
}

function count({ failures }: Tally, failure: string): void {
  failures.set(failure, (failures.get(failure) ?? 0) + 1);
}

/** Returns a percentile in units of 1,000: microseconds as milliseconds, and milliseconds as seconds. */
const thousands = (histogram: RecordableHistogram, percentile: number) => histogram.percentile(percentile) / 1000;

function report(tallies: Record<Kind, Tally>): string {
  return table(
    ['request', 'sent', 'p50 ms', 'p90', 'p99', 'p99.9', 'max', 'p99 target', 'failed'],
    kinds.map((kind) => {
      const { sent, latency, failures } = tallies[kind];
      const target = targets[kind];
      const isMet = target !== undefined && thousands(latency, 99) < target;
      return [
        kind,
        figure(sent),
        ...[50, 90, 99, 99.9].map((percentile) => figure(thousands(latency, percentile))),
        figure(latency.max / 1000),
        target === undefined || sent === 0 ? '' : `${target} ${isMet ? 'ok' : 'MISSED'}`,
        [...failures].map(([failure, times]) => `${times} × ${failure}`).join(', ') || '0',
      ];
    }),
  );
}

async function main(): Promise<void> {
  console.log(`opening ${numberOf('wallets')} wallets at ${baseUrl}`);
  const walletIds = await openWallets(Math.max(2, numberOf('wallets')));
  const pick = pickerOf(walletIds, numberOf('skew'));
  const tallies = Object.fromEntries(
    kinds.map((kind): [Kind, Tally] => [kind, { latency: createHistogram(), sent: 0, failures: new Map() }]),
  ) as Record<Kind, Tally>;
  const startedAt = performance.now();
  const progress = setInterval(() => {
    const sum = (countOf: (tally: Tally) => number) => kinds.reduce((total, kind) => total + countOf(tallies[kind]), 0);
    const failed = sum(({ failures }) => [...failures.values()].reduce((total, times) => total + times, 0));
    const p99 = kinds.map((kind) => `${kind} ${figure(thousands(tallies[kind].latency, 99))}`).join(', ');
    const at = Math.round((performance.now() - startedAt) / 1000);
    console.log(
      `${String(at).padStart(5)} s  ${figure(sum(({ sent }) => sent))} sent, ${failed} failed; p99 ms: ${p99}`,
    );
  }, 5_000);
  let turn = 0;
  await Promise.all([
    drive(rates.commands, () => mix[(turn++ * 5) % mix.length] ?? 'charge', pick, tallies),
    drive(rates.reads, () => 'balance', pick, tallies),
  ]);
  clearInterval(progress);
  console.log(`\n${report(tallies)}\n`);

  if (unclear.length > 0) console.log(`asking again for ${unclear.length} commands without a definite answer`);
  await forEachOf(unclear, 8, async ({ path, body, key }) => {
    const { transactionId } = await must<{ transactionId: string }>(path, body, key);
    accepted.push(transactionId);
  });
  console.log('checking the books');
  const { differences, settled } = await checkBooks({
    walletIds,
    opening,
    transactionIds: accepted,
    patienceMs,
    transaction: (id) => must<LoadedTransaction>(`/transactions/${id}`),
    balance: (id) => must<{ available: number; held: number }>(`/wallets/${id}/balance?consistent=true`),
  });
  if (settled.count > 0) {
    console.log(
      `withdrawals from acceptance to end: p50 ${figure(thousands(settled, 50))} s, p99 ${figure(thousands(settled, 99))} s, ` +
        `max ${figure(settled.max / 1000)} s`,
    );
  }
  for (const difference of differences) console.log(`WRONG: ${difference}`);
  const refused = kinds.some((kind) => tallies[kind].failures.size > 0);
  const verdict = differences.length === 0 ? 'every wallet is the sum of its transactions' : 'the books are WRONG';
  console.log(`${figure(accepted.length)} transactions: ${verdict}`);
  process.exitCode = differences.length > 0 || refused ? 1 : 0;
}

await main();
agent.destroy();
