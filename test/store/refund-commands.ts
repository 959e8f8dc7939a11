/** Refunds and their originals, as the handlers compose them. */
import assert from 'node:assert/strict';
import { fingerprintOf, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { isRefundable } from '../../lambdas/domain/refund.ts';
import type { Refund, Refundable } from '../../lambdas/domain/transaction.ts';
import { refundTransaction } from '../../lambdas/store/refunds.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import type { RateLimit } from '../../lambdas/store/rate-window.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { charge, newKey, timeOf, transfer } from './commands.ts';
import { capture, openHold } from './hold-commands.ts';
import { changeItem } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';

/** Reads a transaction that can be refunded. */
export async function refundableOf(
  table: Table,
  { transactionId }: { readonly transactionId: string },
): Promise<Refundable> {
  const transaction = await getTransaction(table, transactionId);
  assert.ok(transaction && isRefundable(transaction), `${transactionId} cannot be refunded`);
  return transaction;
}

/** Ann, who has a thousand, pays the shop. Returns both wallets and the payment. */
export async function payment(table: Table, kind: 'transfer' | 'capture' = 'transfer', amount = 100) {
  const payer = await fundedWallet(table, 'ann', 1_000);
  const shop = await openWallet(table, 'shop');
  const { transaction } =
    kind === 'transfer'
      ? await transfer(table, payer, shop, { owner: 'ann', amount })
      : await capture(table, await openHold(table, payer, { amount, to: shop }));
  return { payer, shop, original: await refundableOf(table, transaction) };
}

/** Opens ann's wallet with a charge. Returns both. */
export async function chargedWallet(table: Table, amount: number) {
  const walletId = await openWallet(table, 'ann');
  const { transaction } = await charge(table, walletId, { amount });
  return { walletId, original: await refundableOf(table, transaction) };
}

/** Refunds for the shop, or for an operator. */
export async function refund(
  table: Table,
  original: Refundable,
  request: {
    readonly amount?: number;
    readonly chargeback?: true;
    readonly key?: string;
    readonly operator?: string;
    readonly rate?: RateLimit;
  } = {},
): Promise<{ transaction: Refund; replayed: boolean }> {
  const { key = newKey(), operator, rate, ...wanted } = request;
  const principal = operator ?? 'shop';
  const facts = {
    ...{ transactionId: transactionIdOf(principal, key), principal, at: timeOf(table), reason: 'sent back' },
    ...{ ownerId: operator === undefined ? principal : undefined, ...wanted },
  };
  const fingerprint = fingerprintOf(['refund', original.transactionId, wanted]);
  const { transaction, replayed } = await refundTransaction(table, original, facts, fingerprint, { rate });
  if (transaction.type !== 'refund') throw new Error(`not a refund: ${transaction.transactionId}`);
  return { transaction, replayed };
}

/** Makes the record of a transaction name refunds of one minor unit each. Returns their ids. */
export async function plantRefunds(table: Table, { transactionId }: Refundable, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, n) => `tx_${String(n).padStart(26, 'a')}`);
  await changeItem(table, transactionKey(transactionId), { refunded: count, refunds: ids });
  return ids;
}
