/** Compares the book with the table, and writes what the table lacks. */
import { forEachOf } from '../../lambdas/aws/parallel.ts';
import {
  importedCharge,
  importedTransactionId,
  importedTransfer,
  importedWithdrawal,
  unknownDestination,
} from '../../lambdas/domain/import.ts';
import { isBeingImported } from '../../lambdas/domain/wallet.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import type { WalletDetails } from '../../lambdas/domain/wallet-details.ts';
import {
  activateImported,
  changedSince,
  importTransaction,
  importWallet,
  inUse,
  olderThan,
  readImported,
} from '../../lambdas/store/imports.ts';
import type { Imported } from '../../lambdas/store/imports.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { readable } from '../../lambdas/store/unreadable.ts';
import { getWallets } from '../../lambdas/store/wallets.ts';
import type { Book, WalletRow, WriteRow } from './book.ts';
import type { MovementRecord } from './record.ts';
import type { Findings, Place } from './refusals.ts';

/** What the steps of a run share. */
export interface Run {
  readonly table: Table;
  readonly book: Book;
  readonly findings: Findings;
  /** Writes, or reads of a hundred items, at a time. */
  readonly atATime: number;
  /** Counts what is done. */
  readonly progress: (done: number) => void;
}

/** Most items of one read. */
const pageSize = 100;
/** Longest reference. A longer id is no reference. */
const longestReference = 128;

/** Notes what the table has already. Finds what was imported with another content, and wallets that are in use. */
export async function lookUp({ table, book, findings, atATime, progress }: Run): Promise<void> {
  await forEachOf(book.walletPages(pageSize), atATime, async (page) => {
    const known = await readImported(
      table,
      page.map(({ key }) => key),
    );
    const wallets = await getWallets(
      table,
      page.map(({ wallet_id: id }) => id),
    );
    for (const { ref, key, content, wallet_id: id, ...place } of page) {
      const [record, wallet] = [known.get(key), readable(wallets.get(id))];
      const isOwn = record !== undefined && record.fingerprint === content;
      if (wallet === undefined && record === undefined) continue;
      if (!isOwn) refuse(findings, place, record === undefined ? inUse({ walletId: id }) : changedSince);
      book.setWalletState(ref, isOwn && wallet !== undefined && isBeingImported(wallet) ? 'open' : 'closed');
    }
    progress(page.length);
  });
  await forEachOf(book.linePages(pageSize, 0), atATime, async (page) => {
    const known = await readImported(
      table,
      page.map(({ key }) => key),
    );
    const missing = page.filter(({ key, amount }) => amount > 0 && !known.has(key));
    const ids = new Set(
      missing.flatMap(({ wallet_id: payer, receiver_id: payee }) => (payee ? [payer, payee] : [payer])),
    );
    const wallets = ids.size === 0 ? new Map<string, undefined>() : await walletsOf(table, [...ids]);
    for (const row of page) {
      const record = known.get(row.key);
      if (record !== undefined) {
        if (record.fingerprint !== row.content) refuse(findings, row, changedSince);
        book.setKnown(row.seq);
        continue;
      }
      // An opening balance of 0 is never written.
      if (row.amount === 0) continue;
      for (const id of row.receiver_id ? [row.wallet_id, row.receiver_id] : [row.wallet_id]) {
        const wallet = wallets.get(id);
        if (wallet === undefined) continue;
        if (!isBeingImported(wallet)) refuse(findings, row, inUse(wallet));
        else if (wallet.updatedAt > row.at) refuse(findings, row, olderThan(wallet, row.at));
      }
    }
    progress(page.length);
  });
}

async function walletsOf(table: Table, ids: readonly string[]): Promise<Map<string, Wallet>> {
  const found = new Map<string, Wallet>();
  for (let start = 0; start < ids.length; start += pageSize) {
    for (const [id, wallet] of await getWallets(table, ids.slice(start, start + pageSize))) {
      found.set(id, readable(wallet));
    }
  }
  return found;
}

function refuse(findings: Findings, { file, line }: Place, refusal: Exclude<Imported, string>): void {
  findings.add({ file, line, ...refusal });
}

