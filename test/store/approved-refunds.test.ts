/** Refunds and chargebacks that two operators make; on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { approvalKey } from '../../lambdas/store/keys.ts';
import { measure } from '../engine.ts';
import { inTurn, lostAnswer, twice } from '../faults.ts';
import { endUser } from '../request.ts';
import { checkUnits } from '../units.ts';
import { as, asked, isReplay, namesOf, stateOf, useApprovals } from './approval-scenes.ts';
import type { Wanted } from './approval-scenes.ts';
import { charge, newKey, transfer } from './commands.ts';
import { changeItem, fieldsOf } from './inspect.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';

const { table, ask, decide, read, available, assertRefused } = useApprovals();
const [olga, omar, oda] = [as('olga', 'operate'), as('omar', 'operate'), as('oda', 'operate')];

const giveBack = (transactionId: string, { as: caller = olga, key, body }: Wanted = {}) =>
  ask(
    'refund',
    { transactionId },
    { as: caller, ...(key !== undefined && { key }), body: { reason: 'sorry', ...body } },
  );
const approve = (approvalId: string, wanted: Wanted = {}) => decide('approve', approvalId, { as: omar, ...wanted });

/** A transfer of ann's money to a shop. */
async function paid(amount = 300) {
  const [payer, shop] = [await fundedWallet(table, 'ann', 1_000), await openWallet(table, 'shop')];
  const { transactionId } = (await transfer(table, payer, shop, { amount, owner: 'ann' })).transaction;
  return { payer, shop, transactionId };
}

describe('asking for a refund', () => {
  it('is for operators above the amount, for chargebacks too, and never for the owner of the receipt', async () => {
    const small = await paid();
    assert.deepEqual(stateOf(await giveBack(small.transactionId, { body: { amount: 100 } })), [201, 'completed']);
    assert.deepEqual(stateOf(await giveBack(small.transactionId, { as: endUser('shop'), body: { amount: 150 } })), [
      201,
      'completed',
    ]);
    const { payer, shop, transactionId } = await paid();
    const before = [await available(payer), await available(shop)];
    const { approvalId } = await asked(giveBack(transactionId, { body: { amount: 101 } }));
    const { body } = await read(approvalId, omar);
    const { command, amount, currency, walletIds } = body ?? {};
    assert.deepEqual([command, amount, currency, walletIds], ['refund', 101, 'EUR', [shop, payer]]);
    assert.deepEqual([await available(payer), await available(shop)], before);
    const charged = (await charge(table, payer, { amount: 500 })).transaction.transactionId;
    await asked(giveBack(charged, { body: { chargeback: true } }));
    assert.deepEqual(
      [await available(payer), (await fieldsOf(table, charged))?.refunded],
      [before[0]! + 500, undefined],
    );
  });

  it('of all that is left shows this amount, and is judged by the whole transaction', async () => {
    const { transactionId } = await paid();
    await giveBack(transactionId, { as: endUser('shop'), body: { amount: 250 } });
    const key = newKey();
    const { approvalId } = await asked(giveBack(transactionId, { key }));
    assert.equal((await read(approvalId, omar)).body?.['amount'], 50);
    await giveBack(transactionId, { as: endUser('shop'), body: { amount: 10 } });
    const again = await giveBack(transactionId, { key });
    assert.deepEqual([stateOf(again), again.body?.['amount'], isReplay(again)], [[202, 'asked'], 50, true]);
  });

  it('refuses what would be refused anyway', async () => {
    const { transactionId } = await paid();
    await assertRefused([422, 'exceeds_refundable'], () => giveBack(transactionId, { body: { amount: 301 } }));
    await assertRefused([409, 'not_refundable'], () => giveBack(transactionId, { body: { chargeback: true } }));
    await assertRefused([403, 'forbidden'], () => giveBack(transactionId, { as: endUser('ann') }));
    const rich = await fundedWallet(table, 'ann', 2_000_000);
    const large = (await charge(table, rich, { amount: 1_500_000 })).transaction.transactionId;
    await assertRefused([403, 'operator_limit_exceeded'], () => giveBack(large));
  });
});

