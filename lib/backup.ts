import { Aws, Duration, Fn, Token, Validations } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupResource, BackupVault } from 'aws-cdk-lib/aws-backup';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { AddAlarm } from './alarms.ts';

/** Copies of both tables in a vault of AWS Backup, beside the point-in-time recovery of 35 days. */
export interface BackupOptions {
  /**
   * When a backup is made.
   *
   * @default - every day at 03:00 UTC
   */
  readonly schedule?: Schedule;

  /**
   * How long a backup and its copy are kept: at least a day.
   *
   * @default Duration.days(90)
   */
  readonly deleteAfter?: Duration;

  /**
   * The ARN of a vault in another account or region, into which each backup is copied. Its policy must allow this
   * account `backup:CopyIntoBackupVault`.
   *
   * @default - no copy
   */
  readonly copyToVaultArn?: string;
}

/** Properties of `Backup`. */
export interface BackupProps {
  readonly options: BackupOptions;
  readonly tables: readonly ITableV2[];
  readonly addAlarm: AddAlarm;
}

/** The backups of both tables in a vault with a key of its own, and the alarm on a backup that failed. */
export class Backup extends Construct {
  constructor(scope: Construct, id: string, { options, tables, addAlarm }: BackupProps) {
    super(scope, id);
    const { schedule = Schedule.cron({ hour: '3', minute: '0' }), deleteAfter = Duration.days(90) } = options;
    const { copyToVaultArn } = options;
    checkBackup({ schedule, deleteAfter, copyToVaultArn });
    // Not the key of the tables: backups outlive its loss. Nor that of AWS: a backup under it cannot be copied to another
    // account.
    const encryptionKey = new Key(this, 'Key', { description: 'Wallet service: backups', enableKeyRotation: true });
    // The vault outlives its stack. A second stack of the same name needs another one.
    const unique = Fn.select(0, Fn.split('-', Fn.select(2, Fn.split('/', Aws.STACK_ID))));
    const vault = new BackupVault(this, 'Vault', {
      backupVaultName: `wallet-${this.node.addr.slice(-8)}-${unique}`,
      encryptionKey,
    });
    const plan = new BackupPlan(this, 'Plan', { backupVault: vault });
    plan.addRule(
      new BackupPlanRule({
        scheduleExpression: schedule,
        deleteAfter,
        ...(copyToVaultArn !== undefined && {
          copyActions: [
            { destinationBackupVault: BackupVault.fromBackupVaultArn(this, 'Copies', copyToVaultArn), deleteAfter },
          ],
        }),
      }),
    );
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSBackupServiceRolePolicyForBackup')],
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]',
      reason: 'AWS Backup documents this policy as the one for its role, and extends it with its own features.',
    });
    plan.addSelection('Tables', {
      role,
      resources: tables.map(({ tableArn }) => BackupResource.fromArn(tableArn)),
    });
    const copies = copyToVaultArn === undefined ? undefined : Fn.select(6, Fn.split(':', copyToVaultArn));
    this.#watch(vault.backupVaultName, copies, addAlarm);
  }

  #watch(vaultName: string, copiesName: string | undefined, addAlarm: AddAlarm): void {
    const failed = (metricName: string, BackupVaultName = vaultName) =>
      new Metric({
        namespace: 'AWS/Backup',
        metricName,
        dimensionsMap: { BackupVaultName },
        statistic: Stats.SUM,
        period: Duration.hours(1),
      });
    addAlarm(this, 'Failed', {
      name: 'backup failed',
      severity: 'warning',
      metric: new MathExpression({
        label: 'failed, aborted or expired',
        expression: 'SUM(METRICS())',
        period: Duration.hours(1),
        usingMetrics: {
          failed: failed('NumberOfBackupJobsFailed'),
          aborted: failed('NumberOfBackupJobsAborted'),
          expired: failed('NumberOfBackupJobsExpired'),
          // AWS does not document which vault of a copy the metric names.
          ...(copiesName !== undefined && {
            copies_from: failed('NumberOfCopyJobsFailed'),
            copies_to: failed('NumberOfCopyJobsFailed', copiesName),
          }),
        },
      }),
      threshold: 1,
      periods: 1,
      meaning: 'A backup of a table, or its copy to the other vault, was not made.',
      runbook: 'backup-failed',
    });
  }
}

/** The options of a backup, all of them known. */
interface Checked {
  readonly schedule: Schedule;
  readonly deleteAfter: Duration;
  readonly copyToVaultArn: string | undefined;
}

/** Throws for times that AWS Backup refuses, and for an ARN that is not that of a vault. */
function checkBackup({ schedule, deleteAfter, copyToVaultArn: arn }: Checked): void {
  if (!isCron(schedule.expressionString)) {
    throw new Error(`backup.schedule must be a cron expression, received "${schedule.expressionString}"`);
  }
  const days = deleteAfter.toDays({ integral: false });
  if (!Number.isInteger(days) || days < 1 || days > 36_500) {
    throw new Error(`backup.deleteAfter must be whole days, from 1 to 36,500, received ${days} days`);
  }
  if (arn === undefined || Token.isUnresolved(arn)) return;
  if (!/^arn:aws[a-z-]*:backup:[a-z0-9-]+:\d{12}:backup-vault:[\w-]{2,50}$/.test(arn)) {
    throw new Error(
      `backup.copyToVaultArn must be like arn:aws:backup:eu-west-1:111122223333:backup-vault:name, received "${arn}"`,
    );
  }
}

/** Returns whether a text has the six fields of a cron expression of AWS: one of the two for days is a question mark. */
function isCron(text: string): boolean {
  const fields = /^cron\((.+)\)$/.exec(text)?.[1]?.split(' ') ?? [];
  const [, , dayOfMonth, , dayOfWeek] = fields;
  return (
    fields.length === 6 &&
    fields.every((field) => /^[\dA-Z*?,/#-]+$/i.test(field)) &&
    (dayOfMonth === '?') !== (dayOfWeek === '?')
  );
}
