/** Makes each wallet and its ledger agree with the records of its transactions. */
import { forEachOf } from '../../lambdas/aws/parallel.ts';
import { bookedAtOf } from '../../lambdas/domain/entries.ts';
import type { ChainedEntry, Entry } from '../../lambdas/domain/entries.ts';
import { plus } from '../../lambdas/domain/money.ts';
import type { Sum } from '../../lambdas/domain/money.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import { isReadable } from '../../lambdas/integrity/wallet-check.ts';
import { stateFromText } from '../../lambdas/integrity/text.ts';
import { chained, hashOf, insertEntries, mostInserts, readEntriesAt } from '../../lambdas/store/entries.ts';
import { entryKey, walletKey } from '../../lambdas/store/keys.ts';
import { itemVersion } from '../../lambdas/store/unreadable.ts';
import type { BooksCopy } from './copy.ts';
import { sums } from './copy.ts';
import type { Recovery } from './recovery.ts';
import { changedByOthers } from './recovery.ts';
import { eventOfWallet, statusAfter } from './status.ts';

/** Wallets that are mended side by side. */
const walletsAtATime = 16;
const pageSize = 1_000;

const deltaColumns = { name: 'text', at: 'text', available: 'text', held: 'text' } as const;

/** A change that the records show and the ledger does not, or the other way round. */
interface Delta {
  readonly name: string;
  readonly at: string;
  readonly available: string;
  readonly held: string;
}

/** What a wallet and its ledger lack. */
interface Mending {
  readonly wallet: Wallet;
  /** The wallet after it; the same one when the wallet is right. */
  readonly mended: Wallet;
  /** The last entry of the chain's sound part. */
  readonly last: ChainedEntry | undefined;
  /** The entries behind the sound part. */
  readonly behindBreak: readonly { readonly version: number; readonly hash: string }[];
  /** The number of entries that the ledger lacks. */
  readonly missing: number;
}

/** Mends all wallets. */
export async function mendWallets(recovery: Recovery): Promise<void> {
  const pages = recovery.copy.query(
    { wallet_id: 'text' },
    `SELECT wallet_id FROM wallets WHERE wallet_id > ? ORDER BY wallet_id LIMIT ${pageSize}`,
  );
  let last = '';
  for (let page = pages.all(last); page.length > 0; page = pages.all(last)) {
    last = page.at(-1)?.wallet_id ?? '';
    await forEachOf(page, walletsAtATime, ({ wallet_id: walletId }) => mendWallet(recovery, walletId));
  }
}

/**
 * Mends a wallet and its ledger. The ledger keeps what readers have seen: each change that the records do not have is
 * undone by a further entry, at the time of its booking. Only what follows a break of the chain is made again.
 *
 * The wallet comes first. A recovery that stops behind it finds a version that its ledger lacks, and adds its entries.
 */
export async function mendWallet(recovery: Recovery, walletId: string): Promise<void> {
  const { copy, report, table } = recovery;
  const mending = planMending(recovery, walletId);
  if (mending === undefined) return;
  const { wallet, mended, behindBreak, missing } = mending;
  if (mended !== wallet) {
    const text = ({ status, available, held, version }: Wallet) =>
      `${status}, ${String(available)} available, ${String(held)} held, version ${version}`;
    report.repairs('wallet', walletId, `was ${text(wallet)}; is ${text(mended)}`);
    await recovery.put(table, { ...walletKey(walletId), v: itemVersion, ...mended }, { ...wallet });
    copy.putWallet(mended);
  }
  if (behindBreak.length > 0) {
    report.repairs('ledger', walletId, `${behindBreak.length} entries behind a break of the chain are made again`);
    copy.run('DELETE FROM entries WHERE wallet_id = ? AND version > ?', walletId, mending.last?.version ?? -1);
  }
  if (missing > 0) {
    report.repairs('ledger', walletId, `${missing} entries added, up to version ${mended.version}`);
    await addEntries(recovery, mending);
  }
}

