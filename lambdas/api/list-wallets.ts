import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { currencyOfWalletId } from '../domain/ids.ts';
import { ownerNamedBy } from '../http/caller.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { cursorOf, readCursor } from '../http/cursor.ts';
import { openReadLimits } from '../http/limits.ts';
import { query, serve } from '../http/http.ts';
import { fields } from '../http/body-fields.ts';
import { queryFields } from '../http/query-fields.ts';
import { walletView } from '../views/wallet-view.ts';
import { openTable } from '../store/table.ts';
import { listDetails } from '../store/wallet-details.ts';
import { listWallets as readWallets } from '../store/wallets.ts';

/** `GET /wallets`: the caller's own wallets, or those of the owner that an operator names, by id. */
export const listWallets = query({
  name: 'list-wallets',
  query: z.strictObject({
    limit: queryFields.limit,
    cursor: z.optional(z.string()),
    ownerId: z.optional(fields.text(128)),
  }),
  async handle({ caller, query }, { table }) {
    const { items, next } = await readWallets(table, ownerNamedBy(caller, query.ownerId), {
      limit: query.limit,
      after: readCursor(query.cursor, (walletId) => currencyOfWalletId(walletId) !== undefined),
    });
    const now = table.now();
    const details = await listDetails(table, items);
    const shown = items.map((wallet) => walletView(wallet, caller.kind, now, details.get(wallet.walletId)));
    return { status: 200, body: { items: shown, nextCursor: cursorOf(next) } };
  },
});

export const open = (environment: Environment<'list-wallets'>) =>
  serve(listWallets, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openReadLimits(environment),
  });
