import { ConditionalCheckFailedException, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { integrityKey } from './keys.ts';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { fromItem, toItem } from './write.ts';

/** What is stored of a pass over the books: its text, and a number that counts how often it was stored. */
export interface StoredPass {
  readonly text: string;
  readonly revision: number;
}

/** Reads the pass that is under way, or the last one that came to its end; undefined when there is none. */
export async function getPass(entries: Table, which: 'running' | 'last'): Promise<StoredPass | undefined> {
  const { Item } = await persist(entries, () =>
    entries.client.send(
      new GetItemCommand({ TableName: entries.name, Key: toItem(integrityKey(which)), ConsistentRead: true }),
    ),
  );
  return Item && (fromItem(Item) as unknown as StoredPass);
}

/**
 * Stores a pass, some ten write units.
 *
 * @param revision that of the pass when it was read, undefined when there was none
 * @returns the new revision, or undefined when another run has stored it meanwhile: this one must end
 */
export async function putPass(
  entries: Table,
  which: 'running' | 'last',
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
