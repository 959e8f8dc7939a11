/**
 * The answers of each route: statuses, schemas and the refusals that it may have. docs/openapi.json is generated from it
 * (`npm run schemas`). No function loads this file.
 */
import { longestWaitSeconds } from '../contract.ts';
import type { RouteName } from '../contract.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { namedSchemas } from './answer-schemas.ts';

type SchemaName = keyof typeof namedSchemas;

/** The answers of one route. */
interface Answers {
  /** By status: its meaning, and the body, if there is one. */
  readonly successes: Readonly<
    Record<
      number,
      {
        readonly meaning: string;
        readonly schema?: SchemaName;
        /** Other media types of the body, with what they are. */
        readonly mediaTypes?: Readonly<Record<string, string>>;
      }
    >
  >;
  /** The answer with 200 to a body with `dryRun`; absent where the body has no such member. */
  readonly dryRun?: SchemaName;
  /** Codes of refusals that only this route has. The codes that follow from the route's inputs are not listed. */
  readonly codes?: readonly ErrorCode[];
  /** The preferences that the client may send (RFC 7240). */
  readonly prefer?: readonly string[];
}

const use: readonly ErrorCode[] = ['wallet_frozen', 'wallet_closed', 'currency_mismatch'];
const spend: readonly ErrorCode[] = [
  ...use,
  'insufficient_funds',
  'limit_exceeded',
  'operator_limit_exceeded',
  'overloaded',
  'reference_taken',
];
const ofHold: readonly ErrorCode[] = ['not_a_hold', 'hold_ended'];
const wait = `\`wait=N\`: wait up to N seconds, at most ${longestWaitSeconds}, for the end of the transaction`;

const waiting = {
  202: { meaning: 'Nothing has moved: a second operator must approve it', schema: 'Approval' },
} as const;
const ofApproval: readonly ErrorCode[] = ['approval_not_found', 'approval_ended', 'approval_expired'];

const unchanged = { 304: { meaning: 'It has not changed since the version in If-None-Match' } };

