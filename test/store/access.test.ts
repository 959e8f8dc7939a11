/**
 * Compares the calls of each function to the tables with the grants of its role. Every function runs here against a
 * real engine. The calls are recorded from the wire, and the grants come from the template.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { APIGatewayRequestAuthorizerEvent, SQSRecord } from 'aws-lambda';
import { authorize, openHoldToIssuer } from '../../lambdas/api/authorizer.ts';
import { createStatementFile, getStatementFileRoute } from '../../lambdas/api/statement-files.ts';
import {
  createWebhookRoute,
  getWebhookRoute,
  listWebhookDeliveriesRoute,
  listWebhooksRoute,
  pingWebhookRoute,
  putWebhookRoute,
  replayWebhookRoute,
  rotateWebhookSecretRoute,
} from '../../lambdas/api/webhook-routes.ts';
import type { BankClient, SubmitOutcome } from '../../lambdas/bank/client.ts';
import { sign } from '../../lambdas/bank/signature.ts';
import { transactionIdOfBatch, transactionIdOfStatement, walletIdOf } from '../../lambdas/domain/ids.ts';
import { environments, nameOfRoute, notifiedEvents, routes, screenedEvents } from '../../lambdas/contract.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import type { GuardedCommand } from '../../lambdas/domain/approval.ts';
import type { EventOf, ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { askAgainMs } from '../../lambdas/domain/statement-file.ts';
import { Heads } from '../../lambdas/store/heads.ts';
import { batchKey } from '../../lambdas/store/keys.ts';
import { putBreaker } from '../../lambdas/store/breaker.ts';
import { compareArrival } from '../../lambdas/workers/bank-files.ts';
import { screen } from '../../lambdas/workers/fraud.ts';
import { runCheck } from '../../lambdas/workers/integrity-job.ts';
import { notifyOwners } from '../../lambdas/workers/notifier.ts';
import { project } from '../../lambdas/workers/projector.ts';
import { advanceBatch } from '../../lambdas/workers/batches.ts';
import type { BatchServices } from '../../lambdas/workers/batches.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { writeStatement } from '../../lambdas/workers/statement-writer.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { camt, piecesOf } from '../bank-files.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { newSentTable, newStatementTable, newWebhookTable } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { answer } from '../faults.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { endUser, issuer, operator, send } from '../request.ts';
import type { Request } from '../request.ts';
import { eventsIn, keepingBus, publisherTo } from '../simulation/consumers.ts';
import { synthesize } from '../stack/synthesized.ts';
import { accessOf } from '../stack/table-access.ts';
import { accessesOf } from './accesses.ts';
import { fourEyes as guarded, openRoutes } from './every-route.ts';
import type { Routes } from './every-route.ts';
import { transferLine, withdrawalLine } from './batch-commands.ts';
import { charge, newKey, timeOf } from './commands.ts';
import { changeItem } from './inspect.ts';
import { bankId } from './visits.ts';
import { fundedWallet } from './wallets.ts';
import { MemoryFiles } from './statement-file-scenes.ts';
import { steps } from './statement-scenes.ts';
import { funded, newWorker, serviceKey } from './webhook-scenes.ts';

const running = new AsyncLocalStorage<FunctionName>();
/** The `<action> <item type>` of each call, by function. */
const seen = new Map<FunctionName, Set<string>>();

const engine = useEngine();
let books: TestBooks;
let table: TestTable;

beforeAll(async () => {
  books = await newBooks(engine);
  ({ table } = books);
  for (const each of [table, books.entries]) watch(each);
});
afterAll(() => {
  books.close();
});

function watch(watched: TestTable): void {
  watched.fault = (call, perform) => {
    const name = running.getStore();
    if (name !== undefined) {
      const known = seen.get(name) ?? new Set();
      seen.set(name, known);
      for (const access of accessesOf(call)) known.add(access);
    }
    return perform();
  };
}

const as = <T>(name: FunctionName, work: () => Promise<T>): Promise<T> => running.run(name, work);
const ann = endUser('ann');
const bea = endUser('bea');
const bankKey = 'key of the bank';
const noDepth = () => Promise.resolve(0);

