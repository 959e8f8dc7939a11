/**
 * The contract between infrastructure and code: the functions, the routes that reach them and the environment of each.
 * It is the only file under lambdas/ that lib/ imports. A construct's environment is typed by it. So a variable that a
 * function needs and the construct lacks does not compile.
 */

import type { ErrorCode } from './domain/errors.ts';
import type { EventType } from './domain/events.ts';
import type { FraudLimits } from './domain/fraud.ts';

export { errorTitles } from './domain/errors.ts';
export type { ErrorCode } from './domain/errors.ts';
export type { FourEyes } from './domain/approval.ts';
export type { OperatorLimits } from './domain/operator-limits.ts';
export type { WalletLimits } from './domain/limits.ts';
export { feeCommands } from './domain/fee.ts';
export type { FeeRule, Fees } from './domain/fee.ts';
export { currencyOfWalletId } from './domain/ids.ts';
export { alwaysOpen, payoutHours, weekdays } from './domain/payout-window.ts';
export type { PayoutWindow } from './domain/payout-window.ts';
export { longestTierName, tierName } from './domain/tiers.ts';
export type { Tiers } from './domain/tiers.ts';
export { eventTypes } from './domain/events.ts';
export { mostWebhooks } from './domain/webhook.ts';
export type { FixedWebhook } from './domain/webhook.ts';

const table = ['TABLE_NAME'] as const;
/** Variables of functions that end users reach. */
const limited = [...table, 'READS_PER_HOUR'] as const;
/** Variables of functions whose commands are counted in their write. */
const counted = [...limited, 'REFUSALS_PER_HOUR'] as const;
/** Variables of functions whose commands end in a worker. */
const queued = [
  ...counted,
  ...(['DUE_SHARDS', 'QUEUE_DEPTH_LIMIT', 'OPERATOR_LIMITS', 'FEES', 'SCHEDULES'] as const),
] as const;
/** Variables of functions that open holds, capture them, refund, split, and open standing orders. */
const paying = [...counted, 'TRANSFERS_PER_HOUR', 'OPERATOR_LIMITS'] as const;
/** Variables of operators' functions whose commands are limited and may need a second operator. */
const guarded = [...table, 'OPERATOR_LIMITS', 'FOUR_EYES'] as const;
/** Variables of both functions of webhooks. */
const webhooks = ['WEBHOOK_TABLE_NAME', 'WEBHOOK_QUEUE_URL', 'WEBHOOK_SECRET_ARN', 'WEBHOOK_TARGETS'] as const;
const tokens = ['TOKEN_KIND', 'TOKEN_ISSUER', 'TOKEN_AUDIENCE', 'TOKEN_JWKS_URI'] as const;

