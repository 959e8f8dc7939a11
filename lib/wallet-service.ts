import { RemovalPolicies, RemovalPolicy } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { indexes } from '../lambdas/contract.ts';
import type { FunctionName, PerFunction, PerWork, StreamReader } from '../lambdas/contract.ts';
import { Alarms } from './alarms.ts';
import { Api } from './api.ts';
import type { ApiProps } from './api.ts';
import { ServiceBudget } from './budget.ts';
import { Backup } from './backup.ts';
import { checkProps } from './check-props.ts';
import { newCore, sharedOf } from './core.ts';
import type { Core } from './core.ts';
import { Dashboard } from './dashboard.ts';
import { Deployments } from './deployments.ts';
import { allowServices } from './encryption.ts';
import type { EntriesTable } from './entries-table.ts';
import { newFollowers } from './followers.ts';
import type { Followers } from './followers.ts';
import { LambdaLimits } from './lambda-limits.ts';
import type { LedgerTable } from './ledger-table.ts';
import { LogQueries } from './log-queries.ts';
import { nameService } from './service-name.ts';
import { keepSettings } from './service-settings.ts';
import type { PaidTable, Spending } from './spending.ts';
import type { CognitoIssuer } from './tokens.ts';
import { orderUpdates } from './update-order.ts';
import { aliasContext } from './wallet-function.ts';
import type { WalletFunction } from './wallet-function.ts';
import type { WalletServiceProps } from './wallet-service-props.ts';
import type { WorkQueue } from './work-queue.ts';

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

/** The whole service: wallets, charges, withdrawals through a bank, transfers, splits, holds, refunds, balances, history and receipts. */
export class WalletService extends Construct {
  readonly api: RestApi;
  /** Base URL of the API: below the domain name, where there is one. */
  readonly url: string;
  readonly table: ITableV2;
  /** The wallets' ledgers, and the totals of the other accounts. */
  readonly entriesTable: ITableV2;
  /** The queues of accepted work, each with its dead letters. */
  readonly work: PerWork<WorkQueue>;
  /** The queues of records that the readers of the table's stream set aside. */
  readonly setAside: Readonly<Record<StreamReader, Queue>>;
  /** The HMAC key that requests to the bank are signed with; give the bank the same. */
  readonly bankRequestSecret: ISecret;
  /** The HMAC key that the bank signs its notifications with; give the bank the same. */
  readonly bankNotificationSecret: ISecret;
  /** The bus on which every event is published: docs/events.md. */
  readonly eventBus: IEventBus;
  /** The topic on which notifications for owners are published; undefined where they are switched off. */
  readonly notificationTopic: Topic | undefined;
  /** The endpoints of webhooks, and their deliveries; undefined where webhooks are switched off. */
  readonly webhookTable: ITableV2 | undefined;
  /** All events, locked; undefined where the audit is switched off. */
  readonly auditBucket: Bucket | undefined;
  /** The bucket for statements as files; undefined where they are switched off. */
  readonly statementFilesBucket: Bucket | undefined;
  /** The bucket for files of the bank; undefined where it is switched off. */
  readonly bankFilesBucket: Bucket | undefined;
  /** The user pool; undefined where an issuer is given. */
  readonly cognito: CognitoIssuer | undefined;
  readonly functions: PerFunction<IFunction>;

  constructor(scope: Construct, id: string, props: WalletServiceProps) {
    super(scope, id);
    checkProps(this, props);
    nameService(this);
    keepSettings(this, props);
    this.node.setContext(aliasContext, (props.deployment ?? 'all-at-once') !== 'all-at-once');
    if (props.encryptionKey) allowServices(this, props.encryptionKey);
    const { alarmTopic, criticalTopic = alarmTopic, warningTopic = alarmTopic } = props;
    const alarms = new Alarms({ critical: criticalTopic, warning: warningTopic });
    const shared = sharedOf(props, alarms.add);
    const core = newCore(this, props, shared);
    const { ledger, tokens, entries, projector, transfers, withdrawals, batches, statementFiles, sweeper } = core;
    const followers = newFollowers(this, props, { ...shared, ...core });
    const { events, notifications, fraud, webhooks, audit, integrity, bankFiles } = followers;
    const routed = routedIn(core, followers);
    const api = newApi(this, props, {
      ...{ functions: routed, console: routed.console, authorizer: tokens.authorizer },
      addAlarm: alarms.add,
    });
    RemovalPolicies.of(this).apply(props.removalPolicy ?? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, {
      applyToResourceTypes: keptTypes,
    });

    this.api = api.restApi;
    this.url = api.url;
    this.table = ledger.table;
    this.entriesTable = entries.table;
    this.work = {
      withdrawal: withdrawals.work,
      transfer: transfers.work,
      ...(batches && { batch: batches.work }),
      ...(bankFiles && { reconciliation: bankFiles.work }),
      ...(notifications && { notification: notifications.work }),
      ...(fraud && { screening: fraud.work }),
      ...(webhooks && { webhook: webhooks.work }),
      ...(statementFiles && { statement: statementFiles.work }),
    };
    this.setAside = { relay: events.consumer.setAside, projector: projector.consumer.setAside };
    this.bankRequestSecret = withdrawals.requestSecret;
    this.bankNotificationSecret = withdrawals.notificationSecret;
    this.eventBus = events.bus;
    this.notificationTopic = notifications?.topic;
    this.webhookTable = webhooks?.store.table;
    this.auditBucket = audit?.bucket;
    this.statementFilesBucket = statementFiles?.bucket;
    this.bankFilesBucket = bankFiles?.bucket;
    this.cognito = tokens.cognito;
    const functions = {
      ...routed,
      authorizer: tokens.authorizerFunction,
      withdrawals: withdrawals.worker,
      transfers: transfers.worker,
      ...(batches && { batches: batches.worker }),
      relay: events.relay,
      ...(notifications && { notifier: notifications.notifier }),
      ...(fraud && { fraud: fraud.worker }),
      ...(webhooks && { webhooks: webhooks.worker }),
      ...(statementFiles && { 'statement-writer': statementFiles.worker }),
      projector: projector.worker,
      'integrity-job': integrity.job,
      ...(bankFiles && { 'bank-files': bankFiles.worker }),
      sweeper,
    };
    this.functions = mapped(functions, ({ handler }) => handler);
    orderUpdates(functions, Object.keys(routed) as FunctionName[]);
    const works = worksOf(core, followers);
    watchAll(this, { alarms, api, functions, ledger, entries, followers: tablesOf(core, followers), works }, props);
  }
}

