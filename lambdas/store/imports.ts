import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { actorOf, importer } from '../domain/actor.ts';
import { importedTransactionId } from '../domain/import.ts';
import { maxAmount } from '../domain/money.ts';
import type { Charge, CompletedWithdrawal, DirectTransfer } from '../domain/transaction.ts';
import { openWallet } from '../domain/wallet.ts';
import type { StatusChange, Wallet } from '../domain/wallet.ts';
import type { WalletDetails } from '../domain/wallet-details.ts';
import { putTransaction } from './commit.ts';
import { ownedWalletKey, transactionKey, walletKey } from './keys.ts';
import { putOperation } from './operations.ts';
import type { Operation } from './operations.ts';
import { readMany } from './read.ts';
import type { Table } from './table.ts';
import { itemVersion, ofThisVersion } from './unreadable.ts';
import { putFirstDetails } from './wallet-details.ts';
import { toWallet } from './wallets.ts';
import { changed, fromItem, update, write } from './write.ts';
import type { Item, WriteItem, Written } from './write.ts';
import { writeOne } from './write-one.ts';

/**
 * The writes of an import. Each is one conditional write under a key from the other system, so a repetition writes nothing. A
 * wallet is frozen until its import ends. The import goes on only while it alone has written the wallet.
 */

/** Why nothing was written. */
export type ImportRefusalCode =
  | 'changed_since'
  | 'wallet_in_use'
  | 'unknown_wallet'
  | 'older_than_imported'
  | 'opening_not_first'
  | 'below_zero'
  | 'too_large';

/** The result of a write. `known`: an earlier one has written the same. */
export type Imported = 'written' | 'known' | { readonly code: ImportRefusalCode; readonly detail: string };

/** A wallet of another system. */
export interface WalletToImport {
  readonly walletId: string;
  readonly ownerId: string;
  readonly currency: string;
  readonly details?: WalletDetails | undefined;
  /** When it was opened there, ISO 8601 UTC. */
  readonly at: string;
  /** See `importKey`. */
  readonly key: string;
  readonly fingerprint: string;
}

/**
 * Opens a frozen wallet: one write of 6 write units, or 8 with details.
 *
 * @throws WalletError `busy`
 */
