/** Backups of the tables by AWS Backup. */
import { Duration } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { Schedule } from 'aws-cdk-lib/aws-events';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';

const copyToVaultArn = 'arn:aws:backup:eu-central-1:999999999999:backup-vault:copies';
const tableArn = 'arn:aws:dynamodb:eu-west-1:111122223333:table/restored-entries';

describe('the backup plan', () => {
  const { template, stack } = synthesize({ backup: {} });
  const [vaultId, vault] = theOnly(template, 'AWS::Backup::BackupVault');
  const [keyId, key] = theOnly(template, 'AWS::KMS::Key');

  it('saves both tables every night for 90 days', () => {
    template.hasResourceProperties('AWS::Backup::BackupPlan', {
      BackupPlan: {
        BackupPlanRule: [
          {
            ScheduleExpression: 'cron(0 3 * * ? *)',
            Lifecycle: { DeleteAfterDays: 90 },
            TargetBackupVault: { 'Fn::GetAtt': [vaultId, 'BackupVaultName'] },
            RuleName: Match.anyValue(),
            CopyActions: Match.absent(),
          },
        ],
      },
    });
    template.hasResourceProperties('AWS::Backup::BackupSelection', {
      BackupSelection: {
        Resources: stack.resolve([stack.service.table.tableArn, stack.service.entriesTable.tableArn]) as unknown,
      },
    });
  });

  it('keeps its vault and the key of the vault when the stack is deleted', () => {
    assert.deepEqual(vault.Properties['EncryptionKeyArn'], { 'Fn::GetAtt': [keyId, 'Arn'] });
    assert.equal(key.Properties['EnableKeyRotation'], true);
    for (const { DeletionPolicy, UpdateReplacePolicy } of [vault, key]) {
      assert.deepEqual([DeletionPolicy, UpdateReplacePolicy], ['RetainExceptOnCreate', 'Retain']);
    }
  });

  it('does not take the name of a vault that an earlier stack left', () => {
    assert.ok(JSON.stringify(vault.Properties['BackupVaultName']).includes('AWS::StackId'));
  });

  it('alarms when a backup fails', () => {
    const alarms = [...resourcesOf(template, 'AWS::CloudWatch::Alarm').values()].map(({ Properties }) => Properties);
    const alarm = alarms.find(({ AlarmName }) => AlarmName === 'Wallet-Service warning: backup failed');
    assert.match(String(alarm?.['AlarmDescription']), /#backup-failed$/);
    const text = JSON.stringify(alarm?.['Metrics']);
    for (const job of ['Failed', 'Aborted', 'Expired']) assert.ok(text.includes(`NumberOfBackupJobs${job}`), job);
    assert.doesNotMatch(text, /CopyJobs/);
  });

  it('copies to a vault of another account and watches the copies, and saves tables that were adopted', () => {
    const other = synthesize({
      backup: { schedule: Schedule.cron({ minute: '30' }), deleteAfter: Duration.days(7), copyToVaultArn },
      entriesTable: { tableArn },
    });
    other.template.hasResourceProperties('AWS::Backup::BackupPlan', {
      BackupPlan: {
        BackupPlanRule: [
          Match.objectLike({
            ScheduleExpression: 'cron(30 * * * ? *)',
            Lifecycle: { DeleteAfterDays: 7 },
            CopyActions: [{ DestinationBackupVaultArn: copyToVaultArn, Lifecycle: { DeleteAfterDays: 7 } }],
          }),
        ],
      },
    });
    other.template.hasResourceProperties('AWS::Backup::BackupSelection', {
      BackupSelection: { Resources: Match.arrayWith([other.stack.resolve(other.stack.service.entriesTable.tableArn)]) },
    });
    other.template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Metrics: Match.arrayWith([
        Match.objectLike({
          MetricStat: Match.objectLike({
            Metric: {
              Namespace: 'AWS/Backup',
              MetricName: 'NumberOfCopyJobsFailed',
              Dimensions: [{ Name: 'BackupVaultName', Value: 'copies' }],
            },
          }),
        }),
      ]),
    });
  });

  it('is checked at synthesis', () => {
    for (const [backup, message] of [
      [
        { deleteAfter: Duration.hours(12) },
        'backup.deleteAfter must be whole days, from 1 to 36,500, received 0.5 days',
      ],
      [
        { schedule: Schedule.rate(Duration.hours(12)) },
        'backup.schedule must be a cron expression, received "rate(12 hours)"',
      ],
      [
        { copyToVaultArn: 'copies' },
        'backup.copyToVaultArn must be like arn:aws:backup:eu-west-1:111122223333:backup-vault:name, received "copies"',
      ],
    ] as const) {
      assert.throws(() => synthesize({ backup }), { message });
    }
  });
});
