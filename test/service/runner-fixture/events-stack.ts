import { Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as firehose from 'aws-cdk-lib/aws-kinesisfirehose';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { fileURLToPath } from 'node:url';

const code = fileURLToPath(new URL('events', import.meta.url));

/** A small service in which each change of a table becomes an event, for tests of the way of an event. */
export class EventsStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const things = new dynamodb.TableV2(this, 'Things', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      dynamoStream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
    });
    new dynamodb.Table(this, 'Seen', {
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiration',
    });
    const queue = (name: string) => new sqs.Queue(this, name);
    const bus = new events.EventBus(this, 'Bus');
    const make = (name: string) =>
      new lambda.Function(this, name, {
        code: lambda.Code.fromAsset(code),
        handler: `index.${name}`,
        runtime: lambda.Runtime.NODEJS_24_X,
        environment: { BUS_NAME: bus.eventBusName },
      });

    new lambda.EventSourceMapping(this, 'Source', {
      target: make('relay'),
      eventSourceArn: things.tableStreamArn!,
      startingPosition: lambda.StartingPosition.TRIM_HORIZON,
      batchSize: 10,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: 3,
      parallelizationFactor: 2,
      onFailure: new SqsDlq(queue('GivenUp')),
      filters: [lambda.FilterCriteria.filter({ eventName: lambda.FilterRule.or('INSERT', 'MODIFY') })],
    });

    const listener = make('listener');
    listener.configureAsyncInvoke({ retryAttempts: 1, onFailure: new destinations.SqsDestination(queue('Disliked')) });
    const rule = (name: string, eventPattern: events.EventPattern, target: events.IRuleTarget) =>
      new events.Rule(this, name, { eventBus: bus, eventPattern, targets: [target] });
    const undelivered = queue('Undelivered');
    const ours = { source: ['things'] };
    rule('All', ours, new targets.SqsQueue(queue('Inbox'), { deadLetterQueue: undelivered }));
    rule(
      'TooLarge',
      { ...ours, detail: { n: [{ numeric: ['>=', 1000] }] } },
      new targets.SqsQueue(new sqs.Queue(this, 'Small', { maxMessageSizeBytes: 1024 }), {
        deadLetterQueue: undelivered,
        retryAttempts: 1,
        message: events.RuleTargetInput.fromObject({
          what: events.EventField.fromPath('$.detail.id'),
          more: 'x'.repeat(2000),
        }),
      }),
    );
    rule('Listen', { ...ours, detailType: ['thing.insert'] }, new targets.LambdaFunction(listener));
    new events.Archive(this, 'Archive', { sourceEventBus: bus, eventPattern: { detailType: ['thing.insert'] } });

    const bucket = new s3.Bucket(this, 'Bucket', { objectLockEnabled: true, versioned: true });
    const stream = new firehose.CfnDeliveryStream(this, 'Stream', {
      deliveryStreamType: 'DirectPut',
      extendedS3DestinationConfiguration: {
        bucketArn: bucket.bucketArn,
        roleArn: 'arn:aws:iam::000000000000:role/writer',
        prefix: 'events/day=!{timestamp:yyyy-MM-dd}/',
        errorOutputPrefix: 'errors/',
        bufferingHints: { intervalInSeconds: 1, sizeInMBs: 1 },
        processingConfiguration: {
          enabled: true,
          processors: [
            {
              type: 'AppendDelimiterToRecord',
              parameters: [{ parameterName: 'Delimiter', parameterValue: String.raw`\n` }],
            },
          ],
        },
      },
    });
    rule('Audit', ours, {
      bind: () => ({ arn: stream.attrArn, input: events.RuleTargetInput.fromEventPath('$.detail') }),
    });

    const topic = new sns.Topic(this, 'Topic');
    topic.addSubscription(
      new subscriptions.SqsSubscription(queue('Mail'), {
        rawMessageDelivery: true,
        filterPolicy: { channel: sns.SubscriptionFilter.stringFilter({ allowlist: ['email'] }) },
      }),
    );
    topic.addSubscription(new subscriptions.SqsSubscription(queue('Everything')));
    topic.addSubscription(new subscriptions.LambdaSubscription(listener));
  }
}