export async function importWallet(table: Table, opened: WalletToImport): Promise<Imported> {
  const { walletId, ownerId, currency, details, at, key, fingerprint } = opened;
  const operation: Operation = { ...importer, idempotencyKey: key, fingerprint, at };
  const createdBy = actorOf(importer);
  const wallet: Wallet = {
    ...openWallet({ walletId, ownerId, currency, at, createdBy }),
    ...(details && { hasDetails: true }),
    status: 'frozen',
    lastStatusChange: { status: 'frozen', at, actor: createdBy, reason: 'it is being imported' },
    importedVersion: 0,
  };
  const items: WriteItem[] = [
    putOperation(table, operation),
    {
      label: 'imported wallet',
      request: {
        Put: {
          TableName: table.name,
          Item: { ...walletKey(walletId), v: itemVersion, ...wallet },
          ConditionExpression: 'attribute_not_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
      },
      refused: changed,
    },
    {
      label: "owner's line",
      request: { Put: { TableName: table.name, Item: { ...ownedWalletKey(ownerId, walletId), walletId } } },
      refused: () => undefined,
    },
    ...(details ? [putFirstDetails(table, wallet, details, operation)] : []),
  ];
  return outcomeOf(await write(table, items), () => ({
    code: 'wallet_in_use',
    detail: `${walletId} exists, and no import has opened it`,
  }));
}

/** A change of an imported wallet by a past transaction. */
interface PastMovement {
  readonly walletId: string;
  readonly currency: string;
  readonly amount: number;
  readonly direction: 'in' | 'out';
  /** Whether it must be the wallet's first one. */
  readonly isOpening: boolean;
  readonly transactionId: string;
  readonly at: string;
}

/**
 * Writes a past transaction with its own date, and the wallets that it changed: one write of 5 write units, or 8 for a transfer,
 * and 1 more with a reference.
 *
 * @throws WalletError `busy`
 */
export async function importTransaction(
  table: Table,
  transaction: Charge | CompletedWithdrawal | DirectTransfer,
  fingerprint: string,
): Promise<Imported> {
  const movements = movementsOf(transaction);
  const items = [
    putTransaction(table, transaction, fingerprint),
    ...movements.map((movement) => moved(table, movement)),
  ];
  const result = await write(table, items);
  return outcomeOf(result, ({ item, image }) => {
    const movement = movements[item - 1];
    if (movement === undefined) throw new Error(`item ${item} of an import has no movement`);
    return refusalOf(toWallet(image), movement);
  });
}

function movementsOf(transaction: Charge | CompletedWithdrawal | DirectTransfer): PastMovement[] {
  const { type, walletId, currency, amount, transactionId, createdAt: at } = transaction;
  const isOpening = type === 'charge' && transaction.opening === true;
  const common = { currency, amount, transactionId, at, isOpening };
  if (type === 'charge') return [{ ...common, walletId, direction: 'in' }];
  const out: PastMovement = { ...common, walletId, direction: 'out' };
  return type === 'withdrawal'
    ? [out]
    : [out, { ...common, walletId: transaction.counterpartyWalletId, direction: 'in' }];
}

/** Moves money of a wallet that only imports have written so far, up to the date of the movement. */
function moved(table: Table, { walletId, currency, amount, direction, isOpening, ...stamp }: PastMovement): WriteItem {
  const isIn = direction === 'in';
  const sign = isIn ? '+' : '-';
  return {
    label: `imported movement of ${walletId}`,
    request: {
      Update: update(table, walletKey(walletId), {
        set:
          `available = available ${sign} :amount, #total = #total ${sign} :amount, version = version + :one, ` +
          'importedVersion = importedVersion + :one, lastTransactionId = :transactionId, updatedAt = :at',
        if:
          `${ofThisVersion.if} AND importedVersion = version AND currency = :currency AND updatedAt <= :at` +
          `${isIn ? ' AND #total <= :room' : ' AND available >= :amount'}${isOpening ? ' AND version = :zero' : ''}`,
        values: {
          ...ofThisVersion.values,
          ...{ amount, one: 1, currency, at: stamp.at, transactionId: stamp.transactionId },
          ...(isIn && { room: maxAmount - amount }),
          ...(isOpening && { zero: 0 }),
        },
      }),
    },
    refused: changed,
  };
}

/** Returns why a wallet did not take a past movement. */
function refusalOf(wallet: Wallet | undefined, movement: PastMovement): Exclude<Imported, string> {
  const { walletId, at, direction, isOpening } = movement;
  if (wallet === undefined) return { code: 'unknown_wallet', detail: `there is no wallet ${walletId}` };
  const { importedVersion, version, updatedAt, available } = wallet;
  if (importedVersion !== version || wallet.currency !== movement.currency) return inUse(wallet);
  if (updatedAt > at) return olderThan(wallet, at);
  if (isOpening && version > 0) {
    return { code: 'opening_not_first', detail: `${walletId} has ${version} imported transactions already` };
  }
  return direction === 'in'
    ? { code: 'too_large', detail: `${walletId} would have more than ${maxAmount}` }
    : { code: 'below_zero', detail: `${walletId} has ${String(available)}, and ${movement.amount} leave it` };
}

/** Returns the refusal of a wallet that others than imports have written. */
export function inUse({ walletId }: Pick<Wallet, 'walletId'>): Exclude<Imported, string> {
  return { code: 'wallet_in_use', detail: `${walletId} has entries that are not of an import` };
}

/** Returns the refusal of a transaction that is older than what was imported of its wallet. */
export function olderThan({ walletId, updatedAt }: Wallet, at: string): Exclude<Imported, string> {
  const detail = `it is of ${at}, and ${walletId} has an imported transaction of ${updatedAt}`;
  return { code: 'older_than_imported', detail };
}

/** Returns the outcome of a write whose first item is its record. */
function outcomeOf(
  result: Written,
  refusalFor: (refused: { item: number; image: Item | undefined }) => Exclude<Imported, string>,
): Imported {
  if (result.written) return 'written';
  const [first] = result.refusals;
  if (first.kind === 'replay') return 'known';
  if (first.kind === 'denied') return changedSince;
  return refusalFor(first);
}

/** The refusal of what was imported before with another content. */
export const changedSince = {
  code: 'changed_since',
  detail: 'its id was imported before, with another content',
} as const satisfies Imported;

/**
 * Makes an imported wallet active: one write of one write unit. A wallet that others have written since stays as it is, and so
 * does one that another import, of other files, has written.
 *
 * @param changes the number of its imported movements that were compared
 * @throws WalletError `busy`
 */
export async function activateImported(
  table: Table,
  walletId: string,
  changes: number,
): Promise<'activated' | 'unchanged'> {
  const at = new Date(table.now()).toISOString();
  const change: StatusChange = { status: 'active', at, actor: actorOf(importer), reason: 'its import has ended' };
  const result = await writeOne(
    table,
    new UpdateCommand(
      update(table, walletKey(walletId), {
        set: '#status = :active, version = version + :one, updatedAt = :at, lastStatusChange = :change',
        remove: 'importedVersion',
        if: `${ofThisVersion.if} AND importedVersion = version AND version = :changes AND #status = :frozen`,
        values: { ...ofThisVersion.values, changes, active: 'active', frozen: 'frozen', one: 1, at, change },
      }),
    ),
  );
  return result.written ? 'activated' : 'unchanged';
}

/** What the table has under the key of an import. */
export interface ImportedRecord {
  readonly fingerprint: string;
  /** `operation`: of a wallet, and so without an amount. */
  readonly type: string;
  readonly opening: boolean;
  readonly amount: number;
  readonly currency: string;
}

/** Reads what was imported under these keys, consistently: a read unit for each. Leaves out those that are not there. */
export async function readImported(table: Table, keys: readonly string[]): Promise<Map<string, ImportedRecord>> {
  const keyOf = new Map(keys.map((key) => [transactionKey(importedTransactionId(key)).pk, key]));
  const names = [...keyOf.keys()].map((pk) => ({ pk, sk: transactionKey('').sk }));
  const { items } = await readMany(table, names, true, (item) => {
    const { pk, fingerprint, type, opening, amount = 0, currency = '' } = fromItem(item);
    const texts = { fingerprint: String(fingerprint), type: String(type), currency: String(currency) };
    const record: ImportedRecord = { ...texts, opening: opening === true, amount: Number(amount) };
    return [[keyOf.get(String(pk)) ?? '', record] as const];
  });
  return new Map(items);
}
