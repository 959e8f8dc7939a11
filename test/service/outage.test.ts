/**
 * The running service under load while its bank is down. No withdrawal is lost or paid twice, and other routes still
 * work. The outage uses up few attempts, and waiting withdrawals drain when the bank is up.
 *
 * `npm run outage` takes the bank down for a minute: once it answers 503, once it pays and never answers. `npm test`
 * does the first for so long that breakers open, with a bank that works otherwise. OUTAGE sets the seconds.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt } from '../../lambdas/domain/transaction-record.ts';
import { bankCallMs } from '../../lambdas/domain/withdrawal.ts';
import { checkBooks, newRandom, newRunning, openWallets, untilAllEnded } from './running.ts';
import type { Running, Transaction } from './running.ts';
import { report } from '../fixture.ts';

const isShort = process.env['OUTAGE'] === undefined;
const outageSeconds = Number(process.env['OUTAGE'] ?? 12);
const outages: { how: string; away: object; back: object }[] = [
  { how: 'answers 503', away: { down: true }, back: { down: false } },
  // The bank pays after four seconds and answers after eight, when the caller has timed out.
  { how: 'pays and never answers', away: { latencyMs: 8_000 }, back: { latencyMs: 1_000 } },
];

/** Seconds of load before and after the outage. */
const aroundSeconds = isShort ? 3 : 10;
const wallets = 6;
const opening = 1_000_000;
/** The time limit for all work to end, far above the measured time. */
const patienceMs = 360_000;
/** Waiting work ends within this time after the bank is up, and the time that this machine needs. */
const drainMs = 60_000;
/** The time limit for the first breaker to open, on a busy machine. */
const openingMs = 60_000;
/**
 * The most attempts of one withdrawal, of the twenty that it has. A worker calls the bank until its own breaker opens,
 * and the visits to one withdrawal follow after 1, 2, 4, 8, 8 … seconds. That makes four visits in the 15 seconds until
 * a breaker opens, and by chance some as trial calls of a half-open breaker.
 */
const mostAttempts = 10;
/**
 * The time after which the breakers of all workers are open. Withdrawals accepted later should hardly meet the outage.
 */
const allOpenMs = 20_000;

const paidWell = Array<string>(6).fill('SIM-OK');
/** The usual bank, with about 30 % failures, and its extremes. */
const accounts = isShort
  ? [...paidWell, 'SIM-REJECT', 'SIM-TIMEOUT-PAID']
  : [
      ...paidWell,
      'GB33 BUKB 2020',
      'DE89 3704 0044',
      'SIM-REJECT',
      'SIM-FLAKY',
      'SIM-TIMEOUT-PAID',
      'SIM-TIMEOUT-LOST',
    ];

/** Requests a second. */
const rates = { withdrawal: 3, charge: 1, transfer: 1, read: 1 } as const;
type Kind = keyof typeof rates;

/** The time of the outage, epoch ms. */
interface Outage {
  readonly from: number;
  readonly to: number;
}

for (const { how, away, back } of isShort ? outages.slice(0, 1) : outages) {
  const limitMs = (outageSeconds + 2 * aroundSeconds) * 1_000 + openingMs + patienceMs;
  it(
    `with a bank that ${how} for ${outageSeconds} s`,
    async () => {
      const service = await newRunning();
      await service.start();
      if (isShort) await configureBank(service, { failureRate: 0 });
      const walletIds = await openWallets(service, wallets, opening);
      const load = startLoad(service, walletIds);
      const health = watchHealth(service);

      await sleep(aroundSeconds * 1_000);
      const from = await configureBank(service, away);
      await sleep(outageSeconds * 1_000);
      while (!health.samples.some(({ breaker }) => breaker === 'open') && Date.now() < from + openingMs) {
        await sleep(100);
      }
      const to = await configureBank(service, back);
      await sleep(aroundSeconds * 1_000);
      await load.stop();
      const ended = await untilAllEnded(service, load.accepted, patienceMs);
      await health.stop();

      const { statuses, putIn, inWallets, paidOut } = await checkBooks(service, walletIds, opening, ended);
      report(`${JSON.stringify(statuses)}; ${putIn} put in, ${inWallets} in wallets, ${paidOut} paid out`);
      const withdrawals = [...ended.values()].filter(({ type }) => type === 'withdrawal');
      checkAnswers(load.answers, { from, to });
      checkAttempts(withdrawals, { from, to });
      checkQueue(health.samples, { from, to });
      const deliveries = putBacks(service);
      report(`put back by an open breaker: ${sum(deliveries)} times, by withdrawal ${histogram(deliveries)}`);
      checkDrain(withdrawals, { from, to });
    },
    limitMs + 60_000,
  );
}

