/** The routes of the HTTP API, and the scopes that open them. lib/ gets them from contract.ts. */
import type { FunctionName } from './environments.ts';

/** A scope that lets owners use their own wallets. */
export type OwnerScope = 'read' | 'write';

/**
 * A scope that lets operators act on every wallet.
 *
 * - `charge`: books money in, and opens wallets for owners. For a backend.
 * - `support`: reads everything, freezes and closes wallets, cancels withdrawals, releases holds, and changes
 *   notification preferences. For people.
 * - `decide`: ends withdrawals in review, unfreezes wallets, and sets their limits. For few people.
 * - `operate`: includes the other three. Also allows withdrawals, transfers, splits, holds, captures, refunds and batches
 *   from the wallets of others, and webhooks, which no other scope allows.
 */
export type OperatorScope = 'charge' | 'support' | 'decide' | 'operate';

/**
 * The scopes that open a route: `own` for the caller's own wallets (absent: not open for owners), `any` for all. Of
 * several, each opens it.
 */
export interface RouteAccess {
  readonly own?: OwnerScope;
  readonly any: OperatorScope | readonly OperatorScope[];
}

/** A route of the HTTP API. `open` routes take no token at the gateway; the bank signs its requests instead. */
export type Route = {
  readonly method: 'GET' | 'HEAD' | 'PATCH' | 'POST' | 'PUT';
  readonly path: string;
  readonly function: FunctionName;
  /** The name of the route, where its function serves others, too. Absent: the function's. */
  readonly name?: string;
} & (RouteAccess | { readonly open: true });