/** Writes what the table lacks: the wallets, and then their movements by date. Stops at the first refusal. */
export async function writeBook({ table, book, findings, atATime, progress }: Run): Promise<void> {
  const settle = (place: Place, outcome: Imported) => {
    if (typeof outcome !== 'string') refuse(findings, place, outcome);
    progress(1);
  };
  await forEachOf(newWallets(book), atATime, async (wallet) => {
    if (findings.total === 0) settle(wallet, await importWallet(table, walletOf(wallet)));
  });
  const importedAt = new Date(table.now()).toISOString();
  await inOrder(book.linesToWrite(), atATime, async (row) => {
    if (findings.total === 0) settle(row, await importTransaction(table, transactionOf(row, importedAt), row.content));
  });
}

function* newWallets(book: Book): Generator<WalletRow> {
  for (const page of book.walletPages(pageSize)) yield* page.filter(({ state }) => state === 'new');
}

function walletOf({ wallet_id: walletId, owner: ownerId, currency, opened: at, details, key, content }: WalletRow) {
  return {
    ...{ walletId, ownerId, currency, at, key, fingerprint: content },
    details: details === '' ? undefined : (JSON.parse(details) as WalletDetails),
  };
}

/** Members of a movement that are not columns. */
type Facts = Pick<MovementRecord, 'externalReference' | 'description' | 'metadata' | 'account' | 'accountName'>;

/** Returns the past transaction of a movement. Its reference is its id in the other system, unless it has another one. */
function transactionOf(row: WriteRow, importedAt: string) {
  const { key, id, kind, wallet_id: walletId, receiver_id: toWalletId, amount, wallet_currency: currency, at } = row;
  const isOpening = kind === 'opening';
  const { account, accountName: name, externalReference, ...more } = JSON.parse(row.facts) as Facts;
  const reference = isOpening || id.length > longestReference ? undefined : id;
  const facts = {
    ...{ ...more, externalReference: externalReference ?? reference, transactionId: importedTransactionId(key) },
    ...{ walletId, amount, currency, at, importedAt },
  };
  if (kind === 'transfer') return importedTransfer({ ...facts, toWalletId });
  if (kind !== 'withdrawal') return importedCharge({ ...facts, ...(isOpening && { opening: true }) });
  const destination = account === undefined ? unknownDestination : { account, ...(name !== undefined && { name }) };
  return importedWithdrawal({ ...facts, destination });
}

/**
 * Does work for each movement; so many run, or wait for an earlier one, at a time. Those of one wallet are done one after the other, in their order. After a
 * failure it begins no more, and rejects with the first one.
 */
async function inOrder(
  rows: Iterable<WriteRow>,
  atATime: number,
  work: (row: WriteRow) => Promise<void>,
): Promise<void> {
  const lastOf = new Map<string, Promise<void>>();
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (const row of rows) {
    const wallets = row.receiver_id === '' ? [row.wallet_id] : [row.wallet_id, row.receiver_id];
    const before = wallets.flatMap((wallet) => lastOf.get(wallet) ?? []);
    const done: Promise<void> = Promise.all(before)
      .then(() => (failures.length > 0 ? undefined : work(row)))
      .catch((error: unknown) => {
        failures.push(error);
      })
      .then(() => {
        running.delete(done);
        for (const wallet of wallets) if (lastOf.get(wallet) === done) lastOf.delete(wallet);
      });
    running.add(done);
    for (const wallet of wallets) lastOf.set(wallet, done);
    if (running.size >= atATime) await Promise.race(running);
    if (failures.length > 0) break;
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}
/** Makes all wallets of the book active that this import can go on with. Returns their number. */
export async function activate({ table, book, atATime, progress }: Run): Promise<number> {
  let activated = 0;
  await forEachOf(book.walletPages(pageSize), atATime, async (page) => {
    for (const { wallet_id: id, state, changes } of page) {
      if (state !== 'closed' && (await activateImported(table, id, changes)) === 'activated') activated++;
    }
    progress(page.length);
  });
  return activated;
}
