import { randomUUID } from 'node:crypto';
import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { WalletError } from '../domain/errors.ts';
import { cancellationReasons, mayArriveLater, persist } from './table.ts';
import type { Table } from './table.ts';

/** An item as it is stored, by attribute name. */
export type Item = Record<string, unknown>;

/** One item of an atomic write, with its own reading of a failed condition. */
export interface WriteItem<R> {
  /** What the item is for; names it in errors. */
  readonly label: string;
  readonly request: TransactWriteItem;
  /**
   * Why the condition failed, from the image that it was tested on (undefined: there was no such item).
   * Returning undefined says that the image explains nothing: a programming error.
   */
  readonly refused: (image: Item | undefined) => R | undefined;
}

/**
 * Writes all items or none, in one round trip. A lost answer is asked for again with the same client token, which
 * DynamoDB answers with the first try's success; so what was written once is never reported as refused. And a refusal
 * counts only when no try is missing: one that is still on its way could find the conditions true and write after all.
 *
 * @param items at most 100; the most telling condition first: callers answer with the first reading
 * @returns the readings of all conditions that failed, in the order of the items; empty when everything was written
 * @throws WalletError `busy` when contention, throttling or time-outs outlast the budget, or nobody knows what became of
 *   a try that was refused when it was repeated
 */
export async function write<R>(table: Table, items: readonly WriteItem<R>[]): Promise<R[]> {
  const command = new TransactWriteItemsCommand({
    ClientRequestToken: randomUUID(),
    TransactItems: items.map(({ request }) => request),
  });
  const tries = { missing: false };
  try {
    await persist(table, () =>
      table.client.send(command).catch((error: unknown) => {
        tries.missing ||= mayArriveLater(error);
        throw error;
      }),
    );
    return [];
  } catch (error) {
    const readings: R[] = [];
    for (const [index, reason] of cancellationReasons(error).entries()) {
      const item = items[index];
      if (reason.Code !== 'ConditionalCheckFailed' || item === undefined) continue;
      const reading = item.refused(reason.Item && fromItem(reason.Item));
      if (reading !== undefined) readings.push(reading);
      else if (readings.length === 0) {
        throw new Error(`condition of "${item.label}" failed, and its image does not say why`, { cause: error });
      }
    }
    if (readings.length === 0) throw error;
    // A replay stands: its record is there.
    if (tries.missing && readings[0] instanceof WalletError)
      throw new WalletError('busy', { retryAfterSeconds: 1 }, { cause: error });
    return readings;
  }
}

/** A value as DynamoDB takes it; members that are undefined are left out. */
export function toItem(value: object): Record<string, AttributeValue> {
  return marshall(value, { removeUndefinedValues: true });
}

/** An item as JavaScript values; an integer beyond 2^53-1 comes as a bigint, so that nothing is ever rounded. */
export function fromItem(item: Record<string, AttributeValue>): Item {
  return unmarshall(item);
}

const names = {
  '#status': 'status',
  '#total': 'total',
  '#ttl': 'ttl',
  '#type': 'type',
} as const;

/**
 * An update of one item for `write`: the expression's reserved words among the names (`#status`, …) are spelled out here once, and
 * `values` are given without their colon.
 */
export function update(
  table: Table,
  key: Item,
  change: { set: string; remove?: string; if: string; values: Item },
): NonNullable<TransactWriteItem['Update']> {
  const expression = change.remove === undefined ? `SET ${change.set}` : `SET ${change.set} REMOVE ${change.remove}`;
  const used = Object.entries(names).filter(([name]) => `${expression} ${change.if}`.includes(name));
  return {
    TableName: table.name,
    Key: toItem(key),
    UpdateExpression: expression,
    ConditionExpression: change.if,
    ...(used.length > 0 && { ExpressionAttributeNames: Object.fromEntries(used) }),
    ExpressionAttributeValues: toItem(
      Object.fromEntries(Object.entries(change.values).map(([name, value]) => [`:${name}`, value])),
    ),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}
