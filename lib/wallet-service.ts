import { Duration, RemovalPolicies, RemovalPolicy } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { defaultDueShards } from '../lambdas/contract.ts';
import type { FunctionName, OperatorLimits, StreamReader, WorkKind } from '../lambdas/contract.ts';
import { Alarms } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import { Api } from './api.ts';
import type { CorsProps, ThrottleProps } from './api.ts';
import { Audit } from './audit.ts';
import type { AuditOptions } from './audit.ts';
import { capacityFor } from './capacity.ts';
import type { ProvisionedLoad, TableCapacity } from './capacity.ts';
import { sharesOf } from './concurrency.ts';
import type { ReservedConcurrency, Shares } from './concurrency.ts';
import { Dashboard } from './dashboard.ts';
import type { DashboardProps } from './dashboard.ts';
import { EntriesTable } from './entries-table.ts';
import { Events } from './events.ts';
import type { EventsOptions } from './events.ts';
import { Fraud } from './fraud.ts';
import type { FraudOptions } from './fraud.ts';
import { Health } from './health.ts';
import { Integrity } from './integrity.ts';
import { LambdaLimits } from './lambda-limits.ts';
import { LedgerTable } from './ledger-table.ts';
import { LogQueries } from './log-queries.ts';
import { Notifications } from './notifications.ts';
import { operatorLimitsText } from './operator-limits.ts';
import { Projector } from './projector.ts';
import { rateLimitsOf } from './rate-limits.ts';
import type { RateLimits } from './rate-limits.ts';
import { nameService } from './service-name.ts';
import { Sweeper } from './sweeper.ts';
import { Tokens } from './tokens.ts';
import type { CognitoIssuer, People, TokenIssuer } from './tokens.ts';
import { Transactions } from './transactions.ts';
import { Transfers } from './transfers.ts';
import { sourceMapsContext } from './wallet-function.ts';
import type { WalletFunction } from './wallet-function.ts';
import { Wallets } from './wallets.ts';
import type { WebAcl } from './web-acl.ts';
import type { WorkQueue } from './work-queue.ts';
import { Withdrawals } from './withdrawals.ts';
import type { BankProps } from './withdrawals.ts';

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
   * Largest amount of one charge, withdrawal or transfer by an operator, and of one withdrawal that an operator
   * resolves. In minor units: `{ charge: 1_000_000, byCurrency: { JPY: { charge: 100_000_000 } } }`. A larger amount is
   * refused with `operator_limit_exceeded`, also for an operator with every scope.
   *
   * @default - no limits
   */
  readonly operatorLimits?: OperatorLimits;

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
   * The load that the tables have capacity for, in place of billing on demand. At a steady use of 70 % it costs 41 % of
   * the price on demand: [figures](../docs/performance.md).
   *
   * @default - on demand
   */
  readonly provisioned?: ProvisionedLoad;

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
   * The bus for events, and the time for which they can be replayed.
   *
   * @default - a bus of the service's own, 90 days
   */
  readonly events?: EventsOptions;

  /**
   * Limits that a wallet may reach without a signal, and the reaction to an excess.
   *
   * @default - limits to begin with; nothing is frozen
   */
  readonly fraud?: FraudOptions;

  /**
   * How long events are kept in an archive that cannot be changed.
   *
   * @default - seven years in governance mode
   */
  readonly audit?: AuditOptions;

  /**
   * The treatment of the tables, the user pool, keys, audit and logs when they leave the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether the table and the user pool refuse every deletion.
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
   * The account's quota of concurrent executions in this region. An alarm warns at nine tenths of it.
   *
   * @default 1,000
   */
  readonly accountConcurrency?: number;

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

/** Types whose resources hold data or keys. They stay when the stack is deleted, unless `removalPolicy` says otherwise. */
const keptTypes = [
  'AWS::DynamoDB::GlobalTable',
  'AWS::Cognito::UserPool',
  'AWS::SecretsManager::Secret',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
];

