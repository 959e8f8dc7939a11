/** The steps of operators with endpoints of webhooks, and the receivers of a history. Both are plain data. */
import type { EventType } from '../../lambdas/domain/events.ts';
import { transactionIdOf, webhookIdOf } from '../../lambdas/domain/ids.ts';
import { epoch } from '../engine.ts';
import type { CallerContext, Request } from '../request.ts';
import type { CommandName } from './history.ts';
import type { RouteName } from './release.ts';

/** What an operator does with endpoints. `endpoint`: the command that adds it. */
export type WebhookAction =
  | { readonly do: 'create-webhook'; readonly url: string; readonly eventTypes: readonly EventType[] }
  | { readonly do: 'list-webhooks' }
  | {
      readonly do: 'put-webhook';
      readonly endpoint: CommandName;
      readonly status: 'active' | 'disabled' | 'deleted';
      readonly eventTypes?: readonly EventType[];
    }
  /** `from`: ms after the beginning. */
  | {
      readonly do: 'replay-webhook';
      readonly endpoint: CommandName;
      readonly from: number;
      readonly parkedOnly: boolean;
    }
  | {
      readonly do: 'get-webhook' | 'list-webhook-deliveries' | 'rotate-webhook-secret' | 'ping-webhook';
      readonly endpoint: CommandName;
    };

/**
 * Why a receiver takes nothing:
 * - `fails`, `redirects`, `gone`: it answers with 500, 307 or 410.
 * - `hangs`, `refuses`: it never answers, or takes no connection.
 * - `moves`: its name has a private address.
 */
export const troubles = ['fails', 'redirects', 'gone', 'hangs', 'refuses', 'moves'] as const;

/** A time in which a receiver takes nothing; ms after the beginning. */
export interface Outage {
  readonly from: number;
  readonly to: number;
  readonly how: (typeof troubles)[number];
}

export interface WebhookPlan {
  /** The outages of receivers, by their hosts. */
  readonly outages: Readonly<Record<string, readonly Outage[]>>;
}

export function webhookIdOfName({ principal, key }: CommandName): string {
  return webhookIdOf(transactionIdOf(principal, key));
}

/** Returns whether an action is about endpoints of webhooks. */
export function isOfWebhooks(action: { readonly do: string }): action is WebhookAction {
  return action.do.includes('webhook');
}

/** Returns the request of a step about endpoints. */
export function webhookRequest(
  action: WebhookAction,
  { as, key }: { readonly as: CallerContext; readonly key: string },
): { route: RouteName; request: Request } {
  const path = 'endpoint' in action ? { path: { webhookId: webhookIdOfName(action.endpoint) } } : {};
  switch (action.do) {
    case 'create-webhook': {
      const { eventTypes } = action;
      // A receiver tells endpoints apart by their paths.
      const url = `${action.url}${webhookIdOfName({ principal: as.principal, key })}`;
      return { route: action.do, request: { as, key, body: { url, eventTypes } } };
    }
    case 'put-webhook': {
      const { status, eventTypes } = action;
      return { route: action.do, request: { as, ...path, body: { status, ...(eventTypes && { eventTypes }) } } };
    }
    case 'replay-webhook': {
      const body = { from: new Date(epoch + action.from).toISOString(), parkedOnly: action.parkedOnly };
      return { route: action.do, request: { as, key, ...path, body } };
    }
    case 'rotate-webhook-secret':
    case 'ping-webhook':
      return { route: action.do, request: { as, key, ...path, body: {} } };
    case 'list-webhooks':
    case 'get-webhook':
    case 'list-webhook-deliveries':
      return { route: action.do, request: { as, ...path } };
  }
}
