/**
 * The contract between infrastructure and code: the functions, the routes that reach them and the environment of each.
 * It is the only file under lambdas/ that lib/ imports. A construct's environment is typed by it. So a variable that a
 * function needs and the construct lacks does not compile.
 */

import type { ErrorCode } from './domain/errors.ts';
import type { EventType } from './domain/events.ts';
import type { FraudLimits } from './domain/fraud.ts';

export * from './environments.ts';
export * from './routes.ts';
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
export { statementFileDays, statementItems } from './domain/statement-file.ts';
export { mostWebhooks } from './domain/webhook.ts';
export type { FixedWebhook } from './domain/webhook.ts';

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
  /** The parts that the deployment has; the page hides the forms of others. */
  readonly features: readonly ConsoleFeature[];
}

/** The parts of a service that a deployment may leave out, and that the page for operators has forms for. */
export const consoleFeatures = ['holds', 'refunds', 'statementFiles'] as const;

/** One of these parts. */
export type ConsoleFeature = (typeof consoleFeatures)[number];

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
  alias: 'ALIAS#',
  takenAliases: 'ALIASES#',
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
  /** Deliveries that were parked: their receiver has not taken them for a day; and those that cannot be read. */
  webhooksParked: 'WebhooksParked',
  /** Endpoints that were disabled, as they took nothing for a week. */
  webhooksDisabled: 'WebhooksDisabled',

  // From the worker of statement files.
  /** Statements that failed, as their tries were used up. */
  statementsFailed: 'StatementsFailed',

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
  'statement',
] as const;
export type WorkKind = (typeof workKinds)[number];

/**
 * Kinds of work that a service lacks where batches, bank files, notifications, the screening, webhooks or statement files are
 * switched off.
 */
export const optionalWork = [
  'batch',
  'reconciliation',
  'notification',
  'screening',
  'webhook',
  'statement',
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