/**
 * Environment variables of each function, by the function's name, which is also the name of its file under lambdas/api
 * or lambdas/workers.
 *
 * - `TABLE_NAME`: the wallet table.
 * - `DUE_SHARDS`: number of partitions of the `due` index that open work of a type is spread over.
 * - `TOKEN_KIND`: `cognito` or `oidc` (see lambdas/http/tokens.ts for the differences).
 * - `TOKEN_ISSUER`, `TOKEN_JWKS_URI`: the issuer of the callers' tokens and the URL of its public keys.
 * - `TOKEN_AUDIENCE`: the audience that an `oidc` token must name; for `cognito` the resource server's identifier.
 * - `BAD_TOKENS_PER_MINUTE`: tokens not signed by the issuer that one address may have checked, in one container.
 * - `WALLETS_PER_HOUR`, `WITHDRAWALS_PER_HOUR`, `TRANSFERS_PER_HOUR`: accepted commands of one end user in an hour. The
 *   first one limits wallets that are opened and changes of their names, each counted apart. The last one limits transfers, holds, captures, refunds, the legs of splits and standing orders, each counted apart.
 * - `READS_PER_HOUR`: requests of one end user in an hour that move no money: reads, repetitions, bad requests.
 * - `CANCELLATIONS_PER_HOUR`: requests of one end user in an hour to cancel a payment or standing order, or release a hold.
 * - `REFUSALS_PER_HOUR`: refused commands of one end user in an hour. Operators are not limited.
 * - `BANK_URL`: the bank's base URL.
 * - `BANK_ID`: the bank's id, or its base URL, from which the id is made (lambdas/bank/identity.ts).
 * - `BANK_REQUEST_SECRET_ARN`: the secret with the key that requests to the bank are signed with.
 * - `BANK_NOTIFICATION_SECRET_ARN`: the secret with the key that the bank signs its notifications with.
 * - `BANK_KEY_OVERLAP_SECONDS`: time after a rotation in which the bank may sign with the previous key.
 * - `BANK_NOT_FOUND_WINDOW_SECONDS`: time after a submit in which the bank may still answer "not found" about a payment
 *   that it will make. From the bank's documentation.
 * - `ENTRIES_TABLE_NAME`: the wallets' ledgers, the totals of the other accounts, and the progress of their check.
 * - `PAYOUT_WINDOW`: the hours in which the bank takes payments, a `PayoutWindow` as JSON, or `always`.
 * - `BANK_MAX_ATTEMPTS`: visits to the bank for one withdrawal before it goes to review.
 * - `EVENT_BUS_NAME`: the bus on which events are published.
 * - `SET_ASIDE_QUEUE_URL`: the queue for records that no retry of relay or projector would process.
 * - `FINGERPRINT_SECRET_ARN`: the secret with the key that bank accounts are fingerprinted with in events.
 * - `NOTIFICATION_TOPIC_ARN`, `SENT_TABLE_NAME`: the topic for notifications, and the record of those that were sent.
 * - `ACTIVITY_TABLE_NAME`: the screening's memory of each wallet's movements.
 * - `FRAUD_LIMITS`: a `FraudPolicy` as JSON.
 * - `FREEZE_ON_SUSPICION`: `true` or `false`.
 * - `OPERATOR_LIMITS`: an `OperatorLimits` as JSON.
 * - `TIERS`: `Tiers` as JSON.
 * - `FEES`: `Fees` as JSON, without the revenue wallets.
 * - `REVENUE_WALLETS`: the wallet that the fees of a currency are collected into, by currency, as JSON.
 * - `FOUR_EYES`: a `FourEyes` as JSON, with `expiresAfterMs`, the time in which a command can be approved.
 * - `FULL_PASS_HOURS`: time from the beginning of a pass over all books to that of the next one.
 * - `SCHEDULES`: whether payments can be scheduled: `true` or `false`.
 * - `CONSOLE_SETTINGS`: `ConsoleSettings` as JSON.
 * - `QUEUE_DEPTH_LIMIT`: messages that may wait in a queue before new work for it is refused as `overloaded`.
 * - `BANK_FILES_BUCKET`: the bucket in which a bank puts its files.
 * - `BANK_FILES_DAYS`: days by which such a file may date a payment apart from the service.
 * - `BANK_FILES_CHARGES`: whether such a file must have each charge with a reference: `true` or `false`.
 * - `RECONCILIATION_QUEUE_URL`: the queue of such files.
 * - `BATCH_QUEUE_URL`: the queue of batches; for the sweeper of a service without batches `none`, as no variable may be empty.
 * - `WEBHOOK_TABLE_NAME`, `WEBHOOK_QUEUE_URL`: the endpoints of webhooks with their deliveries, and the queue of their work.
 * - `WEBHOOK_SECRET_ARN`: the secret with the key that the secrets of endpoints are derived from.
 * - `WEBHOOK_ENDPOINTS`: the endpoints that the stack names, `FixedWebhook`s as JSON.
 * - `WEBHOOK_TARGETS`: `public`, or `loopback` for receivers on the same machine too.
 */
