import '../environment.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { serve } from '../../lambdas/runtime/http.ts';
import type { QueuedServices } from '../../lambdas/runtime/queued-command.ts';
import { endUser, send } from '../request.ts';
import type { Response } from '../request.ts';

/** What is refused here gets no further than to the clock. */
const nothing = { table: { now: () => 0 } } as QueuedServices;
const as = endUser('ann');
const walletId = `w_eur_${'a'.repeat(26)}`;
const toWalletId = `w_eur_${'b'.repeat(26)}`;

const transferOf = (body: object) =>
  send('transfer', serve(transfer, nothing), { as, key: 'k', path: { walletId }, body });
const withdrawalOf = (body: object) =>
  send('withdraw', serve(withdraw, nothing), { as, key: 'k', path: { walletId }, body });
const historyOf = (query: Record<string, string>) =>
  send('list-transactions', serve(listTransactions, nothing), { as, path: { walletId }, query });

const errorsOf = ({ body }: Response) => body?.['errors'];

describe('an invalid request', () => {
  it('is told once what an amount must be, whatever is wrong with it', async () => {
    for (const amount of [1.5, '1', 0, -1, 2 ** 53, null, [1]]) {
      assert.deepEqual(
        errorsOf(await transferOf({ amount, toWalletId })),
        [{ path: 'amount', message: 'must be an integer of minor units, 1 to 9007199254740991' }],
        JSON.stringify(amount),
      );
    }
  });

  it('is told what is missing', async () => {
    assert.deepEqual(errorsOf(await transferOf({})), [
      { path: 'amount', message: 'is required' },
      { path: 'toWalletId', message: 'is required' },
    ]);
    assert.deepEqual(errorsOf(await withdrawalOf({ amount: 1 })), [{ path: 'destination', message: 'is required' }]);
    assert.deepEqual(errorsOf(await withdrawalOf({ amount: 1, destination: {} })), [
      { path: 'destination.account', message: 'is required' },
    ]);
  });

  it('is told how long a page may be', async () => {
    for (const limit of ['0', '101', '1000', '1.5', 'all', '']) {
      assert.deepEqual(
        errorsOf(await historyOf({ limit })),
        [{ path: 'limit', message: 'must be a whole number from 1 to 100' }],
        limit,
      );
    }
  });
});

describe('a wallet id that is none', () => {
  it('is named in the refusal, as a transfer has two', async () => {
    const { status, body } = await transferOf({ amount: 1, toWalletId: 'w_bob' });
    assert.equal(status, 404);
    assert.equal(body?.['detail'], 'there is no wallet w_bob');
  });
});
