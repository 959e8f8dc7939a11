/** Drives one level in a process of its own, so that the measured code shares no thread with other code. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverAnswer, DriverMessage, Sample } from './driver.ts';
import { openLevel } from './levels.ts';
import type { Call, Level } from './levels.ts';

let level: Level | undefined;
let prepared: Call[][] = [];

const epochMs = (): number => performance.timeOrigin + performance.now();

async function handle(message: DriverMessage): Promise<DriverAnswer> {
  switch (message.kind) {
    case 'open':
      level = openLevel(message.settings);
      return { kind: 'done' };
    case 'prepare':
      if (level === undefined) throw new Error('no level is open');
      prepared = await level(message.operation, message.requests, message.lanes);
      return { kind: 'done' };
    case 'closed loop':
      return closedLoop(prepared);
    case 'open loop':
      return { kind: 'samples', samples: await openLoop(prepared, message.perSecond) };
  }
}

/** Makes the calls of each lane one after the other. */
async function closedLoop(lanes: readonly Call[][]): Promise<DriverAnswer> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  await Promise.all(
    lanes.map(async (calls) => {
      for (const call of calls) {
        const calledAt = performance.now();
        await call();
        latencies.push(performance.now() - calledAt);
      }
    }),
  );
  return { kind: 'loop', elapsedMs: performance.now() - startedAt, latencies };
}

/**
 * Sends requests at fixed times, whether or not earlier ones were answered. A request that finds all lanes busy waits,
 * and its wait counts.
 */
async function openLoop(lanes: readonly Call[][], perSecond: number): Promise<Sample[]> {
  const startAt = epochMs() + 50;
  const samples: Sample[] = [];
  const total = lanes.reduce((sum, calls) => sum + calls.length, 0);
  const waiting: number[] = [];
  const idle = lanes.map((calls) => calls.values());
  const running = new Set<Promise<void>>();
  const dispatch = () => {
    while (waiting.length > 0) {
      // A lane may have run out while others still have calls.
      const lane = idle.shift();
      if (lane === undefined) return;
      const next = lane.next();
      if (next.done) continue;
      const intendedAt = waiting.shift() ?? 0;
      const run = next
        .value()
        .then((answer) => {
          samples.push({ intendedAt, answeredAt: epochMs(), answer });
        })
        .finally(() => {
          running.delete(run);
          idle.push(lane);
          dispatch();
        });
      running.add(run);
    }
  };
  for (let arrived = 0; arrived < total;) {
    const due = Math.min(total, Math.floor(((epochMs() - startAt) * perSecond) / 1000) + 1);
    for (; arrived < due; arrived++) waiting.push(startAt + (arrived * 1000) / perSecond);
    dispatch();
    await sleep(1);
  }
  while (running.size > 0) await Promise.all(running);
  return samples;
}

process.on('message', (message: DriverMessage) => {
  handle(message)
    .catch((error: unknown): DriverAnswer => ({
      kind: 'failed',
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }))
    .then((answer) => process.send?.(answer))
    .catch(() => process.exit(1));
});
process.on('disconnect', () => process.exit());
