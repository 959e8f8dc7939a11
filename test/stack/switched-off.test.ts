/**
 * A service without notifications, screening, audit, replays, holds, refunds, splits and schedules: nothing of them is left in
 * its template.
 */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { routes } from '../../lambdas/contract.ts';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';
import type { WalletStackProps } from '../../lib/wallet-stack.ts';

const whole = synthesize();
const origins = { allowedOrigins: ['https://app.example.com'] };
const off = { fraud: false, notifications: false, audit: false, events: { replayRetention: false } } as const;
const bare = synthesize({ ...off, cors: origins });

/** Returns what the template has less of than the whole one, by type. */
function missingIn({ template }: ReturnType<typeof synthesize>): Record<string, number> {
  const counted = ({ template: each }: ReturnType<typeof synthesize>) => {
    const { Resources } = each.toJSON() as { Resources: Record<string, { Type: string }> };
    return Map.groupBy(Object.values(Resources), ({ Type }) => Type);
  };
  const [all, left] = [counted(whole), counted({ ...whole, template })];
  const counts = [...all].map(([type, found]) => [type, found.length - (left.get(type)?.length ?? 0)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

describe('a service with its features switched off', () => {
  it('has none of their resources', () => {
    const only = (props: WalletStackProps) => missingIn(synthesize(props));
    assert.deepEqual(only({ audit: false }), {
      'AWS::CloudWatch::Alarm': 2,
      'AWS::Events::Rule': 1,
      'AWS::IAM::Policy': 2,
      'AWS::IAM::Role': 2,
      'AWS::KinesisFirehose::DeliveryStream': 1,
      'AWS::Logs::LogGroup': 1,
      'AWS::Logs::LogStream': 1,
      'AWS::S3::Bucket': 1,
      'AWS::S3::BucketPolicy': 1,
      'AWS::SQS::Queue': 1,
      'AWS::SQS::QueuePolicy': 1,
    });
    assert.deepEqual(only({ events: { replayRetention: false } }), { 'AWS::Events::Archive': 1 });
    assert.deepEqual(only({ holds: false }), {
      'AWS::ApiGateway::Method': 3,
      'AWS::ApiGateway::Resource': 5,
      'AWS::IAM::Role': 3,
      'AWS::Lambda::Function': 3,
      'AWS::Logs::LogGroup': 3,
    });
    assert.deepEqual(only({ refunds: false }), {
      'AWS::ApiGateway::Method': 1,
      'AWS::ApiGateway::Resource': 1,
      'AWS::IAM::Role': 1,
      'AWS::Lambda::Function': 1,
      'AWS::Logs::LogGroup': 1,
    });
    assert.deepEqual(only({ splits: false }), {
      'AWS::ApiGateway::Method': 1,
      'AWS::ApiGateway::Resource': 1,
      'AWS::IAM::Role': 1,
      'AWS::Lambda::Function': 1,
      'AWS::Logs::LogGroup': 1,
    });
    assert.deepEqual(only({ schedules: false }), {
      'AWS::ApiGateway::Method': 4,
      'AWS::ApiGateway::Resource': 4,
      'AWS::IAM::Role': 1,
      'AWS::Lambda::Function': 1,
      'AWS::Logs::LogGroup': 1,
    });
    const { template } = bare;
    for (const type of [
      'AWS::SNS::Topic',
      'AWS::S3::Bucket',
      'AWS::KinesisFirehose::DeliveryStream',
      'AWS::Events::Archive',
    ]) {
      assert.equal(resourcesOf(template, type).size, 0, type);
    }
    assert.equal(resourcesOf(template, 'AWS::DynamoDB::GlobalTable').size, 2);
    const text = JSON.stringify(template.toJSON());
    for (const word of ['otification:', 'screening', 'Wallet service: fraud', 'NotificationsWork', 'FraudWork']) {
      assert.ok(!text.includes(word), word);
    }
  });

  it('has none of their routes, nor answers to preflight requests for them', () => {
    const methods = ({ template }: ReturnType<typeof synthesize>) =>
      resourcesOf(template, 'AWS::ApiGateway::Method').size;
    const absent = routes.filter(({ path }) => path === '/notification-preferences');
    assert.equal(absent.length, 2);
    const withCors = synthesize({ cors: origins });
    assert.equal(methods(withCors) - methods(bare), absent.length + 1);
    const paths = [...resourcesOf(bare.template, 'AWS::ApiGateway::Resource').values()];
    assert.ok(!paths.some(({ Properties }) => Properties['PathPart'] === 'notification-preferences'));
  });

  it('has no alarms, outputs and graphs of them, and all of the others', () => {
    const names = ({ template }: ReturnType<typeof synthesize>) =>
      [...resourcesOf(template, 'AWS::CloudWatch::Alarm').values()].map(({ Properties }) =>
        String(Properties['AlarmName']),
      );
    const gone = names(whole).filter((name) => !names(bare).includes(name));
    assert.deepEqual(gone.map((name) => name.split(': ')[1]).sort(), [
      'audit lacks an event',
      'audit late',
      'notification in dead letters',
      'notification queue late',
      'notification worker fails',
      'screening in dead letters',
      'screening queue late',
      'screening worker fails',
    ]);
    const outputs = ({ template }: ReturnType<typeof synthesize>) => Object.keys(template.findOutputs('*'));
    assert.deepEqual(
      outputs(whole).filter((name) => !outputs(bare).includes(name)),
      [
        'NotificationQueueUrl',
        'NotificationDeadLettersUrl',
        'ScreeningQueueUrl',
        'ScreeningDeadLettersUrl',
        'AuditBucketName',
        'NotificationTopicArn',
      ],
    );
    const [, page] = theOnly(bare.template, 'AWS::CloudWatch::Dashboard');
    assert.ok(!JSON.stringify(page).includes('screening'));
    const { work, functions, notificationTopic, auditBucket } = bare.stack.service;
    assert.deepEqual(Object.keys(work), ['withdrawal', 'transfer']);
    assert.deepEqual([functions.fraud, functions.notifier, notificationTopic, auditBucket], Array(4).fill(undefined));
  });

  it('still publishes every event, for consumers of yours', () => {
    assert.equal(resourcesOf(bare.template, 'AWS::Events::EventBus').size, 1);
  });
});
