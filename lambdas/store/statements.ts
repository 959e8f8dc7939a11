/** The lines of a wallet's statement, from its ledger and the transactions that the ledger names. */
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../contract.ts';
import { balanceHeld, bookedAtOf } from '../domain/entries.ts';
import type { ChainedEntry } from '../domain/entries.ts';
import { WalletError } from '../domain/errors.ts';
import { plus } from '../domain/money.ts';
import { linesOf, needsGroup, totalChangeOf, totalOf } from '../domain/statement.ts';
import type { StatementLine } from '../domain/statement.ts';
import { beganAtOf } from '../domain/transaction.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import { forEachOf } from '../aws/parallel.ts';
import { entriesBehind, findHeld, hashOf } from './entries.ts';
import { transactionKey } from './keys.ts';
import { crowdPartition } from './history-keys.ts';
import { readMany } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import { parsed, UnreadableItem } from './unreadable.ts';
import { existingWallet } from './wallets.ts';
import { fromItem } from './write.ts';
import type { Item } from './write.ts';

/** Both tables of the books. */
export interface StatementBooks {
  readonly table: Table;
  readonly entries: Table;
}

/** The entries around a period: the last one before it, and the last one in it or before it. */
export interface StatementBounds {
  /** Undefined where the wallet was opened later. */
  readonly opening: ChainedEntry | undefined;
  readonly closing: ChainedEntry;
}

/**
 * Returns the bounds of a period, from `from` (inclusive) to `to` (exclusive), ISO 8601 UTC. An entry is in the period by the
 * time from which it holds, so periods that touch have neither a gap nor an entry twice.
 *
 * @param wallet read consistently
 * @throws WalletError `wallet_not_found` where the wallet was opened after the period, `ledger_behind` where the ledger lacks an
 * entry of the period
 */
