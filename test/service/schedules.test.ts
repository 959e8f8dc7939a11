/** Payments for later, standing orders and a closed bank over HTTP, with the sweeper's own minutes. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { weekdays } from '../../lambdas/contract.ts';
import { WalletStack } from '../../lib/wallet-stack.ts';
import { eventually } from './eventually.ts';
import { balanceOf, withdraw } from './payouts.ts';
import { startService, until } from './service.ts';

/** All days but those of a test that begins before midnight. */
const closedToday = weekdays.filter((_, n) => {
  const today = (new Date().getUTCDay() + 6) % 7;
  return n !== today && n !== (today + 1) % 7;
});
const payoutWindow = { timeZone: 'UTC', days: closedToday, from: '00:00', to: '24:00' };
const { newUser, operator } = await startService({
  stack: (app) => new WalletStack(app, 'Wallet', { bank: { id: 'simulator', payoutWindow } }),
});
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

/** A payment that becomes due while the other tests run. */
const dueLater = await payLater();

async function payLater() {
  const [ann, ben] = [await newUser(1_000), await newUser()];
  // A minute ahead at least when a slow machine takes it.
  const executeAt = inMs(80_000);
  const body = { amount: 300, toWalletId: ben.walletId, executeAt };
  const accepted = await ann.ask(`/wallets/${ann.walletId}/transfer`, { body });
  const path = `/transactions/${String(accepted.body['transactionId'])}`;
  const before = { receiver: (await ben.ask(path)).status, balance: await balanceOf(ann) };
  return { ann, ben, executeAt, accepted, path, before };
}

describe('a payment for later', () => {
  it('is accepted, and its receiver does not see it before its time', () => {
    const { executeAt, accepted, before } = dueLater;
    assert.deepEqual(
      [accepted.status, accepted.body['status'], accepted.body['executeAt']],
      [202, 'scheduled', executeAt],
    );
    assert.deepEqual(before, { receiver: 404, balance: [1_000, 0] });
  });

  it('keeps its wallet open until it is cancelled', async () => {
    const [ann, ben] = [await newUser(), await newUser()];
    const body = { amount: 300, toWalletId: ben.walletId, executeAt: inMs(3_600_000) };
    const accepted = await ann.ask(`/wallets/${ann.walletId}/transfer`, { body });
    const transactionId = String(accepted.body['transactionId']);
    const close = () => operator(`/wallets/${ann.walletId}/close`, { body: {} });
    const refused = await close();
    assert.deepEqual([refused.status, refused.body['code']], [409, 'wallet_not_empty']);
    assert.match(String(refused.body['detail']), new RegExp(transactionId));
    const cancelled = await ann.ask(`/transactions/${transactionId}/cancel`, { body: { reason: 'a mistake' } });
    assert.deepEqual([cancelled.status, cancelled.body['status']], [200, 'failed']);
    assert.equal((await close()).status, 200);
  });
});

