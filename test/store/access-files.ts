/** Webhooks, files of statements and files of a bank, on each path that reads or writes another item. */
import assert from 'node:assert/strict';
import type { SQSRecord } from 'aws-lambda';
import { createStatementFile, getStatementFileRoute } from '../../lambdas/api/statement-files.ts';
import { webhookHandlers } from '../../lambdas/api/webhook-routes.ts';
import { transactionIdOfStatement } from '../../lambdas/domain/ids.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { askAgainMs } from '../../lambdas/domain/statement-file.ts';
import { compareArrival } from '../../lambdas/workers/bank-files.ts';
import { writeStatement } from '../../lambdas/workers/statement-writer.ts';
import { camt, piecesOf } from '../bank-files.ts';
import { newBooks } from '../books.ts';
import { newStatementTable, newWebhookTable } from '../engine.ts';
import { afterTest } from '../fixture.ts';
import { endUser, operator, send } from '../request.ts';
import type { Request } from '../request.ts';
import { keepingBus, publisherTo } from '../simulation/consumers.ts';
import { charge, newKey } from './commands.ts';
import { bankId } from './visits.ts';
import { fundedWallet } from './wallets.ts';
import { MemoryFiles } from './statement-file-scenes.ts';
import { steps } from './statement-scenes.ts';
import { funded, newWorker, serviceKey } from './webhook-scenes.ts';
import type { RecordedService } from './access-recorder.ts';

/** Compares a bank's file of one line that differs, so that the transaction is read again. */
export async function compareBankFile({ table, as, ask, visit }: RecordedService): Promise<void> {
  const { walletId } = await ask('create-wallet', { as: operator, body: { currency: 'EUR', ownerId: 'cleo' } });
  await ask('charge', { as: operator, path: { walletId: walletId! }, body: { amount: 9 } });
  const body = { amount: 3, destination: { account: 'SIM-OK' } };
  const { transactionId } = await ask('withdraw', { as: operator, path: { walletId: walletId! }, body });
  await visit(transactionId!, { outcome: 'accepted' });
  const content = camt([{ reference: transactionId!, amount: 2 }]);
  const objects = {
    get: (key: string) =>
      Promise.resolve(key === 'incoming/a.xml' ? { size: content.length, content: piecesOf(content) } : undefined),
    add: () => Promise.resolve(true),
  };
  const bus = keepingBus();
  const services = {
    ...{ table, objects, publisher: publisherTo((entries) => bus.put(entries)) },
    ...{ queue: { delay: () => Promise.resolve() }, options: { bankId, days: 5, charges: false } },
  };
  const object = { key: 'incoming/a.xml', size: content.length, etag: 'e1' };
  const message = { messageId: '1', body: JSON.stringify({ detail: { object } }) } as SQSRecord;
  await as('bank-files', () => compareArrival(services, message, () => 900_000));
}

/** Uses every route of webhooks, and the worker on each path that reads or writes another item. */
export async function useWebhooks({ engine, watch, as }: RecordedService): Promise<void> {
  const webhooks = await newWebhookTable(engine);
  watch(webhooks);
  const keys = () => Promise.resolve([serviceKey] as const);
  const queue = { send: () => Promise.resolve() };
  const handlers = webhookHandlers({ table: webhooks, keys, targets: 'loopback', queue });
  const use = async (name: keyof typeof handlers, request: Request) => {
    const sent = { as: operator, key: newKey(), ...request };
    const { status, body } = await as('webhook-routes', () => send(name, handlers[name], sent));
    assert.ok(status < 300, `${name}: ${status} ${JSON.stringify(body)}`);
    return String(body?.['webhookId']);
  };
  const webhookId = await use('create-webhook', {
    body: { url: 'http://127.0.0.1:9/', eventTypes: ['wallet.funded'] },
  });
  const path = { webhookId };
  await use('list-webhooks', {});
  await use('get-webhook', { path });
  await use('rotate-webhook-secret', { path });
  await use('ping-webhook', { path });
  await use('replay-webhook', { path, body: { from: '2026-01-01T00:00:00Z' } });
  await use('list-webhook-deliveries', { path });
  const worker = newWorker(webhooks, { fixed: [{ url: 'http://127.0.0.1:10/', eventTypes: ['wallet.closed'] }] });
  await as('webhooks', () => worker.take(funded(webhooks)));
  await as('webhooks', () => worker.wait(60_000));
  for (const status of ['disabled', 'deleted']) await use('put-webhook', { path, body: { status } });
}

/** Asks for a file, looks at it when its message counts as lost, and makes it in two turns. */
export async function useStatementFiles({ engine, watch, as }: RecordedService): Promise<void> {
  const books = await newBooks(engine);
  afterTest(books.close);
  const statements = await newStatementTable(engine);
  for (const table of [books.table, books.entries, statements]) watch(table);
  const [walletId, ben, cid] = [
    await fundedWallet(books.table, 'ann', 1_000),
    await fundedWallet(books.table, 'ben', 1_000),
    await fundedWallet(books.table, 'cid', 1_000),
  ];
  // More entries than one page of a search, and transactions that share one.
  for (let n = 0; n < 25; n++) await charge(books.table, walletId, { amount: 1 });
  await steps.sendTogether(books, { ann: walletId, ben, cid }, 3);
  await steps.arriveTogether(books, { ann: walletId, ben, cid }, 3);
  const queue = { send: () => Promise.resolve() };
  const limits = openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 9 });
  const services = {
    ...books,
    statements,
    files: new MemoryFiles(),
    queue,
    limits: { ...limits, isKeyUsed: undefined },
  };
  await books.follow();
  const to = new Date((books.table.clock.now += 1)).toISOString();
  const [create, get] = [serve(createStatementFile, services), serve(getStatementFileRoute, services)];
  const body = { from: '2026-01-01T00:00:00Z', to, format: 'csv' };
  const sent = { as: endUser('ann'), key: newKey(), path: { walletId }, body };
  const asked = await as('statement-files', () => send('create-statement-file', create, sent));
  const statementId = String(asked.body?.['statementId']);
  statements.clock.now = books.table.clock.now + askAgainMs;
  const look = { as: endUser('ann'), path: { statementId } };
  await as('statement-files', () => send('get-statement-file', get, look));
  const slow = { ...books.table, now: () => (books.table.clock.now += 40_000) };
  const writer = { ...services, table: slow, partBytes: 1, entriesAtATime: 15 };
  const write = () => as('statement-writer', () => writeStatement(writer, transactionIdOfStatement(statementId)));
  for (let turn = 0; turn < 3; turn++) await write();
  const { body: made } = await send('get-statement-file', get, look);
  assert.equal(made?.['status'], 'ready');
}
