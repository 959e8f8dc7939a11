import * as z from 'zod';
import { WalletError } from '../domain/errors.ts';
import { plus } from '../domain/money.ts';
import { reachable } from '../runtime/caller.ts';
import type { Caller } from '../runtime/caller.ts';
import { dynamodbClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { query, serve } from '../runtime/http.ts';
import type { RouteServices } from '../runtime/http.ts';
import { fields, headersOf, invalid } from '../runtime/request.ts';
import { balanceView } from '../runtime/views.ts';
import { balanceAt } from '../store/entries.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getWallet } from '../store/wallets.ts';

export interface BalanceServices extends RouteServices {
  /** The table of entries. */
  readonly entries: Table;
}

/**
 * `GET /wallets/{walletId}/balance`: the cheapest read of the service. By default it may be some milliseconds behind;
 * `?consistent=true` shows every command that was answered before. The wallet's version is its entity tag.
 * With `?at=` it is the balance at a moment, from the wallet's ledger, which is some seconds behind.
 */
export const getBalance = query({
  name: 'get-balance',
  query: z
    .strictObject({ consistent: z.enum(['true', 'false']).optional(), at: fields.moment.optional() })
    .refine(({ consistent, at }) => consistent === undefined || at === undefined, {
      path: ['at'],
      message: 'must not be given with consistent',
    }),
  async handle({ caller, path, query, event }, { table, entries }: BalanceServices) {
    if (query.at !== undefined) return balanceAtMoment(caller, path['walletId'] ?? '', query.at, { table, entries });
    const consistent = query.consistent === 'true';
    const wallet = reachable(caller, await getWallet(table, path['walletId'] ?? '', { consistent }));
    const etag = `"${String(wallet.version)}"`;
    // Private: a shared cache must not hold it. no-cache: keep it, but ask with If-None-Match before using it.
    const headers = { ETag: etag, 'Cache-Control': 'private, no-cache' };
    if (matches(headersOf(event, 'If-None-Match'), etag)) return { status: 304, headers };
    return { status: 200, body: balanceView(wallet), headers };
  },
});

async function balanceAtMoment(caller: Caller, walletId: string, at: string, { table, entries }: BalanceServices) {
  if (Date.parse(at) > table.now()) throw invalid([{ path: 'at', message: 'must not be in the future' }]);
  const [found, balance] = await Promise.all([getWallet(table, walletId), balanceAt(entries, walletId, at)]);
  const wallet = reachable(caller, found);
  if (balance === undefined) throw new WalletError('wallet_not_found', { detail: 'there was no such wallet then' });
  const { available, held, version } = balance;
  return {
    status: 200,
    body: { ...balanceView({ ...wallet, available, held, total: plus(available, held), version }), at },
  };
}

/** Whether an If-None-Match header names the tag (RFC 9110, section 13.1.2: weak comparison, a list, or `*`). */
function matches(lines: readonly string[], etag: string): boolean {
  return lines
    .flatMap((line) => line.split(','))
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === etag || tag === '*');
}

const env = readEnvironment('get-balance');
const client = dynamodbClient();
export const handler = serve(getBalance, {
  table: openTable(client, env.TABLE_NAME),
  entries: openTable(client, env.ENTRIES_TABLE_NAME),
});
