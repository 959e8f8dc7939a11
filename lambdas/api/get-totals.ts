import * as z from 'zod/mini';
import { finalAfterMs } from '../domain/entries.ts';
import type { WalletError } from '../domain/errors.ts';
import { isWalletId } from '../domain/ids.ts';
import { addLine, noSums } from '../domain/statement.ts';
import type { StatementLine, StatementSums } from '../domain/statement.ts';
import type { Wallet } from '../domain/wallet.ts';
import { fields } from '../http/body-fields.ts';
import { ownerNamedBy } from '../http/caller.ts';
import { cursorOf, isVersion, readCursor } from '../http/cursor.ts';
import { query } from '../http/http.ts';
import type { LimitedServices } from '../http/http.ts';
import { invalid } from '../http/request.ts';
import { entriesAt } from '../store/entries.ts';
import { boundsOf, readStretches } from '../store/statements.ts';
import type { StatementBooks } from '../store/statements.ts';
import type { Table } from '../store/table.ts';
import { listWallets } from '../store/wallets.ts';
import { sumsView } from '../views/statement-view.ts';

export interface TotalsServices extends LimitedServices {
  /** The table of entries. */
  readonly entries: Table;
  /** What one answer covers at most, if it is not `mostCovered`. */
  readonly most?: { readonly changes: number; readonly wallets: number };
}

/** What one answer covers at most. Its cursor leads to the rest. */
const mostCovered = { changes: 5_000, wallets: 100 } as const;
/** Wallets that one call reads. */
const walletsPage = 100;

/**
 * `GET /totals`: what moved in the wallets of an owner in a month (UTC), by currency and type. Each total has the
 * number of lines, the sums in and out, and the fees. An answer with `nextCursor` covers a part: add up the parts.
 * While a ledger lacks a part of the month, the answer is 503 `ledger_behind`.
 */
export const getTotals = query({
  name: 'get-totals',
  query: z.strictObject({
    month: z.string().check(z.regex(/^(?:19[7-9]|[2-9]\d\d)\d-(?:0[1-9]|1[0-2])$/, 'must be a month, as 2026-03')),
    ownerId: z.optional(fields.text(128)),
    cursor: z.optional(z.string()),
  }),
  async handle({ caller, query: { month, ownerId, cursor } }, services: TotalsServices) {
    const owner = ownerNamedBy(caller, ownerId);
    const now = services.table.now();
    const position = positionIn(readCursor(cursor, isPosition));
    if (position !== undefined && Date.parse(position.to) > now) throw badCursor();
    const period = periodOf(month, position?.to ?? new Date(now).toISOString());
    const totals = new Totals();
    const next = await addMonth(services, { owner, period, position }, totals);
    return {
      status: 200,
      body: {
        ...{ ownerId: owner, month, ...period, final: Date.parse(period.to) + finalAfterMs <= now },
        items: totals.items(),
        nextCursor: cursorOf(next && `${period.to}/${next.walletId}/${next.version}`),
      },
    };
  },
});

function badCursor(): WalletError {
  return invalid([{ path: 'cursor', message: 'must be the nextCursor of an earlier page of the same list' }]);
}

/** A period of time: `from` inclusive, `to` exclusive, ISO 8601 UTC. */
interface Period {
  readonly from: string;
  readonly to: string;
}

/**
 * Returns the part of a month that is over.
 *
 * @param now ISO 8601; the later pages of a month have the time of its first page
 */
function periodOf(month: string, now: string): Period {
  const [year = 0, number = 0] = month.split('-').map(Number);
  const from = new Date(Date.UTC(year, number - 1)).toISOString();
  const end = new Date(Date.UTC(year, number)).toISOString();
  if (now <= from) throw invalid([{ path: 'month', message: 'must have begun' }]);
  return { from, to: end < now ? end : now };
}

/** Where a page begins: behind a version of a wallet. -1: at the beginning of its month. */
interface Position {
  readonly walletId: string;
  readonly version: number;
}

const timeFormat = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function isPosition(text: string): boolean {
  const [to = '', walletId = '', version = '', ...others] = text.split('/');
  return (
    timeFormat.test(to) &&
    !Number.isNaN(Date.parse(to)) &&
    isWalletId(walletId) &&
    isVersion(version) &&
    others.length === 0
  );
}

function positionIn(text: string | undefined): (Position & { readonly to: string }) | undefined {
  if (text === undefined) return undefined;
  const [to = '', walletId = '', version = ''] = text.split('/');
  return { to, walletId, version: Number(version) };
}

/** Sums by currency and type. */
class Totals {
  readonly #sums = new Map<string, StatementSums>();

  add(currency: string, line: StatementLine): void {
    const key = `${currency} ${line.transaction?.type ?? 'correction'}`;
    this.#sums.set(key, addLine(this.#sums.get(key) ?? noSums, line));
  }

  /** Returns the sums, sorted by currency and type. */
  items(): object[] {
    return [...this.#sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, sums]) => {
        const [currency, type] = key.split(' ');
        const { lines: count, ...amounts } = sumsView(sums);
        return { currency, type, count, ...amounts };
      });
  }
}

/** Adds what moved in the wallets of an owner. Returns where the next page begins, if this one has no room for the rest. */
async function addMonth(
  services: TotalsServices,
  {
    owner,
    period,
    position,
  }: { readonly owner: string; readonly period: Period; readonly position: Position | undefined },
  totals: Totals,
): Promise<Position | undefined> {
  let { changes, wallets }: Required<TotalsServices>['most'] = services.most ?? mostCovered;
  for await (const wallet of walletsOf(services.table, owner, position?.walletId)) {
    if (wallet.createdAt >= period.to) continue;
    const { walletId } = wallet;
    const from = walletId === position?.walletId ? position.version : undefined;
    if (changes <= 0 || wallets-- <= 0) return { walletId, version: from ?? 0 };
    const { opening, closing } = await boundsOf(services, wallet, period);
    // A version before the month is the position of a page that ended before this wallet.
    const isBehind = from !== undefined && from > (opening?.version ?? -1);
    const [start = opening] = isBehind ? await entriesAt(services.entries, [{ walletId, version: from }]) : [];
    const last = Math.min(closing.version, (start?.version ?? -1) + changes);
    changes -= last - (start?.version ?? -1);
    await addLines(services, wallet, { opening: start, last }, totals);
    if (last < closing.version) return { walletId, version: last };
  }
  return undefined;
}

async function addLines(
  books: StatementBooks,
  wallet: Wallet,
  stretch: Parameters<typeof readStretches>[2],
  totals: Totals,
): Promise<void> {
  for await (const { lines } of readStretches(books, wallet, stretch)) {
    for (const line of lines) totals.add(wallet.currency, line);
  }
}

/** Reads the wallets of an owner by id, from the wallet `first` on. */
async function* walletsOf(table: Table, owner: string, first: string | undefined): AsyncGenerator<Wallet> {
  // An id ends with a letter or digit, so this text is before it and behind all before it.
  let after = first?.slice(0, -1);
  for (let more = true; more; more = after !== undefined) {
    const page = await listWallets(table, owner, { limit: walletsPage, after });
    for (const wallet of page.items) if (first === undefined || wallet.walletId >= first) yield wallet;
    after = page.next;
  }
}
