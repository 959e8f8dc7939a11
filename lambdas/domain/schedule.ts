import { WalletError } from './errors.ts';
import { recordOfCommand } from './transaction-record.ts';
import { receiverMembers, sentPostings } from './transfer.ts';
import type { PaidWallet } from './transfer.ts';
import { heldPostings } from './withdrawal.ts';
import type {
  PendingTransfer,
  PendingWithdrawal,
  ScheduledTransfer,
  ScheduledWithdrawal,
  Transaction,
} from './transaction.ts';
import type { CommandFacts, Destination, Failure } from './transaction-record.ts';

/** How far ahead a payment may be scheduled: a minute to 366 days. */
export const shortestScheduleMs = 60_000;
export const longestScheduleMs = 366 * 24 * 3_600_000;

/** The facts of a payment for later. */
export interface ScheduleFacts extends CommandFacts {
  /** ISO 8601 UTC. */
  readonly executeAt: string;
  readonly standingOrderId?: string | undefined;
}

/** Returns a transfer for later: no money moves before its time. */
export function scheduledTransfer(facts: ScheduleFacts & PaidWallet): ScheduledTransfer {
  return { ...scheduled(facts), type: 'transfer', queued: true, ...receiverMembers(facts) };
}

/** Returns a withdrawal for later: no money is held before its time. */
export function scheduledWithdrawal(facts: ScheduleFacts & { destination: Destination }): ScheduledWithdrawal {
  return { ...scheduled(facts), type: 'withdrawal', destination: facts.destination };
}

function scheduled(facts: ScheduleFacts) {
  const { executeAt, standingOrderId } = facts;
  return {
    ...recordOfCommand(facts),
    ...(standingOrderId !== undefined && { standingOrderId }),
    status: 'scheduled',
    executeAt,
    dueAt: executeAt,
    postings: [],
  } as const;
}

/** Returns a scheduled transfer as it is executed: queued, with the sender debited the amount and the fee. */
export function executedTransfer(payment: ScheduledTransfer, at: string): PendingTransfer {
  return { ...payment, ...begun(at), postings: sentPostings(payment) };
}

/** Returns a scheduled withdrawal as it is executed: open, with the amount and the fee held. */
export function executedWithdrawal(payment: ScheduledWithdrawal, at: string): PendingWithdrawal {
  return { ...payment, ...begun(at), postings: heldPostings(payment) };
}

function begun(at: string) {
  return { status: 'pending', executedAt: at, dueAt: at, updatedAt: at } as const;
}

/** Returns the failure of a payment that its time has refused. */
export function executionFailure({ code, title }: WalletError): Failure {
  return { code, message: title };
}

/** The failure of a payment that was cancelled before its time. */
export const cancelledSchedule = { code: 'cancelled', message: 'The payment was cancelled before it was executed' };

/** Returns why a payment that is not scheduled any more cannot be cancelled as one. */
export function unscheduledRefusal({ status }: Pick<Transaction, 'status'>): WalletError {
  return new WalletError('not_cancellable', { detail: `it is ${status}` });
}
