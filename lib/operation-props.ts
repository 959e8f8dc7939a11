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
   * How long events are kept in a bucket whose objects cannot be changed. `false`: there is no bucket, and events end with
   * the bus's archive.
   *
   * @default - seven years in governance mode
   */
  readonly audit?: AuditOptions | false;

  /**
   * The wallet table, where it exists already: one that was restored from a backup. The stack then has none of its own.
   * Streams, indexes, backups and protection of the table are yours: docs/deploy.md, Adopting tables.
   *
   * @default - a table of the stack's own
   */
  readonly ledgerTable?: AdoptedLedger;

  /**
   * The table of entries, as above.
   *
   * @default - a table of the stack's own
   */
  readonly entriesTable?: AdoptedTable;

  /**
   * Backups of both tables in a vault of AWS Backup, and copies in the vault of another account. Point-in-time recovery
   * is always on, and ends with the account.
   *
   * @default - none
   */
  readonly backup?: BackupOptions;

  /**
   * A KMS key of yours for tables, queues, topic, secrets, logs and the audit's bucket. A key of this app gets the policy
   * that it needs; another one needs it before. **Never delete it: the money is lost with it.** The bus, its archive and
   * the stream to the audit keep keys of AWS.
   *
   * @default - keys of AWS
   */
  readonly encryptionKey?: IKey;

  /**
   * The treatment of the tables, the user pool, keys, audit and logs when they leave the stack.
   *
   * @default - they are kept, unless the deployment that makes them fails
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether both tables and the user pool refuse every deletion.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;

  /**
   * Time from the beginning of a pass over all books to that of the next one, in whole hours. Closed hours are checked
   * in any case. A pass finds later changes.
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
   * The least severe lines in the functions' logs. `WARN` saves the lines about each withdrawal and each batch, but the
   * saved queries about the bank and about slow withdrawals, and the dashboard's table of the bank's outcomes, read them.
   * Metrics, the access log and Lambda's own lines are the same at each level.
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
   * The dollars that the service may cost in a month. AWS Budgets warns at 80 % spent, and when its forecast for the month
   * exceeds them. All resources get the tag `wallet-service` with the name of the service; activate it for cost
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
