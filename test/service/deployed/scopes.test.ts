import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { nameOfRoute, routes } from '../../../lambdas/contract.ts';
import type { RouteName, scopes } from '../../../lambdas/contract.ts';
import { findService, until, untilEnded } from '../service.ts';
import type { Answer, Request, RequestOptions } from '../service.ts';

type OpenRoute = Extract<(typeof routes)[number], { readonly open: true }>;
type ProtectedRoute = Exclude<RouteName, OpenRoute['function'] | Extract<OpenRoute, { name: string }>['name']>;

/** The wallet of another owner, and a withdrawal of it that has ended. */
interface Target {
  readonly walletId: string;
  readonly ownerId: string;
  readonly transactionId: string;
  readonly receiptCode: string;
  readonly otherWalletId: string;
  readonly standingOrderId: string;
  /** A charge that waits for a second operator; undefined where no charge does. */
  readonly approvalId: string | undefined;
  /** The id of a batch; undefined where the service has none. */
  readonly batchId: string | undefined;
  /** The id of a statement that is made as a file; undefined where the service makes none. */
  readonly statementId: string | undefined;
  /** Whether the service has webhooks. */
  readonly hasWebhooks: boolean;
}

type Any = 'charge' | 'support' | 'decide' | 'operate';

/**
 * The decision for each route: the scope for the caller's own wallets, the scope for every wallet (of several each), and
 * a request for another owner's wallet. `needs`: the scope of the command that the request is about. A route that is
 * missing here does not compile.
 */
const decisions: Record<
  ProtectedRoute,
  {
    readonly own?: 'read' | 'write';
    readonly any: Any | readonly Any[];
    readonly needs?: Any;
    /** Whether the request is about something that does not exist, so that a 404 means that it was looked for. */
    readonly onNothing?: true;
    readonly request: (target: Target) => [path: string, options?: RequestOptions];
  }
