import { BankUnavailable } from '../bank/client.ts';
import type { BankClient } from '../bank/client.ts';
import type { StatementItem } from '../bank/answers.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { isTransactionId, transactionIdOfNumber } from '../domain/ids.ts';
import { differencesOf } from '../domain/sketch.ts';
import type { Sketch } from '../domain/sketch.ts';
import type { CompletedWithdrawal, Transaction, Withdrawal } from '../domain/transaction.ts';
import type { Table } from '../store/table.ts';
import { getTransactions } from '../store/transactions.ts';
import { UnreadableItem } from '../store/unreadable.ts';

/** A bank's statement. */
export interface Statement extends Pick<BankClient, 'statement'> {
  /** The id of the bank. Only withdrawals that went to this bank are compared with its statement. */
  readonly bankId: string;
}

/** A statement of a bank that is also asked for single payments. */
export interface AskedStatement extends Statement, Pick<BankClient, 'find'> {}

/** Returns the bank of a withdrawal when it is another one. A record without a bank belongs to this one. */
export function otherBankOf({ bankId }: Withdrawal, thisBank: string): string | undefined {
  return bankId === thisBank ? undefined : bankId;
}

/** How many transactions one read returns. */
const batchSize = 100;

/** Reads a page of the payments that the bank made from `from` (inclusive) to `until` (exclusive; both ISO 8601). */
export async function readStatement(
  bank: Statement,
  { from, until, after }: { readonly from: string; readonly until: string; readonly after: string | undefined },
): Promise<{ items: readonly StatementItem[]; next: string | undefined } | { unavailable: string }> {
  try {
    const page = await bank.statement(from, until, after);
    return page.outcome === 'page' ? page : { unavailable: page.reason };
  } catch (error) {
    if (error instanceof BankUnavailable) return { unavailable: error.message };
    throw error;
  }
}

/**
 * Compares payments of the bank with their withdrawals, one item read for each. A payment for a withdrawal that went to
 * another bank is wrong: both banks may have paid it.
 *
 * @returns `matched`: this bank's completed withdrawals, once for each payment. `open`: the payments whose withdrawals
 *   are open. `discrepancies`: the problems, by payment.
 */
export async function compareWithBank(
  table: Table,
  thisBank: string,
  payments: readonly StatementItem[],
): Promise<{
  matched: (readonly [StatementItem, CompletedWithdrawal])[];
  open: StatementItem[];
  discrepancies: (readonly [StatementItem, Discrepancy])[];
}> {
  const references = [...new Set(payments.map(({ reference }) => reference).filter(isTransactionId))];
  const known = new Map<string, Transaction | UnreadableItem>();
  for (let start = 0; start < references.length; start += batchSize) {
    const found = await getTransactions(table, references.slice(start, start + batchSize));
    for (const [transactionId, transaction] of found) known.set(transactionId, transaction);
  }
  const matched: (readonly [StatementItem, CompletedWithdrawal])[] = [];
  const open: StatementItem[] = [];
  const discrepancies: (readonly [StatementItem, Discrepancy])[] = [];
  for (const payment of payments) {
    const transaction = known.get(payment.reference);
    if (transaction instanceof UnreadableItem) {
      const detail = transaction.problem;
      discrepancies.push([payment, { kind: 'unreadable', subject: payment.reference, detail }]);
      continue;
    }
    const otherBank = transaction?.type === 'withdrawal' ? otherBankOf(transaction, thisBank) : undefined;
    const problem =
      otherBank === undefined
        ? problemOfPayment(payment, transaction)
        : `this bank has paid ${payment.amount} ${payment.currency}, and the withdrawal went to bank ${otherBank}`;
    if (problem !== undefined) {
      discrepancies.push([payment, { kind: 'payment_differs', subject: payment.reference, detail: problem }]);
    }
    if (otherBank !== undefined) continue;
    if (transaction?.type !== 'withdrawal') continue;
    if (transaction.status === 'completed') matched.push([payment, transaction]);
    else if (transaction.status !== 'failed') open.push(payment);
  }
  return { matched, open, discrepancies };
}

function problemOfPayment(payment: StatementItem, transaction: Transaction | undefined): string | undefined {
  const paid = `the bank has paid ${payment.amount} ${payment.currency}`;
  if (transaction?.type !== 'withdrawal') return `${paid}, and there is no such withdrawal`;
  const { amount, currency, status } = transaction;
  if (amount !== payment.amount || currency !== payment.currency) {
    return `${paid}, the withdrawal is ${amount} ${currency}`;
  }
  // The bank may have paid an open withdrawal already. Its worker will ask the bank.
  return status === 'failed' ? `${paid}, and the withdrawal has failed: its money was given back` : undefined;
}

/** Returns the differences between completed withdrawals and payments. */
export function notPaid(paid: Sketch): Discrepancy[] {
  const { ids, complete } = differencesOf(paid);
  const named = [...ids].map(([id, times]): Discrepancy => {
    const subject = transactionIdOfNumber(id);
    return times < 0
      ? { kind: 'payment_missing', subject, detail: 'it is completed, and the bank knows no payment for it' }
      : { kind: 'payment_differs', subject, detail: `the bank has paid it ${times + 1} times` };
  });
  return complete
    ? named
    : [
        ...named,
        { kind: 'payment_missing', subject: 'bank', detail: 'further payments are missing, too many to name each' },
      ];
}
