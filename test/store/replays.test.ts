/** Repetitions of accepted work send no message to the queue. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { endUser, send } from '../request.ts';
import type { Request } from '../request.ts';
import { destination, newKey } from './commands.ts';
import { claimed, visit } from './visits.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { useTable } from '../fixture.ts';

const table = useTable();

const replays = 1_000;
const depth: string[] = [];
const services = () => ({
  table,
  limits: openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000 }),
  queue: {
    send: ({ transactionId }: { transactionId: string }) => {
      depth.push(transactionId);
      return Promise.resolve();
    },
  },
  isOverloaded: () => Promise.resolve(depth.length > 10),
});

describe('a repetition of open work sends no message', () => {
  it(`${replays} times a withdrawal`, async () => {
    const walletId = await fundedWallet(table, 'ann', 100);
    const body = { amount: 30, destination };
    const handler = serve(withdraw, services());
    await repeat((request) => send('withdraw', handler, { ...request, path: { walletId }, body }));
  });

  it(`${replays} times a queued transfer`, async () => {
    const [walletId, toWalletId] = [await fundedWallet(table, 'ann', 100), await openWallet(table, 'bob')];
    const body = { amount: 30, toWalletId };
    const handler = serve(transfer, services());
    const headers = { Prefer: 'respond-async' };
    await repeat((request) => send('transfer', handler, { ...request, path: { walletId }, body, headers }));
  });

  async function repeat(ask: (request: Request) => ReturnType<typeof send>) {
    depth.length = 0;
    const request = { as: endUser('ann'), key: newKey() };
    const { body } = await ask(request);
    assert.deepEqual(depth, [body?.['transactionId']]);
    for (let n = 0; n < replays; n++) {
      const { status, headers } = await ask(request);
      assert.deepEqual([status, headers['Idempotency-Replayed']], [202, 'true']);
    }
    assert.equal(depth.length, 1, 'messages in the queue');
  }
});

it('a repetition that prefers to wait waits for the end', async () => {
  const walletId = await fundedWallet(table, 'ann', 100);
  const request = {
    as: endUser('ann'),
    key: newKey(),
    path: { walletId },
    body: { amount: 30, destination },
  };
  const handler = serve(withdraw, services());
  const { body } = await send('withdraw', handler, request);
  const [answer] = await Promise.all([
    send('withdraw', handler, { ...request, headers: { Prefer: 'wait=10' } }),
    claimed(table, String(body?.['transactionId'])).then((claim) =>
      settleWithdrawal(table, claim, visit(table, 'accepted')),
    ),
  ]);
  assert.deepEqual([answer.status, answer.headers['Preference-Applied']], [200, 'wait=10']);
});
