/** Records of one story, from which the examples in docs/openapi.json are made. */
import { errorTitles } from '../lambdas/domain/errors.ts';
import type { StatementView } from '../lambdas/views/statement-view.ts';

export const walletId = 'w_usd_4zqmn7c2xk5vtj3hd6wpyafr2e';
export const toWalletId = 'w_usd_k2v7ahs5nbq4yfj6xwmzc3tdpr';
export const ids = {
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
export const at = '2026-03-01T12:00:00.000Z';
export const later = '2026-03-01T12:00:04.250Z';

const common = { status: 'completed', amount: 2_500, currency: 'USD', walletId };
const receiptOf = (id: string) => `RCP-20260301-${id.slice('tx_'.length)}`;
const identityOf = (transactionId: string) => ({ transactionId, receiptCode: receiptOf(transactionId) });
const move = (from: string, to: string) => [
  { account: from, amount: -2_500 },
  { account: to, amount: 2_500 },
];

export const charge = {
  ...identityOf(ids.charge),
  type: 'charge',
  ...common,
  postings: move('external:USD', `wallet:${walletId}:available`),
  externalReference: 'invoice-2026-001',
  createdAt: at,
  updatedAt: at,
  completedAt: at,
};
export const pendingWithdrawal = {
  ...identityOf(ids.withdrawal),
  type: 'withdrawal',
  ...common,
  status: 'pending',
  destination: { account: '****3000', name: 'Ada Lovelace' },
  postings: move(`wallet:${walletId}:available`, `wallet:${walletId}:held`),
  createdAt: at,
  updatedAt: at,
};
export const withdrawal = {
  ...pendingWithdrawal,
  status: 'completed',
  postings: [...pendingWithdrawal.postings, ...move(`wallet:${walletId}:held`, 'external:USD')],
  attempts: [{ at: later, submitted: true, outcome: 'accepted' }],
  updatedAt: later,
  completedAt: later,
};
export const cancelledWithdrawal = {
  ...pendingWithdrawal,
  status: 'failed',
  postings: [...pendingWithdrawal.postings, ...move(`wallet:${walletId}:held`, `wallet:${walletId}:available`)],
  failure: { code: 'cancelled', message: 'The withdrawal was cancelled before it left for the bank' },
  cancellation: { by: 'owner', reason: 'The account is the wrong one', at: later },
  updatedAt: later,
  completedAt: later,
};
export const transfer = {
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
export const { completedAt, ...openTransfer } = {
  ...transfer,
  status: 'pending',
  postings: move(`wallet:${walletId}:available`, 'transit:USD'),
};
export const arrivedTransfer = {
  ...transfer,
  postings: [...openTransfer.postings, ...move('transit:USD', `wallet:${toWalletId}:available`)],
  updatedAt: later,
  completedAt: later,
};

export const hold = {
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
export const capture = {
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
export const releasedHold = {
  ...hold,
  status: 'ended',
  postings: [...hold.postings, ...move(`wallet:${walletId}:held`, `wallet:${walletId}:available`)],
  end: 'released',
  releaseReason: 'Sold out',
  updatedAt: later,
  completedAt: later,
};

export const refund = {
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
export const { amount, currency } = common;
export const feeWalletId = 'w_usd_p7m3kzq2vxn5tjc4wdfy6bsahr';
const leg = { ...transfer, ...identityOf(ids.leg), splitId: ids.split, description: 'Order 4711' };
export const split = {
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
export const standingOrder = {
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
export const cancelledOrder = {
  ...endingOrder,
  status: 'ended',
  end: 'cancelled',
  endedAt: later,
  reason: 'The contract has ended',
  updatedAt: later,
};
export const approval = {
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
export const endedApproval = (status: 'approved' | 'rejected', reason: string) => ({
  ...approval,
  status,
  endedBy: { kind: 'operator', principal: 'omar', issuer: 'n4bQgY' },
  reason,
  updatedAt: later,
});

export const batch = {
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
export const batchItems = [
  { key: 'salary-1', transactionId: ids.transfer, status: 'completed' },
  {
    key: 'salary-2',
    transactionId: ids.withdrawal,
    status: 'refused',
    failure: { code: 'insufficient_funds', message: errorTitles.insufficient_funds },
  },
] as const;

export const balance = { walletId, currency: 'USD', available: 7_500, held: 2_500, total: 10_000, version: 12 };
export const wallet = {
  walletId,
  ownerId: 'alice',
  currency: 'USD',
  status: 'active',
  balance,
  createdAt: '2026-02-01T09:30:00.000Z',
  updatedAt: at,
};
export const limits = { out: { perDay: 50_000, perMonth: 500_000 }, maximumBalance: 100_000 };
export const limitedWallet = {
  ...wallet,
  limits,
  lastLimitsChange: { version: 1, at: '2026-02-01T09:35:00.000Z', tier: 'basic' },
  limitWindows: [
    { limit: 'out.perMonth', most: 500_000, used: 2_500, left: 497_500, resetsAt: '2026-04-01T00:00:00.000Z' },
    { limit: 'out.perDay', most: 50_000, used: 2_500, left: 47_500, resetsAt: '2026-03-02T00:00:00.000Z' },
  ],
};
export const emptyWallet = {
  ...wallet,
  balance: { ...balance, available: 0, held: 0, total: 0, version: 0 },
  updatedAt: wallet.createdAt,
};
export const entry = {
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
export const statement: StatementView = {
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
const statementTerms = {
  statementId: 'st_c5x2nqk7zmt3whcf6bjy4sadpr',
  ...{ walletId, format: 'camt.053', from: statement.from, to: statement.to, final: true },
  ...{ opening: statement.opening, closing: statement.closing },
  createdAt: '2026-04-01T12:00:00.000Z',
  expiresAt: '2026-04-08T12:00:00.000Z',
};
export const pendingStatementFile = { ...statementTerms, status: 'pending' };
export const statementFile = {
  ...{ ...statementTerms, status: 'ready', sums: statement.sums },
  file: {
    bytes: 2_113,
    url: 'https://wallet-statements.s3.eu-west-1.amazonaws.com/files/st_c5x2nqk7zmt3whcf6bjy4sadpr.xml?X-Amz-Expires=300&X-Amz-Signature=5f2c9a',
    expiresAt: '2026-04-01T12:10:00.000Z',
  },
};
export const preferences = {
  ownerId: 'alice',
  channels: { email: true, sms: false, push: true },
  mutedEvents: ['wallet.funded'],
};
export const pass = {
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

export const webhook = {
  webhookId: 'wh_b3n6vqk7zmt2xhcf5wjy4sadpr',
  url: 'https://shop.example.com/wallet-events',
  eventTypes: ['withdrawal.completed', 'withdrawal.failed'],
  description: 'Payouts of the shop',
  status: 'active',
  createdBy: 'operator-1',
  createdAt: at,
  updatedAt: at,
};
export const newWebhook = { ...webhook, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw0123456789A=' };
export const delivery = {
  eventId: 'ev_q5w2zjx7nmk4vtc6hdfy3bapsr',
  type: 'withdrawal.completed',
  occurredAt: at,
  status: 'waiting',
  attempts: 2,
  lastAttempt: { at: '2026-03-01T12:01:04.250Z', outcome: '503' },
  nextAttemptAt: '2026-03-01T12:03:08.250Z',
  createdAt: at,
};
