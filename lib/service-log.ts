import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { ownKey } from './encryption.ts';
import { settingsOf } from './service-settings.ts';

/** Returns a new log group with the retention and key of its service. */
export function newLogGroup(scope: Construct, id: string): LogGroup {
  return new LogGroup(scope, id, { retention: settingsOf(scope).logRetention, ...ownKey(scope) });
}
