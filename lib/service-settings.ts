import type { IKey } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** The least severe lines that functions write. */
export type LogLevel = 'INFO' | 'WARN' | 'ERROR';

/** Settings that constructs far below a service read. Constructs in between need not pass them on. */
export interface ServiceSettings {
  /** Whether stack traces name source files and lines. */
  readonly readsSourceMaps: boolean;
  /** Undefined: as Powertools' default, `INFO`. */
  readonly logLevel: LogLevel | undefined;
  readonly logRetention: RetentionDays;
  /** The key of all data; undefined: the keys of AWS. */
  readonly encryptionKey: IKey | undefined;
}

/** The settings of constructs that belong to no service, and of a service whose props leave them out. */
const defaults: ServiceSettings = {
  readsSourceMaps: false,
  logLevel: undefined,
  logRetention: RetentionDays.THREE_MONTHS,
  encryptionKey: undefined,
};

const settingsContext = 'wallet:settings';

/** The props that become settings; undefined: the default. */
interface Given {
  readonly sourceMaps?: boolean | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly logRetention?: RetentionDays | undefined;
  readonly encryptionKey?: IKey | undefined;
}

/**
 * Keeps the settings of a service for the constructs below it.
 *
 * @throws Error for an unknown level of logs, and a retention that CloudWatch does not have
 */
export function keepSettings(service: Construct, given: Given): void {
  const { sourceMaps, logLevel, logRetention = defaults.logRetention, encryptionKey } = given;
  if (logLevel !== undefined && !['INFO', 'WARN', 'ERROR'].includes(logLevel)) {
    throw new Error(`logLevel must be INFO, WARN or ERROR, received ${logLevel}`);
  }
  if (!Object.values(RetentionDays).includes(logRetention)) {
    throw new Error(`logRetention must be one of RetentionDays, received ${String(logRetention)}`);
  }
  const settings: ServiceSettings = { readsSourceMaps: sourceMaps ?? false, logLevel, logRetention, encryptionKey };
  service.node.setContext(settingsContext, settings);
}

/** Returns the settings of the service that the construct belongs to. */
export function settingsOf({ node }: Construct): ServiceSettings {
  return (node.tryGetContext(settingsContext) as ServiceSettings | undefined) ?? defaults;
}
