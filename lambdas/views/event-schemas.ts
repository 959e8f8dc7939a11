/**
 * The published contract of events: the `detail` of each. JSON schemas in docs/events are generated from this file
 * (`npm run schemas`). A member may be added within a version; an existing one is neither removed nor changed.
 */
import * as z from 'zod';
import type { EventType } from '../domain/events.ts';
import { fraudRules } from '../domain/fraud.ts';
import { actor, approval, details, discrepancy, standingOrder, time, transaction, wallet } from './event-records.ts';

const reason = z.string().optional().describe('Why it changed, in the words of the actor');

const activity = z.object({
  rule: z.enum(fraudRules),
  walletId: z.string(),
  transactionId: z.string().describe('The transaction that exceeded the limit'),
  currency: z.string(),
  figures: z.record(z.string(), z.int().min(0)).describe('The counted figures, by name; amounts in minor units'),
  limits: z.record(z.string(), z.int().min(0)).describe('The limits that were in force, by the same names'),
});

const base = {
  eventId: z
    .string()
    .regex(/^ev_[a-z2-7]{26}$/)
    .describe('The same for every delivery of the event: drop events with an id that you have seen'),
  version: z.literal(1),
  occurredAt: time,
  walletIds: z.array(z.string()).min(1).describe('The wallets that the event is about'),
  ownerId: z.string().optional().describe('The owner of the first wallet, if the event has it'),
  actor: actor.optional().describe('The party that made the change; only events of earlier releases lack it'),
};

const approvedBy = actor.optional().describe('The second operator, where one had to approve the command');

const bankFile = z.object({
  object: z.string().describe('The key of the file in the bucket'),
  outcome: z
    .enum(['matched', 'differences', 'unreadable', 'parked'])
    .describe('`unreadable`: it is broken. `parked`: there was no time to compare it'),
  differences: z.int().min(0).describe('1 for a file that was not compared'),
  byCode: z.record(z.string(), z.int().min(1)).optional().describe('The number of differences of each kind'),
  lines: z.int().min(0).optional(),
  matched: z.int().min(0).optional().describe('Lines that agree with a transaction'),
  report: z.string().describe('The key of the report in the bucket'),
});

function about<T extends EventType, M extends z.ZodRawShape>(type: T, description: string, members: M) {
  return z.object({ ...base, type: z.literal(type), ...members }).meta({ title: type, description });
}

/** The schema of each event's `detail`. */
export const eventSchemas = {
  'wallet.created': about('wallet.created', 'A wallet was opened', { wallet }),
  'wallet.funded': about('wallet.funded', 'A charge was booked', { transaction, approvedBy }),
  'wallet.frozen': about('wallet.frozen', 'No money may enter or leave the wallet', { wallet, reason }),
  'wallet.unfrozen': about('wallet.unfrozen', 'Money may move again', { wallet, reason, approvedBy }),
  'wallet.closed': about('wallet.closed', 'The wallet is empty, and closed', { wallet, reason }),
  'wallet.limits_changed': about('wallet.limits_changed', 'An operator has set the limits of the wallet', {
    wallet,
    reason,
    approvedBy,
  }),
  'wallet.changed': about(
    'wallet.changed',
    'The owner or an operator has changed the name, alias or metadata of the wallet',
    {
      details,
    },
  ),
  'withdrawal.scheduled': about('withdrawal.scheduled', 'A withdrawal for later was accepted; no money is held yet', {
    transaction,
  }),
  'withdrawal.accepted': about('withdrawal.accepted', 'Money is held for the bank', { transaction }),
  'withdrawal.executing': about('withdrawal.executing', 'A worker has begun the first visit to the bank', {
    transaction,
  }),
  'withdrawal.completed': about('withdrawal.completed', 'The bank has paid', { transaction, approvedBy }),
  'withdrawal.failed': about(
    'withdrawal.failed',
    'The bank has not paid, or it was cancelled; the money is available again. Or its wallet refused it at its time',
    { transaction, approvedBy },
  ),
  'withdrawal.review': about('withdrawal.review', 'An operator must decide whether the bank has paid', {
    transaction,
  }),
  'withdrawal.returned': about('withdrawal.returned', 'A payment of the bank came back, and the money with it', {
    transaction,
  }),
  'transfer.scheduled': about('transfer.scheduled', 'A transfer for later was accepted; no money has moved yet', {
    transaction,
  }),
  'transfer.accepted': about('transfer.accepted', 'The sender is debited; a worker will credit the receiver', {
    transaction,
  }),
  'transfer.completed': about('transfer.completed', 'The receiver is credited', { transaction }),
  'transfer.failed': about(
    'transfer.failed',
    'The receiver could not be credited; the sender got the money back. Or it was scheduled, and never executed',
    { transaction },
  ),
  'hold.opened': about('hold.opened', 'Money is held for a receiver, until the hold expires', { transaction }),
  'hold.captured': about('hold.captured', 'Held money was paid to the receiver of the hold', { transaction }),
  'hold.ended': about('hold.ended', 'The hold holds nothing more; `end` is how it ended', { transaction }),
  'refund.completed': about('refund.completed', 'Money of a transfer, capture or charge went back', {
    transaction,
    approvedBy,
  }),
  'fees.collected': about('fees.collected', 'Fees have moved into the revenue wallet of their currency', {
    transaction,
  }),
  'standing_order.opened': about('standing_order.opened', 'A payment will repeat every week or month', {
    standingOrder,
  }),
  'standing_order.ended': about('standing_order.ended', 'It schedules no more payments; `end` is why', {
    standingOrder,
  }),
  'approval.asked': about('approval.asked', 'A command of an operator waits for a second operator', { approval }),
  'approval.approved': about('approval.approved', 'A second operator approved the command, which was executed', {
    approval,
  }),
  'approval.rejected': about('approval.rejected', 'An operator rejected the command, or its asker withdrew it', {
    approval,
  }),
  'activity.suspicious': about('activity.suspicious', "A wallet's activity exceeded a limit", { activity }),
  'ledger.discrepancy': about('ledger.discrepancy', 'The check of the books has found a discrepancy', {
    walletIds: z.array(z.string()).describe('The wallet with the discrepancy, if there is one'),
    discrepancy,
  }),
  'bank_file.reconciled': about('bank_file.reconciled', 'A file of a bank was compared with the books', {
    walletIds: z.array(z.string()).describe('Empty: the file is about no single wallet'),
    bankFile,
  }),
  'webhook.disabled': about('webhook.disabled', 'An endpoint has taken nothing for a week, and gets nothing more', {
    walletIds: z.array(z.string()).describe('Empty: it is about no wallet'),
    webhook: z.object({ webhookId: z.string(), failingSince: time.describe('Since when it has taken nothing') }),
  }),
} as const satisfies Record<EventType, z.ZodType>;

/** Any event of the service. */
export type ServiceEvent = z.output<(typeof eventSchemas)[EventType]>;
/** The event of a type. */
export type EventOf<T extends EventType> = z.output<(typeof eventSchemas)[T]>;

/**
 * Returns an event as it came from the bus.
 *
 * @throws when it is not an event of the service, or does not fit its schema
 */
export function readEvent<T extends EventType>(detail: unknown, types: readonly T[]): EventOf<T> {
  const type = (detail as { type?: unknown } | null)?.type;
  const known = types.find((one) => one === type);
  if (known === undefined) throw new Error(`event of a type that was not requested: ${String(type)}`);
  return eventSchemas[known].parse(detail) as EventOf<T>;
}
