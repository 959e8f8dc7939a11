/** Results as people read them. */
import type { Balance, Transaction, Wallet } from '../types.ts';

/** Characters that a terminal obeys, or that turn the direction of a text. */
const commanding = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Returns a value as a terminal may show it, in one line: others have written the texts of a transaction. */
function plain(text: string): string {
  return text.replaceAll(commanding, '\ufffd');
}

/** Returns lines as a terminal may show them. */
export function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

/** Returns a value as JSON, without the characters that a terminal obeys. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2) as string | undefined;
  // JSON escapes some of them itself. Its own ends of lines stay.
  const escaped = text?.replaceAll(commanding, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped ?? 'null';
}

/** Returns an amount with its currency, as `100.00 USD (10000)`: in units, and in minor units as commands take it. */
export function money(minor: number, currency: string): string {
  const decimals = decimalsOf(currency);
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0');
  const sign = minor < 0 ? '-' : '';
  const units = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
  return `${sign}${units} ${currency} (${minor})`;
}

function decimalsOf(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

/** Returns rows of aligned columns. Columns of `right` are aligned to the right. */
export function columns(given: readonly (readonly string[])[], right: readonly number[] = []): string {
  const rows = given.map((row) => row.map(plain));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Returns a list of names and values, without the values that are absent. */
function fields(values: Readonly<Record<string, string | undefined>>): string {
  return columns(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

export function walletText({ walletId, ownerId, alias, status, currency, balance }: Wallet): string {
  const shown = { wallet: walletId, owner: ownerId, alias: alias === undefined ? undefined : `@${alias}` };
  return fields({ ...shown, status, ...amountsOf(balance, currency) });
}

export function balanceText(balance: Balance): string {
  const { walletId, currency, at, final } = balance;
  return fields({
    wallet: walletId,
    ...amountsOf(balance, currency),
    at,
    final: final === undefined ? undefined : String(final),
  });
}

function amountsOf({ available, held, total }: Pick<Balance, 'available' | 'held' | 'total'>, currency: string) {
  return { available: money(available, currency), held: money(held, currency), total: money(total, currency) };
}

export function transactionText(transaction: Transaction): string {
  const { transactionId, type, status, amount, fee, currency, walletId, destination, failure } = transaction;
  return fields({
    transaction: transactionId,
    type,
    status,
    amount: money(amount, currency),
    fee: fee === undefined ? undefined : money(fee, currency),
    wallet: walletId,
    to: transaction.to ?? transaction.counterpartyWalletId ?? destination?.account,
    description: transaction.description,
    reference: transaction.externalReference,
    failure: failure && `${failure.code}: ${failure.message}`,
    created: transaction.createdAt,
  });
}

/** Returns the history of a wallet, with a sign where the transaction changed its total. */
export function historyText(walletId: string, transactions: readonly Transaction[]): string {
  if (transactions.length === 0) return 'no transactions';
  const rows = transactions.map((transaction) => {
    const { createdAt, type, status, amount, currency, transactionId, description = '' } = transaction;
    const change = transaction.postings
      .filter(({ account }) => account.startsWith(`wallet:${walletId}:`))
      .reduce((sum, posting) => sum + posting.amount, 0);
    const shown = change > 0 ? `+${money(amount, currency)}` : money(change < 0 ? -amount : amount, currency);
    return [createdAt, type, status, shown, transactionId, description];
  });
  return columns([['TIME', 'TYPE', 'STATUS', 'AMOUNT', 'TRANSACTION', 'DESCRIPTION'], ...rows], [3]);
}

export function walletsText(wallets: readonly Wallet[]): string {
  if (wallets.length === 0) return 'no wallets';
  const rows = wallets.map(({ walletId, ownerId, status, currency, balance }) => {
    return [walletId, ownerId, status, money(balance.available, currency), money(balance.held, currency)];
  });
  return columns([['WALLET', 'OWNER', 'STATUS', 'AVAILABLE', 'HELD'], ...rows], [3, 4]);
}
