import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { bankNotifications } from '../../lambdas/api/bank-notifications.ts';
import { sign } from '../../lambdas/bank/signature.ts';
import { metrics as names } from '../../lambdas/contract.ts';
import { returnIdOf } from '../../lambdas/domain/ids.ts';
import type { Transaction, Withdrawal } from '../../lambdas/domain/transaction.ts';
import { serve } from '../../lambdas/http/http.ts';
import { earliestDue, listReviews } from '../../lambdas/store/due.ts';
import { getTransaction, listTransactions } from '../../lambdas/store/transactions.ts';
import { endWithdrawal, resolveWithdrawal, returnWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { releaseWithdrawal, reviewWithdrawal, settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { send } from '../request.ts';
import { newKey, operation, timeOf, withdraw } from './commands.ts';
import {
  allItems,
  asStored,
  assertRefused,
  assertWritesNothing,
  isDue,
  itemOf,
  plant,
  withdrawalOf,
} from './inspect.ts';
import { acceptedWithdrawal, accountClosed, bankId, claim, claimed, visit } from './visits.ts';
import { balanceOf, fundedWallet, setStatus } from './wallets.ts';
import { useTable } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';

const table = useTable();

describe('review', () => {
  it('keeps the hold, ends the work and is listed for an operator', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    assert.equal(await reviewWithdrawal(table, await claimed(table, transactionId), visit(table, 'unknown')), true);
    const transaction = await withdrawalOf(table, transactionId);
    assert.deepEqual([transaction.status, transaction.completedAt], ['review', undefined]);
    assert.deepEqual(await listReviews(table, 10), [{ transactionId, since: timeOf(table) }]);
    assert.equal(await earliestDue(table), undefined);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    table.clock.now += 3_600_000;
    await assertWritesNothing(table, { claimed: false, current: transaction, clock: undefined }, () =>
      claim(table, transactionId),
    );
  });

  const inReview = async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    await reviewWithdrawal(table, await claimed(table, transactionId), visit(table, 'unknown'));
    return { walletId, withdrawal: await withdrawalOf(table, transactionId) };
  };
  const resolve = (withdrawal: Withdrawal, outcome: 'completed' | 'failed', key?: string, owner?: string) =>
    resolveWithdrawal(table, operation(table, ['resolve', withdrawal.transactionId, outcome], { key, owner }), {
      withdrawal,
      at: timeOf(table),
      from: ['review'],
      failure: outcome === 'failed' ? accountClosed : undefined,
      resolution: { outcome, evidence: 'statement 7', principal: 'operator-1', at: timeOf(table) },
    });

  it('is ended by an operator either way, once, with the evidence', async () => {
    for (const [outcome, balance] of [
      ['completed', { available: 70, held: 0, total: 70 }],
      ['failed', { available: 100, held: 0, total: 100 }],
    ] as const) {
      const { walletId, withdrawal } = await inReview();
      const key = newKey();
      assert.deepEqual(await resolve(withdrawal, outcome, key), { replayed: false });
      const resolved = await withdrawalOf(table, withdrawal.transactionId);
      assert.equal(resolved.status, outcome);
      assert.deepEqual(resolved.resolution, {
        outcome,
        evidence: 'statement 7',
        principal: 'operator-1',
        at: timeOf(table),
      });
      assert.deepEqual(resolved.endedBy, { kind: 'operator', principal: 'operator-1' });
      assert.deepEqual(resolved.failure, outcome === 'failed' ? accountClosed : undefined);
      assert.deepEqual(await balanceOf(table, walletId), balance);
      await assertWritesNothing(table, { replayed: true }, () => resolve(withdrawal, outcome, key));
      await assertRefused(table, 'not_in_review', () => resolve(withdrawal, 'completed'));
      await assertRefused(table, 'not_in_review', () => resolve(withdrawal, 'failed'));
      await assertRefused(table, 'idempotency_key_reused', () =>
        resolve(withdrawal, outcome === 'failed' ? 'completed' : 'failed', key),
      );
    }
  });

  it('is not ended by the caller that asked for it, nor by the owner of its wallet', async () => {
    for (const asker of ['ann', undefined]) {
      const walletId = await fundedWallet(table, 'ann', 100);
      const { transaction } = await withdraw(table, walletId, { amount: 30, ...(asker && { owner: asker }) });
      await reviewWithdrawal(table, await claimed(table, transaction.transactionId), visit(table, 'unknown'));
      const withdrawal = await withdrawalOf(table, transaction.transactionId);
      for (const own of [asker, 'ann']) {
        for (const outcome of ['completed', 'failed'] as const) {
          await assertRefused(table, 'forbidden', () => resolve(withdrawal, outcome, newKey(), own));
        }
      }
      assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
      assert.deepEqual(await resolve(withdrawal, 'failed', newKey(), 'bob'), { replayed: false });
    }
  });

  it('is not ended by an operator while the service still works on it', async () => {
    const { transactionId } = await acceptedWithdrawal(table);
    const withdrawal = await withdrawalOf(table, transactionId);
    await assertRefused(table, 'not_in_review', () => resolve(withdrawal, 'failed'));
    await claimed(table, transactionId);
    await assertRefused(table, 'not_in_review', () => resolve(withdrawal, 'failed'));
  });

  it('is not ended under the key that the operator asked for it with', async () => {
    const walletId = await fundedWallet(table, 'ann', 100);
    const key = newKey();
    const { transaction } = await withdraw(table, walletId, { amount: 30, key });
    await assertRefused(table, 'idempotency_key_reused', () => resolve(transaction, 'failed', key));
  });

  it('with a missing hold is a fault of the service, not of the operator', async () => {
    const { walletId, withdrawal } = await inReview();
    const wallet = await itemOf(table, { pk: `WALLET#${walletId}`, sk: 'WALLET' });
    await plant(table, { ...wallet, held: 0 });
    await assert.rejects(resolve(withdrawal, 'failed'), { name: 'Error', message: /consume hold/ });
  });
});

