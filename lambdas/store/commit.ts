import type { WalletError } from '../domain/errors.ts';
import type { OpenHold, PendingTransfer, PendingWithdrawal, Transaction } from '../domain/transaction.ts';
import { transactionKey } from './keys.ts';
import { dueShardOf } from './due-keys.ts';
import { historyKeyOf } from './history-keys.ts';
import type { Movement } from './movements.ts';
import { inPlaceOfRequest, putRecord, replayedRecord, replayOnly } from './operations.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import { referenceItems } from './references.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import { versionOf } from './unreadable.ts';
import { write } from './write.ts';
import type { Contention, Item, WriteItem, Written } from './write.ts';

/** The result of a command: its transaction as it is now, and whether its key had been used before. */
export interface Committed {
  readonly transaction: Transaction;
  readonly replayed: boolean;
}

/**
 * Writes a command: its record under its key, and the changes of wallets and windows.
 *
 * @param limited what a limit adds to the write
 * @param options `dueShard`: of work that a worker must end; `overLimit`: the refusal of an amount over the operator's
 *   limit, when only a replay is answered; `isApproved`: the command takes the place of its request; `namesNoAmount`: as for
 *   `putRecord`; `contention`: when to give up early
 * @throws WalletError of the first condition that fails, or `busy`; Contended
 */
export async function commit(
  table: Table,
  transaction: Transaction,
  fingerprint: string,
  changes: readonly WriteItem[],
  limited: ReturnType<typeof limitedBy>,
  {
    overLimit,
    isApproved = false,
    contention,
    ...options
  }: RecordOptions & {
    overLimit?: WalletError | undefined;
    isApproved?: boolean;
    contention?: Contention;
  } = {},
): Promise<Committed> {
  const record = putTransaction(table, transaction, fingerprint, options);
  const put = isApproved ? inPlaceOfRequest(record, fingerprint) : record;
  // A refused command touches no wallet.
  const items =
    overLimit === undefined
      ? [put, ...changes, ...referenceItems(table, transaction), ...limited.items]
      : [replayOnly(put, overLimit)];
  return committed(transaction, await write(table, items, limited.reads, contention));
}

/** What the record of a command needs besides its transaction. */
interface RecordOptions {
  readonly dueShard?: string;
  readonly namesNoAmount?: boolean;
}

/** Returns the put of a command's record under its key. */
export function putTransaction(
  table: Table,
  transaction: Transaction,
  fingerprint: string,
  { namesNoAmount, ...due }: RecordOptions = {},
): WriteItem {
  const record = {
    ...transactionKey(transaction.transactionId),
    historyKey: historyKeyOf(transaction),
    fingerprint,
    ...toStored(transaction),
    ...due,
  };
  return putRecord(table, record, namesNoAmount);
}

/** Returns the result of a command's write. Throws the error that the command is denied with. */
export function committed(transaction: Transaction, result: Written): Committed {
  const earlier = replayedRecord(result);
  if (earlier === undefined) return { transaction, replayed: false };
  const existing = toTransaction(earlier);
  if (existing === undefined) throw new Error("a command that moves no money has a money command's fingerprint");
  return { transaction: existing, replayed: true };
}

/** Writes a command whose work ends later: its record, which makes the work due, and the change of its wallet. */
export function accept(
  table: Table,
  transaction: PendingWithdrawal | PendingTransfer | OpenHold,
  fingerprint: string,
  change: WriteItem,
  rate: RateLimit | undefined,
  overLimit: WalletError | undefined,
): Promise<Committed> {
  const { type, transactionId, createdAt } = transaction;
  const dueShard = dueShardOf(type, transactionId, table.dueShards);
  return commit(table, transaction, fingerprint, [change], limitedBy(table, rate, createdAt), { dueShard, overLimit });
}

/**
 * Returns the change of the wallet that a transaction acts on.
 *
 * @param amount what leaves or enters it, where that is not the amount of the transaction
 */
export function movement(transaction: Transaction, amount = transaction.amount): Movement {
  return {
    walletId: transaction.walletId,
    ownerId: transaction.ownerId,
    amount,
    currency: transaction.currency,
    transactionId: transaction.transactionId,
    at: transaction.createdAt,
  };
}

/**
 * Returns a transaction as it is stored. While a transfer has not arrived, its receiver is in another attribute, which
 * no index has. So the transfer is written to the receiver's history once, when it has arrived. A hold never is: its
 * captures are.
 *
 * An item without a fee has no version, which means version 1: the record of an owner's withdrawal fills its kilobyte.
 */
function toStored(transaction: Transaction): Item {
  const version = versionOf(transaction);
  if (transaction.type !== 'transfer' && transaction.type !== 'hold') return { ...version, ...transaction };
  const { counterpartyWalletId, ...stored } = transaction;
  const isHidden = stored.type === 'hold' || stored.queued;
  return { ...version, ...stored, [isHidden ? 'toWalletId' : 'counterpartyWalletId']: counterpartyWalletId };
}
