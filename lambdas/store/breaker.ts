import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { BreakerState } from '../domain/breaker.ts';
import { breakerKey } from './keys.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { writeOne } from './write-one.ts';

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
  const command = new PutCommand({
    TableName: table.name,
    Item: { ...breakerKey(), ...record },
    ConditionExpression: 'attribute_not_exists(pk) OR since < :since',
    ExpressionAttributeValues: { ':since': record.since },
  });
  await writeOne(table, command);
}

/** Returns the last change; undefined when no breaker ever changed, which means closed. Fails when the table does. */
export async function getBreaker(table: Table): Promise<BreakerRecord | undefined> {
  const { Item } = await withRetries(table, () =>
    table.client.send(new GetCommand({ TableName: table.name, Key: breakerKey() })),
  );
  if (Item === undefined) return undefined;
  const { state, since } = Item as BreakerRecord;
  return { state, since };
}
