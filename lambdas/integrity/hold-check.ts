import type { Discrepancy } from '../domain/discrepancy.ts';
import { leftOf, returnedBy } from '../domain/hold.ts';
import { numberOfTransactionId, transactionIdOfNumber } from '../domain/ids.ts';
import type { Capture, Hold, Transaction } from '../domain/transaction.ts';
import { readBookItems } from '../store/books.ts';
import type { BookItem, IndexedTransaction } from '../store/books.ts';
import type { Table } from '../store/table.ts';

/**
 * Amounts that holds say, minus those of their captures. `weighted` multiplies each by the number of its hold's id, so
 * that it is zero only when every single hold agrees with its captures. Their size does not grow with their number.
 */
export interface HoldSum {
  plain: bigint;
  weighted: bigint;
}

/** The sums of a wallet's holds: what was captured, and what final captures gave back. */
export interface HoldSums {
  readonly captured: HoldSum;
  readonly rest: HoldSum;
}

/** Returns the sums of a wallet without holds. */
export function noHolds(): HoldSums {
  return { captured: { plain: 0n, weighted: 0n }, rest: { plain: 0n, weighted: 0n } };
}

/** Longer than the clocks of two machines differ: a change this close to the moment may be on either side of it. */
const clockMs = 60_000;
/** The sweeper ends a hold within minutes. */
const overdueMs = 3_600_000;

/**
 * Adds the holds and captures among a payer's transactions to its sums. Reads them, and the holds of the captures.
 * Leaves out holds that were changed after the moment `asOf` (ISO 8601), with their captures.
 *
 * @returns the discrepancies of single holds and captures, and the read units
 */
export async function addHolds(
  table: Table,
  sums: HoldSums,
  transactions: readonly IndexedTransaction[],
  { asOf, consistent }: { readonly asOf: string | undefined; readonly consistent: boolean },
): Promise<{ found: Discrepancy[]; readUnits: number }> {
  const ids = transactions.filter(({ type }) => type === 'hold' || type === 'capture');
  if (ids.length === 0) return { found: [], readUnits: 0 };
  const transactionIds = new Set(ids.map(({ transactionId }) => transactionId));
  const { items, readUnits } = await readBookItems(table, { walletIds: [], transactionIds }, consistent);
  const own = transactionsIn(items);
  const others = await readHolds(
    table,
    own.filter((one) => one.type === 'capture'),
    consistent,
  );
  const holds = new Map([...own, ...others.holds].map((one) => [one.transactionId, one]));
  const isStill = ({ updatedAt }: Hold) => asOf === undefined || Date.parse(updatedAt) < Date.parse(asOf) - clockMs;
  const found: Discrepancy[] = [];
  for (const one of own) {
    if (one.type === 'hold') {
      found.push(...holdFindings(one, table.now()));
      if (isStill(one)) addHold(sums, one);
    } else if (one.type === 'capture') {
      const hold = holds.get(one.originalTransactionId);
      found.push(...captureFindings(one, hold));
      if (hold?.type !== 'hold' || isStill(hold)) addCapture(sums, one);
    }
  }
  return { found, readUnits: readUnits + others.readUnits };
}

/** Reads the holds of captures. Leaves out those that do not exist or cannot be read. */
export async function readHolds(
  table: Table,
  captures: readonly Capture[],
  consistent: boolean,
): Promise<{ holds: Hold[]; readUnits: number }> {
  const transactionIds = new Set(captures.map(({ originalTransactionId }) => originalTransactionId));
  const { items, readUnits } = await readBookItems(table, { walletIds: [], transactionIds }, consistent);
  return { holds: transactionsIn(items).filter((one) => one.type === 'hold'), readUnits };
}

function transactionsIn(items: readonly BookItem[]): Transaction[] {
  return items.flatMap((item) => (item.kind === 'transaction' ? [item.transaction] : []));
}

function holdFindings({ transactionId, status, expiresAt }: Hold, now: number): Discrepancy[] {
  if (status !== 'open' || Date.parse(expiresAt) + overdueMs >= now) return [];
  return [{ kind: 'hold_differs', subject: transactionId, detail: `it is open, and has expired at ${expiresAt}` }];
}

/** Returns how a capture contradicts its hold. */
export function captureFindings(capture: Capture, hold: Transaction | undefined): Discrepancy[] {
  const problem = problemOfCapture(capture, hold);
  return problem === undefined ? [] : [{ kind: 'hold_differs', subject: capture.transactionId, detail: problem }];
}

function problemOfCapture(capture: Capture, hold: Transaction | undefined): string | undefined {
  const { originalTransactionId, createdAt, amount } = capture;
  if (hold?.type !== 'hold') return `its hold ${originalTransactionId} does not exist, or cannot be read`;
  const members = ['walletId', 'counterpartyWalletId', 'currency'] as const;
  const different = members.find((name) => capture[name] !== hold[name]);
  if (different !== undefined) return `its ${different} is not that of its hold ${originalTransactionId}`;
  if (createdAt >= hold.expiresAt) return `it was made at ${createdAt}, and its hold has expired at ${hold.expiresAt}`;
  if (amount > hold.captured) return `it took ${amount}, and its hold says ${hold.captured}`;
  return undefined;
}

function addHold({ captured, rest }: HoldSums, hold: Hold): void {
  add(captured, hold.transactionId, hold.captured);
  if (hold.status === 'ended' && hold.end === 'captured') add(rest, hold.transactionId, leftOf(hold));
}

function addCapture({ captured, rest }: HoldSums, capture: Capture): void {
  add(captured, capture.originalTransactionId, -capture.amount);
  add(rest, capture.originalTransactionId, -returnedBy(capture));
}

function add(sum: HoldSum, holdId: string, amount: number): void {
  sum.plain += BigInt(amount);
  sum.weighted += BigInt(amount) * numberOfTransactionId(holdId);
}

/** Returns how a wallet's holds disagree with their captures; undefined when they agree. */
export function problemOfHolds({ captured, rest }: HoldSums): string | undefined {
  const problem = problemOfSum(captured);
  if (problem !== undefined) return `captures add up to another amount than ${problem} says`;
  const unreturned = problemOfSum(rest);
  return unreturned && `final captures give back another amount than ${unreturned} had left`;
}

/** Returns the hold that disagrees, when it is a single one. */
function problemOfSum({ plain, weighted }: HoldSum): string | undefined {
  if (weighted === 0n && plain === 0n) return undefined;
  const isSingle = plain !== 0n && weighted % plain === 0n;
  return isSingle ? `the hold ${transactionIdOfNumber(weighted / plain)}` : 'one of its holds';
}
