import type { APIGatewayProxyEvent } from 'aws-lambda';
import { operatorScopes } from '../contract.ts';
import type { RouteAccess } from '../contract.ts';
import type { Actor } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { issuerMarkOf } from '../domain/ids.ts';
import { reaches } from '../domain/wallet.ts';
import type { Reach, Wallet } from '../domain/wallet.ts';
import { headersOf } from './request.ts';

/**
 * The caller as the authorizer passes it to the handlers: the token's `sub`, its scopes with spaces between them, and
 * its issuer. The gateway keeps answers of the authorizer, so an answer of an earlier release may lack the issuer.
 */
export interface AuthorizerContext {
  readonly principal: string;
  readonly scopes: string;
  readonly issuer?: string;
}

/**
 * The caller of a route. An operator reaches every wallet there, so its `ownerId` is undefined; an owner reaches its
 * own. The same token may make an operator on one route and an owner on another.
 */
export interface Caller extends Reach, Actor {
  readonly kind: 'owner' | 'operator';
  /** Whether the token has any scope of operators, for any route: their limits hold for it on every wallet. */
  readonly hasOperatorScope: boolean;
  /** Whether the token may read every wallet. */
  readonly readsAll: boolean;
}

/**
 * Returns the caller of a request that the authorizer let through.
 *
 * @throws WalletError `forbidden` when the token lacks the route's scopes, `unauthorized` when no caller is named
 */
export function callerOf(event: APIGatewayProxyEvent, { own, any }: RouteAccess): Caller {
  const context = event.requestContext.authorizer as Partial<AuthorizerContext> | null | undefined;
  if (!context?.principal || context.scopes === undefined) throw new WalletError('unauthorized');
  // The gateway may have checked only one of them, and kept its answer.
  if (headersOf(event, 'Authorization').length > 1) throw new WalletError('unauthorized');
  const { principal } = context;
  const issuer = context.issuer === undefined ? undefined : issuerMarkOf(context.issuer);
  const granted = scopesIn(context.scopes);
  const hasOperatorScope = operatorScopes.some((scope) => granted.has(scope));
  const common = { principal, issuer, hasOperatorScope, readsAll: granted.has('support') };
  const alternatives = [any].flat();
  if (alternatives.some((scope) => granted.has(scope))) return { ...common, kind: 'operator', ownerId: undefined };
  if (own !== undefined && granted.has(own)) return { ...common, kind: 'owner', ownerId: principal };
  throw new WalletError('forbidden', {
    detail: `the token lacks the scope wallet:${own ?? alternatives.join(' or wallet:')}`,
  });
}

/** Returns the scopes in the authorizer's text. Only here does `operate` become the scopes that it includes. */
export function scopesIn(text: string): ReadonlySet<string> {
  const granted = text.split(' ');
  return new Set(granted.includes('operate') ? [...granted, ...operatorScopes] : granted);
}

/**
 * Returns the wallet, if the caller may see it.
 *
 * @throws WalletError `wallet_not_found`, also for a wallet of another owner
 */
export function reachable(caller: Caller, wallet: Wallet | undefined): Wallet {
  if (wallet === undefined || !reaches(caller, wallet)) throw new WalletError('wallet_not_found');
  return wallet;
}

/**
 * Returns the owner of a request: the caller, unless an operator names another one.
 *
 * @throws WalletError `forbidden`
 */
export function ownerNamedBy(caller: Caller, ownerId: string | undefined): string {
  if (ownerId !== undefined && caller.ownerId !== undefined && ownerId !== caller.ownerId) {
    throw new WalletError('forbidden', { detail: 'only an operator may name another owner' });
  }
  return ownerId ?? caller.principal;
}
