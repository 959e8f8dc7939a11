/** The check of one wallet, page by page. */
import { bookingsOf } from '../domain/bookings.ts';
import type { BookedTransaction } from '../domain/bookings.ts';
import { bookedAtOf } from '../domain/entries.ts';
import type { Balance, ChainedEntry } from '../domain/entries.ts';
import { isSum, minus, plus } from '../domain/money.ts';
import { addHolds, problemOfHolds } from './hold-check.ts';
import { addChargebacks, checkRefunds, problemOfChargebacks } from './refund-check.ts';
import type { Sum } from '../domain/money.ts';
import { accounts } from '../domain/postings.ts';
import { readBookings } from '../store/books.ts';
import type { IndexedTransaction } from '../store/books.ts';
import { hashOf, readEntries } from '../store/entries.ts';
import { countActiveOrders } from '../store/standing-orders.ts';
import type { Table } from '../store/table.ts';
import { getWallet } from '../store/wallets.ts';
import { addFinding, bothAccounts, report } from './wallet-check-state.ts';
import type { WalletCheck } from './wallet-check-state.ts';

/**
 * Reads one page and judges it.
 *
 * @param asOf the moment (ISO 8601) as of which sums are compared, so that later movements do not count. Undefined
 *   compares everything, which is right only when no money moves
 * @returns the items and read units of the page
 */
export async function stepWalletCheck(
  { table, entries }: { table: Table; entries: Table },
  check: WalletCheck,
  asOf: string | undefined,
): Promise<{ items: number; readUnits: number }> {
  const { walletId, isCrowded = false } = check.wallet;
  if (check.stage === 'entries' || check.stage === 'done') {
    const page = await readEntries(entries, {
      walletId,
      after: check.last.version < 0 ? undefined : check.last.version,
      consistent: check.consistent,
    });
    for (const entry of page.items) followEntry(check, entry, asOf);
    let { readUnits } = page;
    if (!page.more) {
      readUnits += await compareEnd(table, check);
      conclude(check, asOf);
    }
    return { items: page.items.length, readUnits };
  }
  const page = await readBookings(table, { side: check.stage, walletId, isCrowded, after: check.after });
  for (const transaction of page.items) addBookings(check, transaction, asOf);
  let { readUnits } = page;
  if (check.stage === 'sender') {
    readUnits += await checkParts(table, check, page.items, asOf);
    if (page.next === undefined) {
      readUnits += (await compareScheduled(table, check)) + (await compareOrders(table, check));
    }
  }
  check.after = page.next;
  if (page.next === undefined) check.stage = check.stage === 'sender' ? 'receiver' : 'entries';
  return { items: page.items.length, readUnits };
}

/**
 * Compares the payments that are scheduled with their number in the wallet. Each payment that is scheduled, executed or
 * cancelled changes the wallet. So a wallet that has changed since the check began is not judged.
 *
 * @returns the read units that this took
 */
async function compareScheduled(table: Table, check: WalletCheck): Promise<number> {
  const { wallet, scheduled } = check;
  const { walletId, version, scheduled: counted = 0 } = wallet;
  if (scheduled === undefined || scheduled === counted) return 0;
  const now = await getWallet(table, walletId, { consistent: true });
  if (now?.version === version) {
    addFinding(check, 'balance_differs', `it counts ${counted} scheduled payments, and has ${scheduled}`);
  }
  return 1;
}

/**
 * Compares the standing orders that are active with their number in the wallet, as `compareScheduled`. A wallet with more
 * orders than a page has, active and ended, is not judged.
 *
 * @returns the read units that this took
 */
async function compareOrders(table: Table, check: WalletCheck): Promise<number> {
  const { walletId, version, orders: counted } = check.wallet;
  if (counted === undefined) return 0;
  const { active, isComplete, readUnits } = await countActiveOrders(table, walletId);
  if (active === counted || !isComplete) return readUnits;
  const now = await getWallet(table, walletId, { consistent: true });
  if (now?.version === version) {
    addFinding(check, 'balance_differs', `it counts ${counted} standing orders, and has ${active}`);
  }
  return readUnits + 1;
}

/**
 * Compares holds with their captures, and refunds with their originals. Absent sums are of a check that an earlier
 * release began.
 *
 * @returns the read units that this took
 */
async function checkParts(
  table: Table,
  check: WalletCheck,
  transactions: readonly IndexedTransaction[],
  asOf: string | undefined,
): Promise<number> {
  const { holds, chargebacks, consistent, wallet } = check;
  const moments = { asOf, walletAt: wallet.updatedAt };
  const ofHolds = holds && (await addHolds(table, holds, transactions, { ...moments, consistent }));
  const ofRefunds = await checkRefunds(table, transactions, consistent);
  if (chargebacks) addChargebacks(chargebacks, transactions, asOf && wallet.updatedAt);
  if (check.scheduled !== undefined) check.scheduled += transactions.filter(isScheduled).length;
  for (const finding of [...(ofHolds?.found ?? []), ...ofRefunds.found]) report(check, finding);
  return (ofHolds?.readUnits ?? 0) + ofRefunds.readUnits;
}

/** Returns whether a transaction in an index is a payment whose time has not come. */
function isScheduled({ executeAt, executedAt, completedAt }: IndexedTransaction): boolean {
  return executeAt !== undefined && executedAt === undefined && completedAt === undefined;
}

