import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { OperatorLimits, Tiers } from '../lambdas/contract.ts';
import type { AdoptedLedger, AdoptedTable } from './adopted-table.ts';
import type { DomainProps } from './api-domain.ts';
import type { CorsProps, ThrottleProps } from './api.ts';
import type { AuditOptions } from './audit.ts';
import type { BackupOptions } from './backup.ts';
import type { BankFilesOptions } from './bank-files.ts';
import type { BankProps } from './bank-props.ts';
import type { MonthlyBudget } from './budget.ts';
import type { ProvisionedLoad, WarmLoad } from './capacity.ts';
import type { ReservedConcurrency } from './concurrency.ts';
import type { ConsoleOptions } from './console.ts';
import type { DeploymentStrategy } from './deployments.ts';
import type { EventsOptions } from './events.ts';
import type { FeesOptions } from './fees.ts';
import type { FourEyesOptions } from './four-eyes.ts';
import type { FraudOptions } from './fraud.ts';
import type { RateLimits } from './rate-limits.ts';
import type { LogLevel } from './service-settings.ts';
import type { People, TokenIssuer } from './tokens.ts';
import type { WebAcl } from './web-acl.ts';
import type { WebhooksOptions } from './webhooks.ts';

/** Properties of `WalletService`. */
export interface WalletServiceProps {
  /** The bank that pays the withdrawals. */
  readonly bank: BankProps;

  /**
   * The issuer of callers' access tokens.
   *
   * @default - a Cognito user pool with the service's scopes, a token endpoint, a client for a backend, and groups of people
   */
  readonly tokens?: TokenIssuer;

  /**
   * Lets people sign in at the stack's own user pool, with a password and an authenticator app, and return to these
   * URLs. They may ask for the scopes `read` and `write`. Members of the group `wallet-support` also get the scope
   * `support`, members of `wallet-decide` the scope `decide`.
   *
   * @default - people cannot sign in
   */
  readonly people?: People;

  /**
   * URL at which the public keys of the stack's own user pool are read.
   *
   * @default - the pool's own URL
   */
  readonly tokenJwksUri?: string;

  /**
   * Limits of one end user in an hour.
   *
   * @default - 10 wallets, 100 transfers, 50 withdrawals, 100 cancellations, 1000 reads, 100 refusals; 20 bad tokens a
   * minute of an address
   */
  readonly rateLimits?: RateLimits;

  /**
   * Largest amount of one charge, withdrawal, transfer, hold (`open-hold`), capture or refund by an operator, of one
   * withdrawal that an operator resolves, and of a credit line (`credit`) that an operator gives to a wallet. In minor units:
   * `{ charge: 1_000_000, byCurrency: { JPY: { charge: 100_000_000 } } }`. A larger amount is refused with
   * `operator_limit_exceeded`, also for an operator with every scope. Without limits of their own, holds and captures have
   * that of `transfer`, or that of `withdraw` where no wallet receives them. `transfer` also bounds the sum of the legs of a
   * split. Without one of their own, refunds have that of `transfer`, and those of charges that of `charge`. Without one of
   * its own, a credit line has that of `charge`.
   *
   * @default - no limits
   */
  readonly operatorLimits?: OperatorLimits;

  /**
   * Limits that operators give to wallets by name, in minor units:
   * `{ basic: { out: { perDay: 50_000 }, maximumBalance: 100_000, byCurrency: { JPY: { out: { perDay: 7_500_000 } } } } }`.
   * A wallet keeps the limits that the tier had when it was given to it. docs/limits.md describes each limit.
   *
   * @default - no tiers; limits are set one by one
   */
  readonly tiers?: Tiers;

  /**
   * Fees of transfers, withdrawals, captures and charges (docs/fees.md): a flat amount and a share in basis points, with a
   * least and a most, in minor units. Each leg of a split is a transfer. For instance
   * `{ transfer: { flat: 25 }, charge: { flat: 30, basisPoints: 290, byCurrency: { JPY: { basisPoints: 360 } } } }`.
   * `revenueWallets` names the wallets that they are collected into. A transaction keeps the fee of its acceptance.
   *
   * @default - no fees
   */
  readonly fees?: FeesOptions;

  /**
   * Commands of operators that one operator asks for and another approves (docs/approvals.md): charges and refunds above an
   * amount in minor units, changes that raise limits, and all resolutions and unfreezings. For instance
   * `{ charge: { above: 1_000_000, byCurrency: { JPY: 100_000_000 } }, resolve: true, unfreeze: true, limits: true }`.
   *
   * @default - no command needs a second operator, and the routes of approvals are left out
   */
  readonly fourEyes?: FourEyesOptions;

  /**
   * Messages that may wait in the queue of withdrawals, or of transfers, before new ones are refused as `overloaded`.
   * It limits how long accepted work waits for its end.
   *
   * @default 20,000
   */
  readonly queueDepthLimit?: number;