describe("the bank's decision", () => {
  const from = ['pending', 'executing', 'review'] as const;

  it('ends a withdrawal even while a worker holds it, and only once', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const claim = await claimed(table, transactionId);
    const verdict = { withdrawal: claim.withdrawal, at: timeOf(table), from, failure: undefined };
    assert.equal(await endWithdrawal(table, { ...verdict, attempt: visit(table, 'accepted') }), true);
    await assertWritesNothing(table, false, () => endWithdrawal(table, { ...verdict, failure: accountClosed }));
    await assertWritesNothing(table, false, () =>
      releaseWithdrawal(table, claim, visit(table, 'rejected'), accountClosed),
    );
    assert.equal((await withdrawalOf(table, transactionId)).status, 'completed');
    assert.equal(await isDue(table, transactionId), false);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
  });

  it('ends nothing when it comes from another bank than the submitted one', async () => {
    const { transactionId } = await acceptedWithdrawal(table);
    const { withdrawal } = await claimed(table, transactionId);
    const verdict = { withdrawal, at: timeOf(table), from, failure: undefined };
    await assertWritesNothing(table, false, () => endWithdrawal(table, { ...verdict, bankId: 'new-bank' }));
    assert.equal(await endWithdrawal(table, { ...verdict, bankId }), true);
    assert.equal((await withdrawalOf(table, transactionId)).bankId, bankId);
  });

  it('names the bank on a record that named none', async () => {
    const { transactionId } = await acceptedWithdrawal(table);
    const withdrawal = await withdrawalOf(table, transactionId);
    assert.equal(await endWithdrawal(table, { withdrawal, at: timeOf(table), from, failure: undefined, bankId }), true);
    assert.equal((await withdrawalOf(table, transactionId)).bankId, bankId);
  });

  it('removes the bank from the record of a payment that it rejected', async () => {
    const { transactionId } = await acceptedWithdrawal(table);
    const { withdrawal } = await claimed(table, transactionId);
    assert.equal(
      await endWithdrawal(table, { withdrawal, at: timeOf(table), from, failure: accountClosed, bankId }),
      true,
    );
    assert.equal((await withdrawalOf(table, transactionId)).bankId, undefined);
  });

  it('returns the money when the bank has rejected, even before any claim', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    const withdrawal = await withdrawalOf(table, transactionId);
    assert.equal(await endWithdrawal(table, { withdrawal, at: timeOf(table), from, failure: accountClosed }), true);
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
    assert.deepEqual(await claim(table, transactionId), {
      claimed: false,
      current: await withdrawalOf(table, transactionId),
      clock: undefined,
    });
  });
});

