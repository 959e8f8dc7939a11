import { Match } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { ProvisionedLoad } from '../../lib/capacity.ts';
import { resourcesOf, synthesize } from './synthesized.ts';

const table = 'AWS::DynamoDB::GlobalTable';
const provisioned: ProvisionedLoad = { commands: { least: 7, most: 70 }, reads: { least: 10, most: 100 } };

describe('provisioned capacity', () => {
  it('follows the load: every table and index scales between its minimum and maximum', () => {
    const { template } = synthesize({ provisioned });
    const scaled = (least: number, most: number) =>
      Match.objectLike({
        WriteCapacityAutoScalingSettings: Match.objectLike({
          MinCapacity: least,
          MaxCapacity: most,
          TargetTrackingScalingPolicyConfiguration: { TargetValue: 70 },
        }),
      });
    template.hasResourceProperties(table, {
      BillingMode: 'PROVISIONED',
      // 7 and 70 commands of at most 11 units, at a utilization of 70 %.
      WriteProvisionedThroughputSettings: scaled(110, 1_100),
      GlobalSecondaryIndexes: [
        Match.objectLike({ IndexName: 'byWallet', WriteProvisionedThroughputSettings: scaled(30, 300) }),
        Match.objectLike({ IndexName: 'byCounterparty', WriteProvisionedThroughputSettings: scaled(10, 100) }),
        Match.objectLike({ IndexName: 'due', WriteProvisionedThroughputSettings: scaled(40, 400) }),
        Match.objectLike({ IndexName: 'byReference', WriteProvisionedThroughputSettings: scaled(10, 100) }),
      ],
    });
    const modes = [...resourcesOf(template, table).values()].map(({ Properties }) => Properties['BillingMode']);
    assert.deepEqual(modes, ['PROVISIONED', 'PROVISIONED', 'PROVISIONED', 'PROVISIONED']);
  });

  it('rejects an invalid range or utilization, with the value received', () => {
    const refused: [Partial<ProvisionedLoad>, RegExp][] = [
      [{ commands: { least: 10, most: 5 } }, /provisioned\.commands .* received 10 and 5/],
      [{ reads: { least: -1, most: 5 } }, /provisioned\.reads .* received -1 and 5/],
      [{ commands: { least: 0, most: NaN } }, /provisioned\.commands .* received 0 and NaN/],
      [{ targetUtilization: 95 }, /targetUtilization must be 20 to 90, received 95/],
    ];
    for (const [given, message] of refused) {
      assert.throws(() => synthesize({ provisioned: { ...provisioned, ...given } }), message);
    }
  });
});

describe('the workers of screening and notifications', () => {
  it('run as many batches at a time as the props say', () => {
    const props = { screeningConcurrency: 7, notificationConcurrency: 9 };
    const { template } = synthesize(props);
    for (const most of Object.values(props)) {
      template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
        ScalingConfig: { MaximumConcurrency: most },
        BatchSize: 100,
      });
    }
  });
});
