/**
 * `npm run verify`: checks all books of a table from a shell, with the checks of the job's passes. Exits 0 when they
 * are sound, 1 when they are not, and 2 when they could not be checked.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openBank } from '../lambdas/bank/client.ts';
import { bankIdOf } from '../lambdas/bank/identity.ts';
import { openRequestKeys } from '../lambdas/bank/secret.ts';
import { costOf } from '../lambdas/integrity/cost.ts';
import { beginPass, runPass } from '../lambdas/integrity/pass.ts';
import type { Books, Pass } from '../lambdas/integrity/pass.ts';
import { dynamodbClient, secretsClient } from '../lambdas/aws/clients.ts';
import { countItems } from '../lambdas/store/books.ts';
import { lastEntry } from '../lambdas/store/entries.ts';
import { openTable } from '../lambdas/store/table.ts';
import type { Table } from '../lambdas/store/table.ts';
import { getWallet } from '../lambdas/store/wallets.ts';

const usage = `npm run verify -- --table NAME --entries-table NAME [options]

  --bank-url URL         compare with the bank's statement, too
  --bank-secret-arn ARN  the secret with the key that requests to the bank are signed with; or its value in BANK_SECRET
  --bank-id ID           the prop bank.id, where it is set; else host and path of the URL
  --stand-still          nothing moves: compare everything until now, and look once
  --second-look SECONDS  look at possible discrepancies again after this time (60)
  --segments N           read this many segments side by side (8)
  --endpoint URL         another DynamoDB than that of AWS
  --region NAME          the tables' region`;

const pageTimeoutMs = 15_000;
const patienceMs = 120_000;
const progressMs = 2_000;
/** Calls to a bank that does not answer, and the wait between them. */
const bankTries = 3;
const bankPauseMs = 10_000;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

async function main(): Promise<number> {
  const options = readOptions();
  const books = openBooks(options);
  await probe('--table', options.table, (table) => getWallet(table, 'none'));
  await probe('--entries-table', options.entriesTable, (table) => lastEntry(table, 'none'));
  const pass = beginPass({
    passId: randomUUID(),
    now: Date.now(),
    segments: options.segments,
    standStill: options.standStill,
    bankId: books.statement?.bankId,
    // A user who may read the items may lack the permission to describe the table: then the cost of the whole is
    // unknown.
    items: await countItems(books.table).catch(() => undefined),
  });
  console.log(
    `Checking ${options.table} and ${options.entriesTable}, sums as of ${pass.asOf ?? 'now'}` +
      (pass.bankId === undefined ? ', without the bank (no --bank-url)' : `, with bank ${pass.bankId}`),
  );
  const progress = startProgress(pass);
  for (;;) {
    const outcome = await runPass(books, pass, {
      now: Date.now,
      stop: () => false,
      secondLookMs: options.secondLookMs,
      statementPatienceMs: bankTries * bankPauseMs,
      report: ({ kind, subject, detail }) => {
        console.log(`DISCREPANCY ${kind} ${subject}: ${detail}`);
      },
    });
    if (outcome === 'done') break;
    if (outcome === 'stopped') continue;
    const waitMs = Math.max(0, outcome.waitUntil - Date.now());
    await sleep(pass.stage === 'bank' ? Math.min(bankPauseMs, waitMs) : waitMs);
  }
  progress.stop();
  summarize(pass);
  return pass.found === 0 ? 0 : 1;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      table: { type: 'string' },
      'entries-table': { type: 'string' },
      'bank-url': { type: 'string' },
      'bank-secret-arn': { type: 'string' },
      'bank-id': { type: 'string' },
      'stand-still': { type: 'boolean', default: false },
      'second-look': { type: 'string' },
      segments: { type: 'string', default: '8' },
      endpoint: { type: 'string' },
      region: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const { table, 'entries-table': entriesTable, 'stand-still': standStill } = values;
  if (!table || !entriesTable) throw new UsageError(`--table and --entries-table are needed\n\n${usage}`);
  if (values.region) process.env['AWS_REGION'] = values.region;
  if (values.endpoint) useEndpoint(values.endpoint);
  const secondLook = wholeNumber('--second-look', values['second-look'] ?? (standStill ? '0' : '60'), 0);
  return {
    table,
    entriesTable,
    standStill,
    bankUrl: values['bank-url'],
    bankSecretArn: values['bank-secret-arn'],
    bankId: values['bank-id'],
    secondLookMs: 1000 * secondLook,
    segments: wholeNumber('--segments', values.segments, 1),
  };
}

