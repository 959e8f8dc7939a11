/** Results that several commands have. */
import type { Transaction } from '../types.ts';
import type { Result } from './command.ts';
import { exits } from './exits.ts';
import { columns, money, transactionText } from './text.ts';

/** Returns a transaction as a result. */
export function done(transaction: Transaction): Result {
  return { data: transaction, text: transactionText(transaction) };
}

/** Returns a transaction that was waited for. A failure is an exit code of its own, unless it was the wanted status. */
export function endOf(transaction: Transaction, isWanted: boolean): Result {
  const hasFailed = transaction.status === 'failed' && !isWanted;
  return { ...done(transaction), ...(hasFailed && { exitCode: exits.otherEnd }) };
}

/** Returns the price of a command that was not carried out. */
export function priced(price: { readonly amount: number; readonly fee: number; readonly currency: string }): Result {
  const { amount, fee, currency } = price;
  const rows = [
    ['amount', money(amount, currency)],
    ['fee', money(fee, currency)],
  ];
  return { data: price, text: `${columns(rows)}\nno money has moved` };
}
