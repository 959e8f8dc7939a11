/** `npm run verify` as people start it: in its own process, against real tables and a bank over HTTP. */
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { openBank } from '../../lambdas/bank/client.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { entryKey, totalKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { fromItem, toItem } from '../../lambdas/store/write.ts';
import { startBankSimulator } from '../../local/bank/bank-simulator.ts';
import type { BankSimulator } from '../../local/bank/bank-simulator.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { useEngine } from '../fixture.ts';
import { busyHistory } from '../store/histories.ts';
import type { History } from '../store/histories.ts';
import { bankId } from '../store/visits.ts';

const secret = 'the key that both sides know';
const script = join(import.meta.dirname, '..', '..', 'bin', 'verify.ts');
const folder = mkdtempSync(join(tmpdir(), 'wallet-verify-'));
const dataFile = join(folder, 'book.jsonl');
const engine = useEngine();
let books: TestBooks;
let bank: BankSimulator;
let history: History;

beforeAll(async () => {
  books = await newBooks(engine);
  bank = await startBankSimulator({ keys: () => [secret], latencyMs: 0, failureRate: 0, dataFile });
  history = await busyHistory(books.table);
  await books.follow();
  const client = openBank({ url: bank.url, keys: () => Promise.resolve([secret]) });
  for (const payment of history.paid) {
    const { outcome } = await client.submit({ ...payment, destination: { account: 'SIM-OK' } });
    assert.equal(outcome, 'accepted');
  }
});
afterAll(async () => {
  await bank.stop();
  books.close();
  rmSync(folder, { recursive: true });
});

interface Verdict {
  readonly code: number;
  readonly output: string;
}

function run(...args: string[]): Promise<Verdict> {
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { env: { ...env, BANK_SECRET: secret } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, output: stdout + stderr });
    });
  });
}

function verify(...more: string[]): Promise<Verdict> {
  const tables = ['--table', books.table.name, '--entries-table', books.entries.name, '--endpoint', engine.endpoint];
  return run(...tables, '--bank-url', bank.url, '--bank-id', bankId, '--stand-still', ...more);
}

describe('sound books', () => {
  it('are reported as sound, with progress, sums and exit code 0', async () => {
    const { code, output } = await verify();
    assert.equal(code, 0, output);
    assert.match(output, /The books are sound/);
    assert.match(
      output,
      /s, done: 8 of 8 segments, 14 transactions, 3 wallets, 24 entries, 2 payments, \d+ read units/,
    );
    assert.match(output, /^EUR: wallets \d+, external -14301, transit 5, sum 0$/m);
    assert.match(output, /^JPY: wallets 900, external -900, transit 0, sum 0$/m);
  });

  it('are compared only with the bank that received the payments', async () => {
    const { code, output } = await verify('--bank-id', 'new-bank');
    assert.equal(code, 1, output);
    assert.match(
      output,
      /payment_differs .*: this bank has paid 700 EUR, and the withdrawal went to bank bank.example.com/,
    );
    assert.match(output, /^Not compared: 2 withdrawals that went to bank bank.example.com$/m);
  });

  it('are reported as sound without the bank, and while they move', async () => {
    const tables = ['--table', books.table.name, '--entries-table', books.entries.name, '--endpoint', engine.endpoint];
    const { code, output } = await run(...tables);
    assert.equal(code, 0, output);
    assert.match(output, /without the bank/);
  });
});