/** The whole service: wallets, charges, withdrawals through a bank, transfers, balances, history and receipts. */
export class WalletService extends Construct {
  readonly api: RestApi;
  readonly table: TableV2;
  /** The wallets' ledgers, and the totals of the other accounts. */
  readonly entriesTable: TableV2;
  /** The queues of accepted work, each with its dead letters. */
  readonly work: Readonly<Record<WorkKind, WorkQueue>>;
  /** The queues of records that the readers of the table's stream set aside. */
  readonly setAside: Readonly<Record<StreamReader, Queue>>;
  /** The HMAC key that requests to the bank are signed with; give the bank the same. */
  readonly bankRequestSecret: Secret;
  /** The HMAC key that the bank signs its notifications with; give the bank the same. */
  readonly bankNotificationSecret: Secret;
  /** The bus on which every event is published: docs/events.md. */
  readonly eventBus: IEventBus;
  /** The topic on which notifications for owners are published. */
  readonly notificationTopic: Topic;
  /** All events, locked. */
  readonly auditBucket: Bucket;
  /** The user pool; undefined where an issuer is given. */
  readonly cognito: CognitoIssuer | undefined;
  readonly functions: Readonly<Record<FunctionName, IFunction>>;

  constructor(scope: Construct, id: string, props: WalletServiceProps) {
    super(scope, id);
    nameService(this);
    this.node.setContext(sourceMapsContext, props.sourceMaps ?? false);
    const rateLimits = rateLimitsOf(props.rateLimits);
    const { alarmTopic, criticalTopic = alarmTopic, warningTopic = alarmTopic } = props;
    const alarms = new Alarms({ critical: criticalTopic, warning: warningTopic });
    const addAlarm = alarms.add;
    const shares = sharesOf(props.reservedConcurrency ?? {});
    const shared: Shared = { capacity: capacityFor(props.provisioned), rateLimits, shares, addAlarm };
    const core = newCore(this, props, shared);
    const { ledger, tokens, entries, projector, wallets, transactions, transfers, withdrawals, sweeper, health } = core;
    const { events, notifications, fraud, audit, integrity } = newFollowers(this, props, { ...shared, ...core });
    const routed = {
      ...integrity.functions,
      ...wallets.functions,
      ...transactions.functions,
      ...transfers.functions,
      ...withdrawals.functions,
      ...notifications.functions,
      ...health.functions,
    };
    const api = new Api(this, 'Api', {
      functions: routed,
      authorizer: tokens.authorizer,
      cors: props.cors,
      webAcl: props.webAcl ?? true,
      throttle: props.throttle ?? { ratePerSecond: 1000, burst: 2000 },
      addAlarm,
    });
    RemovalPolicies.of(this).apply(props.removalPolicy ?? RemovalPolicy.RETAIN, {
      applyToResourceTypes: keptTypes,
    });

    this.api = api.restApi;
    this.table = ledger.table;
    this.entriesTable = entries.table;
    this.work = {
      withdrawal: withdrawals.work,
      transfer: transfers.work,
      notification: notifications.work,
      screening: fraud.work,
    };
    this.setAside = { relay: events.consumer.setAside, projector: projector.consumer.setAside };
    this.bankRequestSecret = withdrawals.requestSecret;
    this.bankNotificationSecret = withdrawals.notificationSecret;
    this.eventBus = events.bus;
    this.notificationTopic = notifications.topic;
    this.auditBucket = audit.bucket;
    this.cognito = tokens.cognito;
    const functions = {
      ...routed,
      authorizer: tokens.authorizerFunction,
      withdrawals: withdrawals.worker,
      transfers: transfers.worker,
      relay: events.relay,
      notifier: notifications.notifier,
      fraud: fraud.worker,
      projector: projector.worker,
      'integrity-job': integrity.job,
      sweeper,
    };
    this.functions = mapped(functions, ({ handler }) => handler);
    const works = { withdrawals, transfers, screening: fraud, notifications };
    watchAll(this, { alarms, api, functions, ledger, entries, queues: mapped(works, ({ work }) => work) }, props);
  }
}

/** The parts that are watched as a whole. */
interface Watched extends Pick<DashboardProps, 'queues'> {
  readonly alarms: Alarms;
  readonly api: Api;
  readonly functions: Readonly<Record<FunctionName, Pick<WalletFunction<FunctionName>, 'handler' | 'logGroup'>>>;
  readonly ledger: LedgerTable;
  readonly entries: EntriesTable;
}

