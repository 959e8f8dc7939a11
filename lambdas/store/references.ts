import { WalletError } from '../domain/errors.ts';
import type { Transaction } from '../domain/transaction.ts';
import { referenceKey } from './keys.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, requireVersion } from './unreadable.ts';
import { denied } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/** The record that a command took a reference for itself alone. */
export interface TakenReference {
  readonly transactionId: string;
  /** The principal of the command. */
  readonly principal: string;
}

/** A transaction whose command has taken its reference. `ownerId`: the owner among whose references it is. */
export type Referring = Pick<Transaction, 'transactionId' | 'principal' | 'ownerId'> & {
  readonly externalReference: string;
};

/** Returns a transaction that took its reference for itself alone; undefined for any other one. */
export function referringIn(transaction: Transaction): Referring | undefined {
  const { transactionId, principal, uniqueReference, externalReference } = transaction;
  if (uniqueReference !== true || externalReference === undefined) return undefined;
  return { transactionId, principal, ownerId: referringOwner(transaction), externalReference };
}

/** Returns the owner whose command it was; undefined for an operator's. A capture has the payer as its owner. */
function referringOwner(transaction: Transaction): string | undefined {
  if (transaction.type !== 'capture') return transaction.ownerId;
  return transaction.capturedBy === 'owner' ? transaction.principal : undefined;
}

/**
 * Returns what a command adds to its write to take its reference for itself alone; nothing unless it asks for that. A lost
 * command that is repeated meets its own record where a restored table has that alone.
 */
export function referenceItems(table: Table, transaction: Transaction): WriteItem[] {
  const referring = referringIn(transaction);
  if (referring === undefined) return [];
  const { transactionId } = referring;
  return [
    {
      label: 'reference',
      request: {
        Put: {
          TableName: table.name,
          Item: referenceItem(referring),
          ConditionExpression: 'attribute_not_exists(pk) OR transactionId = :transaction',
          ExpressionAttributeValues: { ':transaction': transactionId },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
      },
      refused: (image) => {
        const taken = image && parseReference(image);
        if (taken === undefined || taken.transactionId === transactionId) return undefined;
        const { principal: takenBy } = taken;
        return denied(new WalletError('reference_taken', { transactionId: taken.transactionId, takenBy }));
      },
    },
  ];
}

/** Returns the stored item of a taken reference. */
export function referenceItem(referring: Referring): Item {
  const { transactionId, principal } = referring;
  return { ...referenceKey(referring), v: itemVersion, transactionId, principal };
}

/**
 * Returns the record in a stored item.
 *
 * @throws UnreadableItem for a newer version; InvalidItem for an item that lacks a member
 */
export function parseReference(item: Item): TakenReference {
  requireVersion(item);
  const { transactionId, principal } = item;
  if (typeof transactionId !== 'string' || typeof principal !== 'string') {
    throw new InvalidItem(item, 'it names no transaction or no principal');
  }
  return { transactionId, principal };
}
