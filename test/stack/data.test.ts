import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import type { Template } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { PayoutWindow } from '../../lambdas/contract.ts';
import { newApp } from '../../lib/app.ts';
import { WalletStack } from '../../lib/wallet-stack.ts';
import type { WalletStackProps } from '../../lib/wallet-stack.ts';
import { resourcesOf, synthesize } from './synthesized.ts';

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

  it('can be restored to any second and is protected from deletion', () => {
    template.hasResource(table, {
      DeletionPolicy: 'RetainExceptOnCreate',
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

  it('has its keys, three indexes with all attributes, and one with the keys alone', () => {
    const index = (name: string, partitionKey: string, sortKey: string, projection = 'ALL') => ({
      IndexName: name,
      KeySchema: [
        { AttributeName: partitionKey, KeyType: 'HASH' },
        { AttributeName: sortKey, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: projection },
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
        index('byReference', 'externalReference', 'historyKey', 'KEYS_ONLY'),
      ],
    });
  });
});

describe('data', () => {
  const keeps = [table, 'AWS::Cognito::UserPool', 'AWS::SecretsManager::Secret', 'AWS::Logs::LogGroup'];

  it('outlives the stack, but not a deployment that fails to make it', () => {
    const policies = { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' };
    for (const type of keeps) template.allResources(type, policies);
  });

  it('is in a stack that refuses to be deleted, unless the props say otherwise', () => {
    const newStack = (props: WalletStackProps) => new WalletStack(newApp(), 'Wallet', props);
    const protects = (props: WalletStackProps) => newStack(props).terminationProtection;
    assert.deepEqual([{}, { deletionProtection: false }, { terminationProtection: false }].map(protects), [
      true,
      false,
      false,
    ]);
    assert.equal(protects({ deletionProtection: false, terminationProtection: true }), true);
  });

  it('is deleted with the stack where the props say so', () => {
    const passing = synthesize({ removalPolicy: RemovalPolicy.DESTROY, deletionProtection: false }).template;
    for (const type of keeps) passing.allResources(type, { DeletionPolicy: 'Delete' });
    passing.hasResourceProperties(table, { Replicas: [Match.objectLike({ DeletionProtectionEnabled: false })] });
    passing.hasResourceProperties('AWS::Cognito::UserPool', { DeletionProtection: 'INACTIVE' });
  });

  it('keeps logs for a limited time', () => {
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
  });
});

const queues = resourcesOf(template, 'AWS::SQS::Queue');

describe('the queues', () => {
  it('encrypt their messages and refuse plain HTTP', () => {
    assert.equal(queues.size, 11);
    for (const [id, { Properties }] of queues) {
      assert.equal(Properties['SqsManagedSseEnabled'], true);
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
});

const { service } = stack;
for (const { work, queue, deadLetterQueue, worker, source, withConcurrency } of [
  {
    work: 'withdrawal',
    queue: service.work.withdrawal.queue,
    deadLetterQueue: service.work.withdrawal.deadLetterQueue,
    worker: service.functions.withdrawals,
    source: { BatchSize: 10, ScalingConfig: { MaximumConcurrency: 50 } },
    withConcurrency: (concurrency: number) => ({ bank: { concurrency } }),
  },
  {
    work: 'transfer',
    queue: service.work.transfer.queue,
    deadLetterQueue: service.work.transfer.deadLetterQueue,
    worker: service.functions.transfers,
    source: { BatchSize: 2_000, MaximumBatchingWindowInSeconds: 1, ScalingConfig: { MaximumConcurrency: 10 } },
    withConcurrency: (transferConcurrency: number) => ({ transferConcurrency }),
  },
]) {
  describe(`the ${work} queue`, () => {
    const idOf = (arn: string) => (stack.resolve(arn) as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
    const [queueId, deadLetterId, workerId] = [queue.queueArn, deadLetterQueue.queueArn, worker.functionArn].map(
      idOf,
    ) as [string, string, string];
    const sourceOf = (each: Template) =>
      [...resourcesOf(each, 'AWS::Lambda::EventSourceMapping').values()].find(
        ({ Properties }) => (Properties['FunctionName'] as { Ref: string }).Ref === workerId,
      )?.Properties;

    it('hides a message for at least six times the time limit of the worker, and the time to fill a batch', () => {
      const hidden = queues.get(queueId)?.Properties['VisibilityTimeout'] as number;
      const limit = resourcesOf(template, 'AWS::Lambda::Function').get(workerId)?.Properties['Timeout'] as number;
      assert.ok(hidden >= 6 * limit + (source.MaximumBatchingWindowInSeconds ?? 0));
    });

    it('moves a message that never succeeds to dead letters, which are kept for 14 days', () => {
      assert.deepEqual(queues.get(queueId)?.Properties['RedrivePolicy'], {
        deadLetterTargetArn: { 'Fn::GetAtt': [deadLetterId, 'Arn'] },
        maxReceiveCount: 30,
      });
      assert.equal(queues.get(deadLetterId)?.Properties['MessageRetentionPeriod'], Duration.days(14).toSeconds());
    });

    it('gives the worker a batch at a time, with bounded concurrency and a result for each message', () => {
      assert.deepEqual(sourceOf(template), {
        EventSourceArn: { 'Fn::GetAtt': [queueId, 'Arn'] },
        FunctionName: { Ref: workerId },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ...source,
      });
    });

    it('takes another concurrency', () => {
      const other = sourceOf(synthesize(withConcurrency(7)).template);
      assert.deepEqual(other?.['ScalingConfig'], { MaximumConcurrency: 7 });
    });
  });
}

describe("the bank's and the callers' limits", () => {
  it('reach the functions, as given or by default', () => {
    const payoutWindow: PayoutWindow = { timeZone: 'Europe/Zurich', days: ['MON'], from: '08:00', to: '24:00' };
    const given = synthesize({
      bank: { id: 'bank-1', maxAttempts: 4, payoutWindow },
      rateLimits: {
        wallets: 1,
        withdrawals: 2,
        transfers: 3,
        cancellations: 8,
        reads: 4,
        refusals: 7,
        badTokensPerMinute: 6,
      },
      queueDepthLimit: 5,
    }).template;
    for (const [each, values] of [
      [
        template,
        {
          bank: { Ref: 'BankUrl' },
          attempts: '20',
          window: 'always',
          wallets: '10',
          withdrawals: '50',
          transfers: '100',
          cancellations: '100',
          reads: '1000',
          refusals: '100',
          badTokens: '20',
          depth: '20000',
        },
      ],
      [
        given,
        {
          bank: 'bank-1',
          attempts: '4',
          window: JSON.stringify({ ...payoutWindow, holidays: [] }),
          wallets: '1',
          withdrawals: '2',
          transfers: '3',
          cancellations: '8',
          reads: '4',
          refusals: '7',
          badTokens: '6',
          depth: '5',
        },
      ],
    ] as const) {
      const variables = {
        BANK_NOT_FOUND_WINDOW_SECONDS: { Ref: 'BankNotFoundWindowSeconds' },
        BANK_MAX_ATTEMPTS: values.attempts,
        BANK_ID: values.bank,
        PAYOUT_WINDOW: values.window,
      };
      for (const expected of [
        { ...variables, BANK_URL: { Ref: 'BankUrl' } },
        { PAYOUT_WINDOW: values.window, DUE_SHARDS: '64', TRANSFER_QUEUE_URL: Match.anyValue() },
        { BAD_TOKENS_PER_MINUTE: values.badTokens },
        { CANCELLATIONS_PER_HOUR: values.cancellations },
        { WALLETS_PER_HOUR: values.wallets, REFUSALS_PER_HOUR: values.refusals, READS_PER_HOUR: values.reads },
        {
          WITHDRAWALS_PER_HOUR: values.withdrawals,
          REFUSALS_PER_HOUR: values.refusals,
          QUEUE_DEPTH_LIMIT: values.depth,
        },
        {
          TRANSFERS_PER_HOUR: values.transfers,
          REFUSALS_PER_HOUR: values.refusals,
          QUEUE_DEPTH_LIMIT: values.depth,
          READS_PER_HOUR: values.reads,
        },
      ]) {
        each.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: Match.objectLike(expected) } });
      }
    }
  });

  it('of callers must be whole numbers', () => {
    for (const reads of [0, 1.5, NaN]) {
      assert.throws(() => synthesize({ rateLimits: { reads } }), {
        message: `rateLimits.reads must be a whole number of at least 1, received ${reads}`,
      });
    }
  });
});