export const environments = {
  authorizer: [...table, ...tokens, 'BAD_TOKENS_PER_MINUTE'],
  'create-wallet': [...counted, 'WALLETS_PER_HOUR'],
  'change-wallet': [...counted, 'WALLETS_PER_HOUR'],
  'list-wallets': limited,
  'get-wallet': limited,
  'get-balance': [...limited, 'ENTRIES_TABLE_NAME'],
  'list-entries': [...limited, 'ENTRIES_TABLE_NAME'],
  statements: [...limited, 'ENTRIES_TABLE_NAME'],
  charge: [...guarded, 'FEES'],
  withdraw: [...queued, 'WITHDRAWALS_PER_HOUR', 'WITHDRAWAL_QUEUE_URL'],
  transfer: [...queued, 'TRANSFERS_PER_HOUR', 'TRANSFER_QUEUE_URL'],
  'list-transactions': [...limited, 'DUE_SHARDS'],
  'get-transaction': limited,
  freeze: table,
  unfreeze: [...table, 'FOUR_EYES'],
  close: table,
  'set-limits': [...guarded, 'TIERS'],
  resolve: guarded,
  approve: [...table, 'TIERS', 'OPERATOR_LIMITS', 'FEES'],
  reject: table,
  'get-approval': table,
  cancel: [...table, 'CANCELLATIONS_PER_HOUR'],
  'open-hold': paying,
  capture: [...paying, 'FEES'],
  release: [...table, 'CANCELLATIONS_PER_HOUR'],
  refund: [...paying, 'FOUR_EYES'],
  split: [...paying, 'FEES'],
  'create-batch': [...table, 'BATCH_QUEUE_URL', 'OPERATOR_LIMITS', 'FEES'],
  'get-batch': table,
  'standing-orders': [...paying, 'CANCELLATIONS_PER_HOUR', 'FEES'],
  'webhook-routes': webhooks,
  'bank-notifications': [...table, 'BANK_NOTIFICATION_SECRET_ARN', 'BANK_KEY_OVERLAP_SECONDS', 'BANK_ID'],
  health: [
    ...table,
    'DUE_SHARDS',
    ...tokens,
    'WITHDRAWAL_QUEUE_URL',
    'WITHDRAWAL_DLQ_URL',
    'TRANSFER_QUEUE_URL',
    'TRANSFER_DLQ_URL',
  ],
  reference: [],
  withdrawals: [
    ...table,
    'DUE_SHARDS',
    'WITHDRAWAL_QUEUE_URL',
    'BANK_URL',
    'BANK_REQUEST_SECRET_ARN',
    'BANK_ID',
    'BANK_NOT_FOUND_WINDOW_SECONDS',
    'BANK_MAX_ATTEMPTS',
    'PAYOUT_WINDOW',
  ],
  transfers: [...table, 'TRANSFER_QUEUE_URL'],
  batches: [
    ...table,
    'DUE_SHARDS',
    'QUEUE_DEPTH_LIMIT',
    'BATCH_QUEUE_URL',
    'WITHDRAWAL_QUEUE_URL',
    'TRANSFER_QUEUE_URL',
  ],
  relay: ['EVENT_BUS_NAME', 'SET_ASIDE_QUEUE_URL', 'FINGERPRINT_SECRET_ARN', 'TOKEN_ISSUER'],
  notifier: [...table, 'NOTIFICATION_QUEUE_URL', 'NOTIFICATION_TOPIC_ARN', 'SENT_TABLE_NAME'],
  'notification-preferences': limited,
  fraud: [
    ...table,
    'SCREENING_QUEUE_URL',
    'ACTIVITY_TABLE_NAME',
    'EVENT_BUS_NAME',
    'FRAUD_LIMITS',
    'FREEZE_ON_SUSPICION',
  ],
  webhooks: [...webhooks, 'EVENT_BUS_NAME', 'WEBHOOK_ENDPOINTS'],
  projector: ['ENTRIES_TABLE_NAME', 'SET_ASIDE_QUEUE_URL'],
  integrity: ['ENTRIES_TABLE_NAME'],
  console: ['CONSOLE_SETTINGS'],
  'integrity-job': [
    ...table,
    'ENTRIES_TABLE_NAME',
    'BANK_URL',
    'BANK_REQUEST_SECRET_ARN',
    'BANK_ID',
    'EVENT_BUS_NAME',
    'FULL_PASS_HOURS',
  ],
  'bank-files': [
    ...table,
    'BANK_ID',
    'BANK_FILES_BUCKET',
    'BANK_FILES_DAYS',
    'BANK_FILES_CHARGES',
    'RECONCILIATION_QUEUE_URL',
    'EVENT_BUS_NAME',
  ],
  sweeper: [
    ...table,
    'DUE_SHARDS',
    'WITHDRAWAL_QUEUE_URL',
    'TRANSFER_QUEUE_URL',
    'BATCH_QUEUE_URL',
    'ENTRIES_TABLE_NAME',
    'REVENUE_WALLETS',
    'PAYOUT_WINDOW',
    'QUEUE_DEPTH_LIMIT',
  ],
} as const satisfies Record<string, readonly string[]>;

/** A function of the service; `charge` lives in lambdas/api/charge.ts, `withdrawals` in lambdas/workers/withdrawals.ts. */
export type FunctionName = keyof typeof environments;

/**
 * Functions that a service lacks where notifications, screening, holds, refunds, splits, standing orders, approvals,
 * batches, bank files, webhooks or the console are switched off.
 */
export type OptionalFunction =
  | 'fraud'
  | 'notifier'
  | 'notification-preferences'
  | 'open-hold'
  | 'capture'
  | 'release'
  | 'refund'
  | 'split'
  | 'standing-orders'
  | 'approve'
  | 'reject'
  | 'get-approval'
  | 'create-batch'
  | 'get-batch'
  | 'batches'
  | 'console'
  | 'bank-files'
  | 'webhook-routes'
  | 'webhooks';

