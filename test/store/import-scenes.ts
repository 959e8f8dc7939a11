/** Files to import, and imports of them in this process. */
import assert from 'node:assert/strict';
import { formanceTranslator } from '../../bin/import/formance.ts';
import { mappingsIn } from '../../bin/import/mapping.ts';
import { importFiles } from '../../bin/import/run.ts';
import type { ImportOptions, Outcome } from '../../bin/import/run.ts';
import { importedWalletId, importKey } from '../../lambdas/domain/import.ts';
import { beginPass } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import type { Table } from '../../lambdas/store/table.ts';
import type { TestBooks } from '../books.ts';

/** Returns lines of JSON. */
export function jsonLines(...records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** Two wallets with opening balances, and a year of theirs. Later lines come first in part. */
export const year = jsonLines(
  { kind: 'charge', id: 'c-2', wallet: 'b', amount: 50, date: '2025-06-01T00:00:00Z' },
  { kind: 'wallet', id: 'a', ownerId: 'ann', currency: 'EUR', name: 'Savings', date: '2025-01-01T00:00:00Z' },
  { kind: 'wallet', id: 'b', ownerId: 'bob', currency: 'EUR', metadata: { plan: 'gold' } },
  { kind: 'opening', wallet: 'a', amount: 1_000, date: '2025-01-02T00:00:00Z' },
  { kind: 'opening', wallet: 'b', amount: 0, date: '2025-01-02T00:00:00Z' },
  {
    kind: 'charge',
    id: 'c-1',
    wallet: 'a',
    amount: 500,
    date: '2025-02-01T10:30:00.123456+01:00',
    description: 'a top-up',
  },
  { kind: 'transfer', id: 't-1', wallet: 'a', toWallet: 'b', amount: 300, date: '2025-03-01T00:00:00Z' },
  {
    ...{ kind: 'withdrawal', id: 'w-1', wallet: 'a', amount: 200, date: '2025-04-01T00:00:00Z' },
    ...{ account: 'DE02120300000000202051', externalReference: 'payout-7' },
  },
);

/** What a run needs besides its content. */
type Settings = Partial<Omit<ImportOptions, 'mappings' | 'translate'>> & {
  readonly name?: string;
  readonly mapping?: object;
  readonly accounts?: RegExp;
};

/** Imports the content of one file. */
export function runImport(table: Table, content: string | Uint8Array, settings: Settings = {}): Promise<Outcome> {
  const { name = 'file.jsonl', mapping, accounts, ...options } = settings;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  // eslint-disable-next-line @typescript-eslint/require-await
  const open = async function* () {
    for (let start = 0; start < bytes.length; start += 7_001) yield bytes.subarray(start, start + 7_001);
  };
  return importFiles(table, [{ name, open }], {
    ...{ dryRun: false, keepFrozen: false, amounts: 'minor', atATime: 4, progress: () => undefined },
    ...{ mappings: mapping === undefined ? {} : mappingsIn(JSON.stringify({ [name]: mapping })) },
    translate: accounts && formanceTranslator(accounts),
    ...options,
  });
}

/** Returns the findings of a run as `code line`. */
export function codesOf({ findings }: Outcome): string[] {
  return findings.listed.map(({ code, line }) => `${code} ${line}`);
}

/** Returns the id of an imported wallet. */
export function walletIdFor(id: string, currency = 'EUR'): string {
  return importedWalletId(importKey('wallet', id), currency);
}

/** Asserts that a pass over the books finds nothing, with the bank's statement. Returns the sums. */
export async function assertSoundBooks({ table, entries, follow }: TestBooks) {
  await follow();
  const bankId = 'bank.example.com';
  const statement = {
    bankId,
    statement: () => Promise.resolve({ outcome: 'page', items: [], next: undefined } as const),
  };
  const pass = beginPass({ passId: 'pass-1', now: table.now(), segments: 2, standStill: true, bankId });
  const found: string[] = [];
  const control = {
    ...{ now: table.now, stop: () => false, secondLookMs: 0 },
    report: ({ kind, subject, detail }: { kind: string; subject: string; detail: string }) =>
      found.push(`${kind} ${subject}: ${detail}`),
  };
  assert.equal(await runPass({ table, entries, statement }, pass, control), 'done');
  assert.deepEqual(found, []);
  return pass;
}
