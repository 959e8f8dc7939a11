import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { randomBytes } from 'node:crypto';
import { withdraw } from '../lambdas/api/withdraw.ts';
import { walletIdOf } from '../lambdas/domain/ids.ts';
import { serve } from '../lambdas/http/http.ts';
import { openLimits } from '../lambdas/http/limits.ts';
import { watchDepth } from '../lambdas/http/overload.ts';
import { openTable } from '../lambdas/store/table.ts';
import { openClock } from './clock.ts';
import { figure, quantile, table as tableOf, verdict } from './report.ts';
import { contextOf, eventOf, operationRequest } from './requests.ts';

/** A withdrawal until its answer, in a model of latencies: the handler's own calls, each of which takes its time. */
export interface ModelledWithdrawals {
  /** Calls that the answer waits for one after the other. */
  readonly roundTrips: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly within: boolean;
}

export const roundTripsTarget = 2;
export const p99TargetMs = 50;

/** Least and most that a call takes, ms; one of a hundred takes four times as long. */
const latencies = { write: [8, 12], queue: [5, 10] } as const;
type CallKind = keyof typeof latencies;

/**
 * Runs the withdrawal's own handler in modelled time, `count` times with modelled latencies and once with calls of 1 ms,
 * which counts its round trips. Each time the container reads the depth of the queue, as it does every five seconds at most.
 */
export async function modelWithdrawals(count: number): Promise<ModelledWithdrawals> {
  const roundTrips = await answerMs(() => 1);
  const all: number[] = [];
  for (let n = 0; n < count; n++) all.push(await answerMs(sample));
  const [p50, p99] = [quantile(all, 0.5), quantile(all, 0.99)];
  return { roundTrips, p50, p99, within: roundTrips <= roundTripsTarget && p99 < p99TargetMs };
}

function sample(kind: CallKind): number {
  const [least, most] = latencies[kind];
  return (least + (most - least) * Math.random()) * (Math.random() < 0.01 ? 4 : 1);
}

/** Returns when the answer comes, ms after the request. */
async function answerMs(latencyOf: (kind: CallKind) => number): Promise<number> {
  const clock = openClock();
  const client = new DynamoDBClient({});
  client.middlewareStack.add(
    () => async () => {
      await clock.sleep(latencyOf('write'));
      return { output: { $metadata: {} }, response: undefined };
    },
    { step: 'initialize' },
  );
  const plenty = 1_000_000;
  const handler = serve(withdraw, {
    table: { ...openTable(client, 'modelled'), now: () => Date.parse('2026-01-01') + clock.now(), sleep: clock.sleep },
    limits: openLimits({ readsPerHour: plenty, refusalsPerHour: plenty, perHour: plenty }),
    queue: { send: () => clock.sleep(latencyOf('queue')) },
    isOverloaded: watchDepth(() => clock.sleep(latencyOf('queue')).then(() => 0), plenty, clock.now),
  });
  const key = randomBytes(8).toString('hex');
  const event = eventOf(operationRequest('withdraw', [walletIdOf('model', key, 'EUR')], key, 0));
  const { statusCode, body } = await clock.run(handler(event, contextOf('model')));
  client.destroy();
  if (statusCode !== 202) throw new Error(`the modelled withdrawal was answered ${statusCode}: ${body}`);
  return clock.now();
}

/** Returns the model's figures as a table. */
export function latencyTable({ roundTrips, p50, p99, within }: ModelledWithdrawals): string {
  return tableOf(
    ['figure / target', '', ''],
    [
      ['round trips in the way of the answer', `${figure(roundTrips)} / ${roundTripsTarget}`, ''],
      ['p50 ms', figure(p50), ''],
      ['p99 ms', `${figure(p99)} / ${p99TargetMs}`, verdict(within)],
    ],
  );
}