/** A value for each function that a service has. */
export type PerFunction<Value> = Readonly<
  Record<Exclude<FunctionName, OptionalFunction>, Value> & Partial<Record<OptionalFunction, Value>>
>;

/**
 * The environment that function `F` reads. The file of the function exports `open`, which gets it and returns the
 * handler that Lambda calls. Importing the file has no effect: only the module that lib/bundle.ts writes calls `open`.
 */
export type Environment<F extends FunctionName> = Readonly<Record<(typeof environments)[F][number], string>>;

/** A scope that lets owners use their own wallets. */
export type OwnerScope = 'read' | 'write';

/**
 * A scope that lets operators act on every wallet.
 *
 * - `charge`: books money in, and opens wallets for owners. For a backend.
 * - `support`: reads everything, freezes and closes wallets, cancels withdrawals, releases holds, and changes
 *   notification preferences. For people.
 * - `decide`: ends withdrawals in review, unfreezes wallets, and sets their limits. For few people.
 * - `operate`: includes the other three. Also allows withdrawals, transfers, splits, holds, captures, refunds and batches
 *   from the wallets of others, and webhooks, which no other scope allows.
 */
export type OperatorScope = 'charge' | 'support' | 'decide' | 'operate';

/**
 * The scopes that open a route: `own` for the caller's own wallets (absent: not open for owners), `any` for all. Of
 * several, each opens it.
 */
export interface RouteAccess {
  readonly own?: OwnerScope;
  readonly any: OperatorScope | readonly OperatorScope[];
}

/** A route of the HTTP API. `open` routes take no token at the gateway; the bank signs its requests instead. */
export type Route = {
  readonly method: 'GET' | 'HEAD' | 'PATCH' | 'POST' | 'PUT';
  readonly path: string;
  readonly function: FunctionName;
  /** The name of the route, where its function serves others, too. Absent: the function's. */
  readonly name?: string;
} & (RouteAccess | { readonly open: true });

