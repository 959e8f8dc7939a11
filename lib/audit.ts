import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { RuleTargetInput } from 'aws-cdk-lib/aws-events';
import type { IRuleTarget } from 'aws-cdk-lib/aws-events';
import { addToDeadLetterQueueResourcePolicy } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import { LogStream } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { AddAlarm } from './alarms.ts';
import { bucketEncryption, deliveryStatements, queueEncryption } from './encryption.ts';
import type { Events } from './events.ts';
import { newLogGroup } from './service-log.ts';

/** The time for which events are kept, and the protection against earlier deletion. */
export interface AuditOptions {
  /**
   * `governance`: principals with a permission of its own may delete earlier. `compliance`: no principal may, not even
   * the account's root user. This cannot be undone, and a test stack leaves its bucket behind for the whole time.
   *
   * @default 'governance'
   */
  readonly lock?: 'governance' | 'compliance';

  /**
   * How long each object is locked.
   *
   * @default - seven years
   */
  readonly retention?: Duration;
}

/** Properties of `Audit`. */
export interface AuditProps {
  readonly events: Events;
  readonly options: AuditOptions;
  readonly addAlarm: AddAlarm;
}

/**
 * All events, where no principal can change them: one JSON object a line, gzipped, by day. docs/events.md shows how to
 * read them.
 */
export class Audit extends Construct {
  readonly bucket: Bucket;
  /** Events that did not reach Firehose, as they are on the bus. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string, { events, options, addAlarm }: AuditProps) {
    super(scope, id);
    const retention = options.retention ?? Duration.days(7 * 365 + 2);
    this.bucket = new Bucket(this, 'Bucket', {
      ...bucketEncryption(this),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention:
        options.lock === 'compliance'
          ? ObjectLockRetention.compliance(retention)
          : ObjectLockRetention.governance(retention),
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'CloudTrail data events record the reads of the objects. The account turns them on for all buckets.',
    });
    this.undelivered = new Queue(this, 'Undelivered', {
      ...queueEncryption(this),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.undelivered).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is a dead-letter queue.' });
    const stream = this.#streamTo(this.bucket);
    events.route(this, 'All', { description: 'everything, for the audit', target: this.#target(stream) });

    addAlarm(this, 'UndeliveredNotEmpty', {
      name: 'audit lacks an event',
      severity: 'warning',
      metric: this.undelivered.metricApproximateNumberOfMessagesVisible({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(1),
      }),
      threshold: 1,
      periods: 1,
      meaning: 'The audit lacks an event: EventBridge could not deliver it for a day.',
      runbook: 'audit-undelivered',
    });
    addAlarm(this, 'TooOld', {
      name: 'audit late',
      severity: 'warning',
      metric: new Metric({
        namespace: 'AWS/Firehose',
        metricName: 'DeliveryToS3.DataFreshness',
        dimensionsMap: { DeliveryStreamName: stream.ref },
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      threshold: 1_800,
      periods: 1,
      meaning: 'Firehose has held an event for half an hour without writing it to the audit; after a day it is lost.',
      runbook: 'audit-too-old',
    });
  }

  /** Gathers events for five minutes and writes them as one object. Its role can add objects, and no more. */
  #streamTo(bucket: Bucket): CfnDeliveryStream {
    const logGroup = newLogGroup(this, 'Logs');
    const logStream = new LogStream(this, 'LogStream', { logGroup });
    const writer = new Role(this, 'Writer', { assumedBy: new ServicePrincipal('firehose.amazonaws.com') });
    writer.addToPolicy(
      new PolicyStatement({
        actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        resources: [bucket.bucketArn],
      }),
    );
    writer.addToPolicy(
      new PolicyStatement({
        actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
        resources: [bucket.arnForObjects('*')],
      }),
    );
    for (const statement of deliveryStatements(this)) writer.addToPolicy(statement);
    Validations.of(writer).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(bucket.node.defaultChild as CfnBucket)}.Arn>/*]`,
      reason: 'It may add any object to this bucket, and nothing but add: Firehose makes the names.',
    });
    writer.addToPolicy(
      new PolicyStatement({
        actions: ['logs:PutLogEvents'],
        resources: [`${logGroup.logGroupArn}:log-stream:${logStream.logStreamName}`],
      }),
    );
    const stream = new CfnDeliveryStream(this, 'Stream', {
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'AWS_OWNED_CMK' },
      extendedS3DestinationConfiguration: {
        bucketArn: bucket.bucketArn,
        roleArn: writer.roleArn,
        prefix: 'events/day=!{timestamp:yyyy-MM-dd}/',
        errorOutputPrefix: 'errors/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/',
        compressionFormat: 'GZIP',
        bufferingHints: { intervalInSeconds: 300, sizeInMBs: 16 },
        // The bus sends each event without an end of line.
        processingConfiguration: {
          enabled: true,
          processors: [
            {
              type: 'AppendDelimiterToRecord',
              parameters: [{ parameterName: 'Delimiter', parameterValue: String.raw`\n` }],
            },
          ],
        },
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: logGroup.logGroupName,
          logStreamName: logStream.logStreamName,
        },
      },
    });
    // Firehose uses the role when the stream is made.
    stream.node.addDependency(writer);
    return stream;
  }

  /** Returns a target for the `detail` of each event, which is complete by itself. */
  #target(stream: CfnDeliveryStream): IRuleTarget {
    const sender = new Role(this, 'Sender', { assumedBy: new ServicePrincipal('events.amazonaws.com') });
    sender.addToPolicy(
      new PolicyStatement({ actions: ['firehose:PutRecord', 'firehose:PutRecordBatch'], resources: [stream.attrArn] }),
    );
    return {
      bind: (rule) => {
        addToDeadLetterQueueResourcePolicy(rule, this.undelivered);
        return {
          arn: stream.attrArn,
          role: sender,
          input: RuleTargetInput.fromEventPath('$.detail'),
          deadLetterConfig: { arn: this.undelivered.queueArn },
        };
      },
    };
  }
}
