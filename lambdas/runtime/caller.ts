import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { scopes as allScopes } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { reaches } from '../domain/wallet.ts';
import type { Reach, Wallet } from '../domain/wallet.ts';
import { headersOf } from './request.ts';

export type Scope = (typeof allScopes)[number];

/** What the authorizer hands to the handlers: who calls (the token's `sub`) and what it may, separated by spaces. */
export interface AuthorizerContext {
  readonly principal: string;
  readonly scopes: string;
}

/** Who calls. An operator reaches every wallet, so its `ownerId` is undefined. */
export interface Caller extends Reach {
  readonly principal: string;
}

/**
 * The caller of a request that the authorizer let through. `operate` includes the other scopes.
 *
 * @throws WalletError `forbidden` when the token lacks the route's scope, `unauthorized` when nobody authorized it
 */
export function callerOf(event: APIGatewayProxyEvent, needed: Scope): Caller {
  const context = event.requestContext.authorizer as Partial<AuthorizerContext> | null | undefined;
  if (!context?.principal || context.scopes === undefined) throw new WalletError('unauthorized');
  // The gateway may have looked at one of them only, and kept its answer.
  if (headersOf(event, 'Authorization').length > 1) throw new WalletError('unauthorized');
  const granted = context.scopes.split(' ');
  const operator = granted.includes('operate');
  if (!operator && !granted.includes(needed)) {
    throw new WalletError('forbidden', { detail: `the token lacks the scope wallet:${needed}` });
  }
  return { principal: context.principal, ownerId: operator ? undefined : context.principal };
}

/**
 * The wallet, if the caller may see it.
 *
 * @throws WalletError `wallet_not_found`, also for what is somebody else's
 */
export function reachable(caller: Caller, wallet: Wallet | undefined): Wallet {
  if (wallet === undefined || !reaches(caller, wallet)) throw new WalletError('wallet_not_found');
  return wallet;
}

/**
 * The owner that a request is about: the caller, unless an operator names somebody.
 *
 * @throws WalletError `forbidden`
 */
export function ownerNamedBy(caller: Caller, ownerId: string | undefined): string {
  if (ownerId !== undefined && caller.ownerId !== undefined && ownerId !== caller.ownerId) {
    throw new WalletError('forbidden', { detail: 'only an operator may name another owner' });
  }
  return ownerId ?? caller.principal;
}
