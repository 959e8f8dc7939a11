/** The examples in docs/openapi.json. A test checks each of them against the schema beside it. */
import type { namedSchemas } from '../lambdas/views/answer-schemas.ts';
import { errorTitles, WalletError } from '../lambdas/domain/errors.ts';
import type { ErrorCode, ErrorDetails } from '../lambdas/domain/errors.ts';
import { problem } from '../lambdas/http/problem.ts';
import { statementFormats } from '../lambdas/views/statement-formats.ts';
import type { FormatName } from '../lambdas/views/statement-formats.ts';
import type { StatementView } from '../lambdas/views/statement-view.ts';

const walletId = 'w_usd_4zqmn7c2xk5vtj3hd6wpyafr2e';
const toWalletId = 'w_usd_k2v7ahs5nbq4yfj6xwmzc3tdpr';
const ids = {
  charge: 'tx_b3n6vqk7zmt2xhcf5wjy4sadpr',
  withdrawal: 'tx_q5w2zjx7nmk4vtc6hdfy3bapsr',
  transfer: 'tx_h7m3kzq2vxn5tjc4wdfy6bspar',
  hold: 'tx_m4xk7vhq2ztn5cjw6dfy3bspar',
  capture: 'tx_t6c5vkq7zmx2nhj4wdfy3bspar',
  refund: 'tx_r7d4wkq2zmx5nhj3vcfy6bspat',
  split: 'tx_s3p6vkq7zmt2xhcf5wjy4nadbr',
  leg: 'tx_l5w2zjx7nmk4vtc6hdfy3bapsq',
  otherLeg: 'tx_o4xk7vhq2ztn5cjw6dfy3bspam',
};
const at = '2026-03-01T12:00:00.000Z';
const later = '2026-03-01T12:00:04.250Z';

const common = { status: 'completed', amount: 2_500, currency: 'USD', walletId };
const receiptOf = (id: string) => `RCP-20260301-${id.slice('tx_'.length)}`;
const identityOf = (transactionId: string) => ({ transactionId, receiptCode: receiptOf(transactionId) });
const move = (from: string, to: string) => [
  { account: from, amount: -2_500 },
  { account: to, amount: 2_500 },
];

const charge = {
  ...identityOf(ids.charge),
  type: 'charge',
  ...common,
  postings: move('external:USD', `wallet:${walletId}:available`),
  externalReference: 'invoice-2026-001',
  createdAt: at,
  updatedAt: at,
  completedAt: at,
};
const pendingWithdrawal = {
  ...identityOf(ids.withdrawal),
  type: 'withdrawal',
  ...common,
  status: 'pending',
  destination: { account: '****3000', name: 'Ada Lovelace' },
  postings: move(`wallet:${walletId}:available`, `wallet:${walletId}:held`),
  createdAt: at,
  updatedAt: at,
};
const withdrawal = {
  ...pendingWithdrawal,
  status: 'completed',
  postings: [...pendingWithdrawal.postings, ...move(`wallet:${walletId}:held`, 'external:USD')],
  attempts: [{ at: later, submitted: true, outcome: 'accepted' }],
  updatedAt: later,
  completedAt: later,
};
const cancelledWithdrawal = {
  ...pendingWithdrawal,
  status: 'failed',
  postings: [...pendingWithdrawal.postings, ...move(`wallet:${walletId}:held`, `wallet:${walletId}:available`)],
  failure: { code: 'cancelled', message: 'The withdrawal was cancelled before it left for the bank' },
  cancellation: { by: 'owner', reason: 'The account is the wrong one', at: later },
  updatedAt: later,
  completedAt: later,
};
const transfer = {
  ...identityOf(ids.transfer),
  type: 'transfer',
  ...common,
  counterpartyWalletId: toWalletId,
  postings: move(`wallet:${walletId}:available`, `wallet:${toWalletId}:available`),
  description: 'Rent of March',
  createdAt: at,
  updatedAt: at,
  completedAt: at,
};
const { completedAt, ...openTransfer } = {
  ...transfer,
  status: 'pending',
  postings: move(`wallet:${walletId}:available`, 'transit:USD'),
};
const arrivedTransfer = {
  ...transfer,
  postings: [...openTransfer.postings, ...move('transit:USD', `wallet:${toWalletId}:available`)],
  updatedAt: later,
  completedAt: later,
};

