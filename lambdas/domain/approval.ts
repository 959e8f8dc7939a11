import { actorOf } from './actor.ts';
import type { Actor } from './actor.ts';
import { WalletError } from './errors.ts';
import { approvalIdOfTransaction, fingerprintOf, transactionIdOf } from './ids.ts';
import type { WalletLimits } from './limits.ts';
import { ownDecision } from './wallet.ts';
import type { SeenStatus } from './wallet.ts';

/** The commands of operators that can need the approval of a second operator. */
export const guardedCommands = ['charge', 'refund', 'resolve', 'unfreeze', 'set-limits'] as const;
export type GuardedCommand = (typeof guardedCommands)[number];

/** An amount above which a command needs an approval, in minor units. */
export interface AmountGuard {
  readonly above: number;
  /** Amounts of single currencies, by ISO code, in place of the general one. */
  readonly byCurrency?: Readonly<Record<string, number>>;
}

/** The commands that need the approval of a second operator. A command without an entry needs none. */
export interface FourEyes {
  /** Charges above an amount. */
  readonly charge?: AmountGuard;
  /** Refunds and chargebacks by operators above an amount. */
  readonly refund?: AmountGuard;
  /** Every resolution of a withdrawal in review. */
  readonly resolve?: true;
  /** Every unfreezing of a wallet. */
  readonly unfreeze?: true;
  /** Every change of a wallet's limits that lets more money move than before. */
  readonly limits?: true;
}

/** The member of `FourEyes` about each command. */
const guards = {
  charge: 'charge',
  refund: 'refund',
  resolve: 'resolve',
  unfreeze: 'unfreeze',
  'set-limits': 'limits',
} as const satisfies Record<GuardedCommand, keyof FourEyes>;

/** The money of a command, in minor units. */
interface Money {
  readonly amount: number;
  readonly currency: string;
}

/**
 * Returns whether a command needs an approval. `money` is that of the command; absent: every command that
 * `fourEyes` names needs one. The caller judges whether a change of limits raises them.
 */
export function needsApproval(fourEyes: FourEyes, command: GuardedCommand, money?: Money): boolean {
  const guard = fourEyes[guards[command]];
  if (guard === undefined || guard === true) return guard === true;
  if (money === undefined) return true;
  return money.amount > (guard.byCurrency?.[money.currency] ?? guard.above);
}

/** The facts about a command that its approval shows, as its request and the records behind it give them. */
export interface GuardedFacts extends Partial<Money> {
  readonly command: GuardedCommand;
  /** The fee that the command takes, in minor units; absent when there is none. */
  readonly fee?: number | undefined;
  /** The wallets that the command is about: their owners do not approve it. */
  readonly walletIds: readonly string[];
  /** The requester of the withdrawal that the command is about. It does not approve it either. */
  readonly requestedBy?: string | undefined;
  /** The limits that the command sets: those of its tier, where it names one. */
  readonly limits?: WalletLimits | undefined;
  /** The version of the limits that the command replaces. It is refused when they have another one. */
  readonly limitsVersion?: number | undefined;
}

interface ApprovalRecord extends GuardedFacts, SeenStatus {
  readonly approvalId: string;
  /** The request as it was asked for: path parameters by name, and body. */
  readonly path: Readonly<Record<string, string>>;
  readonly body: object;
  readonly askedBy: Actor;
  /** The key of the asker. The command is recorded under it, so a repetition of the asker is a replay. */
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  /** The record that the command gets. */
  readonly transactionId: string;
  /** Times are ISO 8601 UTC. */
  readonly askedAt: string;
  /** From when on it cannot be approved. */
  readonly expiresAt: string;
  readonly updatedAt: string;
}

/** A command that waits for a second operator. */
export interface AskedApproval extends ApprovalRecord {
  readonly status: 'asked';
}

/** An approval that an operator decided about. When approved, its command was executed in the same write. */
export interface EndedApproval extends ApprovalRecord {
  readonly status: 'approved' | 'rejected';
  readonly endedBy: Actor;
  /** The reason, in the words of the actor. */
  readonly reason?: string | undefined;
}

/** A dangerous command that one operator asked for, and the decision about it. */
export type Approval = AskedApproval | EndedApproval;

