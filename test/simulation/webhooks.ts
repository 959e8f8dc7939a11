/** Webhooks in a history: the bus that feeds them, the schedule, and the days that their retries take. */
import type { DynamoDBRecord } from 'aws-lambda';
import { jsonOf } from '../../lambdas/domain/money.ts';
import type { PutEvents } from '../../lambdas/events/bus.ts';
import { eventOf } from '../../lambdas/events/events.ts';
import { changeOf } from '../../lambdas/store/stream.ts';
import { issuer } from '../request.ts';
import type { AuditedTable } from './auditor.ts';
import { between, chance } from './chance.ts';
import type { History } from './history.ts';
import { noAnswer } from './in-process-clients.ts';
import { keyOfWebhooks } from './keys.ts';
import type { SharedKeys } from './keys.ts';
import type { Violate } from './items.ts';
import type { Ledger } from './ledger.ts';
import { busFaults } from './plan.ts';
import { reportError } from './process.ts';
import type { Queues } from './queues.ts';
import { openReceivers } from './receivers.ts';
import type { Receivers } from './receivers.ts';
import { openWebhookLedger } from './webhook-ledger.ts';
import type { BusEvent, WebhookLedger } from './webhook-ledger.ts';
import { webhookQueue } from './webhook-release.ts';
import type { Task, World } from './world.ts';

export interface Webhooks {
  /** The name of their table. */
  readonly tableName: string;
  readonly ledger: WebhookLedger;
  readonly receivers: Receivers;
  /** The events on the bus, by their ids. */
  readonly events: ReadonlyMap<string, BusEvent>;
  readonly putEvents: PutEvents;
  /** Runs the schedule every minute. `run` invokes the worker. A run with nothing to do is usually skipped. */
  readonly begin: (run: (label: string) => Promise<void>) => void;
  /**
   * Runs the days until every delivery has ended.
   *
   * @param times when further steps begin, epoch ms
   * @param isBusy whether an actor still has work
   */
  readonly settle: (times: readonly number[], isBusy: () => boolean) => Promise<void>;
  /** Judges an error that the worker has logged. */
  readonly judge: (error: unknown, task: Task) => void;
  /** Reads a line of the log. */
  readonly onLog: (text: string) => void;
}

const minuteMs = 60_000;
/** The longest run of a worker, with what follows it at once. */
const runMs = 50_000;
/** The longest time for which something due may wait for its turn. */
const patienceMs = 60 * minuteMs;
/** Texts that no line of the log has. */
const secrets = ['whsec_', keyOfWebhooks];

/** Returns the name of the work in a message of the webhooks' queue; undefined for another message. */
export function labelOfWebhooks(body: string): string | undefined {
  const { detail, webhookId } = JSON.parse(body) as { detail?: BusEvent; webhookId?: string };
  if (detail !== undefined) return `${detail.type} ${detail.eventId.slice(3, 9)}`;
  return webhookId === undefined ? undefined : `turn of ${webhookId.slice(3, 9)}`;
}