export async function boundsOf(
  { table, entries }: StatementBooks,
  wallet: Wallet,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<StatementBounds> {
  const last = momentBefore(to);
  const [before, held] = await Promise.all([
    findHeld(entries, wallet.walletId, momentBefore(from)),
    findHeld(entries, wallet.walletId, last),
  ]);
  // The wallet may have changed since it was read, and its ledger have followed.
  const isNewer = (held.entry?.version ?? 0) > wallet.version;
  const current = isNewer ? await existingWallet(table, wallet.walletId) : wallet;
  const balance = balanceHeld(held, current, last);
  if (balance === 'none') throw new WalletError('wallet_not_found', { detail: 'there was no such wallet then' });
  // A balance may come from the wallet itself, one version ahead of its ledger. A line needs its entry.
  if (balance === 'behind' || held.entry === undefined || balance.version !== held.entry.version) {
    throw ledgerBehind(`the wallet has version ${current.version}, its ledger shows ${held.entry?.version ?? 'none'}`);
  }
  return { opening: before.entry, closing: held.entry };
}

function momentBefore(time: string): string {
  return new Date(Date.parse(time) - 1).toISOString();
}

function ledgerBehind(detail: string): WalletError {
  return new WalletError('ledger_behind', { retryAfterSeconds: 1, detail });
}

/** Consecutive entries of a ledger, with their lines. */
export interface StatementStretch {
  readonly lines: readonly StatementLine[];
  /** The last of the entries. */
  readonly end: ChainedEntry;
}

/** Entries that are read and explained together. Their transactions, at most 99 for each entry, are in memory at a time. */
const stretchEntries = 300;
/** Transactions that one call reads, and calls at the same time. */
const batch = { keys: 100, atATime: 3 };
/** Age of an entry from which its transactions must be visible in the indexes, ms. */
const visibleAfterMs = 3_600_000;

/**
 * Reads the lines behind the entry `opening` (undefined: from the first one on) up to the version `last`, in stretches. Each
 * entry is compared with the one before it: version, hash and balance. So no line can be missing or wrong.
 *
 * @throws WalletError `ledger_behind` for an entry that is not there, or not visible with its transactions yet
 * @throws Error where the ledger is broken
 */
export async function* readStretches(
  books: StatementBooks,
  wallet: Wallet,
  {
    opening,
    last,
    most = stretchEntries,
  }: {
    readonly opening: ChainedEntry | undefined;
    readonly last: number;
    /** Most entries of a stretch. */
    readonly most?: number | undefined;
  },
): AsyncGenerator<StatementStretch> {
  let previous = opening;
  while ((previous?.version ?? -1) < last) {
    const after = previous?.version ?? -1;
    const limit = Math.min(most, last - after);
    const found = await entriesBehind(books.entries, { walletId: wallet.walletId, after, limit });
    const end = found.at(-1);
    if (end === undefined) throw ledgerBehind(`its ledger shows no version after ${after} yet`);
    const before = previous;
    for (const entry of found) {
      checkNext(previous, entry);
      previous = entry;
    }
    yield { lines: await explained(books.table, wallet, before, found), end };
  }
}

/** Checks that an entry follows the one before it. */
function checkNext(previous: ChainedEntry | undefined, { hash, ...entry }: ChainedEntry): void {
  const { walletId, version, balanceAfter } = entry;
  const next = (previous?.version ?? -1) + 1;
  if (version !== next) throw ledgerBehind(`its ledger shows no version ${next} yet`);
  const total = plus(previous ? totalOf(previous.balanceAfter) : 0, totalChangeOf(entry));
  if (hashOf(entry, previous?.hash ?? '') !== hash || total !== totalOf(balanceAfter)) {
    throw new Error(`the ledger of ${walletId} is broken at version ${version}`);
  }
}

/** Returns the lines of consecutive entries. */
async function explained(
  table: Table,
  wallet: Wallet,
  before: ChainedEntry | undefined,
  entries: readonly ChainedEntry[],
): Promise<StatementLine[]> {
  const moving = entries.filter((entry) => totalChangeOf(entry) !== 0);
  const named = await transactionsOf(table, new Set(moving.flatMap(({ transactionId }) => transactionId ?? [])));
  const groups = moving.flatMap((entry): Group[] => {
    const first = named.get(entry.transactionId ?? '');
    return first !== undefined && needsGroup(entry, first) ? [{ entry, first }] : [];
  });
  const members = groups.length === 0 ? new Map<string, Transaction[]>() : await membersOf(table, wallet, groups);
  let total = before ? totalOf(before.balanceAfter) : 0;
  return moving.flatMap((entry) => {
    const id = entry.transactionId ?? '';
    const first = named.get(id);
    const { lines, isExplained } = linesOf(entry, total, [...(first ? [first] : []), ...(members.get(id) ?? [])]);
    if (!isExplained && table.now() - Date.parse(entry.at) < visibleAfterMs) {
      throw ledgerBehind(`the transactions of its version ${entry.version} are not visible yet`);
    }
    total = totalOf(entry.balanceAfter);
    return lines;
  });
}

/** Reads transactions by their ids. Leaves out those that do not exist, and those that this release cannot read. */
async function transactionsOf(table: Table, ids: ReadonlySet<string>): Promise<Map<string, Transaction>> {
  const found = new Map<string, Transaction>();
  const all = [...ids];
  const starts = Array.from({ length: Math.ceil(all.length / batch.keys) }, (_, index) => index * batch.keys);
  await forEachOf(starts, batch.atATime, async (start) => {
    const keys = all.slice(start, start + batch.keys).map(transactionKey);
    const { items } = await readMany(table, keys, false, (item) => readable(() => fromItem(item)));
    for (const transaction of items) found.set(transaction.transactionId, transaction);
  });
  return found;
}

function readable(read: () => Item): Transaction[] {
  const transaction = parsed(() => toTransaction(read()));
  return transaction === undefined || transaction instanceof UnreadableItem ? [] : [transaction];
}

/** An entry that covers several transactions, and the one that it names. */
interface Group {
  readonly entry: ChainedEntry;
  readonly first: Transaction;
}

/** How long before the first of a group the work of others may have begun, ms: as a rule, and after an outage. */
const beganBeforeMs = [600_000, 7 * 24 * 3_600_000];
/** Pages of a partition, of a megabyte, that one search for a group reads at most. A group that is not found then has one line. */
const mostPages = 100;

/**
 * Reads the transactions that were booked together, by the name of their entry. Payments of a batch and legs of a split were
 * accepted at one time. Transfers that arrived together were accepted at any time before.
 */
async function membersOf(table: Table, wallet: Wallet, groups: readonly Group[]): Promise<Map<string, Transaction[]>> {
  const members = new Map<string, Transaction[]>();
  const keep = (name: string | undefined, transaction: Transaction) => {
    if (name === undefined) return;
    members.set(name, [...(members.get(name) ?? []), transaction]);
  };
  const { walletId } = wallet;
  const isArrival = ({ first }: Group) => first.walletId !== walletId && !('splitId' in first);
  await forEachOf(
    groups.filter((group) => !isArrival(group)),
    batch.atATime,
    async ({ entry, first: { createdAt } }) => {
      const time = { from: createdAt, to: `${createdAt}~` };
      for (const index of [indexes.byWallet, indexes.byCounterparty] as const) {
        for await (const one of historyOf(table, { index, partition: walletId, ...time })) {
          keep(entry.transactionId, one);
        }
      }
    },
  );
  let missing = groups.filter(isArrival);
  let to = '';
  for (const beforeMs of beganBeforeMs) {
    if (missing.length === 0) break;
    const names = new Set(missing.map(({ entry }) => entry.transactionId));
    const from = new Date(
      Math.min(...missing.map(({ first }) => Date.parse(beganAtOf(first)))) - beforeMs,
    ).toISOString();
    to ||= `${missing.map(({ entry }) => bookedAtOf(entry)).reduce((a, b) => (a > b ? a : b))}~`;
    for (const partition of partitionsOf(wallet, missing)) {
      const stretch = { index: indexes.byCounterparty, partition, from, to, isArrived: true };
      for await (const one of historyOf(table, stretch)) {
        const name = 'settledWith' in one ? one.settledWith : undefined;
        if (names.has(name)) keep(name, one);
      }
    }
    to = from;
    missing = missing.filter(
      ({ entry, first }) => !linesOf(entry, 0, [first, ...(members.get(first.transactionId) ?? [])]).isExplained,
    );
  }
  return members;
}

/** Returns the partitions of the receivers' index with the transfers of these groups. */
function partitionsOf({ walletId, isCrowded = false }: Wallet, groups: readonly Group[]): Set<string> {
  const crowds = groups.map(({ first }) => crowdPartition(walletId, first.transactionId));
  return new Set([walletId, ...(isCrowded ? crowds : [])]);
}

/** Reads a stretch of a history, oldest first: the transactions whose work began from `from` on and before `to`. */
async function* historyOf(
  table: Table,
  stretch: {
    readonly index: 'byWallet' | 'byCounterparty';
    readonly partition: string;
    readonly from: string;
    readonly to: string;
    readonly isArrived?: boolean;
  },
): AsyncGenerator<Transaction> {
  const { index, partition, from, to, isArrived = false } = stretch;
  const key = index === 'byWallet' ? 'walletId' : 'counterpartyWalletId';
  for (let start: Item | undefined, pages = 0; pages === 0 || (start !== undefined && pages < mostPages); pages++) {
    const { Items = [], LastEvaluatedKey } = await withRetries(table, () =>
      table.client.send(
        new QueryCommand({
          TableName: table.name,
          IndexName: indexes[index],
          KeyConditionExpression: `${key} = :partition AND historyKey BETWEEN :from AND :to`,
          ExpressionAttributeValues: { ':partition': partition, ':from': from, ':to': to },
          ...(isArrived && { FilterExpression: 'attribute_exists(settledWith)' }),
          ExclusiveStartKey: start,
        }),
      ),
    );
    for (const item of Items) yield* readable(() => item);
    start = LastEvaluatedKey;
  }
}
