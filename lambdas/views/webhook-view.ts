import type { Delivery, Webhook } from '../domain/webhook.ts';

/** Returns an endpoint as operators see it, without its secret. */
export function webhookView(webhook: Webhook) {
  const { webhookId, url, eventTypes, description, status, disabledBecause, previousUntil } = webhook;
  const { replay, failingSince, createdBy, createdAt, updatedAt } = webhook;
  return {
    webhookId,
    url,
    eventTypes,
    description,
    status,
    disabledBecause,
    failingSince,
    previousSecretUntil: previousUntil,
    replay: replay && {
      from: replay.from,
      to: replay.to,
      parkedOnly: replay.parkedOnly,
      status: replay.endedAt === undefined ? 'running' : 'completed',
      resent: replay.resent,
    },
    createdBy,
    createdAt,
    updatedAt,
  };
}

/** Returns a delivery as operators see it. The event is on the bus and in the audit; of the answer there is the status. */
export function deliveryView({ eventId, type, occurredAt, status, attempts, lastAttempt, dueAt, createdAt }: Delivery) {
  return { eventId, type, occurredAt, status, attempts, lastAttempt, nextAttemptAt: dueAt, createdAt };
}
