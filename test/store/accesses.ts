/** The accesses of calls to the tables, by type of item. */
import assert from 'node:assert/strict';
import type { Call } from '../engine.ts';
import { itemTypes } from '../item-types.ts';

interface Keyed {
  readonly pk?: { readonly S: string };
  readonly id?: { readonly S: string };
}

/**
 * Returns the `<action> <item type>` of each access of a call, as IAM checks them: a transaction is authorised by the
 * actions of its items.
 */
export function accessesOf({ operation, input }: Call): string[] {
  const access = (action: string, key: Keyed) => {
    const text = key.pk?.S ?? key.id?.S ?? '';
    const [type] = itemTypes.find(([, prefix]) => text.startsWith(prefix)) ?? [];
    assert.ok(type, `${action} of an item of no type: ${text}`);
    return `${action} ${type}`;
  };
  if (operation === 'Scan' || operation === 'DescribeTable') return [`${operation} everything`];
  if (operation === 'TransactWriteItems') {
    const items = input['TransactItems'] as {
      Put?: { Item: Keyed };
      ConditionCheck?: { Key: Keyed };
      Update?: { Key: Keyed };
    }[];
    return items.map((item) => {
      assert.deepEqual(Object.keys(item).length, 1);
      if (item.Put) return access('PutItem', item.Put.Item);
      if (item.ConditionCheck) return access('ConditionCheckItem', item.ConditionCheck.Key);
      assert.ok(item.Update, 'a transaction with another kind of item needs another action');
      return access('UpdateItem', item.Update.Key);
    });
  }
  if (operation === 'BatchGetItem') {
    const [request] = Object.values(input['RequestItems'] as Record<string, { Keys: Keyed[] }>);
    return request!.Keys.map((key) => access('BatchGetItem', key));
  }
  if (operation === 'BatchExecuteStatement') {
    const statements = input['Statements'] as { Statement: string; Parameters: { S: string }[] }[];
    return statements.map(({ Statement, Parameters }) => {
      assert.match(Statement, /^INSERT INTO "[^"]+" VALUE \{'pk': \?/, 'another statement needs another action');
      return access('PartiQLInsert', { pk: Parameters[0]! });
    });
  }
  if (operation === 'Query') {
    if (input['IndexName'] !== undefined) return [`Query index ${input['IndexName'] as string}`];
    const name = /^pk = (:\w+)/.exec(input['KeyConditionExpression'] as string)?.[1];
    assert.ok(name, 'a query without a partition');
    const value = (input['ExpressionAttributeValues'] as Record<string, { S: string }>)[name]!;
    return [access('Query', { pk: value })];
  }
  return [access(operation, (input['Item'] ?? input['Key']) as Keyed)];
}
