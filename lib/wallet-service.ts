import { Duration, RemovalPolicies, RemovalPolicy } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { defaultDueShards } from '../lambdas/contract.ts';
import type { FunctionName, StreamReader, WorkKind } from '../lambdas/contract.ts';
import { Alarms } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import { Api } from './api.ts';
import { Audit } from './audit.ts';
import { capacityFor } from './capacity.ts';
import type { TableCapacity } from './capacity.ts';
import { Backup } from './backup.ts';
import { sharesOf } from './concurrency.ts';
import type { Shares } from './concurrency.ts';
import { Dashboard } from './dashboard.ts';
import type { DashboardProps } from './dashboard.ts';
import { Deployments } from './deployments.ts';
import { EntriesTable } from './entries-table.ts';
import { Events } from './events.ts';
import { Fraud } from './fraud.ts';
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
import type { CognitoIssuer } from './tokens.ts';
import { Transactions } from './transactions.ts';
import { Transfers } from './transfers.ts';
import { orderUpdates } from './update-order.ts';
import { aliasContext, sourceMapsContext } from './wallet-function.ts';
import type { WalletFunction } from './wallet-function.ts';
import type { WalletServiceProps } from './wallet-service-props.ts';
import { Wallets } from './wallets.ts';
import type { WorkQueue } from './work-queue.ts';
import { Withdrawals } from './withdrawals.ts';

/** Types whose resources hold data or keys. They stay when the stack is deleted, unless `removalPolicy` says otherwise. */
const keptTypes = [
  'AWS::DynamoDB::GlobalTable',
  'AWS::Cognito::UserPool',
  'AWS::SecretsManager::Secret',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::Backup::BackupVault',
  'AWS::KMS::Key',
];

/** The whole service: wallets, charges, withdrawals through a bank, transfers, balances, history and receipts. */
export class WalletService extends Construct {
  readonly api: RestApi;
  readonly table: ITableV2;
  /** The wallets' ledgers, and the totals of the other accounts. */
  readonly entriesTable: ITableV2;
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
    this.node.setContext(aliasContext, (props.deployment ?? 'all-at-once') !== 'all-at-once');
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
    RemovalPolicies.of(this).apply(props.removalPolicy ?? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, {
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
    orderUpdates(functions, Object.keys(routed) as FunctionName[]);
    const works = { withdrawals, transfers, screening: fraud, notifications };
    watchAll(this, { alarms, api, functions, ledger, entries, queues: mapped(works, ({ work }) => work) }, props);
  }
}

/** The parts that are watched as a whole. */
interface Watched extends Pick<DashboardProps, 'queues'> {
  readonly alarms: Alarms;
  readonly api: Api;
  readonly functions: Readonly<
    Record<FunctionName, Pick<WalletFunction<FunctionName>, 'handler' | 'alias' | 'logGroup'>>
  >;
  readonly ledger: LedgerTable;
  readonly entries: EntriesTable;
}

/** Adds the alarms that are about no single part, the saved queries and the dashboard. All other alarms come before. */
function watchAll(scope: Construct, parts: Watched, props: WalletServiceProps): void {
  const { accountConcurrency = 1_000, backup, deployment = 'all-at-once' } = props;
  const { alarms, api, queues } = parts;
  const tables = { ledger: parts.ledger.table, entries: parts.entries.table };
  const functions = mapped(parts.functions, ({ handler }) => handler);
  new LambdaLimits(scope, 'LambdaLimits', { functions, accountConcurrency, addAlarm: alarms.add });
  if (backup) {
    new Backup(scope, 'Backup', { options: backup, tables: Object.values(tables), addAlarm: alarms.add });
  }
  alarms.addMoneyAtRisk(scope);
  if (deployment !== 'all-at-once') {
    new Deployments(scope, 'Deployments', {
      strategy: deployment,
      functions: parts.functions,
      alarms: alarms.passing,
    });
  }
  const logs = mapped(parts.functions, ({ logGroup }) => logGroup);
  const queries = new LogQueries(scope, 'LogQueries', { accessLog: api.accessLog, logs });
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
  const { ledgerTable, entriesTable } = props;
  if (ledgerTable && ledgerTable.tableArn === entriesTable?.tableArn) {
    throw new Error(`ledgerTable and entriesTable must be two tables, received ${ledgerTable.tableArn} for both`);
  }
  const table = { deletionProtection, capacity };
  const ledger = new LedgerTable(scope, 'Ledger', { ...table, adopted: ledgerTable, dueShards, addAlarm });
  const tokens = new Tokens(scope, 'Tokens', {
    issuer: props.tokens,
    people: props.people,
    jwksUri: props.tokenJwksUri,
    ledger,
    deletionProtection,
    badTokensPerMinute: rateLimits.badTokensPerMinute,
  });
  const entries = new EntriesTable(scope, 'Entries', { ...table, adopted: entriesTable });
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
