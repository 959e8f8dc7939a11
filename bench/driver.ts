import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LevelSettings } from './levels.ts';
import type { BenchRequest, Operation } from './requests.ts';

/** A message to a driver's process. */
export type DriverMessage =
  | { readonly kind: 'open'; readonly settings: LevelSettings }
  | {
      readonly kind: 'prepare';
      readonly operation: Operation;
      readonly requests: readonly BenchRequest[];
      readonly lanes: number;
    }
  | { readonly kind: 'closed loop' }
  | { readonly kind: 'open loop'; readonly perSecond: number };

/** A request of an open loop; times are epoch milliseconds with fractions. */
export interface Sample {
  /** The time at which it should have been sent, whatever delayed it. */
  readonly intendedAt: number;
  readonly answeredAt: number;
  readonly answer: string | undefined;
}

export type DriverAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'loop'; readonly elapsedMs: number; readonly latencies: readonly number[] }
  | { readonly kind: 'samples'; readonly samples: readonly Sample[] }
  | { readonly kind: 'failed'; readonly reason: string };

/** A process that makes calls at one level. */
export interface Driver {
  /** Builds the requests before the measured time begins. */
  prepare(operation: Operation, requests: readonly BenchRequest[], lanes: number): Promise<void>;
  /** Makes the prepared calls as fast as they are answered; latencies in milliseconds. */
  closedLoop(): Promise<{ elapsedMs: number; latencies: readonly number[] }>;
  /** Makes the prepared calls at a fixed rate. */
  openLoop(perSecond: number): Promise<readonly Sample[]>;
  stop(): Promise<void>;
}

/** Starts a driver with the environment of the functions. Discards their output. */
export async function startDriver(
  settings: LevelSettings,
  environment: Readonly<Record<string, string>>,
): Promise<Driver> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'driver-process.ts'), {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const gone = exited.then(([code]): DriverAnswer => ({ kind: 'failed', reason: `ended with ${String(code)}` }));

  async function command(message: DriverMessage): Promise<DriverAnswer> {
    const answered = once(child, 'message').then(([answer]) => answer as DriverAnswer);
    child.send(message);
    const answer = await Promise.race([answered, gone]);
    if (answer.kind === 'failed') throw new Error(`the ${settings.level} driver failed: ${answer.reason}`);
    return answer;
  }

  await command({ kind: 'open', settings });
  return {
    async prepare(operation, requests, lanes) {
      await command({ kind: 'prepare', operation, requests, lanes });
    },
    async closedLoop() {
      const answer = await command({ kind: 'closed loop' });
      if (answer.kind !== 'loop') throw new Error(`a driver answered ${answer.kind}`);
      return answer;
    },
    async openLoop(perSecond) {
      const answer = await command({ kind: 'open loop', perSecond });
      if (answer.kind !== 'samples') throw new Error(`a driver answered ${answer.kind}`);
      return answer.samples;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