  /**
   * Partitions of the index of open work that the work of a type is spread over: 1 to 256. Each takes about 250
   * withdrawals or 500 queued transfers a second, and costs half a read unit a minute for each type. It may be raised
   * and lowered at any time. After that, the sweeper finds lost work in the former partitions within an hour.
   *
   * @default 64
   */
  readonly dueShards?: number;

  /**
   * Most batches of queued transfers that are settled at the same time: 2 to 1000. More do not help one wallet with
   * many payers, as credits of the same wallet exclude each other.
   *
   * @default 10
   */
  readonly transferConcurrency?: number;

  /**
   * Most batches of events that are screened for fraud at the same time: 2 to 1000. A batch has at most 100 events and
   * takes some 300 ms, so each is enough for about 300 events a second.
   *
   * @default 5
   */
  readonly screeningConcurrency?: number;

  /**
   * Most batches of events that owners are notified of at the same time, as above.
   *
   * @default 5
   */
  readonly notificationConcurrency?: number;

  /**
   * The wallet table, where it exists already: one that was restored from a backup. The stack then has none of its own.
   * Streams, indexes, backups and protection of the table are yours: docs/deploy.md, Adopting tables.
   *
   * @default - a table of the stack's own
   */
  readonly ledgerTable?: AdoptedLedger;

  /**
   * The table of entries, as above.
   *
   * @default - a table of the stack's own
   */
  readonly entriesTable?: AdoptedTable;

  /**
   * The load that the tables have capacity for, in place of billing on demand. At a steady use of 70 % it costs 41 % of
   * the price on demand: [figures](../docs/performance.md).
   *
   * @default - on demand
   */
  readonly provisioned?: ProvisionedLoad;

  /**
   * The load that tables and indexes can take at once, before a launch. New ones take 4,000 write units and 12,000 read
   * units a second, which is some 360 withdrawals a second. It costs once for each unit above that, may be raised, and
   * cannot be lowered: DynamoDB refuses less than a table has reached.
   *
   * @default - DynamoDB's own, which grows with the load
   */
  readonly warmThroughput?: WarmLoad;

  /**
   * Concurrency that workers, sweeper, relay and projector keep for themselves, and that `Prefer: wait` can take at
   * most. `false` reserves nothing: for a new account, whose quota is 10, of which Lambda allows no reservation.
   *
   * @default - 554 of the 1,000 that an account usually has
   */
  readonly reservedConcurrency?: ReservedConcurrency | false;

  /**
   * The web ACL in front of the API: one of the service's own, one of yours by its ARN, or none. The service's own
   * blocks an IP address while it sends more than half of the limit in `throttle`, averaged over five minutes.
   *
   * @default true
   */
  readonly webAcl?: WebAcl;

  /**
   * Limits for the requests of all callers together.
   *
   * @default - 1000 a second, 2000 at once
   */
  readonly throttle?: ThrottleProps;

  /**
   * Time from the beginning of a pass over all books to that of the next one, in whole hours. Closed hours are checked
   * in any case. A pass finds later changes.
   *
   * @default Duration.days(1)
   */
  readonly fullPassEvery?: Duration;

  /**
   * The web pages that may use the API from a browser.
   *
   * @default - none: CORS is off
   */
  readonly cors?: CorsProps;

  /**
   * A domain name of yours for the API.
   *
   * @default - the API's own address
   */
  readonly domain?: DomainProps;

  /**
   * The bus for events, and the time for which they can be replayed.
   *
   * @default - a bus of the service's own, 90 days
   */
  readonly events?: EventsOptions;

  /**
   * Limits that a wallet may reach without a signal, and the reaction to an excess. `false`: nothing is screened.
   *
   * @default - limits to begin with; nothing is frozen
   */
  readonly fraud?: FraudOptions | false;

  /**
   * Whether owners are notified of changes on the channels that they choose. `false`: there is no topic, and no routes for
   * their choice.
   *
   * @default true
   */
  readonly notifications?: boolean;

  /**
   * Whether money can be held for a receiver. `false` leaves out the three routes of holds. The sweeper still ends holds
   * that were opened before. Use it for the first deployment of a release with holds: an earlier release cannot read them
   * (docs/upgrading.md).
   *
   * @default true
   */
  readonly holds?: boolean;

  /**
   * Whether transactions can be refunded and charged back. `false` leaves out the route of refunds. Use it for the first
   * deployment of a release with refunds: an earlier release cannot read them (docs/upgrading.md).
   *
   * @default true
   */
  readonly refunds?: boolean;

  /**
   * Whether many transfers can be booked together. `false` leaves out the route of splits. Use it for the first deployment
   * of a release with splits: the check of the books of an earlier release reports their wallets (docs/upgrading.md).
   *
   * @default true
   */
  readonly splits?: boolean;

