/** Wallets that no other test uses. */
import type { Wallet, WalletStatus } from '../../lambdas/domain/wallet.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { createWallet } from '../../lambdas/store/open-wallet.ts';
import { getWallet, setWalletStatus } from '../../lambdas/store/wallets.ts';
import { charge, operation } from './commands.ts';

/** Opens an empty wallet of an owner. Returns its id. */
export async function openWallet(table: Table, owner: string, currency = 'EUR', key?: string): Promise<string> {
  const request = { ownerId: owner, currency, rate: undefined };
  const opening = operation(table, ['create-wallet', request], { owner, key });
  const { wallet } = await createWallet(table, opening, request);
  return wallet.walletId;
}

/** Opens a wallet with money. Returns its id. */
export async function fundedWallet(table: Table, owner: string, amount: number, currency = 'EUR'): Promise<string> {
  const walletId = await openWallet(table, owner, currency);
  await charge(table, walletId, { amount });
  return walletId;
}

export function setStatus(table: Table, walletId: string, status: WalletStatus, key?: string) {
  return setWalletStatus(table, operation(table, [status, walletId], { key }), { walletId, status });
}

/** Returns the current balance of a wallet. */
export async function balanceOf(table: Table, walletId: string): Promise<Pick<Wallet, 'available' | 'held' | 'total'>> {
  const wallet = await getWallet(table, walletId, { consistent: true });
  if (wallet === undefined) throw new Error(`no wallet ${walletId}`);
  const { available, held, total } = wallet;
  return { available, held, total };
}
