import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { balanceOf, withdraw } from '../payouts.ts';
import { findService, tally, untilEnded } from '../service.ts';

const { operator, newUser, runner } = await findService();

type User = Awaited<ReturnType<typeof newUser>>;

describe('a withdrawal', () => {
  const destinations: [account: string, status: string, attempts: number | undefined, paid: number, balance: number][] =
    [
      ['SIM-OK', 'completed', 1, 1, 600],
      ['SIM-REJECT', 'failed', 1, 0, 1_000],
      ['SIM-FLAKY', 'completed', 3, 1, 600],
      ['SIM-TIMEOUT-PAID', 'completed', undefined, 1, 600],
      ['SIM-TIMEOUT-LOST', 'completed', undefined, 1, 600],
    ];
  for (const [account, status, attempts, paid, available] of destinations) {
    it.concurrent(`to ${account} is answered at once and ends ${status}`, async () => {
      const user = await newUser(1_000);
      const accepted = await withdraw(user, account);
      assert.deepEqual([accepted.status, accepted.body['status']], [202, 'pending']);
      assert.deepEqual(accepted.body['destination'], {
        account: account.length > 8 ? `****${account.slice(-4)}` : '****',
      });
      const { body } = await untilEnded(user.ask, String(accepted.body['transactionId']));
      assert.equal(body['status'], status);
      if (attempts !== undefined) assert.equal((body['attempts'] as unknown[]).length, attempts);
      assert.deepEqual(await balanceOf(user), [available, 0]);
      const entry = runner?.bank.book().find(({ reference }) => reference === accepted.body['transactionId']);
      if (runner) assert.equal(entry?.timesPaid ?? 0, paid, "the bank's book");
    });
  }

  it.concurrent('answers with the end of the work when the client prefers to wait', async () => {
    const user = await newUser(1_000);
    const answer = await withdraw(user, 'SIM-OK', { Prefer: 'wait=20' });
    assert.deepEqual([answer.status, answer.body['status']], [200, 'completed']);
    assert.equal(answer.headers.get('preference-applied'), 'wait=20');
    const slow = await withdraw(user, 'SIM-DOWN', { Prefer: 'wait=1' });
    assert.equal(slow.status, 202);
    assert.equal(slow.headers.get('preference-applied'), 'wait=1');
  });
});

describe('a queued transfer', () => {
  it('debits at once, credits later, and gives a repetition the same answer', async () => {
    const [ann, bob] = await Promise.all([newUser(1_000), newUser()]);
    const request = {
      body: { amount: 300, toWalletId: bob.walletId },
      key: 'queued',
      headers: { Prefer: 'respond-async' },
    };
    const accepted = await ann.ask(`/wallets/${ann.walletId}/transfer`, request);
    assert.equal(accepted.status, 202);
    assert.deepEqual(await balanceOf(ann), [700, 0]);
    const { body } = await untilEnded(ann.ask, String(accepted.body['transactionId']));
    assert.equal(body['status'], 'completed');
    assert.deepEqual(await balanceOf(bob), [300, 0]);
    const repeated = await ann.ask(`/wallets/${ann.walletId}/transfer`, request);
    assert.deepEqual([repeated.status, repeated.headers.get('idempotency-replayed')], [202, 'true']);
    assert.deepEqual(await balanceOf(bob), [300, 0]);
  });

  it('returns the money to the sender when the receiver is frozen, and still settles the others', async () => {
    const [ann, bob, cid] = await Promise.all([newUser(1_000), newUser(), newUser()]);
    await operator(`/wallets/${bob.walletId}/freeze`, { body: {} });
    const send = (to: User) =>
      ann.ask(`/wallets/${ann.walletId}/transfer`, {
        body: { amount: 100, toWalletId: to.walletId },
        headers: { Prefer: 'respond-async' },
      });
    const answers = await Promise.all([send(bob), send(cid), send(bob), send(cid)]);
    assert.deepEqual(tally(answers), { 202: 4 });
    const ends = await Promise.all(answers.map(({ body }) => untilEnded(ann.ask, String(body['transactionId']))));
    assert.deepEqual(
      ends.map(({ body }) => [body['status'], (body['failure'] as { code: string } | undefined)?.code]),
      [
        ['failed', 'receiver_unavailable'],
        ['completed', undefined],
        ['failed', 'receiver_unavailable'],
        ['completed', undefined],
      ],
    );
    const { body: forOperators } = await operator(`/transactions/${String(answers[0].body['transactionId'])}`);
    assert.equal((forOperators['failure'] as { code: string }).code, 'wallet_frozen');
    assert.deepEqual(
      [await balanceOf(ann), await balanceOf(cid)],
      [
        [800, 0],
        [200, 0],
      ],
    );
  });

  it('of 120 payers to one wallet each arrive once', async () => {
    const receiver = await newUser();
    const payers = await Promise.all(Array.from({ length: 12 }, () => newUser(100)));
    const answers = await Promise.all(
      payers.flatMap(({ ask, walletId }) =>
        Array.from({ length: 10 }, () =>
          ask(`/wallets/${walletId}/transfer`, {
            body: { amount: 10, toWalletId: receiver.walletId },
            headers: { Prefer: 'respond-async, wait=20' },
          }),
        ),
      ),
    );
    const { 200: ended = 0, 202: pending = 0 } = tally(answers);
    assert.equal(ended + pending, 120);
    await Promise.all(answers.map(({ body }) => untilEnded(receiver.ask, String(body['transactionId']))));
    assert.deepEqual(await balanceOf(receiver), [1_200, 0]);
  });
});

describe('resolve', () => {
  it('is for withdrawals in review', async () => {
    const user = await newUser(1_000);
    const { body } = await withdraw(user, 'SIM-OK', { Prefer: 'wait=20' });
    const answer = await operator(`/transactions/${String(body['transactionId'])}/resolve`, {
      body: { outcome: 'failed', evidence: 'statement of today' },
    });
    assert.deepEqual([answer.status, answer.body['code']], [409, 'not_in_review']);
    assert.deepEqual(await balanceOf(user), [600, 0]);
  });
});
