/** The keys of the indexes of histories: of senders, of receivers, and of the standing orders of a wallet. */
import { isStandingOrderId, isTransactionId, lastBitsOf } from '../domain/ids.ts';
import { timeFormat } from './keys.ts';

/** Partitions that transfers into a crowded wallet are spread over in the receivers' index, beside the wallet's own. */
const crowdParts = 16;

/**
 * Returns the partition of the receivers' index for a group of transfers that arrives in a crowded wallet. A partition
 * of an index takes 1,000 write units a second, and each transfer is one.
 *
 * @param transactionId of the first transfer of the group
 */
export function crowdPartition(walletId: string, transactionId: string): string {
  return `${walletId}#${lastBitsOf(transactionId) % crowdParts}`;
}

/** Returns the partitions of the receivers' index with the transfers into a wallet. */
export function receiverPartitions(wallet: { readonly walletId: string; readonly isCrowded?: boolean }): string[] {
  const { walletId, isCrowded = false } = wallet;
  return [walletId, ...(isCrowded ? Array.from({ length: crowdParts }, (_, part) => `${walletId}#${part}`) : [])];
}

/** Returns the wallet that a partition of the receivers' index belongs to. */
export function walletIdOfPartition(partition: string): string {
  return partition.replace(/#.*$/, '');
}

/**
 * Returns the sort key of both history indexes: by time, and by id within the same millisecond. A scheduled payment goes to
 * the time of its execution, so that its receiver finds it among what is new.
 */
export function historyKeyOf(transaction: {
  readonly transactionId: string;
  readonly createdAt: string;
  readonly executedAt?: string | undefined;
}): string {
  const { transactionId, createdAt, executedAt = createdAt } = transaction;
  return `${executedAt}#${transactionId}`;
}

export function isHistoryKey(text: string): boolean {
  return isTimeAndId(text, isTransactionId);
}

function isTimeAndId(text: string, isId: (id: string) => boolean): boolean {
  const end = text.indexOf('#');
  return timeFormat.test(text.slice(0, end)) && isId(text.slice(end + 1));
}

/** Returns the transaction that a history key names. `isHistoryKey` must hold for the key. */
export function transactionIdOfHistoryKey(historyKey: string): string {
  return historyKey.slice(historyKey.indexOf('#') + 1);
}

/**
 * Returns the partition of the wallets' index with the standing orders of a wallet, in the attribute that has the wallet of
 * a transaction. So orders are no part of its history.
 */
export function ordersPartition(walletId: string): string {
  return `${ordersPrefix}${walletId}`;
}
const ordersPrefix = 'ORDERS#';

/** Returns the wallet that a partition of `ordersPartition` belongs to. */
export function walletIdOfOrders(partition: string): string {
  return partition.slice(ordersPrefix.length);
}

/** Returns the sort key of a wallet's standing orders: by time, and by id within the same millisecond. */
export function orderHistoryKeyOf(order: { readonly standingOrderId: string; readonly createdAt: string }): string {
  return `${order.createdAt}#${order.standingOrderId}`;
}

export function isOrderHistoryKey(text: string): boolean {
  return isTimeAndId(text, isStandingOrderId);
}

/** Returns the order that such a key names. `isOrderHistoryKey` must hold for the key. */
export function standingOrderIdOfHistoryKey(historyKey: string): string {
  return historyKey.slice(historyKey.indexOf('#') + 1);
}
