/** Commands of the store as the handlers compose them, with keys that no other test uses. */
import { currencyOfWalletId, fingerprintOf, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { charge as newCharge } from '../../lambdas/domain/charge.ts';
import { queuedTransfer as newQueuedTransfer, transfer as newTransfer } from '../../lambdas/domain/transfer.ts';
import { withdrawal as newWithdrawal } from '../../lambdas/domain/withdrawal.ts';
import type { Annotations, Destination } from '../../lambdas/domain/transaction-record.ts';
import type { Operation } from '../../lambdas/store/operations.ts';
import type { RateLimit } from '../../lambdas/store/rate-window.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { commitCharge } from '../../lambdas/store/charges.ts';
import { acceptTransfer, commitTransfer } from '../../lambdas/store/transfers.ts';
import { acceptWithdrawal } from '../../lambdas/store/withdrawals.ts';

let keys = 0;

/** Returns an unused key. */
export function newKey(): string {
  return `key-${String(++keys)}`;
}

export const destination: Destination = { account: 'DE02120300000000202051', name: 'Ann Example' };

export interface Command extends Annotations {
  /** The caller; the operator by default. */
  readonly owner?: string;
  readonly key?: string;
  readonly amount: number;
  /** The currency of the command; the wallet's own by default. */
  readonly currency?: string;
  /** By the schedule of the route, and so no part of the request. */
  readonly fee?: number;
  readonly rate?: RateLimit;
}

const operator = 'operator-1';

function factsOf(table: Table, walletId: string, command: Command) {
  const { owner, key = newKey(), rate, ...request } = command;
  const principal = owner ?? operator;
  return {
    ...request,
    transactionId: transactionIdOf(principal, key),
    principal,
    ownerId: owner,
    walletId,
    currency: command.currency ?? currencyOfWalletId(walletId) ?? 'XXX',
    at: timeOf(table),
  };
}

export function charge(table: Table, walletId: string, command: Command) {
  return commitCharge(table, newCharge(factsOf(table, walletId, command)), print('charge', walletId, command));
}

export async function withdraw(
  table: Table,
  walletId: string,
  command: Command & { readonly destination?: Destination },
) {
  const wanted = newWithdrawal({ destination, ...factsOf(table, walletId, command) });
  const accepted = await acceptWithdrawal(table, wanted, print('withdraw', walletId, command), command.rate);
  const { transaction, replayed } = accepted;
  if (transaction.type !== 'withdrawal') throw new Error(`not a withdrawal: ${transaction.transactionId}`);
  return { transaction, replayed };
}

export function transfer(table: Table, walletId: string, toWalletId: string, command: Command) {
  const transaction = newTransfer({ ...factsOf(table, walletId, command), toWalletId });
  const fingerprint = print('transfer', walletId, command, toWalletId);
  return commitTransfer(table, transaction, fingerprint, command.rate);
}

export async function queueTransfer(table: Table, walletId: string, toWalletId: string, command: Command) {
  const wanted = newQueuedTransfer({ ...factsOf(table, walletId, command), toWalletId });
  const accepted = await acceptTransfer(table, wanted, print('transfer', walletId, command, toWalletId), command.rate);
  const { transaction, replayed } = accepted;
  if (transaction.type !== 'transfer') throw new Error(`not a transfer: ${transaction.transactionId}`);
  return { transaction, replayed };
}

/** Returns the table's time as records have it, or a time so much later. */
export function timeOf(table: Table, laterMs = 0): string {
  return new Date(table.now() + laterMs).toISOString();
}

/** Returns an operation as a handler states it, by the operator unless an owner is named. */
export function operation(
  table: Table,
  request: unknown,
  of: { readonly owner?: string | undefined; readonly key?: string | undefined } = {},
): Operation {
  return {
    kind: of.owner === undefined ? 'operator' : 'owner',
    principal: of.owner ?? operator,
    idempotencyKey: of.key ?? newKey(),
    fingerprint: fingerprintOf(request),
    at: timeOf(table),
  };
}

function print(name: string, walletId: string, command: Command, toWalletId?: string): string {
  const { owner, key, rate, fee, ...request } = command;
  return fingerprintOf([name, walletId, toWalletId, request]);
}
