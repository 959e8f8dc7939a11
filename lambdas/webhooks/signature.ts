import { createHmac } from 'node:crypto';
import type { Webhook } from '../domain/webhook.ts';

/** The form of secrets and signatures is that of Standard Webhooks (standardwebhooks.com), version 1. */

type Keyed = Pick<Webhook, 'webhookId' | 'generation' | 'previousUntil'>;

/**
 * Returns the secret of an endpoint. It is derived from the key of the service, so that no table and no backup has it.
 *
 * @param key the key of the service
 */
export function secretOf(key: string, { webhookId, generation }: Pick<Keyed, 'webhookId' | 'generation'>): string {
  const bytes = createHmac('sha256', key)
    .update(JSON.stringify(['webhook', webhookId, generation]))
    .digest('base64');
  return `whsec_${bytes}`;
}

/** Returns the secrets that sign now: the one of this generation and, for a day after a rotation, the one before. */
export function secretsOf(key: string, webhook: Keyed, now: number): string[] {
  const { generation, previousUntil } = webhook;
  const isOverlap = previousUntil !== undefined && now < Date.parse(previousUntil);
  const before = isOverlap ? [secretOf(key, { ...webhook, generation: generation - 1 })] : [];
  return [secretOf(key, webhook), ...before];
}

/**
 * Returns the headers that sign a delivery: one signature by each secret.
 *
 * @param at seconds since 1970
 */
export function signedHeaders(
  secrets: readonly string[],
  id: string,
  at: number,
  body: string,
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': signatures.join(' ') };
}