const limitedCommands: ReadonlySet<string> = new Set([
  ...(['create-wallet', 'change-wallet', 'withdraw', 'transfer', 'cancel'] as const),
  ...(['open-hold', 'capture', 'release', 'refund', 'split', 'open-standing-order', 'cancel-standing-order'] as const),
]);

/** Sends a request to its function. Fails unless it succeeds. */
async function ask(name: keyof Routes, request: Request) {
  const handler = openRoutes(table, books.entries, bankKey)[name];
  const served = routes.find((route) => nameOfRoute(route) === name)!.function;
  const asked = { key: newKey(), ...request };
  const { status, body } = await as(served, () => send(name, handler, asked));
  // After a repetition the limits put reads before the write.
  const repetitions = limitedCommands.has(name) ? 2 : 0;
  for (let times = 0; times < repetitions; times++) await as(served, () => send(name, handler, asked));
  assert.ok(status < 300, `${name}: ${status} ${JSON.stringify(body)}`);
  return body as Readonly<Record<string, string>>;
}

/**
 * Sends a command that needs a second operator. One operator rejects it, and it is asked for again and approved. Returns the id
 * of the record that the command got.
 */
async function askAndApprove(name: GuardedCommand, request: Request): Promise<string> {
  let recorded = '';
  const [asker, second] = ['operator-2', 'operator-3'].map((principal) => ({ ...operator, principal }));
  for (const [end, body] of [
    ['reject', { reason: 'no' }],
    ['approve', {}],
  ] as const) {
    const key = newKey();
    const { approvalId, transactionId = '' } = await ask(name, { as: asker, key, ...request });
    recorded = transactionId;
    const path = { approvalId: approvalId! };
    await ask('get-approval', { as: second, path });
    await ask(end, { as: second, path, body });
    // The repetition finds the record of the command, or the end of its approval.
    await ask(name, { as: asker, key, ...request });
  }
  return recorded;
}

function visit(transactionId: string, outcome: Exclude<SubmitOutcome, { outcome: 'not_accepted' }>, maxAttempts = 20) {
  const bank: BankClient = {
    submit: () => Promise.resolve(outcome),
    find: () => Promise.resolve(outcome),
    statement: () => Promise.reject(new Error('the worker reads no statement')),
    isDown: () => false,
  };
  const policy = { maxAttempts, notFoundWindowMs: 2_000 };
  return as('withdrawals', () => advanceWithdrawal(transactionId, { table, bank, bankId, policy }));
}

async function notify(body: object) {
  const text = JSON.stringify(body);
  const signed = { method: 'POST', path: '/bank/notifications', body: text };
  const headers = sign(signed, bankKey, Math.floor(table.now() / 1000));
  return ask('bank-notifications', { body: text, headers: { ...headers, 'Content-Type': 'application/json' } });
}

async function comeIn(): Promise<void> {
  const handler = authorize(() => Promise.resolve({ ...ann, issuer }), openHoldToIssuer(table));
  const event = { methodArn: 'arn/stage/GET/wallets', requestContext: { identity: { sourceIp: '192.0.2.1' } } };
  await as('authorizer', () => handler(event as unknown as APIGatewayRequestAuthorizerEvent));
}

