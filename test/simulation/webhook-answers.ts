/** Checks of answers about endpoints: each refusal must have a reason, and each success must show the true state. */
import type { Response } from '../request.ts';
import { codeOf, contentOf } from './asks.ts';
import type { Ask, Witness } from './asks.ts';
import type { Item } from './items.ts';
import { isOfWebhooks, webhookIdOfName } from './webhook-steps.ts';
import type { WebhookAction } from './webhook-steps.ts';
import type { Endpoint, Look } from './webhook-ledger.ts';
import type { Webhooks } from './webhooks.ts';

type Answered = Ask & { readonly response: Response };

/** Checks an answer at the time when it is given. */
export function checkWebhookAnswer(ask: Answered, witness: Witness): void {
  const { violate, webhooks } = witness;
  const { step, route, response } = ask;
  const { action } = step;
  if (webhooks === undefined || !isOfWebhooks(action)) return;
  const code = codeOf(response);
  const said = `${ask.label}: ${route} answered ${response.status} ${code ?? ''}`;
  if (response.status >= 300) {
    if (!isJust(code, { ask, action, webhooks, witness })) violate('refusals have a reason', said);
    return;
  }
  if (!step.operator) violate('only operators reach webhooks', said);
  const { body = {} } = response;
  const secret = body['secret'];
  const mayShow = action.do === 'create-webhook' || action.do === 'rotate-webhook-secret';
  if (response.text.includes('whsec_') && !(mayShow && typeof secret === 'string')) {
    violate('a secret is shown once', said);
  }
  if (typeof secret === 'string') {
    const rotatedAt = action.do === 'create-webhook' ? undefined : ask.startedAt;
    webhooks.receivers.learn(String(body['webhookId']), secret, rotatedAt);
  }
  const wrong = wrongIn(body, action, ask, webhooks);
  if (wrong !== undefined) violate('answers are true', `${said}, but ${wrong}`);
}

/** Returns the states that an item had during a request. */
function during<T>(looks: readonly Look<T>[], { startedAt }: Ask): T[] {
  const first = looks.findLast(({ since }) => since <= startedAt);
  return [...(first === undefined ? [] : [first]), ...looks.filter(({ since }) => since > startedAt)].map(
    ({ item }) => item,
  );
}

/** Returns the id of the endpoint that a step is about. */
function idOf(action: WebhookAction, { step }: Ask): string {
  return webhookIdOfName('endpoint' in action ? action.endpoint : step);
}

/** Returns the fault of a successful answer, if any. */
function wrongIn(body: Item, action: WebhookAction, ask: Ask, { ledger }: Webhooks): string | undefined {
  const isShown = (shown: Item) =>
    during(ledger.looksOf(String(shown['webhookId'])), ask).some(
      (look) => look.status === shown['status'] && String(look.eventTypes) === String(shown['eventTypes']),
    );
  if (action.do === 'list-webhooks') {
    const items = body['items'] as Item[];
    if (items.some((item) => item['status'] === 'deleted' || !isShown(item))) return 'an endpoint was never like that';
    const listed = new Set(items.map((item) => item['webhookId']));
    const isMissed = ({ webhookId }: Endpoint) =>
      !listed.has(webhookId) &&
      (ledger.looksOf(webhookId)[0]?.since ?? 0) <= ask.startedAt &&
      during(ledger.looksOf(webhookId), ask).every(({ status }) => status !== 'deleted');
    return ledger.endpoints().some(isMissed) ? 'an endpoint is missing' : undefined;
  }
  if (action.do === 'list-webhook-deliveries') {
    const webhookId = idOf(action, ask);
    const isTrue = ({ eventId, status, attempts }: Item) =>
      during(ledger.looksOfDelivery(webhookId, String(eventId)), ask).some(
        (look) => look.status === status && look.attempts === attempts,
      );
    return (body['items'] as Item[]).every(isTrue) ? undefined : 'a delivery was never like that';
  }
  if (body['webhookId'] !== idOf(action, ask)) return 'it is another endpoint';
  if (!isShown(body)) return 'the endpoint was never like that';
  if (action.do === 'put-webhook' && body['status'] !== action.status) return 'it has another status';
  if (action.do === 'ping-webhook') {
    const stored = ledger.looksOfDelivery(idOf(action, ask), String(body['eventId']));
    return stored.length > 0 ? undefined : 'there is no delivery of the ping';
  }
  return undefined;
}

/** Returns whether the state of that time justifies a refusal. */
function isJust(
  code: string | undefined,
  about: {
    readonly ask: Ask;
    readonly action: WebhookAction;
    readonly webhooks: Webhooks;
    readonly witness: Witness;
  },
): boolean {
  const { ask, action, webhooks, witness } = about;
  const { step, task } = ask;
  const looksOf = webhooks.ledger.looksOf(idOf(action, ask));
  const looks = during(looksOf, ask);
  switch (code) {
    case 'forbidden':
      return !step.operator;
    case 'webhook_not_found':
      return (looksOf[0]?.since ?? Infinity) > ask.startedAt || looks.some(({ status }) => status === 'deleted');
    case 'webhook_disabled':
      return looks.some(({ status }) => status !== 'active');
    case 'webhook_replay_running':
      return looks.some(({ replay }) => replay !== undefined && replay.endedAt === undefined);
    case 'invalid_request':
      return action.do === 'create-webhook'
        ? !action.url.startsWith('https://receiver')
        : action.do === 'replay-webhook';
    case 'idempotency_key_reused':
      return witness.asks.some(
        (other) =>
          other.step.key === step.key && other.step.principal === step.principal && contentOf(other) !== contentOf(ask),
      );
    case 'busy':
      return (task?.faults.length ?? 0) > 0 || looks.length > 1;
    // The secret cannot be read.
    case 'internal_error':
      return (task?.faults.length ?? 0) > 0 || witness.keys.hasFailed();
    default:
      return false;
  }
}
