import { jsonOf, minus } from './money.ts';
import type { Sum } from './money.ts';
import type { Wallet, WalletStatus } from './wallet.ts';

/** The balance of a wallet: integers in minor units. */
export interface Balance {
  readonly available: Sum;
  readonly held: Sum;
}

/**
 * One line of a wallet's ledger: the change that made version N, and the balance after it. Entry 0 is the opening.
 * `changes` is empty where only the status changed.
 */
export interface Entry {
  readonly walletId: string;
  readonly version: number;
  /** Time from which the version holds, ISO 8601 UTC. Never earlier than that of the entry before it. */
  readonly at: string;
  /**
   * Time of the booking, as in its transaction: when its request began, by the clock of one machine. When it is absent,
   * `at` is this time, and may run backwards.
   */
  readonly bookedAt?: string;
  readonly changes: readonly { readonly account: keyof Balance; readonly amount: Sum }[];
  readonly balanceAfter: Balance;
  readonly statusAfter: WalletStatus;
  /**
   * The transaction behind the change of the balance. Transactions that were booked together have one entry, with the
   * first of them: see `entryNameOf`.
   */
  readonly transactionId?: string;
}

/** A stored entry. Its hash covers the entry and the hash of the entry before it. */
export interface ChainedEntry extends Entry {
  readonly hash: string;
}

/** Returns the time of the booking, as in its transaction. */
export function bookedAtOf({ at, bookedAt }: Pick<Entry, 'at' | 'bookedAt'>): string {
  return bookedAt ?? at;
}

/** Returns the text to hash for the entry after the one with `previousHash` (empty for the opening). */
export function hashedText(entry: Entry, previousHash: string): string {
  const { walletId, version, at, bookedAt, changes, balanceAfter, statusAfter, transactionId } = entry;
  // An array has a fixed order. The fields of an object have none.
  return jsonOf([
    previousHash,
    walletId,
    version,
    at,
    changes.map(({ account, amount }) => [account, amount]),
    balanceAfter.available,
    balanceAfter.held,
    statusAfter,
    transactionId ?? null,
    ...(bookedAt === undefined ? [] : [bookedAt]),
  ]);
}

/**
 * Returns the entry after `previous` that takes a wallet from `before` (undefined: the wallet was opened) to `after`.
 */
function entryOf(previous: Entry | undefined, before: Balance | undefined, after: Wallet): Entry {
  const { walletId, version, updatedAt: bookedAt, available, held, status: statusAfter } = after;
  const changes = (['available', 'held'] as const).flatMap((account) => {
    const amount = minus(after[account], before?.[account] ?? 0);
    return amount === 0 ? [] : [{ account, amount }];
  });
  return {
    walletId,
    version,
    at: later(previous?.at ?? '', bookedAt),
    bookedAt,
    changes,
    balanceAfter: { available, held },
    statusAfter,
    ...(changes.length > 0 && after.lastTransactionId !== undefined && { transactionId: after.lastTransactionId }),
  };
}

/** The chain cannot go on: the stream's change does not follow the stored entries. A retry may succeed. */
export class BrokenChain extends Error {
  override readonly name = 'BrokenChain';
  readonly walletId: string;

  constructor(walletId: string, problem: string) {
    super(`the ledger of ${walletId} cannot go on: ${problem}`);
    this.walletId = walletId;
  }
}

/** A change of a wallet; `before` is undefined when it was opened. */
export interface WalletChange {
  readonly before: Wallet | undefined;
  readonly after: Wallet;
}

/**
 * Returns the entries that a change of a wallet adds after `last`. That is none when the ledger has this change
 * already, and one as a rule. It is two when the change before it never arrived: the image before this change shows the
 * balance that the lost change left.
 *
 * @param stored the ledger's entry of the change's version; needed only where that is older than `last`
 * @throws BrokenChain when the ledger has another change of this version, or when more than one version is missing.
 * Also when the wallet before the change is not the one that `last` left. A table that was restored to an earlier state
 * causes this.
 */