/** Returns the parts with a queue, by the word for their work. */
function worksOf(
  { withdrawals, transfers, batches, statementFiles }: Core,
  { bankFiles, fraud, notifications, webhooks }: Followers,
) {
  return {
    withdrawals,
    transfers,
    ...(batches && { batches }),
    ...(bankFiles && { reconciliations: bankFiles }),
    ...(fraud && { screening: fraud }),
    ...(notifications && { notifications }),
    ...(webhooks && { webhooks }),
    ...(statementFiles && { statements: statementFiles }),
  };
}

/** Returns the tables beside those of the books. */
function tablesOf({ statementFiles }: Core, { fraud, notifications, webhooks }: Followers): PaidTable[] {
  return [
    { table: fraud?.activity.table, indexes: [] },
    { table: notifications?.sent.table, indexes: [] },
    { table: webhooks?.store.table, indexes: [indexes.due] },
    { table: statementFiles?.store.table, indexes: [] },
  ].flatMap(({ table, ...own }) => (table ? [{ table, ...own }] : []));
}

/** Returns the functions of the routes, by their names. */
function routedIn(core: Core, followers: Followers) {
  return {
    ...followers.integrity.functions,
    ...core.wallets.functions,
    ...core.transactions.functions,
    ...core.statements.functions,
    ...core.transfers.functions,
    ...core.withdrawals.functions,
    ...core.holds?.functions,
    ...core.refunds?.functions,
    ...core.splits?.functions,
    ...core.standingOrders?.functions,
    ...core.fourEyes?.functions,
    ...core.batches?.functions,
    ...core.statementFiles?.functions,
    ...core.console?.functions,
    ...followers.notifications?.functions,
    ...followers.webhooks?.functions,
    ...core.health.functions,
    ...core.reference.functions,
  };
}

/** Makes the API in front of the routes' functions. */
function newApi(
  scope: Construct,
  { cors, domain, webAcl = true, throttle = { ratePerSecond: 1000, burst: 2000 } }: WalletServiceProps,
  parts: Pick<ApiProps, 'functions' | 'console' | 'authorizer' | 'addAlarm'>,
): Api {
  return new Api(scope, 'Api', { ...parts, cors, domain, webAcl, throttle });
}

/** The parts that are watched as a whole. */
interface Watched {
  readonly alarms: Alarms;
  readonly api: Api;
  readonly functions: PerFunction<Pick<WalletFunction<FunctionName>, 'handler' | 'alias' | 'logGroup' | 'memorySize'>>;
  readonly ledger: LedgerTable;
  readonly entries: EntriesTable;
  /** The parts with a queue, by the word for their work. */
  readonly works: Readonly<Record<string, { readonly work: WorkQueue }>>;
  /** The tables beside those of the books. */
  readonly followers: readonly PaidTable[];
}

/**
 * Adds the alarms that are about no single part, the saved queries, the dashboard and the budget. All other alarms come
 * before.
 */
function watchAll(scope: Construct, parts: Watched, props: WalletServiceProps): void {
  const { accountConcurrency = 1_000, backup, deployment = 'all-at-once', monthlyBudget } = props;
  const { alarms, api } = parts;
  const queues = mapped(parts.works, ({ work }) => work);
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
      alarms: alarms.endByThemselves,
    });
  }
  const logs = mapped(parts.functions, ({ logGroup }) => logGroup);
  const queries = new LogQueries(scope, 'LogQueries', { accessLog: api.accessLog, logs });
  const spending: Spending = {
    functions: Object.values(parts.functions),
    tables: [
      { table: tables.ledger, indexes: Object.values(indexes) },
      { table: tables.entries, indexes: [] },
      ...parts.followers,
    ],
    isProvisioned: props.provisioned !== undefined,
  };
  new Dashboard(scope, 'Dashboard', {
    ...{ alarms: alarms.all, api: api.restApi, functions, queues, queries, spending },
    ...tables,
  });
  if (monthlyBudget) {
    new ServiceBudget(scope, 'Budget', { budget: monthlyBudget, topic: props.warningTopic ?? props.alarmTopic });
  }
}

/** Returns the parts of named constructs, under the same names. */
function mapped<Wholes extends object, Part>(
  wholes: Wholes,
  partOf: (whole: NonNullable<Wholes[keyof Wholes]>) => Part,
): { [Name in keyof Wholes]: Part } {
  const named = Object.entries(wholes) as [string, NonNullable<Wholes[keyof Wholes]>][];
  const parts = named.map(([name, whole]) => [name, partOf(whole)] as const);
  return Object.fromEntries(parts) as { [Name in keyof Wholes]: Part };
}