/** Adds the alarms that are about no single part, the saved queries and the dashboard. All other alarms come before. */
function watchAll(scope: Construct, parts: Watched, { accountConcurrency = 1_000 }: WalletServiceProps): void {
  const { alarms, api, ledger, entries, queues } = parts;
  const functions = mapped(parts.functions, ({ handler }) => handler);
  new LambdaLimits(scope, 'LambdaLimits', { functions, accountConcurrency, addAlarm: alarms.add });
  alarms.addMoneyAtRisk(scope);
  const logs = mapped(parts.functions, ({ logGroup }) => logGroup);
  const queries = new LogQueries(scope, 'LogQueries', { accessLog: api.accessLog, logs });
  const tables = { ledger: ledger.table, entries: entries.table };
  new Dashboard(scope, 'Dashboard', { alarms: alarms.all, api: api.restApi, functions, queues, queries, ...tables });
}

/** Returns the parts of named constructs, under the same names. */
function mapped<Name extends string, Whole, Part>(
  wholes: Readonly<Record<Name, Whole>>,
  partOf: (whole: Whole) => Part,
): Record<Name, Part> {
  const parts = Object.entries<Whole>(wholes).map(([name, whole]) => [name, partOf(whole)] as const);
  return Object.fromEntries(parts) as Record<Name, Part>;
}

/** The settings that most parts of the service need. */
interface Shared {
  readonly capacity: TableCapacity;
  readonly rateLimits: Required<RateLimits>;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** Makes the parts that move money: tables, tokens, routes, queues and their workers. */
function newCore(scope: Construct, props: WalletServiceProps, shared: Shared) {
  const { capacity, rateLimits, shares, addAlarm } = shared;
  const { queueDepthLimit = 20_000, dueShards = defaultDueShards, deletionProtection = true } = props;
  const operatorLimits = operatorLimitsText(props.operatorLimits ?? {});
  const ledger = new LedgerTable(scope, 'Ledger', { deletionProtection, dueShards, capacity, addAlarm });
  const tokens = new Tokens(scope, 'Tokens', {
    issuer: props.tokens,
    people: props.people,
    jwksUri: props.tokenJwksUri,
    ledger,
    deletionProtection,
    badTokensPerMinute: rateLimits.badTokensPerMinute,
  });
  const entries = new EntriesTable(scope, 'Entries', { deletionProtection, capacity });
  const projector = new Projector(scope, 'Projector', { ledger, entries, shares, addAlarm });
  const wallets = new Wallets(scope, 'Wallets', { ledger, entries, rateLimits });
  const transactions = new Transactions(scope, 'Transactions', { ledger, rateLimits, operatorLimits });
  const transfers = new Transfers(scope, 'Transfers', {
    ledger,
    rateLimits,
    operatorLimits,
    queueDepthLimit,
    concurrency: props.transferConcurrency ?? 10,
    shares,
    addAlarm,
  });
  const withdrawals = new Withdrawals(scope, 'Withdrawals', {
    ledger,
    bank: props.bank,
    rateLimits,
    operatorLimits,
    queueDepthLimit,
    shares,
    addAlarm,
  });
  const queues = { withdrawals: withdrawals.work, transfers: transfers.work };
  const { sweeper } = new Sweeper(scope, 'Sweeper', { ledger, ...queues, shares, addAlarm });
  const health = new Health(scope, 'Health', { ledger, tokens, ...queues });
  return { ledger, tokens, entries, projector, wallets, transactions, transfers, withdrawals, sweeper, health };
}

/** Makes the parts that follow a command: events and their consumers, and the check of the books. */
function newFollowers(scope: Construct, props: WalletServiceProps, core: Shared & ReturnType<typeof newCore>) {
  const { ledger, tokens, entries, withdrawals, capacity, rateLimits, shares, addAlarm } = core;
  const events = new Events(scope, 'Events', { ledger, tokens, ...props.events, shares, addAlarm });
  const notifications = new Notifications(scope, 'Notifications', {
    ledger,
    events,
    rateLimits,
    capacity,
    concurrency: props.notificationConcurrency ?? 5,
    shares,
    addAlarm,
  });
  const fraud = new Fraud(scope, 'Fraud', {
    ledger,
    events,
    options: props.fraud ?? {},
    capacity,
    concurrency: props.screeningConcurrency ?? 5,
    shares,
    addAlarm,
  });
  const audit = new Audit(scope, 'Audit', { events, options: props.audit ?? {}, addAlarm });
  const integrity = new Integrity(scope, 'Integrity', {
    ...{ ledger, entries, withdrawals, events, shares, addAlarm },
    fullPassEvery: props.fullPassEvery ?? Duration.days(1),
  });
  return { events, notifications, fraud, audit, integrity };
}
