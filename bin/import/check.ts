/** Checks that the lines of all files fit together, before any of them is written. */
import { maxAmount } from '../../lambdas/domain/money.ts';
import type { Row } from '../../local/storage/store.ts';
import type { Book } from './book.ts';
import type { Finding, Findings } from './refusals.ts';

/** Checks the book. Afterwards its wallets have their balances and the times of their opening. */
export function checkBook(book: Book, findings: Findings, now: number): void {
  checkWallets(book, findings);
  checkMovements(book, findings, now);
}

const placeColumns = { file: 'text', line: 'number', wallet: 'text', currency: 'text', other: 'text' } as const;
/** Each movement from the side of each of its wallets. */
const sides = `SELECT file, line, seq, exact, at, kind, amount, currency, wallet,
    CASE WHEN kind IN ('opening', 'charge') THEN 1 ELSE -1 END AS sign FROM lines
  UNION ALL SELECT file, line, seq, exact, at, kind, amount, currency, receiver, 1 FROM lines WHERE receiver <> ''`;

/** Checks that each movement has wallets, of its currency. */
function checkWallets(book: Book, findings: Findings): void {
  const problems = book.query(
    placeColumns,
    `SELECT sides.file, sides.line, wallet, sides.currency, COALESCE(wallets.currency, '') AS other FROM (${sides}) sides
      LEFT JOIN wallets ON ref = wallet
      WHERE ref IS NULL OR (sides.currency <> '' AND sides.currency <> wallets.currency) ORDER BY seq`,
  );
  for (const { file, line, wallet, currency, other } of problems.each()) {
    findings.add(
      other === ''
        ? { file, line, code: 'unknown_wallet', detail: `there is no wallet "${wallet}" in the files` }
        : { file, line, code: 'currency_mismatch', detail: `it is in ${currency}, and wallet "${wallet}" in ${other}` },
    );
  }
  const transfers = book.query(
    placeColumns,
    `SELECT lines.file, lines.line, lines.wallet, payer.currency, payee.currency AS other FROM lines
      JOIN wallets payer ON payer.ref = wallet JOIN wallets payee ON payee.ref = receiver
      WHERE payer.currency <> payee.currency AND lines.currency = '' ORDER BY seq`,
  );
  for (const { file, line, currency, other } of transfers.each()) {
    const detail = `it pays from a wallet in ${currency} to one in ${other}: no wallet changes money`;
    findings.add({ file, line, code: 'currency_mismatch', detail });
  }
}

const sideColumns = {
  file: 'text',
  line: 'number',
  at: 'text',
  kind: 'text',
  amount: 'number',
  wallet: 'text',
  sign: 'number',
  opened: 'text',
} as const;
type Side = Row<typeof sideColumns>;

/** A wallet, as its movements leave it. */
interface Running {
  readonly ref: string;
  readonly opened: string;
  balance: number;
  changes: number;
}

/** Follows each wallet through its movements, by date. Movements of 0 do not count. */
function checkMovements(book: Book, findings: Findings, now: number): void {
  const movements = book.query(
    sideColumns,
    `SELECT sides.file, sides.line, at, kind, amount, wallet, sign, opened FROM (${sides}) sides JOIN wallets ON ref = wallet
      WHERE amount > 0 ORDER BY wallet, exact, seq`,
  );
  let current: Running | undefined;
  for (const side of movements.each()) {
    if (current?.ref !== side.wallet) {
      if (current !== undefined) book.setWallet(current.ref, current);
      current = { ref: side.wallet, opened: side.opened === '' ? side.at : side.opened, balance: 0, changes: 0 };
    }
    const refusal = refusalOf(current, side);
    if (refusal === undefined) {
      current.balance += side.sign * side.amount;
      current.changes++;
    } else {
      findings.add({ file: side.file, line: side.line, ...refusal });
    }
  }
  if (current !== undefined) book.setWallet(current.ref, current);
  const opened = new Date(now).toISOString();
  for (const { ref } of book.query({ ref: 'text' }, "SELECT ref FROM wallets WHERE opened = ''").all()) {
    book.setWallet(ref, { balance: 0, changes: 0, opened });
  }
}

function refusalOf(
  { ref, opened, balance, changes }: Running,
  { at, kind, amount, sign }: Side,
): Pick<Finding, 'code' | 'detail'> | undefined {
  if (at < opened) {
    return { code: 'before_wallet', detail: `it is of ${at}, and wallet "${ref}" was opened at ${opened}` };
  }
  if (kind === 'opening' && changes > 0) {
    return { code: 'opening_not_first', detail: `wallet "${ref}" has transactions before ${at}` };
  }
  if (sign < 0 && amount > balance) {
    return { code: 'below_zero', detail: `wallet "${ref}" has ${balance} then, and ${amount} leave it` };
  }
  if (sign > 0 && balance > maxAmount - amount) {
    return { code: 'too_large', detail: `wallet "${ref}" would have more than ${maxAmount}` };
  }
  return undefined;
}
