import type { Actor } from '../domain/actor.ts';
import { aliasIn, aliasNameOf } from '../domain/alias.ts';
import type { Approval } from '../domain/approval.ts';
import { WalletError } from '../domain/errors.ts';
import { transactionIdOf } from '../domain/ids.ts';
import { transactionKey } from './keys.ts';
import { walletIdOfPartition } from './history-keys.ts';
import { readItems } from './read.ts';
import type { Table } from './table.ts';
import { denied, write } from './write.ts';
import type { Item, WriteItem, Written } from './write.ts';

/** The facts of a command: its actor, its key, its request and its time. */
export interface Operation extends Actor {
  readonly idempotencyKey: string;
  /** See `fingerprintOf`. */
  readonly fingerprint: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  /** The approval of a second operator, where the command has one. */
  readonly approval?: CommandApproval | undefined;
}

/** The approval that executes a command. */
export interface CommandApproval {
  /** The operator who approved it. */
  readonly by: Actor;
  /** The approval as it was read. The condition of its item needs exactly this request. */
  readonly asked: Approval;
  /** The items that end the approval, for the write of the command: behind its record, which decides first. */
  readonly items: readonly WriteItem[];
}

/**
 * The fingerprint of a record that a recovery made from events: they do not have the request. Such a record answers a
 * request for the same money.
 */
export const restoredFingerprint = 'restored';

/**
 * Returns whether a recovery made this record, and the command asks for the same money.
 *
 * @param namesNoAmount see `putRecord`
 */
function isRestored(image: Item, record: Item, namesNoAmount: boolean): boolean {
  if (image['fingerprint'] !== restoredFingerprint) return false;
  // An alias may name another wallet of its owner by now, or none.
  const areNamed = typeof image['to'] === 'string' && typeof record['to'] === 'string';
  const receiverOf = ({ to, toWalletId, counterpartyWalletId }: Item) =>
    areNamed ? aliasNameOf(aliasIn(String(to))) : walletIdOfPartition(String(toWalletId ?? counterpartyWalletId));
  const members = ['type', 'walletId', 'currency', 'originalTransactionId'];
  const isSameAmount = image['amount'] === record['amount'] || namesNoAmount;
  return (
    isSameAmount && members.every((name) => image[name] === record[name]) && receiverOf(image) === receiverOf(record)
  );
}

/** Returns the fingerprint of a key's record while its request waits for a second operator. No request has such a one. */
export function askedFingerprint(fingerprint: string): string {
  return `${askedPrefix}${fingerprint}`;
}

export const askedPrefix = 'asked:';

/**
 * Returns the record's put for a command that was approved: it takes the place of the request, which has had the key
 * since it was asked for.
 */
export function inPlaceOfRequest({ request, ...record }: WriteItem, fingerprint: string): WriteItem {
  const asked = askedFingerprint(fingerprint);
  const change = {
    ConditionExpression: 'attribute_not_exists(pk) OR fingerprint = :asked',
    ExpressionAttributeValues: { ':asked': asked },
  };
  return {
    ...record,
    request: { ...request, ...(request.Put && { Put: { ...request.Put, ...change } }) },
    refused: (image) => (image?.['fingerprint'] === asked ? undefined : record.refused(image)),
  };
}

/** Returns the refusal of a request whose key has another record. */
function keyReused({ fingerprint }: Item): WalletError {
  const isAsked = String(fingerprint).startsWith(askedPrefix);
  const detail = 'the key asked for a command that needs a second operator; its approval shows the end';
  return new WalletError('idempotency_key_reused', isAsked ? { detail } : {});
}

/**
 * Puts the record of a command under its key, on condition that the key is new. A used key is a replay when the
 * fingerprints agree, and refused when they do not. There is no expiry: a key is good for ever.
 *
 * @param namesNoAmount the command takes all that is left: what a repetition finds left is another amount
 */
export function putRecord(table: Table, record: Item & { fingerprint: string }, namesNoAmount = false): WriteItem {
  return {
    label: 'record',
    request: {
      Put: {
        TableName: table.name,
        Item: record,
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused: (image) => {
      if (image === undefined) return undefined;
      return image['fingerprint'] === record.fingerprint || isRestored(image, record, namesNoAmount)
        ? { kind: 'replay', record: image }
        : denied(keyReused(image));
    },
  };
}

/**
 * Returns the record's item for a command that must not be accepted; it writes nothing. A used key is a replay as before:
 * its command may have been accepted earlier. A new key is refused with `refusal`. Its condition holds for no item.
 */
export function replayOnly({ request, ...record }: WriteItem, refusal: WalletError): WriteItem {
  const condition = {
    ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(pk)',
    // DynamoDB refuses a request with values that its expressions do not use.
    ExpressionAttributeValues: undefined,
  };
  return {
    ...record,
    request: { ...request, ...(request.Put && { Put: { ...request.Put, ...condition } }) },
    refused: (image) => record.refused(image) ?? denied(refusal),
  };
}

/**
 * Puts the record of a command that makes no transaction, such as opening a wallet. It shares the keys of transactions,
 * so that one key cannot serve a charge and a freeze.
 */
export function putOperation(table: Table, operation: Operation): WriteItem {
  const record = putRecord(table, {
    ...transactionKey(transactionIdOf(operation.principal, operation.idempotencyKey)),
    type: 'operation',
    fingerprint: operation.fingerprint,
    principal: operation.principal,
    createdAt: operation.at,
    ...(operation.approval && { approvedBy: operation.approval.by }),
  });
  return operation.approval === undefined ? record : inPlaceOfRequest(record, operation.fingerprint);
}

/** Throws for the key that made this transaction: one write cannot hold its record twice. */
export function refuseKeyOf(
  { transactionId }: { readonly transactionId: string },
  { principal, idempotencyKey }: Operation,
): void {
  if (transactionIdOf(principal, idempotencyKey) === transactionId) throw new WalletError('idempotency_key_reused');
}

/**
 * Refuses a command that no state of its items allows. A used key decides first, as it does for every command. Writes
 * nothing.
 *
 * @throws WalletError `refusal`, `idempotency_key_reused`, `busy`
 */
export async function refuseCommand(table: Table, operation: Operation, refusal: WalletError): Promise<never> {
  replayedRecord(await write(table, [replayOnly(putOperation(table, operation), refusal)]));
  throw refusal;
}

/**
 * Returns whether a command is recorded under its key's id, by one consistent read.
 *
 * @throws WalletError `busy`
 */
export async function isKeyUsed(table: Table, transactionId: string): Promise<boolean> {
  return (await readItems(table, [transactionKey(transactionId)])).length > 0;
}

/**
 * Returns the record that a replayed command had stored; undefined when the command was written.
 *
 * @throws WalletError that the command is denied with; Error when another writer was faster
 */
export function replayedRecord(result: Written): Item | undefined {
  if (result.written) return undefined;
  const [first] = result.refusals;
  if (first.kind === 'denied') throw first.error;
  if (first.kind === 'changed') throw new Error('another writer was faster, and the command has no answer for that');
  return first.record;
}
