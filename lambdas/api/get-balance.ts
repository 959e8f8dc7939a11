import * as z from 'zod';
import { reachable } from '../runtime/caller.ts';
import { dynamodbClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { query, serve } from '../runtime/http.ts';
import { headerOf } from '../runtime/request.ts';
import { balanceView } from '../runtime/views.ts';
import { openTable } from '../store/table.ts';
import { getWallet } from '../store/wallets.ts';

/**
 * `GET /wallets/{walletId}/balance`: the cheapest read of the service. By default it may be some milliseconds behind;
 * `?consistent=true` shows every command that was answered before. The wallet's version is its entity tag.
 */
export const getBalance = query({
  name: 'get-balance',
  query: z.strictObject({ consistent: z.enum(['true', 'false']).optional() }),
  async handle({ caller, path, query, event }, { table }) {
    const consistent = query.consistent === 'true';
    const wallet = reachable(caller, await getWallet(table, path['walletId'] ?? '', { consistent }));
    const etag = `"${String(wallet.version)}"`;
    // Private: a shared cache must not hold it. no-cache: keep it, but ask with If-None-Match before using it.
    const headers = { ETag: etag, 'Cache-Control': 'private, no-cache' };
    if (matches(headerOf(event, 'if-none-match'), etag)) return { status: 304, headers };
    return { status: 200, body: balanceView(wallet), headers };
  },
});

/** Whether an If-None-Match header names the tag (RFC 9110, section 13.1.2: weak comparison, a list, or `*`). */
function matches(header: string | undefined, etag: string): boolean {
  return (header ?? '')
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === etag || tag === '*');
}

const env = readEnvironment('get-balance');
export const handler = serve(getBalance, { table: openTable(dynamodbClient(), env.TABLE_NAME) });
