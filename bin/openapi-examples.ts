/** The examples in docs/openapi.json. A test checks each of them against the schema beside it. */
import type { namedSchemas } from '../lambdas/views/answer-schemas.ts';
import { statementFormats } from '../lambdas/views/statement-formats.ts';
import type { FormatName } from '../lambdas/domain/statement-file.ts';
import { problemExample } from './openapi-problems.ts';
import {
  walletId,
  toWalletId,
  ids,
  at,
  later,
  charge,
  pendingWithdrawal,
  withdrawal,
  cancelledWithdrawal,
  transfer,
  openTransfer,
  arrivedTransfer,
  hold,
  capture,
  releasedHold,
  refund,
  amount,
  currency,
  feeWalletId,
  split,
  standingOrder,
  cancelledOrder,
  approval,
  endedApproval,
  batch,
  batchItems,
  balance,
  wallet,
  limits,
  limitedWallet,
  emptyWallet,
  entry,
  statement,
  pendingStatementFile,
  statementFile,
  preferences,
  pass,
  webhook,
  newWebhook,
  delivery,
} from './openapi-records.ts';

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
  StatementFile: statementFile,
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
  'create-statement-file 202': pendingStatementFile,
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
  'create-statement-file': { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z', format: 'camt.053' },
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
