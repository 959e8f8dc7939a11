import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { channelNames, defaultPreferences } from '../domain/preferences.ts';
import type { Preferences } from '../domain/preferences.ts';
import { preferencesKey } from './keys.ts';
import { readParsed } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, ofThisVersion, requireVersion } from './unreadable.ts';
import type { UnreadableItem } from './unreadable.ts';
import { writeOne } from './write-one.ts';
import { namedValues } from './write.ts';
import type { Item } from './write.ts';

/** Returns an owner's notification preferences; the defaults when it stored none. A consistent read. */
export async function getPreferences(table: Table, ownerId: string): Promise<Preferences> {
  const { Item } = await withRetries(table, () =>
    table.client.send(new GetCommand({ TableName: table.name, Key: preferencesKey(ownerId), ConsistentRead: true })),
  );
  return Item === undefined ? defaultPreferences : toPreferences(Item);
}

/** Does as `getPreferences`, for up to 100 owners in one call. Those that cannot be read do not fail the others. */
export async function getPreferencesOf(
  table: Table,
  ownerIds: readonly string[],
): Promise<ReadonlyMap<string, Preferences | UnreadableItem>> {
  const found = await readParsed(table, ownerIds, preferencesKey, toPreferences);
  return new Map(ownerIds.map((ownerId) => [ownerId, found.get(ownerId) ?? defaultPreferences]));
}

/**
 * Replaces an owner's notification preferences. Of two simultaneous calls the later write counts.
 *
 * @throws UnreadableItem when the stored ones are of a newer version; nothing is written then
 */
export async function putPreferences(
  table: Table,
  ownerId: string,
  preferences: Preferences,
  at: string,
): Promise<void> {
  const item = { ...preferencesKey(ownerId), v: itemVersion, ownerId, ...preferences, updatedAt: at };
  const command = new PutCommand({
    TableName: table.name,
    Item: item,
    ConditionExpression: ofThisVersion.if,
    ExpressionAttributeValues: namedValues(ofThisVersion.values),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const result = await writeOne(table, command);
  if (result.written) return;
  if (result.image) requireVersion(result.image);
  throw new Error('the condition of the preferences failed, and their image does not say why');
}

function toPreferences(item: Item): Preferences {
  requireVersion(item);
  const { channels, mutedEvents } = item;
  if (typeof channels !== 'object' || channels === null || !Array.isArray(mutedEvents)) {
    throw new InvalidItem(item, 'it has no preferences');
  }
  const stored = channels as Preferences['channels'];
  // The database keeps no order of names.
  const inOrder = Object.fromEntries(channelNames.map((name) => [name, stored[name]])) as Preferences['channels'];
  return { channels: inOrder, mutedEvents: mutedEvents as Preferences['mutedEvents'] };
}