function addBookings(check: WalletCheck, transaction: BookedTransaction, asOf: string | undefined): void {
  for (const { at, postings } of bookingsOf(transaction)) {
    if (asOf !== undefined && at >= asOf) continue;
    for (const account of bothAccounts) {
      const name = accounts[account](check.wallet.walletId);
      for (const posting of postings) if (posting.account === name) check.booked[account] += integer(posting.amount);
    }
  }
}

/** Judges an entry as the next one of the chain, and goes on behind it. */
export function followEntry(check: WalletCheck, entry: ChainedEntry, asOf?: string): void {
  const { wallet, last } = check;
  const { version, changes, balanceAfter } = entry;
  if (!isReadable(entry)) {
    addFinding(check, 'chain_broken', `entry ${version} cannot be read`);
    check.last = { ...last, version, hash: entry.hash };
    return;
  }
  const inOrder = version === last.version + 1;
  if (!inOrder) {
    const missing =
      version - last.version === 2 ? `entry ${last.version + 1}` : `entries ${last.version + 1} to ${version - 1}`;
    addFinding(check, 'entry_missing', `${missing} before entry ${version}`);
  } else if (entry.hash !== hashOf(entry, last.hash)) {
    addFinding(
      check,
      'chain_broken',
      `the hash of entry ${version} does not follow from its content and entry ${version - 1}`,
    );
  }
  for (const account of bothAccounts) {
    // The balance after a gap includes the changes of the missing entries.
    const change = inOrder
      ? changes.reduce((sum: Sum, one) => (one.account === account ? plus(sum, one.amount) : sum), 0)
      : minus(balanceAfter[account], last.balance[account]);
    if (inOrder && plus(last.balance[account], change) !== balanceAfter[account]) {
      addFinding(
        check,
        'chain_broken',
        `entry ${version} changes ${account} by ${change} and ends at ${balanceAfter[account]}`,
      );
    }
    if (asOf === undefined || bookedAtOf(entry) < asOf) check.entered[account] += BigInt(change);
  }
  if (version === wallet.version) {
    for (const account of bothAccounts) {
      if (balanceAfter[account] !== wallet[account]) {
        addFinding(
          check,
          'balance_differs',
          `version ${version} has ${wallet[account]} ${account}, its entry ${balanceAfter[account]}`,
        );
      }
    }
    if (entry.statusAfter !== wallet.status) {
      addFinding(
        check,
        'balance_differs',
        `version ${version} is ${wallet.status}, its entry says ${entry.statusAfter}`,
      );
    }
    if (bookedAtOf(entry) !== wallet.updatedAt) {
      addFinding(
        check,
        'balance_differs',
        `version ${version} is of ${wallet.updatedAt}, its entry of ${bookedAtOf(entry)}`,
      );
    }
  }
  // Behind a break the chain goes on from the stored entry, so that one break is found once.
  check.last = { version, hash: entry.hash, balance: balanceAfter };
}

/**
 * Compares the end of the ledger with the wallet. Entries of later versions belong to later changes. If the wallet has
 * not reached them, it was put back to an earlier state.
 *
 * @returns the read units that this took
 */
async function compareEnd(table: Table, check: WalletCheck): Promise<number> {
  const { wallet, last } = check;
  if (last.version <= wallet.version) return 0;
  const now = await getWallet(table, wallet.walletId, { consistent: true });
  if (now === undefined || now.version < last.version) {
    addFinding(
      check,
      'balance_differs',
      `it has version ${now?.version ?? 'none'}, and its ledger entries up to ${last.version}`,
    );
  }
  return 1;
}

function conclude(check: WalletCheck, asOf: string | undefined): void {
  const { wallet, last, booked, entered } = check;
  check.stage = 'done';
  const problem = check.holds && problemOfHolds(check.holds);
  if (problem !== undefined) addFinding(check, 'hold_differs', problem);
  const debtProblem = check.chargebacks && problemOfChargebacks(check.chargebacks, wallet.chargedBack ?? 0);
  if (debtProblem !== undefined) addFinding(check, 'balance_differs', debtProblem);
  if (last.version < (asOf === undefined ? wallet.version : check.enteredUpTo)) {
    addFinding(
      check,
      'entry_missing',
      `version ${wallet.version} of ${wallet.updatedAt} has no entry, the last is ${last.version}`,
    );
    return;
  }
  for (const account of bothAccounts) {
    if (booked[account] === entered[account]) continue;
    addFinding(
      check,
      account === 'held' ? 'held_differs' : 'postings_differ',
      `its transactions add up to ${String(booked[account])} ${account}, its entries to ${String(entered[account])}`,
    );
  }
}

/** Returns whether an entry has whole numbers, times and a hash. The stored item may have any shape. */
export function isReadable(entry: Stored<ChainedEntry>): boolean {
  const { at, bookedAt = '', hash, transactionId = '', changes, balanceAfter } = entry;
  return (
    [at, bookedAt, hash, transactionId].every((text) => typeof text === 'string') &&
    Array.isArray(changes) &&
    changes.every((change: Stored<ChainedEntry['changes'][number]> | null) => isSum(change?.amount)) &&
    bothAccounts.every((account) => isSum(balanceAfter?.[account]))
  );
}

/** A stored item: any member may be missing, or have any type. */
type Stored<T> = { readonly [Name in keyof T]?: unknown } & { readonly balanceAfter?: Partial<Balance> | null };

/** Returns an amount as bigint; 0 for one that is no whole number. The check of its item reports that one. */
export function integer(amount: number): bigint {
  return Number.isSafeInteger(amount) ? BigInt(amount) : 0n;
}
