import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import {
  approverRefusal,
  askedApproval,
  decisionRefusal,
  endedApproval,
  isAsAsked,
  needsApproval,
  showsFacts,
  statusAt,
} from '../../lambdas/domain/approval.ts';
import type { Approval, AskFacts } from '../../lambdas/domain/approval.ts';
import { approvalActor, approvalEvent } from '../../lambdas/domain/events.ts';
import { approvalIdOfTransaction, fingerprintOf, isApprovalId, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { namedSchemas } from '../../lambdas/views/answer-schemas.ts';
import { approvalFields, approvalView, publishedApproval } from '../../lambdas/views/approval-view.ts';
import { eventSchemas } from '../../lambdas/views/event-schemas.ts';

const at = '2026-03-01T12:00:00.000Z';
const later = '2026-03-01T13:00:00.000Z';
const dayMs = 86_400_000;
const olga = { kind: 'operator', principal: 'olga', issuer: 'n4bQgY' } as const;
const omar = { kind: 'operator', principal: 'omar', issuer: 'n4bQgY' } as const;

function ask(more: Partial<AskFacts> = {}): Approval {
  return askedApproval({
    command: 'resolve',
    path: { transactionId: 'tx_1' },
    body: { outcome: 'failed', evidence: 'letter of the bank' },
    askedBy: olga,
    idempotencyKey: 'secret key',
    fingerprint: 'print',
    walletIds: ['w_1'],
    amount: 5,
    currency: 'EUR',
    requestedBy: 'ann',
    limits: { out: { perDay: 5 } },
    limitsVersion: 3,
    statusChangedAt: at,
    at,
    expiresAfterMs: dayMs,
    ...more,
  });
}

describe('the need of an approval', () => {
  const amounts = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

  it('of a charge or refund is above the amount of its currency, or of all where it has none', () => {
    fc.assert(
      fc.property(amounts, amounts, amounts, fc.constantFrom('EUR', 'JPY'), (above, ofYen, amount, currency) => {
        const limit = currency === 'JPY' ? ofYen : above;
        for (const command of ['charge', 'refund'] as const) {
          const fourEyes = { [command]: { above, byCurrency: { JPY: ofYen } } };
          assert.equal(needsApproval(fourEyes, command, { amount, currency }), amount > limit);
        }
      }),
    );
  });

  it('of the other commands is there or not, whatever they move', () => {
    const guards = { resolve: 'resolve', unfreeze: 'unfreeze', 'set-limits': 'limits' } as const;
    for (const command of ['resolve', 'unfreeze', 'set-limits'] as const) {
      for (const money of [undefined, { amount: 1, currency: 'EUR' }]) {
        assert.equal(needsApproval({ [guards[command]]: true }, command, money), true);
        assert.equal(needsApproval({ charge: { above: 0 } }, command, money), false);
      }
    }
  });
});

describe('an approval', () => {
  it('has an id that its asker and key give, as has the record of its command', () => {
    const { approvalId, transactionId } = ask();
    assert.equal(transactionId, transactionIdOf('olga', 'secret key'));
    assert.equal(approvalId, transactionId.replace('tx_', 'ap_'));
    assert.ok(isApprovalId(approvalId));
    assert.notEqual(ask({ askedBy: omar }).approvalId, approvalId);
  });

  it('is open until its expiry, and ends once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 * dayMs }), fc.integer({ min: 0, max: 8 * dayMs }), (lasts, after) => {
        const approval = ask({ expiresAfterMs: lasts });
        const now = new Date(Date.parse(at) + after).toISOString();
        const isOpen = after < lasts;
        assert.equal(statusAt(approval, now), isOpen ? 'asked' : 'expired');
        assert.equal(decisionRefusal(approval, now)?.code, isOpen ? undefined : 'approval_expired');
        for (const status of ['approved', 'rejected'] as const) {
          const ended = endedApproval(approval, { status, by: omar, at: now });
          assert.equal(statusAt(ended, now), status);
          assert.equal(decisionRefusal(ended, now)?.code, 'approval_ended');
        }
      }),
    );
    assert.equal(decisionRefusal(undefined, at)?.code, 'approval_not_found');
  });

  it('is approved neither by its asker nor by the requester of its withdrawal', () => {
    assert.match(approverRefusal(ask(), 'olga')?.message ?? '', /asked for this itself/);
    assert.match(approverRefusal(ask(), 'ann')?.message ?? '', /asked for this withdrawal/);
    assert.equal(approverRefusal(ask(), 'omar'), undefined);
  });

  it('is what was asked for while its request, its asker and its ids are: each of them gives another', () => {
    const { command, path, body } = ask();
    const approval = ask({ fingerprint: fingerprintOf([command, path, body]) });
    const other = transactionIdOf('olga', 'another key');
    assert.equal(isAsAsked(approval), true);
    for (const change of [
      { command: 'charge' as const },
      { path: { transactionId: 'tx_2' } },
      { body: { ...body, outcome: 'completed' } },
      { askedBy: omar },
      { idempotencyKey: 'another key' },
      { transactionId: other },
      { transactionId: other, approvalId: approvalIdOfTransaction(other) },
    ]) {
      assert.equal(isAsAsked({ ...approval, ...change }), false, JSON.stringify(change));
    }
  });

  it('shows the facts of its command, each of which can differ', () => {
    const approval = ask();
    const { walletIds, requestedBy, amount = 0, currency = '', limits, limitsVersion } = approval;
    const facts = { command: 'resolve', walletIds, requestedBy, amount, currency, limits, limitsVersion } as const;
    assert.equal(showsFacts(approval, facts), true);
    for (const change of [
      { command: 'refund' as const },
      { walletIds: [] },
      { requestedBy: undefined },
      { amount: 6 },
      { currency: 'USD' },
      { limits: { out: { perDay: 6 } } },
      { limitsVersion: 4 },
    ]) {
      assert.equal(showsFacts(approval, { ...facts, ...change }), false, JSON.stringify(change));
    }
  });

  it('has an event for its request and one for its end, by the operator who made it', () => {
    const asked = ask();
    const ended = endedApproval(asked, { status: 'rejected', by: omar, reason: 'no', at: later });
    assert.deepEqual([approvalEvent(undefined, asked), approvalActor(asked)], ['approval.asked', olga]);
    assert.deepEqual([approvalEvent(asked, ended), approvalActor(ended)], ['approval.rejected', omar]);
    assert.equal(approvalEvent(asked, { ...asked, walletIds: [] }), undefined);
  });
});

