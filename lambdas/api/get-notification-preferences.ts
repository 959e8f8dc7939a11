import * as z from 'zod/mini';
import { ownerNamedBy } from '../http/caller.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { readEnvironment } from '../aws/environment.ts';
import { openReadLimits } from '../http/limits.ts';
import { query, serve } from '../http/http.ts';
import { fields } from '../http/body-fields.ts';
import { getPreferences } from '../store/preferences.ts';
import { openTable } from '../store/table.ts';

/** `GET /notification-preferences`: the preferences of the caller, or of the owner that an operator names. */
export const getNotificationPreferences = query({
  name: 'get-notification-preferences',
  query: z.strictObject({ ownerId: z.optional(fields.text(128)) }),
  async handle({ caller, query }, { table }) {
    const ownerId = ownerNamedBy(caller, query.ownerId);
    return { status: 200, body: { ownerId, ...(await getPreferences(table, ownerId)) } };
  },
});

const env = readEnvironment('get-notification-preferences');
export const handler = serve(getNotificationPreferences, {
  table: openTable(dynamodbClient(), env.TABLE_NAME),
  limits: openReadLimits(env),
});
