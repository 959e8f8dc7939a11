import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../contract.ts';
import { mergePage } from '../domain/history.ts';
import type { Stretch } from '../domain/history.ts';
import { feeCommands, feeRefusal } from '../domain/fee.ts';
import { isTime } from '../domain/hours.ts';
import { isAmount } from '../domain/money.ts';
import { holdEnds, transactionTypes } from '../domain/transaction.ts';
import type { Transaction, TransactionStatus, TransactionType } from '../domain/transaction.ts';
import { transactionKey } from './keys.ts';
import { historyKeyOf, receiverPartitions, transactionIdOfHistoryKey, walletIdOfPartition } from './history-keys.ts';
import { readParsed } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, requireTransactionVersion, UnreadableItem } from './unreadable.ts';
import type { Item } from './write.ts';

/** Reads a transaction. The read is consistent, because a caller may read right after its command was answered. */
export async function getTransaction(table: Table, transactionId: string): Promise<Transaction | undefined> {
  const { Item } = await withRetries(table, () =>
    table.client.send(
      new GetCommand({ TableName: table.name, Key: transactionKey(transactionId), ConsistentRead: true }),
    ),
  );
  return Item && toTransaction(Item);
}

/**
 * Reads up to 100 transactions in one call, by id; those that do not exist are left out. One that cannot be read does
 * not fail the others.
 */
export async function getTransactions(
  table: Table,
  transactionIds: readonly string[],
): Promise<Map<string, Transaction | UnreadableItem>> {
  return readParsed(table, transactionIds, transactionKey, toTransaction);
}

/** The members of a wallet that its history needs. */
export interface ListedWallet {
  readonly walletId: string;
  /** As in the wallet. */
  readonly isCrowded?: boolean;
}

/** The selection of a page of a history. Times are ISO 8601 UTC: `from` inclusive, `to` exclusive. */
export interface HistoryQuery {
  readonly limit: number;
  /** History key after which the page begins (see keys.ts); absent for the newest page. */
  readonly after?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly type?: TransactionType | undefined;
  readonly status?: TransactionStatus | undefined;
  /** Selects what the owner of the wallets gave this reference. */
  readonly externalReference?: string | undefined;
}

/** A filtered page may have to read past many entries. After this many rounds it is answered short, with a cursor. */
const mostRounds = 5;
/** Entries that a filtered page reads from each index in a round. */
const filteredStretch = 100;
/** The least entries of each of several wallets that are read in a round. */
const leastStretch = 10;

/** Reads a page of the history of a wallet, as `listTransactionsOf` does. */
export function listTransactions(
  table: Table,
  { walletId, isCrowded, ...query }: HistoryQuery & ListedWallet,
): Promise<{ items: Transaction[]; next?: string }> {
  return listTransactionsOf(table, [{ walletId, ...(isCrowded && { isCrowded }) }], query);
}

/**
 * Reads a page of the history of wallets of one owner, as sender and as receiver, newest first. Reads all indexes in
 * parallel; a crowded wallet has several partitions in the index of receivers.
 */
export async function listTransactionsOf(
  table: Table,
  wallets: readonly ListedWallet[],
  query: HistoryQuery,
): Promise<{ items: Transaction[]; next?: string }> {
  const filtered = [query.type, query.status, query.externalReference].some((filter) => filter !== undefined);
  const items: Transaction[] = [];
  let after = query.after;
  for (let round = 0; round < mostRounds; round++) {
    const wanted = query.limit - items.length;
    const stretch = { ...query, after, limit: stretchOf(wallets.length, filtered ? filteredStretch : wanted) };
    const page = mergePage(
      await Promise.all(
        wallets.flatMap((wallet) => [
          readStretch(table, { index: indexes.byWallet, key: 'walletId', partition: wallet.walletId }, stretch),
          ...receiverPartitions(wallet).map((partition) =>
            readStretch(table, { index: indexes.byCounterparty, key: 'counterpartyWalletId', partition }, stretch),
          ),
        ]),
      ),
      historyKeyOf,
      wanted,
    );
    // A payment between two of the wallets is in the histories of both.
    items.push(...new Map(page.items.map((item) => [item.transactionId, item])).values());
    if (page.next === undefined) return { items };
    after = page.next;
    if (items.length === query.limit) break;
  }
  return after === undefined ? { items } : { items, next: after };
}

