import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { ownerNamedBy } from '../http/caller.ts';
import { dynamodbClient } from '../aws/clients.ts';
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

export const open = (environment: Environment<'get-notification-preferences'>) =>
  serve(getNotificationPreferences, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openReadLimits(environment),
  });
