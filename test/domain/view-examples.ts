/** Records with every field, for the tests of their views. */
import type { ChainedEntry } from '../../lambdas/domain/entries.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import type { WalletDetails } from '../../lambdas/domain/wallet-details.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import type { TransactionFields } from '../../lambdas/views/transaction-view.ts';

export const at = '2026-03-01T12:00:00.000Z';
export const operator = { kind: 'operator', principal: 'olga', issuer: 'https://issuer.example' } as const;

/** A transaction with every field, which no real one has. A field that is missing here does not compile. */
export const everyField: Required<TransactionFields> = {
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
export const transaction = everyField as Transaction;

export const wallet: Required<Wallet> = {
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

export const details: Required<WalletDetails> = { name: 'Rent', alias: 'ann', metadata: { b: '2', a: '1' } };

export const entry: Required<ChainedEntry> = {
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
