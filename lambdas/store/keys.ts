import { createHash } from 'node:crypto';
import { activityItems, defaultDueShards, entryItems, ledgerItems, sentItems, webhookItems } from '../contract.ts';
import { fingerprintOf, isStandingOrderId, isTransactionId, lastBitsOf } from '../domain/ids.ts';
import type { OpenStatus, TransactionType } from '../domain/transaction.ts';

/** The keys of all stored items. No other file builds or parses one. */

/** The types of work with workers of their own. */
export const queuedTypes = ['withdrawal', 'transfer'] as const;
export type QueuedType = (typeof queuedTypes)[number];

/** The types of open work. Each has partitions of the `due` index of its own. The sweeper itself ends holds. */
export const dueTypes = [...queuedTypes, 'hold'] as const;
export type DueType = (typeof dueTypes)[number];

/**
 * Partitions of the `due` index with open holds, for every stack: some 5,000 holds a second. Never fewer: holds in the
 * removed ones would not end. Work with workers has messages too, so its number may change.
 */
export const holdShards = 16;

/** Partitions of the `due` index with scheduled payments, for every stack. Never fewer, as for holds. */
export const scheduleShards = 16;

/** What a partition of the `due` index holds: the open work of a type, or the payments whose time has not come. */
export type DueKind = DueType | 'scheduled';

/** Parts of the total of an account and hour. Never fewer: the sums in the removed parts would not count. */
const totalParts = 128;

/** Partitions of an hour of the journal of changes. Never fewer: changes in removed ones would not be checked. */
const journalShards = 32;

const timeFormat = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export function walletKey(walletId: string) {
  return { pk: `${ledgerItems.wallet}${walletId}`, sk: 'WALLET' };
}

/**
 * Returns the key of what a wallet is called. Its partition has no other item, so the grant to write details cannot write
 * wallets.
 */
export function detailsKey(walletId: string) {
  return { pk: `${ledgerItems.details}${walletId}`, sk: 'DETAILS' };
}

export function ownedWalletKey(ownerId: string, walletId: string) {
  return { pk: ownerPartition(ownerId), sk: `${ownedWalletPrefix}${walletId}` };
}

export function ownerPartition(ownerId: string): string {
  return `${ledgerItems.ownedWallet}${ownerId}`;
}

export function transactionKey(transactionId: string) {
  return { pk: `${ledgerItems.transaction}${transactionId}`, sk: 'TX' };
}

/**
 * Returns the key of the record that a command took a reference for itself alone: one among the references of an owner, or of
 * all operators together. So no owner can take a reference of another, or try which ones it has. It is a hash, as both may be
 * long.
 */
export function referenceKey({
  ownerId,
  externalReference,
}: {
  ownerId?: string | undefined;
  externalReference: string;
}) {
  const scope = ownerId === undefined ? ['operators'] : ['owner', ownerId];
  return { pk: `${ledgerItems.reference}${fingerprintOf([...scope, externalReference])}`, sk: 'REFERENCE' };
}

export function approvalKey(approvalId: string) {
  return { pk: `${ledgerItems.approval}${approvalId}`, sk: 'APPROVAL' };
}

/** Returns the key of a batch: its progress. */
export function batchKey(batchId: string) {
  return { pk: `${ledgerItems.batch}${batchId}`, sk: 'BATCH' };
}

/** Returns the key of the endpoint of a webhook. They are few, and share a partition. */
export function webhookKey(webhookId: string) {
  return { pk: webhookItems.webhook, sk: webhookId };
}

/** Returns the key of the number of endpoints. */
export function webhookCountKey() {
  return { pk: webhookItems.webhook, sk: 'COUNT' };
}

/** Returns the key of the delivery of an event to an endpoint: a repetition of the event has the same one. */
export function deliveryKey({ webhookId, occurredAt, eventId }: DeliveryName) {
  return { pk: deliveryPartition(webhookId), sk: `${occurredAt}#${eventId}` };
}
interface DeliveryName {
  readonly webhookId: string;
  readonly occurredAt: string;
  readonly eventId: string;
}

