import {
  approvalIdOfTransaction,
  batchIdOfTransaction,
  isApprovalId,
  isBatchId,
  isStandingOrderId,
  isTransactionId,
  isWalletId,
  transactionIdOf,
  transactionIdOfReceipt,
} from '../../lambdas/domain/ids.ts';
import { maskAccount } from '../../lambdas/domain/transaction.ts';
import { isRefundable, leftToRefund } from '../../lambdas/domain/refund.ts';
import type { Hold, Transaction } from '../../lambdas/domain/transaction.ts';
import type { Attempt } from '../../lambdas/domain/transaction-record.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import type { Batch } from '../../lambdas/domain/batch.ts';
import { getBatch } from '../../lambdas/store/batches.ts';
import { lastEntry } from '../../lambdas/store/entries.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { approvalReport } from './approvals.ts';
import { orderReport } from './standing-orders.ts';
import { limitLines } from './limit-lines.ts';
import { splitReport } from './splits.ts';
import { UsageError } from '../command.ts';
import type { OpsOptions, Report, Target } from './target.ts';

/** Reports the state of a transaction, an approval, a split, a batch, a standing order or a wallet, and what happens next. */
export async function where(target: Target, options: OpsOptions): Promise<Report> {
  const id = idOf(options);
  if (isWalletId(id)) return walletReport(target, id);
  if (isApprovalId(id)) return (await approvalReport(target.table, id)) ?? notFound(id, 'approval');
  if (isBatchId(id)) return batchReport(target, id);
  if (isStandingOrderId(id)) return (await orderReport(target.table, id)) ?? notFound(id, 'standing order');
  if (!isTransactionId(id)) {
    throw new UsageError(
      `"${id}" is no id: give that of a wallet (w_…), transaction (tx_…), approval (ap_…), batch (bt_…), standing order (so_…) or receipt (RCP-…)`,
    );
  }
  const transaction = await getTransaction(target.table, id);
  if (transaction === undefined) {
    // The command may have made a batch, wait for a second operator, or be a split.
    const { table } = target;
    const batch = await getBatch(table, batchIdOfTransaction(id));
    if (batch !== undefined) return batchLines(batch);
    const report = (await approvalReport(table, approvalIdOfTransaction(id))) ?? (await splitReport(table, id));
    return report ?? notFound(id, 'transaction');
  }
  const next = nextStep(transaction, Date.now());
  return {
    lines: [...transactionLines(transaction), `next: ${next}`],
    data: { ...withoutPersonalData(transaction), next },
    isWrong: transaction.status === 'review',
  };
}

async function batchReport({ table }: Target, batchId: string): Promise<Report> {
  const batch = await getBatch(table, batchId);
  return batch === undefined ? notFound(batchId, 'batch') : batchLines(batch);
}

function batchLines(batch: Batch): Report {
  const { batchId, status, count, accepted, refused, createdAt, updatedAt } = batch;
  const waiting = count - accepted - refused;
  const lines = [
    `${batchId}: batch, ${status}`,
    `lines: ${count}: ${accepted} accepted, ${refused} refused, ${waiting} waiting`,
    `accepted: ${createdAt}, last change: ${updatedAt}`,
    `next: ${status === 'completed' ? 'nothing, each line is accepted or refused' : 'its worker makes the waiting lines'}`,
  ];
  return { lines, data: batch, isWrong: false };
}

const idNames = {
  transaction: 'transactionId',
  approval: 'approvalId',
  batch: 'batchId',
  'standing order': 'standingOrderId',
} as const;

function notFound(id: string, what: keyof typeof idNames): Report {
  return { lines: [`${id}: no ${what} has this id`], data: { [idNames[what]]: id, found: false }, isWrong: true };
}

/** Returns the id that the options name: itself, by a receipt, or by a caller's key. A bank's reference is an id. */
function idOf({ subject, principal, key }: OpsOptions): string {
  if (principal !== undefined && key !== undefined) return transactionIdOf(principal, key);
  if (subject === undefined) throw new UsageError('where needs an id, or --principal with --key');
  return transactionIdOfReceipt(subject) ?? subject;
}

async function walletReport({ table, entries }: Target, walletId: string): Promise<Report> {
  const [wallet, last] = await Promise.all([
    getWallet(table, walletId, { consistent: true }),
    lastEntry(entries, walletId),
  ]);
  if (wallet === undefined) {
    return { lines: [`${walletId}: no wallet has this id`], data: { walletId, found: false }, isWrong: true };
  }
  // The two reads are no snapshot: the ledger may be ahead.
  const behind = Math.max(0, wallet.version - (last?.version ?? -1));
  const ledger = behind === 0 ? 'has every change' : `changes missing at its end: ${String(behind)}`;
  return {
    lines: [...walletLines(wallet), `ledger: ${ledger}`],
    data: { ...wallet, ledgerLacks: behind },
  };
}

function walletLines({
  walletId,
  ownerId,
  status,
  currency,
  available,
  held,
  total,
  version,
  ...rest
}: Wallet): string[] {
  return [
    `${walletId}: ${status}, of owner ${ownerId}`,
    `balance: ${String(available)} available, ${String(held)} held, ${String(total)} total (${currency}, minor units)`,
    ...(rest.chargedBack === undefined ? [] : [`charged back: ${String(rest.chargedBack)}`]),
    `version: ${String(version)}, since ${rest.updatedAt}` +
      (rest.lastTransactionId === undefined ? '' : `, by ${rest.lastTransactionId}`),
    ...(rest.lastStatusChange === undefined
      ? []
      : [`last change of status: ${rest.lastStatusChange.status} at ${rest.lastStatusChange.at}`]),
    ...limitLines(rest),
  ];
}

