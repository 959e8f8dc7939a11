/** Every command and its workers, on each path that reads or writes another item. */
import assert from 'node:assert/strict';
import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { authorize, openHoldToIssuer } from '../../lambdas/api/authorizer.ts';
import { sign } from '../../lambdas/bank/signature.ts';
import { transactionIdOfBatch } from '../../lambdas/domain/ids.ts';
import type { GuardedCommand } from '../../lambdas/domain/approval.ts';
import { batchKey } from '../../lambdas/store/keys.ts';
import { putBreaker } from '../../lambdas/store/breaker.ts';
import { advanceBatch } from '../../lambdas/workers/batches.ts';
import type { BatchServices } from '../../lambdas/workers/batches.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import type { TestTable } from '../engine.ts';
import { answer } from '../faults.ts';
import { endUser, issuer, operator, send } from '../request.ts';
import type { Request } from '../request.ts';
import { openRoutes } from './every-route.ts';
import { transferLine, withdrawalLine } from './batch-commands.ts';
import { newKey, timeOf } from './commands.ts';
import { changeItem } from './inspect.ts';
import { bankId } from './visits.ts';
import { bankKey } from './access-recorder.ts';
import type { RecordedService } from './access-recorder.ts';

const ann = endUser('ann');
const bea = endUser('bea');

/**
 * Sends a command that needs a second operator. One operator rejects it, and it is asked for again and approved. Returns the id
 * of the record that the command got.
 */
async function askAndApprove({ ask }: RecordedService, name: GuardedCommand, request: Request): Promise<string> {
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

async function notify({ table, ask }: RecordedService, body: object) {
  const text = JSON.stringify(body);
  const signed = { method: 'POST', path: '/bank/notifications', body: text };
  const headers = sign(signed, bankKey, Math.floor(table.now() / 1000));
  return ask('bank-notifications', { body: text, headers: { ...headers, 'Content-Type': 'application/json' } });
}

async function comeIn({ table, as }: RecordedService): Promise<void> {
  const handler = authorize(() => Promise.resolve({ ...ann, issuer }), openHoldToIssuer(table));
  const event = { methodArn: 'arn/stage/GET/wallets', requestContext: { identity: { sourceIp: '192.0.2.1' } } };
  await as('authorizer', () => handler(event as unknown as APIGatewayRequestAuthorizerEvent));
}

/** Uses every route and worker on each path that reads or writes another item. */
export async function useTheService(service: RecordedService): Promise<void> {
  const { table, books, as, ask, visit } = service;
  await comeIn(service);
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
  await askAndApprove(service, 'resolve', {
    path: { transactionId: inReview },
    body: { outcome: 'failed', evidence: 'Statement of March, line 12' },
  });
  const large = { amount: 2_000_000, externalReference: 'invoice-2', uniqueReference: true };
  const charged = await askAndApprove(service, 'charge', { path, body: large });
  const mistaken = { amount: 1_500_000, reason: 'booked twice' };
  await askAndApprove(service, 'refund', { path: { transactionId: charged }, body: mistaken });
  await ask('list-approvals', { as: operator });
  const returned = { reference: await payOut(), status: 'returned', amount: 100, currency: 'EUR' };
  for (let times = 0; times < 2; times++) await notify(service, returned);
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
          await service.unrecorded(() => notify(service, { ...returned, reference: taken, status: 'paid' }));
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
  await askAndApprove(service, 'unfreeze', { path: { walletId: shop! }, body: {} });
  await ask('close', { as: operator, path: { walletId: empty! }, body: {} });
  const refused = { as: operator, key: newKey(), path, body: {} };
  await as('close', () => send('close', openRoutes(table, books.entries, bankKey).close, refused));
  const limits = { reason: 'new customer', tier: 'basic' };
  await ask('set-limits', { as: operator, path: { walletId: mine! }, body: limits });
  await askAndApprove(service, 'set-limits', {
    path: { walletId: mine! },
    body: { reason: 'known customer', limits: {} },
  });

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
  await ask('split', { as: ann, body: { legs: [{ ...byAlias, fromWalletId: mine }] } });
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
  const batchId = await payTogether(service, { payer: mine!, receiver: shop! });
  const standingOrderId = await orderPayments(service, mine!, shop!);
  table.clock.now += 3_600_000;
  const swept = { send: () => Promise.resolve([]), depth: () => Promise.resolve(0) };
  await as('sweeper', () => sweep({ table, withdrawals: swept, transfers: swept, batches: swept }));
  await as('batches', () => advanceBatch(transactionIdOfBatch(batchId), batchWorker(table, 1)));
  // As a restore to a torn state leaves it.
  await changeItem(table, batchKey(batchId), { nextChunk: 0, accepted: 0, refused: 0 });
  await as('batches', () => advanceBatch(transactionIdOfBatch(batchId), batchWorker(table, 0)));
  await ask('cancel-standing-order', { as: ann, path: { standingOrderId }, body: {} });
}

const batchWorker = (table: TestTable, depth: number): BatchServices => {
  const queue = { sendAll: () => Promise.resolve([]), depth: () => Promise.resolve(depth) };
  return {
    table,
    queues: { transfer: queue, withdrawal: queue },
    again: { send: () => Promise.resolve() },
    mostWaiting: 0,
  };
};

/** Sends a batch whose lines are accepted, refused and left, makes it, and looks at it. Returns its id, still open. */
async function payTogether(
  { table, as, ask }: RecordedService,
  { payer, receiver }: { payer: string; receiver: string },
): Promise<string> {
  const { walletId: busy } = await ask('create-wallet', { as: bea, body: { currency: 'EUR' } });
  const lines = [
    { ...transferLine('a', payer, receiver, 1), externalReference: 'salary-1', uniqueReference: true },
    withdrawalLine('b', payer, 1),
    transferLine('c', payer, receiver, 1_000_000_000),
    transferLine('d', busy!, receiver, 1),
    { key: 'e', type: 'transfer', walletId: payer, to: '@bea.market', amount: 1 },
  ];
  const sent = { as: operator, key: newKey(), body: lines.map((line) => JSON.stringify(line)).join('\n') };
  const { batchId } = await ask('create-batch', sent);
  await ask('create-batch', sent);
  const work = () => as('batches', () => advanceBatch(transactionIdOfBatch(batchId!), batchWorker(table, 0)));
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
async function orderPayments({ table, ask }: RecordedService, walletId: string, toWalletId: string): Promise<string> {
  const body = { amount: 1, toWalletId, every: 'week', firstAt: timeOf(table, 7_200_000) };
  const { standingOrderId } = await ask('open-standing-order', { as: ann, path: { walletId }, body });
  await ask('list-standing-orders', { as: ann, path: { walletId } });
  await ask('get-standing-order', { as: ann, path: { standingOrderId: standingOrderId! } });
  return standingOrderId!;
}
