import { QueryCommand as StoredQueryCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { WalletError } from '../domain/errors.ts';
import { mostWebhooks, webhookStatuses } from '../domain/webhook.ts';
import type { Webhook } from '../domain/webhook.ts';
import { webhookCountKey, webhookKey } from './keys.ts';
import { readItems } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, parsed, requireVersion, UnreadableItem } from './unreadable.ts';
import { writeOne } from './write-one.ts';
import { changed, denied, fromItem, toItem, update, write } from './write.ts';
import type { Item } from './write.ts';

/** Functions of the table of webhooks: the endpoints, and their turns. */

/**
 * Stores a new endpoint, and counts it.
 *
 * @param fingerprint of the request
 * @returns the endpoint as it is now, and whether the key had been used before
 * @throws WalletError `idempotency_key_reused`, `webhook_limit_reached`, `busy`
 */
export async function createWebhook(
  table: Table,
  webhook: Webhook,
  fingerprint: string,
): Promise<{ readonly webhook: Webhook; readonly replayed: boolean }> {
  const { webhookId } = webhook;
  const result = await write(table, [
    {
      label: `webhook ${webhookId}`,
      request: {
        Put: {
          TableName: table.name,
          Item: { ...webhookKey(webhookId), v: itemVersion, ...webhook, fingerprint },
          ConditionExpression: 'attribute_not_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
      },
      refused: (image) => image && { kind: 'replay', record: image },
    },
    {
      label: 'number of webhooks',
      request: {
        Update: update(table, webhookCountKey(), {
          set: 'webhooks = if_not_exists(webhooks, :zero) + :one',
          if: 'attribute_not_exists(webhooks) OR webhooks < :most',
          values: { zero: 0, one: 1, most: mostWebhooks },
        }),
      },
      refused: () =>
        denied(new WalletError('webhook_limit_reached', { detail: `a service has at most ${mostWebhooks} webhooks` })),
    },
  ]);
  if (result.written) return { webhook, replayed: false };
  const [refusal] = result.refusals;
  if (refusal.kind === 'denied') throw refusal.error;
  if (refusal.kind !== 'replay') throw new WalletError('busy', { retryAfterSeconds: 1 });
  if (refusal.record['fingerprint'] !== fingerprint) throw new WalletError('idempotency_key_reused');
  return { webhook: parseWebhook(refusal.record), replayed: true };
}

/** Reads an endpoint, consistently; undefined when there is none of this id, also when it is deleted. */
export async function getWebhook(table: Table, webhookId: string): Promise<Webhook | undefined> {
  const [item] = await readItems(table, [webhookKey(webhookId)]);
  const webhook = item && parseWebhook(item);
  return webhook?.status === 'deleted' ? undefined : webhook;
}

/** An endpoint with the state of its turns; times in epoch milliseconds. */
export interface TurnState extends Webhook {
  readonly leaseUntil?: number | undefined;
  readonly restUntil?: number | undefined;
}

/**
 * Lists all endpoints, the oldest first; consistent. Those that cannot be read are apart. A deleted one keeps its record,
 * so there may be many records, and each page is read.
 */
export async function listWebhooks(
  table: Table,
): Promise<{ readonly webhooks: TurnState[]; readonly unreadable: UnreadableItem[] }> {
  const webhooks: TurnState[] = [];
  const unreadable: UnreadableItem[] = [];
  let after: Record<string, AttributeValue> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await withRetries(table, () =>
      table.client.send(
        new StoredQueryCommand({
          TableName: table.name,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          FilterExpression: '#status <> :deleted',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: toItem({ ':pk': webhookKey('').pk, ':prefix': 'wh_', ':deleted': 'deleted' }),
          ConsistentRead: true,
          ...(after && { ExclusiveStartKey: after }),
        }),
      ),
    );
    for (const item of Items) {
      const webhook = parsed(() => parseWebhook(fromItem(item)));
      if (webhook instanceof UnreadableItem) unreadable.push(webhook);
      else webhooks.push(webhook);
    }
    after = LastEvaluatedKey;
  } while (after !== undefined);
  return { webhooks: webhooks.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1)), unreadable };
}

/** A change of an endpoint: its members, undefined for one that is removed. */
export type WebhookChange = Partial<Omit<Webhook, 'webhookId' | 'version' | 'createdAt' | 'createdBy'>> & {
  readonly restUntil?: undefined;
};

const mostTries = 5;

/**
 * Changes an endpoint as `decide` says from what is stored. It is called again when another command was faster, or an
 * earlier try of this one was written.
 *
 * @param decide returns undefined when there is nothing to change; throws to refuse
 * @returns the endpoint as it is now, and whether it was changed
 * @throws WalletError `webhook_not_found`, `busy`, and what `decide` throws
 */
export async function changeWebhook(
  table: Table,
  webhookId: string,
  decide: (webhook: Webhook) => WebhookChange | undefined,
): Promise<{ readonly webhook: Webhook; readonly changed: boolean }> {
  for (let tries = 0; tries < mostTries; tries++) {
    const webhook = await getWebhook(table, webhookId);
    if (webhook === undefined) throw new WalletError('webhook_not_found');
    const change = decide(webhook);
    if (change === undefined) return { webhook, changed: false };
    const version = webhook.version + 1;
    const { values, ...expressions } = assignments({ ...change, version });
    const Update = update(table, webhookKey(webhookId), {
      ...expressions,
      if: 'version = :seen',
      values: { ...values, seen: webhook.version },
    });
    const items = [
      { label: `webhook ${webhookId}`, request: { Update }, refused: changed },
      ...(change.status === 'deleted' ? [uncount(table)] : []),
    ];
    const { written } = await write(table, items);
    if (written) return { webhook: { ...webhook, ...change, version }, changed: true };
  }
  throw new WalletError('busy', { retryAfterSeconds: 1 });
}

