import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { byRoute } from '../http/by-route.ts';
import { serve } from '../http/http.ts';
import { openReadLimits } from '../http/limits.ts';
import { openTable } from '../store/table.ts';
import { getNotificationPreferences } from './get-notification-preferences.ts';
import { putNotificationPreferences } from './put-notification-preferences.ts';

/** Opens the function of both routes of notification preferences. */
export function open(environment: Environment<'notification-preferences'>) {
  const services = {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openReadLimits(environment),
  };
  return byRoute('notification-preferences', {
    'get-notification-preferences': serve(getNotificationPreferences, services),
    'put-notification-preferences': serve(putNotificationPreferences, services),
  });
}