const hold = {
  ...identityOf(ids.hold),
  type: 'hold',
  ...common,
  status: 'open',
  counterpartyWalletId: toWalletId,
  postings: move(`wallet:${walletId}:available`, `wallet:${walletId}:held`),
  expiresAt: '2026-03-02T12:00:00.000Z',
  captured: 0,
  description: 'Order 4711',
  createdAt: at,
  updatedAt: at,
};
const capture = {
  ...identityOf(ids.capture),
  type: 'capture',
  ...common,
  counterpartyWalletId: toWalletId,
  postings: move(`wallet:${walletId}:held`, `wallet:${toWalletId}:available`),
  originalTransactionId: ids.hold,
  description: 'Order 4711, sent',
  createdAt: later,
  updatedAt: later,
  completedAt: later,
};
const releasedHold = {
  ...hold,
  status: 'ended',
  postings: [...hold.postings, ...move(`wallet:${walletId}:held`, `wallet:${walletId}:available`)],
  end: 'released',
  releaseReason: 'Sold out',
  updatedAt: later,
  completedAt: later,
};

const refund = {
  ...identityOf(ids.refund),
  type: 'refund',
  ...common,
  walletId: toWalletId,
  counterpartyWalletId: walletId,
  postings: move(`wallet:${toWalletId}:available`, `wallet:${walletId}:available`),
  originalTransactionId: ids.transfer,
  reason: 'The flat was not ready',
  createdAt: later,
  updatedAt: later,
  completedAt: later,
};
const { amount, currency } = common;
const feeWalletId = 'w_usd_p7m3kzq2vxn5tjc4wdfy6bsahr';
const leg = { ...transfer, ...identityOf(ids.leg), splitId: ids.split, description: 'Order 4711' };
const split = {
  splitId: ids.split,
  amount: 2 * amount,
  currency,
  legs: [
    leg,
    {
      ...leg,
      ...identityOf(ids.otherLeg),
      counterpartyWalletId: feeWalletId,
      postings: move(`wallet:${walletId}:available`, `wallet:${feeWalletId}:available`),
      sentWith: ids.leg,
      description: 'Commission of order 4711',
    },
  ],
  createdAt: at,
};
const standingOrder = {
  standingOrderId: 'so_w2k6vqn7zmt3xhcf5bjy4sadpr',
  status: 'active',
  walletId,
  amount,
  currency,
  toWalletId,
  every: 'month',
  firstAt: '2026-04-01T06:00:00.000Z',
  count: 12,
  made: 0,
  nextAt: '2026-04-01T06:00:00.000Z',
  description: 'Rent',
  createdAt: at,
  updatedAt: at,
};
const { nextAt, ...endingOrder } = standingOrder;
const cancelledOrder = {
  ...endingOrder,
  status: 'ended',
  end: 'cancelled',
  endedAt: later,
  reason: 'The contract has ended',
  updatedAt: later,
};
const approval = {
  approvalId: `ap_${ids.charge.slice('tx_'.length)}`,
  command: 'charge',
  status: 'asked',
  walletIds: [walletId],
  amount,
  currency,
  transactionId: ids.charge,
  body: { amount, externalReference: 'invoice-2026-001' },
  path: { walletId },
  askedBy: { kind: 'operator', principal: 'olga', issuer: 'n4bQgY' },
  askedAt: at,
  expiresAt: '2026-03-02T12:00:00.000Z',
  updatedAt: at,
};
const endedApproval = (status: 'approved' | 'rejected', reason: string) => ({
  ...approval,
  status,
  endedBy: { kind: 'operator', principal: 'omar', issuer: 'n4bQgY' },
  reason,
  updatedAt: later,
});

