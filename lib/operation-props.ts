import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { AdoptedLedger, AdoptedTable } from './adopted-table.ts';
import type { AuditOptions } from './audit.ts';
import type { BackupOptions } from './backup.ts';
import type { MonthlyBudget } from './budget.ts';
import type { DeploymentStrategy } from './deployments.ts';
import type { EventsOptions } from './events.ts';
import type { LogLevel } from './service-settings.ts';

/** Properties of `WalletService` for its operation: data, deployments, logs, alarms and cost. */
export interface OperationProps {
  /**
   * The bus for events, and the time for which they can be replayed.
   *
   * @default - a bus of the service's own, 90 days
   */
  readonly events?: EventsOptions;

  /**
   * How long events are kept in a bucket whose objects cannot be changed. `false`: there is no bucket, and events are kept
   * only as long as in the bus's archive.
   *
   * @default - seven years in governance mode
   */
  readonly audit?: AuditOptions | false;

  /**
   * A wallet table that exists already, such as one that was restored from a backup. The stack then makes none. You set up
   * the stream, indexes, backups and protection of this table: docs/deploy.md, Adopting tables.
   *
   * @default - a table of the stack's own
   */
  readonly ledgerTable?: AdoptedLedger;

  /**
   * A table of entries that exists already, as for `ledgerTable`.
   *
   * @default - a table of the stack's own
   */
  readonly entriesTable?: AdoptedTable;

  /**
   * Backups of the wallet table and the table of entries in a vault of AWS Backup, and copies in the vault of another
   * account. Point-in-time recovery is always on, but is lost with the account.
   *
   * @default - none
   */
  readonly backup?: BackupOptions;

  /**
   * A KMS key of yours for tables, queues, topic, secrets, logs and the audit's bucket. A key of this app gets the policy
   * that it needs. Give it to any other key before. **Never delete the key: the books cannot be read without it.** The bus,
   * its archive and the stream to the audit keep keys of AWS.
   *
   * @default - keys of AWS
   */
  readonly encryptionKey?: IKey;

  /**
   * What happens to the tables, the user pool, keys, audit and logs when the stack no longer has them or is deleted.
   *
   * @default - they are kept; only a failed deployment deletes those that it has just made
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether the wallet table, the table of entries and the user pool refuse every deletion.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;

  /**
   * Time from the start of a check of all books to the start of the next one, in whole hours. The changes of each hour are
   * checked soon after its end in any case. The check of all books also finds records that were changed later.
   *
   * @default Duration.days(1)
   */
  readonly fullPassEvery?: Duration;

  /**
   * How a new version of a function gets its traffic. With a configuration of CodeDeploy each function has the alias
   * `live`, and a deployment is rolled back when the function fails or a critical alarm goes off.
   *
   * @default 'all-at-once'
   */
  readonly deployment?: DeploymentStrategy;

  /**
   * Whether stack traces in logs name source files and lines. It costs each cold start about a tenth. Without it `npm
   * run trace` finds them.
   *
   * @default false
   */
  readonly sourceMaps?: boolean;

  /**
   * The least severe lines in the functions' logs. `WARN` saves the lines about each withdrawal and each batch. Three places
   * need these lines: the saved queries about the bank and about slow withdrawals, and the dashboard's table of the bank's
   * outcomes. Metrics, the access log and Lambda's own lines are the same at each level.
   *
   * @default 'INFO'
   */
  readonly logLevel?: LogLevel;

  /**
   * How long CloudWatch keeps the logs of functions, of the API's requests, and of the delivery to the audit.
   *
   * @default RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: RetentionDays;

  /**
   * The dollars that the service may cost in a month. AWS Budgets warns when 80 % are spent, and when it expects the month
   * to cost more. All resources get the tag `wallet-service` with the name of the service. Activate this tag for cost
   * allocation in Billing, or the budget counts nothing.
   *
   * @default - no budget, and no tags
   */
  readonly monthlyBudget?: MonthlyBudget;

  /**
   * The topic for alarms of both severities.
   *
   * @default - alarms only show in CloudWatch
   */
  readonly alarmTopic?: ITopic;

  /**
   * The topic for critical alarms, which must reach an operator at any hour.
   *
   * @default - `alarmTopic`
   */
  readonly criticalTopic?: ITopic;

  /**
   * The topic for warnings, which can wait for the working day.
   *
   * @default - `alarmTopic`
   */
  readonly warningTopic?: ITopic;
}
