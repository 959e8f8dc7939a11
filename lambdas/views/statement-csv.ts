import { decimalText } from '../domain/minor-units.ts';
import type { StatementFormat } from './statement-view.ts';

/** The columns. The first row names them, the second is the opening balance, and the last the closing one. */
const columns = [
  ...['at', 'type', 'amount', 'fee', 'balance', 'currency', 'available', 'held', 'transactionId', 'receiptCode'],
  ...['counterparty', 'counterpartyName', 'externalReference', 'description', 'version', 'hash'],
] as const;
type Row = Readonly<Partial<Record<(typeof columns)[number], string | undefined>>>;

/**
 * The place before a sign with which a formula begins: at the beginning of a text, and behind a semicolon or tab, where many
 * spreadsheets begin a cell. They may strip spaces and quotes first. Amounts may begin with a minus: the service writes them itself.
 */
const beforeFormula = /(^|[;\t])(?=(?:[^\S\t]|["'])*[=+\-@＝＋－＠])/g;

/** Returns a text that no spreadsheet takes for a formula. */
function harmless(text: string | undefined): string | undefined {
  return text?.replaceAll(beforeFormula, "$1'");
}

/** Returns a row of RFC 4180. */
function rowOf(row: Row): string {
  return `${columns.map((column) => fieldOf(row[column] ?? '')).join(',')}\r\n`;
}

function fieldOf(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Comma-separated values (RFC 4180), in UTF-8. Amounts are decimal, in the currency's own unit. */
export const csv: StatementFormat = {
  mediaType: 'text/csv; charset=utf-8',
  extension: 'csv',
  before: ({ from, currency, opening }) => `${columns.join(',')}\r\n${balanceRow('opening', from, currency, opening)}`,
  line: ({ at, type, amount, fee = 0, balance, version, counterparty, ...line }, { currency }) =>
    rowOf({
      ...{ at, type, currency, version: String(version) },
      ...{ transactionId: line.transactionId, receiptCode: line.receiptCode },
      amount: decimalText(amount, currency),
      fee: decimalText(fee, currency),
      balance: decimalText(balance, currency),
      counterparty: harmless(counterparty?.walletId ?? counterparty?.alias ?? counterparty?.account),
      counterpartyName: harmless(counterparty?.name),
      externalReference: harmless(line.externalReference),
      description: harmless(line.description),
    }),
  after: ({ to, currency, final }, { closing }) => balanceRow(final ? 'closing' : 'interim', to, currency, closing),
};

function balanceRow(
  type: 'opening' | 'closing' | 'interim',
  at: string,
  currency: string,
  balance: Parameters<StatementFormat['after']>[1]['closing'],
): string {
  const { available, held, total, version, hash } = balance;
  return rowOf({
    ...{ at, type, currency, hash, version: version === undefined ? undefined : String(version) },
    balance: decimalText(total, currency),
    available: decimalText(available, currency),
    held: decimalText(held, currency),
  });
}