> = {
  'create-wallet': {
    own: 'write',
    any: 'charge',
    request: ({ ownerId }) => ['/wallets', { body: { currency: 'USD', ownerId } }],
  },
  'list-wallets': { own: 'read', any: 'support', request: ({ ownerId }) => [`/wallets?ownerId=${ownerId}`] },
  'get-wallet': { own: 'read', any: 'support', request: ({ walletId }) => [`/wallets/${walletId}`] },
  'change-wallet': {
    own: 'write',
    any: 'support',
    request: ({ walletId }) => [`/wallets/${walletId}`, { method: 'PATCH', body: { name: 'Savings' } }],
  },
  'get-balance': { own: 'read', any: 'support', request: ({ walletId }) => [`/wallets/${walletId}/balance`] },
  charge: { any: 'charge', request: ({ walletId }) => [`/wallets/${walletId}/charge`, { body: { amount: 1000 } }] },
  withdraw: {
    own: 'write',
    any: 'operate',
    request: ({ walletId }) => [
      `/wallets/${walletId}/withdraw`,
      { body: { amount: 1, destination: { account: 'SIM-OK' } } },
    ],
  },
  transfer: {
    own: 'write',
    any: 'operate',
    request: ({ walletId, otherWalletId }) => [
      `/wallets/${walletId}/transfer`,
      { body: { amount: 1, toWalletId: otherWalletId } },
    ],
  },
  'list-transactions': {
    own: 'read',
    any: 'support',
    request: ({ walletId }) => [`/wallets/${walletId}/transactions`],
  },
  'find-transactions': { own: 'read', any: 'support', request: ({ ownerId }) => [`/transactions?ownerId=${ownerId}`] },
  'get-transaction': {
    own: 'read',
    any: 'support',
    request: ({ transactionId }) => [`/transactions/${transactionId}`],
  },
  'get-receipt': { own: 'read', any: 'support', request: ({ receiptCode }) => [`/receipts/${receiptCode}`] },
  'list-entries': { own: 'read', any: 'support', request: ({ walletId }) => [`/wallets/${walletId}/entries`] },
  'get-totals': {
    own: 'read',
    any: 'support',
    request: ({ ownerId }) => [`/totals?month=2026-01&ownerId=${ownerId}`],
  },
  'get-statement': {
    own: 'read',
    any: 'support',
    request: ({ walletId }) => [`/wallets/${walletId}/statement?from=2026-01-01T00:00:00Z`],
  },
  freeze: { any: 'support', request: ({ otherWalletId }) => [`/wallets/${otherWalletId}/freeze`, { body: {} }] },
  unfreeze: { any: 'decide', request: ({ walletId }) => [`/wallets/${walletId}/unfreeze`, { body: {} }] },
  close: { any: 'support', request: ({ walletId }) => [`/wallets/${walletId}/close`, { body: {} }] },
  'set-limits': {
    any: 'decide',
    request: ({ otherWalletId }) => [
      `/wallets/${otherWalletId}/limits`,
      { method: 'PUT', body: { reason: 'as the law wants it', limits: { maximumBalance: 1_000_000 } } },
    ],
  },
  resolve: {
    any: 'decide',
    request: ({ transactionId }) => [
      `/transactions/${transactionId}/resolve`,
      { body: { outcome: 'failed', evidence: 'the bank said so' } },
    ],
  },
  cancel: {
    own: 'write',
    any: 'support',
    request: ({ transactionId }) => [`/transactions/${transactionId}/cancel`, { body: {} }],
  },
  'open-hold': {
    own: 'write',
    any: 'operate',
    request: ({ walletId, otherWalletId }) => [
      `/wallets/${walletId}/holds`,
      { body: { amount: 1, toWalletId: otherWalletId, expiresAt: new Date(Date.now() + 3_600_000).toISOString() } },
    ],
  },
  capture: {
    own: 'write',
    any: 'operate',
    request: ({ transactionId }) => [`/holds/${transactionId}/capture`, { body: {} }],
  },
  release: {
    own: 'write',
    any: 'support',
    request: ({ transactionId }) => [`/holds/${transactionId}/release`, { body: {} }],
  },
  refund: {
    own: 'write',
    any: 'operate',
    request: ({ transactionId }) => [`/transactions/${transactionId}/refund`, { body: { reason: 'a mistake' } }],
  },
  split: {
    own: 'write',
    any: 'operate',
    request: ({ walletId, otherWalletId }) => [
      '/transfers',
      { body: { legs: [{ fromWalletId: walletId, toWalletId: otherWalletId, amount: 1 }] } },
    ],
  },
  'open-standing-order': {
    own: 'write',
    any: 'operate',
    request: ({ walletId, otherWalletId }) => [
      `/wallets/${walletId}/standing-orders`,
      { body: { amount: 1, toWalletId: otherWalletId, every: 'month', firstAt: inTwoHours() } },
    ],
  },
  'list-standing-orders': {
    own: 'read',
    any: 'support',
    request: ({ walletId }) => [`/wallets/${walletId}/standing-orders`],
  },
  'get-standing-order': {
    own: 'read',
    any: 'support',
    request: ({ standingOrderId }) => [`/standing-orders/${standingOrderId}`],
  },
  'cancel-standing-order': {
    own: 'write',
    any: 'support',
    request: ({ standingOrderId }) => [`/standing-orders/${standingOrderId}/cancel`, { body: {} }],
  },
  'get-notification-preferences': {
    own: 'read',
    any: 'support',
    request: ({ ownerId }) => [`/notification-preferences?ownerId=${ownerId}`],
  },
  'put-notification-preferences': {
    own: 'write',
    any: 'support',
    request: ({ ownerId }) => [
      '/notification-preferences',
      { method: 'PUT', body: { ownerId, channels: { email: true, sms: false, push: false } } },
    ],
  },
  integrity: { any: 'support', request: () => ['/integrity'] },
  approve: {
    any: ['charge', 'decide'],
    needs: 'charge',
    request: ({ approvalId }) => [`/approvals/${String(approvalId)}/approve`, { body: {} }],
  },
  reject: {
    any: ['charge', 'decide'],
    needs: 'charge',
    request: ({ approvalId }) => [`/approvals/${String(approvalId)}/reject`, { body: { reason: 'a test' } }],
  },
  'get-approval': {
    any: ['charge', 'support', 'decide'],
    request: ({ approvalId }) => [`/approvals/${String(approvalId)}`],
  },
  'list-approvals': { any: ['support', 'decide'], request: () => ['/approvals'] },
  'create-batch': {
    any: 'operate',
    request: (target) => ['/batches', { raw: lineOf(target), headers: { 'Content-Type': 'application/x-ndjson' } }],
  },
  'get-batch': { any: 'support', request: ({ batchId }) => [`/batches/${String(batchId)}`] },
  'list-batch-items': { any: 'support', request: ({ batchId }) => [`/batches/${String(batchId)}/items`] },
  'create-statement-file': {
    own: 'read',
    any: 'support',
    request: ({ walletId }) => [`/wallets/${walletId}/statements`, { body: statementBody }],
  },
  'get-statement-file': {
    own: 'read',
    any: 'support',
    request: ({ statementId }) => [`/statements/${String(statementId)}`],
  },
  // The URL is refused, so that no endpoint is left behind. There is no endpoint with that id.
  'create-webhook': { any: 'operate', request: () => ['/webhooks', { body: { url: 'ftp://a', eventTypes: [] } }] },
  'list-webhooks': { any: 'support', request: () => ['/webhooks'] },
  'get-webhook': { any: 'support', onNothing: true, request: () => [noWebhook] },
  'put-webhook': {
    any: 'operate',
    onNothing: true,
    request: () => [noWebhook, { method: 'PUT', body: { status: 'disabled' } }],
  },
  'rotate-webhook-secret': { any: 'operate', onNothing: true, request: () => [`${noWebhook}/rotate`, { body: {} }] },
  'ping-webhook': { any: 'operate', onNothing: true, request: () => [`${noWebhook}/ping`, { body: {} }] },
  'replay-webhook': {
    any: 'operate',
    onNothing: true,
    request: () => [`${noWebhook}/replay`, { body: { from: '2026-01-01T00:00:00Z' } }],
  },
  'list-webhook-deliveries': { any: 'support', onNothing: true, request: () => [`${noWebhook}/deliveries`] },
};

