import type { Discrepancy } from '../domain/discrepancy.ts';
import { leftOf, longestHoldMs, returnedBy } from '../domain/hold.ts';
import { numberOfTransactionId, transactionIdOfNumber } from '../domain/ids.ts';
import type { Capture, Hold, Transaction } from '../domain/transaction.ts';
import type { IndexedTransaction } from '../store/books.ts';
import type { Table } from '../store/table.ts';
import { clockMs, readTransactions } from './originals.ts';

/**
 * Amounts that holds say, minus those of their captures. `weighted` multiplies each by the number of its hold's id, so
 * that it is zero only when every single hold agrees with its captures. Their size does not grow with their number.
 */
export interface HoldSum {
  plain: bigint;
  weighted: bigint;
}

/** What was captured of holds, and what final captures gave back. */
interface HoldAmounts {
  readonly captured: HoldSum;
  readonly rest: HoldSum;
}

/**
 * The sums of a wallet's holds. A hold that has ended never changes, so its captures agree whenever they are read. An open
 * hold may be captured after it was added, and its earlier captures be read after that.
 */
export interface HoldSums {
  readonly ended: HoldAmounts;
  readonly open: HoldAmounts;
  /** Whether an open hold may have changed between its own page and that of its captures. */
  isOpenUncertain: boolean;
}

/** Returns the sums of a wallet without holds. */
export function noHolds(): HoldSums {
  return { ended: noAmounts(), open: noAmounts(), isOpenUncertain: false };
}

function noAmounts(): HoldAmounts {
  return { captured: { plain: 0n, weighted: 0n }, rest: { plain: 0n, weighted: 0n } };
}

/** The times (ISO 8601) that decide which holds are compared. */
interface Moments {
  /** The moment of the check. Undefined when no money moves. */
  readonly asOf: string | undefined;
  /** The last change of the payer's wallet when its check began. Each capture changes the wallet. */
  readonly walletAt: string;
}

/** The sweeper ends a hold within minutes. */
const overdueMs = 3_600_000;

/**
 * Adds the holds and captures among a payer's transactions to its sums. Reads them, and the holds of the captures.
 * Leaves out holds that were changed after the moment `asOf`, with their captures.
 *
 * @returns the discrepancies of single holds and captures, and the read units
 */
export async function addHolds(
  table: Table,
  sums: HoldSums,
  transactions: readonly IndexedTransaction[],
  { consistent, ...moments }: Moments & { readonly consistent: boolean },
): Promise<{ found: Discrepancy[]; readUnits: number }> {
  const ids = transactions.filter(({ type }) => type === 'hold' || type === 'capture');
  if (ids.length === 0) return { found: [], readUnits: 0 };
  const transactionIds = ids.map(({ transactionId }) => transactionId);
  const { transactions: own, readUnits } = await readTransactions(table, transactionIds, consistent);
  const originals = [...own.values()].flatMap((one) => (one.type === 'capture' ? one.originalTransactionId : []));
  const others = await readTransactions(table, originals, consistent);
  const holds = new Map([...own, ...others.transactions]);
  const found: Discrepancy[] = [];
  for (const one of own.values()) {
    if (one.type === 'hold') {
      found.push(...holdFindings(one, table.now()));
      if (isStill(one, moments)) addHold(amountsOf(sums, one), one);
    } else if (one.type === 'capture') {
      const hold = holds.get(one.originalTransactionId);
      found.push(...captureFindings(one, hold));
      if (hold?.type !== 'hold' || isStill(hold, moments)) addCapture(amountsOf(sums, hold), one);
      else if (mayHaveCounted(one, hold, moments)) sums.isOpenUncertain = true;
    }
  }
  return { found, readUnits: readUnits + others.readUnits };
}

/** Returns whether the hold has not changed since the moment. */
function isStill({ updatedAt }: Hold, { asOf }: Moments): boolean {
  return asOf === undefined || Date.parse(updatedAt) < Date.parse(asOf) - clockMs;
}

/**
 * Returns whether a hold that is left out with this capture may have been added before: it has changed since the check of
 * the wallet began, and has a capture from before the moment.
 */
function mayHaveCounted({ createdAt }: Capture, { updatedAt }: Hold, { asOf, walletAt }: Moments): boolean {
  const isEarlier = asOf === undefined || Date.parse(createdAt) < Date.parse(asOf);
  return isEarlier && Date.parse(updatedAt) >= Date.parse(walletAt) - clockMs;
}

/** Returns the sums that a hold which has not changed since the moment belongs to. */
function amountsOf({ ended, open }: HoldSums, hold: Transaction | undefined): HoldAmounts {
  return hold?.status === 'open' ? open : ended;
}

function holdFindings(hold: Hold, now: number): Discrepancy[] {
  const detail = problemOfHold(hold, now);
  return detail === undefined ? [] : [{ kind: 'hold_differs', subject: hold.transactionId, detail }];
}

function problemOfHold(hold: Hold, now: number): string | undefined {
  const { createdAt, expiresAt } = hold;
  if (Date.parse(expiresAt) - Date.parse(createdAt) > longestHoldMs) {
    return `it was made at ${createdAt}, and expires at ${expiresAt}: no hold is that long`;
  }
  if (hold.status !== 'open') return undefined;
  if (hold.dueAt !== expiresAt) return `it expires at ${expiresAt}, and the sweeper ends it at ${hold.dueAt}`;
  return Date.parse(expiresAt) + overdueMs < now ? `it is open, and has expired at ${expiresAt}` : undefined;
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

function addHold({ captured, rest }: HoldAmounts, hold: Hold): void {
  add(captured, hold.transactionId, hold.captured);
  if (hold.status === 'ended' && hold.end === 'captured') add(rest, hold.transactionId, leftOf(hold));
}

function addCapture({ captured, rest }: HoldAmounts, capture: Capture): void {
  add(captured, capture.originalTransactionId, -capture.amount);
  add(rest, capture.originalTransactionId, -returnedBy(capture));
}

function add(sum: HoldSum, holdId: string, amount: number): void {
  sum.plain += BigInt(amount);
  sum.weighted += BigInt(amount) * numberOfTransactionId(holdId);
}

/**
 * Returns how a wallet's holds disagree with their captures; undefined when they agree. Open holds that may have changed
 * meanwhile are not judged: a later check does, at the latest when they have ended.
 */
export function problemOfHolds({ ended, open, isOpenUncertain }: HoldSums): string | undefined {
  return problemOfAmounts(ended) ?? (isOpenUncertain ? undefined : problemOfAmounts(open));
}

function problemOfAmounts({ captured, rest }: HoldAmounts): string | undefined {
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