/** Uses every route and worker on each path that reads or writes another item. */
async function useTheService(): Promise<void> {
  await comeIn();
  const named = { currency: 'EUR', name: 'Main' };
  const open = (caller: typeof ann) => ask('create-wallet', { as: caller, body: named });
  const key = newKey();
  for (let times = 0; times < 2; times++) await ask('create-wallet', { as: ann, key, body: named });
  const [{ walletId: mine }, { walletId: shop }, { walletId: empty }] = [
    await open(ann),
    await open(operator),
    await open(operator),
  ];
  const path = { walletId: mine! };
  const invoice = { externalReference: 'invoice-1', uniqueReference: true };
  await ask('charge', { as: operator, path, body: { amount: 100_000, ...invoice } });
  let references = 0;
  const unique = () => ({ externalReference: `order-${++references}`, uniqueReference: true });
  const payOut = async (Prefer?: string) => {
    const body = { amount: 100, destination: { account: 'DE02120300000000202051' }, ...unique() };
    const headers = Prefer === undefined ? {} : { Prefer };
    const { transactionId } = await ask('withdraw', { as: ann, path, body, headers });
    return transactionId!;
  };
  const pay = (headers: Record<string, string>) =>
    ask('transfer', { as: ann, path, body: { amount: 100, toWalletId: shop, ...unique() }, headers });

  await visit(await payOut('wait=1'), { outcome: 'accepted' });
  await visit(await payOut(), { outcome: 'rejected', code: 'account_closed', message: 'The account is closed' });
  const inReview = await payOut();
  await visit(inReview, { outcome: 'unknown', reason: 'time-out' }, 1);
  await visit(inReview, { outcome: 'accepted' });
  await askAndApprove('resolve', {
    path: { transactionId: inReview },
    body: { outcome: 'failed', evidence: 'Statement of March, line 12' },
  });
  const large = { amount: 2_000_000, externalReference: 'invoice-2', uniqueReference: true };
  const charged = await askAndApprove('charge', { path, body: large });
  const mistaken = { amount: 1_500_000, reason: 'booked twice' };
  await askAndApprove('refund', { path: { transactionId: charged }, body: mistaken });
  await ask('list-approvals', { as: operator });
  const returned = { reference: await payOut(), status: 'returned', amount: 100, currency: 'EUR' };
  for (let times = 0; times < 2; times++) await notify(returned);
  // If the caller did not ask for the withdrawal, the owner of the wallet decides. A replay is counted as a read.
  const { transactionId: byOperator } = await ask('withdraw', {
    as: operator,
    path,
    body: { amount: 100, destination: { account: 'DE02120300000000202051' } },
  });
  const cancelKey = newKey();
  for (let times = 0; times < 2; times++) {
    await ask('cancel', { as: ann, key: cancelKey, path: { transactionId: byOperator! }, body: {} });
  }
  // The bank's notification settles the withdrawal during the visit of the worker, which then reads its end.
  const taken = await payOut();
  await as('withdrawals', () =>
    advanceWithdrawal(taken, {
      table,
      policy: { maxAttempts: 20, notFoundWindowMs: 2_000 },
      bank: {
        async submit() {
          await running.exit(() => notify({ ...returned, reference: taken, status: 'paid' }));
          return { outcome: 'accepted' };
        },
        find: () => Promise.reject(new Error('nothing was submitted before')),
        isDown: () => false,
      },
      bankId,
    }),
  );
  await as('withdrawals', () => putBreaker(table, { state: 'open', since: timeOf(table) }));

  await pay({});
  const queued = [await pay({ Prefer: 'respond-async' }), await pay({ Prefer: 'respond-async, wait=1' })];
  await as('transfers', () =>
    endTransfers(
      queued.map(({ transactionId }) => transactionId!),
      table,
    ),
  );
  const leg = (fromWalletId: string | undefined, toWalletId: string | undefined) => {
    return { fromWalletId, toWalletId, amount: 10, ...unique() };
  };
  await ask('split', { as: ann, body: { legs: [leg(mine, shop)] } });
  const { walletId: between } = await open(operator);
  await ask('split', { as: operator, body: { legs: [leg(mine, between), leg(between, shop), leg(mine, shop)] } });
  await ask('freeze', { as: operator, path: { walletId: shop! }, body: {} });
  const { transactionId: stuck } = await pay({ Prefer: 'respond-async' });
  await as('transfers', () => endTransfers([stuck!], table));
  await askAndApprove('unfreeze', { path: { walletId: shop! }, body: {} });
  await ask('close', { as: operator, path: { walletId: empty! }, body: {} });
  const refused = { as: operator, key: newKey(), path, body: {} };
  await as('close', () => send('close', openRoutes(table, books.entries, bankKey).close, refused));
  const limits = { reason: 'new customer', tier: 'basic' };
  await ask('set-limits', { as: operator, path: { walletId: mine! }, body: limits });
  await askAndApprove('set-limits', { path: { walletId: mine! }, body: { reason: 'known customer', limits: {} } });

  const { walletId: stall } = await ask('create-wallet', { as: bea, body: { currency: 'EUR' } });
  for (const name of ['Stall', 'Market stall']) {
    await ask('change-wallet', { as: bea, path: { walletId: stall! }, body: { name } });
  }
  for (const alias of ['bea', 'bea.stall', null, 'bea.stall']) {
    await ask('change-wallet', { as: bea, path: { walletId: stall! }, body: { alias } });
  }
  // After a refusal, plain reads decide before a write.
  const claiming = openRoutes(table, books.entries, bankKey)['change-wallet'];
  for (const alias of ['support', 'bea.market']) {
    const claim = { as: bea, path: { walletId: stall! }, key: newKey(), body: { alias } };
    await as('change-wallet', () => send('change-wallet', claiming, claim));
  }
  const byAlias = { amount: 100, to: '@bea.market' };
  await ask('transfer', { as: ann, path, body: byAlias });
  await ask('open-hold', { as: ann, path, body: { ...byAlias, expiresAt: timeOf(table, 600_000) } });
  await ask('open-standing-order', {
    ...{ as: ann, path },
    body: { ...byAlias, every: 'month', firstAt: timeOf(table, 864_000_000) },
  });
  const promise = async () => {
    const body = { amount: 100, toWalletId: stall, expiresAt: timeOf(table, 600_000), ...unique() };
    const { transactionId = '' } = await ask('open-hold', { as: ann, path, body });
    return { transactionId };
  };
  const captured = await promise();
  const { transactionId: sold } = await ask('capture', { as: bea, path: captured, body: { amount: 40, ...unique() } });
  await ask('refund', { as: bea, path: { transactionId: sold! }, body: { amount: 10, reason: 'broken', ...unique() } });
  await ask('release', { as: bea, path: captured, body: { reason: 'sold out' } });
  await promise();

  const channels = { email: true, sms: true, push: false };
  await ask('put-notification-preferences', { as: ann, body: { channels, mutedEvents: [] } });
  await ask('get-notification-preferences', { as: ann });

  await pay({ Prefer: 'respond-async' });
  await payOut();
  const batchId = await payTogether({ payer: mine!, receiver: shop! });
  const standingOrderId = await orderPayments(mine!, shop!);
  table.clock.now += 3_600_000;
  const swept = { send: () => Promise.resolve([]), depth: noDepth };
  await as('sweeper', () => sweep({ table, withdrawals: swept, transfers: swept, batches: swept }));
  await as('batches', () => advanceBatch(transactionIdOfBatch(batchId), batchWorker(1)));
  // As a restore to a torn state leaves it.
  await changeItem(table, batchKey(batchId), { nextChunk: 0, accepted: 0, refused: 0 });
  await as('batches', () => advanceBatch(transactionIdOfBatch(batchId), batchWorker(0)));
  await ask('cancel-standing-order', { as: ann, path: { standingOrderId }, body: {} });
}

