import { createHash, createHmac } from 'node:crypto';
import { activityItems, defaultDueShards, entryItems, ledgerItems, sentItems } from '../contract.ts';
import { bank } from '../domain/actor.ts';

/** The only place that knows the formats of keys and ids. */

/** What waits for a worker of its own, and so has partitions of the `due` index of its own. */
export const dueTypes = ['withdrawal', 'transfer'] as const;
export type DueType = (typeof dueTypes)[number];

/** Parts of the total of an account and hour. Never fewer: what is in the parts would not count. */
const totalParts = 128;

/** Partitions of an hour of the journal of changes. Never fewer: what is in the others would not be checked. */
const journalShards = 32;

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const idLength = 26;
const id = `[${alphabet}]{${idLength}}`;
const walletIdFormat = new RegExp(`^w_([a-z]{3})_${id}$`);
const transactionIdFormat = new RegExp(`^tx_${id}$`);
const receiptCodeFormat = new RegExp(`^RCP-(\\d{8})-(${id})$`);
const historyKeyFormat = new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z#tx_${id}$`);

/** The formats of ids that callers name. */
export const idFormats = {
  walletId: walletIdFormat,
  transactionId: transactionIdFormat,
  receiptCode: receiptCodeFormat,
} as const;

/** 26 base32 characters of a SHA-256 over principal and key. */
function digest(principal: string, idempotencyKey: string): string {
  // The length keeps ("ab", "c") and ("a", "bc") apart.
  return idText(createHash('sha256').update(`${principal.length}:${principal}${idempotencyKey}`).digest());
}

/** The first 130 bits of a hash as 26 base32 characters (RFC 4648, lower case). */
function idText(hash: Buffer): string {
  return textOf(BigInt(`0x${hash.toString('hex')}`) >> BigInt(hash.length * 8 - idLength * 5));
}

function textOf(number: bigint): string {
  let bits = number;
  let text = '';
  for (let i = 0; i < idLength; i++) {
    text = alphabet.charAt(Number(bits & 31n)) + text;
    bits >>= 5n;
  }
  return text;
}

/** The id of whatever a principal's command makes or changes: the same for every repetition of the same key. */
export function transactionIdOf(principal: string, idempotencyKey: string): string {
  return `tx_${digest(principal, idempotencyKey)}`;
}

/** The id of the return of a withdrawal: one for each, however often the bank tells us. */
export function returnIdOf(transactionId: string): string {
  return `tx_${digest(bank.principal, transactionId)}`;
}

/**
 * The id of a wallet opened by a command. It carries the currency, so that a command knows it without a read
 * (docs/adr/0002-wallet-ids-carry-their-currency.md); to callers it is opaque.
 */
export function walletIdOf(principal: string, idempotencyKey: string, currency: string): string {
  return `w_${currency.toLowerCase()}_${digest(principal, idempotencyKey)}`;
}

/** The currency that a wallet's id carries, or undefined when the text is no wallet id. */
export function currencyOfWalletId(walletId: string): string | undefined {
  return walletIdFormat.exec(walletId)?.[1]?.toUpperCase();
}

export function isWalletId(text: string): boolean {
  return walletIdFormat.test(text);
}

export function isTransactionId(text: string): boolean {
  return transactionIdFormat.test(text);
}

export function isReceiptCode(text: string): boolean {
  return receiptCodeFormat.test(text);
}

/** Stands for a token's issuer on records, in six characters: 36 bits of a SHA-256. */
export function issuerMarkOf(issuer: string): string {
  return createHash('sha256').update(issuer).digest('base64url').slice(0, 6);
}

/** `RCP-<yyyymmdd>-<the id's 26 characters>`; the day is that of `createdAt`, in UTC. */
export function receiptCodeOf(transaction: { transactionId: string; createdAt: string }): string {
  const day = transaction.createdAt.slice(0, 10).replaceAll('-', '');
  return `RCP-${day}-${transaction.transactionId.slice('tx_'.length)}`;
}

/** The transaction that a receipt code names, or undefined when the text is no receipt code. */
export function transactionIdOfReceipt(receiptCode: string): string | undefined {
  const id = receiptCodeFormat.exec(receiptCode)?.[2];
  return id === undefined ? undefined : `tx_${id}`;
}

