/** A service on tables that its template does not create: copies of its own, as a restore from a backup makes them. */
import { BatchWriteItemCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, it } from '@jest/globals';
import { WalletStack } from '../../lib/wallet-stack.ts';
import type { WalletStackProps } from '../../lib/wallet-stack.ts';
import { accountId, region } from '../../local/cloudformation/account.ts';
import { ensureTable } from '../../local/dynamodb/dynamodb.ts';
import { tableSettings } from '../../local/dynamodb/service.ts';
import type { TableProperties } from '../../local/dynamodb/service.ts';
import { describeTables } from '../tables.ts';
import { startService, until, untilEnded } from './service.ts';
import type { Answer, Service } from './service.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'adopted-'));
afterAll(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

/** Starts the service on the data of the last one. */
function start(props: WalletStackProps): Promise<Service> {
  const stack = { bank: { id: 'simulator' }, ...props };
  return startService({ memory: false, dataDir, stack: (app) => new WalletStack(app, 'Wallet', stack) });
}

/** Copies a table of the running service to a new table, with its indexes and an empty stream. */
async function restore({ runner }: Service, from: string, to: string, properties: TableProperties): Promise<void> {
  const { endpoint, credentials } = runner.aws;
  await ensureTable(endpoint, region, tableSettings(to, properties));
  const client = new DynamoDBClient({ endpoint, region, credentials });
  const { Items = [], LastEvaluatedKey } = await client.send(new ScanCommand({ TableName: from }));
  assert.equal(LastEvaluatedKey, undefined, 'the table is small enough for one page');
  while (Items.length > 0) {
    const RequestItems = { [to]: Items.splice(0, 25).map((Item) => ({ PutRequest: { Item } })) };
    await client.send(new BatchWriteItemCommand({ RequestItems }));
  }
  client.destroy();
}

interface Balance {
  readonly available: number;
  readonly held: number;
}

const first = await start({});
const { ask, walletId, ownerId } = await first.newUser(1000);
/** Waits for the ledger of the wallet to have this many entries. Returns the totals, the newest first. */
async function totalsOf(sender: typeof ask, count: number): Promise<number[]> {
  const items = ({ body }: Answer) => body['items'] as { readonly balanceAfter: Balance }[];
  const answer = await until(
    () => sender(`/wallets/${walletId}/entries`),
    (each) => items(each).length >= count,
  );
  return items(answer).map(({ balanceAfter: { available, held } }) => available + held);
}
await totalsOf(ask, 2);
const { ledger, entries } = await describeTables();
const { TableName = '', EntriesTableName = '' } = first.runner.outputs;
await restore(first, TableName, 'restored-ledger', ledger);
await restore(first, EntriesTableName, 'restored-entries', entries);
await first.operator(`/wallets/${walletId}/charge`, { body: { amount: 500 } });
await first.runner.stop();

const arn = (name: string) => `arn:aws:dynamodb:${region}:${accountId}:table/${name}`;
const second = await start({
  ledgerTable: { tableArn: arn('restored-ledger'), streamArn: `${arn('restored-ledger')}/stream/local` },
  entriesTable: { tableArn: arn('restored-entries') },
});

it('a service goes on with the adopted tables, and knows nothing of its former ones', async () => {
  assert.equal(second.runner.outputs['TableName'], 'restored-ledger');
  const owner = await second.as(ownerId, 'wallet:read wallet:write');
  const balance = await owner(`/wallets/${walletId}/balance`);
  assert.equal(balance.body['available'], 1000, 'the charge after the backup is lost');
  const receiver = await second.newUser();
  await owner(`/wallets/${walletId}/transfer`, { body: { amount: 300, toWalletId: receiver.walletId } });
  const withdrawal = { amount: 200, destination: { account: 'SIM-OK' } };
  const { body } = await owner(`/wallets/${walletId}/withdraw`, { body: withdrawal });
  const ended = await untilEnded(owner, String(body['transactionId']));
  assert.equal(ended.body['status'], 'completed');
  assert.deepEqual(await totalsOf(owner, 5), [500, 700, 700, 1000, 0]);
});
