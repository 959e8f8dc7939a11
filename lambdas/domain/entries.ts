import { jsonOf, minus } from './money.ts';
import type { Sum } from './money.ts';
import type { Wallet, WalletStatus } from './wallet.ts';

/** What a wallet holds: integers in minor units. */
export interface Balance {
  readonly available: Sum;
  readonly held: Sum;
}

/**
 * One line of a wallet's ledger: what version N of the wallet changed, and what it left behind. Entry 0 is the opening.
 * `changes` is empty where only the status changed.
 */
export interface Entry {
  readonly walletId: string;
  readonly version: number;
  /** When it was booked, ISO 8601 UTC. Clocks differ: a later version may have an earlier time by some milliseconds. */
  readonly at: string;
  readonly changes: readonly { readonly account: keyof Balance; readonly amount: Sum }[];
  readonly balanceAfter: Balance;
  readonly statusAfter: WalletStatus;
  /**
   * The transaction behind the change of the balance. Queued transfers that were credited together have one entry, with
   * the first of them; all of them carry its id as `settledWith`.
   */
  readonly transactionId?: string;
}

/** An entry as it is stored: its hash covers the entry and the hash of the one before it. */
export interface ChainedEntry extends Entry {
  readonly hash: string;
}

/** What must be hashed for the entry after the one with `previousHash` (empty for the opening). */
export function hashedText(entry: Entry, previousHash: string): string {
  const { walletId, version, at, changes, balanceAfter, statusAfter, transactionId } = entry;
  // An array has an order by itself, which the fields of an object have not.
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
  ]);
}

/** The entry that takes a wallet from `before` (undefined: it was opened) to `after`. */
export function entryOf(before: Balance | undefined, after: Wallet): Entry {
  const { walletId, version, updatedAt: at, available, held, status: statusAfter } = after;
  const changes = (['available', 'held'] as const).flatMap((account) => {
    const amount = minus(after[account], before?.[account] ?? 0);
    return amount === 0 ? [] : [{ account, amount }];
  });
  return {
    walletId,
    version,
    at,
    changes,
    balanceAfter: { available, held },
    statusAfter,
    ...(changes.length > 0 && after.lastTransactionId !== undefined && { transactionId: after.lastTransactionId }),
  };
}

/** The chain cannot go on: what the stream says does not follow what is stored. Trying again may mend it, or not. */
export class BrokenChain extends Error {
  override readonly name = 'BrokenChain';
  readonly walletId: string;

  constructor(walletId: string, problem: string) {
    super(`the ledger of ${walletId} cannot go on: ${problem}`);
    this.walletId = walletId;
  }
}

/**
 * The entries that a change of a wallet adds behind `last`: none when it is known already, one as a rule; two when the
 * change before it never arrived, as the image before this change shows what that one had left behind.
 *
 * @throws BrokenChain when more than one version is missing, or the balance before is not the one that `last` left
 */
export function entriesAfter(
  last: Entry | undefined,
  change: { readonly before: Wallet | undefined; readonly after: Wallet },
): Entry[] {
  const { before, after } = change;
  const next = (last?.version ?? -1) + 1;
  if (after.version < next) return [];
  if (before === undefined ? after.version !== 0 : before.version !== after.version - 1) {
    throw new BrokenChain(after.walletId, `version ${after.version} follows version ${before?.version ?? 'none'}`);
  }
  const missed = before !== undefined && before.version === next ? [entryOf(last?.balanceAfter, before)] : [];
  if (after.version > next + missed.length) {
    throw new BrokenChain(after.walletId, `version ${next} is missing before version ${after.version}`);
  }
  const known = missed.length > 0 ? before : last?.balanceAfter;
  if (before?.available !== known?.available || before?.held !== known?.held) {
    throw new BrokenChain(
      after.walletId,
      `version ${after.version} begins with another balance than entry ${next - 1}`,
    );
  }
  return [...missed, entryOf(before, after)];
}
