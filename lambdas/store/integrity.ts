import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { integrityKey } from './keys.ts';
import type { IntegrityItem } from './keys.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, requireVersion } from './unreadable.ts';
import { writeOne } from './write-one.ts';
import type { Item } from './write.ts';

/** An item of the check of the books: its text, and a number that counts how often it was stored. */
export interface StoredState {
  readonly text: string;
  readonly revision: number;
}

/** Reads an item of the check of the books; undefined when there is none. */
export async function getState(entries: Table, which: IntegrityItem): Promise<StoredState | undefined> {
  const { Item } = await withRetries(entries, () =>
    entries.client.send(new GetCommand({ TableName: entries.name, Key: integrityKey(which), ConsistentRead: true })),
  );
  return Item && toState(Item);
}

function toState(item: Item): StoredState {
  requireVersion(item);
  const { text, revision } = item;
  if (typeof text !== 'string' || typeof revision !== 'number') {
    throw new InvalidItem(item, 'it has no text or revision');
  }
  return { text, revision };
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
  const command = new PutCommand({
    TableName: entries.name,
    Item: { ...integrityKey(which), v: itemVersion, text, revision: next },
    ConditionExpression: revision === undefined ? 'attribute_not_exists(pk)' : 'revision = :revision',
    ...(revision !== undefined && { ExpressionAttributeValues: { ':revision': revision } }),
  });
  return (await writeOne(entries, command)).written ? next : undefined;
}
