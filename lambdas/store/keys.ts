import { statementItems } from '../domain/statement-file.ts';
import { createHash } from 'node:crypto';
import { activityItems, entryItems, ledgerItems, sentItems, webhookItems } from '../contract.ts';
import { fingerprintOf, lastBitsOf } from '../domain/ids.ts';

/** The keys of all stored items. Those of the indexes are history-keys.ts and due-keys.ts. No other file builds or parses one. */

/** Parts of the total of an account and hour. Never fewer: the sums in the removed parts would not count. */
const totalParts = 128;

/** Partitions of an hour of the journal of changes. Never fewer: changes in removed ones would not be checked. */
const journalShards = 32;

/** Times of keys: ISO 8601 UTC with milliseconds, so that keys sort by time. */
export const timeFormat = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

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

/** Returns the key of an alias, by the name that `aliasNameOf` returns. */
export function aliasKey(name: string) {
  return { pk: `${ledgerItems.alias}${name}`, sk: 'ALIAS' };
}

/** Returns the key of the names of all aliases that an owner ever took. */
export function takenAliasesKey(ownerId: string) {
  return { pk: `${ledgerItems.takenAliases}${ownerId}`, sk: 'ALIASES' };
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
const otherSortKeys: readonly unknown[] = [
  ...['RATE', 'PREFERENCES', 'ISSUER', 'BREAKER', 'FEES', 'BATCH', 'REFERENCE', 'ALIAS', 'ALIASES'],
];
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

/** Returns the key of a statement that is made as a file. */
export function statementKey(statementId: string) {
  return { pk: `${statementItems.statement}${statementId}` };
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
