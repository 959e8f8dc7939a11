/** Ordinary events in the life of wallets: ends of withdrawals and transfers, and a history with one of each. */
import assert from 'node:assert/strict';
import { currencyOfWalletId, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { queuedTransfer } from '../../lambdas/domain/transfer.ts';
import { withdrawal } from '../../lambdas/domain/withdrawal.ts';
import { movement, putTransaction } from '../../lambdas/store/commit.ts';
import { dueShardOf } from '../../lambdas/store/due-keys.ts';
import { debit, hold } from '../../lambdas/store/movements.ts';
import { write } from '../../lambdas/store/write.ts';
import { returnWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { releaseWithdrawal, settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import type { FindOutcome, StatementItem, StatementOutcome } from '../../lambdas/bank/answers.ts';
import type { AskedStatement } from '../../lambdas/integrity/statement.ts';
import type { PendingTransfer, PendingWithdrawal, Transaction } from '../../lambdas/domain/transaction.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { getTransactions } from '../../lambdas/store/transactions.ts';
import { failTransfer, settleTransfers } from '../../lambdas/store/transfers.ts';
import { charge, destination, newKey, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { accountClosed, bankId, claimed, visit } from './visits.ts';
import { fundedWallet, setStatus } from './wallets.ts';
import type { TestTable } from '../engine.ts';

/** Settles the withdrawal: the bank has paid. */
export async function settle(table: Table, transactionId: string): Promise<void> {
  await end(table, transactionId, true);
}

/** Releases the withdrawal: the bank has not paid. */
export async function release(table: Table, transactionId: string): Promise<void> {
  await end(table, transactionId, false);
}

async function end(table: Table, transactionId: string, paid: boolean): Promise<void> {
  const claim = await claimed(table, transactionId);
  assert.ok(
    paid
      ? await settleWithdrawal(table, claim, visit(table, 'accepted'))
      : await releaseWithdrawal(table, claim, visit(table, 'rejected'), accountClosed),
  );
}

/** Settles queued transfers to one wallet in one batch. */
export async function arrive(table: Table, ...transactionIds: readonly string[]): Promise<void> {
  const [first, ...others] = await queued(table, transactionIds);
  assert.ok(first);
  assert.ok((await settleTransfers(table, [first, ...others], timeOf(table))).settled);
}

async function queued(table: Table, transactionIds: readonly string[]): Promise<PendingTransfer[]> {
  const found = await getTransactions(table, transactionIds);
  return transactionIds.map((id) => found.get(id) as PendingTransfer);
}

/**
 * Debits a wallet of ann for several queued transfers in one write. They share an entry, which has the name of the first.
 */
export async function sendTogether(table: Table, walletId: string, to: readonly (readonly [string, number])[]) {
  const group = to.map(([toWalletId, amount]) => queuedTransfer({ ...factsOf(table, walletId, amount), toWalletId }));
  return commitTogether(table, debit, group);
}

/** Holds money in a wallet of ann for several withdrawals in one write. They share an entry as well. */
export async function withdrawTogether(table: Table, walletId: string, amounts: readonly number[]) {
  const group = amounts.map((amount) => withdrawal({ ...factsOf(table, walletId, amount), destination }));
  return commitTogether(table, hold, group);
}

function factsOf(table: Table, walletId: string, amount: number) {
  const facts = { principal: 'ann', ownerId: 'ann', walletId, amount, at: timeOf(table) };
  return { ...facts, transactionId: transactionIdOf('ann', newKey()), currency: currencyOfWalletId(walletId) ?? '' };
}

async function commitTogether<T extends PendingTransfer | PendingWithdrawal>(
  table: Table,
  change: typeof debit,
  group: readonly T[],
): Promise<T[]> {
  const [first] = group;
  assert.ok(first);
  const sent = group.map((one) => ({ ...one, sentWith: first.transactionId }));
  const amounts = group.map(({ amount }) => amount);
  const amount = amounts.reduce((sum, more) => sum + more, 0);
  const result = await write(table, [
    change(table, { ...movement(first), amount, largest: Math.max(...amounts) }),
    ...sent.map((one) => putTransaction(table, one, 'together', { dueShard: dueShardOf(one.type, one.transactionId) })),
  ]);
  assert.ok(result.written);
  return sent;
}

interface Paid {
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
}

/** Returns a bank that has paid these payments. Its statement has one on a page, the oldest first. */
export function bankThatPaid(paid: readonly Paid[], paidAt: string): AskedStatement;
export function bankThatPaid(paid: readonly StatementItem[]): AskedStatement;
export function bankThatPaid(paid: readonly (Paid & { readonly paidAt?: string })[], paidAt = ''): AskedStatement {
  const items: StatementItem[] = paid.map((payment) => ({ paidAt, ...payment }));
  return {
    bankId,
    statement: (from, to, after = '0'): Promise<StatementOutcome> => {
      const asked = items.filter((item) => item.paidAt >= from && item.paidAt < to);
      const next = Number(after) + 1;
      const page = asked.slice(Number(after), next);
      return Promise.resolve({ outcome: 'page', items: page, next: next < asked.length ? String(next) : undefined });
    },
    find: ({ reference }): Promise<FindOutcome> => {
      const isPaid = items.some((item) => item.reference === reference);
      return Promise.resolve({ outcome: isPaid ? 'accepted' : 'not_found' });
    },
  };
}

/** The wallets of a history, and its withdrawals that the bank has paid. */
export interface History {
  readonly ann: string;
  readonly ben: string;
  readonly cid: string;
  readonly paid: readonly [Paid, Paid];
}

/**
 * Creates three wallets and moves money in every way once. It takes about seven minutes; half of the work stays open.
 */
export async function busyHistory(table: TestTable): Promise<History> {
  const pass = () => (table.clock.now += 7_000);
  const ann = await fundedWallet(table, 'ann', 10_000);
  const ben = await fundedWallet(table, 'ben', 5_000);
  const cid = await fundedWallet(table, 'cid', 900, 'JPY');
  pass();
  await transfer(table, ann, ben, { owner: 'ann', amount: 1_500 });
  const paid = (await withdraw(table, ann, { owner: 'ann', amount: 700 })).transaction;
  const refused = (await withdraw(table, ben, { owner: 'ben', amount: 400 })).transaction;
  const returned = (await withdraw(table, cid, { owner: 'cid', amount: 250 })).transaction;
  await withdraw(table, ben, { owner: 'ben', amount: 111 });
  pass();
  await settle(table, paid.transactionId);
  await release(table, refused.transactionId);
  await settle(table, returned.transactionId);
  pass();
  const original = (await getTransactions(table, [returned.transactionId])).get(returned.transactionId);
  assert.ok(original !== undefined && 'type' in original && original.type === 'withdrawal');
  await returnWithdrawal(table, original, { at: timeOf(table) });
  const first = (await queueTransfer(table, ann, ben, { owner: 'ann', amount: 20 })).transaction;
  const second = (await queueTransfer(table, ann, ben, { owner: 'ann', amount: 30 })).transaction;
  const lost = (await queueTransfer(table, ann, ben, { owner: 'ann', amount: 50 })).transaction;
  await queueTransfer(table, ben, ann, { owner: 'ben', amount: 5 });
  pass();
  await arrive(table, first.transactionId, second.transactionId);
  const [open] = await queued(table, [lost.transactionId]);
  assert.ok(open);
  await failTransfer(table, open, accountClosed, timeOf(table));
  await setStatus(table, ben, 'frozen');
  await charge(table, ann, { amount: 1 });
  return {
    ann,
    ben,
    cid,
    paid: [payment(paid), payment(returned)],
  };
}

function payment({ transactionId, amount, currency }: Transaction): Paid {
  return { reference: transactionId, amount, currency };
}
