import * as z from 'zod/mini';
import { ownerNamedBy } from '../http/caller.ts';
import { query } from '../http/http.ts';
import { fields } from '../http/body-fields.ts';
import { getPreferences } from '../store/preferences.ts';

/** `GET /notification-preferences`: the preferences of the caller, or of the owner that an operator names. */
export const getNotificationPreferences = query({
  name: 'get-notification-preferences',
  query: z.strictObject({ ownerId: z.optional(fields.text(128)) }),
  async handle({ caller, query }, { table }) {
    const ownerId = ownerNamedBy(caller, query.ownerId);
    return { status: 200, body: { ownerId, ...(await getPreferences(table, ownerId)) } };
  },
});