const batchWorker = (depth: number): BatchServices => {
  const queue = { sendAll: () => Promise.resolve([]), depth: () => Promise.resolve(depth) };
  return {
    table,
    queues: { transfer: queue, withdrawal: queue },
    again: { send: () => Promise.resolve() },
    mostWaiting: 0,
  };
};

/** Sends a batch whose lines are accepted, refused and left, makes it, and looks at it. Returns its id, still open. */
async function payTogether({ payer, receiver }: { payer: string; receiver: string }): Promise<string> {
  const { walletId: busy } = await ask('create-wallet', { as: bea, body: { currency: 'EUR' } });
  const lines = [
    { ...transferLine('a', payer, receiver, 1), externalReference: 'salary-1', uniqueReference: true },
    withdrawalLine('b', payer, 1),
    transferLine('c', payer, receiver, 1_000_000_000),
    transferLine('d', busy!, receiver, 1),
  ];
  const sent = { as: operator, key: newKey(), body: lines.map((line) => JSON.stringify(line)).join('\n') };
  const { batchId } = await ask('create-batch', sent);
  await ask('create-batch', sent);
  const work = () => as('batches', () => advanceBatch(transactionIdOfBatch(batchId!), batchWorker(0)));
  const record = table.fault;
  table.fault = (call, perform) =>
    call.operation === 'TransactWriteItems' && JSON.stringify(call.input).includes(`WALLET#${busy!}"`)
      ? answer('ProvisionedThroughputExceededException')(call, perform)
      : record!(call, perform);
  await assert.rejects(work(), { code: 'busy' });
  table.fault = record;
  await ask('get-batch', { as: operator, path: { batchId: batchId! } });
  await ask('list-batch-items', { as: operator, path: { batchId: batchId! } });
  return batchId!;
}

