import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { join } from 'node:path';
import { bundleFile } from '../lib/bundle-files.ts';
import { bundleOf } from '../lib/bundle.ts';
import { WalletStack } from '../lib/wallet-stack.ts';
import { startLocalService } from '../bin/local-service.ts';
import { startDriver } from './driver.ts';
import type { Driver } from './driver.ts';
import { figure, latencyOf, median, table as tableOf, verdict } from './report.ts';
import type { Latency } from './report.ts';
import { operationRequest, operations } from './requests.ts';
import type { Operation } from './requests.ts';
import { openWallets, openWalletsInProcess } from './service.ts';
import type { Service } from './service.ts';

/** Speed of an operation at one level. */
export interface Speed {
  readonly operation: Operation;
  readonly level: string;
  /** Calls a second: median, slowest and fastest round. */
  readonly perSecond: number;
  readonly slowest: number;
  readonly fastest: number;
  /** Milliseconds, over the calls of all rounds. */
  readonly latency: Latency;
  /** Median over the rounds of this level's throughput by the raw client's in the same round. */
  readonly ofRaw: number;
}

export interface ThroughputOptions {
  readonly rounds: number;
  /** Calls of one level in one round. */
  readonly calls: number;
  /** Calls under way at the same time. */
  readonly concurrency: number;
}

/** Least share of the raw client's throughput that a handler in process must reach. */
export const handlerTarget = 0.8;

interface LevelUnderTest {
  readonly level: string;
  readonly driver: Driver;
  readonly wallets: readonly string[];
}

/**
 * Measures each operation at three levels in turn, round after round, so that noise of the machine affects all alike.
 * All levels use one engine; each drives from a process of its own. One uncounted round warms everything up.
 */
export async function measureThroughput(
  service: Service,
  { rounds, calls, concurrency }: ThroughputOptions,
  progress: (line: string) => void,
): Promise<Speed[]> {
  const stops: (() => Promise<void>)[] = [];
  try {
    const levels = await startLevels(service, concurrency, stops, progress);
    const speeds: Speed[] = [];
    for (const operation of operations) {
      const measured = levels.map(() => ({ perSecond: [] as number[], latencies: [] as number[] }));
      for (let round = 0; round <= rounds; round++) {
        progress(`${operation}, ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}`);
        for (const [index, { level, driver, wallets }] of levels.entries()) {
          const requests = Array.from({ length: calls }, (_, n) =>
            operationRequest(operation, wallets, `${level} ${operation} ${round} ${n}`, n),
          );
          await driver.prepare(operation, requests, concurrency);
          const { elapsedMs, latencies } = await driver.closedLoop();
          if (round === 0) continue;
          measured[index]?.perSecond.push((calls / elapsedMs) * 1000);
          measured[index]?.latencies.push(...latencies);
        }
        for (const queue of service.queues.list()) queue.purge();
      }
      const raw = measured[0]?.perSecond ?? [];
      speeds.push(
        ...levels.map(({ level }, index): Speed => {
          const { perSecond, latencies } = measured[index] ?? { perSecond: [], latencies: [] };
          return {
            operation,
            level,
            perSecond: median(perSecond),
            slowest: Math.min(...perSecond),
            fastest: Math.max(...perSecond),
            latency: latencyOf(latencies),
            ofRaw: median(perSecond.map((each, round) => each / (raw[round] ?? NaN))),
          };
        }),
      );
    }
    return speeds;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** Starts the levels, the raw client first. Adds each started one to `stops`, even when a later one fails. */
async function startLevels(
  service: Service,
  concurrency: number,
  stops: (() => Promise<void>)[],
  progress: (line: string) => void,
): Promise<LevelUnderTest[]> {
  progress('starting the levels');
  const wallets = await openWalletsInProcess(service, 16);
  const bundles = Object.fromEntries(operations.map((name) => [name, join(bundleOf(name), bundleFile)])) as Record<
    Operation,
    string
  >;
  const runner = await startLocalService({
    spareThreads: concurrency,
    // Only acceptance is measured: the queues have no consumer.
    stack(app) {
      const stack = new WalletStack(app, 'Wallet', { throttle: { ratePerSecond: 1_000_000, burst: 1_000_000 } });
      for (const { node } of stack.node.findAll().filter((each) => each instanceof CfnEventSourceMapping)) {
        node.scope?.node.tryRemoveChild(node.id);
      }
      return stack;
    },
  });
  stops.push(() => runner.stop());
  const token = await runner.token({ clientId: 'bench', scope: 'wallet/operate' });
  const walletsOfRunner = await openWallets(16, async (_name, { path, method, headers = {}, body }) => {
    const response = await fetch(runner.baseUrl + path, {
      method,
      headers: { ...headers, Authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status !== 201) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  });
  const drive = async (
    settings: Parameters<typeof startDriver>[0],
    walletIds: readonly string[],
  ): Promise<LevelUnderTest> => {
    const driver = await startDriver(settings, service.environment);
    stops.push(() => driver.stop());
    return { level: settings.level, driver, wallets: walletIds };
  };
  return [
    await drive({ level: 'raw client' }, wallets),
    await drive({ level: 'handler', bundles }, wallets),
    await drive({ level: 'HTTP', baseUrl: runner.baseUrl, token }, walletsOfRunner),
  ];
}

/** Returns the speeds as a table. */
export function throughputTable(speeds: readonly Speed[]): string {
  return tableOf(
    ['operation and level', 'calls/s', 'slowest – fastest', 'p50 ms', 'p95 ms', 'p99 ms', 'of raw', ''],
    speeds.map(({ operation, level, perSecond, slowest, fastest, latency, ofRaw }) => [
      `${operation}, ${level}`,
      figure(Math.round(perSecond)),
      `${figure(Math.round(slowest))} – ${figure(Math.round(fastest))}`,
      figure(latency.p50),
      figure(latency.p95),
      figure(latency.p99),
      ofRaw.toFixed(2),
      level === 'handler' ? verdict(ofRaw >= handlerTarget) : '',
    ]),
  );
}
