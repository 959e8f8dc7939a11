import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { screenedEvents } from '../contract.ts';
import type { Environment, FraudPolicy } from '../contract.ts';
import { screening } from '../domain/actor.ts';
import { waitBeforeRetry } from '../domain/backoff.ts';
import { WalletError } from '../domain/errors.ts';
import type { FraudLimits, Movement, Signal } from '../domain/fraud.ts';
import { eventIdOf, fingerprintOf } from '../domain/ids.ts';
import { maxAmount } from '../domain/money.ts';
import { countOnce } from '../domain/screening.ts';
import type { Counted } from '../domain/screening.ts';
import type { EventOf } from '../views/event-schemas.ts';
import { openPublisher, publishEvents } from '../events/bus.ts';
import type { Publisher } from '../events/bus.ts';
import { dynamodbClient, eventBridgeClient, sqsClient } from '../aws/clients.ts';
import { consumeEvents } from '../events/event-consumer.ts';
import type { Delivery } from '../events/event-consumer.ts';
import { openQueue } from '../aws/queue.ts';
import { logger } from '../aws/telemetry.ts';
import { getActivities, putActivity, shortNames } from '../store/activity.ts';
import type { KnownActivity } from '../store/activity.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { setWalletStatus } from '../store/wallets.ts';

type ScreenedType = (typeof screenedEvents)[number];
type SuspicionEvent = EventOf<'activity.suspicious'>;

export interface FraudServices {
  /** The wallets, to freeze them. */
  readonly table: Table;
  /** The screening's memory of the wallets' movements. */
  readonly activity: Table;
  readonly publisher: Publisher;
  readonly policy: FraudPolicy;
  readonly freezeOnSuspicion: boolean;
}

