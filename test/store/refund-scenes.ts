/** Refunded transfers, which tests of the recovery then lose a part of. */
import assert from 'node:assert/strict';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import type { Table } from '../../lambdas/store/table.ts';
import type { TestEngine } from '../engine.ts';
import { newBooks } from '../books.ts';
import { afterTest } from '../fixture.ts';
import { transfer } from './commands.ts';
import { fieldsOf } from './inspect.ts';
import { refund as refundOf, refundableOf } from './refund-commands.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

/** Refunds a transaction as it is now. Returns the refund. */
export async function refund(
  table: Table,
  sent: Pick<Transaction, 'transactionId'>,
  wanted: Parameters<typeof refundOf>[2],
) {
  return (await refundOf(table, await refundableOf(table, sent), wanted)).transaction;
}

/** Makes a transfer of 100 from ann's 1000 to the shop, and refunds of it at different times. */
export async function newScene(engine: TestEngine, ...parts: readonly number[]) {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const payer = await fundedWallet(table, 'ann', 1_000);
  const shop = await openWallet(table, 'shop');
  const { transaction: sent } = await transfer(table, payer, shop, { amount: 100, owner: 'ann' });
  const refunds: Transaction[] = [];
  for (const amount of parts) {
    table.clock.now += 1_000;
    refunds.push(await refund(table, sent, { amount }));
  }
  table.clock.now += 1_000;
  return { ...books, payer, shop, sent, refunds };
}
export type Scene = Awaited<ReturnType<typeof newScene>>;

export const idsOf = (refunds: readonly Transaction[]) => refunds.map(({ transactionId }) => transactionId);

export async function assertRefunded(
  { table, sent }: Scene,
  refunded?: number,
  refunds?: readonly string[],
): Promise<void> {
  const fields = await fieldsOf(table, sent.transactionId);
  assert.deepEqual([fields?.refunded, fields?.refunds], [refunded, refunds]);
}

export async function balances({ table, payer, shop }: Scene): Promise<number[]> {
  const wallets = await Promise.all([balanceOf(table, payer), balanceOf(table, shop)]);
  return wallets.map(({ available }) => Number(available));
}