/** Returns the lines that describe a transaction, without personal data. */
export function transactionLines(transaction: Transaction): string[] {
  const { transactionId, type, status, amount, currency, walletId, createdAt, updatedAt } = transaction;
  const receiver = 'counterpartyWalletId' in transaction ? transaction.counterpartyWalletId : undefined;
  return [
    `${transactionId}: ${type}, ${status}`,
    `amount: ${String(amount)} ${currency} (minor units), wallet ${walletId}`,
    `accepted: ${createdAt}, last change: ${updatedAt}`,
    ...(receiver === undefined ? [] : [`receiver: ${receiver}`]),
    ...('fee' in transaction ? [`fee: ${String(transaction.fee)}, paid by the ${feePayerOf(transaction)}`] : []),
    ...(transaction.type === 'collection'
      ? [`collection ${transaction.sequence}: with it ${transaction.collected} were collected in ${currency}`]
      : []),
    ...('executeAt' in transaction ? [`executes at: ${transaction.executeAt ?? ''}${executionText(transaction)}`] : []),
    ...(transaction.type === 'hold' ? [holdLine(transaction)] : []),
    ...('originalTransactionId' in transaction ? [`of: ${transaction.originalTransactionId}`] : []),
    ...('splitId' in transaction ? [`leg of the split: ${transaction.splitId}`] : []),
    ...(transaction.type === 'refund' && transaction.chargeback ? ['a chargeback'] : []),
    ...(isRefundable(transaction) && transaction.refunds
      ? [`refunded: ${transaction.amount - leftToRefund(transaction)}, by ${transaction.refunds.join(', ')}`]
      : []),
    ...(transaction.type === 'withdrawal'
      ? [
          `destination: ${maskAccount(transaction.destination.account)}, bank: ${transaction.bankId ?? 'none yet'}`,
          ...(transaction.attempts ?? []).map(attemptLine),
        ]
      : []),
    ...('failure' in transaction ? [`failure: ${transaction.failure.code}: ${transaction.failure.message}`] : []),
  ];
}

function feePayerOf({ type }: Transaction): string {
  if (type === 'capture') return 'receiver';
  return type === 'transfer' ? 'sender' : 'wallet';
}

function executionText({ executedAt }: { readonly executedAt?: string }): string {
  return executedAt === undefined ? '' : `, executed at ${executedAt}`;
}

function holdLine(hold: Hold): string {
  const { captured, expiresAt } = hold;
  const end = hold.status === 'ended' ? `, ended at ${hold.completedAt}: ${hold.end}` : '';
  return `captured: ${String(captured)}, expires: ${expiresAt}${end}`;
}

function attemptLine({ at, submitted, outcome, reason }: Attempt): string {
  return `  visit ${at}: ${submitted ? 'submitted' : 'asked'}, ${outcome}${reason === undefined ? '' : ` (${reason})`}`;
}

/** Returns a transaction without personal data: without the words of callers, and with its account masked. */
export function withoutPersonalData(transaction: Transaction): object {
  const { description, metadata, externalReference, ...facts } = transaction;
  if (transaction.type === 'hold') return { ...facts, releaseReason: undefined };
  if (transaction.type === 'refund') return { ...facts, reason: undefined };
  if (transaction.type !== 'withdrawal') return facts;
  return { ...facts, destination: { account: maskAccount(transaction.destination.account) } };
}

/** Returns what happens next to a transaction, in one sentence. */
function nextStep(transaction: Transaction, now: number): string {
  const { status } = transaction;
  if (status === 'completed' || status === 'failed' || status === 'ended') {
    const returned = 'returnTransactionId' in transaction ? transaction.returnTransactionId : undefined;
    return returned === undefined ? 'nothing, it has ended' : `nothing, the payment came back as ${returned}`;
  }
  if (status === 'review') {
    return `an operator resolves it (docs/runbook.md#withdrawal-in-review); it has waited since ${transaction.dueAt}`;
  }
  const lateSeconds = Math.round((now - Date.parse(transaction.dueAt)) / 1000);
  const when = lateSeconds > 0 ? `overdue by ${String(lateSeconds)} s` : `due in ${String(-lateSeconds)} s`;
  if (transaction.type === 'hold') {
    const taker = transaction.counterpartyWalletId === undefined ? 'an operator' : 'its receiver or an operator';
    return lateSeconds >= 0
      ? `the sweeper ends it, as it has expired; it is ${when}`
      : `${taker} captures it or releases it; the sweeper ends it when it has expired: it is ${when}`;
  }
  if (status === 'scheduled') return `the sweeper queues it at its time, and a worker executes it; it is ${when}`;
  if (transaction.type === 'transfer') return `the transfer worker credits the receiver; it is ${when}`;
  if (status === 'pending') return `a worker claims it and asks the bank to pay; it is ${when}`;
  if (transaction.waitingFor === 'wallet_frozen') {
    return `it waits until its wallet is not frozen; the next look is ${when}`;
  }
  if (transaction.waitingFor === 'bank_closed') return `it waits until the bank opens; it is ${when}`;
  if (transaction.claimId !== undefined) return `a worker has claimed it; the next claim is ${when}`;
  return `a worker visits the bank again; it is ${when}`;
}
