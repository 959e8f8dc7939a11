import type { Actor } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { transactionIdOf } from '../domain/ids.ts';
import { transactionKey } from './keys.ts';
import { readItems } from './read.ts';
import type { Table } from './table.ts';
import type { Item, WriteItem } from './write.ts';

/** The facts of a command: its actor, its key, its request and its time. */
export interface Operation extends Actor {
  readonly idempotencyKey: string;
  /** See `fingerprintOf`. */
  readonly fingerprint: string;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** The reading that the key was used before for the same request; `record` is the item stored under it now. */
export class Replay {
  readonly record: Item;

  constructor(record: Item) {
    this.record = record;
  }
}

/**
 * Puts the record of a command under its key, on condition that the key is new. A used key is a replay when the
 * fingerprints agree, and refused when they do not. There is no expiry: a key is good for ever.
 */
export function putRecord(table: Table, record: Item & { fingerprint: string }): WriteItem<WalletError | Replay> {
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
      return image['fingerprint'] === record.fingerprint
        ? new Replay(image)
        : new WalletError('idempotency_key_reused');
    },
  };
}

/**
 * Returns the record's item for a command that is over a limit: it writes nothing. A used key is a replay as before,
 * because the limit may have been higher then. A new key is refused with `refusal`. Its condition holds for no item.
 */
export function replayOnly(
  { request, ...record }: WriteItem<WalletError | Replay>,
  refusal: WalletError,
): WriteItem<WalletError | Replay> {
  const ConditionExpression = 'attribute_exists(pk) AND attribute_not_exists(pk)';
  return {
    ...record,
    request: { ...request, ...(request.Put && { Put: { ...request.Put, ConditionExpression } }) },
    refused: (image) => (image === undefined ? refusal : record.refused(image)),
  };
}

/**
 * Puts the record of a command that makes no transaction, such as opening a wallet. It shares the keys of transactions,
 * so that one key cannot serve a charge and a freeze.
 */
export function putOperation(table: Table, operation: Operation): WriteItem<WalletError | Replay> {
  return putRecord(table, {
    ...transactionKey(transactionIdOf(operation.principal, operation.idempotencyKey)),
    type: 'operation',
    fingerprint: operation.fingerprint,
    principal: operation.principal,
    createdAt: operation.at,
  });
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
 * Returns the replay that a command's write found; undefined when the command was written. Throws the refusal, if there
 * is one.
 */
export function replayOf(readings: readonly (WalletError | Replay)[]): Replay | undefined {
  const [first] = readings;
  if (first instanceof WalletError) throw first;
  return first;
}
