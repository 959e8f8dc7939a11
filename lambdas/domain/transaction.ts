import type { Actor } from './actor.ts';
import { bank, importer, service } from './actor.ts';
import type {
  Attempt,
  ByAlias,
  Cancellation,
  Destination,
  Failure,
  Fee,
  OfBatch,
  Refunds,
  Resolution,
  Schedule,
  SentTogether,
  TransactionRecord,
} from './transaction-record.ts';

/** The kinds of transactions. */
export type TransactionType = Transaction['type'];
export const transactionTypes = [
  'charge',
  'withdrawal',
  'transfer',
  'return',
  'hold',
  'capture',
  'refund',
  'collection',
] as const satisfies readonly TransactionType[];

/**
 * `pending` → `executing` → `completed` | `failed` | `review`; `review` → `completed` | `failed`. Of a payment for later:
 * `scheduled` → `pending` | `failed`. Of a hold: `open` → `ended`.
 */
export type TransactionStatus = Transaction['status'];
export const transactionStatuses = [
  'scheduled',
  'pending',
  'executing',
  'completed',
  'failed',
  'review',
  'open',
  'ended',
] as const satisfies readonly TransactionStatus[];

/** The statuses of work that is not at an end. */
export const openStatuses = [
  'scheduled',
  'pending',
  'executing',
  'review',
  'open',
] as const satisfies readonly TransactionStatus[];
export type OpenStatus = (typeof openStatuses)[number];

/** Money from outside, booked at once. */
export interface Charge extends TransactionRecord, Fee, Refunds {
  readonly type: 'charge';
  readonly status: 'completed';
  /** Whether it is what the wallet brought along from another system. Only an import makes such a charge. */
  readonly opening?: true;
  readonly completedAt: string;
  /** The second operator, where one had to approve it. */
  readonly approvedBy?: Actor | undefined;
}

/** A payment that the bank sent back. It undoes a completed withdrawal, which stays. */
export interface Return extends TransactionRecord {
  readonly type: 'return';
  readonly status: 'completed';
  /** The withdrawal that came back. */
  readonly originalTransactionId: string;
  readonly completedAt: string;
}

interface TransferRecord extends TransactionRecord, Fee, SentTogether, Schedule, ByAlias {
  readonly type: 'transfer';
  readonly counterpartyWalletId: string;
}

/** A transfer that was booked at once. */
export interface DirectTransfer extends TransferRecord, Refunds {
  readonly status: 'completed';
  readonly queued?: never;
  /** The split that it is a leg of. */
  readonly splitId?: string;
  /** The first of the legs that were booked together in its receiver's wallet, perhaps itself. */
  readonly settledWith?: string;
  readonly completedAt: string;
}

/** A transfer that was queued at acceptance, and so answered with 202. */
interface QueuedTransfer extends TransferRecord, OfBatch {
  readonly queued: true;
}

/** A transfer that has moved no money yet. `dueAt`: when the sweeper queues it. */
export interface ScheduledTransfer extends QueuedTransfer {
  readonly status: 'scheduled';
  readonly executeAt: string;
  readonly dueAt: string;
}

/** A transfer on its way to its receiver. `dueAt`: when it was last queued. */
export interface PendingTransfer extends QueuedTransfer {
  readonly status: 'pending';
  readonly dueAt: string;
}

/** A queued transfer that has arrived. */
export interface ArrivedTransfer extends QueuedTransfer, Refunds {
  readonly status: 'completed';
  /** The first of the transfers that were credited together, perhaps itself. */
  readonly settledWith?: string;
  readonly completedAt: string;
}

/** A queued transfer that could not arrive: the sender got the money back. One that was never executed had moved none. */
export interface FailedTransfer extends QueuedTransfer {
  readonly status: 'failed';
  readonly failure: Failure;
  readonly cancellation?: Cancellation;
  readonly completedAt: string;
}

/** Money from one wallet to another. */
export type Transfer = DirectTransfer | ScheduledTransfer | PendingTransfer | ArrivedTransfer | FailedTransfer;

interface WithdrawalRecord extends TransactionRecord, Fee, SentTogether, OfBatch, Schedule {
  readonly type: 'withdrawal';
  readonly destination: Destination;
  readonly attempts?: readonly Attempt[];
  /** The bank that has, or may have, the payment. Absent when no bank can have it. */
  readonly bankId?: string;
}