  /**
   * Whether operators can send files of payments (docs/batches.md). `true` adds three routes, a queue and its worker: some
   * 25 of a stack's 500 resources, and more where versions shift traffic.
   *
   * @default false
   */
  readonly batches?: boolean;

  /**
   * A page for operators at the path `/console` of the API (docs/console.md): search, wallets, the life of transactions,
   * reviews, approvals, and the check of the books. It shows nothing without a token, and does only what its scopes
   * allow. It adds a function and a method: five of a stack's 500 resources.
   *
   * @default - no console
   */
  readonly console?: ConsoleOptions;

  /**
   * A bucket in which a bank puts its files (docs/bank-files.md). Each is compared with the books when it arrives. It adds a
   * bucket, a queue and its worker: 15 of a stack's 500 resources.
   *
   * @default - no bucket; files are compared with `npm run reconcile`
   */
  readonly bankFiles?: BankFilesOptions;

  /**
   * Whether operators can send events to endpoints by HTTP (docs/webhooks.md). `true` adds eight routes, a table, a queue and
   * its worker: some 35 of a stack's 500 resources, and 43 where versions shift traffic.
   *
   * @default false
   */
  readonly webhooks?: boolean | WebhooksOptions;

  /**
   * Whether statements of any length can be had as files (docs/statements.md). `true` adds two routes, a bucket, a table, a queue
   * and its worker: some 22 of a stack's 500 resources, and 30 where versions shift traffic.
   *
   * @default false
   */
  readonly statementFiles?: boolean;

  /**
   * Whether payments can be scheduled, once or as standing orders. `false` leaves out the routes of standing orders, and
   * refuses `executeAt`. What was scheduled before is still executed. Use it for the first deployment of a release with
   * schedules: an earlier release cannot read them (docs/upgrading.md).
   *
   * @default true
   */
  readonly schedules?: boolean;

  /**
   * How long events are kept in a bucket whose objects cannot be changed. `false`: there is no bucket, and events end with
   * the bus's archive.
   *
   * @default - seven years in governance mode
   */
  readonly audit?: AuditOptions | false;

  /**
   * A KMS key of yours for tables, queues, topic, secrets, logs and the audit's bucket. A key of this app gets the policy
   * that it needs; another one needs it before. **Never delete it: the money is lost with it.** The bus, its archive and
   * the stream to the audit keep keys of AWS.
   *
   * @default - keys of AWS
   */
  readonly encryptionKey?: IKey;

  /**
   * Backups of both tables in a vault of AWS Backup, and copies in the vault of another account. Point-in-time recovery
   * is always on, and ends with the account.
   *
   * @default - none
   */
  readonly backup?: BackupOptions;

  /**
   * How a new version of a function gets its traffic. With a configuration of CodeDeploy each function has the alias
   * `live`, and a deployment is rolled back when the function fails or a critical alarm goes off.
   *
   * @default 'all-at-once'
   */
  readonly deployment?: DeploymentStrategy;

  /**
   * The treatment of the tables, the user pool, keys, audit and logs when they leave the stack.
   *
   * @default - they are kept, unless the deployment that makes them fails
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether both tables and the user pool refuse every deletion.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;

  /**
   * Whether stack traces in logs name source files and lines. It costs each cold start about a tenth. Without it `npm
   * run trace` finds them.
   *
   * @default false
   */
  readonly sourceMaps?: boolean;

  /**
   * The least severe lines in the functions' logs. `WARN` saves the lines about each withdrawal and each batch, but the
   * saved queries about the bank and about slow withdrawals, and the dashboard's table of the bank's outcomes, read them.
   * Metrics, the access log and Lambda's own lines are the same at each level.
   *
   * @default 'INFO'
   */
  readonly logLevel?: LogLevel;

  /**
   * How long CloudWatch keeps the logs of functions, of the API's requests, and of the delivery to the audit.
   *
   * @default RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: RetentionDays;

  /**
   * The account's quota of concurrent executions in this region. An alarm warns at nine tenths of it.
   *
   * @default 1,000
   */
  readonly accountConcurrency?: number;

  /**
   * The dollars that the service may cost in a month. AWS Budgets warns at 80 % spent, and when its forecast for the month
   * exceeds them. All resources get the tag `wallet-service` with the name of the service; activate it for cost
   * allocation in Billing, or the budget counts nothing.
   *
   * @default - no budget, and no tags
   */
  readonly monthlyBudget?: MonthlyBudget;

  /**
   * The topic for alarms of both severities.
   *
   * @default - alarms only show in CloudWatch
   */
  readonly alarmTopic?: ITopic;

  /**
   * The topic for critical alarms, which must reach an operator at any hour.
   *
   * @default - `alarmTopic`
   */
  readonly criticalTopic?: ITopic;

  /**
   * The topic for warnings, which can wait for the working day.
   *
   * @default - `alarmTopic`
   */
  readonly warningTopic?: ITopic;
}
