import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { screenedEvents } from '../contract.ts';
import type { FraudPolicy } from '../contract.ts';
import { screening } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { countMovement } from '../domain/fraud.ts';
import type { FraudLimits, Movement, Signal } from '../domain/fraud.ts';
import { maxAmount } from '../domain/money.ts';
import type { EventOf } from '../event-schemas.ts';
import { openPublisher, publishEvents } from '../runtime/bus.ts';
import type { Publisher } from '../runtime/bus.ts';
import { dynamodbClient, eventBridgeClient, sqsClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { consumeEvents } from '../runtime/event-consumer.ts';
import { openQueue } from '../runtime/queue.ts';
import { logger } from '../runtime/telemetry.ts';
import { getActivity, mostMovementsPerWrite, putActivity } from '../store/activity.ts';
import { eventIdOf, fingerprintOf } from '../store/keys.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { setWalletStatus } from '../store/wallets.ts';

type ScreenedEvent = EventOf<(typeof screenedEvents)[number]>;
type SuspicionEvent = EventOf<'activity.suspicious'>;

export interface FraudServices {
  /** The wallets, to freeze them. */
  readonly table: Table;
  /** What is remembered of their movements. */
  readonly activity: Table;
  readonly publisher: Publisher;
  readonly policy: FraudPolicy;
  readonly freezeOnSuspicion: boolean;
}

/** A movement of one wallet, and the event that told of it. */
interface WalletMovement extends Movement {
  readonly walletId: string;
  readonly currency: string;
  readonly eventId: string;
}

/**
 * Counts the movements in the events, each once for its wallet, and tells of what went over a limit.
 *
 * @param deadline epoch ms after which no further try to publish begins
 * @returns the ids of the events that could not be dealt with, with the reason
 */
export async function screen(
  events: readonly ScreenedEvent[],
  services: FraudServices,
  deadline: number,
): Promise<ReadonlyMap<string, unknown>> {
  const failed = new Map<string, unknown>();
  const ofWallet = Map.groupBy(events.flatMap(movementsOf), ({ walletId }) => walletId);
  await Promise.all(
    [...ofWallet].map(async ([walletId, movements]) => {
      for (let start = 0; start < movements.length; start += mostMovementsPerWrite) {
        const part = movements.slice(start, start + mostMovementsPerWrite);
        try {
          await screenWallet(walletId, part, services, deadline);
        } catch (error) {
          for (const { eventId } of part) failed.set(eventId, error);
        }
      }
    }),
  );
  return failed;
}

async function screenWallet(
  walletId: string,
  movements: readonly WalletMovement[],
  services: FraudServices,
  deadline: number,
): Promise<void> {
  const suspicions = (await count(walletId, movements, services)).map(({ signal, movement }) =>
    suspicionOf(signal, movement),
  );
  if (suspicions.length === 0) return;
  // First the wallet: who is told of a suspicion finds it frozen.
  if (services.freezeOnSuspicion) await freeze(walletId, suspicions, services.table);
  const failures = await publishEvents(services.publisher, suspicions, deadline);
  const [failure] = failures.values();
  if (failure !== undefined) throw new Error(`suspicion about ${walletId} is not published: ${failure.code}`);
  logger.warn('suspicious activity', { walletId, rules: suspicions.map(({ activity }) => activity.rule) });
}

/** Tries at counting when others count for the same wallet at the same time. */
const mostTries = 8;

/** Counts what is not counted yet. What was counted before gives the signals that it gave then. */
async function count(
  walletId: string,
  movements: readonly WalletMovement[],
  { activity: table, policy }: FraudServices,
): Promise<{ signal: Signal; movement: WalletMovement }[]> {
  // The two events of a queued transfer are one movement of its sender.
  const distinct = [...new Map(movements.map((movement) => [movement.transactionId, movement])).values()];
  const ids = distinct.map(({ transactionId }) => transactionId);
  for (let tries = 0; tries < mostTries; tries++) {
    const known = await getActivity(table, walletId, ids);
    const counted = new Map<string, readonly Signal[]>();
    let { activity } = known;
    for (const movement of distinct) {
      if (known.counted.has(movement.transactionId)) continue;
      const result = countMovement(activity, movement, limitsFor(policy, movement.currency));
      activity = result.activity;
      counted.set(movement.transactionId, result.signals);
    }
    const written =
      counted.size === 0 || (await putActivity(table, walletId, { activity, seenVersion: known.version, counted }));
    if (written) {
      return distinct.flatMap((movement) =>
        [...(known.counted.get(movement.transactionId) ?? counted.get(movement.transactionId) ?? [])].map((signal) => ({
          signal,
          movement,
        })),
      );
    }
    await table.sleep(table.random() * 50 * 2 ** tries);
  }
  throw new WalletError('busy');
}

function limitsFor(policy: FraudPolicy, currency: string): FraudLimits {
  return { ...policy, ...policy.byCurrency?.[currency] };
}

/** What an event moves: a transfer is money out of one wallet and, when it is completed, money into another. */
function movementsOf({ eventId, type, transaction }: ScreenedEvent): WalletMovement[] {
  const { transactionId, walletId, counterpartyWalletId, currency, amount, destination } = transaction;
  // When it was asked for: the events of one transaction agree on it.
  const common = { eventId, transactionId, currency, amount, at: Math.floor(Date.parse(transaction.createdAt) / 1000) };
  switch (type) {
    case 'wallet.funded':
      return [{ ...common, walletId, direction: 'in' }];
    case 'withdrawal.accepted':
      return [{ ...common, walletId, direction: 'out', destination: destination?.fingerprint }];
    case 'transfer.accepted':
      return [{ ...common, walletId, direction: 'out', destination: counterpartyWalletId }];
    case 'transfer.completed':
      return [
        { ...common, walletId, direction: 'out', destination: counterpartyWalletId },
        ...(counterpartyWalletId === undefined
          ? []
          : [{ ...common, walletId: counterpartyWalletId, direction: 'in' } as const]),
      ];
  }
}

function suspicionOf({ rule, transactionId, figures, limits }: Signal, movement: WalletMovement): SuspicionEvent {
  const { walletId, currency, at } = movement;
  return {
    eventId: eventIdOf(['activity.suspicious', walletId, rule, transactionId]),
    type: 'activity.suspicious',
    version: 1,
    occurredAt: new Date(at * 1000).toISOString(),
    walletIds: [walletId],
    actor: screening,
    activity: { rule, walletId, transactionId, currency, figures, limits },
  };
}

/**
 * Freezes a wallet, once for each suspicion: when an operator has unfrozen it, a repetition of the same suspicion
 * does not freeze it again.
 */
async function freeze(walletId: string, suspicions: readonly SuspicionEvent[], table: Table): Promise<void> {
  for (const { eventId, activity } of suspicions) {
    const operation = {
      ...screening,
      idempotencyKey: eventId,
      fingerprint: fingerprintOf(['freeze', walletId]),
      at: new Date(table.now()).toISOString(),
    };
    try {
      const { replayed } = await setWalletStatus(table, operation, {
        walletId,
        status: 'frozen',
        reason: activity.rule,
      });
      if (!replayed) logger.warn('wallet frozen', { walletId, rule: activity.rule, eventId });
    } catch (error) {
      // A closed wallet lets nothing out, so there is nothing to freeze.
      if (!(error instanceof WalletError) || error.code !== 'wallet_closed') throw error;
    }
  }
}

const amount = z.int().min(0).max(maxAmount);
const window = z.strictObject({ count: z.int().min(0), amount });
const limits = z.strictObject({
  outgoingPerMinute: window,
  outgoingPerHour: window,
  outgoingPerDay: window,
  inAndOut: z.strictObject({ minutes: z.int().min(1).max(60), amount }),
  newDestination: z.strictObject({ amount }),
});
const policySchema = limits.extend({
  byCurrency: z.record(z.string().regex(/^[A-Z]{3}$/), limits.partial()).optional(),
});

const env = readEnvironment('fraud');
const client = dynamodbClient();
const services: FraudServices = {
  table: openTable(client, env.TABLE_NAME),
  activity: openTable(client, env.ACTIVITY_TABLE_NAME),
  publisher: openPublisher(eventBridgeClient(), env.EVENT_BUS_NAME),
  policy: policySchema.parse(JSON.parse(env.FRAUD_LIMITS)) as FraudPolicy,
  freezeOnSuspicion: z.enum(['true', 'false']).parse(env.FREEZE_ON_SUSPICION) === 'true',
};

/** Time that is left when the last try to publish begins. */
const reserveMs = 5_000;

/** Consumes the screening queue. */
export const handler = consumeEvents({
  queue: openQueue(sqsClient(), env.SCREENING_QUEUE_URL),
  types: screenedEvents,
  handle: (events, context: Context) =>
    screen(events, services, Date.now() + context.getRemainingTimeInMillis() - reserveMs),
});