/** The table of routes: gateway, README and tests read it from here. */
export const routes = [
  { method: 'POST', path: '/wallets', function: 'create-wallet', own: 'write', any: 'charge' },
  { method: 'GET', path: '/wallets', function: 'list-wallets', own: 'read', any: 'support' },
  { method: 'GET', path: '/wallets/{walletId}', function: 'get-wallet', own: 'read', any: 'support' },
  { method: 'PATCH', path: '/wallets/{walletId}', function: 'change-wallet', own: 'write', any: 'support' },
  { method: 'GET', path: '/wallets/{walletId}/balance', function: 'get-balance', own: 'read', any: 'support' },
  { method: 'POST', path: '/wallets/{walletId}/charge', function: 'charge', any: 'charge' },
  { method: 'POST', path: '/wallets/{walletId}/withdraw', function: 'withdraw', own: 'write', any: 'operate' },
  { method: 'POST', path: '/wallets/{walletId}/transfer', function: 'transfer', own: 'write', any: 'operate' },
  {
    method: 'GET',
    path: '/wallets/{walletId}/transactions',
    function: 'list-transactions',
    own: 'read',
    any: 'support',
  },
  {
    method: 'GET',
    path: '/transactions',
    function: 'list-transactions',
    name: 'find-transactions',
    own: 'read',
    any: 'support',
  },
  { method: 'GET', path: '/transactions/{transactionId}', function: 'get-transaction', own: 'read', any: 'support' },
  {
    method: 'GET',
    path: '/receipts/{receiptCode}',
    function: 'get-transaction',
    name: 'get-receipt',
    own: 'read',
    any: 'support',
  },
  { method: 'GET', path: '/wallets/{walletId}/entries', function: 'list-entries', own: 'read', any: 'support' },
  {
    method: 'GET',
    path: '/wallets/{walletId}/statement',
    function: 'statements',
    name: 'get-statement',
    own: 'read',
    any: 'support',
  },
  { method: 'GET', path: '/totals', function: 'statements', name: 'get-totals', own: 'read', any: 'support' },
  { method: 'POST', path: '/wallets/{walletId}/freeze', function: 'freeze', any: 'support' },
  { method: 'POST', path: '/wallets/{walletId}/unfreeze', function: 'unfreeze', any: 'decide' },
  { method: 'POST', path: '/wallets/{walletId}/close', function: 'close', any: 'support' },
  { method: 'PUT', path: '/wallets/{walletId}/limits', function: 'set-limits', any: 'decide' },
  { method: 'POST', path: '/transactions/{transactionId}/resolve', function: 'resolve', any: 'decide' },
  { method: 'POST', path: '/transactions/{transactionId}/cancel', function: 'cancel', own: 'write', any: 'support' },
  { method: 'POST', path: '/wallets/{walletId}/holds', function: 'open-hold', own: 'write', any: 'operate' },
  { method: 'POST', path: '/holds/{transactionId}/capture', function: 'capture', own: 'write', any: 'operate' },
  { method: 'POST', path: '/holds/{transactionId}/release', function: 'release', own: 'write', any: 'support' },
  { method: 'POST', path: '/transactions/{transactionId}/refund', function: 'refund', own: 'write', any: 'operate' },
  { method: 'POST', path: '/transfers', function: 'split', own: 'write', any: 'operate' },
  {
    method: 'POST',
    path: '/wallets/{walletId}/standing-orders',
    function: 'standing-orders',
    name: 'open-standing-order',
    own: 'write',
    any: 'operate',
  },
  {
    method: 'GET',
    path: '/wallets/{walletId}/standing-orders',
    function: 'standing-orders',
    name: 'list-standing-orders',
    own: 'read',
    any: 'support',
  },
  {
    method: 'GET',
    path: '/standing-orders/{standingOrderId}',
    function: 'standing-orders',
    name: 'get-standing-order',
    own: 'read',
    any: 'support',
  },
  {
    method: 'POST',
    path: '/standing-orders/{standingOrderId}/cancel',
    function: 'standing-orders',
    name: 'cancel-standing-order',
    own: 'write',
    any: 'support',
  },
  // The function also asks for the scope of the approved command itself.
  { method: 'POST', path: '/approvals/{approvalId}/approve', function: 'approve', any: ['charge', 'decide'] },
  { method: 'POST', path: '/approvals/{approvalId}/reject', function: 'reject', any: ['charge', 'decide'] },
  { method: 'GET', path: '/approvals/{approvalId}', function: 'get-approval', any: ['charge', 'support', 'decide'] },
  {
    method: 'GET',
    path: '/approvals',
    function: 'get-approval',
    name: 'list-approvals',
    any: ['support', 'decide'],
  },
  { method: 'POST', path: '/batches', function: 'create-batch', any: 'operate' },
  { method: 'GET', path: '/batches/{batchId}', function: 'get-batch', any: 'support' },
  {
    method: 'GET',
    path: '/batches/{batchId}/items',
    function: 'get-batch',
    name: 'list-batch-items',
    any: 'support',
  },
  {
    method: 'GET',
    path: '/notification-preferences',
    function: 'notification-preferences',
    name: 'get-notification-preferences',
    own: 'read',
    any: 'support',
  },
  {
    method: 'PUT',
    path: '/notification-preferences',
    function: 'notification-preferences',
    name: 'put-notification-preferences',
    own: 'write',
    any: 'support',
  },
  // An endpoint gets the events of all wallets, so only the widest scope adds one.
  { method: 'POST', path: '/webhooks', function: 'webhook-routes', name: 'create-webhook', any: 'operate' },
  { method: 'GET', path: '/webhooks', function: 'webhook-routes', name: 'list-webhooks', any: 'support' },
  { method: 'GET', path: '/webhooks/{webhookId}', function: 'webhook-routes', name: 'get-webhook', any: 'support' },
  { method: 'PUT', path: '/webhooks/{webhookId}', function: 'webhook-routes', name: 'put-webhook', any: 'operate' },
  {
    method: 'POST',
    path: '/webhooks/{webhookId}/rotate',
    function: 'webhook-routes',
    name: 'rotate-webhook-secret',
    any: 'operate',
  },
  {
    method: 'POST',
    path: '/webhooks/{webhookId}/ping',
    function: 'webhook-routes',
    name: 'ping-webhook',
    any: 'operate',
  },
  {
    method: 'POST',
    path: '/webhooks/{webhookId}/replay',
    function: 'webhook-routes',
    name: 'replay-webhook',
    any: 'operate',
  },
  {
    method: 'GET',
    path: '/webhooks/{webhookId}/deliveries',
    function: 'webhook-routes',
    name: 'list-webhook-deliveries',
    any: 'support',
  },
  { method: 'GET', path: '/integrity', function: 'integrity', any: 'support' },
  { method: 'POST', path: '/bank/notifications', function: 'bank-notifications', open: true },
  { method: 'GET', path: '/health', function: 'health', open: true },
  { method: 'HEAD', path: '/health', function: 'health', open: true },
  { method: 'GET', path: '/openapi.json', function: 'reference', name: 'get-description', open: true },
  { method: 'GET', path: '/docs', function: 'reference', name: 'get-reference', open: true },
] as const satisfies readonly Route[];

