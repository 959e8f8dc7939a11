/** The books that commands check from a shell: their tables, the bank, and the pass over all of them. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBank } from '../lambdas/bank/client.ts';
import { bankIdOf } from '../lambdas/bank/identity.ts';
import { openRequestKeys } from '../lambdas/bank/secret.ts';
import type { Discrepancy } from '../lambdas/domain/discrepancy.ts';
import { costOf } from '../lambdas/integrity/cost.ts';
import { beginPass } from '../lambdas/integrity/pass.ts';
import { runPass } from '../lambdas/integrity/run-pass.ts';
import type { Books, Pass } from '../lambdas/integrity/pass.ts';
import { dynamodbClient, secretsClient } from '../lambdas/aws/clients.ts';
import { countItems } from '../lambdas/store/books.ts';
import { lastEntry } from '../lambdas/store/entries.ts';
import { openTable } from '../lambdas/store/table.ts';
import type { Table } from '../lambdas/store/table.ts';
import { getWallet } from '../lambdas/store/wallets.ts';
import { memoryText, placeOptions, reasonOf, startProgress, UsageError, usePlace } from './command.ts';

/** The options of commands that name the books. */
export const booksOptions = {
  table: { type: 'string' },
  'entries-table': { type: 'string' },
  'bank-url': { type: 'string' },
  'bank-secret-arn': { type: 'string' },
  'bank-id': { type: 'string' },
  ...placeOptions,
} as const;

/** Lines of a usage in a usage. */
export const bankUsage = `  --bank-url URL         compare with the bank's statement, too
  --bank-secret-arn ARN  the secret with the key that requests to the bank are signed with; or its value in BANK_SECRET
  --bank-id ID           the prop bank.id, where it is set; else host and path of the URL`;

const pageTimeoutMs = 15_000;
const patienceMs = 120_000;
/** Calls to a bank that does not answer, and the wait between them. */
const bankTries = 3;
const bankPauseMs = 10_000;

/** The books that options name. */
export interface BooksNames {
  readonly table: string;
  readonly entriesTable: string;
  readonly bankUrl: string | undefined;
  readonly bankSecretArn: string | undefined;
  readonly bankId: string | undefined;
}

type BooksValues = { readonly [Name in keyof typeof booksOptions]?: string | boolean | undefined };