export function deliveryPartition(webhookId: string): string {
  return `${webhookItems.delivery}${webhookId}`;
}

/** Returns whether a text can be the sort key of a delivery. */
export function isDeliveryKey(text: string): boolean {
  const [time = '', eventId = '', ...others] = text.split('#');
  return timeFormat.test(time) && /^ev_[a-z2-7]{26}$/.test(eventId) && others.length === 0;
}

/** Returns the key of a part of a batch's lines, from 0. */
export function chunkKey(batchId: string, chunk: number) {
  return { pk: `${ledgerItems.batch}${batchId}`, sk: `${chunkPrefix}${chunk}` };
}

/** Returns the approval whose item has this partition key. */
export function approvalIdOfKey(pk: string): string {
  return pk.slice(ledgerItems.approval.length);
}

export function orderKey(standingOrderId: string) {
  return { pk: `${ledgerItems.standingOrder}${standingOrderId}`, sk: 'ORDER' };
}

/** Sort keys of the wallet table's other items: nothing follows their changes. */
const otherSortKeys: readonly unknown[] = ['RATE', 'PREFERENCES', 'ISSUER', 'BREAKER', 'FEES', 'BATCH', 'REFERENCE'];
const ownedWalletPrefix = 'WALLET#';
const chunkPrefix = 'CHUNK#';

/**
 * Returns what the key of an item of the wallet table names; undefined for a sort key that this release does not know.
 * Records of operations have keys of transactions.
 */
export function kindOf(key: {
  readonly sk?: unknown;
}): 'wallet' | 'details' | 'transaction' | 'approval' | 'order' | 'other' | undefined {
  if (key.sk === 'WALLET') return 'wallet';
  if (key.sk === 'DETAILS') return 'details';
  if (key.sk === 'TX') return 'transaction';
  if (key.sk === 'APPROVAL') return 'approval';
  if (key.sk === 'ORDER') return 'order';
  const isOther =
    otherSortKeys.includes(key.sk) ||
    [ownedWalletPrefix, chunkPrefix].some((prefix) => String(key.sk).startsWith(prefix));
  return isOther ? 'other' : undefined;
}

/** Returns the key of a caller's rate windows. No operation's name has a `#`, so no two callers share an item. */
export function rateWindowKey(principal: string, operation: string) {
  return { pk: `${ledgerItems.rateWindow}${principal}#${operation}`, sk: 'RATE' };
}

/**
 * Returns the key of an owner's notification preferences. Their partition has no other item, so the grant to write
 * preferences cannot write the owner's list of wallets.
 */
export function preferencesKey(ownerId: string) {
  return { pk: `${ledgerItems.preferences}${ownerId}`, sk: 'PREFERENCES' };
}

/** Returns the key of a wallet's counters in the table of activity. */
export function activityKey(walletId: string) {
  return { pk: `${activityItems.activity}${walletId}`, sk: 'ACTIVITY' };
}

/** Returns the key of a notification's record. It is a hash, as an owner's id may be long. */
export function notificationKey(notification: { eventId: string; ownerId: string; channel: string }) {
  const { eventId, ownerId, channel } = notification;
  return { id: `${sentItems.notification}${fingerprintOf([eventId, ownerId, channel])}` };
}

/** Returns the key of the record of the token issuer whose subjects own this stack's wallets. */
export function issuerKey() {
  return { pk: ledgerItems.issuer, sk: 'ISSUER' };
}

/** Returns the key of the record of what was collected of the fees of a currency. */
export function feesKey(currency: string) {
  return { pk: `${ledgerItems.fees}${currency}`, sk: 'FEES' };
}

export function breakerKey() {
  return { pk: `${ledgerItems.breaker}bank`, sk: 'BREAKER' };
}

