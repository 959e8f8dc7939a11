import * as z from 'zod/mini';
import { WalletError } from '../domain/errors.ts';
import { openStatuses, receiverOf } from '../domain/transaction.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import { fields } from '../http/body-fields.ts';
import { ownerNamedBy } from '../http/caller.ts';
import type { Caller } from '../http/caller.ts';
import { cursorOf, readCursor } from '../http/cursor.ts';
import { historyFields } from '../http/history-fields.ts';
import { query } from '../http/http.ts';
import { listByReference } from '../store/by-reference.ts';
import { positionOfText, textOfPosition } from '../store/due-keys.ts';
import { isHistoryKey } from '../store/history-keys.ts';
import { listOpen } from '../store/open-work.ts';
import type { Table } from '../store/table.ts';
import { listTransactionsOf } from '../store/transactions.ts';
import { listWallets } from '../store/wallets.ts';
import { transactionView } from '../views/transaction-view.ts';
import type { Audience } from '../views/view.ts';

const parameters = z.strictObject({
  ...historyFields,
  externalReference: z.optional(fields.text(128)),
  ownerId: z.optional(fields.text(128)),
});
type Filters = z.output<typeof parameters>;

/** Most wallets of an owner whose histories are read for one page: some 300 read units where each is long. */
const mostWallets = 20;

/**
 * `GET /transactions`: finds transactions of many wallets, newest first. A caller finds those of its own wallets. An
 * operator names an owner, a reference, or a status of open work. Open work of all wallets is listed by the time when
 * it is due, the latest first. A page without `nextCursor` is the last one. Any other page may be short.
 */
export const findTransactions = query({
  name: 'find-transactions',
  query: parameters,
  async handle({ caller, query: filters }, { table }) {
    const page = await pageFor(table, caller, filters);
    return { status: 200, body: { items: page.items, nextCursor: cursorOf(page.next) } };
  },
});

interface Page {
  readonly items: readonly ReturnType<typeof transactionView>[];
  readonly next?: string | undefined;
}

async function pageFor(table: Table, caller: Caller, filters: Filters): Promise<Page> {
  const { cursor, externalReference, ownerId, ...others } = filters;
  const isOperator = caller.kind === 'operator';
  if (isOperator && ownerId === undefined && externalReference === undefined) return openPage(table, filters);
  const after = readCursor(cursor, isHistoryKey);
  if (isOperator && externalReference !== undefined) {
    const wallets = ownerId === undefined ? undefined : await walletsOf(table, ownerId);
    const { items, next } = await listByReference(table, {
      ...others,
      ...{ externalReference, after },
      ...(wallets && { isListed: (transaction: Transaction) => touches(wallets, transaction) }),
    });
    return { items: items.map((item) => transactionView(item, 'operator')), next };
  }
  const wallets = await walletsOf(table, ownerNamedBy(caller, ownerId));
  const { items, next } = await listTransactionsOf(table, wallets, { ...others, externalReference, after });
  return { items: items.map((item) => transactionView(item, audienceIn(caller, wallets, item))), next };
}

/** Returns a page of the open work of the whole service. No index lists work that is at an end, so no other status is served. */
async function openPage(table: Table, { cursor, status, ...filters }: Filters): Promise<Page> {
  const open = openStatuses.find((one) => one === status);
  if (open === undefined) {
    throw new WalletError('query_too_broad', {
      detail: `add externalReference, ownerId, or a status of open work: ${openStatuses.join(', ')}`,
    });
  }
  const after = readCursor(cursor, (text) => positionOfText(text) !== undefined);
  const page = await listOpen(table, { ...filters, status: open, after: positionOfText(after ?? '') });
  return {
    items: page.items.map((item) => transactionView(item, 'operator')),
    next: page.next && textOfPosition(page.next),
  };
}

/**
 * Returns the wallets of an owner.
 *
 * @throws WalletError `query_too_broad` for an owner of more wallets than one page reads
 */
async function walletsOf(table: Table, ownerId: string): Promise<Wallet[]> {
  const { items, next } = await listWallets(table, ownerId, { limit: mostWallets, after: undefined });
  if (next === undefined) return items;
  const detail = `the owner has more than ${mostWallets} wallets: use GET /wallets/{walletId}/transactions for one of them`;
  throw new WalletError('query_too_broad', { detail });
}

function touches(wallets: readonly Wallet[], transaction: Transaction): boolean {
  const ids = [transaction.walletId, receiverOf(transaction)];
  return wallets.some(({ walletId }) => ids.includes(walletId));
}

/** Returns the audience of a caller that sees a transaction in the history of one of these wallets, which it owns or may read. */
function audienceIn(caller: Caller, wallets: readonly Wallet[], { walletId, ownerId }: Transaction): Audience {
  if (caller.ownerId === undefined) return 'operator';
  const isSender = wallets.some((wallet) => wallet.walletId === walletId);
  return isSender || ownerId === caller.ownerId ? 'owner' : 'counterparty';
}
