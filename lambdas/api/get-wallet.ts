import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { openReadLimits } from '../http/limits.ts';
import { query, serve } from '../http/http.ts';
import { reachable } from '../http/caller.ts';
import { walletView } from '../views/wallet-view.ts';
import { openTable } from '../store/table.ts';
import { getDetails } from '../store/wallet-details.ts';
import { getWallet as readWallet } from '../store/wallets.ts';

/** `GET /wallets/{walletId}`: the wallet with its balance, as of the last write that was answered. */
export const getWallet = query({
  name: 'get-wallet',
  query: z.strictObject({}),
  async handle({ caller, path }, { table }) {
    const wallet = reachable(caller, await readWallet(table, path['walletId'] ?? '', { consistent: true }));
    const details = await getDetails(table, wallet);
    return { status: 200, body: walletView(wallet, caller.kind, table.now(), details) };
  },
});

export const open = (environment: Environment<'get-wallet'>) =>
  serve(getWallet, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openReadLimits(environment),
  });
