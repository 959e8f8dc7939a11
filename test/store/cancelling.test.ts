/** The end of a withdrawal before it leaves for the bank, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { cancel } from '../../lambdas/api/cancel.ts';
import type { Actor } from '../../lambdas/domain/actor.ts';
import { issuerMarkOf } from '../../lambdas/domain/ids.ts';
import type { Withdrawal } from '../../lambdas/domain/transaction.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { cancelWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { putBackWithdrawal, reviewWithdrawal, settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { endUser, issuer, operator, send } from '../request.ts';
import type { Request } from '../request.ts';
import { charge, newKey, operation, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { release, settle } from './histories.ts';
import { assertRefused, assertWritesNothing, isDue, refusalOf, withdrawalOf } from './inspect.ts';
import { acceptedWithdrawal, claim, claimed, visit } from './visits.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';
import { checkUnits } from '../units.ts';

const table = useTable();

const ann: Actor = { kind: 'owner', principal: 'ann' };
const whole = { available: 100, held: 0, total: 100 };

function cancelIt(withdrawal: Withdrawal, key?: string) {
  const { transactionId } = withdrawal;
  return cancelWithdrawal(table, operation(table, ['cancel', transactionId], { owner: 'ann', key }), {
    withdrawal,
    cancellation: { actor: ann, reason: 'wrong account', at: timeOf(table) },
  });
}

describe('a cancel', () => {
  it('ends a withdrawal once, returns its money, ends the work, and records who did it and why', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const before = await withdrawalOf(table, transactionId);
    table.clock.now += 1_000;
    const key = newKey();
    const { result, roundTrips, writeUnits } = await measure(table, () => cancelIt(before, key));
    assert.deepEqual([result, roundTrips], [{ replayed: false }, 1]);
    checkUnits(() => {
      assert.ok(writeUnits <= 12, `${writeUnits} units`);
    });
    const ended = await withdrawalOf(table, transactionId);
    assert.deepEqual([ended.status, ended.failure?.code, ended.completedAt], ['failed', 'cancelled', timeOf(table)]);
    assert.deepEqual(ended.cancellation, { actor: ann, reason: 'wrong account', at: timeOf(table) });
    assert.deepEqual(
      ended.postings.slice(2).map(({ amount }) => amount),
      [-30, 30],
    );
    assert.deepEqual(await balanceOf(table, walletId), whole);
    assert.equal(ended.dueAt, undefined);
    assert.equal(await isDue(table, transactionId), false);

    await assertWritesNothing(table, { replayed: true }, () => cancelIt(before, key));
    await assertRefused(table, 'not_cancellable', () => cancelIt(before));
    await assertWritesNothing(table, { claimed: false, current: ended, clock: undefined }, () =>
      claim(table, transactionId),
    );
  });

  it('ends a withdrawal that was put back without a submit, also from a frozen wallet', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    await putBackWithdrawal(table, await claimed(table, transactionId), {
      dueAt: timeOf(table, 30_000),
      submitBy: undefined,
      waitingFor: 'wallet_frozen',
    });
    await setStatus(table, walletId, 'frozen');
    assert.deepEqual(await cancelIt(await withdrawalOf(table, transactionId)), { replayed: false });
    const { status, waitingFor } = await withdrawalOf(table, transactionId);
    assert.deepEqual([status, waitingFor], ['failed', undefined]);
    assert.deepEqual(await balanceOf(table, walletId), whole);
  });

  it('is refused from the claim on, for every withdrawal that may be with the bank, and for ended ones', async () => {
    const submitBy = timeOf(table);
    const states: readonly ((id: string) => Promise<unknown>)[] = [
      (id) => claimed(table, id),
      async (id) => putBackWithdrawal(table, await claimed(table, id), { dueAt: timeOf(table), submitBy }),
      // The bank refused it, so no payment is out, but a submit has left.
      async (id) =>
        putBackWithdrawal(table, await claimed(table, id), {
          dueAt: timeOf(table),
          submitBy: undefined,
          attempt: visit(table, 'unknown'),
        }),
      (id) => settle(table, id),
      (id) => release(table, id),
      async (id) => reviewWithdrawal(table, await claimed(table, id), visit(table, 'unknown')),
    ];
    for (const advance of states) {
      const { transactionId } = await acceptedWithdrawal(table);
      // A record from before the claim: the condition of the write decides.
      const before = await withdrawalOf(table, transactionId);
      await advance(transactionId);
      await assertRefused(table, 'not_cancellable', () => cancelIt(before));
    }
  });

  it('is refused under the key that made the withdrawal', async () => {
    const walletId = await fundedWallet(table, 'ann', 100);
    const key = newKey();
    const { transaction } = await withdraw(table, walletId, { owner: 'ann', amount: 30, key });
    await assertRefused(table, 'idempotency_key_reused', () => cancelIt(transaction, key));
  });
});

describe('a claim and a cancel at the same time', () => {
  const races = 400;

  it(`${races} times: exactly one wins, and the money is right`, async () => {
    const wins = { claim: 0, cancel: 0 };
    const race = async (number: number) => {
      const { walletId, transactionId } = await acceptedWithdrawal(table);
      const withdrawal = await withdrawalOf(table, transactionId);
      const claims = () => claim(table, transactionId);
      const cancels = () => refusalOf(cancelIt(withdrawal));
      const [claimResult, refusal] =
        number % 2 === 0
          ? await Promise.all([claims(), cancels()])
          : await Promise.all([cancels(), claims()]).then(([second, first]) => [first, second] as const);
      const { status, submitBy } = await withdrawalOf(table, transactionId);
      if (claimResult.claimed) {
        wins.claim++;
        assert.deepEqual([refusal?.code, status], ['not_cancellable', 'executing']);
        assert.ok(submitBy);
        assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
      } else {
        wins.cancel++;
        assert.deepEqual([refusal, status, submitBy], [undefined, 'failed', undefined]);
        assert.deepEqual(await balanceOf(table, walletId), whole);
      }
    };
    for (let start = 0; start < races; start += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, n) => race(start + n)));
    }
    assert.equal(wins.claim + wins.cancel, races);
    assert.ok(wins.claim > 0 && wins.cancel > 0, `both win sometimes: ${JSON.stringify(wins)}`);
  });
});

describe('POST /transactions/{transactionId}/cancel', () => {
  const ask = (transactionId: string, as: Request['as'], more: Partial<Request> = {}) =>
    send('cancel', serve(cancel, { table, limits: openLimits({ cancellationsPerHour: 1_000_000 }) }), {
      as,
      path: { transactionId },
      key: newKey(),
      body: {},
      ...more,
    });

  it('is for the owner of the wallet and for operators', async () => {
    for (const as of [endUser('ann'), operator]) {
      const { walletId, transactionId } = await acceptedWithdrawal(table);
      const again = { key: newKey(), body: { reason: 'asked for twice' } };
      const { status, body } = await ask(transactionId, as, again);
      assert.equal(status, 200);
      assert.deepEqual([body?.['status'], (body?.['failure'] as { code: string }).code], ['failed', 'cancelled']);
      const { cancellation } = await withdrawalOf(table, transactionId);
      const by = as === operator ? 'operator' : 'owner';
      assert.deepEqual(cancellation, {
        actor: { kind: by, principal: as.principal, issuer: issuerMarkOf(issuer) },
        reason: 'asked for twice',
        at: timeOf(table),
      });
      assert.equal((body?.['cancellation'] as { by: string }).by, by);
      assert.deepEqual(await balanceOf(table, walletId), whole);
      const replay = await ask(transactionId, as, again);
      assert.deepEqual([replay.status, replay.headers['Idempotency-Replayed']], [200, 'true']);
    }
  });

  it('is open to the owner when an operator has asked for the withdrawal', async () => {
    const walletId = await fundedWallet(table, 'ann', 100);
    const { transaction } = await withdraw(table, walletId, { amount: 30 });
    assert.equal((await ask(transaction.transactionId, endUser('ann'))).status, 200);
    assert.deepEqual(await balanceOf(table, walletId), whole);
  });

  it('is refused for another owner as for a missing transaction', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    for (const id of [transactionId, `tx_${'a'.repeat(26)}`, 'nonsense']) {
      const { status, body } = await ask(id, endUser('bob'));
      assert.deepEqual([status, body?.['code']], [404, 'transaction_not_found']);
    }
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
  });

  it('of a transaction that is no withdrawal is refused under a used key as reused', async () => {
    const walletId = await openWallet(table, 'ann');
    const key = newKey();
    const { transactionId } = (await charge(table, walletId, { amount: 5, key })).transaction;
    const answerTo = async (used: string) => {
      const { status, body } = await ask(transactionId, operator, { key: used });
      return [status, body?.['code']];
    };
    await assertWritesNothing(table, [422, 'idempotency_key_reused'], () => answerTo(key));
    await assertWritesNothing(table, [409, 'not_cancellable'], () => answerTo(newKey()));
  });

  it('names the reason of a refusal', async () => {
    const detailOf = async (transactionId: string) => {
      const { status, body } = await ask(transactionId, endUser('ann'));
      assert.deepEqual([status, body?.['code']], [409, 'not_cancellable']);
      return body?.['detail'];
    };
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const claim = await claimed(table, transactionId);
    assert.equal(await detailOf(transactionId), 'the bank may have it already');
    await settleWithdrawal(table, claim, visit(table, 'accepted'));
    assert.equal(await detailOf(transactionId), 'it is completed');
    const to = await openWallet(table, 'bob');
    for (const { transaction } of [
      await charge(table, walletId, { amount: 10 }),
      await transfer(table, walletId, to, { owner: 'ann', amount: 1 }),
      await queueTransfer(table, walletId, to, { owner: 'ann', amount: 1 }),
    ]) {
      assert.equal(
        await detailOf(transaction.transactionId),
        'only a withdrawal or a scheduled transfer can be cancelled',
      );
    }
  });
});
