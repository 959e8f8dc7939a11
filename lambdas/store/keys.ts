import { createHash } from 'node:crypto';

/** The only place that knows the formats of keys and ids. */

/** Open work is spread over this many partitions of the `due` index, so that none of them is hot. */
export const dueShards = 8;

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const idLength = 26;
const id = `[${alphabet}]{${idLength}}`;
const walletIdFormat = new RegExp(`^w_([a-z]{3})_${id}$`);
const transactionIdFormat = new RegExp(`^tx_${id}$`);
const receiptCodeFormat = new RegExp(`^RCP-(\\d{8})-(${id})$`);
const historyKeyFormat = new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z#tx_${id}$`);

/** 26 base32 characters (RFC 4648, lower case; 130 bits) of a SHA-256 over principal and key. */
function digest(principal: string, idempotencyKey: string): string {
  // The length keeps ("ab", "c") and ("a", "bc") apart.
  const hash = createHash('sha256').update(`${principal.length}:${principal}${idempotencyKey}`).digest();
  let bits = BigInt(`0x${hash.toString('hex')}`) >> BigInt(256 - idLength * 5);
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

/** Who books what nobody asked for; no caller's principal has a space. */
export const bankPrincipal = 'the bank';

/** The id of the return of a withdrawal: one for each, however often the bank tells us. */
export function returnIdOf(transactionId: string): string {
  return `tx_${digest(bankPrincipal, transactionId)}`;
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

export function isTransactionId(text: string): boolean {
  return transactionIdFormat.test(text);
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

export function walletKey(walletId: string) {
  return { pk: `WALLET#${walletId}`, sk: 'WALLET' };
}

export function ownedWalletKey(ownerId: string, walletId: string) {
  return { pk: ownerPartition(ownerId), sk: `WALLET#${walletId}` };
}

export function ownerPartition(ownerId: string): string {
  return `OWNER#${ownerId}`;
}

export function transactionKey(transactionId: string) {
  return { pk: `TX#${transactionId}`, sk: 'TX' };
}

/** @param hour the clock hour, as `yyyy-mm-ddThh` */
export function rateWindowKey(principal: string, operation: string, hour: string) {
  return { pk: `RATE#${principal}#${operation}#${hour}`, sk: 'RATE' };
}

export function breakerKey() {
  return { pk: 'BREAKER#bank', sk: 'BREAKER' };
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

/** The partition of the `due` index that a transaction's open work belongs to. */
export function dueShardOf(transactionId: string): string {
  return dueShard(alphabet.indexOf(transactionId.slice(-1)) % dueShards);
}

export function dueShard(shard: number): string {
  return `DUE#${shard}`;
}