/** Returns a file with one line. */
function lineOf({ walletId, otherWalletId }: Pick<Target, 'walletId' | 'otherWalletId'>): string {
  return JSON.stringify({ key: 'line-1', type: 'transfer', walletId, toWalletId: otherWalletId, amount: 1 });
}

const statementBody = { from: '2026-01-01T00:00:00Z', format: 'csv' };
/** Routes that a service lacks where it makes no statements as files. */
const ofStatementFiles: readonly string[] = ['create-statement-file', 'get-statement-file'];

const noWebhook = `/webhooks/wh_${'a'.repeat(26)}`;

/** Routes that a service lacks where batches are switched off. */
const ofBatches: readonly string[] = ['create-batch', 'get-batch', 'list-batch-items'];
const inTwoHours = () => new Date(Date.now() + 7_200_000).toISOString();

/** Routes that a service lacks where webhooks are switched off. */
const ofWebhooks: readonly string[] = routes.flatMap((route) =>
  route.function === 'webhook-routes' ? [nameOfRoute(route)] : [],
);

/** Routes that a service lacks where no command needs a second operator. */
const ofApprovals: readonly string[] = ['approve', 'reject', 'get-approval', 'list-approvals'];

/** The reach of a request: forbidden, only the caller's own wallets, or every wallet. */
type Reach = 'none' | 'own' | 'any';

function reachOf({ status, body }: Answer, onNothing = false): Reach {
  const detail = typeof body['detail'] === 'string' ? body['detail'] : '';
  if (status === 403 && detail.startsWith('the token lacks the scope')) return 'none';
  if (onNothing && status === 404) return 'any';
  return status === 404 || (status === 403 && detail.startsWith('only an operator')) ? 'own' : 'any';
}

const single = ['read', 'write', 'charge', 'support', 'decide'] as const;
/** Each scope, each two of them, and all together. The pool issues no token without a scope. None has `operate`. */
const combinations: (typeof scopes)[number][][] = [
  ...single.map((one) => [one]),
  ...single.flatMap((one, index) => single.slice(index + 1).map((other) => [one, other])),
  [...single],
];

const service = await findService();

