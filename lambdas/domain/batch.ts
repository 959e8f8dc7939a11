import type { Actor } from './actor.ts';
import type { ErrorCode, InvalidField, WalletError } from './errors.ts';
import { currencyOfWalletId, transactionIdOfLine } from './ids.ts';
import { maxAmount } from './money.ts';
import type { PendingTransfer, PendingWithdrawal, Transaction } from './transaction.ts';
import type { Annotations, Destination } from './transaction-record.ts';
import { queuedTransfer } from './transfer.ts';
import { debitRefusal } from './wallet.ts';
import type { Wallet } from './wallet.ts';
import { withdrawal } from './withdrawal.ts';

/** Most lines of a batch. */
export const mostLines = 10_000;

/**
 * Most payments out of one wallet in one write: DynamoDB takes 100 items, and the wallet is one of them. One with a unique
 * reference counts twice.
 */
export const mostPaymentsPerWrite = 99;

interface LineMembers extends Annotations {
  /** The caller's name for the line; no other line of its batch has it. */
  readonly key: string;
  /** The wallet that pays. */
  readonly walletId: string;
  /** In minor units. */
  readonly amount: number;
  /** What the payer pays beside it, by the schedule when the batch was accepted; absent: nothing. In minor units. */
  readonly fee?: number;
  readonly uniqueReference?: true | undefined;
}

/** A line that asks for a transfer. It names the receiver by its wallet, or by its alias `to`. */
export interface TransferLine extends LineMembers {
  readonly type: 'transfer';
  readonly toWalletId?: string | undefined;
  readonly to?: string | undefined;
}

/** A line for a transfer whose receiving wallet is known. */
export interface ReceivedLine extends TransferLine {
  readonly toWalletId: string;
}

/** A line that asks for a withdrawal. */
export interface WithdrawalLine extends LineMembers {
  readonly type: 'withdrawal';
  readonly destination: Destination;
}

/** One payment that a batch asks for. */
export type BatchLine = TransferLine | WithdrawalLine;

