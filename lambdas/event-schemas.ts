/**
 * The published contract of events: what is in the `detail` of each. JSON schemas in docs/events are generated from
 * here (`npm run schemas`). A member may be added within a version; what exists is neither removed nor changed.
 */
import * as z from 'zod';
import { actorKinds } from './domain/actor.ts';
import { discrepancyKinds } from './domain/discrepancy.ts';
import type { EventType } from './domain/events.ts';
import { fraudRules } from './domain/fraud.ts';
import { maxAmount } from './domain/money.ts';
import type { Sum } from './domain/money.ts';
import { attemptOutcomes, transactionStatuses, transactionTypes } from './domain/transaction.ts';

const time = z.iso.datetime().describe('ISO 8601, UTC');
const amount = z.int().min(1).max(maxAmount).describe('In minor units');
/** No `z.int()`, which ends at 2^53-1: money that comes back may lift a balance beyond it. */
const balance: z.ZodType<Sum> = z
  .number()
  .min(0)
  .refine(Number.isInteger)
  .meta({ type: 'integer', description: 'In minor units; money that came back may lift it beyond 2^53-1' });

export const transaction = z.object({
  transactionId: z.string(),
  receiptCode: z.string(),
  type: z.enum(transactionTypes),
  status: z.enum(transactionStatuses),
  amount,
  currency: z.string(),
  walletId: z.string(),
  counterpartyWalletId: z.string().optional(),
  destination: z
    .object({
      account: z.string().describe('All but the last four characters hidden'),
      fingerprint: z
        .string()
        .describe('The same for the same account of the same wallet; the account cannot be found from it'),
    })
    .optional(),
  postings: z.array(
    z.object({ account: z.string(), amount: z.int().describe('Signed, in minor units; all of them sum to zero') }),
  ),
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
  attempts: z
    .array(
      z.object({
        at: time,
        submitted: z.boolean(),
        outcome: z.enum(attemptOutcomes),
        reason: z.string().optional(),
      }),
    )
    .optional(),
  resolution: z.object({ outcome: z.enum(['completed', 'failed']), at: time }).optional(),
  cancellation: z
    .object({
      by: z.enum(actorKinds),
      reason: z.string().optional().describe("The owner's words, where the owner cancelled"),
      at: time,
    })
    .optional()
    .describe('How a withdrawal was ended before it left for the bank'),
  waitingFor: z
    .enum(['wallet_frozen'])
    .optional()
    .describe('What keeps an open withdrawal from the bank: it goes on by itself when its wallet is unfrozen'),
  originalTransactionId: z.string().optional(),
  returnTransactionId: z.string().optional(),
  settledWith: z.string().optional().describe('The first of the queued transfers that were credited together'),
  externalReference: z.string().optional(),
  description: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  createdAt: time,
  updatedAt: time,
  completedAt: time.optional(),
});

export const wallet = z.object({
  walletId: z.string(),
  ownerId: z.string(),
  currency: z.string(),
  status: z.enum(['active', 'frozen', 'closed']),
  balance: z.object({
    walletId: z.string(),
    currency: z.string(),
    available: balance,
    held: balance,
    total: balance,
    version: z.int().min(0),
  }),
  createdAt: time,
  updatedAt: time,
  lastStatusChange: z
    .object({ status: z.enum(['active', 'frozen', 'closed']), at: time })
    .optional()
    .describe('The latest command that set the status'),
});

export const actor = z.object({
  kind: z.enum(actorKinds),
  principal: z.string().describe("The `sub` of the owner's or operator's token; a fixed name of the others"),
  issuer: z.string().optional().describe('The issuer of that token'),
});

const reason = z.string().optional().describe('Why the status changed, in the words of the actor');

const activity = z.object({
  rule: z.enum(fraudRules),
  walletId: z.string(),
  transactionId: z.string().describe('The transaction that went over the limit'),
  currency: z.string(),
  figures: z.record(z.string(), z.int().min(0)).describe('What was counted, by name; amounts in minor units'),
  limits: z.record(z.string(), z.int().min(0)).describe('The most that passes unnoticed, by the same names'),
});

export const discrepancy = z.object({
  kind: z.enum(discrepancyKinds),
  subject: z.string().describe('The wallet, transaction, account or currency that it is about'),
  detail: z.string().describe('What is wrong, in a sentence; amounts in minor units'),
});

const base = {
  eventId: z
    .string()
    .regex(/^ev_[a-z2-7]{26}$/)
    .describe('The same for every delivery of the event: drop what you have seen'),
  version: z.literal(1),
  occurredAt: time,
  walletIds: z.array(z.string()).min(1).describe('The wallets that the event is about'),
  ownerId: z.string().optional().describe('Who owns the first wallet, where the event knows'),
  actor: actor.optional().describe('The party that made the change; only events of earlier releases lack it'),
};

function about<T extends EventType, M extends z.ZodRawShape>(type: T, description: string, members: M) {
  return z.object({ ...base, type: z.literal(type), ...members }).meta({ title: type, description });
}

/** The schema of each event's `detail`. */
export const eventSchemas = {
  'wallet.created': about('wallet.created', 'A wallet was opened', { wallet }),
  'wallet.funded': about('wallet.funded', 'A charge was booked', { transaction }),
  'wallet.frozen': about('wallet.frozen', 'No money may enter or leave the wallet', { wallet, reason }),
  'wallet.unfrozen': about('wallet.unfrozen', 'Money may move again', { wallet, reason }),
  'wallet.closed': about('wallet.closed', 'The wallet is empty, and closed', { wallet, reason }),
  'withdrawal.accepted': about('withdrawal.accepted', 'Money is held for the bank', { transaction }),
  'withdrawal.executing': about('withdrawal.executing', 'The bank is being asked', { transaction }),
  'withdrawal.completed': about('withdrawal.completed', 'The bank has paid', { transaction }),
  'withdrawal.failed': about(
    'withdrawal.failed',
    'The bank has not paid, or it was cancelled; the money is available again',
    {
      transaction,
    },
  ),
  'withdrawal.review': about('withdrawal.review', 'An operator must decide whether the bank has paid', {
    transaction,
  }),
  'withdrawal.returned': about('withdrawal.returned', 'A payment of the bank came back, and the money with it', {
    transaction,
  }),
  'transfer.accepted': about('transfer.accepted', 'The sender is debited; the receiver will be credited', {
    transaction,
  }),
  'transfer.completed': about('transfer.completed', 'The receiver is credited', { transaction }),
  'transfer.failed': about('transfer.failed', 'The receiver could not be credited; the sender is whole again', {
    transaction,
  }),
  'activity.suspicious': about('activity.suspicious', "A wallet's activity went over a limit", { activity }),
  'ledger.discrepancy': about('ledger.discrepancy', 'Something in the books is not as it must be', {
    walletIds: z.array(z.string()).describe('The wallet that it is about, where it is about one'),
    discrepancy,
  }),
} as const satisfies Record<EventType, z.ZodType>;

/** Any event of the service. */
export type ServiceEvent = z.output<(typeof eventSchemas)[EventType]>;
/** The event of a type. */
export type EventOf<T extends EventType> = z.output<(typeof eventSchemas)[T]>;

/**
 * An event as it came from the bus.
 *
 * @throws when it is none of ours, or not as its schema says
 */
export function readEvent<T extends EventType>(detail: unknown, types: readonly T[]): EventOf<T> {
  const type = (detail as { type?: unknown } | null)?.type;
  const known = types.find((one) => one === type);
  if (known === undefined) throw new Error(`event of a type that is not asked for: ${String(type)}`);
  return eventSchemas[known].parse(detail) as EventOf<T>;
}
