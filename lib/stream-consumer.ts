import { Duration, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { FunctionName, StreamReader } from '../lambdas/contract.ts';
import type { AddAlarm } from './alarms.ts';
import { queueEncryption } from './encryption.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { Access, WalletFunction } from './wallet-function.ts';

/** Properties of `StreamConsumer`. */
export interface StreamConsumerProps {
  /** The consumer's role; its runbook entries begin with it. */
  readonly work: StreamReader;
  /** The data that is missing while a record is not handled, as part of a sentence. */
  readonly missing: string;
  readonly addAlarm: AddAlarm;
}

/** The sort keys of wallets and transactions. */
export const moneyItems = ['WALLET', 'TX'] as const;

/**
 * One reader of the changes of wallets and transactions on the table's stream. It has a queue for the records that it
 * cannot handle, and the alarms on both. A table has room for two readers.
 */
export class StreamConsumer extends Construct {
  /** Records that were set aside (whole), and batches that Lambda dropped (their position in the stream only). */
  readonly setAside: Queue;
  readonly #props: StreamConsumerProps;

  constructor(scope: Construct, id: string, props: StreamConsumerProps) {
    super(scope, id);
    this.#props = props;
    this.setAside = new Queue(this, 'SetAside', {
      ...queueEncryption(this),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.setAside).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is a dead-letter queue.' });
    props.addAlarm(this, 'SetAsideNotEmpty', {
      name: `${props.work} set a change aside`,
      severity: 'warning',
      metric: this.setAside.metricApproximateNumberOfMessagesVisible({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: 1,
      periods: 1,
      meaning: `The ${props.work} has set a change aside: ${props.missing} until an operator hands it back.`,
      runbook: `${props.work}-set-aside`,
    });
  }

  /** Returns the queue's URL with the permission to set a record aside. */
  allowSettingAside(): Access {
    const { queueUrl, queueArn } = this.setAside;
    return { value: queueUrl, grants: [{ actions: ['sqs:SendMessage'], resources: [queueArn] }] };
  }

  /**
   * Lets the worker read the stream from its beginning, a shard in order, and watches its lag.
   *
   * @param sortKeys of the items whose changes it gets
   */
  feed<Name extends FunctionName>(
    worker: WalletFunction<Name>,
    ledger: LedgerTable,
    sortKeys: readonly string[] = moneyItems,
  ): void {
    const { work, missing, addAlarm } = this.#props;
    worker.handler.addToRolePolicy(
      new PolicyStatement({
        actions: [
          'dynamodb:DescribeStream',
          'dynamodb:GetRecords',
          'dynamodb:GetShardIterator',
          'dynamodb:ListStreams',
        ],
        resources: [ledger.streamArn],
      }),
    );
    new EventSourceMapping(this, 'Source', {
      target: worker.invoked,
      eventSourceArn: ledger.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      // Batches of one record cost most of what a consumer costs. A full batch does not wait.
      maxBatchingWindow: Duration.seconds(1),
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      // A try of the worker's own lasts up to half a minute when its target is down, so this outlasts an outage of
      // hours. Lambda drops a batch that always fails while the stream, which keeps records for 24 hours, still has it.
      retryAttempts: 1_000,
      onFailure: { bind: () => ({ destination: this.setAside.queueArn }) },
      // Keys keep their order with any factor. More than one lets a busy shard catch up.
      parallelizationFactor: 4,
      filters: [FilterCriteria.filter({ dynamodb: { Keys: { sk: { S: FilterRule.or(...sortKeys) } } } })],
    });
    addAlarm(this, 'TooFarBehind', {
      name: `${work} behind`,
      severity: 'warning',
      metric: worker.handler.metric('IteratorAge', { statistic: Stats.MAXIMUM, period: Duration.minutes(1) }),
      threshold: 300_000,
      periods: 5,
      meaning: `The ${work} is more than five minutes behind the table: ${missing} until it catches up.`,
      runbook: `${work}-too-far-behind`,
    });
  }
}