interface BatchRecord {
  readonly batchId: string;
  /** The operator that sent it: the token's `sub`, and the mark of the token's issuer. */
  readonly principal: string;
  readonly issuer?: string | undefined;
  /** The number of its lines. */
  readonly count: number;
  /** The number of lines whose transactions were accepted. */
  readonly accepted: number;
  /** The number of lines that were refused. */
  readonly refused: number;
  /** The number of parts in which its lines are stored, and the next one that a worker makes. */
  readonly chunks: number;
  readonly nextChunk: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A batch with lines that a worker must make. `dueAt`: when it last went on. */
export interface OpenBatch extends BatchRecord {
  readonly status: 'accepted' | 'executing';
  readonly dueAt: string;
}

/** A batch whose lines are all accepted or refused. Their transactions end on their own. */
export interface CompletedBatch extends BatchRecord {
  readonly status: 'completed';
  readonly completedAt: string;
}

/** A file of payments that was accepted as a whole. */
export type Batch = OpenBatch | CompletedBatch;

export const batchStatuses = ['accepted', 'executing', 'completed'] as const satisfies readonly Batch['status'][];

/** The transaction of a line at its acceptance. */
export type Payment = PendingTransfer | PendingWithdrawal;

/** The final refusal of a line, as it is recorded. */
export interface LineRefusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The state of a line: its transaction as it is now, or its refusal. */
export type LineState = { readonly transaction: Transaction } | { readonly refusal: LineRefusal };

/** Returns a batch as it is accepted. `chunks`: the number of parts in which its lines are stored. */
export function acceptedBatch(facts: {
  readonly batchId: string;
  readonly by: Actor;
  readonly count: number;
  readonly chunks: number;
  readonly at: string;
}): OpenBatch {
  const { batchId, by, count, chunks, at } = facts;
  return {
    batchId,
    status: 'accepted',
    principal: by.principal,
    issuer: by.issuer,
    count,
    accepted: 0,
    refused: 0,
    chunks,
    nextChunk: 0,
    createdAt: at,
    updatedAt: at,
    dueAt: at,
  };
}

/** Returns the transaction that a line makes at a time, ISO 8601 UTC. */
export function paymentOf(
  { batchId, principal, issuer }: Pick<Batch, 'batchId' | 'principal' | 'issuer'>,
  line: ReceivedLine | WithdrawalLine,
  at: string,
): Payment {
  const { walletId, amount, fee, externalReference, uniqueReference, description, metadata } = line;
  const currency = currencyOfWalletId(walletId);
  if (currency === undefined) throw new Error(`a line of batch ${batchId} was accepted without a wallet`);
  const transactionId = transactionIdOfLine(batchId, line.key);
  const by = { principal, issuer, ownerId: undefined };
  const annotations = { externalReference, uniqueReference, description, metadata };
  const facts = { ...by, transactionId, walletId, amount, fee, currency, ...annotations, at };
  const payment =
    line.type === 'transfer'
      ? queuedTransfer({ ...facts, toWalletId: line.toWalletId, to: line.to })
      : withdrawal({ ...facts, destination: line.destination });
  return { ...payment, batchId };
}

/** Returns the defects of a line that are in no single field, and that no state of a wallet can change. */
export function problemsOfLine(line: BatchLine): InvalidField[] {
  const currency = currencyOfWalletId(line.walletId);
  if (currency === undefined) return [{ path: 'walletId', message: "must be a wallet's id" }];
  if (line.type === 'withdrawal' || line.toWalletId === undefined) return [];
  const problem = (message: string) => [{ path: 'toWalletId', message }];
  if (line.toWalletId === line.walletId) return problem('must be another wallet than walletId');
  const receives = currencyOfWalletId(line.toWalletId);
  if (receives === undefined) return problem("must be a wallet's id");
  return receives === currency ? [] : problem(`must hold ${currency}, the currency of walletId`);
}

/** Returns the money that a payment takes out of `available` at its acceptance, in minor units. */
export function takenBy({ postings: [first] }: Payment): number {
  return -(first?.amount ?? 0);
}

/**
 * Splits payments into groups that one write can make, and keeps their order. A group has one paying wallet, one type, at
 * most `most` payments, and amounts that add up to a valid amount. A payment with a unique reference counts twice.
 */
export function groupByPayer(payments: readonly Payment[], most = mostPaymentsPerWrite): [Payment, ...Payment[]][] {
  const open = new Map<string, { group: [Payment, ...Payment[]]; sum: number; items: number }>();
  const groups: [Payment, ...Payment[]][] = [];
  for (const payment of payments) {
    const name = `${payment.type} ${payment.walletId}`;
    const current = open.get(name);
    const amount = takenBy(payment);
    const items = payment.uniqueReference === undefined ? 1 : 2;
    if (current !== undefined && current.items + items <= most && current.sum <= maxAmount - amount) {
      current.group.push(payment);
      current.sum += amount;
      current.items += items;
    } else {
      const group: [Payment, ...Payment[]] = [payment];
      groups.push(group);
      open.set(name, { group, sum: amount, items });
    }
  }
  return groups;
}

/** Returns the payments of a group that their payer takes together: each that still fits after those before it. */
export function fittingPayments(payer: Wallet | undefined, group: readonly Payment[], at: string): Payment[] {
  const fitting: Payment[] = [];
  let sum = 0;
  let largest = 0;
  for (const payment of group) {
    const { walletId, currency } = payment;
    const amount = takenBy(payment);
    const together = {
      walletId,
      ownerId: undefined,
      currency,
      amount: sum + amount,
      largest: Math.max(largest, amount),
      at,
    };
    if (sum > maxAmount - amount || debitRefusal(payer, together) !== undefined) continue;
    fitting.push(payment);
    sum += amount;
    largest = together.largest;
  }
  return fitting;
}

/** Returns why the payer takes this payment alone not; undefined when it does. */
export function paymentRefusal(payer: Wallet | undefined, payment: Payment, at: string): WalletError | undefined {
  const { walletId, currency } = payment;
  return debitRefusal(payer, { walletId, ownerId: undefined, currency, amount: takenBy(payment), at });
}
