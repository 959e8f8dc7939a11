/** The routes and the worker of webhooks, as a release has them. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import {
  createWebhookRoute,
  getWebhookRoute,
  listWebhookDeliveriesRoute,
  listWebhooksRoute,
  pingWebhookRoute,
  putWebhookRoute,
  replayWebhookRoute,
  rotateWebhookSecretRoute,
} from '../../lambdas/api/webhook-routes.ts';
import { openQueue } from '../../lambdas/aws/queue.ts';
import { openSecret } from '../../lambdas/bank/secret.ts';
import type { routes } from '../../lambdas/contract.ts';
import type { PutEvents } from '../../lambdas/events/bus.ts';
import { serve } from '../../lambdas/http/http.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { openPoster } from '../../lambdas/webhooks/post.ts';
import { connections } from '../../lambdas/workers/webhook-turn.ts';
import { handleWebhooks, openTurns } from '../../lambdas/workers/webhooks.ts';
import type { TurnMessage } from '../../lambdas/workers/webhooks.ts';
import type { Handler } from '../request.ts';
import type { Clients } from './in-process-clients.ts';
import type { Direction } from './keys.ts';
import type { Receivers } from './receivers.ts';
import type { World } from './world.ts';

type WebhookRoute = Extract<(typeof routes)[number], { readonly function: 'webhook-routes' }>['name'];

export const webhookQueue = 'sqs:webhooks';

/** Handles messages, or the invocation of the schedule. */
export type WebhookWorker = (event: SQSEvent | { readonly source: string }) => Promise<SQSBatchResponse>;

/** The world around webhooks. */
export interface OutsideOfWebhooks {
  readonly world: World;
  readonly clients: Pick<Clients, 'sqs' | 'secrets'>;
  readonly receivers: Pick<Receivers, 'resolve' | 'openWire'>;
  readonly putEvents: PutEvents;
}

function keysOf({ world, clients }: OutsideOfWebhooks) {
  return openSecret({ client: clients.secrets, secretArn: 'webhooks' satisfies Direction, now: world.clock });
}

/** Starts a process of the worker. */
export function startWebhooks(outside: OutsideOfWebhooks, table: Table): WebhookWorker {
  const { world, clients, receivers, putEvents: put } = outside;
  const queue = openQueue<TurnMessage>(clients.sqs, webhookQueue);
  return handleWebhooks({
    table,
    queue,
    keys: keysOf(outside),
    publisher: { put, busName: 'bus', now: world.clock, random: world.random, sleep: world.sleep },
    openPoster: () => openPoster({ targets: 'public', connections, ...receivers }),
    askForTurns: openTurns(queue),
    fixed: [],
    targets: 'public',
  });
}

/** Returns the functions that start a process of each route. `open`: called by each of them. */
export function webhookHandlers(
  open: () => readonly [outside: OutsideOfWebhooks, table: Table],
): Record<WebhookRoute, () => Handler> {
  const services = () => {
    const [outside, table] = open();
    const queue = openQueue<TurnMessage>(outside.clients.sqs, webhookQueue);
    return { table, keys: keysOf(outside), targets: 'public' as const, queue };
  };
  return {
    'create-webhook': () => serve(createWebhookRoute, services()),
    'list-webhooks': () => serve(listWebhooksRoute, services()),
    'get-webhook': () => serve(getWebhookRoute, services()),
    'put-webhook': () => serve(putWebhookRoute, services()),
    'rotate-webhook-secret': () => serve(rotateWebhookSecretRoute, services()),
    'ping-webhook': () => serve(pingWebhookRoute, services()),
    'replay-webhook': () => serve(replayWebhookRoute, services()),
    'list-webhook-deliveries': () => serve(listWebhookDeliveriesRoute, services()),
  };
}