/** Returns the entries to read from each index in a round: fewer for more wallets, whose pages may then be short. */
function stretchOf(wallets: number, ofOne: number): number {
  return wallets === 1 ? ofOne : Math.min(ofOne, Math.max(leastStretch, Math.ceil((2 * ofOne) / wallets)));
}

/**
 * Returns the condition on entries of an index whose owner gave them the reference: of a capture into a wallet its receiver,
 * and of all others the owner of `walletId`. A condition on what is read, and not on what is shown, gives no sign of a
 * reference that was found and is another's.
 */
function referenceFilter(index: string): string {
  // A filter must not name a key of its index, which all entries have.
  const isOfReceiver = '#type = :capture AND attribute_exists(counterpartyWalletId)';
  const isOfThisSide = index === indexes.byWallet ? `NOT (${isOfReceiver})` : '#type = :capture';
  return `externalReference = :reference AND ${isOfThisSide}`;
}

async function readStretch(
  table: Table,
  history: { index: string; key: string; partition: string },
  query: HistoryQuery,
): Promise<Stretch<Transaction>> {
  // A history key is `<time>#<id>`. It sorts after its time alone and before '~', so `from` is in and `to` is out.
  const oldest = query.from ?? '0';
  const newest = query.to ?? '~';
  if (newest <= oldest || (query.after !== undefined && query.after <= oldest)) return { items: [] };
  const filters = [
    ...(query.type === undefined ? [] : ['#type = :type']),
    ...(query.status === undefined ? [] : ['#status = :status']),
    ...(query.externalReference === undefined ? [] : [referenceFilter(history.index)]),
  ];
  const isNamed = (name: string) => filters.some((filter) => filter.includes(name));
  const { Items = [], LastEvaluatedKey } = await withRetries(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: history.index,
        KeyConditionExpression: `${history.key} = :partition AND historyKey BETWEEN :oldest AND :newest`,
        ...(filters.length > 0 && {
          FilterExpression: filters.join(' AND '),
          ExpressionAttributeNames: {
            ...(isNamed('#type') && { '#type': 'type' }),
            ...(isNamed('#status') && { '#status': 'status' }),
          },
        }),
        ExpressionAttributeValues: {
          ':partition': history.partition,
          ':oldest': oldest,
          ':newest': newest,
          ':type': query.type,
          ':status': query.status,
          ...(query.externalReference !== undefined && {
            ':reference': query.externalReference,
            ':capture': 'capture',
          }),
        },
        ScanIndexForward: false,
        // DynamoDB refuses a start outside the range, so a cursor that is newer than `to` begins at `to`.
        ...(query.after !== undefined &&
          query.after < newest && {
            ExclusiveStartKey: {
              ...transactionKey(transactionIdOfHistoryKey(query.after)),
              [history.key]: history.partition,
              historyKey: query.after,
            },
          }),
        Limit: query.limit,
      }),
    ),
  );
  const items = Items.map(toTransaction).filter((item) => item !== undefined);
  const readTo = LastEvaluatedKey && (LastEvaluatedKey['historyKey'] as string);
  return readTo === undefined ? { items } : { items, readTo };
}

/** The statuses of each type. */
const statuses: { readonly [Type in TransactionType]: readonly Extract<Transaction, { type: Type }>['status'][] } = {
  charge: ['completed'],
  withdrawal: ['scheduled', 'pending', 'executing', 'completed', 'failed', 'review'],
  transfer: ['scheduled', 'pending', 'completed', 'failed'],
  return: ['completed'],
  hold: ['open', 'ended'],
  capture: ['completed'],
  refund: ['completed'],
  collection: ['completed'],
};

/**
 * Returns the transaction in a stored item, without the members that only the store needs; undefined for the record of
 * an operation. Postings and times are not checked: the check of the books judges them.
 *
 * @throws UnreadableItem for an unknown type, a newer version or no id; InvalidItem for the id of another transaction,
 * and for an item that lacks a member of its type, or has one that its type cannot have
 */
