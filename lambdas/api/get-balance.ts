import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { balanceHeld, finalAfterMs } from '../domain/entries.ts';
import { WalletError } from '../domain/errors.ts';
import { plus } from '../domain/money.ts';
import { reachable } from '../http/caller.ts';
import type { Caller } from '../http/caller.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { conditional } from '../http/conditional.ts';
import { openReadLimits } from '../http/limits.ts';
import { query, serve } from '../http/http.ts';
import type { LimitedServices } from '../http/http.ts';
import { queryFields } from '../http/query-fields.ts';
import { invalid } from '../http/request.ts';
import { balanceView } from '../views/wallet-view.ts';
import { warmUp } from '../store/warm-up.ts';
import { findHeld } from '../store/entries.ts';
import { walletKey } from '../store/keys.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getWallet } from '../store/wallets.ts';

export interface BalanceServices extends LimitedServices {
  /** The table of entries. */
  readonly entries: Table;
}

/**
 * `GET /wallets/{walletId}/balance`: the balance of a wallet, by the cheapest read of the service. It may be some
 * milliseconds behind. With `?consistent=true` it includes every command that was answered before. The wallet's version
 * is its entity tag. With `?at=` it is the balance at a moment, from the wallet's ledger. While the ledger lacks that
 * moment, the answer is 503 `ledger_behind`. Within a minute of the moment `final` is false: a command that began
 * before it may still be booked.
 */
export const getBalance = query({
  name: 'get-balance',
  query: z
    .strictObject({ consistent: z.optional(z.enum(['true', 'false'])), at: z.optional(queryFields.moment) })
    .check(
      z.refine(({ consistent, at }) => consistent === undefined || at === undefined, {
        path: ['at'],
        message: 'must not be given with consistent',
      }),
    ),
  async handle({ caller, path, query, event }, services: BalanceServices) {
    const { table } = services;
    if (query.at !== undefined) return balanceAtMoment(caller, path['walletId'] ?? '', query.at, services);
    const consistent = query.consistent === 'true';
    const wallet = reachable(caller, await getWallet(table, path['walletId'] ?? '', { consistent }));
    return conditional(event, balanceView(wallet), String(wallet.version));
  },
});

async function balanceAtMoment(caller: Caller, walletId: string, at: string, { table, entries }: BalanceServices) {
  const now = table.now();
  if (Date.parse(at) > now) throw invalid([{ path: 'at', message: 'must not be in the future' }]);
  const [found, held] = await Promise.all([
    getWallet(table, walletId, { consistent: true }),
    findHeld(entries, walletId, at),
  ]);
  let wallet = reachable(caller, found);
  // The wallet has changed since it was read, or was restored to an earlier state.
  if ((held.entry?.version ?? 0) > wallet.version) {
    wallet = reachable(caller, await getWallet(table, walletId, { consistent: true }));
  }
  const balance = balanceHeld(held, wallet, at);
  if (balance === 'none') throw new WalletError('wallet_not_found', { detail: 'there was no such wallet then' });
  if (balance === 'behind') {
    const detail = `the wallet has version ${wallet.version}, its ledger shows version ${held.entry?.version ?? 'none'}`;
    throw new WalletError('ledger_behind', { retryAfterSeconds: 1, detail });
  }
  const { available, held: heldBack, version } = balance;
  const then = { ...wallet, available, held: heldBack, total: plus(available, heldBack), version };
  return { status: 200, body: { ...balanceView(then), at, final: Date.parse(at) + finalAfterMs <= now } };
}

export async function open(environment: Environment<'get-balance'>) {
  const client = dynamodbClient();
  const table = openTable(client, environment.TABLE_NAME);
  const handler = serve(getBalance, {
    table,
    entries: openTable(client, environment.ENTRIES_TABLE_NAME),
    limits: openReadLimits(environment),
  });
  await warmUp(table, walletKey('none'));
  return handler;
}
