import { Duration, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { metrics } from '../lambdas/contract.ts';
import { ownMetric, type AddAlarm } from './alarms.ts';
import type { LedgerTable } from './ledger-table.ts';
import { type Access, WalletFunction } from './wallet-function.ts';
import { WorkQueue } from './work-queue.ts';

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
   * @default 20
   */
  readonly maxAttempts?: number;

  /**
   * Most batches at work with the bank at a time: 2 to 1000. Each takes up to 10 withdrawals side by side.
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
  /** Messages that may wait before new withdrawals are refused. */
  readonly queueDepthLimit: number;
  readonly addAlarm: AddAlarm;
}

/** Money out through the bank: the routes that hold it and end it, the queue, and the worker that talks to the bank. */
export class Withdrawals extends Construct {
  readonly work: WorkQueue;
  /** The HMAC key that requests to the bank are signed with, and the bank's notifications; give the bank the same. */
  readonly bankSecret: Secret;
  /** What a function needs to speak with the bank. */
  readonly bankAccess: Record<'BANK_URL' | 'BANK_SECRET_ARN', string | Access>;
  readonly functions;
  readonly worker: WalletFunction<'withdrawals'>;

  constructor(scope: Construct, id: string, props: WithdrawalsProps) {
    super(scope, id);
    const { ledger, bank, addAlarm } = props;
    this.work = new WorkQueue(this, 'Work', {
      work: 'withdrawal',
      atStake: 'its money is with neither side',
      batchSize: 10,
      concurrency: bank.concurrency ?? 50,
      addAlarm,
    });
    this.bankSecret = new Secret(this, 'BankSecret', {
      description: 'HMAC key that requests to the bank and notifications from it are signed with',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    Validations.of(this.bankSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'The bank holds the same key, so it changes by agreement with the bank and not on a timer.',
    });
    const bankSecretArn: Access = {
      value: this.bankSecret.secretArn,
      grants: [{ actions: ['secretsmanager:GetSecretValue'], resources: [this.bankSecret.secretArn] }],
    };

    this.bankAccess = { BANK_URL: bank.url, BANK_SECRET_ARN: bankSecretArn };

    const readAndMove = ledger.allow(['GetItem', 'PutItem', 'UpdateItem']);
    this.functions = {
      withdraw: new WalletFunction(this, 'withdraw', {
        timeout: WalletFunction.longestRouteTimeout,
        environment: {
          TABLE_NAME: readAndMove,
          WITHDRAWALS_PER_HOUR: String(props.withdrawalsPerHour),
          WITHDRAWAL_QUEUE_URL: this.work.allow(['SendMessage', 'GetQueueAttributes']),
          QUEUE_DEPTH_LIMIT: String(props.queueDepthLimit),
        },
      }),
      resolve: new WalletFunction(this, 'resolve', { environment: { TABLE_NAME: readAndMove } }),
      'bank-notifications': new WalletFunction(this, 'bank-notifications', {
        environment: { TABLE_NAME: readAndMove, BANK_SECRET_ARN: bankSecretArn },
      }),
    };
    this.worker = new WalletFunction(this, 'withdrawals', {
      timeout: this.work.workerTimeout,
      environment: {
        TABLE_NAME: ledger.allow(['GetItem', 'PutItem', 'UpdateItem']),
        WITHDRAWAL_QUEUE_URL: this.work.allow(['ChangeMessageVisibility']),
        ...this.bankAccess,
        BANK_NOT_FOUND_WINDOW_SECONDS: String((bank.notFoundWindow ?? Duration.seconds(2)).toSeconds()),
        BANK_MAX_ATTEMPTS: String(bank.maxAttempts ?? 20),
      },
    });
    this.work.feed(this.worker);

    addAlarm(this, 'InReview', {
      metric: ownMetric(metrics.withdrawalsInReview, Stats.MAXIMUM),
      threshold: 1,
      periods: 1,
      meaning:
        'The bank gave no clear answer for a withdrawal; its money is held until somebody finds out and says so.',
      runbook: 'withdrawal-in-review',
    });
    addAlarm(this, 'BankContradiction', {
      metric: ownMetric(metrics.bankContradiction, Stats.SUM),
      threshold: 1,
      periods: 1,
      meaning: 'The bank says what cannot be true together with the ledger; money may have moved twice, or not at all.',
      runbook: 'bank-contradiction',
    });
  }
}