function checkAnswers(answers: readonly Answer[], { from, to }: Outage): void {
  const refused = answers.filter(({ status }) => status >= 300);
  assert.deepEqual(refused, [], 'everything is answered as always');
  const phases = { before: [0, from], during: [from, to], after: [to, Infinity] } as const;
  for (const [phase, [start, end]] of Object.entries(phases)) {
    const figures = Object.keys(rates).map((kind) => {
      const times = answers.filter((answer) => answer.kind === kind && answer.at >= start && answer.at < end);
      const ms = times.map(({ tookMs }) => tookMs);
      return `${ms.length} of ${kind} ${quantile(ms, 0.5)} and ${quantile(ms, 0.99)}`;
    });
    report(`${phase}, p50 and p99 in ms: ${figures.join(', ')}`);
  }
}

function checkAttempts(withdrawals: readonly Transaction[], { from, to }: Outage): void {
  const inOutage = withdrawals.map(
    ({ attempts = [] }) =>
      attempts.filter(({ at, outcome }) => {
        // The record holds the end of a call.
        const endedAt = Date.parse(at);
        return isFailure(outcome) && endedAt >= from && endedAt < to + bankCallMs;
      }).length,
  );
  report(`attempts by withdrawal: ${histogram(withdrawals.map(({ attempts = [] }) => attempts.length))}`);
  report(`of these for the outage: ${sum(inOutage)}, by withdrawal ${histogram(inOutage)}`);
  assert.ok(Math.max(...inOutage) <= mostAttempts, 'no withdrawal used up its attempts on the outage');
  const acceptedFrom = (start: number) =>
    inOutage.filter((_, index) => {
      const createdAt = Date.parse(withdrawals[index]!.createdAt);
      return createdAt >= start && createdAt < to;
    });
  const late = acceptedFrom(from + allOpenMs);
  if (late.length === 0) return;
  report(`of these accepted behind open breakers: ${sum(late)}, by withdrawal ${histogram(late)}`);
  // Without breakers there would be four to five attempts each in a minute. Each worker has its own breaker, which
  // makes trial calls. So the attempts grow with the number of workers, and a busy machine has more of them.
  assert.ok(sum(inOutage) < 2 * acceptedFrom(from).length, 'the outage costs few attempts');
  assert.ok(sum(late) < late.length, 'behind open breakers it costs less than one each');
}

function isFailure(outcome: Attempt['outcome']): boolean {
  return outcome === 'unknown' || outcome === 'not_accepted';
}

function checkQueue(samples: readonly Sample[], { from, to }: Outage): void {
  const depths = samples.map(({ depth }) => depth);
  const deepest = Math.max(...depths);
  const openedAt = samples.find(({ at, breaker }) => at >= from && breaker === 'open')?.at;
  const closedAt = samples.find(({ at, breaker }) => at >= to && breaker === 'closed')?.at;
  assert.ok(openedAt !== undefined && openedAt < to, 'a breaker opens in the outage');
  assert.ok(closedAt !== undefined, 'a breaker closes after it');
  assert.ok(
    samples.every(({ deadLetters }) => deadLetters === 0),
    'no dead letters',
  );
  report(
    `breaker open ${seconds(openedAt - from)} after the bank left, closed ${seconds(closedAt - to)} after its return; ` +
      `at most ${deepest} in the queue, ${depths.at(-1)} in the end`,
  );
}

function checkDrain(withdrawals: readonly Transaction[], { from, to }: Outage): void {
  const waits = withdrawals
    .filter(({ createdAt }) => Date.parse(createdAt) < to)
    .map(({ completedAt, attempts }) => Date.parse(completedAt ?? attempts?.at(-1)?.at ?? ''))
    .filter((endedAt) => endedAt >= to)
    .map((endedAt) => endedAt - to);
  const [half, most] = [quantile(waits, 0.5), quantile(waits, 0.9)];
  const usual = withdrawals
    .filter(({ completedAt }) => completedAt !== undefined && Date.parse(completedAt) < from)
    .map(({ createdAt, completedAt = '' }) => Date.parse(completedAt) - Date.parse(createdAt));
  // A busy machine is slow at each of some twenty steps, besides the bank's own second. A machine that ends no
  // withdrawal in ten seconds shows nothing about the waits of the service.
  const slowMs = usual.length === 0 ? Infinity : 20 * Math.max(0, quantile(usual, 0.5) - 1_000);
  report(
    `${waits.length} waited for the bank's return: half ended ${seconds(half)} after it, nine of ten ${seconds(most)}, ` +
      `the last ${seconds(Math.max(...waits))}; the outage took ${seconds(to - from)}, and half of the withdrawals ` +
      `before it ${seconds(quantile(usual, 0.5))}`,
  );
  assert.ok(Math.max(...waits) < drainMs + slowMs, `waiting withdrawals end within ${seconds(drainMs + slowMs)}`);
}