const batch = {
  batchId: 'bt_c5w2zjx7nmk4vtq6hdfy3bapsr',
  status: 'executing',
  count: 3,
  waiting: 1,
  accepted: 1,
  refused: 1,
  requestedBy: { kind: 'operator', principal: 'payroll', issuer: 'n4bQgY' },
  createdAt: at,
  updatedAt: later,
};
const batchItems = [
  { key: 'salary-1', transactionId: ids.transfer, status: 'completed' },
  {
    key: 'salary-2',
    transactionId: ids.withdrawal,
    status: 'refused',
    failure: { code: 'insufficient_funds', message: errorTitles.insufficient_funds },
  },
] as const;

const balance = { walletId, currency: 'USD', available: 7_500, held: 2_500, total: 10_000, version: 12 };
const wallet = {
  walletId,
  ownerId: 'alice',
  currency: 'USD',
  status: 'active',
  balance,
  createdAt: '2026-02-01T09:30:00.000Z',
  updatedAt: at,
};
const limits = { out: { perDay: 50_000, perMonth: 500_000 }, maximumBalance: 100_000 };
const limitedWallet = {
  ...wallet,
  limits,
  lastLimitsChange: { version: 1, at: '2026-02-01T09:35:00.000Z', tier: 'basic' },
  limitWindows: [
    { limit: 'out.perMonth', most: 500_000, used: 2_500, left: 497_500, resetsAt: '2026-04-01T00:00:00.000Z' },
    { limit: 'out.perDay', most: 50_000, used: 2_500, left: 47_500, resetsAt: '2026-03-02T00:00:00.000Z' },
  ],
};
const emptyWallet = {
  ...wallet,
  balance: { ...balance, available: 0, held: 0, total: 0, version: 0 },
  updatedAt: wallet.createdAt,
};
const entry = {
  walletId,
  version: 12,
  at,
  changes: [
    { account: 'available', amount: -2_500 },
    { account: 'held', amount: 2_500 },
  ],
  balanceAfter: { available: 7_500, held: 2_500 },
  statusAfter: 'active',
  transactionId: ids.withdrawal,
  hash: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
};
const statement: StatementView = {
  ...{ walletId, currency: 'USD', decimals: 2 },
  ...{ from: '2026-03-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z', final: true },
  opening: { available: 10_000, held: 0, total: 10_000, version: 11, hash: entry.hash },
  lines: [
    {
      ...{ version: 13, at: later, ...identityOf(ids.withdrawal), type: 'withdrawal', amount: -2_500 },
      counterparty: { account: '****3000', name: 'Ada Lovelace' },
      balance: 7_500,
    },
  ],
  closing: {
    ...{ available: 7_500, held: 0, total: 7_500, version: 13 },
    hash: 'mzL4n0bVYbM1ZSt6yQhTRsVAx3SMC4lVbJyKhlGA2zM',
  },
  sums: { lines: 1, in: 0, out: 2_500, fees: 0 },
};
const preferences = {
  ownerId: 'alice',
  channels: { email: true, sms: false, push: true },
  mutedEvents: ['wallet.funded'],
};
const pass = {
  passId: 'pass-2026-03-01T11',
  status: 'sound',
  stage: 'done',
  startedAt: '2026-03-01T11:00:00.000Z',
  finishedAt: '2026-03-01T11:02:10.000Z',
  asOf: '2026-03-01T10:55:00.000Z',
  withBank: true,
  runs: 2,
  otherBanks: [{ bankId: 'old-bank.example.com', withdrawals: 240 }],
  counts: { wallets: 1_200, transactions: 48_000, entries: 96_000, payments: 3_100 },
  scanned: 52_000,
  items: 52_000,
  readUnits: 15_250.5,
  dollars: 0.0019,
  expectedReadUnits: 15_251,
  expectedDollars: 0.0019,
  sums: [{ currency: 'USD', wallets: '1000000', external: '-1000000', transit: '0', sum: '0' }],
  suspects: [],
  found: 0,
  discrepancies: [],
};

