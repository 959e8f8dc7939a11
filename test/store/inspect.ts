/** Reads the table directly, past the store, so that a test sees the stored items. */
import { BatchWriteItemCommand, DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { WalletError } from '../../lambdas/domain/errors.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import type { Transaction, Withdrawal } from '../../lambdas/domain/transaction.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { readEntries } from '../../lambdas/store/entries.ts';
import type { ChainedEntry } from '../../lambdas/domain/entries.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { getWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { fromItem, toItem } from '../../lambdas/store/write.ts';
import type { Item } from '../../lambdas/store/write.ts';
import type { TransactionFields } from '../../lambdas/views/transaction-view.ts';

/** Returns every item of the table (or of an index), sorted by its keys as text. */
export async function allItems(table: Table, index?: string): Promise<Item[]> {
  const items: Item[] = [];
  let start: ReturnType<typeof toItem> | undefined;
  do {
    const page = await table.client.send(
      new ScanCommand({ TableName: table.name, IndexName: index, ExclusiveStartKey: start }),
    );
    items.push(...(page.Items ?? []).map(fromItem));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return items.sort((a, b) => (JSON.stringify([a['pk'], a['sk']]) < JSON.stringify([b['pk'], b['sk']]) ? -1 : 1));
}

/** Returns the item under a key. */
export async function itemOf(table: Table, key: { pk: string; sk: string }): Promise<Item | undefined> {
  return (await allItems(table)).find(({ pk, sk }) => pk === key.pk && sk === key.sk);
}

/** Reads a transaction with the fields of every kind. */
export function fieldsOf(table: Table, transactionId: string): Promise<(Transaction & TransactionFields) | undefined> {
  return getTransaction(table, transactionId);
}

/** Reads a withdrawal with the fields of every status. */
export async function withdrawalOf(table: Table, transactionId: string): Promise<Withdrawal & TransactionFields> {
  const withdrawal = await getWithdrawal(table, transactionId);
  assert.ok(withdrawal);
  return withdrawal;
}

/** Returns whether the index of open work has the transaction. */
export async function isDue(table: Table, transactionId: string): Promise<boolean> {
  return (await allItems(table, 'due')).some((item) => item['transactionId'] === transactionId);
}

/** Returns the entries of a wallet, oldest first. */
export async function entriesOf(entries: Table, walletId: string): Promise<readonly ChainedEntry[]> {
  return (await readEntries(entries, { walletId, after: undefined, consistent: true })).items;
}

/** Writes items without any check. */
export async function plant(table: Table, ...items: readonly object[]): Promise<void> {
  for (let start = 0; start < items.length; start += 25) {
    const puts = items.slice(start, start + 25).map((item) => ({ PutRequest: { Item: toItem(item) } }));
    await table.client.send(new BatchWriteItemCommand({ RequestItems: { [table.name]: puts } }));
  }
}

/** Changes members of a stored item without any check; undefined removes one. */
export async function changeItem(table: Table, key: { pk: string; sk: string }, members: object): Promise<void> {
  await plant(table, { ...(await itemOf(table, key)), ...members });
}

/** Deletes an item without any check. */
export async function removeItem(table: Table, key: { pk: string; sk: string }): Promise<void> {
  await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(key) }));
}

/** Asserts that `work` is refused with a code and stores nothing. Returns the refusal. */
export async function assertRefused(table: Table, code: ErrorCode, work: () => Promise<unknown>): Promise<WalletError> {
  const before = await allItems(table);
  const refusal = await refusalOf(work());
  assert.equal(refusal?.code, code);
  assert.deepEqual(await allItems(table), before, 'a refused command stores nothing');
  return refusal;
}

/** Asserts that `work` returns `expected` and writes nothing. */
export async function assertWritesNothing<T>(table: Table, expected: T, work: () => Promise<T>): Promise<void> {
  const before = await allItems(table);
  assert.deepEqual(await work(), expected);
  assert.deepEqual(await allItems(table), before);
}

/** Returns the refusal of a command, or undefined if it succeeded. Throws any other error. */
export async function refusalOf(command: Promise<unknown>): Promise<WalletError | undefined> {
  try {
    await command;
    return undefined;
  } catch (error) {
    if (error instanceof WalletError) return error;
    throw error;
  }
}

/** Returns a value as the table would return it: undefined members are absent. */
export function asStored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