/** Opens a standing order, whose first payment the sweeper makes, and returns its id. */
async function orderPayments(walletId: string, toWalletId: string): Promise<string> {
  const body = { amount: 1, toWalletId, every: 'week', firstAt: timeOf(table, 7_200_000) };
  const { standingOrderId } = await ask('open-standing-order', { as: ann, path: { walletId }, body });
  await ask('list-standing-orders', { as: ann, path: { walletId } });
  await ask('get-standing-order', { as: ann, path: { standingOrderId: standingOrderId! } });
  return standingOrderId!;
}

async function followTheStream(): Promise<void> {
  const records = await books.takeRecords();
  const setAside = { send: () => Promise.reject(new Error('no record is set aside')) };
  const heads = new Heads();
  await as('projector', () => project(records, { entries: books.entries, setAside, heads }));
  await as('projector', () => project(records, { entries: books.entries, setAside, heads }));

  const events = [...eventsIn(records).values()];
  const of = <T extends ServiceEvent['type']>(types: readonly T[]) =>
    events
      .filter((event): event is EventOf<T> => (types as readonly string[]).includes(event.type))
      .map((event) => ({ envelopeId: event.eventId, event }));
  const activity = await engine.newTable();
  watch(activity);
  const bus = keepingBus();
  const window = { count: 1, amount: 1 };
  const policy = {
    outgoingPerMinute: window,
    outgoingPerHour: window,
    outgoingPerDay: window,
    inAndOut: { minutes: 1, amount: 1 },
    newDestination: { amount: 1 },
  };
  const publisher = publisherTo((entries) => bus.put(entries));
  const failed = await as('fraud', () =>
    screen(of(screenedEvents), { table, activity, publisher, policy, freezeOnSuspicion: true }, 20_000),
  );
  assert.equal(failed.size, 0);

  const sent = engine.openTable(await newSentTable(engine));
  watch(sent);
  const notify = () => Promise.resolve();
  const failures = await as('notifier', () => notifyOwners(of(notifiedEvents), { table, sent, notify }));
  assert.equal(failures.size, 0);
  // The screening has frozen wallets.
  const later = await books.takeRecords();
  await as('projector', () => project(later, { entries: books.entries, setAside, heads: new Heads() }));
}

async function collectFees(): Promise<void> {
  const walletId = await fundedWallet(table, 'ann', 100);
  await charge(table, walletId, { amount: 100, fee: 1 });
  await as('projector', () => books.follow());
  table.clock.now = books.entries.clock.now = table.clock.now + 2 * 3_600_000;
  const swept = { send: () => Promise.resolve([]), depth: noDepth };
  const fees = { entries: books.entries, revenueWallets: { EUR: walletId } };
  await as('sweeper', () => sweep({ table, withdrawals: swept, transfers: swept, fees }));
}