describe('approving a refund', () => {
  it('executes it for its asker, names both operators, and answers the repetition', async () => {
    const { payer, shop, transactionId } = await paid();
    const before = [await available(payer), await available(shop)];
    const key = newKey();
    const { approvalId, transactionId: refundId } = await asked(giveBack(transactionId, { key }));
    assert.deepEqual(stateOf(await approve(approvalId)), [200, 'approved']);
    assert.deepEqual([await available(payer), await available(shop)], [before[0]! + 300, before[1]! - 300]);
    const { principal, refundedBy, approvedBy } = (await fieldsOf(table, refundId)) ?? {};
    assert.deepEqual([principal, refundedBy, approvedBy?.principal], ['olga', 'operator', 'omar']);
    const { refunded, refunds } = (await fieldsOf(table, transactionId)) ?? {};
    assert.deepEqual([refunded, refunds], [300, [refundId]]);
    const again = await giveBack(transactionId, { key });
    assert.deepEqual([stateOf(again), isReplay(again)], [[201, 'completed'], true]);
    assert.equal(again.body?.['transactionId'], refundId);
    assert.deepEqual([await available(payer), await available(shop)], [before[0]! + 300, before[1]! - 300]);
  });

  it('books a chargeback, also below zero', async () => {
    const wallet = await fundedWallet(table, 'ann', 1_000);
    const { transactionId } = (await charge(table, wallet, { amount: 500 })).transaction;
    await setStatus(table, wallet, 'frozen');
    const { approvalId } = await asked(giveBack(transactionId, { body: { chargeback: true } }));
    assert.deepEqual(stateOf(await approve(approvalId)), [200, 'approved']);
    assert.equal(await available(wallet), 1_000);
  });

  it('is for other operators who own neither wallet', async () => {
    const { transactionId } = await paid();
    const { approvalId } = await asked(giveBack(transactionId));
    await assertRefused([403, 'forbidden'], () => approve(approvalId, { as: olga }));
    for (const owner of ['ann', 'shop']) {
      await assertRefused([403, 'forbidden'], () => approve(approvalId, { as: as(owner, 'operate') }));
    }
    await assertRefused([403, 'forbidden'], () => approve(approvalId, { as: as('omar') }));
    assert.deepEqual(stateOf(await approve(approvalId)), [200, 'approved']);
  });

  it('gives back no less than what was approved: when less is left, it is refused', async () => {
    const { payer, transactionId } = await paid();
    const { approvalId } = await asked(giveBack(transactionId));
    await giveBack(transactionId, { as: endUser('shop'), body: { amount: 1 } });
    const before = await available(payer);
    await assertRefused([422, 'exceeds_refundable'], () => approve(approvalId));
    assert.equal(await available(payer), before);
    assert.deepEqual(stateOf(await decide('reject', approvalId, { as: omar })), [200, 'rejected']);
  });

  it('takes no key of the approver that made the refunded transaction', async () => {
    const key = newKey();
    const wallet = await fundedWallet(table, 'ann', 1_000);
    const { transactionId, principal } = (await charge(table, wallet, { amount: 500, key })).transaction;
    const { approvalId } = await asked(giveBack(transactionId));
    const maker = as(principal, 'operate');
    await assertRefused([422, 'idempotency_key_reused'], () => approve(approvalId, { as: maker, key }));
    assert.deepEqual(stateOf(await approve(approvalId, { as: maker })), [200, 'approved']);
  });

  it('executes nothing when its approval shows other wallets', async () => {
    const { transactionId } = await paid();
    const { approvalId } = await asked(giveBack(transactionId));
    await changeItem(table, approvalKey(approvalId), { walletIds: [await openWallet(table, 'ben')] });
    await assertRefused([500, 'internal_error'], () => approve(approvalId, { as: as('ann', 'operate') }));
  });

  it('has one end when many operators approve and reject it at once', async () => {
    for (let round = 0; round < 5; round++) {
      const { payer, transactionId } = await paid();
      const { approvalId } = await asked(giveBack(transactionId));
      const before = await available(payer);
      const deciders = Array.from({ length: 6 }, (_, n) => as(`decider-${String(n)}`, 'operate'));
      const answers = await Promise.all(
        deciders.map((decider, n) => decide(n % 3 === 2 ? 'reject' : 'approve', approvalId, { as: decider })),
      );
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
      const { body } = await read(approvalId, oda);
      assert.equal(await available(payer), before + (body?.['status'] === 'approved' ? 300 : 0));
    }
  });

  it('survives a lost answer and a second delivery of its write', async () => {
    for (const fault of [lostAnswer, twice]) {
      const { payer, transactionId } = await paid();
      const { approvalId } = await asked(giveBack(transactionId));
      const before = await available(payer);
      const first = inTurn(fault);
      table.fault = (call, perform) => (call.operation === 'TransactWriteItems' ? first(call, perform) : perform());
      const answer = await approve(approvalId).finally(() => (table.fault = undefined));
      assert.deepEqual(stateOf(answer), [200, 'approved']);
      assert.equal(await available(payer), before + 300);
    }
  });

  it('takes one write, 5 write units more than the refund; one that needs no approval costs what it did', async () => {
    const { transactionId } = await paid();
    const plain = await measure(table, () => giveBack(transactionId, { body: { amount: 10 } }));
    const { approvalId } = await asked(giveBack(transactionId, { body: { amount: 200 } }));
    const approved = await measure(table, () => approve(approvalId));
    assert.deepEqual(namesOf(plain), ['GetItem', 'TransactWriteItems']);
    assert.deepEqual(namesOf(approved), ['GetItem', 'BatchGetItem', 'GetItem', 'TransactWriteItems']);
    checkUnits(() => {
      assert.deepEqual([plain.writeUnits, approved.writeUnits], [12, 17]);
    });
  });
});
