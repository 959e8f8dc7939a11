import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { namedSchemas } from '../../lambdas/views/answer-schemas.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { publishedTransaction, transactionFields, transactionView } from '../../lambdas/views/transaction-view.ts';
import { audiences } from '../../lambdas/views/view.ts';
import type { TransactionFields } from '../../lambdas/views/transaction-view.ts';
import type { Audience } from '../../lambdas/views/view.ts';
import { at, everyField, transaction } from './view-examples.ts';

const seenByAll = [
  ...['transactionId', 'receiptCode', 'type', 'status', 'amount', 'currency', 'walletId', 'to'],
  ...['postings', 'description', 'createdAt', 'updatedAt', 'completedAt'],
  ...['originalTransactionId', 'expiresAt', 'executedAt', 'captured', 'end', 'reason', 'chargeback', 'splitId'],
];
const unpublished = ['refunded', 'refunds', 'importedAt', 'opening'];
const collections = ['sequence', 'collected'];
const seenByOwner = [
  ...seenByAll,
  ...['destination', 'failure', 'attempts', 'resolution', 'returnTransactionId'],
  ...[
    'externalReference',
    'uniqueReference',
    'metadata',
    'cancellation',
    'waitingFor',
    'executeAt',
    'standingOrderId',
    'sentWith',
    'fee',
    'batchId',
  ],
];
/** The fields that each audience sees. */
const receiver = 'counterpartyWalletId';
const seen: Record<Audience, readonly string[]> = {
  // The operator `endedBy` gave the reason for the release, so the others do not see it.
  operator: [
    ...[...seenByOwner, ...unpublished, ...collections],
    ...['settledWith', 'requestedBy', 'endedBy', 'approvedBy', 'releaseReason', receiver],
  ],
  // It was paid by an alias.
  owner: [...seenByOwner, ...unpublished],
  counterparty: [...seenByAll, ...unpublished, 'settledWith', receiver],
  subscriber: [...seenByOwner, ...collections, 'settledWith', receiver],
};

function viewFor(audience: Audience): Record<string, unknown> {
  return shownTo(audience, transaction);
}

function shownTo(audience: Audience, shown: Transaction): Record<string, unknown> {
  return audience === 'subscriber' ? publishedTransaction(shown, 'print') : transactionView(shown, audience);
}

describe('the view of a transaction', () => {
  it('has a decision for every field and every audience, and shows exactly the fields it allows', () => {
    const fields = [...Object.keys(transaction), 'receiptCode', 'requestedBy', 'destinationFingerprint'];
    assert.deepEqual(Object.keys(transactionFields).sort(), fields.sort());
    for (const audience of audiences) {
      assert.deepEqual(Object.keys(viewFor(audience)).sort(), [...seen[audience]].sort(), audience);
    }
  });

  it('lists its fields in the order of the documented schema, in any order of the record', () => {
    const backwards = Object.fromEntries(Object.entries(transaction).reverse()) as unknown as Transaction;
    const documented = Object.keys(namedSchemas.Transaction.shape);
    for (const audience of ['operator', 'owner', 'counterparty'] as const) {
      const shown = transactionView(backwards, audience);
      assert.deepEqual(
        Object.keys(shown),
        documented.filter((field) => field in shown),
      );
      assert.deepEqual(Object.keys(shown.postings[0]!), ['account', 'amount']);
      assert.deepEqual(namedSchemas.Transaction.parse(shown), shown);
    }
  });

  it('gives the evidence and the person to operators alone, and the account to no audience', () => {
    for (const audience of audiences) {
      const text = JSON.stringify(viewFor(audience));
      assert.equal(text.includes('letter of the bank'), audience === 'operator', audience);
      assert.equal(text.includes('olga'), audience === 'operator', audience);
      assert.ok(!text.includes('DE0212'), audience);
      assert.equal(text.includes('Ann Example'), audience === 'operator' || audience === 'owner', audience);
    }
    assert.deepEqual(viewFor('owner')['resolution'], { outcome: 'failed', at });
    assert.deepEqual(viewFor('subscriber')['destination'], { account: '****2051', fingerprint: 'print' });
  });

  it('gives the receiver its own postings, and no private field of the sender', () => {
    const shown = viewFor('counterparty');
    assert.deepEqual(shown['postings'], [{ account: 'wallet:w_2:available', amount: 5 }]);
    for (const secret of ['private', 'invoice 1', 'frozen', 'timed out']) {
      assert.ok(!JSON.stringify(shown).includes(secret), secret);
    }
  });

  it('hides from a payer who paid by an alias which wallet is behind it, and whether there is one', () => {
    assert.ok(!JSON.stringify(viewFor('owner')).includes('w_2'));
    assert.deepEqual(viewFor('owner')['postings'], [
      { account: 'wallet:w_1:available', amount: -7 },
      { account: 'fees:EUR', amount: 2 },
    ]);
    const failed = { ...transaction, failure: { code: 'wallet_not_found', message: 'No such wallet' } } as Transaction;
    assert.equal(transactionView(failed, 'owner').failure?.code, 'receiver_unavailable');
    const { to, ...byId } = everyField;
    assert.equal(to, '@ben');
    assert.equal(transactionView(byId as Transaction, 'owner').counterpartyWalletId, 'w_2');
    assert.ok(
      !JSON.stringify(transactionView({ ...transaction, type: 'capture' } as Transaction, 'owner')).includes('w_2'),
    );
  });

  it('hides from the payer why the receiver cannot receive', () => {
    const neutral = { code: 'receiver_unavailable', message: 'The receiver cannot receive this money' };
    for (const code of ['wallet_frozen', 'wallet_closed', 'balance_limit_exceeded', 'limit_exceeded']) {
      const failed = { ...transaction, failure: { code, message: 'The wallet …' } } as Transaction;
      assert.deepEqual(transactionView(failed, 'owner').failure, neutral);
      assert.equal(transactionView(failed, 'operator').failure?.code, code);
    }
    // The payer's own wallet refused a transfer that was never executed.
    const { executedAt, ...unexecuted } = everyField;
    const own = { ...unexecuted, failure: { code: 'wallet_frozen', message: 'The wallet is frozen' } } as Transaction;
    assert.equal(transactionView(own, 'owner').failure?.code, 'wallet_frozen');
    const failure = { code: 'account_closed', message: 'Closed' };
    const rejected = { ...transaction, type: 'withdrawal', failure } as Transaction;
    assert.deepEqual(transactionView(rejected, 'owner').failure, failure);
  });
});