async function readTheBooks(): Promise<void> {
  const { items } = (await ask('list-wallets', { as: ann })) as unknown as { items: { walletId: string }[] };
  const path = { walletId: items[0]!.walletId };
  await ask('get-wallet', { as: ann, path });
  await ask('find-transactions', { as: ann });
  await ask('find-transactions', { as: operator, query: { externalReference: 'invoice-1' } });
  await ask('find-transactions', { as: operator, query: { status: 'review' } });
  await ask('get-balance', { as: ann, path });
  await ask('get-balance', { as: ann, path, query: { at: timeOf(table, -1_000) } });
  await ask('list-entries', { as: ann, path });
  for (const { walletId } of items) {
    const { items: history } = (await ask('list-transactions', { as: ann, path: { walletId } })) as unknown as {
      items: { transactionId: string; receiptCode: string }[];
    };
    for (const { transactionId, receiptCode } of history) {
      await ask('get-transaction', { as: ann, path: { transactionId } });
      await ask('get-receipt', { as: ann, path: { receiptCode } });
    }
  }
  await ask('health', { headers: { Authorization: 'Bearer token' } });
  await collectFees();
  const from = '2026-01-01T00:00:00Z';
  for (const { walletId } of items) await ask('get-statement', { as: ann, path: { walletId }, query: { from } });
  const firstPage = await ask('get-statement', { as: ann, path, query: { from, limit: '1' } });
  const rest = { from, limit: '1', cursor: firstPage['nextCursor']! };
  await ask('get-statement', { as: ann, path, query: rest });
  await ask('get-totals', { as: ann, query: { month: '2026-03' } });

  // The check looks twice at a wallet that its ledger does not show yet.
  const { walletId: behind } = await ask('create-wallet', { as: operator, body: { currency: 'EUR' } });
  await ask('charge', { as: operator, path: { walletId: behind! }, body: { amount: 1 } });
  const bus = keepingBus();
  const publisher = publisherTo((entries) => bus.put(entries));
  const paidAt = timeOf(table, -1_000);
  const payment = { reference: `tx_${'a'.repeat(26)}`, amount: 100, currency: 'EUR', paidAt };
  const statement = {
    bankId,
    statement: () => Promise.resolve({ outcome: 'page', items: [payment], next: undefined } as const),
    find: () => Promise.resolve({ outcome: 'not_found' } as const),
  };
  const checked = { table, entries: books.entries, statement };
  for (let run = 0; run < 4; run++) {
    await as('integrity-job', () => runCheck({ books: checked, publisher, passEveryMs: 0 }));
    table.clock.now = books.entries.clock.now += 3_600_000;
    // In the first hour that is wholly in the journal.
    if (run > 0) continue;
    await ask('charge', { as: operator, path: { walletId: behind! }, body: { amount: 1 } });
    await as('projector', () => books.follow());
  }
  await ask('integrity', { as: operator });
}

/** Compares a bank's file of one line that differs, so that the transaction is read again. */
async function compareBankFile(): Promise<void> {
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
async function useWebhooks(): Promise<void> {
  const webhooks = await newWebhookTable(engine);
  watch(webhooks);
  const keys = () => Promise.resolve([serviceKey] as const);
  const queue = { send: () => Promise.resolve() };
  const services = { table: webhooks, keys, targets: 'loopback', queue } as const;
  const use = async (name: keyof typeof webhookRoutes, request: Request) => {
    const handler = serve(webhookRoutes[name], services);
    const sent = { as: operator, key: newKey(), ...request };
    const { status, body } = await as('webhook-routes', () => send(name, handler, sent));
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
async function useStatementFiles(): Promise<void> {
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

const webhookRoutes = {
  'create-webhook': createWebhookRoute,
  'list-webhooks': listWebhooksRoute,
  'get-webhook': getWebhookRoute,
  'put-webhook': putWebhookRoute,
  'rotate-webhook-secret': rotateWebhookSecretRoute,
  'ping-webhook': pingWebhookRoute,
  'replay-webhook': replayWebhookRoute,
  'list-webhook-deliveries': listWebhookDeliveriesRoute,
} as const;

describe('each function', () => {
  it('reads and writes the types of item that its role grants, and no other', async () => {
    await useTheService();
    await followTheStream();
    await readTheBooks();
    await useWebhooks();
    await useStatementFiles();
    await compareBankFile();
    const { expiresAfterMs, ...fourEyes } = guarded;
    const fees = { revenueWallets: { EUR: walletIdOf('us', 'revenue', 'EUR') } };
    const granted = accessOf(
      synthesize({ fourEyes, fees, batches: true, console: {}, bankFiles: {}, webhooks: true, statementFiles: true }),
    );
    const names = Object.keys(environments) as FunctionName[];
    assert.deepEqual(
      Object.fromEntries(names.map((name) => [name, [...(seen.get(name) ?? [])].sort()])),
      Object.fromEntries(names.map((name) => [name, granted(name)])),
    );
  });
});
