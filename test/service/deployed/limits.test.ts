/** Limits of wallets over HTTP: who sets them, who sees them, and what they refuse. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { findService } from '../service.ts';
import type { Answer, RequestOptions } from '../service.ts';

const service = await findService();
const { operator, newUser } = service;
const decider = await service.as('decider', 'wallet:decide');
const backend = await service.as('backend', 'wallet:charge');

/** Sets the limits of a wallet. */
function put(walletId: string, body: object, options: RequestOptions = {}, ask = decider): Promise<Answer> {
  return ask(`/wallets/${walletId}/limits`, {
    method: 'PUT',
    body: { reason: 'new customer', ...body },
    ...options,
  });
}

const outcome = ({ status, body }: Answer) => [status, body['code'], body['limit'], body['left']];

/** Runs checks of the windows of one day. Runs them again when midnight (UTC) came in between. */
async function withinOneDay(checks: (today: string) => Promise<void>): Promise<void> {
  const now = () => new Date().toISOString().slice(0, 10);
  const today = now();
  try {
    await checks(today);
  } catch (error) {
    if (now() === today) throw error;
    await checks(now());
  }
}

describe('limits of a wallet', () => {
  it('are set by an operator, and replaced as a whole; owners see them without the operator and the reason', async () => {
    const { ask, walletId } = await newUser(100);
    const limits = { out: { perTransaction: 50, perDay: 60 }, maximumBalance: 500 };
    const { status, body } = await put(walletId, { limits });
    assert.equal(status, 200);
    const { setAt, setBy, ...rest } = body as { setAt: string; setBy: { kind: string; principal: string } };
    assert.deepEqual(rest, { walletId, limits, version: 1, reason: 'new customer' });
    assert.deepEqual([setBy.kind, setBy.principal], ['operator', 'decider']);

    const owned = (await ask(`/wallets/${walletId}`)).body;
    assert.deepEqual(owned['limits'], limits);
    assert.deepEqual(owned['lastLimitsChange'], { version: 1, at: setAt });
    const seen = (await operator(`/wallets/${walletId}`)).body['lastLimitsChange'];
    assert.deepEqual(seen, { version: 1, at: setAt, actor: setBy, reason: 'new customer' });

    assert.deepEqual((await put(walletId, { limits: { creditLine: 5 } })).body['limits'], { creditLine: 5 });
    const removed = await put(walletId, { limits: {} });
    assert.deepEqual([removed.body['limits'], removed.body['version']], [{}, 3]);
    const free = (await ask(`/wallets/${walletId}`)).body;
    assert.deepEqual([free['limits'], free['limitWindows']], [undefined, undefined]);
  });

  it('refuse what exceeds them, and say what is left and until when', async () => {
    await withinOneDay(async (today) => {
      const [ann, bob] = await Promise.all([newUser(1_000), newUser()]);
      await put(ann.walletId, { limits: { out: { perTransaction: 50, perDay: 100 } } });
      const pay = (amount: number) =>
        ann.ask(`/wallets/${ann.walletId}/transfer`, { body: { amount, toWalletId: bob.walletId } });
      assert.deepEqual(outcome(await pay(51)), [422, 'limit_exceeded', 'out.perTransaction', 50]);
      assert.equal((await pay(50)).status, 201);
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      const promised = { amount: 40, toWalletId: bob.walletId, expiresAt };
      assert.equal((await ann.ask(`/wallets/${ann.walletId}/holds`, { body: promised })).status, 201);
      const payOut = { amount: 11, destination: { account: 'SIM-OK' } };
      const refused = await ann.ask(`/wallets/${ann.walletId}/withdraw`, { body: payOut });
      assert.deepEqual(outcome(refused), [422, 'limit_exceeded', 'out.perDay', 10]);
      const resetsAt = new Date(Date.parse(today) + 86_400_000).toISOString();
      assert.equal(refused.body['resetsAt'], resetsAt);
      assert.match(String(refused.body['detail']), /^out\.perDay: left 10, requested 11, in minor units of USD; /);
      const { limitWindows } = (await ann.ask(`/wallets/${ann.walletId}`)).body;
      assert.deepEqual(limitWindows, [{ limit: 'out.perDay', most: 100, used: 90, left: 10, resetsAt }]);
      assert.equal((await pay(10)).status, 201);
    });
  });

  it('show a payer no limit of the receiver; the receiver and operators see it', async () => {
    const [ann, bob] = await Promise.all([newUser(1_000), newUser(400)]);
    await put(bob.walletId, { limits: { maximumBalance: 450 } });
    const toBob = { amount: 51, toWalletId: bob.walletId };
    const paid = await ann.ask(`/wallets/${ann.walletId}/transfer`, { body: toBob });
    assert.deepEqual(outcome(paid), [422, 'receiver_unavailable', undefined, undefined]);
    const charged = await operator(`/wallets/${bob.walletId}/charge`, { body: { amount: 51 } });
    assert.deepEqual(outcome(charged), [422, 'limit_exceeded', 'maximumBalance', 50]);

    const byBackend = await backend(`/wallets/${bob.walletId}/charge`, { body: { amount: 51 } });
    assert.deepEqual(outcome(byBackend), [422, 'limit_exceeded', undefined, undefined], 'it may not read balances');
    assert.deepEqual([byBackend.body['detail'], byBackend.body['resetsAt']], [undefined, undefined]);

    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { body } = await ann.ask(`/wallets/${ann.walletId}/holds`, { body: { ...toBob, expiresAt } });
    const captured = await bob.ask(`/holds/${String(body['transactionId'])}/capture`, { body: {} });
    assert.deepEqual(outcome(captured), [422, 'limit_exceeded', 'maximumBalance', 50]);

    const queued = { body: toBob, headers: { Prefer: 'respond-async, wait=20' } };
    const failed = await ann.ask(`/wallets/${ann.walletId}/transfer`, queued);
    assert.deepEqual((failed.body['failure'] as { code: string }).code, 'receiver_unavailable');
    assert.deepEqual((await ann.ask(`/wallets/${ann.walletId}/balance?consistent=true`)).body['available'], 949);
  });

  it('let a wallet go below zero within its credit line, and no further', async () => {
    const [ann, bob] = await Promise.all([newUser(100), newUser()]);
    await put(ann.walletId, { limits: { creditLine: 300 } });
    const pay = (amount: number) =>
      ann.ask(`/wallets/${ann.walletId}/transfer`, { body: { amount, toWalletId: bob.walletId } });
    assert.deepEqual(outcome(await pay(401)), [422, 'limit_exceeded', 'creditLine', 400]);
    assert.equal((await pay(400)).status, 201);
    const { body } = await ann.ask(`/wallets/${ann.walletId}/balance?consistent=true`);
    assert.deepEqual([body['available'], body['held'], body['total']], [-300, 0, -300]);
    // A smaller line takes nothing back.
    await put(ann.walletId, { limits: { creditLine: 100 } });
    assert.deepEqual(outcome(await pay(1)), [422, 'limit_exceeded', 'creditLine', 0]);
    assert.equal((await operator(`/wallets/${ann.walletId}/charge`, { body: { amount: 300 } })).status, 201);
    assert.equal((await operator(`/wallets/${ann.walletId}/close`, { body: {} })).status, 200);
  });

  it('are not replaced when the caller has seen another version; a repetition is answered', async () => {
    const { walletId } = await newUser();
    const first = { limits: { maximumBalance: 10 }, version: 0 };
    assert.equal((await put(walletId, first, { key: 'first' })).body['version'], 1);
    const changed = await put(walletId, { limits: { maximumBalance: 20 }, version: 0 });
    assert.deepEqual([changed.status, changed.body['code']], [409, 'limits_changed']);
    assert.equal((await put(walletId, { limits: { maximumBalance: 20 }, version: 1 })).body['version'], 2);
    const repeated = await put(walletId, first, { key: 'first' });
    assert.equal(repeated.headers.get('idempotency-replayed'), 'true');
    assert.deepEqual([repeated.body['limits'], repeated.body['version']], [{ maximumBalance: 20 }, 2]);
    const reused = await put(walletId, { limits: { maximumBalance: 30 } }, { key: 'first' });
    assert.equal(reused.body['code'], 'idempotency_key_reused');
  });

  it('of an own wallet are set by another operator', async () => {
    const { body } = await operator('/wallets', { body: { currency: 'USD' } });
    const own = await put(String(body['walletId']), { limits: {} }, {}, operator);
    assert.deepEqual([own.status, own.body['code']], [403, 'forbidden']);
    assert.match(String(own.body['detail']), /its own; another operator may$/);
    assert.equal((await put(String(body['walletId']), { limits: {} })).status, 200);
  });

  it('are refused with the field where they are malformed', async () => {
    const { walletId } = await newUser();
    const cases: readonly (readonly [body: object, field: string])[] = [
      [{ limits: {}, reason: undefined }, 'reason'],
      [{}, 'limits'],
      [{ limits: {}, tier: 'basic' }, 'limits'],
      [{ tier: 'no-tier-of-this-name' }, 'tier'],
      [{ limits: { out: { perDay: -1 } } }, 'limits.out.perDay'],
      [{ limits: { in: { perMonth: 0.5 } } }, 'limits.in.perMonth'],
      [{ limits: { maximumBalance: 2 ** 53 } }, 'limits.maximumBalance'],
      [{ limits: { out: { perWeek: 1 } } }, 'limits.out.perWeek'],
      [{ limits: { minimumBalance: 1, creditLine: 1 } }, 'limits.creditLine'],
      [{ limits: {}, version: -1 }, 'version'],
    ];
    for (const [body, field] of cases) {
      const answer = await put(walletId, body);
      assert.deepEqual([answer.status, answer.body['code']], [400, 'invalid_request'], JSON.stringify(body));
      assert.deepEqual(
        (answer.body['errors'] as { path: string }[]).map(({ path }) => path),
        [field],
      );
    }
    const unknown = await put(`w_usd_${'a'.repeat(26)}`, { limits: {} });
    assert.equal(unknown.body['code'], 'wallet_not_found');
    const keyless = await put(walletId, { limits: {} }, { key: null });
    assert.equal(keyless.body['code'], 'idempotency_key_required');
  });
});