export function openWebhooks(
  world: World,
  parts: {
    readonly history: History;
    readonly table: AuditedTable;
    readonly wallets: Pick<Ledger, 'follow'>;
    readonly queues: Pick<Queues, 'send' | 'depth'>;
    readonly keys: Pick<SharedKeys, 'hasFailed'>;
    readonly violate: Violate;
  },
): Webhooks {
  const { history, table, wallets, queues, keys, violate } = parts;
  const { seed, service, idleSweeps, webhooks = { outages: {} } } = history;
  const clocksMs = service.clocksDifferMs + 2 * service.wrongByMs;
  const events = new Map<string, BusEvent>();
  const receivers = openReceivers(world, world.now(), { ...webhooks, clocksMs }, violate);
  const ledger = openWebhookLedger(table, { now: world.now, receivers, events, clocksMs, violate });
  let isQuiet = false;
  let schedule: () => Promise<void> = () => Promise.resolve();

  /** Puts an event on the bus, which hands it to the queue some time later. Without an endpoint nothing would follow. */
  function publish(type: string, body: string): void {
    if (ledger.endpoints().length === 0) return;
    const { eventId } = JSON.parse(body) as { readonly eventId: string };
    if (!events.has(eventId)) events.set(eventId, { eventId, type, body, at: world.now() });
    const message = `{"id":"bus","source":"wallet","detail-type":"${type}","detail":${body}}`;
    queues.send(webhookQueue, message, between(20, 3_000, seed, 'bus', eventId));
  }

  wallets.follow((Keys, OldImage, NewImage) => {
    const record = { dynamodb: { Keys, ...(OldImage && { OldImage }), NewImage } } as DynamoDBRecord;
    const change = changeOf(record);
    const event = change && eventOf(change, { fingerprintKey: 'a key', issuer });
    if (event !== undefined) publish(event.type, jsonOf(event));
  });

  /** Returns when the schedule next has something to do, epoch ms; undefined: never. */
  function nextAt(): number | undefined {
    const waiting = ledger.deliveries().filter(({ status }) => status === 'waiting');
    const times = ledger.endpoints().flatMap(({ webhookId, status, leaseUntil = 0, restUntil = 0, replay }) => {
      if (status !== 'active') return [];
      const isReplaying = replay !== undefined && replay.endedAt === undefined;
      const due = waiting.flatMap((one) => (one.webhookId === webhookId ? Date.parse(one.dueAt ?? '') : []));
      if (due.length === 0 && !isReplaying) return [];
      return [Math.max(leaseUntil, restUntil, isReplaying ? 0 : Math.min(...due))];
    });
    return times.length === 0 ? undefined : Math.min(...times);
  }

  const isDue = () => (nextAt() ?? Infinity) <= world.now();

  return {
    tableName: table.name,
    ledger,
    receivers,
    events,
    putEvents: (entries) =>
      world.external({
        service: 'eventbridge',
        operation: 'PutEvents',
        kinds: busFaults,
        legMs: [1, 20],
        timeoutMs: 1_000,
        lost: noAnswer,
        perform({ kind }) {
          const isRefused = kind === 'entry-refused';
          for (const { DetailType = '', Detail = '' } of isRefused ? [] : entries) publish(DetailType, Detail);
          return Promise.resolve(entries.map(() => (isRefused ? 'InternalFailure' : undefined)));
        },
      }),
    begin(run) {
      let runs = 0;
      schedule = () => run(`schedule ${runs++}`);
      void (async () => {
        for (let n = 1; ; n++) {
          await world.sleep(minuteMs);
          if (isQuiet) return;
          if (isDue() || chance(seed, 'schedule', n) < idleSweeps) void schedule();
        }
      })();
    },
    async settle(times, isBusy) {
      isQuiet = true;
      for (;;) {
        const step = times.filter((time) => time > world.now()).sort((a, b) => a - b)[0];
        const next = nextAt();
        const isAtWork = queues.depth(webhookQueue) > 0 || (step === undefined && isBusy());
        if (step === undefined && next === undefined && !isAtWork) return;
        if (next !== undefined && world.now() - next > patienceMs) {
          violate('what is due is sent', `not within ${patienceMs / minuteMs} minutes`);
          return;
        }
        const at = Math.min(step ?? Infinity, next ?? Infinity, isAtWork ? 0 : Infinity);
        await world.run(Math.ceil(Math.max(at, world.now() + 1) / minuteMs) * minuteMs);
        if (isDue()) void schedule();
        await world.run(world.now() + runMs);
      }
    },
    judge(error, task) {
      const names: unknown[] = [];
      for (let cause = error as Error | undefined; cause !== undefined; cause = cause.cause as Error | undefined) {
        names.push(cause.name);
      }
      // A failed reading of the key is not repeated at once by the same process.
      const isExpected = task.faults.length > 0 || keys.hasFailed();
      if (!isExpected || names.some((name) => broken.has(String(name)))) {
        violate('no unexpected errors', `${task.label}: ${reportError(error)}`);
      }
    },
    onLog(text) {
      if (secrets.some((secret) => text.includes(secret))) violate('no secret is logged', text);
    },
  };
}

/** Names of errors that no fault causes. */
const broken: ReadonlySet<string> = new Set([
  'TypeError',
  'ReferenceError',
  'InvalidItem',
  'UnreadableItem',
  'ValidationException',
]);
