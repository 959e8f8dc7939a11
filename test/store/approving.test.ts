/** Approvals of commands that need two operators: who may approve, and what is written; on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { walletIdOf } from '../../lambdas/domain/ids.ts';
import { approvalKey } from '../../lambdas/store/keys.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { reviewWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { measure } from '../engine.ts';
import { inTurn, lostAnswer, twice } from '../faults.ts';
import type { CallerContext } from '../request.ts';
import { checkUnits } from '../units.ts';
import { codeOf } from '../request.ts';
import { as, asked, hourMs, isReplay, namesOf, oda, olga, omar, stateOf, useApprovals } from './approval-scenes.ts';
import { newKey, timeOf, withdraw } from './commands.ts';
import { changeItem, withdrawalOf } from './inspect.ts';
import { claimed, visit } from './visits.ts';
import { fundedWallet, openWallet, setStatus } from './wallets.ts';

const { table, ask, chargeOf, decide, read, available, assertRefused, inReview, setFees } = useApprovals();

describe('approving', () => {
  it('executes a charge for its asker, names both operators, and ends the approval', async () => {
    const before = await available();
    const key = newKey();
    const { approvalId, transactionId } = await asked(chargeOf(250, { key, body: { metadata: { order: '7' } } }));
    const approved = await decide('approve', approvalId, { body: { reason: 'checked' } });
    assert.deepEqual(stateOf(approved), [200, 'approved']);
    assert.equal(await available(), before + 250);
    const booked = await getTransaction(table, transactionId);
    assert.ok(booked?.type === 'charge');
    assert.deepEqual([booked.principal, booked.approvedBy?.principal], ['olga', 'omar']);
    assert.deepEqual(booked.metadata, { order: '7' });
    const { body } = await read(approvalId);
    assert.deepEqual(body, approved.body);
    assert.deepEqual([body?.['reason'], (body?.['endedBy'] as { principal: string }).principal], ['checked', 'omar']);

    const again = await chargeOf(250, { key, body: { metadata: { order: '7' } } });
    assert.deepEqual([stateOf(again), isReplay(again)], [[201, 'completed'], true]);
    assert.equal(again.body?.['transactionId'], transactionId);
    assert.equal((again.body['approvedBy'] as { principal: string }).principal, 'omar');
  });

  it('shows the fee that a charge takes, and executes it with no other one', async () => {
    const before = await available();
    setFees({ flat: 7 });
    const [first, second] = [await asked(chargeOf(250)), await asked(chargeOf(260))];
    assert.equal((await read(first.approvalId)).body?.['fee'], 7);
    assert.deepEqual(stateOf(await decide('approve', first.approvalId)), [200, 'approved']);
    assert.equal(await available(), before + 243);
    for (const later of [{ flat: 8 }, undefined]) {
      setFees(later);
      const refused = await assertRefused([409, 'approval_expired'], () => decide('approve', second.approvalId));
      assert.match(String(refused.body?.['detail']), /^the fee is [08], and was 7 when this was asked for/);
    }
    assert.deepEqual(codeOf(await decide('approve', first.approvalId, { as: oda })), [409, 'approval_ended']);
    assert.deepEqual(stateOf(await decide('reject', second.approvalId)), [200, 'rejected']);
  });

  it('resolves a withdrawal', async () => {
    const { owned, transactionId } = await inReview();
    const body = { outcome: 'failed', evidence: 'letter' };
    const { approvalId } = await asked(ask('resolve', { transactionId }, { body }));
    assert.equal((await withdrawalOf(table, transactionId)).status, 'review');
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
    const { status, resolution, endedBy } = await withdrawalOf(table, transactionId);
    assert.deepEqual([status, resolution?.principal, endedBy?.principal], ['failed', 'olga', 'olga']);
    assert.equal(resolution?.approvedBy?.principal, 'omar');
    assert.equal(await available(owned), 100);
  });

  it('unfreezes a wallet', async () => {
    const owned = await openWallet(table, 'ann');
    await setStatus(table, owned, 'frozen');
    const key = newKey();
    const { approvalId } = await asked(ask('unfreeze', { walletId: owned }, { key, body: { reason: 'cleared' } }));
    assert.equal((await getWallet(table, owned, { consistent: true }))?.status, 'frozen');
    await decide('approve', approvalId);
    const { status, lastStatusChange } = (await getWallet(table, owned, { consistent: true })) ?? {};
    assert.equal(status, 'active');
    const { actor, approvedBy, reason } = lastStatusChange ?? {};
    assert.deepEqual([actor?.principal, approvedBy?.principal, reason], ['olga', 'omar', 'cleared']);
    const again = await ask('unfreeze', { walletId: owned }, { key, body: { reason: 'cleared' } });
    assert.deepEqual([stateOf(again), isReplay(again)], [[200, 'active'], true]);
  });

  it('is for operators with the scope of the command, and not for its asker and the owners of its wallets', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const by = (caller: CallerContext) => decide('approve', approvalId, { as: caller });
    const own = await assertRefused([403, 'forbidden'], () => by(olga));
    assert.match(String(own.body?.['detail']), /asked for this itself/);
    const owner = await assertRefused([403, 'forbidden'], () => by(as('ann')));
    assert.match(String(owner.body?.['detail']), /the wallet is its own/);
    for (const scopes of ['decide', 'support', 'read write']) {
      await assertRefused([403, 'forbidden'], () => by(as('omar', scopes)));
    }
    assert.deepEqual(stateOf(await by(as('omar', 'operate'))), [200, 'approved']);

    const { transactionId } = await inReview();
    const wanted = { body: { outcome: 'completed', evidence: 'line 7' } };
    const resolved = await asked(ask('resolve', { transactionId }, wanted));
    await assertRefused([403, 'forbidden'], () =>
      decide('approve', resolved.approvalId, { as: as('omar', 'charge support') }),
    );
    const requester = await assertRefused([403, 'forbidden'], () =>
      decide('approve', resolved.approvalId, { as: as('ann') }),
    );
    assert.match(String(requester.body?.['detail']), /asked for this withdrawal/);
    assert.deepEqual(stateOf(await decide('approve', resolved.approvalId, { as: as('omar', 'decide') })), [
      200,
      'approved',
    ]);
  });

  it('says that the asker may not do what it asked for', async () => {
    const owned = await fundedWallet(table, 'olga', 100);
    const { transactionId } = (await withdraw(table, owned, { amount: 30 })).transaction;
    await reviewWithdrawal(table, await claimed(table, transactionId), visit(table, 'unknown'));
    const body = { outcome: 'completed', evidence: 'line 7' };
    const { approvalId } = await asked(ask('resolve', { transactionId }, { body }));
    const answer = await assertRefused([403, 'forbidden'], () => decide('approve', approvalId));
    assert.match(String(answer.body?.['detail']), /^its asker may not do this: /);
  });

  it('unfreezes no wallet whose status changed after it was asked for', async () => {
    const owned = await openWallet(table, 'ann');
    await setStatus(table, owned, 'frozen');
    const { approvalId } = await asked(ask('unfreeze', { walletId: owned }, {}));
    // In the same millisecond, and by a clock that is behind: no time decides which one was later.
    const { approvalId: other } = await asked(ask('unfreeze', { walletId: owned }, {}));
    table.clock.now -= 1_000;
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
    await setStatus(table, owned, 'frozen');
    table.clock.now += 1_000;
    const stale = await assertRefused([409, 'approval_expired'], () => decide('approve', other));
    assert.match(String(stale.body?.['detail']), /changed at .*, and at .* when this was asked for/);
    assert.deepEqual(stateOf(await decide('reject', other)), [200, 'rejected']);
  });

  it('executes exactly what was asked for, and nothing that a stored request became', async () => {
    for (const members of [
      { body: { amount: 999_999 } },
      { path: { walletId: await openWallet(table, 'olga') } },
      { amount: 3 },
      { currency: 'USD' },
      // Owners of its wallets, the requester and the asker are not the ones that the approver is compared with.
      { walletIds: [await openWallet(table, 'ben')] },
      { requestedBy: 'ben' },
      { askedBy: { kind: 'operator', principal: 'ben' } },
      { idempotencyKey: 'another' },
    ]) {
      const { approvalId } = await asked(chargeOf(300));
      await changeItem(table, approvalKey(approvalId), members);
      await assertRefused([500, 'internal_error'], () => decide('approve', approvalId));
    }
  });

  it('answers the refusal of the command, and stays open', async () => {
    const owned = await openWallet(table, 'ann');
    await setStatus(table, owned, 'frozen');
    const key = newKey();
    const { approvalId } = await asked(chargeOf(300, {}, owned));
    await assertRefused([409, 'wallet_frozen'], () => decide('approve', approvalId, { key }));
    assert.deepEqual(stateOf(await read(approvalId)), [200, 'asked']);
    await setStatus(table, owned, 'active');
    assert.deepEqual(stateOf(await decide('approve', approvalId, { key })), [200, 'approved']);
    assert.equal(await available(owned), 300);
    const lost = await asked(chargeOf(300, {}, `w_eur_${'a'.repeat(26)}`));
    await assertRefused([404, 'wallet_not_found'], () => decide('approve', lost.approvalId));
  });

  it('is answered again to the same approver and key, and refused to all others', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const key = newKey();
    const before = await available();
    const first = await decide('approve', approvalId, { key });
    table.clock.now += hourMs;
    const again = await decide('approve', approvalId, { key });
    assert.deepEqual([stateOf(again), isReplay(again), again.body], [[200, 'approved'], true, first.body]);
    assert.equal(await available(), before + 300);
    await assertRefused([422, 'idempotency_key_reused'], () =>
      decide('approve', approvalId, { key, body: { reason: 'another' } }),
    );
    await assertRefused([409, 'approval_ended'], () => decide('approve', approvalId));
    await assertRefused([409, 'approval_ended'], () => decide('approve', approvalId, { as: oda }));
    await assertRefused([409, 'approval_ended'], () => decide('reject', approvalId));
  });

  it('is not for an operator who opens the wallet between the look at its owner and the write', async () => {
    const [key, currency] = [newKey(), 'EUR'];
    const { approvalId } = await asked(chargeOf(300, {}, walletIdOf('omar', key, currency)));
    table.fault = async (call, perform) => {
      const answer = await perform();
      if (call.operation === 'BatchGetItem') {
        table.fault = undefined;
        await openWallet(table, 'omar', currency, key);
      }
      return answer;
    };
    assert.deepEqual(codeOf(await decide('approve', approvalId)), [404, 'wallet_not_found']);
    await assertRefused([403, 'forbidden'], () => decide('approve', approvalId));
  });

  it('takes no key that was used before', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const key = newKey();
    await chargeOf(1, { as: omar, key });
    await assertRefused([422, 'idempotency_key_reused'], () => decide('approve', approvalId, { key }));
    await assertRefused([422, 'idempotency_key_reused'], () => decide('reject', approvalId, { key }));
  });

  it('survives a lost answer and a second delivery of its write', async () => {
    for (const fault of [lostAnswer, twice]) {
      const { approvalId } = await asked(chargeOf(300));
      const before = await available();
      const first = inTurn(fault);
      table.fault = (call, perform) => (call.operation === 'TransactWriteItems' ? first(call, perform) : perform());
      const answer = await decide('approve', approvalId).finally(() => (table.fault = undefined));
      assert.deepEqual(stateOf(answer), [200, 'approved']);
      assert.equal(await available(), before + 300);
    }
  });

  it('has one end when many operators approve and reject it at once', async () => {
    for (let round = 0; round < 10; round++) {
      const { approvalId } = await asked(chargeOf(300));
      const before = await available();
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          decide(n % 3 === 2 ? 'reject' : 'approve', approvalId, { as: as(`decider-${String(n)}`) }),
        ),
      );
      const ends = answers.filter(({ status }) => status === 200);
      assert.equal(ends.length, 1);
      for (const answer of answers.filter((one) => !ends.includes(one))) {
        assert.deepEqual(codeOf(answer), [409, 'approval_ended']);
      }
      const { body } = await read(approvalId);
      assert.deepEqual(body, ends[0]?.body);
      assert.equal(await available(), before + (body?.['status'] === 'approved' ? 300 : 0));
    }
  });

  it('ends at the expiry, by the condition of the write', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const expiresAt = table.now() + hourMs;
    const slow = await asked(chargeOf(300));
    table.clock.now = expiresAt - 1;
    // The time of the request counts, so a write that begins later is as good as one at once.
    assert.deepEqual(stateOf(await decide('approve', approvalId)), [200, 'approved']);
    table.clock.now = expiresAt;
    await assertRefused([409, 'approval_expired'], () => decide('approve', slow.approvalId));
    await assertRefused([409, 'approval_expired'], () => decide('reject', slow.approvalId));
    assert.deepEqual(stateOf(await read(slow.approvalId)), [200, 'expired']);
    // The check of a reader whose clock is behind passes; the condition has the time of this request.
    await plantOpen(slow.approvalId, timeOf(table, 1));
    assert.deepEqual(stateOf(await decide('approve', slow.approvalId)), [200, 'approved']);
  });

  it('takes its command, its approval and the approver in one write: 5 write units more than the charge', async () => {
    const { approvalId } = await asked(chargeOf(300));
    const measured = await measure(table, () => decide('approve', approvalId));
    assert.deepEqual(namesOf(measured), ['GetItem', 'BatchGetItem', 'TransactWriteItems']);
    checkUnits(() => {
      assert.equal(measured.writeUnits, 10);
    });
  });
});

/** Gives a stored approval another expiry. */
async function plantOpen(approvalId: string, expiresAt: string): Promise<void> {
  await changeItem(table, approvalKey(approvalId), { expiresAt, dueAt: expiresAt });
}
