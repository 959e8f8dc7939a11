import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Attempt, Failure, Transaction } from '../../lambdas/domain/transaction.ts';
import type { OpenWithdrawal } from '../../lambdas/domain/withdrawal.ts';
import { returnIdOf, transactionIdOf, transactionKey } from '../../lambdas/store/keys.ts';
import { getTransaction, listTransactions } from '../../lambdas/store/transactions.ts';
import {
  claimWithdrawal,
  endWithdrawal,
  putBackWithdrawal,
  releaseWithdrawal,
  resolveWithdrawal,
  returnWithdrawal,
  reviewWithdrawal,
  settleWithdrawal,
} from '../../lambdas/store/withdrawals.ts';
import type { Claimed } from '../../lambdas/store/withdrawals.ts';
import { startTestEngine } from '../engine.ts';
import type { TestEngine, TestTable } from '../engine.ts';
import { balanceOf, charge, fundedWallet, newKey, operation, queueTransfer, setStatus, withdraw } from './commands.ts';
import { allItems, asStored, assertRefused, itemOf, plant } from './inspect.ts';

let engine: TestEngine;
let table: TestTable;
before(async () => {
  engine = await startTestEngine();
  table = await engine.newTable();
});
after(() => engine.stop());

const iso = (ms: number) => new Date(ms).toISOString();
const now = () => iso(table.now());
const attempt = (outcome: Attempt['outcome'], reason?: string): Attempt => ({
  at: now(),
  submitted: true,
  outcome,
  ...(reason !== undefined && { reason }),
});
const failure: Failure = { code: 'account_closed', message: 'The account is closed' };

/** A withdrawal of 30 from a wallet with 100. */
async function accepted(): Promise<{ walletId: string; transactionId: string }> {
  const walletId = await fundedWallet(table, 'ann', 100);
  const { transaction } = await withdraw(table, walletId, { owner: 'ann', amount: 30 });
  return { walletId, transactionId: transaction.transactionId };
}

function claim(transactionId: string, claimId = newKey()) {
  const at = table.now();
  return claimWithdrawal(table, transactionId, {
    claimId,
    at: iso(at),
    leaseUntil: iso(at + 40_000),
    submitBy: iso(at + 10_000),
  });
}

async function claimed(transactionId: string): Promise<Claimed> {
  const claimId = newKey();
  const result = await claim(transactionId, claimId);
  assert.ok(result.claimed);
  return { withdrawal: result.before, claimId, at: now() };
}

async function read(transactionId: string): Promise<OpenWithdrawal> {
  const transaction = await getTransaction(table, transactionId);
  assert.ok(transaction);
  return transaction;
}

const isDue = async (transactionId: string) =>
  (await allItems(table, 'due')).some((item) => item['transactionId'] === transactionId);

/** Asserts that what `work` gives is `expected`, and that it wrote nothing. */
async function assertWritesNothing<T>(expected: T, work: () => Promise<T>): Promise<void> {
  const items = await allItems(table);
  assert.deepEqual(await work(), expected);
  assert.deepEqual(await allItems(table), items);
}

describe('a claim', () => {
  it('is taken once, tells what was before, and keeps others away until its lease ends', async () => {
    const { transactionId } = await accepted();
    const before = await read(transactionId);
    const at = table.now();
    const first = await claim(transactionId, 'first');
    assert.deepEqual(first, { claimed: true, before });
    const current = {
      ...before,
      status: 'executing',
      claimId: 'first',
      dueAt: iso(at + 40_000),
      submitBy: iso(at + 10_000),
      updatedAt: iso(at),
    };
    assert.deepEqual(await claim(transactionId, 'second'), { claimed: false, current });
    table.clock.now = at + 39_999;
    assert.deepEqual(await claim(transactionId, 'second'), { claimed: false, current });
    table.clock.now = at + 40_000;
    assert.deepEqual(await claim(transactionId, 'second'), { claimed: true, before: current });
  });

  it('is not to be had on what does not exist, has ended, or is no withdrawal', async () => {
    assert.deepEqual(await claim(transactionIdOf('nobody', newKey())), { claimed: false, current: undefined });
    const { transactionId, walletId } = await accepted();
    await settleWithdrawal(table, await claimed(transactionId), attempt('accepted'));
    const { transaction: charged } = await charge(table, walletId, { amount: 1 });
    const other = await fundedWallet(table, 'bob', 1);
    const { transaction: queued } = await queueTransfer(table, walletId, other, { owner: 'ann', amount: 1 });
    for (const id of [transactionId, charged.transactionId, queued.transactionId]) {
      const current = await read(id);
      await assertWritesNothing({ claimed: false, current }, () => claim(id));
    }
  });

  it('sent by many at once is given to one', async () => {
    const { transactionId } = await accepted();
    const results = await Promise.all(Array.from({ length: 10 }, () => claim(transactionId)));
    assert.equal(results.filter(({ claimed }) => claimed).length, 1);
  });
});