/** Returns the books that the values name. Points the SDK at their region or endpoint. Throws UsageError. */
export function namesIn(values: BooksValues, usage: string): BooksNames {
  const text = (name: keyof typeof booksOptions) => {
    const value = values[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [table, entriesTable] = [text('table'), text('entries-table')];
  if (table === undefined || entriesTable === undefined) {
    throw new UsageError(`--table and --entries-table are needed\n\n${usage}`);
  }
  usePlace({ region: text('region'), endpoint: text('endpoint') });
  return {
    ...{ table, entriesTable },
    ...{ bankUrl: text('bank-url'), bankSecretArn: text('bank-secret-arn'), bankId: text('bank-id') },
  };
}

/** Opens the books, once both tables can be read. Throws UsageError. */
export async function openBooks(options: BooksNames): Promise<Books> {
  const table = await openWalletTable(options.table);
  await probe('--entries-table', options.entriesTable, (table) => lastEntry(table, 'none'));
  const { bankUrl, bankSecretArn, bankId } = options;
  const given = process.env['BANK_SECRET'];
  if (bankUrl !== undefined && bankSecretArn === undefined && !given) {
    throw new UsageError('--bank-url needs --bank-secret-arn, or the key in BANK_SECRET');
  }
  return {
    table,
    entries: openPatiently(options.entriesTable),
    statement:
      bankUrl === undefined
        ? undefined
        : {
            ...openBank({
              url: bankUrl,
              keys:
                bankSecretArn === undefined
                  ? () => Promise.resolve([given ?? ''])
                  : openRequestKeys(secretsClient(), bankSecretArn),
            }),
            bankId: bankIdOf(bankId ?? bankUrl),
          },
  };
}

/** Opens the wallet table, once it can be read. Throws UsageError. */
export async function openWalletTable(name: string): Promise<Table> {
  await probe('--table', name, (table) => getWallet(table, 'none'));
  return openPatiently(name);
}

function openPatiently(name: string): Table {
  return openTable(dynamodbClient({ requestTimeoutMs: pageTimeoutMs }), name, patienceMs);
}

/** Makes one small read of a table, so that a wrong name, key or region is reported at once. */
async function probe(option: string, name: string, read: (table: Table) => Promise<unknown>): Promise<void> {
  try {
    await read(openTable(dynamodbClient(), name));
  } catch (error) {
    throw new UsageError(`cannot read ${option} ${name}: ${reasonOf(error)}`);
  }
}

/**
 * Makes a pass over all books, with its progress and findings on the screen.
 *
 * @param options `standStill`: nothing moves, so everything until now is compared
 * @param report receives each discrepancy
 * @returns the number of discrepancies
 */
export async function checkAllBooks(
  books: Books,
  options: { readonly segments: number; readonly standStill: boolean; readonly secondLookMs: number },
  report: (discrepancy: Discrepancy) => void,
): Promise<number> {
  const { standStill, segments, secondLookMs } = options;
  const pass = beginPass({
    ...{ passId: randomUUID(), now: Date.now(), segments, standStill },
    bankId: books.statement?.bankId,
    // A user who may read the items may lack the permission to describe the table: then the cost of the whole is
    // unknown.
    items: await countItems(books.table).catch(() => undefined),
  });
  console.log(
    `Checking ${books.table.name} and ${books.entries.name}, sums as of ${pass.asOf ?? 'now'}` +
      (pass.bankId === undefined ? ', without the bank (no --bank-url)' : `, with bank ${pass.bankId}`),
  );
  const line = () => progressText(pass);
  const progress = startProgress(line);
  for (;;) {
    const outcome = await runPass(books, pass, {
      now: Date.now,
      stop: () => false,
      secondLookMs,
      statementPatienceMs: bankTries * bankPauseMs,
      report,
    });
    if (outcome === 'done') break;
    if (outcome === 'stopped') continue;
    const waitMs = Math.max(0, outcome.waitUntil - Date.now());
    await sleep(pass.stage === 'bank' ? Math.min(bankPauseMs, waitMs) : waitMs);
  }
  progress.stop();
  console.log(`  ${progress.seconds()} s, ${line()}`);
  summarize(pass);
  return pass.found;
}

function progressText(pass: Pass): string {
  const { wallets, transactions, entries, payments } = pass.counts;
  const read = pass.segments.filter(({ done }) => done).length;
  return (
    `${pass.stage}: ${read} of ${pass.segments.length} segments, ${transactions} transactions, ` +
    `${wallets} wallets, ${entries} entries, ${payments} payments, ${costText(pass)}, ` +
    `${memoryText()}, ${pass.found} discrepancies`
  );
}

function costText(pass: Pass): string {
  const { readUnits, dollars, expectedReadUnits, expectedDollars } = costOf(pass);
  const text = (units: number, price = 0) => `${Math.round(units)} read units ($${price.toFixed(2)})`;
  return expectedReadUnits === undefined
    ? text(readUnits, dollars)
    : `${text(readUnits, dollars)} of ${text(expectedReadUnits, expectedDollars)}`;
}

function summarize(pass: Pass): void {
  for (const [currency, sums] of Object.entries(pass.sums)) {
    const parts = Object.entries(sums);
    const named = parts.map(([name, part]) => `${name} ${String(part)}`).join(', ');
    console.log(`${currency}: ${named}, sum ${String(parts.reduce((sum, [, part]) => sum + part, 0n))}`);
  }
  for (const [bankId, withdrawals] of Object.entries(pass.otherBanks)) {
    console.log(`Not compared: ${withdrawals} withdrawals that went to bank ${bankId}`);
  }
  console.log(
    pass.found === 0 ? 'The books are sound.' : `${pass.found} discrepancies: see docs/runbook.md#discrepancy`,
  );
}
