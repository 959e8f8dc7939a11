import { Match } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { resourcesOf, roleOf, statementsOf, synthesize } from './synthesized.ts';

const { template, stack } = synthesize();
const idOf = (arn: string) => (stack.resolve(arn) as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
const entriesId = idOf(stack.service.entriesTable.tableArn);

describe('the entries table', () => {
  const table = resourcesOf(template, 'AWS::DynamoDB::GlobalTable').get(entriesId);

  it('is as safe as the wallets: restorable to any second, encrypted, protected from deletion', () => {
    assert.equal(table?.DeletionPolicy, 'RetainExceptOnCreate');
    const { Replicas, SSESpecification, StreamSpecification } = table.Properties;
    assert.deepEqual(SSESpecification, { SSEEnabled: true, SSEType: 'KMS' });
    const [replica] = Replicas as [Record<string, unknown>];
    assert.equal(replica['DeletionProtectionEnabled'], true);
    assert.deepEqual(replica['PointInTimeRecoverySpecification'], { PointInTimeRecoveryEnabled: true });
    assert.equal(StreamSpecification, undefined, 'entries have no consumer');
  });

  it('has no index, as each would cost every entry a write unit', () => {
    assert.equal(table?.Properties['GlobalSecondaryIndexes'], undefined);
  });
});

describe('the projector', () => {
  it('reads the stream from its beginning, and sets aside records that do not fit', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionName: { Ref: idOf(stack.service.functions.projector.functionArn) },
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 100,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
    });
  });
});

describe('the check of the books', () => {
  it('runs four times an hour, so that an hour and its second check end within two hours', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(15 minutes)',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [idOf(stack.service.functions['integrity-job'].functionArn), 'Arn'] },
        }),
      ],
    });
  });

  it('only reads wallets and transactions', () => {
    const { Properties } = resourcesOf(template, 'AWS::Lambda::Function').get(
      idOf(stack.service.functions['integrity-job'].functionArn),
    )!;
    const tableId = idOf(stack.service.table.tableArn);
    const actions = statementsOf(template, roleOf(Properties))
      .filter(({ Resource }) => JSON.stringify(Resource).includes(`"${tableId}"`))
      .flatMap(({ Action }) => Action);
    assert.ok(actions.includes('dynamodb:Scan'));
    for (const action of actions) assert.match(action, /^dynamodb:(Scan|DescribeTable|GetItem|BatchGetItem|Query)$/);
  });
});