describe('settling', () => {
  it('completes the withdrawal, lets the held money go, and ends the work', async () => {
    const { walletId, transactionId } = await accepted();
    const claim = await claimed(transactionId);
    table.clock.now += 1_000;
    const end = { ...claim, at: now() };
    assert.equal(await settleWithdrawal(table, end, attempt('accepted')), true);
    const { claimId, dueAt, submitBy, ...rest } = await read(transactionId);
    assert.deepEqual([claimId, dueAt, submitBy], [undefined, undefined, undefined]);
    assert.deepEqual(rest.postings, [
      { account: `wallet:${walletId}:available`, amount: -30 },
      { account: `wallet:${walletId}:held`, amount: 30 },
      { account: `wallet:${walletId}:held`, amount: -30 },
      { account: 'external:EUR', amount: 30 },
    ]);
    assert.deepEqual([rest.status, rest.completedAt, rest.updatedAt], ['completed', end.at, end.at]);
    assert.deepEqual(rest.attempts, [attempt('accepted')]);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
    assert.equal(await isDue(transactionId), false);
  });
});

describe('releasing', () => {
  it('fails the withdrawal with the reason and gives the money back', async () => {
    const { walletId, transactionId } = await accepted();
    assert.equal(
      await releaseWithdrawal(table, await claimed(transactionId), attempt('rejected', 'closed'), failure),
      true,
    );
    const transaction = await read(transactionId);
    assert.deepEqual([transaction.status, transaction.failure, transaction.completedAt], ['failed', failure, now()]);
    assert.deepEqual(transaction.postings.slice(2), [
      { account: `wallet:${walletId}:held`, amount: -30 },
      { account: `wallet:${walletId}:available`, amount: 30 },
    ]);
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
    assert.equal(await isDue(transactionId), false);
  });
});

describe('putting back', () => {
  it('ends the lease, keeps the hold, and remembers the attempt and that a submit may have left', async () => {
    const { walletId, transactionId } = await accepted();
    const dueAt = iso(table.now() + 2_000);
    const submitBy = iso(table.now() + 100);
    const visit = attempt('unknown', 'timed out');
    assert.equal(
      await putBackWithdrawal(table, await claimed(transactionId), { dueAt, submitBy, attempt: visit }),
      true,
    );
    const transaction = await read(transactionId);
    assert.deepEqual(
      [transaction.status, transaction.claimId, transaction.dueAt, transaction.submitBy, transaction.attempts],
      ['executing', undefined, dueAt, submitBy, [visit]],
    );
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    assert.ok(await isDue(transactionId));
    assert.equal((await claim(transactionId)).claimed, false, 'not before it is due');
    table.clock.now += 2_000;
    const again = await claimed(transactionId);
    assert.equal(again.withdrawal.submitBy, submitBy);
    const second = attempt('unknown');
    await putBackWithdrawal(table, again, { dueAt: now(), submitBy, attempt: second });
    assert.deepEqual((await read(transactionId)).attempts, [visit, second]);
  });

  it('takes back the announcement of a submit that never left', async () => {
    const { transactionId } = await accepted();
    await putBackWithdrawal(table, await claimed(transactionId), { dueAt: now(), submitBy: undefined });
    const transaction = await read(transactionId);
    assert.deepEqual([transaction.submitBy, transaction.attempts], [undefined, undefined]);
    assert.equal((await claimed(transactionId)).withdrawal.submitBy, undefined);
  });
});

