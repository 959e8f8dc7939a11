/** Limits of wallets as operators set them, and what tests ask about them. */
import type { WalletError } from '../../lambdas/domain/errors.ts';
import type { UsedLimits, WalletLimits } from '../../lambdas/domain/limits.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import { openLimitHints } from '../../lambdas/store/limit-hints.ts';
import { setWalletLimits } from '../../lambdas/store/wallet-limits.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { operation } from './commands.ts';
import { refusalOf } from './inspect.ts';
import { fundedWallet } from './wallets.ts';

/** Sets limits, as the operator unless another principal is named. */
export function setLimits(
  table: Table,
  walletId: string,
  limits: WalletLimits,
  more: { readonly key?: string; readonly principal?: string; readonly expectedVersion?: number } = {},
): Promise<{ wallet: Wallet; replayed: boolean }> {
  const { key, principal, expectedVersion } = more;
  const command = operation(table, ['set-limits', walletId, limits, expectedVersion], { key });
  return setWalletLimits(table, principal === undefined ? command : { ...command, principal }, {
    ...{ walletId, limits, reason: 'the customer asked for it', expectedVersion },
  });
}

/** Opens a wallet with money, and then limits it. Returns its id. */
export async function limitedWallet(
  table: Table,
  amount: number,
  limits: WalletLimits,
  owner = 'ann',
): Promise<string> {
  const walletId = await fundedWallet(table, owner, amount);
  await setLimits(table, walletId, limits);
  return walletId;
}

/** Returns the table as another container has it, which has met no limited wallet yet. */
export function anotherContainer(table: Table): Table {
  return { ...table, limitHints: openLimitHints() };
}

/** Reads a wallet. */
export async function walletOf(table: Table, walletId: string): Promise<Wallet> {
  const wallet = await getWallet(table, walletId, { consistent: true });
  if (wallet === undefined) throw new Error(`no wallet ${walletId}`);
  return wallet;
}

/** Returns what is used of a wallet's limits: the day, then what left in it and in the month, and what entered. */
export async function usedOf(table: Table, walletId: string): Promise<UsedLimits[keyof UsedLimits][]> {
  const { used } = await walletOf(table, walletId);
  return used === undefined ? [] : [used.day, used.outDay, used.outMonth, used.inDay, used.inMonth];
}

/** Returns the limit that refuses a command, what is left of it and until when; or another outcome. */
export async function outcomeOf(command: Promise<unknown>): Promise<readonly unknown[]> {
  const refusal: WalletError | undefined = await refusalOf(command);
  const { walletLimit } = refusal?.details ?? {};
  if (walletLimit === undefined) return [refusal?.code ?? 'accepted'];
  return [walletLimit.limit, walletLimit.left, ...(walletLimit.resetsAt === undefined ? [] : [walletLimit.resetsAt])];
}
