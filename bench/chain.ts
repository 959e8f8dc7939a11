import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FunctionUsage } from '../local/lambda/function-pool.ts';
import { startDriver } from './driver.ts';
import type { Driver } from './driver.ts';
import { usageOfTree } from './process-tree.ts';
import { figure, latencyOf, median, table as tableOf, verdict } from './report.ts';
import type { Latency } from './report.ts';
import { operationRequest } from './requests.ts';
import type { Operation } from './requests.ts';
import { openWallets } from './service.ts';

/** CPU time by its part, ms for each call. */
export type CpuByPart = Readonly<Record<string, number>>;

/** The cost of an operation as `npm start` runs it, with everything that follows it. */
export interface ChainCost {
  readonly operation: Operation;
  /** Answered calls a second, by round. */
  readonly perSecond: readonly number[];
  readonly latency: Latency;
  /** CPU time of all processes for each call, until every consumer is done; ms, by round. */
  readonly cpuMs: readonly number[];
  /** The same by the engine, the runner itself and each function; medians of the rounds. */
  readonly parts: CpuByPart;
}

export interface Chain {
  readonly costs: readonly ChainCost[];
  /** Memory of all processes at the end, MB. */
  readonly memoryMb: number;
}

export interface ChainOptions {
  readonly rounds: number;
  /** Calls of one operation in one round. */
  readonly calls: Readonly<Record<Operation, number>>;
  readonly concurrency: number;
}

/** The most CPU time for one call, ms, with everything that follows it; and memory, MB. */
export const chainTargets = {
  cpuMs: { transfer: 6, 'get-balance': 1.2 } as Partial<Record<Operation, number>>,
  memoryMb: 600,
};

const wallets = 64;
/**
 * How long the service must start no function before it counts as done. Consumers wait for up to two seconds for a
 * batch.
 */
const quietMs = 3_000;
const patienceMs = 180_000;
const idleMs = 10_000;

/**
 * Measures `npm start` from outside, in processes of its own: CPU time of a call and of all that follows it, the
 * ledger, events, screening and notifications. Subtracts the use of the idle service.
 */
export async function measureChain(options: ChainOptions, progress: (line: string) => void): Promise<Chain> {
  const service = await startLocalService();
  try {
    const token = await service.token();
    const walletIds = await openWallets(wallets, (_, request) => service.call(request, token));
    const driver = await startDriver({ level: 'HTTP', baseUrl: service.baseUrl, token }, {});
    try {
      const measured = new Map<Operation, Round[]>();
      let idle: CpuByPart = {};
      for (let round = 0; round <= options.rounds; round++) {
        for (const [operation, calls] of Object.entries(options.calls) as [Operation, number][]) {
          progress(round === 0 ? `warm-up of ${operation}` : `${operation}, round ${round} of ${options.rounds}`);
          const result = await measureRound(service, driver, {
            operation,
            calls,
            walletIds,
            concurrency: options.concurrency,
            idle,
          });
          if (round > 0) measured.set(operation, [...(measured.get(operation) ?? []), result]);
        }
        if (round === 0) idle = await idleUsage(service);
      }
      return {
        costs: [...measured].map(([operation, rounds]) => costOf(operation, rounds)),
        memoryMb: service.memoryMb(),
      };
    } finally {
      await driver.stop();
    }
  } finally {
    await service.stop();
  }
}

interface Round {
  readonly perSecond: number;
  readonly latencies: readonly number[];
  readonly parts: CpuByPart;
}

type LocalService = Awaited<ReturnType<typeof startLocalService>>;

