/** `Prefer: wait=N`, the time that the answer to an accepted command waits for its end. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import type { QueuedServices } from '../../lambdas/http/queued-command.ts';
import { putBackWithdrawal, settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { answer } from '../faults.ts';
import { endUser, send } from '../request.ts';
import { destination, newKey } from './commands.ts';
import { claimed, visit } from './visits.ts';
import { fundedWallet, openWallet } from './wallets.ts';
import { useTable } from '../fixture.ts';

const table = useTable();
let walletId: string;
beforeEach(async () => {
  table.fault = undefined;
  walletId = await fundedWallet(table, 'ann', 1_000);
});

/** Withdraws. `onSend` does immediately the part that a worker does some time after the message was sent. */
async function withdrawWith(headers: Record<string, string>, onSend: (transactionId: string) => Promise<unknown>) {
  const startedAt = table.now();
  const { status, headers: answered } = await send('withdraw', serve(withdraw, services(onSend)), {
    as: endUser('ann'),
    path: { walletId },
    key: newKey(),
    body: { amount: 30, destination },
    headers,
  });
  return { status, applied: answered['Preference-Applied'], tookMs: table.now() - startedAt };
}

function services(onSend: (transactionId: string) => Promise<unknown>): QueuedServices {
  return {
    table,
    queue: {
      async send({ transactionId }) {
        await onSend(transactionId);
      },
    },
    isOverloaded: () => Promise.resolve(false),
    limits: openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000 }),
  };
}

async function putBackFor(transactionId: string, ms: number): Promise<void> {
  const claim = await claimed(table, transactionId);
  const dueAt = new Date(table.now() + ms).toISOString();
  await putBackWithdrawal(table, claim, { dueAt, submitBy: undefined });
}

describe('a command whose client prefers to wait', () => {
  it('is answered when its work ends', async () => {
    const ended = await withdrawWith({ Prefer: 'wait=10' }, async (transactionId) =>
      settleWithdrawal(table, await claimed(table, transactionId), visit(table, 'accepted')),
    );
    assert.deepEqual([ended.status, ended.applied], [200, 'wait=10']);
    assert.ok(ended.tookMs < 1_000, `${ended.tookMs} ms`);
  });

  it('is answered after that time while a worker still holds it', async () => {
    const slow = await withdrawWith({ Prefer: 'wait=10' }, (transactionId) => claimed(table, transactionId));
    assert.deepEqual(slow, { status: 202, applied: 'wait=10', tookMs: 10_000 });
  });

  it('waits for at most 20 s, including the time before: the gateway gives up after 29 s', async () => {
    const slow = await withdrawWith({ Prefer: 'wait=999' }, async (transactionId) => {
      await claimed(table, transactionId);
      table.clock.now += 12_000;
    });
    assert.deepEqual(slow, { status: 202, applied: 'wait=20', tookMs: 20_000 });
  });

  it('does not wait for an end that cannot come in time', async () => {
    const inTime = await withdrawWith({ Prefer: 'wait=10' }, (transactionId) => putBackFor(transactionId, 9_000));
    assert.equal(inTime.tookMs, 10_000);
    const tooLate = await withdrawWith({ Prefer: 'wait=10' }, (transactionId) => putBackFor(transactionId, 11_000));
    assert.deepEqual([tooLate.status, tooLate.applied], [202, 'wait=10']);
    assert.ok(tooLate.tookMs < 1_000, `${tooLate.tookMs} ms`);
  });

  it('is accepted even when the reads fail', async () => {
    const blind = await withdrawWith({ Prefer: 'wait=10' }, () => {
      table.fault = answer('ProvisionedThroughputExceededException');
      return Promise.resolve();
    });
    assert.deepEqual([blind.status, blind.applied], [202, 'wait=10']);
  });

  it('may state the preference in several lines', async () => {
    const toWalletId = await openWallet(table, 'bob');
    const { status, headers } = await send(
      'transfer',
      serve(
        transfer,
        services(() => Promise.resolve()),
      ),
      {
        as: endUser('ann'),
        path: { walletId },
        key: newKey(),
        body: { amount: 30, toWalletId },
        headers: { Prefer: 'respond-async', prefer: 'wait=1' },
      },
    );
    assert.deepEqual([status, headers['Preference-Applied']], [202, 'respond-async, wait=1']);
  });
});