/** The answers of each route. */
export const answers: Readonly<Record<RouteName, Answers>> = {
  'create-wallet': { successes: { 201: { meaning: 'The new wallet', schema: 'Wallet' } } },
  'list-wallets': { successes: { 200: { meaning: 'A page of wallets', schema: 'WalletPage' } } },
  'get-wallet': { successes: { 200: { meaning: 'The wallet', schema: 'Wallet' } } },
  'change-wallet': {
    successes: { 200: { meaning: 'The wallet', schema: 'Wallet' } },
    codes: ['wallet_frozen', 'alias_unavailable', 'too_many_aliases'],
  },
  'get-balance': {
    successes: {
      200: { meaning: 'The balance', schema: 'Balance' },
      ...unchanged,
    },
    codes: ['ledger_behind'],
  },
  charge: {
    successes: { 201: { meaning: 'Booked: `completed`', schema: 'Transaction' }, ...waiting },
    dryRun: 'DryRun',
    codes: [
      ...use,
      ...(['balance_limit_exceeded', 'limit_exceeded', 'fee_exceeds_amount'] as const),
      ...(['operator_limit_exceeded', 'approval_expired', 'reference_taken'] as const),
    ],
  },
  withdraw: {
    successes: {
      202: { meaning: 'The money is held, and the bank will be asked', schema: 'Transaction' },
      200: { meaning: 'The end came while the client preferred to wait', schema: 'Transaction' },
    },
    dryRun: 'DryRun',
    codes: [...spend, 'too_many_scheduled'],
    prefer: [wait],
  },
  transfer: {
    successes: {
      201: { meaning: 'Booked: `completed`', schema: 'Transaction' },
      202: {
        meaning:
          'Queued: the sender is debited. The receiver is credited, or the transfer fails and the sender has it back',
        schema: 'Transaction',
      },
      200: { meaning: 'Queued, and the end came while the client preferred to wait', schema: 'Transaction' },
    },
    dryRun: 'DryRun',
    codes: [...spend, 'same_wallet', 'receiver_unavailable', 'too_many_scheduled'],
    prefer: ['`respond-async`: queue the transfer', wait],
  },
  'list-transactions': {
    successes: {
      200: {
        meaning:
          'A page of transactions by `createdAt`. A queued transfer comes to its receiver later, among earlier ones',
        schema: 'TransactionPage',
      },
    },
  },
  'find-transactions': {
    successes: {
      200: {
        meaning:
          'A page of transactions, the newest first; of open work without another filter the latest due first. A command shows some milliseconds after its answer',
        schema: 'TransactionPage',
      },
    },
    codes: ['query_too_broad'],
  },
  'get-transaction': { successes: { 200: { meaning: 'The transaction', schema: 'Transaction' }, ...unchanged } },
  'get-receipt': { successes: { 200: { meaning: 'The transaction', schema: 'Transaction' }, ...unchanged } },
  'list-entries': { successes: { 200: { meaning: 'A page of entries', schema: 'EntryPage' } } },
  'get-statement': {
    successes: {
      200: {
        meaning: 'The statement',
        schema: 'Statement',
        mediaTypes: {
          'text/csv': 'A row of names, the opening balance, a row for each line, the closing balance',
          'application/xml': 'The message camt.053.001.08 of ISO 20022',
        },
      },
    },
    codes: ['ledger_behind', 'statement_too_long'],
  },
  'create-statement-file': {
    successes: { 202: { meaning: 'Stored: a worker makes the file', schema: 'StatementFile' } },
    codes: ['ledger_behind'],
  },
  'get-statement-file': {
    successes: {
      200: { meaning: 'The statement, and a link to its file where that is ready', schema: 'StatementFile' },
    },
    codes: ['statement_not_found'],
  },
  'get-totals': {
    successes: { 200: { meaning: 'The totals, or a part of them', schema: 'Totals' } },
    codes: ['ledger_behind'],
  },
  freeze: { successes: { 200: { meaning: 'The wallet', schema: 'Wallet' } }, codes: ['wallet_closed'] },
  unfreeze: {
    successes: { 200: { meaning: 'The wallet', schema: 'Wallet' }, ...waiting },
    codes: ['wallet_closed', 'approval_expired'],
  },
  close: { successes: { 200: { meaning: 'The wallet', schema: 'Wallet' } }, codes: ['wallet_not_empty'] },
  'set-limits': {
    successes: { 200: { meaning: 'The limits that the wallet has now', schema: 'WalletLimits' }, ...waiting },
    codes: ['limits_changed', 'operator_limit_exceeded', 'approval_expired'],
  },
  resolve: {
    successes: { 200: { meaning: 'The transaction at its end', schema: 'Transaction' }, ...waiting },
    codes: ['not_in_review', 'operator_limit_exceeded', 'approval_expired'],
  },
  cancel: {
    successes: { 200: { meaning: 'The transaction, `failed` with the code `cancelled`', schema: 'Transaction' } },
    codes: ['not_cancellable'],
  },
  'open-hold': {
    successes: { 201: { meaning: 'The hold, `open`: its money is held', schema: 'Transaction' } },
    codes: [
      ...use,
      ...([
        'same_wallet',
        'insufficient_funds',
        'limit_exceeded',
        'operator_limit_exceeded',
        'reference_taken',
      ] as const),
    ],
  },
  capture: {
    successes: { 201: { meaning: 'The capture, `completed`; it may have ended the hold', schema: 'Transaction' } },
    dryRun: 'DryRun',
    codes: [
      ...ofHold,
      'hold_expired',
      'exceeds_hold',
      'fee_exceeds_amount',
      'wallet_frozen',
      'wallet_not_found',
      'receiver_unavailable',
      'limit_exceeded',
      'operator_limit_exceeded',
      'reference_taken',
    ],
  },
  release: { successes: { 200: { meaning: 'The hold, `ended`', schema: 'Transaction' } }, codes: ofHold },
  refund: {
    successes: { 201: { meaning: 'The refund, `completed`', schema: 'Transaction' }, ...waiting },
    codes: [
      ...use,
      'not_refundable',
      'exceeds_refundable',
      'too_many_refunds',
      'insufficient_funds',
      'receiver_unavailable',
      'operator_limit_exceeded',
      'approval_expired',
      'reference_taken',
    ],
  },
  split: {
    successes: { 201: { meaning: 'Booked, all legs: each is `completed`', schema: 'Split' } },
    dryRun: 'SplitDryRun',
    codes: [
      ...use,
      'wallet_not_found',
      'same_wallet',
      'insufficient_funds',
      'receiver_unavailable',
      'limit_exceeded',
      'balance_limit_exceeded',
      'operator_limit_exceeded',
      'reference_taken',
    ],
  },
  'open-standing-order': {
    successes: { 201: { meaning: 'The standing order, `active`', schema: 'StandingOrder' } },
    codes: [
      ...use,
      ...(['same_wallet', 'operator_limit_exceeded', 'standing_order_not_found', 'too_many_standing_orders'] as const),
      'too_many_scheduled',
    ],
  },
  'list-standing-orders': {
    successes: { 200: { meaning: 'A page of standing orders, the newest first', schema: 'StandingOrderPage' } },
  },
  'get-standing-order': {
    successes: { 200: { meaning: 'The standing order', schema: 'StandingOrder' }, ...unchanged },
    codes: ['standing_order_not_found'],
  },
  'cancel-standing-order': {
    successes: { 200: { meaning: 'The standing order, `ended`', schema: 'StandingOrder' } },
    codes: ['standing_order_not_found', 'standing_order_ended'],
  },
  approve: {
    successes: { 200: { meaning: 'The approval, `approved`: its command was executed', schema: 'Approval' } },
    codes: [
      ...ofApproval,
      ...use,
      ...(['wallet_not_found', 'balance_limit_exceeded', 'limit_exceeded', 'fee_exceeds_amount'] as const),
      ...(['transaction_not_found', 'not_in_review', 'limits_changed'] as const),
      ...(['not_refundable', 'exceeds_refundable', 'too_many_refunds'] as const),
      ...(['insufficient_funds', 'receiver_unavailable', 'reference_taken'] as const),
      'operator_limit_exceeded',
    ],
  },
  reject: {
    successes: { 200: { meaning: 'The approval, `rejected`', schema: 'Approval' } },
    codes: ofApproval,
  },
  'get-approval': {
    successes: { 200: { meaning: 'The approval', schema: 'Approval' } },
    codes: ['approval_not_found'],
  },
  'list-approvals': { successes: { 200: { meaning: 'A page of approvals', schema: 'ApprovalPage' } } },
  'create-batch': {
    successes: { 202: { meaning: 'Stored: a worker makes the payments', schema: 'Batch' } },
    codes: ['operator_limit_exceeded'],
  },
  'get-batch': {
    successes: { 200: { meaning: 'The batch', schema: 'Batch' } },
    codes: ['batch_not_found'],
  },
  'list-batch-items': {
    successes: { 200: { meaning: 'A page of the lines, in the order of the file', schema: 'BatchItemPage' } },
    codes: ['batch_not_found'],
  },
  'get-notification-preferences': {
    successes: {
      200: {
        meaning: "The owner's preferences; no channel is on until the owner turns it on",
        schema: 'NotificationPreferences',
      },
    },
  },
  'put-notification-preferences': {
    successes: { 200: { meaning: "The owner's new preferences", schema: 'NotificationPreferences' } },
  },
  'create-webhook': {
    successes: { 201: { meaning: 'The endpoint, with its secret', schema: 'Webhook' } },
    codes: ['webhook_limit_reached'],
  },
  'list-webhooks': { successes: { 200: { meaning: 'All endpoints, the oldest first', schema: 'WebhookList' } } },
  'get-webhook': {
    successes: { 200: { meaning: 'The endpoint', schema: 'Webhook' } },
    codes: ['webhook_not_found'],
  },
  'put-webhook': {
    successes: { 200: { meaning: 'The endpoint as it is now', schema: 'Webhook' } },
    codes: ['webhook_not_found'],
  },
  'rotate-webhook-secret': {
    successes: { 200: { meaning: 'The endpoint, with its new secret', schema: 'Webhook' } },
    codes: ['webhook_not_found'],
  },
  'ping-webhook': {
    successes: { 202: { meaning: 'The ping is sent like an event', schema: 'Webhook' } },
    codes: ['webhook_not_found', 'webhook_disabled'],
  },
  'replay-webhook': {
    successes: { 202: { meaning: 'The replay runs', schema: 'Webhook' } },
    codes: ['webhook_not_found', 'webhook_disabled', 'webhook_replay_running'],
  },
  'list-webhook-deliveries': {
    successes: { 200: { meaning: 'A page of deliveries, those of the newest events first', schema: 'DeliveryPage' } },
    codes: ['webhook_not_found'],
  },
  integrity: {
    successes: { 200: { meaning: 'Discrepancies in the books, and the progress of their check', schema: 'Integrity' } },
  },
  'bank-notifications': {
    successes: { 200: { meaning: 'Known and booked, now or before', schema: 'Notified' } },
    codes: ['unauthorized', 'transaction_not_found', 'another_bank'],
  },
  health: {
    successes: {
      200: { meaning: 'The service can do its work', schema: 'Health' },
      503: { meaning: 'It cannot', schema: 'Unavailable' },
    },
  },
  'get-description': {
    successes: {
      200: { meaning: 'The description', schema: 'Description' },
      304: { meaning: 'It has not changed since the version in If-None-Match' },
    },
  },
  'get-reference': {
    successes: {
      200: { meaning: 'The page', mediaTypes: { 'text/html': 'A page without scripts' } },
      304: { meaning: 'It has not changed since the version in If-None-Match' },
    },
  },
};