/** Why no worker submits an open withdrawal: its wallet is frozen, or the bank is closed. */
export const waitReasons = ['wallet_frozen', 'bank_closed'] as const;

/** The state of a worker's visits to the bank. */
interface Visits {
  /**
   * The claim that holds the lease. It is a condition of the worker's next write, so a worker that lost its claim
   * writes nothing.
   */
  readonly claimId?: string;
  /** Latest time at which a submit may have left for the bank `bankId`; absent when no submit can have left. */
  readonly submitBy?: string;
  /** When the bank first did not accept a submit; a wait for a frozen wallet removes it. */
  readonly refusedSince?: string;
  /** The reason why no worker submits the withdrawal; absent when there is none. */
  readonly waitingFor?: (typeof waitReasons)[number];
}

/** A withdrawal that holds no money yet. `dueAt`: when the sweeper queues it. */
export interface ScheduledWithdrawal extends WithdrawalRecord, Absent<Visits> {
  readonly status: 'scheduled';
  readonly executeAt: string;
  readonly dueAt: string;
}

/** A withdrawal that no worker has claimed yet. `dueAt`: from when on a worker may claim it. */
export interface PendingWithdrawal extends WithdrawalRecord, Absent<Visits> {
  readonly status: 'pending';
  readonly dueAt: string;
}

/**
 * A withdrawal that a worker has claimed. `dueAt`: from when on another worker may claim it, at the end of the lease or
 * of the backoff.
 */
export interface ExecutingWithdrawal extends WithdrawalRecord, Visits {
  readonly status: 'executing';
  readonly dueAt: string;
}

/** A withdrawal that a worker must end. */
export type OpenWithdrawal = PendingWithdrawal | ExecutingWithdrawal;

/** A withdrawal that an operator must end, or the bank's notification. `dueAt`: since when. */
export interface ReviewedWithdrawal extends WithdrawalRecord, Pick<Visits, 'refusedSince'> {
  readonly status: 'review';
  readonly dueAt: string;
}

/** The end of a withdrawal. */
interface EndedWithdrawal extends WithdrawalRecord {
  readonly completedAt: string;
  readonly resolution?: Resolution;
  /** The operator who resolved it. */
  readonly endedBy?: Actor;
}

/** A withdrawal that the bank has paid. */
export interface CompletedWithdrawal extends EndedWithdrawal {
  readonly status: 'completed';
  /** The return of the payment, when the bank sent it back. */
  readonly returnTransactionId?: string;
}

/** A withdrawal that the bank has not paid: the money is available again. One that was never executed had held none. */
export interface FailedWithdrawal extends EndedWithdrawal {
  readonly status: 'failed';
  readonly failure: Failure;
  readonly cancellation?: Cancellation;
}

/** Money to an account at a bank. */
export type Withdrawal =
  ScheduledWithdrawal | OpenWithdrawal | ReviewedWithdrawal | CompletedWithdrawal | FailedWithdrawal;

/** A payment that the service executes later. */
export type ScheduledPayment = ScheduledTransfer | ScheduledWithdrawal;

interface HoldRecord extends TransactionRecord, ByAlias {
  readonly type: 'hold';
  /** The wallet that captures pay; absent when they pay the world outside. */
  readonly counterpartyWalletId?: string | undefined;
  /** From when on nothing can be captured. */
  readonly expiresAt: string;
  /** The sum of its captures, in minor units. */
  readonly captured: number;
}

/** A promise of money: it stays held in the payer's wallet. `dueAt`: when the sweeper ends it. */
export interface OpenHold extends HoldRecord {
  readonly status: 'open';
  readonly dueAt: string;
}

/** How a hold ended: a capture took or gave back what was left, its receiver released it, or its time was over. */
export type HoldEnd = (typeof holdEnds)[number];
export const holdEnds = ['captured', 'released', 'expired'] as const;

/** A hold that holds nothing more. */
export interface EndedHold extends HoldRecord {
  readonly status: 'ended';
  readonly end: HoldEnd;
  /** The actor that made the last capture, or released it; absent when it has expired. */
  readonly endedBy?: Actor;
  /** The reason for the release, in the words of the actor. */
  readonly releaseReason?: string | undefined;
  readonly completedAt: string;
}

/** Money that a wallet promises to another wallet, or to the world outside. */
export type Hold = OpenHold | EndedHold;