/** Returns the key of an entry in the entries table. Keys sort as versions do, up to 2^53-1. */
export function entryKey(walletId: string, version: number) {
  return { pk: ledgerPartition(walletId), sk: versionText(version) };
}

export function ledgerPartition(walletId: string): string {
  return `${entryItems.entry}${walletId}`;
}

/** Returns the wallet and version that an entry's key names. */
export function entryOfKey(key: { pk: string; sk: string }) {
  return { walletId: key.pk.slice(entryItems.entry.length), version: Number(key.sk) };
}

function versionText(version: number): string {
  return String(version).padStart(16, '0');
}

/**
 * Returns the key of a part of an account's total in a clock hour (`yyyy-mm-ddThh`), in the entries table. A write adds
 * to the part that `transactionId` selects. The total is the sum of all parts, so any part is right. So simultaneous
 * writes seldom meet on one item.
 */
export function totalKey(account: string, hour: string, transactionId: string) {
  return { pk: totalPartition(account, lastBitsOf(transactionId) % totalParts), sk: hour };
}

/** Returns the partitions whose items sum up to the total of an account. */
export function totalPartitions(account: string): string[] {
  // Totals that were written whole are in a partition without a part.
  const parts = Array.from({ length: totalParts }, (_, part) => totalPartition(account, part));
  return [`${entryItems.total}${account}`, ...parts];
}

function totalPartition(account: string, part: number): string {
  return `${entryItems.total}${account}#${part}`;
}

/** Returns the key of the record that a transaction's first `count` postings are in the totals. */
export function bookedKey(transactionId: string, count: number) {
  return { pk: `${entryItems.booking}${transactionId}`, sk: String(count) };
}

/** Returns the key of changes that are listed in an hour, by their hash. In the entries table. */
export function journalKey(hour: string, fingerprint: string) {
  const shard = createHash('sha256').update(fingerprint).digest().readUInt8(0) % journalShards;
  return { pk: journalPartition(hour, shard), sk: fingerprint };
}

/** Returns the partitions with all changes that are listed in an hour. */
export function journalPartitions(hour: string): string[] {
  return Array.from({ length: journalShards }, (_, shard) => journalPartition(hour, shard));
}

function journalPartition(hour: string, shard: number): string {
  return `${entryItems.journal}${hour}#${shard}`;
}

/** Returns the wallet or transaction whose item has this key in the wallet table; undefined for other items. */
export function subjectOfKey(
  pk: string,
  sk: string,
): { readonly kind: 'wallet' | 'transaction'; readonly id: string } | undefined {
  const kind = kindOf({ sk });
  return kind === 'wallet' || kind === 'transaction' ? { kind, id: pk.slice(ledgerItems[kind].length) } : undefined;
}

/** The stored items of the check of the books: current pass, last complete pass, closed hours, known discrepancies. */
export type IntegrityItem = 'running' | 'last' | 'hours' | 'known';

/** Returns the key of an item of the check of the books, in the entries table. */
export function integrityKey(which: IntegrityItem) {
  return { pk: entryItems.pass, sk: which };
}

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

/**
 * Returns the partition of the `due` index that a transaction's open work is written to. The sweeper reads the
 * partitions of every number of shards that a stack may have had.
 *
 * @param shards number of partitions that work with workers is spread over, 1 to 256
 */
export function dueShardOf(kind: DueKind, transactionId: string, shards = defaultDueShards): string {
  return dueShard(kind, lastBitsOf(transactionId) % shardsOf(kind, shards));
}

/**
 * Returns the partition of the `due` index that a payment waits in for its time. All that one owner has asked for are in one
 * partition, and those that operators have asked for with others of their wallet. So a crowd of one payer keeps no payments
 * of other partitions waiting.
 */