const details: Partial<Record<ErrorCode, ErrorDetails>> = {
  insufficient_funds: { detail: 'available 1000, requested 2500, in minor units of USD' },
  limit_exceeded: {
    detail:
      'out.perDay: left 47500, requested 50000, in minor units of USD; there is room again from 2026-03-02T00:00:00.000Z',
    walletLimit: { limit: 'out.perDay', left: 47_500, resetsAt: '2026-03-02T00:00:00.000Z' },
  },
  operator_limit_exceeded: {
    detail: 'charge takes at most 1000000, requested 2500000, in minor units of USD',
  },
  not_cancellable: { detail: 'the bank may have it already' },
  hold_ended: { detail: 'it ended at 2026-03-01T12:00:04.250Z: released' },
  hold_expired: { detail: 'it expired at 2026-03-02T12:00:00.000Z' },
  standing_order_ended: { detail: 'it ended at 2026-03-01T12:00:04.250Z: cancelled' },
  webhook_limit_reached: { detail: 'a service has at most 20 webhooks' },
  approval_ended: { detail: 'it was rejected at 2026-03-01T12:00:04.250Z' },
  approval_expired: { detail: 'it expired at 2026-03-02T12:00:00.000Z' },
  exceeds_hold: { detail: 'left 1000, requested 2500, in minor units of USD' },
  statement_too_long: {
    detail:
      'the wallet has 12041 changes in this period, and one answer covers 5000: ask for a shorter period, or for pages of JSON with limit',
  },
  fee_exceeds_amount: { detail: 'the fee is 30 of 20, in minor units of USD: the receiver would get nothing' },
  not_refundable: { detail: 'this transfer is on its way' },
  exceeds_refundable: { detail: 'left 1000, requested 2500, in minor units of USD' },
  too_many_refunds: { detail: 'a transaction has at most 200 refunds' },
  too_many_scheduled: { detail: 'a wallet has at most 1000 scheduled payments' },
  too_many_standing_orders: { detail: 'a wallet has at most 100 standing orders that are active' },
  invalid_request: {
    errors: [{ path: 'amount', message: 'must be an integer of minor units, 1 to 9007199254740991' }],
  },
};

