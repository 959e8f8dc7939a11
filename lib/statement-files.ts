import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType } from 'aws-cdk-lib/aws-dynamodb';
import { BlockPublicAccess, Bucket } from 'aws-cdk-lib/aws-s3';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { metrics, statementFileDays, statementItems } from '../lambdas/contract.ts';
import { ownMetric } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import type { TableCapacity } from './capacity.ts';
import type { Shares } from './concurrency.ts';
import { bucketEncryption, deliveryStatements } from './encryption.ts';
import type { EntriesTable } from './entries-table.ts';
import { ExpiringTable } from './expiring-table.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';
import type { Access, Grant } from './wallet-function.ts';
import { WorkQueue } from './work-queue.ts';

/** Properties of `StatementFiles`. */
export interface StatementFilesProps {
  readonly ledger: LedgerTable;
  readonly entries: EntriesTable;
  readonly rateLimits: Required<RateLimits>;
  readonly capacity: TableCapacity;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** Statements of any length as files: a worker makes them, in a bucket that forgets them (docs/statements.md). */
export class StatementFiles extends Construct {
  /** The files in `files/`, and the beginnings of those that are not complete in `first/`. */
  readonly bucket: Bucket;
  readonly work: WorkQueue;
  /** The statements, and how far the worker is with each. */
  readonly store: ExpiringTable<keyof typeof statementItems>;
  readonly functions;
  readonly worker: WalletFunction<'statement-writer'>;

  constructor(scope: Construct, id: string, props: StatementFilesProps) {
    super(scope, id);
    const { ledger, entries, rateLimits, capacity, shares, addAlarm } = props;
    this.bucket = this.#newBucket();
    this.store = new ExpiringTable(this, 'Store', {
      ...capacity.table('statements'),
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      items: statementItems,
      timeToLiveAttribute: 'ttl',
    });
    this.work = new WorkQueue(this, 'Work', {
      work: 'statement',
      atStake: 'an owner waits for a file',
      batchSize: 1,
      // The least that an event source takes: a statement reads thousands of items a second, beside those who pay.
      concurrency: 2,
      workerTimeout: Duration.minutes(5),
      lateAfterSeconds: 3_600,
      shares,
      addAlarm,
    });
    const readsEntries = entries.allow({ Query: ['entry'], BatchGetItem: ['entry'] });
    const readsLines = { GetItem: ['wallet'], BatchGetItem: ['transaction'] } as const;
    this.functions = {
      'statement-files': new WalletFunction(this, 'statement-files', {
        environment: {
          TABLE_NAME: ledger.allow({ GetItem: ['wallet'], UpdateItem: ['rateWindow'] }),
          ENTRIES_TABLE_NAME: readsEntries,
          STATEMENT_TABLE_NAME: this.store.allow({
            GetItem: ['statement'],
            PutItem: ['statement'],
            UpdateItem: ['statement'],
          }),
          // A link has the permissions of the function that signs it.
          STATEMENT_BUCKET: this.#allow([this.#grant('s3:GetObject', 'files')]),
          STATEMENT_QUEUE_URL: this.work.allow(['SendMessage']),
          READS_PER_HOUR: String(rateLimits.reads),
          REFUSALS_PER_HOUR: String(rateLimits.refusals),
          STATEMENT_FILES_PER_HOUR: String(rateLimits.statementFiles),
        },
      }),
    };
    this.worker = new WalletFunction(this, 'statement-writer', {
      timeout: this.work.workerTimeout,
      // One thread computes all the time.
      memorySize: 1_769,
      reservedConcurrency: this.work.workerConcurrency,
      environment: {
        TABLE_NAME: ledger.allow(readsLines, ['byWallet', 'byCounterparty']),
        ENTRIES_TABLE_NAME: readsEntries,
        STATEMENT_TABLE_NAME: this.store.allow({ UpdateItem: ['statement'] }),
        STATEMENT_BUCKET: this.#allow([
          this.#grant('s3:PutObject', 'files'),
          this.#grant('s3:PutObject', 'first'),
          this.#grant('s3:GetObject', 'first'),
          // Without it S3 answers "forbidden" about an object that is not there.
          { actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] },
        ]),
        STATEMENT_QUEUE_URL: this.work.allow(['SendMessage', 'ChangeMessageVisibility']),
      },
    });
    this.#acknowledgeFolders();
    for (const { handler } of [this.functions['statement-files'], this.worker]) {
      for (const statement of deliveryStatements(this)) handler.addToRolePolicy(statement);
    }
    this.work.feed(this.worker);
    this.#addAlarm(addAlarm);
  }

  #addAlarm(addAlarm: AddAlarm): void {
    addAlarm(this, 'Failed', {
      name: 'statement failed',
      severity: 'warning',
      metric: ownMetric(this, metrics.statementsFailed, Stats.SUM, Duration.minutes(5)),
      threshold: 1,
      periods: 1,
      meaning: 'A statement could not be made in all its tries. Its caller sees that it has failed.',
      runbook: 'statement-failed',
    });
  }

  #newBucket(): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      ...bucketEncryption(this),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        // S3 counts from the midnight after, so a file is there at least as long as its statement.
        { expiration: Duration.days(statementFileDays), abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'CloudTrail data events record the reads of the objects. The account turns them on for all buckets.',
    });
    return bucket;
  }

  /** Returns the bucket's name with these permissions. */
  #allow(grants: readonly Grant[]): Access {
    return { value: this.bucket.bucketName, grants };
  }

  #grant(action: string, folder: string): Grant {
    return { actions: [action], resources: [this.bucket.arnForObjects(`${folder}/*`)] };
  }

  #acknowledgeFolders(): void {
    const bucket = Stack.of(this).getLogicalId(this.bucket.node.defaultChild as CfnBucket);
    for (const { handler } of [this.functions['statement-files'], this.worker]) {
      for (const folder of ['files', 'first']) {
        Validations.of(handler.role ?? this.worker).acknowledge({
          id: `AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${folder}/*]`,
          reason: 'A file has the name of its statement: the folder is the narrowest resource.',
        });
      }
    }
  }
}
