import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { BlockPublicAccess, Bucket } from 'aws-cdk-lib/aws-s3';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { metrics } from '../lambdas/contract.ts';
import { ownMetric } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import type { Shares } from './concurrency.ts';
import { bucketEncryption, deliveryStatements } from './encryption.ts';
import type { Events } from './events.ts';
import type { LedgerTable } from './ledger-table.ts';
import { WalletFunction } from './wallet-function.ts';
import type { Access } from './wallet-function.ts';
import type { Withdrawals } from './withdrawals.ts';
import { WorkQueue } from './work-queue.ts';

/** How the files of a bank are compared with the books. */
export interface BankFilesOptions {
  /**
   * Days by which the bank may date a payment apart from the service. A payment of so many last days may be in the next file.
   *
   * @default 5
   */
  readonly days?: number;

  /**
   * Whether each charge with an external reference must be in the bank's files.
   *
   * @default false
   */
  readonly charges?: boolean;
}

/** Properties of `BankFiles`. */
export interface BankFilesProps {
  readonly options: BankFilesOptions;
  readonly ledger: LedgerTable;
  readonly withdrawals: Withdrawals;
  readonly events: Events;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

const longestDays = 60;

/** A bucket for the files of a bank, and the worker that compares each with the books when it arrives. */
export class BankFiles extends Construct {
  /** Files in `incoming/`, their reports in `reports/`, and the columns of CSV files in `columns.json`. */
  readonly bucket: Bucket;
  readonly work: WorkQueue;
  readonly worker: WalletFunction<'bank-files'>;

  constructor(scope: Construct, id: string, props: BankFilesProps) {
    super(scope, id);
    const { ledger, withdrawals, events, shares, addAlarm } = props;
    const { days = 5, charges = false } = props.options;
    if (!Number.isInteger(days) || days < 0 || days > longestDays) {
      throw new Error(`bankFiles.days must be a whole number from 0 to ${longestDays}, received ${days}`);
    }
    this.bucket = this.#newBucket();
    this.work = new WorkQueue(this, 'Work', {
      work: 'reconciliation',
      atStake: "a bank's file is not compared with the books",
      // A file takes a run by itself.
      batchSize: 1,
      concurrency: 2,
      workerTimeout: Duration.minutes(15),
      lateAfterSeconds: 3_600,
      shares,
      addAlarm,
    });
    new Rule(this, 'Arrived', {
      description: 'Wallet service: a bank has sent a file',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [this.bucket.bucketName] }, object: { key: Match.prefix('incoming/') } },
      },
      targets: [new SqsQueue(this.work.queue, { deadLetterQueue: this.work.deadLetterQueue })],
    });
    this.worker = new WalletFunction(this, 'bank-files', {
      timeout: this.work.workerTimeout,
      // One thread computes all the time. A file of five million lines takes some 600 MB.
      memorySize: 1_769,
      reservedConcurrency: this.work.workerConcurrency,
      environment: {
        TABLE_NAME: ledger.allow({ BatchGetItem: ['transaction'], Scan: 'everything' }),
        BANK_ID: withdrawals.bankAccess.BANK_ID,
        BANK_FILES_BUCKET: this.#allowComparing(),
        BANK_FILES_DAYS: String(days),
        BANK_FILES_CHARGES: String(charges),
        RECONCILIATION_QUEUE_URL: this.work.allow(['ChangeMessageVisibility']),
        EVENT_BUS_NAME: events.allowPublishing(),
      },
    });
    this.#acknowledgeFolders();
    for (const statement of deliveryStatements(this)) this.worker.handler.addToRolePolicy(statement);
    this.work.feed(this.worker);
    addAlarm(this, 'Differs', {
      name: "bank's file differs",
      severity: 'warning',
      metric: ownMetric(this, metrics.bankFileDifferences, Stats.MAXIMUM),
      threshold: 1,
      periods: 1,
      meaning: "A bank's file differs from the books, is broken, or could not be compared in time.",
      runbook: 'bank-file-differs',
    });
  }

  #newBucket(): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      ...bucketEncryption(this),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
    });
    // The construct's own switch would make a function that may change the notifications of all buckets.
    (bucket.node.defaultChild as CfnBucket).notificationConfiguration = {
      eventBridgeConfiguration: { eventBridgeEnabled: true },
    };
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'CloudTrail data events record the reads of the objects. The account turns them on for all buckets.',
    });
    return bucket;
  }

  #acknowledgeFolders(): void {
    const { role } = this.worker.handler;
    const bucket = Stack.of(this).getLogicalId(this.bucket.node.defaultChild as CfnBucket);
    for (const folder of ['incoming', 'reports']) {
      Validations.of(role ?? this.worker).acknowledge({
        id: `AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${folder}/*]`,
        reason:
          'The bank names its files, and a report has the name of its file: the folder is the narrowest resource.',
      });
    }
  }

  /** Returns the bucket's name with the permission to read files and add reports. */
  #allowComparing(): Access {
    const { bucketName, bucketArn } = this.bucket;
    const within = (path: string) => this.bucket.arnForObjects(path);
    return {
      value: bucketName,
      grants: [
        { actions: ['s3:GetObject'], resources: [within('incoming/*'), within('columns.json'), within('reports/*')] },
        { actions: ['s3:PutObject'], resources: [within('reports/*')] },
        // Without it S3 answers "forbidden" about an object that is not there.
        { actions: ['s3:ListBucket'], resources: [bucketArn] },
      ],
    };
  }
}
