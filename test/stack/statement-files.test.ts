/** Statements as files in the template: off by default, and with the prop their routes, bucket, table, queue and worker. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { statementFileDays } from '../../lambdas/contract.ts';
import { leaseMs } from '../../lambdas/store/statement-files.ts';
import { resourcesOf, synthesize } from './synthesized.ts';
import { accessOf } from './table-access.ts';

const plain = synthesize();
const withFiles = synthesize({ statementFiles: true, rateLimits: { statementFiles: 7 } });
type Synthesized = ReturnType<typeof synthesize>;

const sizeOf = ({ template }: Synthesized) => Object.keys(template.toJSON()['Resources'] as object).length;

/** Returns the bucket's properties. */
function bucketIn({ template }: Synthesized) {
  const [bucket] = [...resourcesOf(template, 'AWS::S3::Bucket')].filter(([id]) => id.includes('StatementFiles'));
  assert.ok(bucket);
  return bucket[1].Properties;
}

describe('statements as files', () => {
  it('are off by default: no bucket, no table, no function', () => {
    const { functions, work, statementFilesBucket } = plain.stack.service;
    assert.deepEqual(
      [functions['statement-files'], functions['statement-writer'], work.statement, statementFilesBucket],
      [undefined, undefined, undefined, undefined],
    );
  });

  it('come from the prop, with two routes, a bucket, a table, a queue, a worker and its alarms', () => {
    const { functions, work, statementFilesBucket } = withFiles.stack.service;
    assert.ok(functions['statement-files'] && functions['statement-writer'] && work.statement && statementFilesBucket);
    const methods = ({ template }: Synthesized) => resourcesOf(template, 'AWS::ApiGateway::Method').size;
    assert.equal(methods(withFiles) - methods(plain), 2);
    assert.equal(sizeOf(withFiles) - sizeOf(plain), 23, 'docs/deploy.md and the prop say some 23');
  });

  it('are in a bucket that is private, encrypted, and forgets files, also those that are never complete', () => {
    const properties = bucketIn(withFiles);
    const { Rules: rules } = properties['LifecycleConfiguration'] as { Rules: Record<string, unknown>[] };
    assert.deepEqual(
      rules.map((rule) => [rule['Status'], rule['ExpirationInDays'], rule['AbortIncompleteMultipartUpload']]),
      [['Enabled', statementFileDays, { DaysAfterInitiation: 1 }]],
    );
    assert.ok(
      Object.values(properties['PublicAccessBlockConfiguration'] as object).every((blocked) => blocked === true),
    );
    assert.ok(JSON.stringify(properties['BucketEncryption']).includes('AES256'));
  });

  it('are written by the worker, and read by the function that signs links', () => {
    const text = JSON.stringify(withFiles.template.toJSON());
    assert.ok(text.includes('s3:PutObject') && text.includes('s3:GetObject'));
    assert.deepEqual(
      accessOf(withFiles)('statement-writer').filter((access) => access.startsWith('Update')),
      ['UpdateItem statement'],
    );
    assert.ok(!text.includes('s3:DeleteObject"'));
  });

  it('are made by two workers at most, each within its lease', () => {
    withFiles.template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Wallet service: statement-writer',
      Timeout: 300,
    });
    assert.equal(leaseMs, 330_000, 'more than its time limit');
    const { template } = withFiles;
    const sources = [...resourcesOf(template, 'AWS::Lambda::EventSourceMapping').values()].filter(({ Properties }) =>
      JSON.stringify(Properties).includes('StatementFiles'),
    );
    assert.deepEqual(
      sources.map(({ Properties }) => [Properties['BatchSize'], Properties['ScalingConfig']]),
      [[1, { MaximumConcurrency: 2 }]],
    );
  });

  it('are limited for each owner, as the prop says', () => {
    withFiles.template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { STATEMENT_FILES_PER_HOUR: '7' } },
    });
    assert.throws(() => synthesize({ rateLimits: { statementFiles: 0 } }), /rateLimits\.statementFiles/);
  });
});
