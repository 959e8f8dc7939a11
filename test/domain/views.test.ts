import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { namedSchemas } from '../../lambdas/views/answer-schemas.ts';
import type { ChainedEntry } from '../../lambdas/domain/entries.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import type { WalletDetails } from '../../lambdas/domain/wallet-details.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import { eventSchemas } from '../../lambdas/views/event-schemas.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { entryFields, entryView } from '../../lambdas/views/entry-view.ts';
import { noticeOf } from '../../lambdas/views/notice.ts';
import { publishedTransaction, transactionFields, transactionView } from '../../lambdas/views/transaction-view.ts';
import { audiences } from '../../lambdas/views/view.ts';
import { publishedWallet, walletFields, walletLimitsView, walletView } from '../../lambdas/views/wallet-view.ts';
import type { TransactionFields } from '../../lambdas/views/transaction-view.ts';
import type { Audience } from '../../lambdas/views/view.ts';

const at = '2026-03-01T12:00:00.000Z';
const operator = { kind: 'operator', principal: 'olga', issuer: 'https://issuer.example' } as const;

/** A transaction with every field, which no real one has. A field that is missing here does not compile. */
const everyField: Required<TransactionFields> = {
  transactionId: 'tx_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  type: 'transfer',
  status: 'failed',
  amount: 5,
  fee: 2,
  currency: 'EUR',
  walletId: 'w_1',
  to: '@ben',
  counterpartyWalletId: 'w_2',
  destination: { account: 'DE02120300000000202051', name: 'Ann Example' },
  postings: [
    { amount: -7, account: 'wallet:w_1:available' },
    { amount: 5, account: 'wallet:w_2:available' },
    { amount: 2, account: 'fees:EUR' },
  ],
  failure: { message: 'The wallet is frozen', code: 'wallet_frozen' },
  attempts: [{ at, submitted: true, outcome: 'unknown', reason: 'timed out' }],
  resolution: { outcome: 'failed', evidence: 'letter of the bank', principal: 'olga', at, approvedBy: operator },
  cancellation: { actor: operator, reason: 'suspected theft', at },
  waitingFor: 'wallet_frozen',
  endedBy: operator,
  approvedBy: operator,
  originalTransactionId: 'tx_o',
  returnTransactionId: 'tx_r',
  queued: true,
  splitId: 'tx_l',
  sentWith: 'tx_w',
  executeAt: at,
  executedAt: at,
  standingOrderId: 'so_1',
  settledWith: 'tx_s',
  batchId: 'bt_b',
  expiresAt: at,
  captured: 2,
  end: 'released',
  releaseReason: 'sold out',
  reason: 'not as described',
  chargeback: true,
  refundedBy: 'owner',
  refunded: 1,
  refunds: ['tx_f'],
  sequence: 3,
  collected: 40,
  capturedBy: 'owner',
  principal: 'ann',
  issuer: 'https://issuer.example',
  ownerId: 'ann',
  externalReference: 'invoice 1',
  uniqueReference: true,
  description: 'rent',
  metadata: { note: 'private' },
  createdAt: at,
  updatedAt: at,
  completedAt: at,
  dueAt: at,
  claimId: 'claim',
  submitBy: at,
  refusedSince: at,
  bankId: 'bank-1',
  importedAt: at,
  opening: true,
};
const transaction = everyField as Transaction;

const wallet: Required<Wallet> = {
  walletId: 'w_1',
  ownerId: 'ann',
  currency: 'EUR',
  status: 'frozen',
  available: 5,
  held: 2,
  total: 7,
  version: 3,
  isCrowded: true,
  chargedBack: 4,
  lastTransactionId: 'tx_1',
  createdAt: at,
  updatedAt: at,
  createdBy: operator,
  lastStatusChange: { status: 'frozen', at, actor: operator, reason: 'suspected theft', approvedBy: operator },
  limits: { out: { perDay: 100, perMonth: 1_000 }, in: { perTransaction: 70 }, creditLine: 10 },
  used: { day: at.slice(0, 10), outDay: 30, outMonth: 1_200, inDay: 5, inMonth: 5 },
  limitsVersion: 4,
  lastLimitsChange: { at, actor: operator, reason: 'suspected theft', tier: 'basic', approvedBy: operator },
  mostCredit: 25,
  scheduled: 2,
  hasDetails: true,
  orders: 1,
  importedVersion: 3,
};

