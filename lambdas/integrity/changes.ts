import { bookingsOf, entryNameOf, groupOf, hasBookings, positionOfCount, problemOf } from '../domain/bookings.ts';
import type { Booking } from '../domain/bookings.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { bookedAtOf } from '../domain/entries.ts';
import type { ChainedEntry } from '../domain/entries.ts';
import { currencyOfWalletId } from '../domain/ids.ts';
import { walletOfAccount } from '../domain/postings.ts';
import type { CompletedWithdrawal, Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import { readBookItems } from '../store/books.ts';
import { findHeld, readEntries, readEntriesAt } from '../store/entries.ts';
import type { ListedBooking } from '../store/journal.ts';
import { subjectOfKey } from '../store/keys.ts';
import type { Table } from '../store/table.ts';
import { problemOfEntry, sumBookings, sumKey } from './booked.ts';
import type { Amounts } from './booked.ts';
import { captureFindings } from './hold-check.ts';
import { readTransactions } from './originals.ts';
import { refundFindings } from './refund-check.ts';
import { followEntry, isReadable } from './wallet-check.ts';
import { beginWalletCheck, addFinding } from './wallet-check-state.ts';

/** The changes of one wallet in the journal, each once. */
export interface WalletChanges {
  /** Empty for transactions that cannot be read. */
  readonly walletId: string;
  readonly versions: ReadonlySet<number>;
  /** As `<transactionId>:<count>`. */
  readonly bookings: ReadonlySet<string>;
}

/** The result of checking one wallet's changes. */
export interface ChangesOutcome {
  readonly walletId: string;
  /** Findings; none as a rule. */
  readonly found: readonly Discrepancy[];
  /** The changes of its listed entries, available and held together. */
  readonly entered: readonly { readonly at: string; readonly currency: string; readonly amount: bigint }[];
  /** Its listed bookings. */
  readonly booked: readonly Booking[];
  /** The withdrawals that were completed by them. */
  readonly completed: readonly CompletedWithdrawal[];
}

/** The stored items of a group of wallets. */
interface Stored {
  readonly entries: ReadonlyMap<string, ReadonlyMap<number, ChainedEntry>>;
  readonly wallets: ReadonlyMap<string, Wallet>;
  readonly transactions: ReadonlyMap<string, Transaction>;
  /** The defects of the other items, by the id of the wallet or transaction. */
  readonly unreadable: ReadonlyMap<string, Discrepancy>;
}

const both = ['available', 'held'] as const;
/** Findings of one wallet that are reported. */
const mostFound = 20;

/**
 * Checks listed changes of some wallets. Their entries must follow each other and agree with the transactions that they
 * name. Each booking must have its entry. No wallet may be behind its last entry.
 *
 * Reads the entries, one entry before them, the wallets and the transactions: four reads for a charge as a rule.
 *
 * @param isSecondLook whether an earlier look found a problem. Then everything is read consistently, at twice the
 *   price. Entries that are not listed are searched for
 */
export async function checkChanges(
  { table, entries }: { readonly table: Table; readonly entries: Table },
  group: readonly WalletChanges[],
  isSecondLook: boolean,
): Promise<{ outcomes: ChangesOutcome[]; readUnits: number }> {
  const { stored, readUnits } = await readStored({ table, entries }, group, isSecondLook);
  const outcomes: ChangesOutcome[] = [];
  for (const changes of group) {
    const { walletId } = changes;
    const sums = listedSums(changes, stored);
    const chain = judgeChain(changes, stored, sums);
    const { found, booked, completed, notEntered } = judgeBookings(changes, stored, sums);
    for (const booking of notEntered) {
      if (found.length >= mostFound) break;
      if (isSecondLook && (await hasEntry(entries, walletId, booking))) continue;
      const detail = `${booking.transactionId} booked on it at ${booking.at}, and no entry shows that`;
      found.push({ kind: 'postings_differ', subject: walletId, detail });
    }
    outcomes.push({
      walletId,
      found: [...chain.found, ...found].slice(0, mostFound),
      entered: chain.entered,
      booked,
      completed,
    });
  }
  return { outcomes, readUnits };
}

async function readStored(
  books: { readonly table: Table; readonly entries: Table },
  group: readonly WalletChanges[],
  consistent: boolean,
): Promise<{ stored: Stored; readUnits: number }> {
  const positions = group.flatMap(({ walletId, versions }) =>
    [...versions].flatMap((version) => [
      ...(version > 0 && !versions.has(version - 1) ? [{ walletId, version: version - 1 }] : []),
      { walletId, version },
    ]),
  );
  const found = await readEntriesAt(books.entries, positions, consistent);
  const named = found.items.flatMap((entry) => (isReadable(entry) ? (entry.transactionId ?? []) : []));
  const items = await readBookItems(
    books.table,
    {
      walletIds: group.flatMap(({ walletId, versions }) => (walletId !== '' && versions.size > 0 ? walletId : [])),
      transactionIds: new Set([
        ...named,
        ...group.flatMap(({ bookings }) => [...bookings].map((booking) => toBooking(booking).transactionId)),
      ]),
    },
    consistent,
  );
  const unreadable = new Map<string, Discrepancy>();
  const wallets = new Map<string, Wallet>();
  const transactions = new Map<string, Transaction>();
  for (const item of items.items) {
    if (item.kind === 'wallet') {
      wallets.set(item.wallet.walletId, item.wallet);
    } else if (item.kind === 'transaction') {
      transactions.set(item.transaction.transactionId, item.transaction);
    } else {
      const kind = item.kind === 'invalid' ? 'transaction_invalid' : 'unreadable';
      const subject = subjectOfKey(item.key.pk, item.key.sk)?.id ?? '';
      unreadable.set(subject, { kind, subject, detail: item.problem });
    }
  }
  const parts = [...transactions.values()].filter((one) => one.type === 'capture' || one.type === 'refund');
  const originalIds = parts.map(({ originalTransactionId }) => originalTransactionId);
  const originals = await readTransactions(books.table, originalIds, consistent);
  for (const [id, original] of originals.transactions) transactions.set(id, original);
  const ledgers = new Map(
    [...Map.groupBy(found.items, ({ walletId }) => walletId)].map(([walletId, ledger]) => [
      walletId,
      new Map(ledger.map((entry) => [entry.version, entry])),
    ]),
  );
  return {
    stored: { entries: ledgers, wallets, transactions, unreadable },
    readUnits: found.readUnits + items.readUnits + originals.readUnits,
  };
}

/** Follows the listed entries of a wallet. Each run of versions begins at the entry before it. */
function judgeChain(
  changes: WalletChanges,
  stored: Stored,
  sums: ReadonlyMap<string, Amounts>,
): Pick<ChangesOutcome, 'found' | 'entered'> {
  const { walletId } = changes;
  const versions = [...changes.versions].sort((a, b) => a - b);
  const newest = versions.at(-1);
  if (newest === undefined) return { found: [], entered: [] };
  const wallet = stored.wallets.get(walletId);
  if (wallet === undefined) {
    const missing = { subject: walletId, detail: `it does not exist, and had version ${newest}` };
    return { found: [stored.unreadable.get(walletId) ?? { kind: 'balance_differs', ...missing }], entered: [] };
  }
  const check = beginWalletCheck(wallet);
  if (wallet.version < newest) {
    addFinding(check, 'balance_differs', `it has version ${wallet.version}, and had version ${newest} before`);
  }
  const entered: ChangesOutcome['entered'][number][] = [];
  const booked = { ...stored, sums, known: new Map<string, number>() };
  for (const version of versions) {
    const entry = stored.entries.get(walletId)?.get(version);
    if (entry === undefined) {
      addFinding(check, 'entry_missing', `version ${version} has no entry`);
      continue;
    }
    const previous = stored.entries.get(walletId)?.get(version - 1);
    if (version > 0 && previous === undefined) {
      if (!changes.versions.has(version - 1)) addFinding(check, 'entry_missing', `no entry before entry ${version}`);
      continue;
    }
    if (previous !== undefined && !isReadable(previous)) {
      if (!changes.versions.has(version - 1)) addFinding(check, 'chain_broken', `entry ${version - 1} cannot be read`);
      continue;
    }
    check.last =
      previous === undefined
        ? { version: -1, hash: '', balance: { available: 0, held: 0 } }
        : { version: version - 1, hash: previous.hash, balance: previous.balanceAfter };
    followEntry(check, entry);
    if (!isReadable(entry)) continue;
    entered.push({
      at: bookedAtOf(entry),
      currency: wallet.currency,
      amount: entry.changes.reduce((sum, { amount }) => sum + BigInt(amount), 0n),
    });
    const problem = problemOfEntry(entry, booked);
    if (problem !== undefined) addFinding(check, problem.kind, problem.detail);
  }
  return { found: check.found, entered };
}

/** Returns the sums of the listed bookings. */
function listedSums({ walletId, bookings }: WalletChanges, { transactions }: Stored): Map<string, Amounts> {
  const ids = new Set(Array.from(bookings, (booking) => toBooking(booking).transactionId));
  return sumBookings(
    walletId,
    [...ids].flatMap((id) => transactions.get(id) ?? []),
  );
}

/** A booking whose entry is missing: the transaction, and the name and time of the entry. */
interface NotEntered {
  readonly transactionId: string;
  readonly name: string;
  readonly at: string;
}

/** Judges the listed transactions. Returns also the bookings that have no entry among the listed ones. */
function judgeBookings(
  { walletId, versions, bookings }: WalletChanges,
  stored: Stored,
  sums: ReadonlyMap<string, Amounts>,
) {
  const found: Discrepancy[] = [];
  const booked: Booking[] = [];
  const completed: CompletedWithdrawal[] = [];
  const notEntered: NotEntered[] = [];
  const ledger = [...(stored.entries.get(walletId) ?? [])].flatMap(([version, entry]) =>
    versions.has(version) ? [entry] : [],
  );
  const entered = new Set(ledger.map((entry) => `${entry.transactionId ?? ''} ${bookedAtOf(entry)}`));
  const judged = new Set<string>();
  for (const { transactionId, count } of [...bookings].map(toBooking)) {
    const transaction = stored.transactions.get(transactionId);
    const problem = transaction === undefined ? undefined : problemOf(transaction);
    if (!judged.has(transactionId)) {
      judged.add(transactionId);
      if (transaction === undefined) {
        const missing = { subject: transactionId, detail: 'it does not exist, and was stored before' };
        found.push(stored.unreadable.get(transactionId) ?? { kind: 'transaction_invalid', ...missing });
      } else if (problem !== undefined) {
        found.push({ kind: 'transaction_invalid', subject: transactionId, detail: problem });
      } else if (transaction.type === 'capture') {
        found.push(...captureFindings(transaction, stored.transactions.get(transaction.originalTransactionId)));
      } else if (transaction.type === 'refund') {
        found.push(...refundFindings(transaction, stored.transactions.get(transaction.originalTransactionId)));
      }
    }
    if (transaction === undefined || count === 0 || !hasBookings(transaction)) continue;
    const position = positionOfCount(transaction, count);
    const booking = bookingsOf(transaction)[position];
    if (booking === undefined) {
      const detail = `it had ${count} postings, and has ${transaction.postings.length}`;
      found.push({ kind: 'transaction_invalid', subject: transactionId, detail });
      continue;
    }
    if (!isListedElsewhere(transaction, position, booking, walletId)) booked.push(booking);
    if (count > 2 && transaction.type === 'withdrawal' && transaction.status === 'completed') {
      completed.push(transaction);
    }
    const { at } = booking;
    const name = entryNameOf(transaction, position, walletId);
    const sum = sums.get(sumKey(name, position, at));
    const isChange = sum !== undefined && both.some((account) => sum[account] !== 0n);
    if (isChange && !entered.has(`${name} ${at}`)) notEntered.push({ transactionId, name, at });
  }
  return { found, booked, completed, notEntered };
}

/** Returns whether a booking is also listed under the wallet that counts it: the first of those that it touches. */
function isListedElsewhere(
  transaction: Transaction,
  position: number,
  { postings }: Booking,
  walletId: string,
): boolean {
  const first = postings.map(({ account }) => walletOfAccount(account)).find((id) => id !== undefined);
  return first !== walletId && groupOf(transaction, position, walletId) !== undefined;
}

/** Searches the wallet's ledger for the entry of a booking, from the booking's time on. */
async function hasEntry(entries: Table, walletId: string, { name, at }: NotEntered): Promise<boolean> {
  const time = Date.parse(at);
  if (Number.isNaN(time) || currencyOfWalletId(walletId) === undefined) return false;
  const before = await findHeld(entries, walletId, new Date(time - 1).toISOString());
  const { items } = await readEntries(entries, { walletId, after: before.entry?.version, consistent: true });
  return items.some((entry) => entry.transactionId === name && bookedAtOf(entry) === at);
}

/**
 * Parses a booking.
 *
 * @param text as `WalletChanges` has it
 */
function toBooking(text: string): ListedBooking {
  const [transactionId = '', count = ''] = text.split(':');
  return { transactionId, count: Number(count) };
}
