/** Splits, as the handler composes them. */
import { currencyOfWalletId, fingerprintOf, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { split as newSplit } from '../../lambdas/domain/split.ts';
import type { WalletError } from '../../lambdas/domain/errors.ts';
import { commitSplit } from '../../lambdas/store/splits.ts';
import type { RateLimit } from '../../lambdas/store/rate-window.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { newKey, timeOf } from './commands.ts';
import { fundedWallet, openWallet } from './wallets.ts';

/** A payment: from one wallet to another, with a fee of the sender; in minor units. */
export type Payment = readonly [from: string, to: string, amount: number, fee?: number];

interface Command {
  /** The caller; the operator when it is absent. */
  readonly owner?: string;
  readonly key?: string;
  readonly rate?: RateLimit;
  readonly overLimit?: WalletError;
}

/** Opens wallets: ann has two, with 100 and 50, the shop has one with 20, and the tax office an empty one. */
export async function splitWallets(table: Table) {
  const [first, second] = [await fundedWallet(table, 'ann', 100), await fundedWallet(table, 'ann', 50)];
  return { first, second, shop: await fundedWallet(table, 'shop', 20), tax: await openWallet(table, 'tax') };
}

/** Makes a split of these payments. */
export function split(table: Table, payments: readonly Payment[], command: Command = {}) {
  const { owner, key = newKey(), rate, overLimit } = command;
  const principal = owner ?? 'operator-1';
  const made = newSplit({
    ...{ splitId: transactionIdOf(principal, key), principal, ownerId: owner, at: timeOf(table) },
    currency: currencyOfWalletId(payments[0]?.[0] ?? '') ?? '',
    legs: payments.map(([fromWalletId, toWalletId, amount, fee = 0]) => ({ fromWalletId, toWalletId, amount, fee })),
  });
  return commitSplit(table, made, fingerprintOf(['split', payments]), rate, overLimit);
}