/** The name of a route: its function's, unless that serves several. */
export type RouteName = (typeof routes)[number] extends infer One
  ? One extends { readonly name: infer Name }
    ? Name
    : One extends { readonly function: infer Name }
      ? Name
      : never
  : never;

/** Returns the name of a route. */
export function nameOfRoute(route: (typeof routes)[number]): RouteName {
  return 'name' in route ? route.name : route.function;
}

/** Scopes of a caller's token; Cognito writes them as `<resource server>/<scope>`, other issuers as `wallet:<scope>`. */
export const resourceServer = 'wallet';
export const scopes = ['read', 'write', 'charge', 'support', 'decide', 'operate'] as const;

/** Groups of the service's own user pool, by exact name, and the scope that each gives its members. */
export const operatorGroups = { 'wallet-support': 'support', 'wallet-decide': 'decide' } as const satisfies Record<
  string,
  OperatorScope
>;

/** The scopes of owners: the only ones that a person may ask the service's own user pool for. */
export const ownerScopes = ['read', 'write'] as const satisfies readonly OwnerScope[];

/** The scopes that the stack's client for a backend may ask the service's own user pool for. */
export const backendScopes = ['charge', 'read'] as const satisfies readonly (OwnerScope | OperatorScope)[];

/** The scopes that `operate` includes. The three together are less than `operate`. */
export const operatorScopes = ['charge', 'support', 'decide'] as const satisfies readonly OperatorScope[];

/** The path of the page for operators, where the service has one. It is no route of the API: no token, no JSON. */
export const consolePath = '/console';

/** The sign-in of people at an OpenID Connect issuer: authorization code with PKCE, by a client without a secret. */
export interface ConsoleSignIn {
  /** The URL at which people sign in and get a code. */
  readonly authorizeEndpoint: string;
  /** The URL at which the page exchanges the code for a token. It must allow the page's origin (CORS). */
  readonly tokenEndpoint: string;
  readonly clientId: string;
  /** The scopes that the page asks for, separated by spaces. */
  readonly scope: string;
}

/** What the page for operators knows about its deployment. */
export interface ConsoleSettings {
  /** Absent: tokens are pasted. */
  readonly signIn?: ConsoleSignIn | undefined;
  /** Whether the service runs in the runner, whose issuer gives every token and whose bank is simulated. */
  readonly development?: true | undefined;
}

/** The page for operators as one HTML document, with the hashes by which a policy allows its script and its style. */
export interface ConsolePage {
  /** Has `{{settings}}` where the settings of a deployment come, as the value of an attribute. */
  readonly html: string;
  /** `sha256-…` */
  readonly scriptHash: string;
  /** `sha256-…` */
  readonly styleHash: string;
}

/** The file of the page beside the code of the function `console`: a `ConsolePage` as JSON. */
export const consolePageFile = 'page.json';

/**
 * Set on the routes' functions only where CORS is on: the origins whose pages may read answers, separated by spaces, or
 * `*`.
 */
export const corsVariable = 'ALLOWED_ORIGINS';

/** Largest request body that a handler reads, in bytes; a larger one is a 413. The gateway's own limit is 10 MB. */
export const maxBodyBytes = 65_536;

/** Answers of at least this many bytes are compressed by the gateway for clients that accept it. */
export const minCompressionBytes = 1024;

/**
 * The types of item in the wallet table, with the beginnings of their partition keys. Grants and keys are made from it.
 */
export const ledgerItems = {
  wallet: 'WALLET#',
  details: 'DETAILS#',
  ownedWallet: 'OWNER#',
  transaction: 'TX#',
  reference: 'REFERENCE#',
  approval: 'APPROVAL#',
  batch: 'BATCH#',
  standingOrder: 'ORDER#',
  rateWindow: 'RATE#',
  preferences: 'PREFERENCES#',
  breaker: 'BREAKER#',
  issuer: 'ISSUER',
  fees: 'FEES#',
} as const;

/** The types of item in the entries table, with the beginnings of their partition keys. */
export const entryItems = {
  entry: 'LEDGER#',
  total: 'TOTAL#',
  booking: 'BOOKED#',
  journal: 'CHANGED#',
  pass: 'INTEGRITY',
} as const;

/** The types of item in the table of activity, with the beginnings of their partition keys. */
export const activityItems = { activity: 'ACTIVITY#' } as const;

/** The type of item in the record of sent notifications, with the beginning of its partition keys. */
export const sentItems = { notification: 'notification#' } as const;