describe('scopes', () => {
  let target: Target;

  beforeAll(async () => {
    const { ask, walletId, ownerId } = await service.newUser(1_000_000);
    const { walletId: otherWalletId } = await service.newUser(1);
    const accepted = await ask(`/wallets/${walletId}/withdraw`, {
      body: { amount: 5, destination: { account: 'SIM-OK' } },
    });
    const { body } = await untilEnded(ask, String(accepted.body['transactionId']));
    const [transactionId, receiptCode] = [String(body['transactionId']), String(body['receiptCode'])];
    const francs = await service.operator('/wallets', { body: { currency: 'CHF', ownerId } });
    const charged = await service.operator(`/wallets/${String(francs.body['walletId'])}/charge`, {
      body: { amount: 1_000_001 },
    });
    const approvalId = charged.status === 202 ? String(charged.body['approvalId']) : undefined;
    const sent = await service.operator('/batches', {
      raw: lineOf({ walletId, otherWalletId }),
      headers: { 'Content-Type': 'application/x-ndjson' },
    });
    const batchId = sent.status === 202 ? String(sent.body['batchId']) : undefined;
    const ordered = await ask(`/wallets/${walletId}/standing-orders`, {
      body: { amount: 1, toWalletId: otherWalletId, every: 'week', firstAt: inTwoHours() },
    });
    const standingOrderId = String(ordered.body['standingOrderId']);
    const hasWebhooks = (await service.operator('/webhooks', { method: 'GET' })).status === 200;
    // The ledger follows within a second or so.
    const statement = await until(
      () => service.operator(`/wallets/${walletId}/statements`, { body: statementBody }),
      ({ status }) => status !== 503,
    );
    const statementId = statement.status === 202 ? String(statement.body['statementId']) : undefined;
    const ids = { standingOrderId, approvalId, batchId, statementId, hasWebhooks };
    target = { walletId, ownerId, transactionId, receiptCode, otherWalletId, ...ids };
  });

  it('are decided for each route of the contract', () => {
    for (const route of routes) {
      if ('open' in route) continue;
      const { own, any } = decisions[nameOfRoute(route) as ProtectedRoute];
      assert.deepEqual(['own' in route ? route.own : undefined, route.any], [own, any], route.function);
    }
  });

  it('admit a caller to every wallet, its own wallets or none, in every combination of two and of all, on every route', async () => {
    const wrong: string[] = [];
    for (const scopes of combinations) {
      const caller = await callerWith(scopes);
      await Promise.all(
        present().map(async ([name, { own, any, needs = any, onNothing, request }]) => {
          const reach = reachOf(await caller(...request(target)), onNothing);
          const opens = [needs].flat().some((scope) => scopes.includes(scope));
          const expected: Reach = opens ? 'any' : own && scopes.includes(own) ? 'own' : 'none';
          if (reach !== expected) wrong.push(`${name} with [${scopes.join(' ')}]: ${reach}, not ${expected}`);
        }),
      );
    }
    assert.deepEqual(wrong, []);
  });

  it('open every wallet on every route with operate alone, also for money out', async () => {
    const operator = await service.as('the-sum', 'wallet:operate');
    for (const [name, { onNothing, request }] of present()) {
      assert.equal(reachOf(await operator(...request(target)), onNothing), 'any', name);
    }
  });

  it('show the details of health with support, and with no lesser scope', async () => {
    for (const scopes of combinations) {
      const ask = await callerWith(scopes);
      // The open route has one throttle for all callers together.
      const { body } = await until(
        () => ask('/health'),
        ({ status }) => status !== 429,
      );
      assert.equal('queues' in body, scopes.includes('support'), scopes.join(' '));
    }
  });

  /** Returns the decisions about the routes that the service has. */
  function present() {
    return Object.entries(decisions).filter(
      ([name]) =>
        (target.approvalId !== undefined || !ofApprovals.includes(name)) &&
        (target.batchId !== undefined || !ofBatches.includes(name)) &&
        (target.statementId !== undefined || !ofStatementFiles.includes(name)) &&
        (target.hasWebhooks || !ofWebhooks.includes(name)),
    );
  }

  /** Returns a caller with exactly these scopes. */
  async function callerWith(scopes: readonly string[]): Promise<Request> {
    return service.as(`caller-${scopes.join('-')}`, scopes.map((one) => `wallet:${one}`).join(' '));
  }
});