describe('review', () => {
  it('keeps the hold and ends the work', async () => {
    const { walletId, transactionId } = await accepted();
    assert.equal(await reviewWithdrawal(table, await claimed(transactionId), attempt('unknown')), true);
    const transaction = await read(transactionId);
    assert.deepEqual([transaction.status, transaction.completedAt], ['review', undefined]);
    assert.equal(await isDue(transactionId), false);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    table.clock.now += 3_600_000;
    await assertWritesNothing({ claimed: false, current: transaction }, () => claim(transactionId));
  });

  const inReview = async () => {
    const { walletId, transactionId } = await accepted();
    await reviewWithdrawal(table, await claimed(transactionId), attempt('unknown'));
    return { walletId, withdrawal: await read(transactionId) };
  };
  const resolve = (withdrawal: Transaction, outcome: 'completed' | 'failed', key?: string) =>
    resolveWithdrawal(table, operation(table, ['resolve', withdrawal.transactionId, outcome], { key }), {
      withdrawal,
      at: now(),
      from: ['review'],
      failure: outcome === 'failed' ? failure : undefined,
      resolution: { outcome, evidence: 'statement 7', principal: 'operator-1', at: now() },
    });

  it('is ended by an operator either way, once, with the evidence', async () => {
    for (const [outcome, balance] of [
      ['completed', { available: 70, held: 0, total: 70 }],
      ['failed', { available: 100, held: 0, total: 100 }],
    ] as const) {
      const { walletId, withdrawal } = await inReview();
      const key = newKey();
      assert.deepEqual(await resolve(withdrawal, outcome, key), { replayed: false });
      const resolved = await read(withdrawal.transactionId);
      assert.equal(resolved.status, outcome);
      assert.deepEqual(resolved.resolution, { outcome, evidence: 'statement 7', principal: 'operator-1', at: now() });
      assert.deepEqual(resolved.failure, outcome === 'failed' ? failure : undefined);
      assert.deepEqual(await balanceOf(table, walletId), balance);
      await assertWritesNothing({ replayed: true }, () => resolve(withdrawal, outcome, key));
      await assertRefused(table, 'not_in_review', () => resolve(withdrawal, 'completed'));
      await assertRefused(table, 'not_in_review', () => resolve(withdrawal, 'failed'));
      await assertRefused(table, 'idempotency_key_reused', () =>
        resolve(withdrawal, outcome === 'failed' ? 'completed' : 'failed', key),
      );
    }
  });

  it('is not ended by an operator while the service still works on it', async () => {
    const { transactionId } = await accepted();
    const withdrawal = await read(transactionId);
    await assertRefused(table, 'not_in_review', () => resolve(withdrawal, 'failed'));
    await claimed(transactionId);
    await assertRefused(table, 'not_in_review', () => resolve(withdrawal, 'failed'));
  });

  it('whose hold is missing is a fault, and not the operator to blame', async () => {
    const { walletId, withdrawal } = await inReview();
    const wallet = await itemOf(table, { pk: `WALLET#${walletId}`, sk: 'WALLET' });
    await plant(table, { ...wallet, held: 0 });
    await assert.rejects(resolve(withdrawal, 'failed'), { name: 'Error', message: /consume hold/ });
  });
});

describe('a lost claim', () => {
  it('ends nothing: who has it now, or who ended it, decides', async () => {
    const { walletId, transactionId } = await accepted();
    const lost = await claimed(transactionId);
    table.clock.now += 40_000;
    const taken = await claimed(transactionId);
    const ends = (claim: Claimed) => [
      () => settleWithdrawal(table, claim, attempt('accepted')),
      () => releaseWithdrawal(table, claim, attempt('rejected'), failure),
      () => putBackWithdrawal(table, claim, { dueAt: now(), submitBy: undefined }),
      () => reviewWithdrawal(table, claim, attempt('unknown')),
    ];
    for (const end of ends(lost)) await assertWritesNothing(false, end);
    assert.equal(await settleWithdrawal(table, taken, attempt('accepted')), true);
    for (const end of [...ends(lost), ...ends(taken)]) await assertWritesNothing(false, end);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
  });
});

