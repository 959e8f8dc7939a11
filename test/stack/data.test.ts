import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';

const { template, stack } = synthesize();
const table = 'AWS::DynamoDB::GlobalTable';

describe('the table', () => {
  it('is encrypted with a KMS key, billed by use, and streams both images', () => {
    template.hasResourceProperties(table, {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    });
  });

  it('can be restored to any second and not be deleted', () => {
    template.hasResource(table, {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Replicas: [
          Match.objectLike({
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ],
      },
    });
  });

  it('has its keys and three indexes with all attributes', () => {
    const index = (name: string, partitionKey: string, sortKey: string) => ({
      IndexName: name,
      KeySchema: [
        { AttributeName: partitionKey, KeyType: 'HASH' },
        { AttributeName: sortKey, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    });
    template.hasResourceProperties(table, {
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        index('byWallet', 'walletId', 'historyKey'),
        index('byCounterparty', 'counterpartyWalletId', 'historyKey'),
        index('due', 'dueShard', 'dueAt'),
      ],
    });
  });
});

describe('what holds data', () => {
  const keeps = [table, 'AWS::Cognito::UserPool', 'AWS::SecretsManager::Secret', 'AWS::Logs::LogGroup'];

  it('outlives the stack', () => {
    for (const type of keeps) template.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  it('goes with the stack where that is asked for', () => {
    const passing = synthesize({ removalPolicy: RemovalPolicy.DESTROY, deletionProtection: false }).template;
    for (const type of keeps) passing.allResources(type, { DeletionPolicy: 'Delete' });
    passing.hasResourceProperties(table, { Replicas: [Match.objectLike({ DeletionProtectionEnabled: false })] });
    passing.hasResourceProperties('AWS::Cognito::UserPool', { DeletionProtection: 'INACTIVE' });
  });

  it('keeps logs for a limited time', () => {
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
  });
});

describe('the withdrawal queue', () => {
  const resolve = (token: string) => stack.resolve(token) as { 'Fn::GetAtt': [string, string] };
  const idOf = (arn: string) => resolve(arn)['Fn::GetAtt'][0];
  const queueId = idOf(stack.service.withdrawalQueue.queueArn);
  const deadLetterId = idOf(stack.service.withdrawalDeadLetterQueue.queueArn);
  const queues = resourcesOf(template, 'AWS::SQS::Queue');
  const workerId = idOf(stack.service.functions.withdrawals.functionArn);
  const worker = resourcesOf(template, 'AWS::Lambda::Function').get(workerId);

  it('hides a message for at least six times the time limit of the worker', () => {
    const hidden = queues.get(queueId)?.Properties['VisibilityTimeout'] as number;
    assert.ok(hidden >= 6 * (worker?.Properties['Timeout'] as number));
  });

  it('moves a message that is never finished to dead letters, which are kept for 14 days', () => {
    assert.deepEqual(queues.get(queueId)?.Properties['RedrivePolicy'], {
      deadLetterTargetArn: { 'Fn::GetAtt': [deadLetterId, 'Arn'] },
      maxReceiveCount: 20,
    });
    assert.equal(queues.get(deadLetterId)?.Properties['MessageRetentionPeriod'], Duration.days(14).toSeconds());
  });

  it('encrypts what it holds and refuses plain HTTP', () => {
    assert.equal(queues.size, 2);
    for (const id of queues.keys()) {
      assert.equal(queues.get(id)?.Properties['SqsManagedSseEnabled'], true);
      template.hasResourceProperties('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: id }],
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({
              Effect: 'Deny',
              Action: 'sqs:*',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            }),
          ]),
        },
      });
    }
  });

  it('feeds the worker 10 messages at a time, 50 times at most, each answered for itself', () => {
    const [, source] = theOnly(template, 'AWS::Lambda::EventSourceMapping');
    assert.deepEqual(source.Properties, {
      EventSourceArn: { 'Fn::GetAtt': [queueId, 'Arn'] },
      FunctionName: { Ref: workerId },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 50 },
    });
  });

  it('takes another concurrency within what AWS allows', () => {
    const [, source] = theOnly(synthesize({ bank: { concurrency: 7 } }).template, 'AWS::Lambda::EventSourceMapping');
    assert.deepEqual(source.Properties['ScalingConfig'], { MaximumConcurrency: 7 });
    for (const concurrency of [1, 1001]) {
      assert.throws(() => synthesize({ bank: { concurrency } }), { message: new RegExp(`received ${concurrency}$`) });
    }
  });
});

describe("the bank's and the callers' limits", () => {
  it('reach the functions, as given or by default', () => {
    const given = synthesize({
      bank: { notFoundWindow: Duration.minutes(15), maxAttempts: 4 },
      rateLimits: { wallets: 1, withdrawals: 2, transfers: 3 },
    }).template;
    for (const [each, values] of [
      [template, { window: '2', attempts: '10', wallets: '20', withdrawals: '100', transfers: '1000' }],
      [given, { window: '900', attempts: '4', wallets: '1', withdrawals: '2', transfers: '3' }],
    ] as const) {
      const variables = { BANK_NOT_FOUND_WINDOW_SECONDS: values.window, BANK_MAX_ATTEMPTS: values.attempts };
      for (const expected of [
        { ...variables, BANK_URL: { Ref: 'BankUrl' } },
        { WALLETS_PER_HOUR: values.wallets },
        { WITHDRAWALS_PER_HOUR: values.withdrawals },
        { TRANSFERS_PER_HOUR: values.transfers },
      ]) {
        each.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: Match.objectLike(expected) } });
      }
    }
  });
});