describe('the view of a fee', () => {
  const available = (walletId: string) => `wallet:${walletId}:available`;
  const capture = {
    ...transaction,
    type: 'capture',
    postings: [
      { account: 'wallet:w_1:held', amount: -5 },
      { account: available('w_2'), amount: 3 },
      { account: 'wallet:w_1:held', amount: -4 },
      { account: available('w_1'), amount: 4 },
      { account: 'fees:EUR', amount: 2 },
    ],
  } as Transaction;

  it('shows that of a transfer to its sender, and not to its receiver', () => {
    assert.equal(viewFor('owner')['fee'], 2);
    const shown = viewFor('counterparty');
    assert.equal(shown['fee'], undefined);
    assert.deepEqual(shown['postings'], [{ account: available('w_2'), amount: 5 }]);
  });

  it('shows that of a capture to the receiver, and neither it nor what the receiver got to the payer', () => {
    const receiver = transactionView(capture, 'counterparty');
    assert.deepEqual([receiver.fee, receiver.postings], [2, [{ account: available('w_2'), amount: 3 }]]);
    const payer = transactionView(capture, 'owner');
    assert.equal(payer.fee, undefined);
    assert.deepEqual(
      payer.postings.map(({ account }) => account),
      ['wallet:w_1:held', 'wallet:w_1:held', available('w_1')],
    );
    for (const all of [transactionView(capture, 'operator'), publishedTransaction(capture, undefined)]) {
      assert.deepEqual([all.fee, all.postings.length], [2, 5]);
    }
  });

  it('shows the payer of a capture without a fee all postings, as before', () => {
    const { fee, to, ...free } = capture as TransactionFields;
    assert.deepEqual([fee, to], [2, '@ben']);
    assert.equal(transactionView(free as Transaction, 'owner').postings.length, 5);
  });
});

describe('the view of a hold and its captures', () => {
  const released = (kind: 'owner' | 'operator') =>
    ({ ...transaction, type: 'hold', endedBy: { kind, principal: 'shop' } }) as Transaction;
  const captured = (counterpartyWalletId: string | undefined) =>
    ({ ...transaction, type: 'capture', counterpartyWalletId }) as Transaction;

  it('gives the reason for a release to all when an owner released it, and to operators alone when one of them did', () => {
    for (const audience of audiences) {
      const reasonOf = (each: Transaction) => shownTo(audience, each)['releaseReason'];
      assert.equal(reasonOf(released('owner')), 'sold out', audience);
      assert.equal(reasonOf(released('operator')), audience === 'operator' ? 'sold out' : undefined, audience);
    }
  });

  it('gives reference and metadata of a capture to the receiver who wrote them, and not to the payer', () => {
    const wordsFor = (audience: Audience, each: Transaction) => {
      const { externalReference, metadata } = shownTo(audience, each);
      return [externalReference, metadata];
    };
    const words = ['invoice 1', { note: 'private' }];
    const none = [undefined, undefined];
    assert.deepEqual(wordsFor('counterparty', captured('w_2')), words);
    assert.deepEqual(wordsFor('owner', captured('w_2')), none);
    for (const audience of ['operator', 'subscriber'] as const) {
      assert.deepEqual(wordsFor(audience, captured('w_2')), words);
    }
    assert.deepEqual(wordsFor('owner', captured(undefined)), words, 'an operator captured it to the world outside');
  });
});

describe('the view of a refund', () => {
  const refunded = { ...transaction, type: 'refund' } as Transaction;

  it('gives reference and metadata to the owner who gave the money back, and not to the other one', () => {
    for (const audience of audiences) {
      const { externalReference, metadata } = shownTo(audience, refunded);
      const words = audience === 'counterparty' ? [undefined, undefined] : ['invoice 1', { note: 'private' }];
      assert.deepEqual([externalReference, metadata], words, audience);
    }
  });
});