/** Returns what a wallet and its ledger lack; undefined when they agree with the records. */
export function planMending(recovery: Recovery, walletId: string): Mending | undefined {
  const { copy, at } = recovery;
  const wallet = copy.wallet(walletId);
  if (wallet === undefined) return undefined;
  const { last, behindBreak } = soundPart(copy, walletId);
  const end = endOf(last);
  const deltas = deltasOf(copy, wallet, last);
  const balance = copy.balanceOf(walletId);
  const shown = eventOfWallet(copy, walletId);
  const shownVersions = [shown?.wallet.balance.version ?? 0, versionOfLimits(copy, walletId)];
  const seen = Math.max(end, behindBreak.at(-1)?.version ?? 0, ...shownVersions);
  const status = statusAfter(recovery, wallet, shown);
  const isCrowded = copy.has('SELECT 1 FROM crowds WHERE wallet_id = ?', walletId);
  // Money that was taken and that no record holds is not available: `nameMissingHolds` names it.
  const missingHeld = balance.held < 0n ? balance.held : 0n;
  const available = plus(0, balance.available + missingHeld);
  const held = plus(0, balance.held - missingHeld);
  const total = plus(available, held);
  const chargedBack = plus(0, copy.chargedBackOf(walletId));
  const scheduled = copy.scheduledOf(walletId);
  const orders = copy.ordersOf(walletId);
  const isCounted = (wallet.scheduled ?? 0) === scheduled && (wallet.orders ?? 0) === orders;
  const isRight =
    wallet.available === available &&
    wallet.held === held &&
    wallet.total === total &&
    (wallet.chargedBack ?? 0) === chargedBack &&
    isCounted &&
    status === undefined &&
    (!isCrowded || wallet.isCrowded === true) &&
    seen <= wallet.version &&
    canEndAt(wallet, last, deltas);
  const mended: Wallet = isRight
    ? wallet
    : {
        ...{ ...withoutChargebacks(wallet), ...status, available, held, total, updatedAt: at },
        ...(chargedBack !== 0 && { chargedBack }),
        ...(!isCounted && { scheduled, orders }),
        ...(isCrowded && { isCrowded }),
        version: Math.max(end + deltas.count, wallet.version, seen) + 1,
      };
  const missing = mended.version - (last?.version ?? -1);
  if (isRight && missing === 0 && behindBreak.length === 0) return undefined;
  return { wallet, mended, last, behindBreak, missing };
}

function withoutChargebacks({ chargedBack, ...wallet }: Wallet): Wallet {
  return wallet;
}

/** Returns the last entry up to which the chain is sound, and the versions behind it. */
function soundPart(copy: BooksCopy, walletId: string): Pick<Mending, 'last' | 'behindBreak'> {
  const rows = copy.query(
    { version: 'number', hash: 'text', item: 'text' },
    'SELECT version, hash, item FROM entries WHERE wallet_id = ? ORDER BY version',
  );
  let last: ChainedEntry | undefined;
  const behindBreak: Mending['behindBreak'][number][] = [];
  for (const { version, hash, item } of rows.each(walletId)) {
    const entry = item === '' ? undefined : (stateFromText(item) as ChainedEntry);
    if (behindBreak.length === 0 && entry !== undefined && follows(entry, last)) last = entry;
    else behindBreak.push({ version, hash });
  }
  return { last, behindBreak };
}

function follows(entry: ChainedEntry, last: ChainedEntry | undefined): boolean {
  if (!isReadable(entry) || entry.version !== (last?.version ?? -1) + 1) return false;
  if (entry.hash !== hashOf(entry, last?.hash ?? '')) return false;
  const balance = balanceAfter(last, entry.changes);
  return balance.available === entry.balanceAfter.available && balance.held === entry.balanceAfter.held;
}

function balanceAfter(last: Entry | undefined, changes: Entry['changes']): { available: Sum; held: Sum } {
  let { available, held } = last?.balanceAfter ?? { available: 0, held: 0 };
  for (const { account, amount } of changes) {
    if (account === 'available') available = plus(available, amount);
    else held = plus(held, amount);
  }
  return { available, held };
}

/**
 * Returns the changes that the ledger lacks up to `end`. For each transaction and time, the entries must add up to the
 * bookings. `final`: the one that made the wallet's version, which comes last.
 */
function deltasOf(
  copy: BooksCopy,
  { walletId, lastTransactionId = '', updatedAt }: Wallet,
  last: ChainedEntry | undefined,
) {
  const end = last?.version ?? -1;
  const both = `(SELECT name, at, available, held FROM bookings WHERE account = ?1 UNION ALL
    SELECT name, at, -available, -held FROM entries WHERE wallet_id = ?1 AND version <= ?2 AND name <> '')`;
  const open = 'GROUP BY name, at HAVING SUM(available) <> 0 OR SUM(held) <> 0';
  const { count } = copy
    .query({ count: 'number' }, `SELECT COUNT(*) AS count FROM (SELECT 1 FROM ${both} ${open})`)
    .first(walletId, end) ?? { count: 0 };
  const final = copy
    .query(deltaColumns, `SELECT name, at, ${sums} FROM ${both} WHERE name = ?3 AND at = ?4 ${open}`)
    .first(walletId, end, lastTransactionId, updatedAt);
  /** Copies all but the final one into a table of their own, in their order: inserts of entries change the difference. */
  const keepOthers = () => {
    copy.run(
      `INSERT INTO deltas (wallet_id, name, at, available, held) SELECT ?1, name, at, ${sums} FROM ${both}
        WHERE NOT (name = ?3 AND at = ?4) ${open} ORDER BY at, name`,
      ...[walletId, end, lastTransactionId, updatedAt],
    );
  };
  return { count, final, keepOthers };
}

