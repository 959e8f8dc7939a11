import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import type { ChainedEntry } from '../domain/entries.ts';
import { WalletError } from '../domain/errors.ts';
import { addLine, noSums } from '../domain/statement.ts';
import { formatNames } from '../domain/statement-file.ts';
import type { FormatName } from '../domain/statement-file.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { byRoute } from '../http/by-route.ts';
import { reachable } from '../http/caller.ts';
import type { Caller } from '../http/caller.ts';
import { cursorOf, isVersion, readCursor } from '../http/cursor.ts';
import { varyingByOrigin } from '../http/cors.ts';
import { query, serve } from '../http/http.ts';
import type { LimitedServices } from '../http/http.ts';
import { openReadLimits } from '../http/limits.ts';
import type { Answer } from '../http/problem.ts';
import { queryFields } from '../http/query-fields.ts';
import { headersOf, invalid } from '../http/request.ts';
import { periodOf } from '../http/statement-period.ts';
import { entriesAt } from '../store/entries.ts';
import { boundsOf, readStretches } from '../store/statements.ts';
import type { StatementBooks } from '../store/statements.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { getWallet } from '../store/wallets.ts';
import type { Wallet } from '../domain/wallet.ts';
import { getTotals } from './get-totals.ts';
import { acceptedFormat, fileHeaderOf, statementFormats } from '../views/statement-formats.ts';
import type { StatementEnd, StatementHead } from '../views/statement-view.ts';
import { balanceOf, lineView, statementHead, sumsView } from '../views/statement-view.ts';

export interface StatementServices extends LimitedServices {
  /** The table of entries. */
  readonly entries: Table;
}

/** Changes of the wallet that one answer covers at most. Some of them move no total and make no line; a group makes several. */
const mostChanges = 5_000;
/** Lines of one answer, and bytes of its text as Lambda passes it on; Lambda takes 6 MB. */
const mostLines = 5_000;
const mostBytes = 5_500_000;

/**
 * `GET /wallets/{walletId}/statement`: the movements of the wallet's total in a period, with the balances before and
 * after them. `format` or `Accept` chooses JSON, CSV or camt.053. All of it comes from the wallet's ledger. While the
 * ledger lacks a part of the period, the answer is 503 `ledger_behind`: no line is left out. JSON comes in pages with
 * `limit`.
 */
export const getStatement = query({
  name: 'get-statement',
  query: z
    .strictObject({
      from: queryFields.bound,
      to: z.optional(queryFields.bound),
      format: z.optional(z.enum(formatNames)),
      limit: z.optional(queryFields.changes),
      cursor: z.optional(z.string()),
    })
    .check(
      z.refine(({ limit, cursor }) => limit !== undefined || cursor === undefined, {
        path: ['cursor'],
        message: 'needs limit',
      }),
    ),
  async handle({ caller, path, query, event }, services: StatementServices) {
    const { table } = services;
    const now = table.now();
    const { limit } = query;
    const period = periodOf(query, now);
    const format = query.format ?? acceptedFormat(headersOf(event, 'Accept'));
    if (limit !== undefined && format !== 'json') {
      throw invalid([{ path: 'limit', message: 'is for JSON: a file has the whole period' }]);
    }
    const after = readCursor(query.cursor, isVersion);
    const wallet = reachable(caller, await getWallet(table, path['walletId'] ?? '', { consistent: true }));
    const { opening, closing } = await boundsOf(services, wallet, period);
    const start =
      after === undefined ? opening : await startOfPage(services, wallet, Number(after), [opening, closing]);
    const isRest = limit === undefined || closing.version - (start?.version ?? -1) <= limit;
    const last = isRest ? closing.version : (start?.version ?? -1) + limit;
    if (last - (start?.version ?? -1) > mostChanges) {
      throw tooLong(`the wallet has ${last - (start?.version ?? -1)} changes in this period`);
    }
    const head = statementHead(wallet, period, start);
    const { end, lines } = await linesOf(services, wallet, { caller, head, format, start, last });
    const cursor = isRest ? undefined : cursorOf(String(last));
    return answer(format, head, { ...end, ...(cursor !== undefined && { nextCursor: cursor }) }, { lines, now });
  },
});

function tooLong(fact: string): WalletError {
  const detail = `${fact}, and one answer covers ${mostChanges}: ask for a shorter period, or for pages of JSON with limit`;
  return new WalletError('statement_too_long', { detail });
}

/** Returns the entry behind which a page begins. */
async function startOfPage(
  { entries }: StatementBooks,
  { walletId }: Wallet,
  version: number,
  [opening, closing]: readonly [ChainedEntry | undefined, ChainedEntry],
): Promise<ChainedEntry> {
  const isWithin = version > (opening?.version ?? -1) && version < closing.version;
  const [entry] = isWithin ? await entriesAt(entries, [{ walletId, version }]) : [];
  if (entry === undefined) {
    throw invalid([{ path: 'cursor', message: 'must be the nextCursor of an earlier page of the same statement' }]);
  }
  return entry;
}

/** Reads the lines behind the entry `start` up to the version `last`, as texts, and what is known after them. */
async function linesOf(
  services: StatementServices,
  wallet: Wallet,
  part: {
    readonly caller: Caller;
    readonly head: StatementHead;
    readonly format: FormatName;
    readonly start: ChainedEntry | undefined;
    readonly last: number;
  },
): Promise<{ lines: string; end: StatementEnd }> {
  const { caller, head, format, start, last } = part;
  let [sums, closing, lines, bytes] = [noSums, start, '', 0];
  for await (const stretch of readStretches(services, wallet, { opening: start, last })) {
    let text = '';
    for (const line of stretch.lines) {
      text += statementFormats[format].line(lineView(line, wallet.walletId, caller.kind), head, sums.lines);
      sums = addLine(sums, line);
    }
    lines += text;
    closing = stretch.end;
    // As Lambda passes it on: inside of a JSON text.
    bytes += Buffer.byteLength(JSON.stringify(text));
    if (sums.lines > mostLines || bytes > mostBytes) throw tooLong('the period has more lines than one answer takes');
  }
  return { lines, end: { closing: balanceOf(closing), sums: sumsView(sums) } };
}

function answer(
  name: FormatName,
  head: StatementHead,
  end: StatementEnd,
  { lines, now }: { readonly lines: string; readonly now: number },
): Answer {
  const format = statementFormats[name];
  return {
    status: 200,
    text: format.before(head, end, new Date(now).toISOString()) + lines + format.after(head, end),
    headers: {
      'Content-Type': format.mediaType,
      Vary: `Accept, Authorization, Accept-Encoding${varyingByOrigin()}`,
      ...(name !== 'json' && { 'Content-Disposition': fileHeaderOf(head, format) }),
    },
  };
}

/** Opens the function of all routes of statements. */
export function open(environment: Environment<'statements'>) {
  // A page of an index has up to a megabyte.
  const client = dynamodbClient({ requestTimeoutMs: 5_000 });
  const services = {
    table: openTable(client, environment.TABLE_NAME),
    entries: openTable(client, environment.ENTRIES_TABLE_NAME),
    limits: openReadLimits(environment),
  };
  return byRoute('statements', {
    'get-statement': serve(getStatement, services),
    'get-totals': serve(getTotals, services),
  });
}