/** Runs the service as `npm start` does, with a folder of its own. */
export async function startLocalService() {
  const data = mkdtempSync(join(tmpdir(), 'wallet-chain-'));
  const child = spawn(process.execPath, ['bin/local.ts', '--port', '0', '--data', data, '--quiet'], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    // With the benchmark's own environment, the service would use the benchmark's engine, whose work would not count.
    env: { PATH: process.env['PATH'] ?? '', ...(process.env['TMPDIR'] && { TMPDIR: process.env['TMPDIR'] }) },
  });
  const ended = once(child, 'exit');
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended.then(() => [''])])) as [Buffer | string];
  const baseUrl = String(line).trim();
  const pid = child.pid ?? 0;
  const functions = async () => {
    const answer = await fetch(`${baseUrl}/local/functions`);
    return ((await answer.json()) as { items: FunctionUsage[] }).items;
  };
  return {
    baseUrl,
    pid,
    async token(): Promise<string> {
      const form = { grant_type: 'client_credentials', client_id: 'operator', scope: 'wallet:operate wallet:read' };
      const answer = await fetch(`${baseUrl}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
      return ((await answer.json()) as { access_token: string }).access_token;
    },
    async call(request: { method: string; path: string; headers?: object; body?: object }, token: string) {
      const answer = await fetch(baseUrl + request.path, {
        method: request.method,
        headers: { ...request.headers, Authorization: `Bearer ${token}` },
        ...(request.body && { body: JSON.stringify(request.body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${request.path} answered ${answer.status}: ${text}`);
      return text;
    },
    functions,
    /** Returns the CPU time so far by part, ms. */
    async usage(): Promise<CpuByPart> {
      const byFunction = Object.fromEntries(
        (await functions()).map(
          ({ name, cpuMs }) => [name.replace(/^Wallet-Service|Function[0-9A-F]{8}$/g, ''), cpuMs] as const,
        ),
      );
      const tree = usageOfTree(pid);
      const sumOf = (list: readonly { readonly cpuMs: number }[]) => list.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
      const inFunctions = Object.values(byFunction).reduce((sum, ms) => sum + ms, 0);
      return {
        ...byFunction,
        engine: sumOf(tree.filter((one) => one.pid !== pid)),
        runner: sumOf(tree.filter((one) => one.pid === pid)) - inFunctions,
      };
    },
    memoryMb: () => usageOfTree(pid).reduce((sum, { memoryMb }) => sum + memoryMb, 0),
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM');
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function measureRound(
  service: LocalService,
  driver: Driver,
  round: {
    readonly operation: Operation;
    readonly calls: number;
    readonly walletIds: readonly string[];
    readonly concurrency: number;
    readonly idle: CpuByPart;
  },
): Promise<Round> {
  const { operation, calls, walletIds, concurrency, idle } = round;
  const requests = Array.from({ length: calls }, (_, index) =>
    operationRequest(operation, walletIds, randomUUID(), index),
  );
  await driver.prepare(operation, requests, concurrency);
  await untilDone(service);
  const before = { at: performance.now(), usage: await service.usage() };
  const { elapsedMs, latencies } = await driver.closedLoop();
  await untilDone(service);
  const after = { at: performance.now(), usage: await service.usage() };
  const seconds = (after.at - before.at) / 1000;
  const parts = Object.fromEntries(
    Object.entries(after.usage).map(([part, ms]) => [
      part,
      (ms - (before.usage[part] ?? 0) - (idle[part] ?? 0) * seconds) / calls,
    ]),
  );
  return { perSecond: (calls / elapsedMs) * 1000, latencies, parts };
}

/** Waits until no function was started for a while; one start is the sweeper, which runs each minute. */
export async function untilDone(service: LocalService): Promise<void> {
  const total = async () => (await service.functions()).reduce((sum, { invocations }) => sum + invocations, 0);
  const deadline = performance.now() + patienceMs;
  for (let before = await total(); ;) {
    if (performance.now() > deadline) throw new Error('the consumers of the service do not come to rest');
    await sleep(quietMs);
    const now = await total();
    if (now - before <= 1) return;
    before = now;
  }
}

/** Returns the use of the idle service: ms of CPU in a second, by part. */
async function idleUsage(service: LocalService): Promise<CpuByPart> {
  await untilDone(service);
  const before = await service.usage();
  await sleep(idleMs);
  const after = await service.usage();
  return Object.fromEntries(
    Object.entries(after).map(([part, ms]) => [part, ((ms - (before[part] ?? 0)) * 1000) / idleMs]),
  );
}

function costOf(operation: Operation, rounds: readonly Round[]): ChainCost {
  const names = [...new Set(rounds.flatMap(({ parts }) => Object.keys(parts)))];
  return {
    operation,
    perSecond: rounds.map(({ perSecond }) => perSecond),
    latency: latencyOf(rounds.flatMap(({ latencies }) => latencies)),
    cpuMs: rounds.map(({ parts }) => Object.values(parts).reduce((sum, ms) => sum + ms, 0)),
    parts: Object.fromEntries(names.map((name) => [name, median(rounds.map(({ parts }) => parts[name] ?? 0))])),
  };
}

/** Parts below this share of an operation's CPU time are shown as one. */
const smallShare = 0.02;

/** Returns the costs as a table, and the parts of each operation below it. */
export function chainTable({ costs, memoryMb }: Chain): string {
  const spread = (values: readonly number[]) => `${figure(Math.min(...values))} – ${figure(Math.max(...values))}`;
  const main = tableOf(
    [
      'operation, all that follows included',
      'calls/s',
      'slowest – fastest',
      'p50 ms',
      'p99 ms',
      'CPU ms',
      'spread',
      'target',
      '',
    ],
    costs.map(({ operation, perSecond, latency, cpuMs }) => {
      const target = chainTargets.cpuMs[operation];
      return [
        operation,
        figure(Math.round(median(perSecond))),
        spread(perSecond.map(Math.round)),
        figure(latency.p50),
        figure(latency.p99),
        figure(median(cpuMs)),
        spread(cpuMs),
        target === undefined ? '' : figure(target),
        target === undefined ? '' : verdict(median(cpuMs) <= target),
      ];
    }),
  );
  const byPart = costs.map(({ operation, parts }) => {
    const total = Object.values(parts).reduce((sum, ms) => sum + ms, 0);
    const sorted = Object.entries(parts).sort(([, a], [, b]) => b - a);
    const large = sorted.filter(([, ms]) => ms >= total * smallShare);
    const rest = total - large.reduce((sum, [, ms]) => sum + ms, 0);
    return `${operation}: ${[...large, ['others', rest] as const].map(([name, ms]) => `${name} ${figure(ms)}`).join(', ')} ms`;
  });
  const memory = `memory: ${figure(Math.round(memoryMb))} MB (at most ${chainTargets.memoryMb}) ${verdict(memoryMb <= chainTargets.memoryMb)}`;
  return [main, '', ...byPart, memory].join('\n');
}