/** The types of item in the table of webhooks, with the beginnings of their partition keys. */
export const webhookItems = { webhook: 'WEBHOOKS', delivery: 'DELIVERIES#' } as const;

/** Names of the table's indexes; that of webhooks has one of the deliveries that are due. */
export const indexes = {
  byWallet: 'byWallet',
  byCounterparty: 'byCounterparty',
  byReference: 'byReference',
  due: 'due',
} as const;

/**
 * Partitions of the `due` index that open work of a type is spread over, by default and at most. Each takes 1,000 write
 * units a second: about 250 withdrawals or 500 queued transfers.
 */
export const defaultDueShards = 64;
export const mostDueShards = 256;

/** The namespace of the metrics that functions emit. Their one dimension is `service`, the name of the stack's service. */
export const metricNamespace = 'Wallet';

/**
 * Set on every function: the name of the service in this stack, from which the libraries for logs and metrics read it.
 * Two stacks in one account have two names, so their metrics do not mix.
 */
export const serviceVariable = 'POWERTOOLS_SERVICE_NAME';

/** Set on every function only where the level of its log is not the default: the least severe lines that it writes. */
export const logLevelVariable = 'POWERTOOLS_LOG_LEVEL';

/**
 * The metrics that functions emit. Each name costs as much as an alarm on three metrics, so a name needs a reader: an
 * alarm, or the dashboard. bench/watch-model.ts counts them.
 */
export const metrics = {
  // From the sweeper, every minute.
  /**
   * Time for which the oldest open withdrawal is open, in seconds, without hours in which the bank was closed; 0 when none
   * is open. Those in review, in a frozen wallet or waiting for the bank to open wait apart.
   */
  oldestWithdrawal: 'OldestOpenWithdrawal',
  /** Age of the oldest open transfer, in seconds; 0 when none is open. */
  oldestTransfer: 'OldestOpenTransfer',
  /** Time since the earliest expiry of the holds that a run found expired and open, in seconds; 0 when there is none. */
  oldestExpiredHold: 'OldestExpiredHold',
  /**
   * Time since the earliest time of the scheduled payments that a run found due, in seconds; 0 when there is none. Those in
   * a queue do not count.
   */
  oldestScheduled: 'OldestScheduledPayment',
  /** Time for which a standing order has waited for its next payment to be made, in seconds; 0 when none waits. */
  oldestDueOrder: 'OldestDueStandingOrder',
  /** Revenue wallets that have refused the fees of their currency. Where fees are collected. */
  feesRefused: 'FeesRefused',
  /** Age of the oldest batch that is not completed, in seconds; 0 when there is none. Where batches are switched on. */
  oldestBatch: 'OldestOpenBatch',
  /** Number of open withdrawals: there are at least so many. */
  openWithdrawals: 'OpenWithdrawals',
  /** Number of withdrawals that wait for an operator, up to 100. */
  withdrawalsInReview: 'WithdrawalsInReview',
  /** Overdue work that was queued again, without withdrawals that waited for their wallet or the bank. One value for each run. */
  workRequeued: 'WorkRequeued',

  // From the workers, and from the route of the bank's notifications.
  /** Age of a withdrawal when it was completed or failed, in milliseconds. */
  withdrawalAge: 'WithdrawalAge',
  /** Age of a queued transfer when it was completed or failed, in milliseconds. */
  transferAge: 'TransferAge',
  /**
   * A withdrawal's turn at the bank: 1 when the bank gave no definite answer, or an open breaker stopped the call; 0 when
   * it answered. The average is the share of failures, and the number of values that of turns.
   */
  bankFailed: 'BankFailed',
  /** The same turn: 1 when the breaker is not closed after it, else 0. */
  breakerOpen: 'BreakerOpen',
  /** The bank contradicts the ledger: money may have moved twice, or not at all. */
  bankContradiction: 'BankContradiction',
  /** A worker could not prove that its clock is right, and left a withdrawal to another worker. */
  clockDoubted: 'ClockDoubted',

  // From routes, in the one line of a command, or of a read that was refused or failed.
  /** Duration of a command that succeeded, in milliseconds, without the time that the caller asked it to wait. */
  commandDuration: 'CommandDuration',
  /** A command whose key had been used before. */
  replays: 'Replays',
  /** A request that was answered with a 5xx. */
  faults: 'Faults',
  /** A try of a write that met another write of one of its items. Workers count theirs, too. */
  conflicts: 'Conflicts',

  // From the worker of webhooks.
  /** Deliveries that were parked: their receiver has not taken them for a day. */
  webhooksParked: 'WebhooksParked',
  /** Endpoints that were disabled, as they took nothing for a week. */
  webhooksDisabled: 'WebhooksDisabled',

  // From the check of the books, every quarter of an hour.
  /** Number of discrepancies that were found, and not yet proven to be over by a whole pass. */
  discrepancies: 'Discrepancies',
  /**
   * Hours since the end of the oldest hour whose books are not checked, its payments included; 0 when there is none.
   */
  uncheckedHours: 'UncheckedHours',
  /** Hours since a pass over all books ended, or the first one began. */
  hoursSincePass: 'HoursSincePass',

  // From the worker of bank files.
  /** Differences between a bank's file and the books; 1 for a file that could not be compared. One value for each file. */
  bankFileDifferences: 'BankFileDifferences',
} as const;