const details: Required<WalletDetails> = { name: 'Rent', alias: 'ann', metadata: { b: '2', a: '1' } };

const entry: Required<ChainedEntry> = {
  walletId: 'w_1',
  version: 1,
  at,
  bookedAt: at,
  changes: [{ account: 'available', amount: 5 }],
  balanceAfter: { available: 5, held: 0 },
  statusAfter: 'active',
  transactionId: 'tx_1',
  hash: 'hash',
};

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

describe('the view of a wallet', () => {
  const common = [
    ...['walletId', 'ownerId', 'currency', 'status', 'balance', 'chargedBack', 'createdAt', 'updatedAt'],
    ...['lastStatusChange', 'limits', 'lastLimitsChange'],
  ];
  const now = Date.parse(at);

  it('has a decision for every field and every audience, and shows exactly the fields it allows', () => {
    assert.deepEqual(
      Object.keys(walletFields).sort(),
      [...Object.keys(wallet), ...Object.keys(details), 'balance', 'limitWindows'].sort(),
    );
    const byOperator = walletView(wallet, 'operator', now, details);
    assert.deepEqual(
      Object.keys(byOperator).sort(),
      [...common, 'name', 'alias', 'metadata', 'createdBy', 'limitWindows'].sort(),
    );
    const byOwner = walletView(wallet, 'owner', now, details);
    assert.deepEqual(Object.keys(byOwner).sort(), [...common, 'name', 'alias', 'metadata', 'limitWindows'].sort());
    assert.deepEqual(Object.keys(publishedWallet(wallet)).sort(), [...common].sort());
    for (const shown of [walletView(wallet, 'owner', now), publishedWallet(wallet)]) {
      assert.deepEqual(shown.lastStatusChange, { status: 'frozen', at });
      assert.deepEqual(shown.lastLimitsChange, { version: 4, at, tier: 'basic' });
    }
    assert.deepEqual(byOperator.lastStatusChange, wallet.lastStatusChange);
    assert.deepEqual(byOperator.lastLimitsChange, { version: 4, ...wallet.lastLimitsChange });
  });

  it('may have less than nothing available, and nothing held below zero', () => {
    const charged = walletView({ ...wallet, available: -9, total: -7 }, 'owner', now);
    assert.deepEqual(namedSchemas.Wallet.parse(charged), charged);
    assert.deepEqual(eventSchemas['wallet.closed'].shape.wallet.parse(charged).balance, charged.balance);
    const held = { ...charged, balance: { ...charged.balance, held: -1 } };
    assert.equal(namedSchemas.Wallet.safeParse(held).success, false);
  });

  it('lists its fields in the order of the documented schema', () => {
    const shown = walletView(wallet, 'operator', now, details);
    assert.deepEqual(Object.keys(shown), Object.keys(namedSchemas.Wallet.shape));
    assert.deepEqual(namedSchemas.Wallet.parse(shown), shown);
  });

  it('shows what is used and left of each limited day and month, at the time of the view', () => {
    const { limitWindows } = walletView(wallet, 'owner', now);
    const [month, day] = ['2026-04-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'];
    assert.deepEqual(limitWindows, [
      { limit: 'out.perMonth', most: 1_000, used: 1_200, left: 0, resetsAt: month },
      { limit: 'out.perDay', most: 100, used: 30, left: 70, resetsAt: day },
    ]);
    const tomorrow = walletView(wallet, 'owner', Date.parse(day)).limitWindows;
    assert.deepEqual(
      tomorrow?.map(({ left }) => left),
      [0, 100],
    );
    const { limits, used, ...unlimited } = wallet;
    assert.equal(walletView(unlimited, 'owner', now).limitWindows, undefined);
  });

  it('of its limits alone has no balance', () => {
    const shown = walletLimitsView(wallet);
    assert.deepEqual(Object.keys(shown), Object.keys(namedSchemas.WalletLimits.shape));
    assert.deepEqual(namedSchemas.WalletLimits.parse(shown), shown);
    const { limits, ...removed } = wallet;
    assert.equal(JSON.stringify(walletLimitsView(removed)), JSON.stringify({ ...shown, limits: {} }));
  });
});