/** A movement of one wallet, and the message with its event. */
interface WalletMovement extends Movement {
  readonly walletId: string;
  readonly currency: string;
  readonly envelopeId: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

type ActivityOf = (walletId: string) => KnownActivity;

/**
 * Counts the movements in the events, each once for its wallet. Publishes a suspicion for each limit that they exceed.
 *
 * @param deadline epoch ms after which no further try to publish begins
 * @returns the ids of the envelopes that must be redelivered, with the reason
 * @throws WalletError `busy` when the memory cannot be read; nothing is counted then
 */
export async function screen(
  deliveries: readonly Delivery<ScreenedType>[],
  services: FraudServices,
  deadline: number,
): Promise<ReadonlyMap<string, unknown>> {
  const failed = new Map<string, unknown>();
  const ofWallet = Map.groupBy(deliveries.flatMap(movementsOf), ({ walletId }) => walletId);
  const activityOf = await getActivities(services.activity, [...ofWallet.keys()]);
  await Promise.all(
    [...ofWallet].map(async ([walletId, movements]) => {
      try {
        await screenWallet(walletId, movements, activityOf, services, deadline);
      } catch (error) {
        for (const { envelopeId } of movements) failed.set(envelopeId, error);
      }
    }),
  );
  return failed;
}

async function screenWallet(
  walletId: string,
  movements: readonly WalletMovement[],
  activityOf: ActivityOf,
  services: FraudServices,
  deadline: number,
): Promise<void> {
  const signals = await count(walletId, movements, activityOf, services);
  const suspicions = signals.map(({ signal, movement }) => suspicionOf(signal, movement));
  if (suspicions.length === 0) return;
  // Freezes the wallet first. A subscriber that gets the suspicion finds it frozen.
  if (services.freezeOnSuspicion) await freeze(walletId, suspicions, services.table);
  const failures = await publishEvents(services.publisher, suspicions, deadline);
  const [failure] = failures.values();
  if (failure !== undefined) throw new Error(`suspicion about ${walletId} is not published: ${failure.code}`);
  logger.warn('suspicious activity', { walletId, rules: suspicions.map(({ activity }) => activity.rule) });
}

/** How often a worker tries to count while other workers count for the same wallet. */
const mostTries = 8;
/** Milliseconds, before the jitter. */
const backoff = { first: 50, longest: 6_400 };

/** Counts the movements that are not counted yet. Returns the signals of all. */
async function count(
  walletId: string,
  movements: readonly WalletMovement[],
  activityOf: ActivityOf,
  { activity: table, policy }: FraudServices,
): Promise<Counted<WalletMovement>['signals']> {
  let seen = activityOf(walletId);
  for (let tries = 0; tries < mostTries; tries++) {
    const nameOf = shortNames(seen.salt);
    const marked = movements.map((movement) => ({
      ...movement,
      mark: nameOf(movement.transactionId),
      destination: movement.destination && nameOf(movement.destination),
    }));
    const { memory, isNew, signals } = countOnce(seen.memory, marked, ({ currency }) => limitsFor(policy, currency));
    if (!isNew || (await putActivity(table, walletId, seen, memory))) return signals;
    await table.sleep(table.random() * waitBeforeRetry(tries, backoff));
    seen = (await getActivities(table, [walletId]))(walletId);
  }
  throw new WalletError('busy');
}

function limitsFor(policy: FraudPolicy, currency: string): FraudLimits {
  return { ...policy, ...policy.byCurrency?.[currency] };
}

/**
 * Returns the movements of an event. A transfer moves money out of one wallet and, when it is completed, into another.
 * A hold counts as money out when it is opened, and each of its captures as money into the receiver's wallet. A refund
 * counts as money into the wallet that it pays: to give money back is no spending.
 */
function movementsOf({ envelopeId, event: { type, transaction } }: Delivery<ScreenedType>): WalletMovement[] {
  const { transactionId, walletId, counterpartyWalletId, currency, amount, destination } = transaction;
  const { createdAt, executedAt = createdAt, completedAt = executedAt } = transaction;
  // Both events of a queued transfer have the same time for its sender. A scheduled payment counts at its execution.
  const common = { envelopeId, transactionId, currency, amount, ...timesOf(executedAt) };
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
          : [{ ...common, walletId: counterpartyWalletId, direction: 'in', ...timesOf(completedAt) } as const]),
      ];
    case 'hold.opened':
      return [{ ...common, walletId, direction: 'out', destination: counterpartyWalletId }];
    case 'hold.captured':
    case 'refund.completed':
      return counterpartyWalletId === undefined ? [] : [{ ...common, walletId: counterpartyWalletId, direction: 'in' }];
  }
}

function timesOf(time: string): { at: number; atMs: number } {
  const atMs = Date.parse(time);
  return { at: Math.floor(atMs / 1000), atMs };
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
 * Freezes a wallet, once for each suspicion. When an operator has unfrozen it, a repetition of the same suspicion does
 * not freeze it again.
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
      // No money leaves a closed wallet, so there is nothing to freeze.
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

/** Time that is left when the last publish begins. */
const reserveMs = 5_000;

/** Opens the consumer of the screening queue. */
export function open(environment: Environment<'fraud'>) {
  const client = dynamodbClient();
  const services: FraudServices = {
    table: openTable(client, environment.TABLE_NAME),
    activity: openTable(client, environment.ACTIVITY_TABLE_NAME),
    publisher: openPublisher(eventBridgeClient(), environment.EVENT_BUS_NAME),
    policy: policySchema.parse(JSON.parse(environment.FRAUD_LIMITS)) as FraudPolicy,
    freezeOnSuspicion: z.enum(['true', 'false']).parse(environment.FREEZE_ON_SUSPICION) === 'true',
  };
  return consumeEvents({
    queue: openQueue(sqsClient(), environment.SCREENING_QUEUE_URL),
    types: screenedEvents,
    handle: (deliveries, context: Context) =>
      screen(deliveries, services, Date.now() + context.getRemainingTimeInMillis() - reserveMs),
  });
}