describe('a standing order', () => {
  it('is opened, listed and read by its owner, schedules its payment, and is cancelled with it', async () => {
    const [ann, ben] = [await newUser(1_000), await newUser()];
    const orders = `/wallets/${ann.walletId}/standing-orders`;
    const body = {
      amount: 300,
      toWalletId: ben.walletId,
      every: 'month',
      firstAt: inMs(86_400_000),
      description: 'Rent',
    };
    const opened = await ann.ask(orders, { body });
    assert.deepEqual([opened.status, opened.body['status'], opened.body['nextAt']], [201, 'active', body.firstAt]);
    const path = `/standing-orders/${String(opened.body['standingOrderId'])}`;
    assert.equal(opened.headers.get('location'), path);
    assert.deepEqual(
      [
        (await ben.ask(path)).status,
        (await ben.ask(`${path}/cancel`, { body: {} })).status,
        (await ben.ask(orders)).status,
      ],
      [404, 404, 404],
    );
    assert.deepEqual((await ann.ask(orders)).body['items'], [opened.body]);
    const read = await ann.ask(path);
    const known = await ann.ask(path, { headers: { 'If-None-Match': String(read.headers.get('etag')) } });
    assert.equal(known.status, 304);
    // An owner may read so often in an hour only.
    const isMade = async () => (await ann.ask(path)).body['made'] === 1;
    await eventually(isMade, { limitMs: 300_000, everyMs: 1_000 });
    const made = await ann.ask(path);
    assert.equal(made.body['status'], 'active');
    const history = await ann.ask(`/wallets/${ann.walletId}/transactions?status=scheduled`);
    const [payment] = history.body['items'] as Record<string, unknown>[];
    assert.deepEqual(
      [payment?.['standingOrderId'], payment?.['executeAt'], payment?.['description']],
      [opened.body['standingOrderId'], body.firstAt, 'Rent'],
    );
    const ended = await ann.ask(`${path}/cancel`, { body: { reason: 'moved out' } });
    assert.deepEqual([ended.status, ended.body['end'], ended.body['reason']], [200, 'cancelled', 'moved out']);
    const cancelled = await ann.ask(`/transactions/${String(payment?.['transactionId'])}`);
    assert.deepEqual([cancelled.body['status'], await balanceOf(ann)], ['failed', [1_000, 0]]);
    const again = await ann.ask(`${path}/cancel`, { body: {} });
    assert.deepEqual([again.status, again.body['code']], [409, 'standing_order_ended']);
  });

  it('is refused when its request makes no sense', async () => {
    const [ann, ben] = [await newUser(), await newUser()];
    const refusal = async (other: object) => {
      const body = { amount: 1, toWalletId: ben.walletId, every: 'week', firstAt: inMs(86_400_000), ...other };
      const { status, body: answer } = await ann.ask(`/wallets/${ann.walletId}/standing-orders`, { body });
      const [error] = (answer['errors'] ?? []) as { path: string }[];
      return [status, error?.path ?? answer['code']];
    };
    assert.deepEqual(await refusal({ firstAt: inMs(600_000) }), [400, 'firstAt']);
    assert.deepEqual(await refusal({ firstAt: inMs(400 * 86_400_000) }), [400, 'firstAt']);
    assert.deepEqual(await refusal({ every: 'day' }), [400, 'every']);
    assert.deepEqual(await refusal({ count: 0 }), [400, 'count']);
    assert.deepEqual(await refusal({ count: 2, until: inMs(90_000_000) }), [400, 'count']);
    assert.deepEqual(await refusal({ until: inMs(1) }), [400, 'until']);
    assert.deepEqual(await refusal({ destination: { account: 'SIM-OK' } }), [400, 'destination']);
    assert.deepEqual(await refusal({ toWalletId: undefined }), [400, 'toWalletId']);
    assert.deepEqual(await refusal({ toWalletId: ann.walletId }), [422, 'same_wallet']);
    assert.deepEqual(await refusal({ currency: 'EUR' }), [422, 'currency_mismatch']);
    await operator(`/wallets/${ann.walletId}/freeze`, { body: {} });
    assert.deepEqual(await refusal({}), [409, 'wallet_frozen']);
  });
});

describe('a withdrawal while the bank is closed', () => {
  it('waits with its money held, and can be cancelled', async () => {
    const user = await newUser(1_000);
    const accepted = await withdraw(user, 'SIM-OK');
    const path = `/transactions/${String(accepted.body['transactionId'])}`;
    const waiting = await until(
      () => user.ask(path),
      ({ body }) => body['waitingFor'] !== undefined,
    );
    assert.deepEqual([waiting.body['status'], waiting.body['waitingFor']], ['executing', 'bank_closed']);
    assert.deepEqual(await balanceOf(user), [600, 400]);
    assert.equal((await user.ask(`${path}/cancel`, { body: {} })).body['status'], 'failed');
    assert.deepEqual(await balanceOf(user), [1_000, 0]);
  });
});

describe('a payment that has become due', () => {
  it('moves the money at its time, and its receiver sees it from then on', async () => {
    const { ann, ben, executeAt, path } = dueLater;
    const isCompleted = async () => (await ann.ask(path)).body['status'] === 'completed';
    await eventually(isCompleted, { limitMs: 300_000, everyMs: 1_000 });
    const ended = await ann.ask(path);
    assert.ok(String(ended.body['executedAt']) >= executeAt);
    assert.equal((await ben.ask(path)).status, 200);
    assert.deepEqual(
      [await balanceOf(ann), await balanceOf(ben)],
      [
        [700, 0],
        [300, 0],
      ],
    );
  });
});