function wholeNumber(name: string, value: string, least: number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least) {
    throw new UsageError(`${name} must be a whole number of at least ${least}, received ${value}`);
  }
  return number;
}

/**
 * Points the SDK at an engine on this machine, with the credentials of `npm start`. The engine needs none, the SDK
 * some.
 */
function useEndpoint(endpoint: string): void {
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = endpoint;
  process.env['AWS_REGION'] ??= 'us-east-1';
  process.env['AWS_ACCESS_KEY_ID'] ??= 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'local';
}

function openBooks(options: ReturnType<typeof readOptions>): Books {
  const client = dynamodbClient({ requestTimeoutMs: pageTimeoutMs });
  const { bankUrl, bankSecretArn, bankId } = options;
  const given = process.env['BANK_SECRET'];
  if (bankUrl !== undefined && bankSecretArn === undefined && !given) {
    throw new UsageError('--bank-url needs --bank-secret-arn, or the key in BANK_SECRET');
  }
  return {
    table: openTable(client, options.table, patienceMs),
    entries: openTable(client, options.entriesTable, patienceMs),
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

/** Makes one small read of a table, so that a wrong name, key or region is reported at once. */
async function probe(option: string, name: string, read: (table: Table) => Promise<unknown>): Promise<void> {
  try {
    await read(openTable(dynamodbClient(), name));
  } catch (error) {
    throw new UsageError(`cannot read ${option} ${name}: ${reasonOf(error)}`);
  }
}

/** Returns the cause of an error. After many retries that is the failure of the last one. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : `${error.name}: ${error.message}`;
}

function startProgress(pass: Pass): { stop(): void } {
  const started = performance.now();
  const show = () => {
    const { wallets, transactions, entries, payments } = pass.counts;
    const read = pass.segments.filter(({ done }) => done).length;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `  ${seconds} s, ${pass.stage}: ${read} of ${pass.segments.length} segments, ${transactions} transactions, ` +
        `${wallets} wallets, ${entries} entries, ${payments} payments, ${costText(pass)}, ` +
        `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most, ${pass.found} discrepancies`,
    );
  };
  const timer = setInterval(show, progressMs);
  return {
    stop() {
      clearInterval(timer);
      show();
    },
  };
}

function costText(pass: Pass): string {
  const { readUnits, dollars, expectedReadUnits, expectedDollars } = costOf(pass);
  const text = (units: number, price = 0) => `${Math.round(units)} read units ($${price.toFixed(2)})`;
  return expectedReadUnits === undefined
    ? text(readUnits, dollars)
    : `${text(readUnits, dollars)} of ${text(expectedReadUnits, expectedDollars)}`;
}

function summarize(pass: Pass): void {
  for (const [currency, { wallets, external, transit }] of Object.entries(pass.sums)) {
    const parts = `wallets ${String(wallets)}, external ${String(external)}, transit ${String(transit)}`;
    console.log(`${currency}: ${parts}, sum ${String(wallets + external + transit)}`);
  }
  for (const [bankId, withdrawals] of Object.entries(pass.otherBanks)) {
    console.log(`Not compared: ${withdrawals} withdrawals that went to bank ${bankId}`);
  }
  console.log(
    pass.found === 0 ? 'The books are sound.' : `${pass.found} discrepancies: see docs/runbook.md#discrepancy`,
  );
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const badOption = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
    console.error(
      error instanceof UsageError ? error.message : badOption ? `${error.message}\n\n${usage}` : reasonOf(error),
    );
    process.exit(2);
  },
);
