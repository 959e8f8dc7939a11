/** Commands on holds as the handlers compose them. */
import { fingerprintOf, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { openHold as newHold } from '../../lambdas/domain/hold.ts';
import type { CaptureFacts } from '../../lambdas/domain/hold.ts';
import type { Capture, Hold } from '../../lambdas/domain/transaction.ts';
import { captureHold, commitHold, getHold, releaseOpenHold } from '../../lambdas/store/holds.ts';
import type { RateLimit } from '../../lambdas/store/rate-window.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { newKey, operation, timeOf } from './commands.ts';
import { fundedWallet, openWallet } from './wallets.ts';

export const dayMs = 86_400_000;

/** Opens a hold on ann's wallet, for a day. Returns it. */
export async function openHold(
  table: Table,
  walletId: string,
  request: {
    readonly amount: number;
    readonly to?: string | undefined;
    /** The alias that names the wallet `to`. */
    readonly alias?: string;
    readonly key?: string;
    readonly forMs?: number;
    readonly rate?: RateLimit;
  },
): Promise<Hold> {
  const { amount, to, alias, key = newKey(), forMs = dayMs, rate } = request;
  const expiresAt = timeOf(table, forMs);
  const { transaction } = await commitHold(
    table,
    newHold({
      ...{ transactionId: transactionIdOf('ann', key), principal: 'ann', ownerId: 'ann', walletId, amount },
      ...{ currency: 'EUR', at: timeOf(table), counterpartyWalletId: to, to: alias, expiresAt },
    }),
    fingerprintOf(['open-hold', walletId, amount, alias ?? to, forMs]),
    rate,
  );
  if (transaction.type !== 'hold') throw new Error(`not a hold: ${transaction.transactionId}`);
  return transaction;
}

/** Opens a wallet of ann's with 1,000 and one of the shop's, and a hold between them. */
export async function holdScene(table: Table, amount = 100) {
  const payer = await fundedWallet(table, 'ann', 1_000);
  const shop = await openWallet(table, 'shop');
  return { payer, shop, hold: await openHold(table, payer, { amount, to: shop }) };
}

/** Reads a hold. */
export async function holdOf(table: Table, { transactionId }: Pick<Hold, 'transactionId'>): Promise<Hold> {
  const hold = await getHold(table, transactionId);
  if (hold === undefined) throw new Error(`no hold ${transactionId}`);
  return hold;
}

/** Captures for the shop that owns the receiving wallet. Returns the capture. */
export async function capture(
  table: Table,
  hold: Hold,
  request: { readonly amount?: number; readonly isFinal?: boolean; readonly key?: string; readonly fee?: number } = {},
): Promise<{ transaction: Capture; replayed: boolean }> {
  const { amount, isFinal = false, key = newKey(), fee = 0 } = request;
  const facts: CaptureFacts = {
    ...{ transactionId: transactionIdOf('shop', key), principal: 'shop', capturedBy: 'owner', at: timeOf(table) },
    ...{ amount, isFinal, feeOf: () => fee },
  };
  const fingerprint = fingerprintOf(['capture', hold.transactionId, amount, isFinal]);
  const { transaction, replayed } = await captureHold(table, hold, facts, fingerprint);
  if (transaction.type !== 'capture') throw new Error(`not a capture: ${transaction.transactionId}`);
  return { transaction, replayed };
}

/** Releases a hold for the shop. */
export function release(table: Table, hold: Hold, key?: string) {
  const command = operation(table, ['release', hold.transactionId], { owner: 'shop', key });
  return releaseOpenHold(table, command, { hold, reason: 'the goods are sold out' });
}