/** The stored statuses of approvals. */
export const approvalStatuses = ['asked', 'approved', 'rejected'] as const satisfies readonly Approval['status'][];
/** The statuses that answers show: an approval whose time is over is `expired`, which nothing stores. */
export const shownStatuses = [...approvalStatuses, 'expired'] as const;
export type ShownStatus = (typeof shownStatuses)[number];

/** The facts of a request for an approval. */
export interface AskFacts extends GuardedFacts, SeenStatus {
  readonly path: Readonly<Record<string, string>>;
  readonly body: object;
  readonly askedBy: Actor;
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly expiresAfterMs: number;
}

/** Returns the approval that a request asks for. */
export function askedApproval({ at, expiresAfterMs, ...request }: AskFacts): AskedApproval {
  const transactionId = transactionIdOf(request.askedBy.principal, request.idempotencyKey);
  return {
    ...request,
    approvalId: approvalIdOfTransaction(transactionId),
    transactionId,
    status: 'asked',
    askedBy: actorOf(request.askedBy),
    askedAt: at,
    expiresAt: new Date(Date.parse(at) + expiresAfterMs).toISOString(),
    updatedAt: at,
  };
}

/** A decision about an approval. */
export interface ApprovalEnd {
  readonly status: EndedApproval['status'];
  readonly by: Actor;
  readonly reason?: string | undefined;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** Returns the approval after a decision. */
export function endedApproval(approval: Approval, { status, by, reason, at }: ApprovalEnd): EndedApproval {
  return { ...approval, status, endedBy: actorOf(by), reason, updatedAt: at };
}

/** Returns the status of an approval at a moment (ISO 8601 UTC). */
export function statusAt(approval: Approval, at: string): ShownStatus {
  return approval.status === 'asked' && approval.expiresAt <= at ? 'expired' : approval.status;
}

/** Returns whether the stored request is the one that was asked for, by the asker and with the key that it names. */
export function isAsAsked(approval: Approval): boolean {
  const { approvalId, command, path, body, askedBy, idempotencyKey, fingerprint, transactionId } = approval;
  return (
    transactionId === transactionIdOf(askedBy.principal, idempotencyKey) &&
    approvalId === approvalIdOfTransaction(transactionId) &&
    fingerprint === fingerprintOf([command, path, body])
  );
}

/** Returns whether an approval shows the facts of the command that it executes. Operators decided by what it shows. */
export function showsFacts(approval: Approval, facts: GuardedFacts): boolean {
  return textOf(approval) === textOf(facts);
}

function textOf({
  command,
  walletIds,
  requestedBy,
  amount,
  fee,
  currency,
  limits,
  limitsVersion,
}: GuardedFacts): string {
  return fingerprintOf({ command, walletIds, requestedBy, amount, fee, currency, limits, limitsVersion });
}

/**
 * Returns why a command is refused whose fee is another one than its approval shows, after a change of the fees.
 *
 * @param approval absent: the command has none
 */
export function feeApprovalRefusal(
  approval: Pick<Approval, 'fee'> | undefined,
  fee: number | undefined,
): WalletError | undefined {
  if (approval === undefined || approval.fee === fee) return undefined;
  const detail = `the fee is ${fee ?? 0}, and was ${approval.fee ?? 0} when this was asked for: reject it, and ask again`;
  return new WalletError('approval_expired', { detail });
}

/** Returns why no operator can decide about an approval at a moment (ISO 8601 UTC); undefined while it is open. */
export function decisionRefusal(approval: Approval | undefined, at: string): WalletError | undefined {
  if (approval === undefined) return new WalletError('approval_not_found');
  const status = statusAt(approval, at);
  if (status === 'asked') return undefined;
  if (status === 'expired') {
    return new WalletError('approval_expired', { detail: `it expired at ${approval.expiresAt}` });
  }
  return new WalletError('approval_ended', { detail: `it was ${status} at ${approval.updatedAt}` });
}

/** Returns why `principal` may not approve a command; undefined when it may. Owners of its wallets are refused apart. */
export function approverRefusal({ askedBy, requestedBy }: Approval, principal: string): WalletError | undefined {
  if (requestedBy === principal) return ownDecision('withdrawal');
  if (askedBy.principal !== principal) return undefined;
  return new WalletError('forbidden', { detail: 'the caller asked for this itself; another operator approves it' });
}
