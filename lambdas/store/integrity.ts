import { ConditionalCheckFailedException, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { integrityKey } from './keys.ts';
import type { IntegrityItem } from './keys.ts';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { fromItem, toItem } from './write.ts';

/** An item of the check of the books: its text, and a number that counts how often it was stored. */
export interface StoredState {
  readonly text: string;
  readonly revision: number;
}

/** Reads an item of the check of the books; undefined when there is none. */
export async function getState(entries: Table, which: IntegrityItem): Promise<StoredState | undefined> {
  const { Item } = await persist(entries, () =>
    entries.client.send(
      new GetItemCommand({ TableName: entries.name, Key: toItem(integrityKey(which)), ConsistentRead: true }),
    ),
  );
  return Item && (fromItem(Item) as unknown as StoredState);
}

/**
 * Stores an item of the check of the books, some ten to thirty write units.
 *
 * @param revision that of the item when it was read, undefined when there was none
 * @returns the new revision, or undefined when another run has stored it meanwhile: this one must end
 */
export async function putState(
  entries: Table,
  which: IntegrityItem,
  text: string,
  revision: number | undefined,
): Promise<number | undefined> {
  const next = (revision ?? 0) + 1;
  const command = new PutItemCommand({
    TableName: entries.name,
    Item: toItem({ ...integrityKey(which), text, revision: next }),
    ConditionExpression: revision === undefined ? 'attribute_not_exists(pk)' : 'revision = :revision',
    ...(revision !== undefined && { ExpressionAttributeValues: toItem({ ':revision': revision }) }),
  });
  try {
    await persist(entries, () => entries.client.send(command));
    return next;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