describe('a notification', () => {
  const key = 'key of the bank';

  /** Sends a bank's notification of a payment of 30 EUR to a deployment with this bank. */
  async function notify(ofBank: string, said: { reference: string; status: string }) {
    const body = JSON.stringify({ ...said, amount: 30, currency: 'EUR' });
    const handler = serve(bankNotifications, { table, keys: () => Promise.resolve([key]), bankId: ofBank });
    const signed = { method: 'POST', path: '/bank/notifications', body };
    const headers = { 'Content-Type': 'application/json', ...sign(signed, key, table.now() / 1000) };
    return send('bank-notifications', handler, { headers, body });
  }

  function contradictions(): number[] {
    const counted: number[] = [];
    watchMetrics((name, _unit, value) => {
      if (name === names.bankContradiction) counted.push(value);
    });
    return counted;
  }

  it('of a bank that never received the payment is refused, moves nothing and is a contradiction', async () => {
    const counted = contradictions();
    const { transactionId: reference } = await acceptedWithdrawal(table);
    await claimed(table, reference);
    for (const status of ['paid', 'rejected', 'returned']) {
      const items = await allItems(table);
      const answer = await notify('new-bank', { reference, status });
      assert.deepEqual([answer.status, answer.body?.['code']], [409, 'another_bank']);
      assert.deepEqual(await allItems(table), items);
    }
    assert.deepEqual(counted, [1, 1, 1]);
    assert.equal((await notify(bankId, { reference, status: 'paid' })).status, 200);
    assert.equal((await withdrawalOf(table, reference)).status, 'completed');
  });

  it('is refused too when the payment leaves for another bank between the read and the write', async () => {
    const counted = contradictions();
    const { transactionId: reference } = await acceptedWithdrawal(table);
    table.fault = async (call, pass) => {
      if (call.operation === 'TransactWriteItems') {
        table.fault = undefined;
        await claimed(table, reference);
      }
      return pass();
    };
    const answer = await notify('new-bank', { reference, status: 'paid' });
    assert.deepEqual([answer.status, answer.body?.['code'], counted], [409, 'another_bank', [1]]);
    assert.deepEqual(
      [(await withdrawalOf(table, reference)).status, (await withdrawalOf(table, reference)).bankId],
      ['executing', bankId],
    );
  });
});

describe('a return', () => {
  it('returns the money of a completed withdrawal once, as a separate transaction with links both ways', async () => {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    await settleWithdrawal(table, await claimed(table, transactionId), visit(table, 'accepted'));
    await setStatus(table, walletId, 'frozen');
    const original = await withdrawalOf(table, transactionId);
    table.clock.now += 86_400_000;
    const returned = await returnWithdrawal(table, original, { at: timeOf(table) });
    assert.deepEqual(
      [returned.transactionId, returned.type, returned.status, returned.amount, returned.originalTransactionId],
      [returnIdOf(transactionId), 'return', 'completed', 30, transactionId],
    );
    assert.deepEqual(await getTransaction(table, returnIdOf(transactionId)), asStored(returned));
    const { returnTransactionId, status } = await withdrawalOf(table, transactionId);
    assert.deepEqual([returnTransactionId, status], [returned.transactionId, 'completed']);
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
    const history = await listTransactions(table, { walletId, limit: 1 });
    assert.deepEqual(history.items, [asStored(returned)]);
    table.clock.now += 1_000;
    await assertWritesNothing(table, asStored<Transaction>(returned), () =>
      returnWithdrawal(table, original, { at: timeOf(table) }),
    );
  });

  it('of a withdrawal that was not completed is a fault', async () => {
    const { transactionId } = await acceptedWithdrawal(table);
    const items = await allItems(table);
    await assert.rejects(
      returnWithdrawal(table, await withdrawalOf(table, transactionId), { at: timeOf(table) }),
      /it is not completed/,
    );
    assert.deepEqual(await allItems(table), items);
  });
});