/** The table of routes: gateway, README and tests read it from here. */
export const routes = [
  { method: 'POST', path: '/wallets', function: 'create-wallet', own: 'write', any: 'charge' },
  { method: 'GET', path: '/wallets', function: 'list-wallets', own: 'read', any: 'support' },
  { method: 'GET', path: '/wallets/{walletId}', function: 'get-wallet', own: 'read', any: 'support' },
  { method: 'PATCH', path: '/wallets/{walletId}', function: 'change-wallet', own: 'write', any: 'support' },
  { method: 'GET', path: '/wallets/{walletId}/balance', function: 'get-balance', own: 'read', any: 'support' },
  { method: 'POST', path: '/wallets/{walletId}/charge', function: 'charge', any: 'charge' },
  { method: 'POST', path: '/wallets/{walletId}/withdraw', function: 'withdraw', own: 'write', any: 'operate' },
  { method: 'POST', path: '/wallets/{walletId}/transfer', function: 'transfer', own: 'write', any: 'operate' },
  {
    method: 'GET',
    path: '/wallets/{walletId}/transactions',
    function: 'list-transactions',
    own: 'read',
    any: 'support',
  },
  {
    method: 'GET',
    path: '/transactions',
    function: 'list-transactions',
    name: 'find-transactions',
    own: 'read',
    any: 'support',
  },
  { method: 'GET', path: '/transactions/{transactionId}', function: 'get-transaction', own: 'read', any: 'support' },
  {
    method: 'GET',
    path: '/receipts/{receiptCode}',
    function: 'get-transaction',
    name: 'get-receipt',
    own: 'read',
    any: 'support',
  },
  { method: 'GET', path: '/wallets/{walletId}/entries', function: 'list-entries', own: 'read', any: 'support' },
  {
    method: 'GET',
    path: '/wallets/{walletId}/statement',
    function: 'statements',
    name: 'get-statement',
    own: 'read',
    any: 'support',
  },
  // It moves nothing, so the scope of reads is enough.
  {
    method: 'POST',
    path: '/wallets/{walletId}/statements',
    function: 'statement-files',
    name: 'create-statement-file',
    own: 'read',
    any: 'support',
  },
  {
    method: 'GET',
    path: '/statements/{statementId}',
    function: 'statement-files',
    name: 'get-statement-file',
    own: 'read',
    any: 'support',
  },
  { method: 'GET', path: '/totals', function: 'statements', name: 'get-totals', own: 'read', any: 'support' },
  { method: 'POST', path: '/wallets/{walletId}/freeze', function: 'freeze', any: 'support' },
  { method: 'POST', path: '/wallets/{walletId}/unfreeze', function: 'unfreeze', any: 'decide' },
  { method: 'POST', path: '/wallets/{walletId}/close', function: 'close', any: 'support' },
  { method: 'PUT', path: '/wallets/{walletId}/limits', function: 'set-limits', any: 'decide' },
  { method: 'POST', path: '/transactions/{transactionId}/resolve', function: 'resolve', any: 'decide' },
  { method: 'POST', path: '/transactions/{transactionId}/cancel', function: 'cancel', own: 'write', any: 'support' },
  { method: 'POST', path: '/wallets/{walletId}/holds', function: 'open-hold', own: 'write', any: 'operate' },
  { method: 'POST', path: '/holds/{transactionId}/capture', function: 'capture', own: 'write', any: 'operate' },
  { method: 'POST', path: '/holds/{transactionId}/release', function: 'release', own: 'write', any: 'support' },
  { method: 'POST', path: '/transactions/{transactionId}/refund', function: 'refund', own: 'write', any: 'operate' },
  { method: 'POST', path: '/transfers', function: 'split', own: 'write', any: 'operate' },
  {
    method: 'POST',
    path: '/wallets/{walletId}/standing-orders',
    function: 'standing-orders',
    name: 'open-standing-order',
    own: 'write',
    any: 'operate',
  },
  {
    method: 'GET',
    path: '/wallets/{walletId}/standing-orders',
    function: 'standing-orders',
    name: 'list-standing-orders',
    own: 'read',
    any: 'support',
  },
  {
    method: 'GET',
    path: '/standing-orders/{standingOrderId}',
    function: 'standing-orders',
    name: 'get-standing-order',
    own: 'read',
    any: 'support',
  },
  {
    method: 'POST',
    path: '/standing-orders/{standingOrderId}/cancel',
    function: 'standing-orders',
    name: 'cancel-standing-order',
    own: 'write',
    any: 'support',
  },
  // The function also asks for the scope of the approved command itself.
  { method: 'POST', path: '/approvals/{approvalId}/approve', function: 'approve', any: ['charge', 'decide'] },
  { method: 'POST', path: '/approvals/{approvalId}/reject', function: 'reject', any: ['charge', 'decide'] },
  { method: 'GET', path: '/approvals/{approvalId}', function: 'get-approval', any: ['charge', 'support', 'decide'] },
  {
    method: 'GET',
    path: '/approvals',
    function: 'get-approval',
    name: 'list-approvals',
    any: ['support', 'decide'],
  },
  { method: 'POST', path: '/batches', function: 'create-batch', any: 'operate' },
  { method: 'GET', path: '/batches/{batchId}', function: 'get-batch', any: 'support' },
  {
    method: 'GET',
    path: '/batches/{batchId}/items',
    function: 'get-batch',
    name: 'list-batch-items',
    any: 'support',
  },
  {
    method: 'GET',
    path: '/notification-preferences',
    function: 'notification-preferences',
    name: 'get-notification-preferences',
    own: 'read',
    any: 'support',
  },
  {
    method: 'PUT',
    path: '/notification-preferences',
    function: 'notification-preferences',
    name: 'put-notification-preferences',
    own: 'write',
    any: 'support',
  },
  // An endpoint gets the events of all wallets, so only the widest scope adds one.
  { method: 'POST', path: '/webhooks', function: 'webhook-routes', name: 'create-webhook', any: 'operate' },
  { method: 'GET', path: '/webhooks', function: 'webhook-routes', name: 'list-webhooks', any: 'support' },
  { method: 'GET', path: '/webhooks/{webhookId}', function: 'webhook-routes', name: 'get-webhook', any: 'support' },
  { method: 'PUT', path: '/webhooks/{webhookId}', function: 'webhook-routes', name: 'put-webhook', any: 'operate' },
  {
    method: 'POST',
    path: '/webhooks/{webhookId}/rotate',
    function: 'webhook-routes',
    name: 'rotate-webhook-secret',
    any: 'operate',
  },
  {
    method: 'POST',
    path: '/webhooks/{webhookId}/ping',
    function: 'webhook-routes',
    name: 'ping-webhook',
    any: 'operate',
  },
  {
    method: 'POST',
    path: '/webhooks/{webhookId}/replay',
    function: 'webhook-routes',
    name: 'replay-webhook',
    any: 'operate',
  },
  {
    method: 'GET',
    path: '/webhooks/{webhookId}/deliveries',
    function: 'webhook-routes',
    name: 'list-webhook-deliveries',
    any: 'support',
  },
  { method: 'GET', path: '/integrity', function: 'integrity', any: 'support' },
  { method: 'POST', path: '/bank/notifications', function: 'bank-notifications', open: true },
  { method: 'GET', path: '/health', function: 'health', open: true },
  { method: 'HEAD', path: '/health', function: 'health', open: true },
  { method: 'GET', path: '/openapi.json', function: 'reference', name: 'get-description', open: true },
  { method: 'GET', path: '/docs', function: 'reference', name: 'get-reference', open: true },
] as const satisfies readonly Route[];

/** The name of a route: its function's, unless that serves several. */
export type RouteName = (typeof routes)[number] extends infer One
  ? One extends { readonly name: infer Name }
    ? Name
    : One extends { readonly function: infer Name }
      ? Name
      : never
  : never;

/** Returns the name of a route. */
export function nameOfRoute(route: (typeof routes)[number]): RouteName {
  return 'name' in route ? route.name : route.function;
}

/** Scopes of a caller's token; Cognito writes them as `<resource server>/<scope>`, other issuers as `wallet:<scope>`. */
export const resourceServer = 'wallet';
export const scopes = ['read', 'write', 'charge', 'support', 'decide', 'operate'] as const;

/** Groups of the service's own user pool, by exact name, and the scope that each gives its members. */
export const operatorGroups = { 'wallet-support': 'support', 'wallet-decide': 'decide' } as const satisfies Record<
  string,
  OperatorScope
>;

/** The scopes of owners: the only ones that a person may ask the service's own user pool for. */
export const ownerScopes = ['read', 'write'] as const satisfies readonly OwnerScope[];

/** The scopes that the stack's client for a backend may ask the service's own user pool for. */
export const backendScopes = ['charge', 'read'] as const satisfies readonly (OwnerScope | OperatorScope)[];

/** The scopes that `operate` includes. The three together are less than `operate`. */
export const operatorScopes = ['charge', 'support', 'decide'] as const satisfies readonly OperatorScope[];
