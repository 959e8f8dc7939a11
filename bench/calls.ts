import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { bundleFile } from '../lib/bundle-files.ts';
import { bundle, bundleOf } from '../lib/bundle.ts';
import { nodeOptionsOf } from '../lib/wallet-function.ts';
import type { CallCosts, CallMessage } from './call-process.ts';
import { figure, median, table as tableOf, verdict } from './report.ts';
import { eventOf, operationRequest } from './requests.ts';
import type { Operation } from './requests.ts';
import { openWalletsInProcess } from './service.ts';
import type { Service } from './service.ts';

/** The costs of one function's calls to its process. Medians over the rounds; CPU time in milliseconds. */
export interface CallCost {
  readonly function: string;
  /** The first call after the import. The import itself has made one call. */
  readonly firstMs: number;
  /** A later call, one at a time. */
  readonly warmMs: number;
  /** The part of `warmMs` outside the kernel. */
  readonly warmUserMs: number;
  readonly firstTargetMs: number | undefined;
  readonly warmTargetMs: number | undefined;
  readonly within: boolean;
}

export interface CallOptions {
  /** Fresh processes of each function. */
  readonly rounds: number;
  /** Calls before the warm ones. */
  readonly warmUp: number;
  /** Calls that count as warm. */
  readonly calls: number;
}

const measured = [
  { name: 'transfer', firstTargetMs: 9, warmTargetMs: 0.5 },
  { name: 'withdraw', firstTargetMs: undefined, warmTargetMs: undefined },
  { name: 'get-balance', firstTargetMs: undefined, warmTargetMs: 0.35 },
] as const;

/** The name of the handler that is written by hand, in tables. */
const floor = 'by hand: one signed read';

/**
 * Calls each function in fresh processes that do nothing else, and a handler that is written by hand, in turn. The
 * processes have the environment of a deployment, so they make a first call while they load.
 */
export async function measureCalls(
  service: Service,
  options: CallOptions,
  progress: (line: string) => void,
): Promise<CallCost[]> {
  const wallets = await openWalletsInProcess(service, 16);
  const byHand = bundle({
    floor: { file: join(import.meta.dirname, 'floor-handler.ts'), variables: ['TABLE_NAME'] },
  }).floor;
  const subjects = [
    ...measured.map((one) => ({ ...one, folder: bundleOf(one.name), operation: one.name satisfies Operation })),
    {
      name: floor,
      folder: byHand,
      operation: 'get-balance',
      firstTargetMs: undefined,
      warmTargetMs: undefined,
    } as const,
  ];
  const costs = subjects.map((): CallCosts[] => []);
  for (let round = 0; round < options.rounds; round++) {
    progress(`round ${round + 1} of ${options.rounds}`);
    for (let turn = 0; turn < subjects.length; turn++) {
      const which = (round + turn) % subjects.length;
      const subject = subjects[which];
      if (subject === undefined) continue;
      const events = Array.from({ length: 1 + options.warmUp + options.calls }, (_, n) =>
        eventOf(operationRequest(subject.operation, wallets, `${subject.name} ${round} ${n}`, n)),
      );
      const file = join(subject.folder, bundleFile);
      costs[which]?.push(await callInProcess({ file, events, warm: options.calls }, service.environment));
    }
    for (const queue of service.queues.list()) queue.purge();
  }
  return subjects.map(({ name, firstTargetMs, warmTargetMs }, index) => {
    const mine = costs[index] ?? [];
    const firstMs = median(mine.map((cost) => cost.firstMs));
    const warmMs = median(mine.map((cost) => cost.warmMs));
    return {
      function: name,
      firstMs,
      warmMs,
      warmUserMs: median(mine.map((cost) => cost.warmUserMs)),
      firstTargetMs,
      warmTargetMs,
      within: firstMs <= (firstTargetMs ?? Infinity) && warmMs <= (warmTargetMs ?? Infinity),
    };
  });
}

async function callInProcess(message: CallMessage, environment: Readonly<Record<string, string>>): Promise<CallCosts> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'call-process.ts'), {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...environment,
      ...nodeOptionsOf(false),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  child.send(message);
  const answer = await Promise.race([once(child, 'message'), exited.then(() => [undefined])]);
  const [costs] = answer as [CallCosts | undefined];
  if (costs === undefined) throw new Error(`a process with ${message.file} ended`);
  child.disconnect();
  await exited;
  return costs;
}

/** Returns the costs as a table. */
export function callTable(costs: readonly CallCost[]): string {
  const against = (ms: number, target: number | undefined) =>
    target === undefined ? figure(ms) : `${figure(ms)} / ${figure(target)}`;
  return tableOf(
    ['function (CPU ms / target)', 'first call', 'warm call', 'of it user', ''],
    costs.map((cost) => [
      cost.function,
      against(cost.firstMs, cost.firstTargetMs),
      against(cost.warmMs, cost.warmTargetMs),
      figure(cost.warmUserMs),
      cost.warmTargetMs === undefined ? '' : verdict(cost.within),
    ]),
  );
}
