import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { reachable } from '../http/caller.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { cursorOf, isVersion, readCursor } from '../http/cursor.ts';
import { openReadLimits } from '../http/limits.ts';
import { query, serve } from '../http/http.ts';
import type { LimitedServices } from '../http/http.ts';
import { queryFields } from '../http/query-fields.ts';
import { entryView } from '../views/entry-view.ts';
import { listEntries as readEntries } from '../store/entries.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getWallet } from '../store/wallets.ts';

export interface EntriesServices extends LimitedServices {
  /** The table of entries. */
  readonly entries: Table;
}

/**
 * `GET /wallets/{walletId}/entries`: the wallet's ledger, newest first. An entry has the change of one version, the
 * balance after it, and a hash chained to the entry before. The ledger is some seconds behind the wallet.
 */
export const listEntries = query({
  name: 'list-entries',
  query: z.strictObject({ limit: queryFields.limit, cursor: z.optional(z.string()) }),
  async handle({ caller, path, query: { limit, cursor } }, { table, entries }: EntriesServices) {
    const walletId = path['walletId'] ?? '';
    const before = readCursor(cursor, isVersion);
    const [wallet, page] = await Promise.all([
      getWallet(table, walletId),
      readEntries(entries, { walletId, limit, before: before === undefined ? undefined : Number(before) }),
    ]);
    reachable(caller, wallet);
    const next = page.next === undefined ? undefined : String(page.next);
    return {
      status: 200,
      body: { items: page.items.map((entry) => entryView(entry, caller.kind)), nextCursor: cursorOf(next) },
    };
  },
});

export function open(environment: Environment<'list-entries'>) {
  const client = dynamodbClient();
  return serve(listEntries, {
    table: openTable(client, environment.TABLE_NAME),
    entries: openTable(client, environment.ENTRIES_TABLE_NAME),
    limits: openReadLimits(environment),
  });
}