export function scheduleShardOf({
  ownerId,
  walletId,
}: {
  readonly ownerId?: string | undefined;
  readonly walletId: string;
}): string {
  const payer = createHash('sha256')
    .update(ownerId ?? walletId)
    .digest();
  return dueShard('scheduled', payer.readUInt8(0) % scheduleShards);
}

/** Returns the number of partitions of a kind. `shards`: that of work with workers. */
export function shardsOf(kind: DueKind, shards: number): number {
  if (kind === 'hold') return holdShards;
  return kind === 'scheduled' ? scheduleShards : shards;
}

/** The partition of the `due` index with all withdrawals that wait for an operator; there are few. */
export const reviewShard = 'REVIEW';

/** The partition of the `due` index with the withdrawals that wait for their wallet to be unfrozen; there are few. */
export const waitingShard = 'WAITING';

/** The partition of the `due` index with the commands that wait for a second operator, by their expiry; there are few. */
export const approvalShard = 'APPROVAL';

/** The partition of the `due` index with the batches that are not completed; there are few. */
export const batchShard = 'BATCH';

/** Partitions of the `due` index with active standing orders, for every stack. Never fewer, as for holds. */
export const orderShards = 4;

/** Returns the partition of the `due` index that an active order is written to. */
export function orderShardOf(standingOrderId: string): string {
  return orderShard(lastBitsOf(standingOrderId) % orderShards);
}

export function orderShard(shard: number): string {
  return `DUE#o${shard}`;
}

/** Returns for instance `DUE#w3` for withdrawals. It is short, as a history page's read is paid by its size. */
export function dueShard(kind: DueKind, shard: number): string {
  return `DUE#${kind.charAt(0)}${shard}`;
}

/** The kinds of the partitions of the `due` index that have the transactions of an open status, and their types. */
const kindsOf: Readonly<Record<Exclude<OpenStatus, 'review'>, readonly (readonly [DueKind, ...TransactionType[]])[]>> =
  {
    scheduled: [['scheduled', 'withdrawal', 'transfer']],
    pending: [
      ['withdrawal', 'withdrawal'],
      ['transfer', 'transfer'],
    ],
    executing: [['withdrawal', 'withdrawal']],
    open: [['hold', 'hold']],
  };

/**
 * Returns the partitions of the `due` index with all transactions of an open status, of one type or of all.
 *
 * @param shards number of partitions that work with workers is spread over
 */
export function openShards(status: OpenStatus, type: TransactionType | undefined, shards = defaultDueShards): string[] {
  if (status === 'review') return type === undefined || type === 'withdrawal' ? [reviewShard] : [];
  const kinds = kindsOf[status].flatMap(([kind, ...types]) => (type === undefined || types.includes(type) ? kind : []));
  return [
    ...kinds.flatMap((kind) => Array.from({ length: shardsOf(kind, shards) }, (_, shard) => dueShard(kind, shard))),
    ...(kinds.includes('withdrawal') ? [waitingShard] : []),
  ];
}

/** A position among open work, which is ordered by the time when it is due and by partition. */
export interface OpenPosition {
  /** ISO 8601 UTC. */
  readonly dueAt: string;
  readonly shard: string;
  /** The last transaction in front of the position, which is in this partition. */
  readonly transactionId: string;
}

/** Returns the text of such a position. */
export function textOfPosition({ dueAt, shard, transactionId }: OpenPosition): string {
  return `${dueAt} ${shard} ${transactionId}`;
}

/** Returns the position that a text stands for; undefined when it stands for none. */
export function positionOfText(text: string): OpenPosition | undefined {
  const [dueAt = '', shard = '', transactionId = '', ...others] = text.split(' ');
  const isShard = /^(?:DUE#[a-z]\d{1,3}|REVIEW|WAITING)$/.test(shard);
  const isPosition = others.length === 0 && timeFormat.test(dueAt) && isShard && isTransactionId(transactionId);
  return isPosition ? { dueAt, shard, transactionId } : undefined;
}
