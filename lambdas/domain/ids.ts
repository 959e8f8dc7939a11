import { createHash, createHmac } from 'node:crypto';
import { bank, service } from './actor.ts';

/** The formats of ids, receipt codes and fingerprints. No other file makes or parses one. */

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const idLength = 26;
const id = `[${alphabet}]{${idLength}}`;
const walletIdFormat = new RegExp(`^w_([a-z]{3})_${id}$`);
const transactionIdFormat = new RegExp(`^tx_${id}$`);
const approvalIdFormat = new RegExp(`^ap_${id}$`);
const batchIdFormat = new RegExp(`^bt_${id}$`);
const standingOrderIdFormat = new RegExp(`^so_${id}$`);
const webhookIdFormat = new RegExp(`^wh_${id}$`);
const statementIdFormat = new RegExp(`^st_${id}$`);
const receiptCodeFormat = new RegExp(`^RCP-(\\d{8})-(${id})$`);

/** The formats of ids that callers name. */
export const idFormats = {
  walletId: walletIdFormat,
  transactionId: transactionIdFormat,
  receiptCode: receiptCodeFormat,
  approvalId: approvalIdFormat,
  batchId: batchIdFormat,
  standingOrderId: standingOrderIdFormat,
  webhookId: webhookIdFormat,
  statementId: statementIdFormat,
} as const;

/** Returns 26 base32 characters of a SHA-256 over principal and key. */
function digest(principal: string, idempotencyKey: string): string {
  // The length keeps ("ab", "c") and ("a", "bc") apart.
  return idText(createHash('sha256').update(`${principal.length}:${principal}${idempotencyKey}`).digest());
}

/** Returns the first 130 bits of a hash as 26 base32 characters (RFC 4648, lower case). */
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

/** Returns the id of the record of a principal's command. A repetition of the key has the same id. */
export function transactionIdOf(principal: string, idempotencyKey: string): string {
  return `tx_${digest(principal, idempotencyKey)}`;
}

/** Returns the id of the approval that a command needs, by the id of the command's record. */
export function approvalIdOfTransaction(transactionId: string): string {
  return `ap_${transactionId.slice('tx_'.length)}`;
}

/** Returns the id of the batch that a command makes, by the id of the command's record. */
export function batchIdOfTransaction(transactionId: string): string {
  return `bt_${transactionId.slice('tx_'.length)}`;
}

/** Returns the id of the record of the command that made a batch. */
export function transactionIdOfBatch(batchId: string): string {
  return `tx_${batchId.slice('bt_'.length)}`;
}

/** Returns the id of the transaction that a line of a batch makes. It is the same for every try. */
export function transactionIdOfLine(batchId: string, key: string): string {
  // No caller's `sub` has a space, so no command of a caller has this id.
  return transactionIdOf(`batch ${batchId}`, key);
}

/** Returns the id of the standing order that a command opens, by the id of the command's record. */
export function standingOrderIdOf(transactionId: string): string {
  return `so_${transactionId.slice('tx_'.length)}`;
}

/** Returns the id of the endpoint that a command makes, by the id of the command's record. */
export function webhookIdOf(transactionId: string): string {
  return `wh_${transactionId.slice('tx_'.length)}`;
}

/** Returns the id of the statement file that a command asks for, by the id of the command's record. */
export function statementIdOf(transactionId: string): string {
  return `st_${transactionId.slice('tx_'.length)}`;
}

/** Returns the id of the record of the command that asked for a statement file. */
export function transactionIdOfStatement(statementId: string): string {
  return `tx_${statementId.slice('st_'.length)}`;
}

/** Returns the id of the endpoint that the stack names by this URL. */
export function webhookIdOfUrl(url: string): string {
  return `wh_${digest(service.principal, url)}`;
}

/** Returns the id of the payment `n` of a standing order, from 0. It is the same for every try to make it. */
export function occurrenceIdOf(standingOrderId: string, n: number): string {
  return `tx_${digest(service.principal, `${standingOrderId}#${n}`)}`;
}

/** Returns the id of the return of a withdrawal. It is the same for every notification by the bank. */
export function returnIdOf(transactionId: string): string {
  return `tx_${digest(bank.principal, transactionId)}`;
}

/** Returns the id of a leg of a split, by its index. No principal has a space, so no command has such an id. */
export function legIdOf(splitId: string, leg: number): string {
  return `tx_${digest(`leg ${leg}`, splitId)}`;
}