describe('books that were tampered with', () => {
  /** Changes or removes (undefined) an item, verifies, and restores every item. */
  async function tamper(
    table: Table,
    changes: readonly [object, (item: Item) => Item | undefined][],
  ): Promise<Verdict> {
    const originals: [object, Item | undefined][] = [];
    for (const [key, change] of changes) {
      const original = await read(table, key);
      originals.push([key, original]);
      await replace(table, key, change(original ?? {}));
    }
    try {
      return await verify();
    } finally {
      for (const [key, original] of originals) await replace(table, key, original);
    }
  }

  function finds({ code, output }: Verdict, ...lines: RegExp[]): void {
    assert.equal(code, 1, output);
    for (const line of lines) assert.match(output, line);
    assert.match(output, /\d+ discrepancies: see docs\/runbook/);
  }

  it('by changing the amount of an entry', async () => {
    const change = (item: Item) => ({ ...item, changes: [{ account: 'available', amount: 9_999 }] });
    const verdict = await tamper(books.entries, [[entryKey(history.ann, 1), change]]);
    finds(verdict, new RegExp(`chain_broken ${history.ann}: the hash of entry 1 `));
  });

  it('by changing the amount of a transaction', async () => {
    const [{ reference }] = history.paid;
    const verdict = await tamper(books.table, [[transactionKey(reference), (item) => ({ ...item, amount: 701 })]]);
    finds(verdict, new RegExp(`transaction_invalid ${reference}: its postings are not those`));
  });

  it('by changing the amount of a transaction with all of its postings', async () => {
    const [{ reference }] = history.paid;
    const verdict = await tamper(books.table, [
      [
        transactionKey(reference),
        ({ postings, ...item }) => ({
          ...item,
          amount: 600,
          postings: (postings as { account: string; amount: number }[]).map(({ account, amount }) => ({
            account,
            amount: Math.sign(amount) * 600,
          })),
        }),
      ],
    ]);
    finds(
      verdict,
      new RegExp(`postings_differ ${history.ann}:`),
      new RegExp(`payment_differs ${reference}: the bank has paid 700 EUR, the withdrawal is 600 EUR`),
      /total_differs external:EUR/,
    );
  });

  it('by deleting an entry, in the middle or at the end', async () => {
    const gone = () => undefined;
    finds(
      await tamper(books.entries, [[entryKey(history.ann, 3), gone]]),
      new RegExp(`entry_missing ${history.ann}: entry 3 before entry 4`),
    );
    finds(
      await tamper(books.entries, [[entryKey(history.ann, 9), gone]]),
      new RegExp(`entry_missing ${history.ann}: version 9 .* has no entry, the last is 8`),
    );
  });

  it('by swapping two entries', async () => {
    const [fifth, sixth] = [entryKey(history.ann, 5), entryKey(history.ann, 6)];
    const [first, second] = [await read(books.entries, fifth), await read(books.entries, sixth)];
    const verdict = await tamper(books.entries, [
      [fifth, () => ({ ...second, ...fifth })],
      [sixth, () => ({ ...first, ...sixth })],
    ]);
    finds(verdict, new RegExp(`chain_broken ${history.ann}: the hash of entry 5 `));
  });

  it("by editing a wallet's balance", async () => {
    const verdict = await tamper(books.table, [
      [walletKey(history.ann), (item) => ({ ...item, available: 1_000_000, total: 1_000_000 })],
    ]);
    finds(verdict, new RegExp(`balance_differs ${history.ann}: version 9 has 1000000 available, its entry 7751`));
  });

  it('by editing the held money of a wallet', async () => {
    const verdict = await tamper(books.table, [[walletKey(history.ben), (item) => ({ ...item, held: 0 })]]);
    finds(verdict, new RegExp(`balance_differs ${history.ben}: it has \\d+ available, 0 held and \\d+ in total`));
  });

  it('by adding a transaction without postings', async () => {
    const [{ reference }] = history.paid;
    const added = transactionIdOf('mallory', 'key');
    const original = await read(books.table, transactionKey(reference));
    const verdict = await tamper(books.table, [
      [transactionKey(added), () => ({ ...original, ...transactionKey(added), transactionId: added, postings: [] })],
    ]);
    finds(verdict, new RegExp(`transaction_invalid ${added}: it has no postings`));
  });

  it('by removing a transaction', async () => {
    const [, { reference }] = history.paid;
    const verdict = await tamper(books.table, [[transactionKey(reference), () => undefined]]);
    finds(
      verdict,
      new RegExp(`postings_differ ${history.cid}:`),
      new RegExp(`payment_differs ${reference}: the bank has paid 250 JPY, and there is no such withdrawal`),
      /currency_unbalanced JPY/,
    );
  });

  it('by removing a wallet', async () => {
    const verdict = await tamper(books.table, [[walletKey(history.cid), () => undefined]]);
    finds(verdict, /currency_unbalanced JPY: wallets 0, external -900, transit 0: -900/);
  });

  it('by changing the total of an account', async () => {
    const key = totalKey('external:EUR', '2025-01-01T00', history.paid[0].reference);
    const verdict = await tamper(books.entries, [[key, () => ({ ...key, booked: 1 })]]);
    finds(verdict, /total_differs external:EUR: its total is -14300, its postings sum to -14301/);
  });

  it('by storing an item that cannot be parsed', async () => {
    const [{ reference }] = history.paid;
    const key = transactionKey(reference);
    finds(
      await tamper(books.table, [[key, ({ transactionId, ...item }) => item]]),
      new RegExp(`unreadable TX#${reference}: it has no id`),
    );
    finds(
      await tamper(books.table, [[key, (item) => ({ ...item, amount: 2n ** 53n + 1n })]]),
      new RegExp(`transaction_invalid ${reference}: its amount is 9007199254740993`),
    );
    finds(
      await tamper(books.table, [[walletKey(history.ann), (item) => ({ ...item, available: 2n ** 60n })]]),
      new RegExp(`balance_differs ${history.ann}`),
    );
    finds(
      await tamper(books.entries, [[entryKey(history.ann, 2), ({ changes, ...item }) => item]]),
      new RegExp(`chain_broken ${history.ann}: entry 2 cannot be read`),
    );
  });

  it('at the bank, by removing a payment, by paying twice, and by paying without a withdrawal', async () => {
    const [{ reference }, other] = history.paid;
    const lines = readFileSync(dataFile, 'utf8').split('\n');
    const restart = async (changed: readonly string[]) => {
      await bank.stop();
      writeFileSync(dataFile, changed.join('\n'));
      bank = await startBankSimulator({ keys: () => [secret], latencyMs: 0, failureRate: 0, dataFile });
    };
    const paid = lines.find((line) => line.includes('"paid"') && line.includes(reference));
    assert.ok(paid);
    await restart(lines.filter((line) => line !== paid));
    finds(await verify(), new RegExp(`payment_missing ${reference}: it is completed, and the bank knows no payment`));
    await restart([paid, ...lines].sort((a) => (a.includes('"submitted"') ? -1 : 1)));
    finds(await verify(), new RegExp(`payment_differs ${reference}: the bank has paid it 2 times`));
    const unknown = transactionIdOf('mallory', 'payment');
    await restart(lines.map((line) => line.replaceAll(other.reference, unknown)));
    finds(
      await verify(),
      new RegExp(`payment_differs ${unknown}: the bank has paid 250 JPY, and there is no such withdrawal`),
      new RegExp(`payment_missing ${other.reference}`),
    );
    await restart(lines);
    assert.equal((await verify()).code, 0);
  });
});