describe('the view of an approval', () => {
  const ended = endedApproval({ ...ask(), fee: 1 }, { status: 'approved', by: omar, reason: 'checked', at: later });

  it('has a decision for every field', () => {
    assert.deepEqual(Object.keys(approvalFields).sort(), Object.keys(ended).sort());
  });

  it('lists its fields in the order of the documented schema, and members of the request by name', () => {
    const shown = approvalView({ ...ended, body: { b: 1, a: { d: 1, c: 2 } } }, later);
    assert.deepEqual(Object.keys(shown), Object.keys(namedSchemas.Approval.shape));
    assert.equal(JSON.stringify(shown.body), '{"a":{"c":2,"d":1},"b":1}');
    assert.deepEqual(namedSchemas.Approval.parse(shown), shown);
  });

  it('shows the key to no audience, and the request and its evidence to operators alone', () => {
    const [forOperators, published] = [approvalView(ended, later), publishedApproval(ended)];
    for (const shown of [forOperators, published]) {
      for (const hidden of ['secret key', 'print', 'ann']) assert.ok(!JSON.stringify(shown).includes(hidden), hidden);
    }
    assert.ok(JSON.stringify(forOperators).includes('letter of the bank'));
    assert.ok(!JSON.stringify(published).includes('letter of the bank'));
    const { approval: schema } = eventSchemas['approval.approved'].shape;
    assert.deepEqual(schema.parse(published), published);
    assert.deepEqual([published.askedBy, published.reason, published.status], ['olga', 'checked', 'approved']);
  });
});