export function toTransaction(item: Item): Transaction | undefined {
  requireTransactionVersion(item);
  if (item['type'] === 'operation') return undefined;
  const { pk, sk, v, historyKey, fingerprint, dueShard, queuedAt, toWalletId, counterpartyWalletId, ...rest } = item;
  requireMembers(item);
  // Earlier releases stored the receiver of a pending transfer in the attribute for completed ones.
  const receiver = toWalletId ?? counterpartyWalletId;
  const transaction =
    typeof receiver === 'string' ? { ...rest, counterpartyWalletId: walletIdOfPartition(receiver) } : rest;
  return transaction as unknown as Transaction;
}

/** Checks the members that distinguish the kinds of transactions, and those that decide how money moves. */
function requireMembers(item: Item): void {
  const { type, status, transactionId, walletId, amount, currency } = item;
  const known = transactionTypes.find((one) => one === type);
  if (typeof transactionId !== 'string') throw new UnreadableItem(item, 'it has no id');
  if (transactionKey(transactionId).pk !== item['pk']) throw new InvalidItem(item, `its id is ${transactionId}`);
  if (known === undefined) throw new UnreadableItem(item, `type "${String(type)}", which this release does not know`);
  if (!statuses[known].some((one) => one === status)) {
    throw new InvalidItem(item, `a ${known} cannot be ${String(status)}`);
  }
  if (!isAmount(amount)) throw new InvalidItem(item, `its amount is ${String(amount)}`);
  if (typeof walletId !== 'string' || typeof currency !== 'string') {
    throw new InvalidItem(item, 'it has no wallet or no currency');
  }
  const { toWalletId, counterpartyWalletId = toWalletId, originalTransactionId, destination } = item;
  const needed = {
    charge: '',
    withdrawal: destination,
    transfer: counterpartyWalletId,
    return: originalTransactionId,
    hold: isHoldOf(item, amount) ? '' : undefined,
    capture: originalTransactionId,
    refund: originalTransactionId,
    collection: isCollectionOf(item, amount) ? '' : undefined,
  };
  if (needed[known] === undefined) throw new InvalidItem(item, `it lacks what a ${known} needs`);
  if (!hasSoundRefunds(item, amount)) throw new InvalidItem(item, 'what was refunded of it is not known');
  if (!hasSoundFee(item, known, amount)) throw new InvalidItem(item, `its fee is ${String(item['fee'])}`);
  const isScheduled = status === 'scheduled';
  if (isScheduled && !isTime(item['executeAt'])) throw new InvalidItem(item, 'it is scheduled, and has no time');
  const isOpen = status === 'pending' || status === 'executing' || status === 'open' || isScheduled;
  if (isOpen && typeof item['dueAt'] !== 'string') throw new InvalidItem(item, `it is ${status}, and never due`);
  const isEnded = status === 'completed' || status === 'failed' || status === 'ended';
  if (isEnded && !isTime(item['completedAt'])) {
    throw new InvalidItem(item, `it is ${status}, and has no time of its end`);
  }
}

/** Returns whether what is left to refund of an item with this amount can be computed. */
function hasSoundRefunds({ refunded = 0, refunds = [] }: Item, amount: number): boolean {
  const isWithin = refunded === 0 || (isAmount(refunded) && refunded <= amount);
  return isWithin && Array.isArray(refunds) && refunds.every((id) => typeof id === 'string');
}

/** Returns whether an item of this type and amount can have the fee that it has. */
function hasSoundFee({ fee }: Item, type: TransactionType, amount: number): boolean {
  if (fee === undefined) return true;
  const command = feeCommands.find((one) => one === type);
  return command !== undefined && isAmount(fee) && feeRefusal(command, { amount, fee, currency: '' }) === undefined;
}

/** Returns whether an item has the number and the sum that a collection of this amount needs. */
function isCollectionOf({ sequence, collected }: Item, amount: number): boolean {
  return isAmount(sequence) && isAmount(collected) && amount <= collected;
}

/** Returns whether an item has what a hold of this amount needs, so that what is left of it can be computed. */
function isHoldOf({ status, expiresAt, captured, end }: Item, amount: number): boolean {
  const isWithin = captured === 0 || (isAmount(captured) && captured <= amount);
  return isTime(expiresAt) && isWithin && (status === 'open' || holdEnds.some((one) => one === end));
}
