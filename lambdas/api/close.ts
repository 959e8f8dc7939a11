import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { WalletError } from '../domain/errors.ts';
import { withOpenTransactions } from '../domain/wallet.ts';
import { serve } from '../http/http.ts';
import { statusCommand } from '../http/status-command.ts';
import { listOpenOfWallet } from '../store/open-of-wallet.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';

/** `POST /wallets/{walletId}/close`: ends an empty wallet for good. The refusal names what keeps its money held. */
export const close = statusCommand('close', 'closed', withOpenWork);

/** Returns the refusal of a wallet with money with its open transactions, or any other error as it is. */
async function withOpenWork(table: Table, walletId: string, error: unknown): Promise<unknown> {
  if (!(error instanceof WalletError) || error.code !== 'wallet_not_empty') return error;
  try {
    return withOpenTransactions(error, await listOpenOfWallet(table, walletId));
  } catch (failure) {
    // The refusal stands, whatever its explanation meets.
    if (failure instanceof WalletError) return error;
    throw failure;
  }
}

export const open = (environment: Environment<'close'>) =>
  serve(close, { table: openTable(dynamodbClient(), environment.TABLE_NAME) });