describe('a check that cannot be made', () => {
  it('names the table that cannot be read, and why', async () => {
    const [table, entries] = [books.table.name, books.entries.name];
    for (const [args, message] of [
      [['--table', 'gone', '--entries-table', entries], /^cannot read --table gone: ResourceNotFoundException: .*\n$/],
      [['--table', table, '--entries-table', 'gone'], /^cannot read --entries-table gone: ResourceNotFoundException: /],
    ] as const) {
      const { code, output } = await run(...args, '--endpoint', engine.endpoint);
      assert.equal(code, 2, output);
      assert.match(output, message);
    }
    const { output } = await run('--table', table, '--entries-table', entries, '--endpoint', 'http://127.0.0.1:1');
    assert.match(output, /^cannot read --table .*ECONNREFUSED.*\n$/);
  });

  it('reports neither sound nor broken books: exit code 2', async () => {
    for (const args of [
      [],
      ['--table', 'one'],
      ['--nonsense'],
      ['--table', 'none', '--entries-table', 'none', '--endpoint', engine.endpoint],
      ['--table', 'a', '--entries-table', 'b', '--segments', 'many'],
    ]) {
      const { code, output } = await run(...args);
      assert.equal(code, 2, output);
    }
  });
});

type Item = Record<string, unknown>;

async function read(table: Table, key: object): Promise<Item | undefined> {
  const { Item } = await table.client.send(
    new GetItemCommand({ TableName: table.name, Key: toItem(key), ConsistentRead: true }),
  );
  return Item && fromItem(Item);
}

async function replace(table: Table, key: object, item: Item | undefined): Promise<void> {
  if (item === undefined) {
    await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(key) }));
  } else {
    await table.client.send(new PutItemCommand({ TableName: table.name, Item: toItem(item) }));
  }
}