/** Returns the id of a collection of the fees of a currency, by its number. */
export function collectionIdOf(currency: string, sequence: number): string {
  return `tx_${digest(service.principal, `collection ${currency} ${sequence}`)}`;
}

/**
 * Returns the id of a wallet opened by a command. It carries the currency, so that a command needs no read for it
 * (docs/adr/0002-wallet-ids-carry-their-currency.md). To callers it is opaque.
 */
export function walletIdOf(principal: string, idempotencyKey: string, currency: string): string {
  return `w_${currency.toLowerCase()}_${digest(principal, idempotencyKey)}`;
}

/** Returns the currency in a wallet's id, or undefined when the text is no wallet id. */
export function currencyOfWalletId(walletId: string): string | undefined {
  return walletIdFormat.exec(walletId)?.[1]?.toUpperCase();
}

/**
 * Returns the id of a wallet that does not exist, in the form of all others. Each name has its own: payments to one name must not
 * meet those to another, as they do not where both have wallets.
 */
export function missingWalletId(currency: string, name: string): string {
  // No principal has a space, so no command opens a wallet with this id.
  return walletIdOf('missing wallet', name, currency);
}

export function isWalletId(text: string): boolean {
  return walletIdFormat.test(text);
}

export function isTransactionId(text: string): boolean {
  return transactionIdFormat.test(text);
}

export function isApprovalId(text: string): boolean {
  return approvalIdFormat.test(text);
}

export function isBatchId(text: string): boolean {
  return batchIdFormat.test(text);
}

export function isStandingOrderId(text: string): boolean {
  return standingOrderIdFormat.test(text);
}

export function isWebhookId(text: string): boolean {
  return webhookIdFormat.test(text);
}

export function isStatementId(text: string): boolean {
  return statementIdFormat.test(text);
}

export function isReceiptCode(text: string): boolean {
  return receiptCodeFormat.test(text);
}

/** Returns six characters that stand for a token's issuer on records: 36 bits of a SHA-256. */
export function issuerMarkOf(issuer: string): string {
  return createHash('sha256').update(issuer).digest('base64url').slice(0, 6);
}

/** Returns `RCP-<yyyymmdd>-<the id's 26 characters>`; the day is that of `createdAt`, in UTC. */
export function receiptCodeOf(transaction: { transactionId: string; createdAt: string }): string {
  const day = transaction.createdAt.slice(0, 10).replaceAll('-', '');
  return `RCP-${day}-${transaction.transactionId.slice('tx_'.length)}`;
}

/** Returns the transaction that a receipt code names, or undefined when the text is no receipt code. */
export function transactionIdOfReceipt(receiptCode: string): string | undefined {
  const id = receiptCodeFormat.exec(receiptCode)?.[2];
  return id === undefined ? undefined : `tx_${id}`;
}

/**
 * Returns a SHA-256 over a request's operation, path and body, so that one key cannot serve two requests. The order of
 * the fields does not count.
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
 * Returns the id of an event. It is the same for every repetition of the event, so that consumers can drop repetitions.
 *
 * @param about the parts that identify the event: the item's key, the event's type, for a wallet its version, and the
 * time. Without the time, a table that was restored to an earlier state would give other changes the ids of earlier
 * ones.
 */
export function eventIdOf(about: readonly (string | number)[]): string {
  return `ev_${idText(createHash('sha256').update(JSON.stringify(about)).digest())}`;
}

/**
 * Returns a text that stands for a bank account in events. The same account of the same wallet gives the same text.
 * Without the key, a reader can neither find the account nor see that two wallets pay the same one.
 */
export function destinationFingerprintOf(key: string, walletId: string, account: string): string {
  return idText(
    createHmac('sha256', key)
      .update(JSON.stringify([walletId, account]))
      .digest(),
  );
}

/** Returns the number that the 26 characters of a transaction's id stand for, 130 bits. */
export function numberOfTransactionId(transactionId: string): bigint {
  let bits = 0n;
  for (const character of transactionId.slice('tx_'.length)) bits = (bits << 5n) | BigInt(alphabet.indexOf(character));
  return bits;
}

/** Returns the transaction's id that a number of `numberOfTransactionId` stands for. */
export function transactionIdOfNumber(number: bigint): string {
  return `tx_${textOf(number)}`;
}

/** Returns the number that the last two characters of a transaction's id stand for, 0 to 1023. */
export function lastBitsOf(transactionId: string): number {
  const [high = '', low = ''] = transactionId.slice(-2);
  return alphabet.indexOf(high) * alphabet.length + alphabet.indexOf(low);
}
