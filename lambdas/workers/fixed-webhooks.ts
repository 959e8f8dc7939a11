import { service } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { fingerprintOf, webhookIdOfUrl } from '../domain/ids.ts';
import type { FixedWebhook, Webhook } from '../domain/webhook.ts';
import { describe, logger } from '../aws/telemetry.ts';
import type { Table } from '../store/table.ts';
import { changeWebhook, createWebhook } from '../store/webhooks.ts';
import { defectOf } from '../webhooks/target.ts';
import type { Targets } from '../webhooks/target.ts';

/** The endpoints that the stack names, and where deliveries may go. */
export interface FixedEndpoints {
  readonly fixed: readonly FixedWebhook[];
  readonly targets: Targets;
}

/**
 * Makes the endpoints that the stack names as it names them. One that it does not name any more is disabled, and gets no
 * events. One that an operator has deleted stays so. A failure about one does not touch the others: the next run tries again.
 */
export async function keepFixed(
  table: Table,
  stored: readonly Webhook[],
  { fixed, targets }: FixedEndpoints,
): Promise<void> {
  const known = new Map(stored.map((webhook) => [webhook.webhookId, webhook]));
  const named = new Set(fixed.map(({ url }) => webhookIdOfUrl(url)));
  for (const wanted of fixed) {
    const webhookId = webhookIdOfUrl(wanted.url);
    const webhook = known.get(webhookId);
    await attempt(webhookId, () => {
      const defect = defectOf(wanted.url, targets);
      if (defect !== undefined) throw new Error(`the URL of the stack ${defect}`);
      return webhook === undefined ? create(table, webhookId, wanted) : rename(table, webhook, wanted);
    });
  }
  for (const webhook of stored) {
    if (webhook.isFixed !== true || named.has(webhook.webhookId) || webhook.disabledBecause === 'stack') continue;
    await attempt(webhook.webhookId, () =>
      changeWebhook(table, webhook.webhookId, () => ({
        ...({ status: 'disabled', disabledBecause: 'stack', eventTypes: [] } as const),
        updatedAt: new Date(table.now()).toISOString(),
      })),
    );
  }
}

async function attempt(webhookId: string, work: () => Promise<unknown> | undefined): Promise<void> {
  try {
    await work();
  } catch (error) {
    // An operator was faster, and has deleted it.
    if (error instanceof WalletError && error.code === 'webhook_not_found') return;
    logger.error('endpoint of the stack not kept', { webhookId, error: describe(error) });
  }
}

function create(table: Table, webhookId: string, { url, eventTypes, description }: FixedWebhook): Promise<unknown> {
  const at = new Date(table.now()).toISOString();
  const webhook: Webhook = {
    ...{ webhookId, url, eventTypes, description, isFixed: true, status: 'active', generation: 0, version: 0 },
    ...{ secretKey: webhookId, secretAt: at, createdBy: service.principal, createdAt: at, updatedAt: at },
  };
  return createWebhook(table, webhook, fingerprintOf([webhookId]));
}

/** Changes what the stack says otherwise; undefined when it says the same. */
function rename(
  table: Table,
  webhook: Webhook,
  { eventTypes, description }: FixedWebhook,
): Promise<unknown> | undefined {
  const isBack = webhook.disabledBecause === 'stack';
  const isSame = eventTypes.join() === webhook.eventTypes.join() && description === webhook.description;
  if (isSame && !isBack) return undefined;
  return changeWebhook(table, webhook.webhookId, () => ({
    ...{ eventTypes, description, updatedAt: new Date(table.now()).toISOString() },
    ...(isBack && ({ status: 'active', disabledBecause: undefined } as const)),
  }));
}
