import { Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { EventBus } from 'aws-cdk-lib/aws-events';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { notifiedEvents, screenedEvents } from '../../lambdas/contract.ts';
import type { FraudPolicy } from '../../lambdas/contract.ts';
import { newApp } from '../../lib/app.ts';
import { WalletService } from '../../lib/wallet-service.ts';
import type { WalletServiceProps } from '../../lib/wallet-service-props.ts';
import { resourcesOf, statementsOf, synthesize, theOnly } from './synthesized.ts';

const { template, stack } = synthesize();
const { service } = stack;
const resolve = (token: unknown) => stack.resolve(token) as unknown;
const [, stream] = theOnly(template, 'AWS::KinesisFirehose::DeliveryStream');

describe('the relay', () => {
  it('reads wallets, transactions and approvals from the beginning of the stream, and a bad record cannot block it for ever', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionName: { Ref: logicalIdOf(service.functions.relay.functionArn) },
      EventSourceArn: resolve(service.table.tableStreamArn),
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 100,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 1_000,
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
      FilterCriteria: {
        Filters: [{ Pattern: '{"dynamodb":{"Keys":{"sk":{"S":["WALLET","TX","APPROVAL","ORDER"]}}}}' }],
      },
    });
  });

  it('publishes on its own bus, whose archive keeps events for a replay', () => {
    const [busId] = theOnly(template, 'AWS::Events::EventBus');
    template.hasResourceProperties('AWS::Events::Archive', {
      SourceArn: { 'Fn::GetAtt': [busId, 'Arn'] },
      EventPattern: { source: ['wallet'] },
      RetentionDays: 90,
    });
  });

  it('publishes on the bus that is given', () => {
    const embedding = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Embedding');
    const bus = EventBus.fromEventBusName(embedding, 'Bus', 'company');
    const events: NonNullable<WalletServiceProps['events']> = { bus, replayRetention: Duration.days(7) };
    const embedded = new WalletService(embedding, 'Wallets', {
      bank: { url: 'https://bank.example', notFoundWindow: Duration.seconds(5) },
      events,
    });
    assert.equal(embedded.eventBus, bus);
    const given = Template.fromStack(embedding);
    given.resourceCountIs('AWS::Events::EventBus', 0);
    given.hasResourceProperties('AWS::Events::Archive', { RetentionDays: 7 });
    given.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Wallet service: relay',
      Environment: { Variables: Match.objectLike({ EVENT_BUS_NAME: 'company' }) },
    });
  });

  it('has no second service on its bus, which would act on the events of the first', () => {
    const embedding = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Embedding');
    const bus = new EventBus(embedding, 'Bus') as IEventBus;
    const props = { bank: { url: 'https://bank.example', notFoundWindow: Duration.seconds(5) }, events: { bus } };
    new WalletService(embedding, 'First', props);
    assert.throws(() => new WalletService(embedding, 'Second', props), {
      message: 'events.bus must have one wallet service, received the bus Embedding/Bus for a second, Embedding/Second',
    });
  });
});

describe('events', () => {
  it('are sent to the queues of their subscribers, and to the audit', () => {
    const rules = [...resourcesOf(template, 'AWS::Events::Rule').values()].filter(
      ({ Properties }) => Properties['EventPattern'],
    );
    const patterns = rules.map(({ Properties }) => Properties['EventPattern'] as Record<string, unknown>);
    assert.deepEqual(
      patterns.map((pattern) => pattern['source']),
      [['wallet'], ['wallet'], ['wallet']],
    );
    assert.deepEqual(
      patterns.map((pattern) => pattern['detail-type']),
      [notifiedEvents, screenedEvents, undefined],
    );
    for (const { Properties } of rules) {
      const [target] = Properties['Targets'] as Record<string, unknown>[];
      assert.ok(target?.['DeadLetterConfig'], 'an undelivered event is lost');
    }
  });
});

describe('the audit', () => {
  it('keeps its objects, encrypted, behind TLS and closed to the public', () => {
    const [bucketId] = theOnly(template, 'AWS::S3::Bucket');
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: {
        ObjectLockEnabled: true,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 2_557 } },
        },
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: Match.anyValue(),
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      Bucket: { Ref: bucketId },
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({ Effect: 'Deny', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } }),
        ],
      },
    });
  });

  it('has a stricter lock and another duration where the props say so', () => {
    const audit = { lock: 'compliance', retention: Duration.days(3_653) } as const;
    synthesize({ audit }).template.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 3_653 } } },
    });
  });

  it('has one event a line, by day, as docs/events.md reads it', () => {
    const destination = stream.Properties['ExtendedS3DestinationConfiguration'] as Record<string, unknown>;
    assert.equal(destination['Prefix'], 'events/day=!{timestamp:yyyy-MM-dd}/');
    assert.equal(destination['CompressionFormat'], 'GZIP');
    assert.deepEqual(destination['ProcessingConfiguration'], {
      Enabled: true,
      Processors: [
        {
          Type: 'AppendDelimiterToRecord',
          Parameters: [{ ParameterName: 'Delimiter', ParameterValue: String.raw`\n` }],
        },
      ],
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      Targets: [Match.objectLike({ InputPath: '$.detail', Arn: Match.anyValue(), RoleArn: Match.anyValue() })],
    });
  });

  it('is written by a role that can add objects and not delete them', () => {
    const roles = [...resourcesOf(template, 'AWS::IAM::Role').keys()];
    const actions = roles.flatMap((id) => statementsOf(template, id)).flatMap(({ Action }) => Action);
    const onObjects = actions.filter((action) => action.startsWith('s3:'));
    assert.deepEqual(onObjects.sort(), [
      's3:AbortMultipartUpload',
      's3:GetBucketLocation',
      's3:ListBucket',
      's3:ListBucketMultipartUploads',
      's3:PutObject',
    ]);
  });
});

describe('the screening', () => {
  const policyOf = (fraud?: WalletServiceProps['fraud']) => {
    const { template: made } = fraud === undefined ? { template } : synthesize({ fraud });
    const functions = [...resourcesOf(made, 'AWS::Lambda::Function').values()];
    const found = functions.find(({ Properties }) => Properties['Description'] === 'Wallet service: fraud');
    const { Variables } = found?.Properties['Environment'] as { Variables: Record<string, string> };
    return { limits: JSON.parse(Variables['FRAUD_LIMITS']!) as FraudPolicy, freeze: Variables['FREEZE_ON_SUSPICION'] };
  };

  it('has default limits, and freezes nothing', () => {
    const { limits, freeze } = policyOf();
    assert.equal(freeze, 'false');
    assert.ok(limits.outgoingPerMinute.count < limits.outgoingPerHour.count);
    assert.ok(limits.outgoingPerHour.amount < limits.outgoingPerDay.amount);
  });

  it('takes other limits one by one, and freezes where the props say so', () => {
    const byCurrency = { JPY: { newDestination: { amount: 1 } } };
    const given = policyOf({ newDestination: { amount: 7 }, byCurrency, freezeOnSuspicion: true });
    assert.equal(given.freeze, 'true');
    assert.deepEqual(given.limits, { ...policyOf().limits, newDestination: { amount: 7 }, byCurrency });
  });
});

function logicalIdOf(arn: string): string {
  return (stack.resolve(arn) as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
}
