/** The operations of webhooks: their commands, and the deliveries to receivers that take them or do not. */
import { alice, bob, byOperator, operation, operator } from './operation.ts';
import type { Circumstances, Operation, Part } from './operation.ts';
import type { CommandName } from './history.ts';
import type { Outage, WebhookAction } from './webhook-steps.ts';

const host = 'receiver-1.test';
const url = `https://${host}/`;
/** The command of the first step. */
const endpoint: CommandName = { principal: operator, key: 'key-0' };
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const add: Part = byOperator({ do: 'create-webhook', url, eventTypes: ['transfer.completed', 'webhook.disabled'] });
const at = (time: number, action: WebhookAction): Part => ({ ...byOperator(action), at: time });
/** A step of the days after everything else is at rest. */
const later = (time: number, action: WebhookAction): Part => ({ ...at(time, action), isLater: true });
const put = (status: 'active' | 'disabled' | 'deleted') => ({ do: 'put-webhook', endpoint, status }) as const;
const ping: WebhookAction = { do: 'ping-webhook', endpoint };
/** An event: a transfer. */
const pay = (time: number): Part => ({
  at: time,
  action: { do: 'transfer', wallet: alice, to: bob, amount: 1, queued: false },
});
const down = (how: Outage['how'], to: number, from = 0): Circumstances => ({
  webhooks: { outages: { [host]: [{ from, to, how }] } },
});
const up: Circumstances = { webhooks: { outages: {} } };

export const webhookOperations: readonly Operation[] = [
  operation(
    'add an endpoint, twice with one key',
    [add, add].map((part) => ({ ...part, key: 'key-0' })),
    up,
  ),
  operation(
    'add an endpoint, and two more by others',
    [
      add,
      byOperator({ do: 'create-webhook', url: 'https://10.0.0.7/', eventTypes: ['transfer.completed'] }),
      { principal: 'alice', action: { do: 'create-webhook', url, eventTypes: ['transfer.completed'] } },
    ],
    up,
  ),
  operation('deliver an event', [add, pay(8_000)], up),
  operation('deliver two events, one while the other is sent', [add, pay(8_000), pay(8_300)], up),
  operation('deliver an event to a receiver that fails at first', [add, pay(8_000)], down('fails', 3 * minuteMs)),
  ...(['hangs', 'refuses', 'redirects', 'gone', 'moves'] as const).map((how) =>
    operation(`deliver an event to a receiver that ${how === 'gone' ? 'is gone' : how} at first`, [add, pay(8_000)], {
      ...down(how, 40_000),
      strikes: ['receiver POST'],
    }),
  ),
  operation('ping an endpoint', [add, at(8_000, ping)], up),
  operation(
    'look at endpoints and their deliveries',
    [
      add,
      at(8_000, ping),
      // An event of a type that it does not get.
      { ...byOperator({ do: 'charge', wallet: alice, amount: 1 }), at: 8_500 },
      at(14_000, { do: 'list-webhooks' }),
      at(14_000, { do: 'get-webhook', endpoint }),
      at(14_000, { do: 'list-webhook-deliveries', endpoint }),
    ],
    up,
  ),
  operation(
    'disable an endpoint and let it go on',
    [add, at(8_000, put('disabled')), pay(9_000), at(20_000, put('active'))],
    up,
  ),
  operation('ping an endpoint that is disabled', [add, at(8_000, put('disabled')), at(9_000, ping)], up),
  operation(
    'delete an endpoint while it gets an event',
    [add, pay(8_000), at(8_250, put('deleted')), at(9_000, ping)],
    up,
  ),
  operation(
    'rotate the secret of an endpoint',
    [add, at(8_000, { do: 'rotate-webhook-secret', endpoint }), pay(9_000)],
    up,
  ),
  operation(
    'replay what was taken',
    [add, pay(8_000), at(30_000, { do: 'replay-webhook', endpoint, from: 0, parkedOnly: false })],
    up,
  ),
  operation(
    'park a delivery and replay it',
    [add, pay(8_000), later(1.2 * dayMs, { do: 'replay-webhook', endpoint, from: 0, parkedOnly: true })],
    { ...down('fails', 1.1 * dayMs), strikes: ['receiver POST'] },
  ),
  operation(
    'disable an endpoint after a week of failures',
    [add, pay(8_000), later(7.1 * dayMs, ping), later(7.2 * dayMs, put('active'))],
    { ...down('fails', 7.15 * dayMs), strikes: ['eventbridge PutEvents'] },
  ),
  // The first failure is more than a week before the ping, and the success is less.
  operation(
    'fail again a week after a failure, with a success in between',
    [add, pay(8_000), later(7 * dayMs - 220_000, ping)],
    {
      webhooks: {
        outages: {
          [host]: [
            { from: 0, to: 2 * minuteMs, how: 'fails' },
            { from: dayMs, to: 7 * dayMs + 3 * minuteMs, how: 'fails' },
          ],
        },
      },
      strikes: ['dynamodb UpdateItem'],
    },
  ),
];
