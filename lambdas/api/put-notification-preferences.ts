import * as z from 'zod/mini';
import { notifiedEvents } from '../contract.ts';
import { ownerNamedBy } from '../http/caller.ts';
import { replacement } from '../http/http.ts';
import { fields } from '../http/body-fields.ts';
import { putPreferences } from '../store/preferences.ts';

const body = z.strictObject({
  ownerId: z.optional(fields.text(128)),
  channels: z.strictObject({ email: z.boolean(), sms: z.boolean(), push: z.boolean() }),
  mutedEvents: z._default(
    z.pipe(
      z.array(z.enum(notifiedEvents)).check(z.maxLength(notifiedEvents.length)),
      z.transform((types) => [...new Set(types)]),
    ),
    [],
  ),
});

/** `PUT /notification-preferences`: replaces the preferences of the caller, or of the owner that an operator names. */
export const putNotificationPreferences = replacement({
  name: 'put-notification-preferences',
  body,
  async handle({ caller, body }, { table }) {
    const { ownerId: named, ...preferences } = body;
    const ownerId = ownerNamedBy(caller, named);
    await putPreferences(table, ownerId, preferences, new Date(table.now()).toISOString());
    return { status: 200, body: { ownerId, ...preferences } };
  },
});
