/** Mutations of webhooks: their deliveries, turns, replays, secrets, and the end of an endpoint. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const worker = 'lambdas/workers/webhooks.ts';
const turn = 'lambdas/workers/webhook-turn.ts';
const domain = 'lambdas/domain/webhook.ts';
const endpoints = 'lambdas/store/webhooks.ts';

export const webhookMutations: readonly Mutation[] = [
  mutation(
    'forget an event that arrives while an endpoint is disabled',
    domain,
    "return status !== 'deleted' && wanted",
    "return status === 'active' && wanted",
    'disable an endpoint and let it go on',
  ),
  mutation(
    'send an event to an endpoint that did not ask for its type',
    domain,
    'wanted.some((one) => one === type)',
    'wanted.length > 0 && type.length > 0',
    'look at endpoints and their deliveries',
  ),
  mutation(
    'record a delivery that failed as taken',
    domain,
    'outcome.status >= 200 && outcome.status < 300;',
    'outcome.status >= 200 && outcome.status < 400;',
    'deliver an event to a receiver that redirects at first',
  ),
  mutation(
    'park a delivery before its last attempt',
    domain,
    'const wait = waitsMs[before];',
    'const wait = waitsMs[before + 1];',
    'park a delivery and replay it',
  ),
  mutation(
    'disable an endpoint that has taken something within a week',
    domain,
    'if (delivered > 0) return undefined;',
    'if (delivered > 0 && before === undefined) return undefined;',
    'fail again a week after a failure, with a success in between',
  ),
  mutation(
    'disable an endpoint without an event',
    turn,
    'const [failure] = (await publishEvents(publisher, [event], table.now() + 3_000)).values();',
    'const [failure] = (await publishEvents(publisher, [event].slice(1), table.now() + 3_000)).values();',
    'disable an endpoint after a week of failures',
  ),
  mutation(
    'publish the end of an endpoint with another time after a crash',
    turn,
    'new Date(Date.parse(since) + failingMs).toISOString()',
    'new Date(table.now() + 0 * failingMs).toISOString()',
    'disable an endpoint after a week of failures',
  ),
  mutation(
    'connect to a name with a private address beside a public one',
    'lambdas/webhooks/target.ts',
    '!addresses.every(({ address }) => isPublic(address))',
    '!addresses.some(({ address }) => isPublic(address))',
    'deliver an event to a receiver that moves at first',
  ),
  mutation(
    'leave the former secret out of a signature',
    'lambdas/webhooks/signature.ts',
    'const isOverlap = previousUntil !== undefined && now',
    'const isOverlap = previousUntil === undefined && now',
    'rotate the secret of an endpoint',
  ),
  mutation(
    'let two turns of an endpoint run at the same time',
    endpoints,
    "'(attribute_not_exists(leaseUntil) OR leaseUntil <= :now OR leaseId = :turnId)',",
    "'(attribute_not_exists(leaseUntil) OR leaseUntil <= :now OR leaseUntil > :now OR leaseId = :turnId)',",
    'deliver two events, one while the other is sent',
  ),
  mutation(
    'never send what a lost message has left',
    worker,
    'await services.askForTurns(due.flat());',
    'await services.askForTurns(due.flat().slice(20));',
    'deliver an event to a receiver that fails at first',
  ),
  mutation(
    'count a deleted endpoint',
    endpoints,
    "...(change.status === 'deleted' ? [uncount(table)] : []),",
    "...(change.status === 'active' ? [uncount(table)] : []),",
    'delete an endpoint while it gets an event',
  ),
  mutation(
    'show the secret of an endpoint to each reader',
    'lambdas/api/webhook-routes.ts',
    'return committed(202, answer, !changed);',
    'return committed(202, { ...answer, secret: secretOf((await services.keys())[0], webhook) }, !changed);',
    'ping an endpoint',
  ),
];