describe('the view of an entry', () => {
  it('has a decision for every field, and shows all of them', () => {
    assert.deepEqual(Object.keys(entryFields), Object.keys(entry));
    for (const audience of ['operator', 'owner'] as const) {
      assert.deepEqual(entryView(entry, audience), entry);
      assert.deepEqual(Object.keys(entryView(entry, audience)), Object.keys(namedSchemas.Entry.shape));
    }
  });
});

describe('a notification', () => {
  const base = { eventId: `ev_${'a'.repeat(26)}`, version: 1, occurredAt: at, walletIds: ['w_1', 'w_2'] } as const;
  const about = { ...base, ownerId: 'ann', actor: operator };

  it('contains only the fields that its owner may see', () => {
    const event: ServiceEvent = eventSchemas['transfer.completed'].parse({
      ...about,
      type: 'transfer.completed',
      transaction: publishedTransaction(transaction, 'print'),
    });
    for (const audience of ['owner', 'counterparty'] as const) {
      const notice = noticeOf(event, audience);
      const { destination, refunded, refunds, importedAt, opening, ...shown } = transactionView(transaction, audience);
      const { destination: noticed, ...rest } = notice.transaction as typeof shown & { destination?: object };
      assert.deepEqual(rest, shown, audience);
      assert.deepEqual(noticed, destination && { account: '****2051' }, audience);
      const text = JSON.stringify(notice);
      for (const secret of ['olga', 'issuer', 'print', 'evidence', 'ownerId']) {
        assert.ok(!text.includes(secret), secret);
      }
    }
  });

  it('names the wallet behind an alias to its owner only', () => {
    const event: ServiceEvent = eventSchemas['transfer.completed'].parse({
      ...about,
      type: 'transfer.completed',
      transaction: publishedTransaction(transaction, 'print'),
    });
    assert.ok(!JSON.stringify(noticeOf(event, 'owner')).includes('w_2'));
    assert.deepEqual(noticeOf(event, 'counterparty').walletIds, ['w_1', 'w_2']);
    const { to: _to, ...known } = event.transaction;
    assert.deepEqual(noticeOf({ ...event, transaction: known }, 'owner').walletIds, ['w_1', 'w_2']);
  });

  it('has the reason for a release where an owner gave it', () => {
    for (const kind of ['owner', 'operator'] as const) {
      const released = { ...transaction, type: 'hold', endedBy: { kind, principal: 'shop' } } as Transaction;
      const event: ServiceEvent = eventSchemas['hold.ended'].parse({
        ...about,
        type: 'hold.ended',
        transaction: publishedTransaction(released, 'print'),
      });
      for (const audience of ['owner', 'counterparty'] as const) {
        const { releaseReason } = noticeOf(event, audience).transaction as { releaseReason?: string };
        assert.equal(releaseReason, kind === 'owner' ? 'sold out' : undefined, audience);
      }
    }
  });

  it('names neither the actor nor the reason of a frozen wallet, nor the limits of the screening', () => {
    const frozen: ServiceEvent = eventSchemas['wallet.frozen'].parse({
      ...about,
      type: 'wallet.frozen',
      reason: 'suspected theft',
      wallet: publishedWallet(wallet),
    });
    const { wallet: noticed, ...envelope } = noticeOf(frozen, 'owner');
    assert.deepEqual(envelope, { ...base, type: 'wallet.frozen' });
    const { limitWindows, ...seen } = walletView(wallet, 'owner', Date.parse(at));
    assert.deepEqual(noticed, seen);
    const activity = { rule: 'outgoing_minute', walletId: 'w_1', transactionId: 'tx_1', currency: 'EUR' } as const;
    const suspicious = { ...about, type: 'activity.suspicious', activity: { ...activity, figures: {}, limits: {} } };
    const event = suspicious as unknown as Extract<ServiceEvent, { type: 'activity.suspicious' }>;
    assert.deepEqual(noticeOf(event, 'owner').activity, activity);
  });
});