/** Hours after the end of the oldest unchecked hour from which the check of the books is late. */
export const mostUncheckedHours = 2;

/** The kinds of work that have a queue, a worker and dead letters. */
export const workKinds = [
  'withdrawal',
  'transfer',
  'batch',
  'reconciliation',
  'notification',
  'screening',
  'webhook',
] as const;
export type WorkKind = (typeof workKinds)[number];

/** Kinds of work that a service lacks where batches, bank files, notifications, the screening or webhooks are switched off. */
export const optionalWork = [
  'batch',
  'reconciliation',
  'notification',
  'screening',
  'webhook',
] as const satisfies readonly WorkKind[];

/** A value for each kind of work that a service has. */
export type PerWork<Value> = Readonly<
  Record<Exclude<WorkKind, (typeof optionalWork)[number]>, Value> &
    Partial<Record<(typeof optionalWork)[number], Value>>
>;

/** The readers of the wallet table's stream. Each has a queue of the records that it set aside. */
export const streamReaders = ['relay', 'projector'] as const;
export type StreamReader = (typeof streamReaders)[number];

/** Names of the stack's outputs that operators' commands read. */
export const outputs = {
  apiUrl: 'ApiUrl',
  table: 'TableName',
  entriesTable: 'EntriesTableName',
  webhookTable: 'WebhookTableName',
  queueUrl: (work: WorkKind) => `${capitalized(work)}QueueUrl`,
  deadLettersUrl: (work: WorkKind) => `${capitalized(work)}DeadLettersUrl`,
  setAsideUrl: (reader: StreamReader) => `${capitalized(reader)}SetAsideUrl`,
  readerFunctionName: (reader: StreamReader) => `${capitalized(reader)}FunctionName`,
} as const;

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/**
 * Returns the metric that counts the refusals with this code. The code is in its name and not in a dimension, because a
 * log line has one set of dimensions for all of its metrics.
 */
export function refusalMetric(code: ErrorCode): string {
  return `Refused.${code}`;
}

/** Message of the withdrawal and transfer queues. A queue carries ids only; the table is the truth. */
export interface WorkMessage {
  /** Messages of earlier releases lack it. */
  readonly version: typeof workVersion;
  readonly transactionId: string;
  /** The gateway's id of the request that asked for the work, for logs. The sweeper does not know it. */
  readonly requestId?: string | undefined;
}

/** The only version of work messages that this release sends and reads. */
export const workVersion = 1;

export function workMessage(transactionId: string): WorkMessage {
  return { version: workVersion, transactionId };
}

/** The `source` of the service's events on the bus; their `detail-type` is the event's type. */
export const eventSource = 'wallet';

/** Events for which the owners of the wallets get a notification. */
export const notifiedEvents = [
  'wallet.funded',
  'wallet.frozen',
  'wallet.unfrozen',
  'wallet.limits_changed',
  'withdrawal.completed',
  'withdrawal.failed',
  'withdrawal.returned',
  'transfer.completed',
  'hold.opened',
  'hold.captured',
  'hold.ended',
  'refund.completed',
  'activity.suspicious',
] as const satisfies readonly EventType[];

/** Events about money into a wallet or out of it, which are screened for fraud. */
export const screenedEvents = [
  'wallet.funded',
  'withdrawal.accepted',
  'transfer.accepted',
  'transfer.completed',
  'hold.opened',
  'hold.captured',
  'refund.completed',
] as const satisfies readonly EventType[];

/** The limits of the screening for fraud. */
export interface FraudPolicy extends FraudLimits {
  /** Limits of single currencies, by ISO code, in place of the general ones. */
  readonly byCurrency?: Readonly<Record<string, Partial<FraudLimits>>> | undefined;
}

/** The gateway times out after 29 s. The wait ends early enough for the answer to be read and sent. */
export const longestWaitSeconds = 20;
