import { Duration, Validations } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metrics } from '../lambdas/contract.ts';
import type { AddAlarm } from './alarms.ts';
import type { LedgerTable } from './ledger-table.ts';
import { type Access, WalletFunction } from './wallet-function.ts';

/** The bank that withdrawals are paid by. */
export interface BankProps {
  /** Base URL of the bank's API; may be a CloudFormation parameter. */
  readonly url: string;

  /**
   * How long after a submit the bank may still answer "not found" to a payment that it will make all the same. Take
   * it from the bank's documentation: too short a window pays twice.
   *
   * @default 2 seconds
   */
  readonly notFoundWindow?: Duration;

  /**
   * Visits to the bank for one withdrawal before it goes to review.
   *
   * @default 10
   */
  readonly maxAttempts?: number;

  /**
   * Most conversations with the bank at a time: 2 to 1000.
   *
   * @default 50
   */
  readonly concurrency?: number;
}

/** Properties of `Withdrawals`. */
export interface WithdrawalsProps {
  readonly ledger: LedgerTable;
  readonly bank: BankProps;
  /** Withdrawals that one end user may ask for in one clock hour. */
  readonly withdrawalsPerHour: number;
  readonly addAlarm: AddAlarm;
}

/** Money out through the bank: the route that holds it, the queue, and the worker that talks to the bank. */
export class Withdrawals extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  /** The HMAC key that requests to the bank are signed with; give the bank the same. */
  readonly bankSecret: Secret;
  readonly functions;
  readonly worker: WalletFunction<'withdrawals'>;

  constructor(scope: Construct, id: string, props: WithdrawalsProps) {
    super(scope, id);
    const { ledger, bank, addAlarm } = props;
    const concurrency = bank.concurrency ?? 50;
    if (concurrency < 2 || concurrency > 1000) {
      throw new Error(`bank.concurrency must be between 2 and 1000, received ${String(concurrency)}`);
    }
    const workerTimeout = Duration.seconds(30);

    this.deadLetterQueue = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      // Six times the worker's limit, as AWS advises: the event source itself may be throttled and try again.
      visibilityTimeout: Duration.seconds(6 * workerTimeout.toSeconds()),
      // Generous, because the attempts that count are on the record: a withdrawal whose visits to the bank are used up
      // goes to review, and its message is deleted. Here land only messages that the worker cannot finish at all.
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: 20 },
    });
    this.bankSecret = new Secret(this, 'BankSecret', {
      description: 'HMAC key that requests to the bank are signed with',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    Validations.of(this.bankSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'The bank holds the same key, so it changes by agreement with the bank and not on a timer.',
    });

    this.functions = {
      withdraw: new WalletFunction(this, 'withdraw', {
        environment: {
          TABLE_NAME: ledger.allow(['PutItem', 'UpdateItem']),
          WITHDRAWALS_PER_HOUR: String(props.withdrawalsPerHour),
          WITHDRAWAL_QUEUE_URL: allowOn(this.queue, 'SendMessage'),
        },
      }),
    };
    this.worker = new WalletFunction(this, 'withdrawals', {
      timeout: workerTimeout,
      environment: {
        TABLE_NAME: ledger.allow(['PutItem', 'UpdateItem']),
        WITHDRAWAL_QUEUE_URL: allowOn(this.queue, 'ChangeMessageVisibility'),
        BANK_URL: bank.url,
        BANK_SECRET_ARN: {
          value: this.bankSecret.secretArn,
          grants: [{ actions: ['secretsmanager:GetSecretValue'], resources: [this.bankSecret.secretArn] }],
        },
        BANK_NOT_FOUND_WINDOW_SECONDS: String((bank.notFoundWindow ?? Duration.seconds(2)).toSeconds()),
        BANK_MAX_ATTEMPTS: String(bank.maxAttempts ?? 10),
      },
    });
    this.worker.handler.addEventSource(
      new SqsEventSource(this.queue, { batchSize: 10, maxConcurrency: concurrency, reportBatchItemFailures: true }),
    );

    addAlarm(this, 'DeadLettersNotEmpty', {
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: 1,
      periods: 1,
      meaning: 'A withdrawal was received 20 times and not finished; its money is still held.',
      runbook: 'withdrawal-dead-letters',
    });
    addAlarm(this, 'QueueTooOld', {
      metric: this.queue.metricApproximateAgeOfOldestMessage({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: 300,
      periods: 5,
      meaning: 'A withdrawal has been waiting for the bank for more than five minutes.',
      runbook: 'withdrawal-queue-too-old',
    });
    addAlarm(this, 'InReview', {
      metric: new Metric({
        namespace: metrics.namespace,
        metricName: metrics.withdrawalInReview,
        dimensionsMap: { service: metrics.service },
        statistic: Stats.SUM,
        period: Duration.minutes(1),
      }),
      threshold: 1,
      periods: 1,
      meaning: 'The bank gave no clear answer for a withdrawal; its money is held until somebody finds out.',
      runbook: 'withdrawal-in-review',
    });
    addAlarm(this, 'WorkerErrors', {
      metric: this.worker.handler.metricErrors({ statistic: Stats.SUM, period: Duration.minutes(1) }),
      threshold: 1,
      periods: 3,
      meaning: 'The withdrawal worker keeps crashing or running out of time.',
      runbook: 'withdrawal-worker-errors',
    });
  }

  /** `WITHDRAWAL_QUEUE_URL` and `WITHDRAWAL_DLQ_URL` with leave to read depth and age. */
  allowWatching(): { readonly WITHDRAWAL_QUEUE_URL: Access; readonly WITHDRAWAL_DLQ_URL: Access } {
    return {
      WITHDRAWAL_QUEUE_URL: allowOn(this.queue, 'GetQueueAttributes'),
      WITHDRAWAL_DLQ_URL: allowOn(this.deadLetterQueue, 'GetQueueAttributes'),
    };
  }
}

function allowOn(queue: Queue, action: 'SendMessage' | 'ChangeMessageVisibility' | 'GetQueueAttributes'): Access {
  return { value: queue.queueUrl, grants: [{ actions: [`sqs:${action}`], resources: [queue.queueArn] }] };
}