type Deltas = ReturnType<typeof deltasOf>;

/** Returns the version of the last entry. A ledger without entries gets that of the opening first, version 0. */
function endOf(last: ChainedEntry | undefined): number {
  return last?.version ?? 0;
}

/** Returns whether the ledger can end with an entry that leaves exactly this wallet. */
function canEndAt(wallet: Wallet, last: ChainedEntry | undefined, { count, final }: Deltas): boolean {
  const end = endOf(last) + count;
  // An entry without changes fills a free version.
  if (end < wallet.version) return true;
  if (end > wallet.version) return false;
  if (count > 0) return final !== undefined;
  if (last === undefined) return wallet.updatedAt === wallet.createdAt;
  return bookedAtOf(last) === wallet.updatedAt && last.statusAfter === wallet.status;
}

/** Returns the version of the wallet in the last event of its limits; 0 when there is none. */
function versionOfLimits(copy: BooksCopy, walletId: string): number {
  const last = copy.query(
    { version: 'number' },
    'SELECT COALESCE(MAX(version), 0) AS version FROM limit_events WHERE wallet_id = ?',
  );
  return last.first(walletId)?.version ?? 0;
}

/** Appends the missing entries. Entries without changes fill the versions that no booking made. */
async function addEntries(recovery: Recovery, { mended, last, behindBreak }: Mending): Promise<void> {
  const { copy } = recovery;
  const others = new Map(behindBreak.map(({ version: which, hash }) => [which, hash]));
  const { walletId, version, updatedAt, createdAt } = mended;
  const { count, final, keepOthers } = deltasOf(copy, mended, last);
  const fillers = version - endOf(last) - count;
  let previous = last;
  let batch: ChainedEntry[] = [];
  const add = async (bookedAt: string, delta?: Delta) => {
    previous = nextEntry(previous, mended, bookedAt, delta);
    batch.push(previous);
    if (batch.length >= mostInserts) batch = await insert(recovery, batch, others);
  };
  const pages = copy.query(
    { n: 'number', ...deltaColumns },
    `SELECT n, name, at, available, held FROM deltas WHERE wallet_id = ? AND n > ? ORDER BY n LIMIT ${pageSize}`,
  );
  keepOthers();
  if (previous === undefined) await add(createdAt);
  let read = 0;
  for (let page = pages.all(walletId, read); page.length > 0; page = pages.all(walletId, read)) {
    read = page.at(-1)?.n ?? read;
    for (const delta of page) await add(delta.at, delta);
  }
  copy.run('DELETE FROM deltas WHERE wallet_id = ?', walletId);
  for (let n = 1; n <= fillers; n++) {
    const isLast = n === fillers && final === undefined;
    await add(isLast ? updatedAt : (previous?.at ?? updatedAt));
  }
  if (final !== undefined) await add(final.at, final);
  await insert(recovery, batch, others);
}

function nextEntry(previous: ChainedEntry | undefined, wallet: Wallet, bookedAt: string, delta?: Delta): ChainedEntry {
  const changes = (['available', 'held'] as const).flatMap((account) => {
    const amount = plus(0, BigInt(delta?.[account] ?? '0'));
    return amount === 0 ? [] : [{ account, amount }];
  });
  const at = previous !== undefined && previous.at > bookedAt ? previous.at : bookedAt;
  const entry: Entry = {
    walletId: wallet.walletId,
    version: (previous?.version ?? -1) + 1,
    ...{ at, bookedAt, changes, balanceAfter: balanceAfter(previous, changes) },
    statusAfter: wallet.status,
    ...(delta !== undefined && { transactionId: delta.name }),
  };
  return chained(entry, previous);
}

/**
 * Inserts entries of one wallet, or puts them in place of others. Returns an empty batch.
 *
 * @param others hashes of entries behind a break of the chain, by version
 */
async function insert(
  recovery: Recovery,
  batch: readonly ChainedEntry[],
  others: ReadonlyMap<number, string>,
): Promise<ChainedEntry[]> {
  const { copy, entries } = recovery;
  const added: ChainedEntry[] = [];
  for (const entry of batch) {
    const other = others.get(entry.version);
    if (other === undefined) added.push(entry);
    else await recovery.replaceEntry(entry, other);
  }
  await recovery.write(async () => {
    const outcomes = added.length === 0 ? [] : await insertEntries(entries, added);
    for (const [index, outcome] of outcomes.entries()) {
      const entry = added[index];
      if (entry === undefined || outcome === 'stored') continue;
      if (outcome !== 'known') throw outcome.error;
      // A try whose answer was lost may have inserted it.
      const { items } = await readEntriesAt(entries, [entry], true);
      if (items[0]?.hash !== entry.hash) throw changedByOthers(entryKey(entry.walletId, entry.version));
    }
  });
  for (const entry of batch) copy.putEntry(entry);
  return [];
}
