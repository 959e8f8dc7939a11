import { ConditionalCheckFailedException, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { BreakerState } from '../domain/breaker.ts';
import { breakerKey } from './keys.ts';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { fromItem, toItem } from './write.ts';

/**
 * The last reported state of a circuit breaker towards the bank. Each container has its own breaker; the last report
 * counts.
 */
export interface BreakerRecord {
  readonly state: BreakerState;
  /** ISO 8601 UTC. */
  readonly since: string;
}

/** Records a change of a worker's breaker, for the health route. A late record does not replace a later one. */
export async function putBreaker(table: Table, record: BreakerRecord): Promise<void> {
  const command = new PutItemCommand({
    TableName: table.name,
    Item: toItem({ ...breakerKey(), ...record }),
    ConditionExpression: 'attribute_not_exists(pk) OR since < :since',
    ExpressionAttributeValues: toItem({ ':since': record.since }),
  });
  try {
    await persist(table, () => table.client.send(command));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

/** Returns the last change; undefined when no breaker ever changed, which means closed. Fails when the table does. */
export async function getBreaker(table: Table): Promise<BreakerRecord | undefined> {
  const { Item } = await persist(table, () =>
    table.client.send(new GetItemCommand({ TableName: table.name, Key: toItem(breakerKey()) })),
  );
  if (Item === undefined) return undefined;
  const { state, since } = fromItem(Item);
  return { state, since } as BreakerRecord;
}
