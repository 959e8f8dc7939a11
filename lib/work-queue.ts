import { Duration } from 'aws-cdk-lib';
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { FunctionName, WorkKind } from '../lambdas/contract.ts';
import { addLevels } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import type { Shares } from './concurrency.ts';
import { queueEncryption } from './encryption.ts';
import type { Access, WalletFunction } from './wallet-function.ts';

/** How many times a message is received before it becomes a dead letter. */
const mostReceives = 30;

/** Properties of `WorkQueue`. */
export interface WorkQueueProps {
  /** The kind of the messages, in the singular; its runbook entries begin with it. */
  readonly work: WorkKind;
  /** The harm while one of them is not finished, as part of a sentence. */
  readonly atStake: string;
  /** Most messages that the worker gets at a time. */
  readonly batchSize: number;
  /**
   * Time for which messages are gathered for a batch. Above 10 messages Lambda requires at least a second.
   *
   * @default - a batch is taken at once
   */
  readonly batchingWindow?: Duration;
  /** Most batches at work at the same time: 2 to 1000. */
  readonly concurrency: number;
  /**
   * The time limit of the worker.
   *
   * @default 30 seconds
   */
  readonly workerTimeout?: Duration;
  /**
   * Seconds for which a message may be there before the queue is late.
   *
   * @default 300
   */
  readonly lateAfterSeconds?: number;
  /**
   * Messages that may wait before new work is refused.
   *
   * @default - no limit
   */
  readonly depthLimit?: number;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** A queue of accepted work with its dead letters, the event source of its one worker, and the alarms on all three. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  /** The time limit that the worker must have. */
  readonly workerTimeout: Duration;
  /** The reserved concurrency that the worker must have. With less, the event source's batches would be throttled. */
  readonly workerConcurrency: number | undefined;
  readonly #props: WorkQueueProps;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    this.#props = props;
    const { batchingWindow, concurrency, shares } = props;
    this.workerTimeout = props.workerTimeout ?? Duration.seconds(30);
    this.workerConcurrency = shares.worker(concurrency);
    this.deadLetterQueue = new Queue(this, 'DeadLetters', {
      ...queueEncryption(this),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, 'Queue', {
      ...queueEncryption(this),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      // Six times the worker's limit, as AWS advises: the event source itself may be throttled and retry.
      visibilityTimeout: Duration.seconds(6 * this.workerTimeout.toSeconds() + (batchingWindow?.toSeconds() ?? 0)),
      // Generous, because the record counts the visits to the bank: a withdrawal that has used them up goes to review.
      // Dead letters are messages that the worker cannot finish, or withdrawals of a bank that is down for more than an
      // hour. The work itself stays due in the table, and the sweeper queues it again.
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: mostReceives },
    });

    this.#addAlarms();
  }

  /** Watches the queue and its dead letters. */
  #addAlarms(): void {
    const { work, atStake, depthLimit, lateAfterSeconds = 300, addAlarm } = this.#props;
    addAlarm(this, 'DeadLettersNotEmpty', {
      name: `${work} in dead letters`,
      severity: this.#movesMoney ? 'critical' : 'warning',
      ...(this.#movesMoney && { moneyAtRisk: true }),
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: 1,
      periods: 1,
      meaning: `A ${work} was received ${mostReceives} times and not finished: ${atStake}.`,
      runbook: `${work}-dead-letters`,
    });
    addAlarm(this, 'TooOld', {
      name: `${work} queue late`,
      severity: 'warning',
      metric: this.queue.metricApproximateAgeOfOldestMessage({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: lateAfterSeconds,
      periods: 5,
      meaning: `A ${work} has been waiting for its worker for more than ${lateAfterSeconds / 60} minutes.`,
      runbook: `${work}-queue-too-old`,
    });
    if (depthLimit === undefined) return;
    addLevels(addAlarm, this, 'NearlyFull', {
      name: `${work} queue nearly full`,
      metric: this.#depth(),
      thresholds: { warning: 0.7 * depthLimit, critical: 0.9 * depthLimit },
      periods: 2,
      ofLoad: true,
      meaning: (depth) =>
        `The ${work} queue has ${Math.round((100 * depth) / depthLimit)} % of the messages at which new work is refused.`,
      runbook: `${work}-queue-nearly-full`,
    });
  }

  /** Whether money waits while a message does. */
  get #movesMoney(): boolean {
    return this.#props.depthLimit !== undefined;
  }

  /** Returns the messages that wait or are at work, as the routes count them before they accept more. */
  #depth(): MathExpression {
    const most = { statistic: Stats.MAXIMUM, period: Duration.minutes(1) };
    return new MathExpression({
      label: 'messages',
      expression: 'SUM(METRICS())',
      period: Duration.minutes(1),
      usingMetrics: {
        waiting: this.queue.metricApproximateNumberOfMessagesVisible(most),
        at_work: this.queue.metricApproximateNumberOfMessagesNotVisible(most),
      },
    });
  }

  /** Lets the worker consume the queue, each message with its own result, and watches it. */
  feed<Name extends FunctionName>(worker: WalletFunction<Name>): void {
    const { work, batchSize, batchingWindow, concurrency, addAlarm } = this.#props;
    worker.invoked.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize,
        ...(batchingWindow && { maxBatchingWindow: batchingWindow }),
        maxConcurrency: concurrency,
        reportBatchItemFailures: true,
      }),
    );
    addAlarm(this, 'WorkerErrors', {
      name: `${work} worker fails`,
      severity: this.#movesMoney ? 'critical' : 'warning',
      metric: worker.handler.metricErrors({ statistic: Stats.SUM, period: Duration.minutes(1) }),
      threshold: 1,
      periods: 3,
      meaning: `The ${work} worker keeps crashing or timing out.`,
      runbook: `${work}-worker-errors`,
    });
  }

  /** Returns the queue's URL with the permission for exactly these actions. */
  allow(actions: readonly ('SendMessage' | 'ChangeMessageVisibility' | 'GetQueueAttributes')[]): Access {
    return {
      value: this.queue.queueUrl,
      grants: [{ actions: actions.map((action) => `sqs:${action}`), resources: [this.queue.queueArn] }],
    };
  }

  /** Returns the dead-letter queue's URL with the permission to read its depth. */
  allowWatchingDeadLetters(): Access {
    const { queueUrl, queueArn } = this.deadLetterQueue;
    return { value: queueUrl, grants: [{ actions: ['sqs:GetQueueAttributes'], resources: [queueArn] }] };
  }
}
