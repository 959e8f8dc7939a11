/** The functions of the service, and the environment variables of each. lib/ gets them from contract.ts. */
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
/** Variables of both functions of statement files. */
const statementFiles = [
  'ENTRIES_TABLE_NAME',
  'STATEMENT_TABLE_NAME',
  'STATEMENT_BUCKET',
  'STATEMENT_QUEUE_URL',
] as const;
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
 * - `STATEMENT_TABLE_NAME`, `STATEMENT_BUCKET`, `STATEMENT_QUEUE_URL`: the records of statement files, their bucket, and the queue
 *   of their work.
 * - `STATEMENT_FILES_PER_HOUR`: statement files that one end user may ask for in an hour.
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
  'statement-files': [...counted, ...statementFiles, 'STATEMENT_FILES_PER_HOUR'],
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
  'statement-writer': [...table, ...statementFiles],
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
 * batches, bank files, webhooks, statement files or the console are switched off.
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
  | 'webhooks'
  | 'statement-files'
  | 'statement-writer';

/** A value for each function that a service has. */
export type PerFunction<Value> = Readonly<
  Record<Exclude<FunctionName, OptionalFunction>, Value> & Partial<Record<OptionalFunction, Value>>
>;

/**
 * The environment that function `F` reads. The file of the function exports `open`, which gets it and returns the
 * handler that Lambda calls. Importing the file has no effect: only the module that lib/bundle.ts writes calls `open`.
 */
export type Environment<F extends FunctionName> = Readonly<Record<(typeof environments)[F][number], string>>;