describe('the word of the bank', () => {
  const from = ['pending', 'executing', 'review'] as const;

  it('ends a withdrawal whoever works on it, and only once', async () => {
    const { walletId, transactionId } = await accepted();
    const claim = await claimed(transactionId);
    const verdict = { withdrawal: claim.withdrawal, at: now(), from, failure: undefined };
    assert.equal(await endWithdrawal(table, { ...verdict, attempt: attempt('accepted') }), true);
    await assertWritesNothing(false, () => endWithdrawal(table, { ...verdict, failure }));
    await assertWritesNothing(false, () => releaseWithdrawal(table, claim, attempt('rejected'), failure));
    assert.equal((await read(transactionId)).status, 'completed');
    assert.equal(await isDue(transactionId), false);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
  });

  it('gives the money back when the bank has rejected, also before any claim', async () => {
    const { walletId, transactionId } = await accepted();
    const withdrawal = await read(transactionId);
    assert.equal(await endWithdrawal(table, { withdrawal, at: now(), from, failure }), true);
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
    assert.deepEqual(await claim(transactionId), { claimed: false, current: await read(transactionId) });
  });
});

describe('a return', () => {
  it('brings the money of a completed withdrawal back once, as a transaction of its own, linked both ways', async () => {
    const { walletId, transactionId } = await accepted();
    await settleWithdrawal(table, await claimed(transactionId), attempt('accepted'));
    await setStatus(table, walletId, 'frozen');
    const original = await read(transactionId);
    table.clock.now += 86_400_000;
    const returned = await returnWithdrawal(table, original, now());
    assert.deepEqual(
      [returned.transactionId, returned.type, returned.status, returned.amount, returned.originalTransactionId],
      [returnIdOf(transactionId), 'return', 'completed', 30, transactionId],
    );
    assert.deepEqual(await read(returnIdOf(transactionId)), asStored(returned));
    const { returnTransactionId, status } = await read(transactionId);
    assert.deepEqual([returnTransactionId, status], [returned.transactionId, 'completed']);
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: 0, total: 100 });
    const history = await listTransactions(table, { walletId, limit: 1 });
    assert.deepEqual(history.items, [asStored(returned)]);
    table.clock.now += 1_000;
    await assertWritesNothing(asStored<Transaction>(returned), () => returnWithdrawal(table, original, now()));
  });

  it('of what was not completed is a fault', async () => {
    const { transactionId } = await accepted();
    const items = await allItems(table);
    await assert.rejects(returnWithdrawal(table, await read(transactionId), now()), /it is not completed/);
    assert.deepEqual(await allItems(table), items);
  });
});

describe('a wallet that was frozen after the acceptance', () => {
  for (const [name, end, balance] of [
    ['settled', (claim: Claimed) => settleWithdrawal(table, claim, attempt('accepted')), { available: 70, total: 70 }],
    [
      'released',
      (claim: Claimed) => releaseWithdrawal(table, claim, attempt('rejected'), failure),
      { available: 100, total: 100 },
    ],
  ] as const) {
    it(`does not keep its withdrawal from being ${name}`, async () => {
      const { walletId, transactionId } = await accepted();
      await setStatus(table, walletId, 'frozen');
      assert.equal(await end(await claimed(transactionId)), true);
      assert.deepEqual(await balanceOf(table, walletId), { ...balance, held: 0 });
    });
  }
});

describe('a hold that is not there', () => {
  it('is a fault: nothing is settled, nothing is released', async () => {
    const { walletId, transactionId } = await accepted();
    const claim = await claimed(transactionId);
    const wallet = await itemOf(table, { pk: `WALLET#${walletId}`, sk: 'WALLET' });
    await plant(table, { ...wallet, held: 29 });
    const items = await allItems(table);
    await assert.rejects(settleWithdrawal(table, claim, attempt('accepted')), {
      name: 'Error',
      message: /consume hold/,
    });
    await assert.rejects(releaseWithdrawal(table, claim, attempt('rejected'), failure), /consume hold/);
    assert.deepEqual(await allItems(table), items);
    assert.ok(await itemOf(table, transactionKey(transactionId)));
  });
});
