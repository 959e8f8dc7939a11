/** The bucket for files of the bank in the template: off by default, and with the prop its worker and what that may do. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { resourcesOf, synthesize } from './synthesized.ts';
import { accessOf } from './table-access.ts';

const plain = synthesize();
const withFiles = synthesize({ bankFiles: { days: 3 } });

type Synthesized = ReturnType<typeof synthesize>;

const resourcesIn = ({ template }: Synthesized) =>
  Object.values(template.toJSON()['Resources'] as Record<string, { Type: string }>);

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

/** Returns the statements of the worker's role about buckets, by their actions. */
function bucketStatements(): [string, string][] {
  const roles = [...resourcesOf(withFiles.template, 'AWS::IAM::Role')].filter(([id]) => id.includes('bankfiles'));
  assert.equal(roles.length, 1);
  const policies = roles[0]![1].Properties['Policies'] as { PolicyDocument: { Statement: Statement[] } }[];
  return policies
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Action }) => JSON.stringify(Action).includes('s3:'))
    .map(({ Action, Resource }) => [
      [Action].flat().join(),
      [...JSON.stringify(Resource).matchAll(/"(\/[\w./*]+)"/g)].map(([, path]) => path).join(),
    ]);
}

describe('files of the bank', () => {
  it('have no resource by default', () => {
    assert.equal(plain.stack.service.functions['bank-files'], undefined);
    assert.equal(plain.stack.service.bankFilesBucket, undefined);
    assert.equal(plain.stack.service.work.reconciliation, undefined);
  });

  it('come with a bucket, a queue, a worker and its alarms', () => {
    const counted = (each: Synthesized) => Map.groupBy(resourcesIn(each), ({ Type }) => Type);
    const [less, more] = [counted(plain), counted(withFiles)];
    const added = [...more].map(([type, found]) => [type, found.length - (less.get(type)?.length ?? 0)] as const);
    assert.deepEqual(Object.fromEntries(added.filter(([, count]) => count !== 0)), {
      'AWS::CloudWatch::Alarm': 4,
      'AWS::Events::Rule': 1,
      'AWS::IAM::Role': 1,
      'AWS::Lambda::EventSourceMapping': 1,
      'AWS::Lambda::Function': 1,
      'AWS::Logs::LogGroup': 1,
      'AWS::S3::Bucket': 1,
      'AWS::S3::BucketPolicy': 1,
      'AWS::SQS::Queue': 2,
      'AWS::SQS::QueuePolicy': 2,
    });
    assert.equal(resourcesIn(withFiles).length - resourcesIn(plain).length, 15, 'docs/deploy.md and the prop say 15');
  });

  it('are in a bucket that is private, encrypted, versioned, and reports its objects to EventBridge', () => {
    const [bucket] = [...resourcesOf(withFiles.template, 'AWS::S3::Bucket')].filter(([id]) => id.includes('BankFiles'));
    const { Properties } = bucket![1];
    assert.deepEqual(Properties['NotificationConfiguration'], {
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    });
    assert.deepEqual(Properties['VersioningConfiguration'], { Status: 'Enabled' });
    assert.ok(
      Object.values(Properties['PublicAccessBlockConfiguration'] as object).every((blocked) => blocked === true),
    );
    assert.ok(JSON.stringify(Properties['BucketEncryption']).includes('AES256'));
  });

  it('are read by a worker that can write reports, and no item', () => {
    assert.deepEqual(accessOf(withFiles)('bank-files'), ['BatchGetItem transaction', 'Scan everything']);
    assert.deepEqual(bucketStatements(), [
      ['s3:GetObject', '/columns.json,/incoming/*,/reports/*'],
      ['s3:PutObject', '/reports/*'],
      ['s3:ListBucket', ''],
    ]);
  });
});