interface Answer {
  readonly kind: Kind;
  /** The time when the request was due, epoch ms. */
  readonly at: number;
  /** The time from `at` to the answer. */
  readonly tookMs: number;
  readonly status: number;
}

/** Starts clients that each send a request every second, independent of the duration of the last one. */
function startLoad(service: Running, walletIds: readonly string[]) {
  const { next, pick } = newRandom(1);
  const accepted: string[] = [];
  const answers: Answer[] = [];
  let loading = true;

  function send(kind: Kind): Promise<Response> {
    const walletId = pick(walletIds);
    const amount = 1 + Math.floor(next() * 50);
    switch (kind) {
      case 'withdrawal': {
        const destination = { account: pick(accounts) };
        return service.request(`/wallets/${walletId}/withdraw`, { body: { amount, destination } });
      }
      case 'charge':
        return service.request(`/wallets/${walletId}/charge`, { body: { amount } });
      case 'transfer': {
        const toWalletId = pick(walletIds.filter((other) => other !== walletId));
        return service.request(`/wallets/${walletId}/transfer`, { body: { amount, toWalletId } });
      }
      case 'read':
        return service.request(`/wallets/${walletId}/balance`);
    }
  }

  async function client(kind: Kind, firstAt: number): Promise<void> {
    for (let at = firstAt; loading; at += 1_000) {
      await sleep(Math.max(0, at - Date.now()));
      const response = await send(kind);
      answers.push({ kind, at, tookMs: Math.round(Date.now() - at), status: response.status });
      const { transactionId } = (await response.json()) as { transactionId?: string };
      if (transactionId !== undefined) accepted.push(transactionId);
    }
  }

  const kinds = Object.entries(rates).flatMap(([kind, rate]) => Array<Kind>(rate).fill(kind as Kind));
  const start = Date.now();
  const clients = Promise.all(kinds.map((kind, index) => client(kind, start + (index * 1_000) / kinds.length)));
  clients.catch(() => undefined); // stop() reports the error.
  return {
    accepted,
    answers,
    async stop() {
      loading = false;
      await clients;
    },
  };
}

interface Sample {
  /** Epoch ms. */
  readonly at: number;
  readonly depth: number;
  readonly deadLetters: number;
  readonly breaker: string;
}

/** Requests the service's health every second, and once more at the end. */
function watchHealth(service: Running) {
  const samples: Sample[] = [];
  let watching = true;
  let unavailable = 0;
  const sample = async () => {
    const at = Date.now();
    const response = await service.request('/health');
    if (response.status === 503) {
      unavailable++;
      return;
    }
    assert.equal(response.status, 200);
    const { queues, bank } = (await response.json()) as {
      queues: { withdrawals: { depth: number; deadLetters: number } };
      bank: { breaker: string };
    };
    samples.push({ at, ...queues.withdrawals, ...bank });
  };
  async function watch(): Promise<void> {
    while (watching) {
      await sample();
      await sleep(1_000);
    }
    await sample();
  }
  const watched = watch();
  watched.catch(() => undefined); // stop() reports the error.
  return {
    samples,
    async stop() {
      watching = false;
      await watched;
      // Health reads 64 partitions, which is at times too slow on a busy machine.
      assert.ok(
        unavailable <= Math.max(1, samples.length / 20),
        `the service called itself unavailable ${unavailable} times`,
      );
    },
  };
}

/** Returns the deliveries of each withdrawal to a worker with an open breaker, from the workers' log. */
function putBacks(service: Running): number[] {
  const counts = new Map<string, number>();
  for (const line of readFileSync(join(service.data, 'functions.log'), 'utf8').split('\n')) {
    if (!line.includes('"bank left alone"')) continue;
    const { transactionId } = JSON.parse(line) as { transactionId: string };
    counts.set(transactionId, (counts.get(transactionId) ?? 0) + 1);
  }
  return [...counts.values()];
}

/** Changes the bank's settings. Returns the time of the change, epoch ms. */
async function configureBank(service: Running, settings: object): Promise<number> {
  const response = await service.request('/local/bank/settings', { method: 'PUT', body: settings });
  assert.equal(response.status, 200);
  return Date.now();
}

function quantile(of: readonly number[], share: number): number {
  return of.toSorted((a, b) => a - b)[Math.min(of.length - 1, Math.floor(of.length * share))] ?? 0;
}

function sum(of: readonly number[]): number {
  return of.reduce((total, one) => total + one, 0);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Returns how often each count occurs. */
function histogram(counts: readonly number[]): string {
  const times = Map.groupBy(counts, (count) => count);
  return [...times.keys()]
    .sort((a, b) => a - b)
    .map((count) => `${count}: ${times.get(count)?.length}`)
    .join(', ');
}