/**
 * SHA-256 over what a request asks for (operation, path, body), so that one key cannot serve two requests. The order
 * in which a client writes its fields does not count.
 */
export function fingerprintOf(request: unknown): string {
  const canonical = JSON.stringify(request, (_name, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(canonical).digest('base64url');
}

/**
 * The id of an event: the same for every repetition of it, so that consumers can drop what they have seen.
 *
 * @param about what makes the event this one: the item's key, the event's type, for a wallet its version, and the time.
 *   Without the time, a table that was put back to an earlier state would give other changes the ids of earlier ones.
 */
export function eventIdOf(about: readonly (string | number)[]): string {
  return `ev_${idText(createHash('sha256').update(JSON.stringify(about)).digest())}`;
}

/**
 * Stands for a bank account in events: the same account of the same wallet gives the same text, and without the key
 * nobody finds the account behind it, or sees that two wallets pay to the same one.
 */
export function destinationFingerprintOf(key: string, walletId: string, account: string): string {
  return idText(
    createHmac('sha256', key)
      .update(JSON.stringify([walletId, account]))
      .digest(),
  );
}

export function walletKey(walletId: string) {
  return { pk: `${ledgerItems.wallet}${walletId}`, sk: 'WALLET' };
}

export function ownedWalletKey(ownerId: string, walletId: string) {
  return { pk: ownerPartition(ownerId), sk: `WALLET#${walletId}` };
}

export function ownerPartition(ownerId: string): string {
  return `${ledgerItems.ownedWallet}${ownerId}`;
}

export function transactionKey(transactionId: string) {
  return { pk: `${ledgerItems.transaction}${transactionId}`, sk: 'TX' };
}

/** Whether the item with this key is a wallet or a transaction (or the record of an operation, which shares its keys). */
export function kindOf(key: { readonly sk?: unknown }): 'wallet' | 'transaction' | undefined {
  if (key.sk === 'WALLET') return 'wallet';
  return key.sk === 'TX' ? 'transaction' : undefined;
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

/** In the table of activity: the counters of a wallet. */
export function activityKey(walletId: string) {
  return { pk: `${activityItems.activity}${walletId}`, sk: 'ACTIVITY' };
}

/** In the table of notifications: the record of one that is sent. A hash, as an owner's id may be long. */
export function notificationKey(notification: { eventId: string; ownerId: string; channel: string }) {
  const { eventId, ownerId, channel } = notification;
  return { id: `${sentItems.notification}${fingerprintOf([eventId, ownerId, channel])}` };
}

/** Whose tokens name the owners of this stack's wallets. */
export function issuerKey() {
  return { pk: ledgerItems.issuer, sk: 'ISSUER' };
}

export function breakerKey() {
  return { pk: `${ledgerItems.breaker}bank`, sk: 'BREAKER' };
}

/** In the entries table: one line of a wallet's ledger. Keys sort as versions do, up to 2^53-1. */
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
 * In the entries table: a part of what was booked on an account in a clock hour, as `yyyy-mm-ddThh`. A write adds to the
 * part that `transactionId` names, and any part would do: the sum counts. So many writes at once meet on few items.
 */
export function totalKey(account: string, hour: string, transactionId: string) {
  return { pk: totalPartition(account, lastBitsOf(transactionId) % totalParts), sk: hour };
}

/** The partitions whose items sum up to what was booked on an account. */
export function totalPartitions(account: string): string[] {
  // The first releases kept a whole total in one partition.
  const parts = Array.from({ length: totalParts }, (_, part) => totalPartition(account, part));
  return [`${entryItems.total}${account}`, ...parts];
}

function totalPartition(account: string, part: number): string {
  return `${entryItems.total}${account}#${part}`;
}

/** In the entries table: says that a transaction's first `count` postings are in the totals. */
export function bookedKey(transactionId: string, count: number) {
  return { pk: `${entryItems.booking}${transactionId}`, sk: String(count) };
}

/** In the entries table: changes that are listed in an hour, by a hash of them. */
export function journalKey(hour: string, fingerprint: string) {
  const shard = createHash('sha256').update(fingerprint).digest().readUInt8(0) % journalShards;
  return { pk: journalPartition(hour, shard), sk: fingerprint };
}

/** The partitions with all changes that are listed in an hour. */
export function journalPartitions(hour: string): string[] {
  return Array.from({ length: journalShards }, (_, shard) => journalPartition(hour, shard));
}

function journalPartition(hour: string, shard: number): string {
  return `${entryItems.journal}${hour}#${shard}`;
}

/** The wallet or transaction whose item has this key in the wallet table; undefined for other items. */
export function subjectOfKey(
  pk: string,
  sk: string,
): { readonly kind: 'wallet' | 'transaction'; readonly id: string } | undefined {
  const kind = kindOf({ sk });
  return kind && { kind, id: pk.slice(ledgerItems[kind].length) };
}

/**
 * What is stored of the check of the books: the pass that is under way, the last one that came to its end, how far the
 * closed hours are checked, and the discrepancies that were reported.
 */
export type IntegrityItem = 'running' | 'last' | 'hours' | 'known';

/** In the entries table: an item of the check of the books. */
export function integrityKey(which: IntegrityItem) {
  return { pk: entryItems.pass, sk: which };
}

/** The number that the 26 characters of a transaction's id stand for, 130 bits. */
export function numberOfTransactionId(transactionId: string): bigint {
  let bits = 0n;
  for (const character of transactionId.slice('tx_'.length)) bits = (bits << 5n) | BigInt(alphabet.indexOf(character));
  return bits;
}

/** @param number as `numberOfTransactionId` made it */
export function transactionIdOfNumber(number: bigint): string {
  return `tx_${textOf(number)}`;
}

/** Partitions that transfers into a crowded wallet are spread over in the receivers' index, beside the wallet's own. */
const crowdParts = 16;

/**
 * Returns the partition of the receivers' index for a group of transfers that arrives in a crowded wallet. A partition of
 * an index takes 1,000 write units a second, and each transfer is one.
 *
 * @param transactionId of the first transfer of the group
 */
export function crowdPartition(walletId: string, transactionId: string): string {
  return `${walletId}#${lastBitsOf(transactionId) % crowdParts}`;
}

/** Returns the partitions of the receivers' index with the transfers into a wallet. */
export function receiverPartitions(of: { readonly walletId: string; readonly isCrowded?: boolean }): string[] {
  const { walletId, isCrowded = false } = of;
  return [walletId, ...(isCrowded ? Array.from({ length: crowdParts }, (_, part) => `${walletId}#${part}`) : [])];
}

/** Returns the wallet that a partition of the receivers' index belongs to. */
export function walletIdOfPartition(partition: string): string {
  return partition.replace(/#.*$/, '');
}

/** Sort key of both history indexes: by time, and by id within the same millisecond. */
export function historyKeyOf(transaction: { transactionId: string; createdAt: string }): string {
  return `${transaction.createdAt}#${transaction.transactionId}`;
}

export function isHistoryKey(text: string): boolean {
  return historyKeyFormat.test(text);
}

/** @param historyKey a key for which `isHistoryKey` holds */
export function transactionIdOfHistoryKey(historyKey: string): string {
  return historyKey.slice(historyKey.indexOf('#') + 1);
}

/**
 * Returns the partition of the `due` index that a transaction's open work is written to. The sweeper reads the partitions
 * of every number of shards that a stack may have had.
 *
 * @param shards over how many partitions the work of the type is spread, 1 to 256
 */
export function dueShardOf(type: DueType, transactionId: string, shards = defaultDueShards): string {
  return dueShard(type, lastBitsOf(transactionId) % shards);
}

/** Returns the number that the last two characters of a transaction's id stand for, 0 to 1023. */
function lastBitsOf(transactionId: string): number {
  const [high = '', low = ''] = transactionId.slice(-2);
  return alphabet.indexOf(high) * alphabet.length + alphabet.indexOf(low);
}

/** The partition of the `due` index with all withdrawals that wait for an operator; there are few. */
export const reviewShard = 'REVIEW';

/** The partition of the `due` index with the withdrawals that wait for their wallet to be unfrozen; there are few. */
export const waitingShard = 'WAITING';

/** For instance `DUE#w3` for withdrawals: short, as pages of a history are paid for by their size. */
export function dueShard(type: DueType, shard: number): string {
  return `DUE#${type.charAt(0)}${shard}`;
}