export function entriesAfter(last: Entry | undefined, change: WalletChange, stored?: Entry): Entry[] {
  const { before, after } = change;
  const next = (last?.version ?? -1) + 1;
  if (before === undefined ? after.version !== 0 : before.version !== after.version - 1) {
    throw new BrokenChain(after.walletId, `version ${after.version} follows version ${before?.version ?? 'none'}`);
  }
  if (after.version < next) {
    const known = after.version === last?.version ? last : stored;
    if (known !== undefined && isSameChange(known, entryOf(undefined, before, after))) return [];
    throw new BrokenChain(
      after.walletId,
      `the ledger has ${known === undefined ? 'no' : 'another'} change of version ${after.version}`,
    );
  }
  const missed =
    before !== undefined && before.version === next ? entryOf(last, last?.balanceAfter, before) : undefined;
  const previous = missed ?? last;
  if (after.version !== (previous?.version ?? -1) + 1) {
    throw new BrokenChain(after.walletId, `version ${next} is missing before version ${after.version}`);
  }
  if (before !== undefined && (previous === undefined || !isLeftBy(previous, before))) {
    throw new BrokenChain(
      after.walletId,
      `version ${after.version} begins with another wallet than entry ${next - 1} has left`,
    );
  }
  const entry = entryOf(previous, before, after);
  return missed === undefined ? [entry] : [missed, entry];
}

/** Returns whether two entries of a version record the same change. Their times in the chain do not count. */
function isSameChange(one: Entry, other: Entry): boolean {
  // The text has all fields of an entry. One shared time keeps `at` out of the comparison.
  const textOf = (entry: Entry) => hashedText({ ...entry, at: '', bookedAt: bookedAtOf(entry) }, '');
  return textOf(one) === textOf(other);
}

/** Returns whether the entry of this wallet's version left exactly this wallet. */
function isLeftBy(entry: Entry, wallet: Wallet): boolean {
  const { version, balanceAfter, statusAfter, transactionId } = entry;
  return (
    version === wallet.version &&
    bookedAtOf(entry) === wallet.updatedAt &&
    balanceAfter.available === wallet.available &&
    balanceAfter.held === wallet.held &&
    statusAfter === wallet.status &&
    // After a change of the status the wallet still has the transaction of an earlier version.
    (transactionId === undefined || transactionId === wallet.lastTransactionId)
  );
}

/** The entry that held at a moment, among given entries. */
export interface Held<E extends Entry = Entry> {
  /** Undefined when even the first entry is later. */
  readonly entry: E | undefined;
  /** Whether the ledger shows that the entry's version ended after the moment. */
  readonly isOver: boolean;
}

/**
 * Returns the entry that held at a moment, from consecutive entries in the order of their versions. A version holds
 * when no entry up to it has a later time. So the answer is also right for entries whose times run backwards.
 *
 * @param before the entry that held before the first of them
 */
export function heldAt<E extends Entry>(entries: readonly E[], moment: string, before?: E): Held<E> {
  const end = entries.findIndex(({ at }) => at > moment);
  const held = end < 0 ? entries : entries.slice(0, end);
  return { entry: held.at(-1) ?? before, isOver: end >= 0 };
}

/**
 * Returns the balance at a moment, with its version; `none` before the wallet was opened. Returns `behind` when the
 * ledger lacks more than one version of the wallet, or has other ones.
 *
 * @param held the last entry that held at the moment, out of the whole ledger
 * @param wallet the wallet, read consistently
 */
export function balanceHeld(
  { entry, isOver }: Held,
  wallet: Wallet,
  moment: string,
): (Balance & { readonly version: number }) | 'none' | 'behind' {
  const ofEntry = entry === undefined ? 'none' : { ...entry.balanceAfter, version: entry.version };
  if (isOver || wallet.createdAt > moment) return ofEntry;
  if (entry?.version === wallet.version) return isLeftBy(entry, wallet) ? ofEntry : 'behind';
  if (wallet.version !== (entry?.version ?? -1) + 1) return 'behind';
  const { available, held, version } = wallet;
  return later(entry?.at ?? '', wallet.updatedAt) <= moment ? { available, held, version } : ofEntry;
}

/**
 * Time after a moment from which the balance at it is final, ms. A command is booked at the time when its request
 * began. Until then a request that began before the moment may still be written. No function runs for longer than half
 * of this.
 */
export const finalAfterMs = 60_000;

/** Returns the later of two times in ISO 8601 UTC. The empty text is earlier than every time. */
function later(one: string, other: string): string {
  return one > other ? one : other;
}