/** Held money that was paid: out of the hold's wallet, `walletId`, into its receiver's. */
export interface Capture extends TransactionRecord, Fee, Refunds, ByAlias {
  readonly type: 'capture';
  readonly status: 'completed';
  readonly counterpartyWalletId?: string | undefined;
  /** The hold. */
  readonly originalTransactionId: string;
  /** The kind of the actor behind `principal`: the owner of the receiving wallet, or an operator. */
  readonly capturedBy: 'owner' | 'operator';
  readonly completedAt: string;
}

/** A capture that paid a wallet. */
export interface WalletCapture extends Capture {
  readonly counterpartyWalletId: string;
}

/** A transaction whose money can go back. */
export type Refundable = Charge | DirectTransfer | ArrivedTransfer | WalletCapture;

/** Money that goes back to the wallet that paid it, or for a charge to the world outside. `walletId` had received it. */
export interface Refund extends TransactionRecord {
  readonly type: 'refund';
  readonly status: 'completed';
  readonly counterpartyWalletId?: string | undefined;
  /** The transfer, capture or charge that it gives back. */
  readonly originalTransactionId: string;
  /** The kind of the actor behind `principal`: the owner of `walletId`, or an operator. */
  readonly refundedBy: 'owner' | 'operator';
  /** The reason, in the words of the actor. */
  readonly reason: string;
  /** Whether the world outside had taken the money already. Only such a refund may leave less than nothing available. */
  readonly chargeback?: true | undefined;
  readonly completedAt: string;
  /** The second operator, where one had to approve it. */
  readonly approvedBy?: Actor | undefined;
}

/** Fees that the service has moved to the revenue wallet of their currency, `walletId`. */
export interface Collection extends TransactionRecord {
  readonly type: 'collection';
  readonly status: 'completed';
  /** The number of this collection among those of its currency, from 1. */
  readonly sequence: number;
  /** The sum of the collections of its currency, with this one, in minor units. */
  readonly collected: number;
  readonly completedAt: string;
}

/** A movement of money, by `type`; withdrawals, transfers and holds also by `status`. */
export type Transaction = Charge | Withdrawal | Transfer | Return | Hold | Capture | Refund | Collection;

/** A transaction that a worker must end. */
export type OpenTransaction = OpenWithdrawal | PendingTransfer;

/** The members of `T`, all of them absent. */
type Absent<T> = { readonly [Member in keyof T]?: never };

/**
 * Returns whether a transaction needs no work from its queue: it has ended, an operator must end it, or its time has not
 * come.
 */
export function isAtRest(transaction: Transaction): transaction is Exclude<Transaction, OpenTransaction> {
  return transaction.status !== 'pending' && transaction.status !== 'executing';
}

/** Returns when the work of a transaction began (ISO 8601 UTC): at its execution, or else at its acceptance. */
export function beganAtOf(transaction: Pick<Transaction, 'createdAt'> & { readonly executedAt?: string }): string {
  return transaction.executedAt ?? transaction.createdAt;
}

/** Returns whether a payment was scheduled and has moved no money: its time has not come, or it failed before. */
export function isUnexecuted(transaction: Transaction): boolean {
  return 'executeAt' in transaction && transaction.executeAt !== undefined && transaction.executedAt === undefined;
}

/**
 * Returns the wallet that gets the money of a transfer, hold, capture or refund; undefined where no wallet does. The
 * receiver of a scheduled transfer must not see it before it is executed.
 */
export function receiverOf(transaction: Transaction): string | undefined {
  if (isUnexecuted(transaction)) return undefined;
  return 'counterpartyWalletId' in transaction ? transaction.counterpartyWalletId : undefined;
}

/** Returns the actor behind the command. The record of an owner's command has `ownerId`, an operator's has none. */
export function requesterOf(transaction: Transaction): Actor {
  const { type, principal, issuer, ownerId, importedAt } = transaction;
  if (importedAt !== undefined) return importer;
  if (type === 'return') return bank;
  if (type === 'collection') return service;
  const kindOfOwner = ownerId === undefined ? 'operator' : 'owner';
  const kind = type === 'capture' ? transaction.capturedBy : kindOfOwner;
  return { kind, principal, ...(issuer !== undefined && { issuer }) };
}

/** Returns the account with all but its last four characters hidden. Short accounts are hidden whole. */
export function maskAccount(account: string): string {
  const shown = account.length > 8 ? account.slice(-4) : '';
  return `****${shown}`;
}