function uncount(table: Table) {
  const Update = update(table, webhookCountKey(), {
    set: 'webhooks = webhooks - :one',
    if: 'webhooks >= :one',
    values: { one: 1 },
  });
  return { label: 'number of webhooks', request: { Update }, refused: changed };
}

/** Returns the expressions that set the members that are there, and remove those that are undefined. */
function assignments(members: Item): { set: string; remove?: string; values: Item } {
  const entries = Object.entries(members);
  const nameOf = (name: string) => (name === 'status' ? '#status' : name);
  const set = entries.filter(([, value]) => value !== undefined);
  const removed = entries.filter(([, value]) => value === undefined).map(([name]) => nameOf(name));
  return {
    set: set.map(([name]) => `${nameOf(name)} = :${name}`).join(', '),
    ...(removed.length > 0 && { remove: removed.join(', ') }),
    values: Object.fromEntries(set),
  };
}

/** How long a turn excludes others, ms: longer than its worker can run. */
export const leaseMs = 45_000;

/**
 * Takes the turn of an endpoint: until it is given back, or `leaseMs` have passed, no other worker has it.
 *
 * When another worker has it, that worker is told that there is more to do.
 *
 * @param turnId names the turn
 * @returns undefined when the endpoint has no turn now: it is not active, it rests, or another worker has its turn
 */
export async function takeTurn(table: Table, webhookId: string, turnId: string): Promise<Webhook | undefined> {
  for (let tries = 0; tries < mostTries; tries++) {
    const now = table.now();
    const taken = await writeOne(
      table,
      new UpdateCommand({
        ...update(table, webhookKey(webhookId), {
          set: 'leaseId = :turnId, leaseUntil = :until',
          remove: 'again',
          if: [
            '#status = :active',
            '(attribute_not_exists(leaseUntil) OR leaseUntil <= :now OR leaseId = :turnId)',
            '(attribute_not_exists(restUntil) OR restUntil <= :now)',
          ].join(' AND '),
          values: { turnId, until: now + leaseMs, active: 'active', now },
        }),
        ReturnValues: 'ALL_NEW',
      }),
    );
    if (taken.written) return taken.attributes && parseWebhook(taken.attributes);
    const { image } = taken;
    if (image === undefined || image['status'] !== 'active' || Number(image['restUntil'] ?? 0) > now) return undefined;
    const told = await writeOne(
      table,
      new UpdateCommand(
        update(table, webhookKey(webhookId), {
          set: 'again = :yes',
          if: 'leaseUntil > :now',
          values: { yes: true, now },
        }),
      ),
    );
    if (told.written) return undefined;
  }
  throw new WalletError('busy', { retryAfterSeconds: 1 });
}

/**
 * Records that an endpoint has taken something, so that its failures before do not count.
 *
 * @param since the beginning of these failures, as they were read
 */
export async function endFailure(table: Table, webhookId: string, since: string): Promise<void> {
  const command = update(table, webhookKey(webhookId), {
    // An update sets something.
    set: 'webhookId = :webhookId',
    remove: 'failingSince',
    if: 'failingSince = :since',
    values: { webhookId, since },
  });
  await writeOne(table, new UpdateCommand(command));
}

/** The end of a turn, and the state of the endpoint after it. */
export interface TurnEnd {
  readonly turnId: string;
  readonly failingSince: string | undefined;
  /** Until when no turn begins, epoch ms; absent: the next may begin at once. */
  readonly restUntil: number | undefined;
}

/**
 * Gives the turn of an endpoint back.
 *
 * @returns whether another message asked for this endpoint during the turn; false also when the turn was lost meanwhile
 */
export async function endTurn(table: Table, webhookId: string, end: TurnEnd): Promise<boolean> {
  const { turnId, failingSince, restUntil } = end;
  const { set, remove = '', values } = assignments({ failingSince, restUntil });
  const ended = await writeOne(
    table,
    new UpdateCommand({
      ...update(table, webhookKey(webhookId), {
        set: ['leaseUntil = :none', ...(set === '' ? [] : [set])].join(', '),
        remove: ['again', ...(remove === '' ? [] : [remove])].join(', '),
        if: 'leaseId = :turnId',
        values: { ...values, none: 0, turnId },
      }),
      ReturnValues: 'ALL_OLD',
    }),
  );
  return ended.written && ended.attributes?.['again'] === true;
}

/**
 * Returns the endpoint in a stored item.
 *
 * @throws UnreadableItem for a newer version; InvalidItem for an item that lacks a member
 */
function parseWebhook(item: Item): TurnState {
  requireVersion(item);
  const { pk, sk, v, fingerprint, leaseId, again, ...webhook } = item;
  const { webhookId, url, eventTypes, status, generation, version } = webhook;
  const isWhole =
    typeof webhookId === 'string' &&
    sk === webhookId &&
    typeof url === 'string' &&
    Array.isArray(eventTypes) &&
    webhookStatuses.some((one) => one === status) &&
    Number.isSafeInteger(generation) &&
    Number.isSafeInteger(version);
  if (!isWhole) throw new InvalidItem(item, 'it lacks what a webhook needs');
  return webhook as unknown as TurnState;
}