const webhook = {
  webhookId: 'wh_b3n6vqk7zmt2xhcf5wjy4sadpr',
  url: 'https://shop.example.com/wallet-events',
  eventTypes: ['withdrawal.completed', 'withdrawal.failed'],
  description: 'Payouts of the shop',
  status: 'active',
  createdBy: 'operator-1',
  createdAt: at,
  updatedAt: at,
};
const newWebhook = { ...webhook, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw0123456789A=' };
const delivery = {
  eventId: 'ev_q5w2zjx7nmk4vtc6hdfy3bapsr',
  type: 'withdrawal.completed',
  occurredAt: at,
  status: 'waiting',
  attempts: 2,
  lastAttempt: { at: '2026-03-01T12:01:04.250Z', outcome: '503' },
  nextAttemptAt: '2026-03-01T12:03:08.250Z',
  createdAt: at,
};

/** An example of each schema of an answer. */
export const answerExamples: Readonly<Record<keyof typeof namedSchemas, object>> = {
  Wallet: wallet,
  WalletLimits: {
    walletId,
    limits,
    tier: 'basic',
    version: 1,
    setAt: '2026-02-01T09:35:00.000Z',
    setBy: { kind: 'operator', principal: 'bob', issuer: 'k3Zx9Q' },
    reason: 'new customer',
  },
  WalletPage: { items: [wallet] },
  Balance: balance,
  Transaction: withdrawal,
  TransactionPage: { items: [withdrawal, charge], nextCursor: 'MjAyNi0wMy0wMVQxMjowMDowMC4wMDBaI3R4' },
  Split: split,
  DryRun: {
    ...{ dryRun: true, type: 'transfer', amount, currency },
    ...{ fee: 25, paid: amount + 25, received: amount },
  },
  StandingOrder: standingOrder,
  StandingOrderPage: { items: [standingOrder] },
  SplitDryRun: {
    ...{ dryRun: true, amount: 2 * amount, currency, fee: 50, paid: 2 * amount + 50 },
    legs: [toWalletId, feeWalletId].map((to) => ({ fromWalletId: walletId, toWalletId: to, amount, fee: 25 })),
  },
  Approval: approval,
  ApprovalPage: { items: [approval] },
  Batch: batch,
  BatchItem: batchItems[0],
  BatchItemPage: { items: batchItems, nextCursor: 'MC4y' },
  Webhook: webhook,
  WebhookList: { items: [webhook] },
  Delivery: delivery,
  DeliveryPage: { items: [delivery] },
  Entry: entry,
  EntryPage: { items: [entry], nextCursor: 'MTI' },
  Statement: statement,
  Totals: {
    ...{ ownerId: 'alice', month: '2026-03', from: statement.from, to: statement.to, final: true },
    items: [{ currency: 'USD', type: 'withdrawal', count: 1, in: 0, out: 2_500, fees: 0 }],
  },
  NotificationPreferences: preferences,
  Pass: pass,
  Integrity: {
    hours: {
      ...{ next: '2026-03-01T11', nextOfBank: '2026-03-01T11', uncheckedSeconds: 0, suspects: [] },
      last: {
        hour: '2026-03-01T10',
        checkedAt: '2026-03-01T11:15:04.000Z',
        counts: { wallets: 900, entries: 2_100, bookings: 1_300 },
        readUnits: 5_120,
      },
    },
    discrepancies: [],
    last: pass,
    running: null,
  },
  Health: { status: 'ok' },
  Unavailable: { status: 'unavailable' },
  Notified: { reference: ids.withdrawal },
  Description: { openapi: '3.1.1', info: { title: 'Wallet service', version: '1' } },
  Problem: problemExample('insufficient_funds'),
};

/** Examples of answers that differ from the one of their schema, by `route status`. */
export const answerExamplesOfRoutes: Readonly<Record<string, object>> = {
  'create-wallet 201': emptyWallet,
  'get-wallet 200': limitedWallet,
  'charge 201': charge,
  'withdraw 202': pendingWithdrawal,
  'transfer 200': arrivedTransfer,
  'transfer 201': transfer,
  'transfer 202': openTransfer,
  'cancel 200': cancelledWithdrawal,
  'open-hold 201': hold,
  'capture 201': capture,
  'release 200': releasedHold,
  'refund 201': refund,
  'cancel-standing-order 200': cancelledOrder,
  'approve 200': endedApproval('approved', 'The payment provider confirms it'),
  'reject 200': endedApproval('rejected', 'Not on the statement of the payment provider'),
  'create-batch 202': { ...batch, status: 'accepted', waiting: 3, accepted: 0, refused: 0, updatedAt: at },
  'create-webhook 201': newWebhook,
  'put-webhook 200': { ...webhook, status: 'disabled', disabledBecause: 'operator', updatedAt: later },
  'rotate-webhook-secret 200': { ...newWebhook, previousSecretUntil: '2026-03-02T12:00:04.250Z', updatedAt: later },
  'ping-webhook 202': { ...webhook, eventId: delivery.eventId },
  'replay-webhook 202': {
    ...webhook,
    replay: { from: '2026-02-28T00:00:00.000Z', to: later, parkedOnly: true, status: 'running', resent: 0 },
  },
  'freeze 200': { ...wallet, status: 'frozen' },
  'close 200': { ...emptyWallet, status: 'closed' },
};

/** Examples of answers that are texts, by media type. */
export const textExamples: Readonly<Record<string, string>> = {
  'text/csv': statementText('csv'),
  'application/xml': statementText('camt.053'),
  'text/html': '<!doctype html>\n<html lang=en>\n<title>Wallet service: reference</title>\n',
};

function statementText(name: FormatName): string {
  const { lines, closing, sums, ...head } = statement;
  const { before, line, after } = statementFormats[name];
  const end = { closing, sums };
  return before(head, end, later) + lines.map((one, index) => line(one, head, index)).join('') + after(head, end);
}

/** An example of each route's body, by the route's name. */
export const bodyExamples: Readonly<Record<string, object>> = {
  'create-wallet': { currency: 'USD', name: 'Rent' },
  'change-wallet': { name: 'Savings', metadata: { shop: '17', former: null } },
  charge: { amount: 2_500, externalReference: 'invoice-2026-001' },
  withdraw: { amount: 2_500, destination: { account: 'DE89370400440532013000', name: 'Ada Lovelace' } },
  transfer: { amount: 2_500, toWalletId, description: 'Rent of March', metadata: { contract: '4711' } },
  freeze: {},
  unfreeze: {},
  close: {},
  'set-limits': { reason: 'new customer', limits },
  resolve: { outcome: 'completed', evidence: 'Statement of 2026-03-02, line 7' },
  approve: { reason: 'The payment provider confirms it' },
  reject: { reason: 'Not on the statement of the payment provider' },
  cancel: { reason: 'The account is the wrong one' },
  'open-hold': { amount: 2_500, toWalletId, expiresAt: '2026-03-02T12:00:00Z', description: 'Order 4711' },
  capture: { amount: 2_500, description: 'Order 4711, sent' },
  release: { reason: 'Sold out' },
  refund: { amount: 2_500, reason: 'The flat was not ready' },
  split: {
    legs: [
      { fromWalletId: walletId, toWalletId, amount, description: 'Order 4711' },
      { fromWalletId: walletId, toWalletId: feeWalletId, amount, description: 'Commission of order 4711' },
    ],
  },
  'create-batch': [
    { key: 'salary-1', type: 'transfer', walletId, toWalletId, amount: 2_500 },
    {
      key: 'salary-2',
      type: 'withdrawal',
      walletId,
      destination: { account: 'DE89370400440532013000', name: 'Ada Lovelace' },
      amount: 2_500,
    },
  ],
  'open-standing-order': {
    amount: 2_500,
    toWalletId,
    every: 'month',
    firstAt: '2026-04-01T08:00:00+02:00',
    count: 12,
    description: 'Rent',
  },
  'cancel-standing-order': { reason: 'The contract has ended' },
  'create-webhook': { url: webhook.url, eventTypes: webhook.eventTypes, description: webhook.description },
  'put-webhook': { status: 'disabled' },
  'rotate-webhook-secret': {},
  'ping-webhook': {},
  'replay-webhook': { from: '2026-02-28T00:00:00Z', parkedOnly: true },
  'put-notification-preferences': {
    channels: preferences.channels,
    mutedEvents: preferences.mutedEvents,
  },
  'bank-notifications': { reference: ids.withdrawal, status: 'paid', amount: 2_500, currency: 'USD' },
};

/** Returns the body of a refusal. */
export function problemExample(code: ErrorCode): object {
  return { ...problem(new WalletError(code, details[code]), 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef').body };
}

/** Returns an example of each refusal. */
export function problemExamples(): Readonly<Record<string, { summary: string; value: object }>> {
  const codes = Object.keys(errorTitles) as ErrorCode[];
  return Object.fromEntries(
    codes.map((code) => [
      code,
      { summary: errorTitles[code], value: JSON.parse(JSON.stringify(problemExample(code))) as object },
    ]),
  );
}
