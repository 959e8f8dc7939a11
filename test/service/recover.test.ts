/** `npm run recover` and `npm run rebuild-ledger` as people start them: in processes of their own, against real tables. */
import {
  DeleteItemCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { openBank } from '../../lambdas/bank/client.ts';
import { entryKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { startBankSimulator } from '../../local/bank/bank-simulator.ts';
import type { BankSimulator } from '../../local/bank/bank-simulator.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { epoch } from '../engine.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { charge, withdraw } from '../store/commands.ts';
import { settle } from '../store/histories.ts';
import { bankId } from '../store/visits.ts';
import { fundedWallet } from '../store/wallets.ts';

const secret = 'the key that both sides know';
const engine = useEngine();
let bank: BankSimulator;

beforeAll(async () => {
  bank = await startBankSimulator({ keys: () => [secret], latencyMs: 0, failureRate: 0 });
});
afterAll(() => bank.stop());

interface Verdict {
  readonly code: number;
  readonly output: string;
}

function run(script: 'recover' | 'rebuild-ledger', ...args: readonly string[]): Promise<Verdict> {
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...env } = process.env;
  const path = join(import.meta.dirname, '..', '..', 'bin', `${script}.ts`);
  return new Promise((resolve) => {
    execFile(process.execPath, [path, ...args], { env: { ...env, BANK_SECRET: secret } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

function tablesOf({ table, entries }: TestBooks): string[] {
  return ['--table', table.name, '--entries-table', entries.name, '--endpoint', engine.endpoint];
}

const restoredTo = new Date(epoch + 60_000).toISOString();
const ofBank = () => ['--bank-url', bank.url, '--bank-id', bankId];

/** Loses what happened after the restored moment, but for a withdrawal's hold: its transaction is torn. */
async function lossOf(books: TestBooks) {
  const { table } = books;
  const ann = await fundedWallet(table, 'ann', 1_000);
  const before = await read(table, walletKey(ann));
  const { transaction: open } = await withdraw(table, ann, {
    owner: 'ann',
    amount: 300,
    destination: { account: 'SIM-OK' },
  });
  const torn = await read(table, transactionKey(open.transactionId));
  table.clock.now = epoch + 90_000;
  await settle(table, open.transactionId);
  const { transaction: published } = await charge(table, ann, { amount: 70 });
  const { transaction: lost } = await charge(table, ann, { amount: 5 });
  const records = await books.takeRecords();
  for (let start = 0; start < records.length; start += 100) await books.hand(records.slice(start, start + 100));
  const client = openBank({ url: bank.url, keys: () => Promise.resolve([secret]) });
  const { transactionId: reference, amount, currency } = open;
  await client.submit({ reference, amount, currency, destination: { account: 'SIM-OK' } });
  const events = [...eventsIn(records).values()].filter(
    (event) => 'transaction' in event && event.transaction.transactionId === published.transactionId,
  );
  await put(table, before);
  await put(table, torn);
  for (const { transactionId } of [published, lost]) await remove(table, transactionKey(transactionId));
  return { ann, open, published, lost, events };
}

describe('npm run recover', () => {
  it('mends a torn wallet, puts back what the archive has, completes what the bank has paid, and names the rest', async () => {
    const books = await newBooks(engine);
    afterTest(books.close);
    const { ann, open, published, lost, events } = await lossOf(books);
    const folder = mkdtempSync(join(tmpdir(), 'wallet-recover-'));
    afterTest(() => {
      rmSync(folder, { recursive: true });
    });
    mkdirSync(join(folder, 'events', 'day=2026-03-01'), { recursive: true });
    const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    writeFileSync(join(folder, 'events', 'day=2026-03-01', 'one.gz'), gzipSync(lines));
    await books.table.client.send(
      new UpdateTableCommand({ TableName: books.table.name, StreamSpecification: { StreamEnabled: false } }),
    );
    const args = [...tablesOf(books), ...ofBank(), '--restored-to', restoredTo, '--events', folder];

    const dry = await run('recover', ...args, '--dry-run');
    assert.equal(dry.code, 1, dry.output);
    assert.match(
      dry.output,
      new RegExp(`REPAIR transaction ${published.transactionId}: put back: a completed charge of 70 EUR`),
    );
    const first = await run('recover', ...args, '--stopped');
    assert.equal(first.code, 1, first.output);
    assert.match(
      first.output,
      new RegExp(
        `REPAIR wallet ${ann}: was active, 1000 available, 0 held, version 1; is active, 770 available, 300 held`,
      ),
    );
    assert.match(
      first.output,
      new RegExp(`REPAIR withdrawal ${open.transactionId}: review in the table, and paid by the bank: completed`),
    );
    assert.match(first.output, new RegExp(`DIFFERENCE transaction_forgotten ${lost.transactionId}: it has no record`));
    assert.match(first.output, /the stream with new and old images is off: set/);
    assert.match(first.output, /The books are sound\.\n1 differences are left/);
    const { Table } = await books.table.client.send(new DescribeTableCommand({ TableName: books.table.name }));
    assert.equal(Table?.StreamSpecification?.StreamViewType, 'NEW_AND_OLD_IMAGES');
    const again = await run('recover', ...args, '--stopped');
    assert.doesNotMatch(again.output, /REPAIR/);
  });

  it('needs to know that the service is stopped, and the restored moment: exit code 2', async () => {
    const names = ['--table', 'one', '--entries-table', 'two', '--endpoint', engine.endpoint];
    for (const [args, message] of [
      [[...names, '--stopped'], /--restored-to must be a time/],
      [[...names, '--restored-to', restoredTo], /stop the service, and say so with --stopped/],
      [[...names, '--restored-to', restoredTo, '--stopped'], /cannot read --table one/],
    ] as const) {
      const { code, output } = await run('recover', ...args);
      assert.equal(code, 2, output);
      assert.match(output, message);
    }
  });
});

describe('npm run rebuild-ledger', () => {
  it('writes the entries behind a break again, and leaves a whole ledger alone', async () => {
    const books = await newBooks(engine);
    afterTest(books.close);
    const walletId = await fundedWallet(books.table, 'ben', 100);
    for (const amount of [1, 2, 3]) await charge(books.table, walletId, { amount });
    await books.follow();
    await remove(books.entries, entryKey(walletId, 2));
    const args = [...tablesOf(books), '--wallet', walletId];
    const { code, output } = await run('rebuild-ledger', ...args);
    assert.equal(code, 0, output);
    assert.match(output, /2 entries behind a break of the chain are made again\n.*3 entries added, up to version 4/);
    assert.match((await run('rebuild-ledger', ...args)).output, /is whole/);
  });
});

type Stored = Record<string, never>;

async function read(table: Table, key: object): Promise<Stored> {
  const { Item } = await table.client.send(
    new GetItemCommand({ TableName: table.name, Key: toItem(key), ConsistentRead: true }),
  );
  assert.ok(Item);
  return Item as Stored;
}

async function put(table: Table, item: Stored): Promise<void> {
  await table.client.send(new PutItemCommand({ TableName: table.name, Item: item }));
}

async function remove(table: Table, key: object): Promise<void> {
  await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(key) }));
}
