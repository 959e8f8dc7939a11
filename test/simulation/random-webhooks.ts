/** Random endpoints of webhooks, what operators do with them, and receivers that fail for minutes or days. */
import { eventTypes } from '../../lambdas/domain/events.ts';
import type { EventType } from '../../lambdas/domain/events.ts';
import { between, chance, choose } from './chance.ts';
import type { CommandName, History, Step } from './history.ts';
import { isOfWebhooks, troubles } from './webhook-steps.ts';
import type { Outage, WebhookAction } from './webhook-steps.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** The share of histories with webhooks: their days of retries make them some times as long as others. */
const share = 0.12;
const mostEndpoints = 2;
/** How long receivers are down: not at all, minutes, hours, more than a day, or more than a week. */
const outageTimes = [0, 2 * minuteMs, 2 * hourMs, 30 * hourMs, 7.3 * dayMs, 7.3 * dayMs];

const subscriptions: readonly (readonly EventType[])[] = [
  ['wallet.funded', 'webhook.disabled'],
  ['transfer.completed', 'withdrawal.completed', 'withdrawal.failed'],
  // So many that an endpoint that is down must rest.
  ...[eventTypes, eventTypes],
];

/** What operators do, each as often as it is to occur. */
const commands = [
  ...(['disabled', 'disabled', 'active', 'active', 'types', 'deleted'] as const),
  ...(['rotate', 'rotate', 'ping', 'replay', 'replay', 'read', 'list', 'trace'] as const),
];

/** Returns some histories with webhooks, and the others as they are. */
export function withWebhooks(history: History): History {
  const { seed, steps, restore } = history;
  // A table that was put back publishes the same versions once more.
  if (restore !== undefined || chance(seed, 'webhooks') >= share) return history;
  const endpoints = Array.from({ length: between(1, mostEndpoints, seed, 'endpoints') }, (_, n) => n);
  const last = Math.max(...steps.map(({ at }) => at));
  const own = endpoints.flatMap((n) => stepsOf(seed, n, last));
  const outages = Object.fromEntries(endpoints.map((n) => [hostOf(n), outagesOf(seed, n, last)]));
  return { ...history, steps: [...steps, ...own], webhooks: { outages } };
}

/** Returns a history without webhooks. */
export function withoutWebhooks({ webhooks, steps, ...history }: History): History {
  return { ...history, steps: steps.filter(({ action }) => !isOfWebhooks(action)) };
}

function hostOf(n: number): string {
  return `receiver-${n}.test`;
}

/** Returns the outages of a receiver. */
function outagesOf(seed: string, n: number, last: number): Outage[] {
  const lasting = choose(outageTimes, seed, 'outage', n);
  if (lasting === 0) return [];
  const from = between(0, last, seed, 'out', n);
  return [
    { from, to: from + lasting + between(0, minuteMs, seed, 'out for', n), how: choose(troubles, seed, 'how', n) },
  ];
}

function stepsOf(seed: string, n: number, last: number): Step[] {
  const endpoint: CommandName = { principal: 'operator', key: `endpoint-${n}` };
  const step = (name: string, at: number, action: WebhookAction, isLater = false): Step => ({
    id: `h${n}.${name}`,
    at,
    principal: 'operator',
    operator: true,
    key: `endpoint-${n}-${name}`,
    retries: choose([0, 1, 4], seed, 'retries of endpoints', n, name),
    action,
    ...(isLater && { isLater }),
  });
  const wanted = choose(subscriptions, seed, 'subscription', n);
  const added = between(0, 5_000, seed, 'added', n);
  const add = {
    ...step('add', added, { do: 'create-webhook', url: `https://${hostOf(n)}/`, eventTypes: wanted }),
    ...{ key: endpoint.key, retries: 4 },
  };
  const again = chance(seed, 'added again', n) < 0.2 ? [{ ...add, id: `${add.id}+`, at: added + 40 }] : [];
  const during = Array.from({ length: between(1, 5, seed, 'commands', n) }, (_, nth) =>
    step(`c${nth}`, between(added, last + 60_000, seed, 'command', n, nth), commandOf(seed, endpoint, [n, nth])),
  );
  return [add, ...again, ...during, ...laterOf(seed, n, endpoint, step)];
}

/** Returns the steps of days: a replay of what was parked, and pings about the end of a week of failures. */
function laterOf(
  seed: string,
  n: number,
  endpoint: CommandName,
  step: (name: string, at: number, action: WebhookAction, isLater: true) => Step,
): Step[] {
  const ping: WebhookAction = { do: 'ping-webhook', endpoint };
  const active: WebhookAction = { do: 'put-webhook', endpoint, status: 'active' };
  const replay = (parkedOnly: boolean): WebhookAction => ({ do: 'replay-webhook', endpoint, from: 0, parkedOnly });
  const all = [
    step('day', 1.4 * dayMs, replay(chance(seed, 'only parked', n) < 0.3), true),
    step('week', 7.2 * dayMs, ping, true),
    step('end', 7.4 * dayMs, active, true),
    step('after', 7.45 * dayMs, replay(true), true),
  ];
  return all.filter((_, nth) => chance(seed, 'later', n, nth) < 0.6);
}

function commandOf(seed: string, endpoint: CommandName, nth: readonly number[]): WebhookAction {
  const kind = choose(commands, seed, 'command of an endpoint', ...nth);
  switch (kind) {
    case 'disabled':
    case 'active':
    case 'deleted':
      return { do: 'put-webhook', endpoint, status: kind };
    case 'types':
      return {
        do: 'put-webhook',
        endpoint,
        status: 'active',
        eventTypes: choose(subscriptions, seed, 'types', ...nth),
      };
    case 'rotate':
      return { do: 'rotate-webhook-secret', endpoint };
    case 'ping':
      return { do: 'ping-webhook', endpoint };
    case 'replay':
      return { do: 'replay-webhook', endpoint, from: 0, parkedOnly: chance(seed, 'parked only', ...nth) < 0.5 };
    case 'read':
      return { do: 'get-webhook', endpoint };
    case 'list':
      return { do: 'list-webhooks' };
    case 'trace':
      return { do: 'list-webhook-deliveries', endpoint };
  }
}
