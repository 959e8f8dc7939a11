import { JwtVerifier } from 'aws-jwt-verify';
import { JwtBaseError, JwtInvalidClaimError, KidNotFoundInJwksError } from 'aws-jwt-verify/error';
import { isJwks } from 'aws-jwt-verify/jwk';
import type { Jwks } from 'aws-jwt-verify/jwk';
import type { JwtPayload } from 'aws-jwt-verify/jwt-model';
import { operatorGroups, ownerScopes, resourceServer, scopes as allScopes } from '../contract.ts';
import type { AuthorizerContext } from './caller.ts';
import type { Forgeries } from './forgeries.ts';
import { keep } from '../aws/keep.ts';
import type { Lifetimes } from '../aws/keep.ts';

/** The issuer of the callers' tokens; see `environments` in contract.ts. */
export interface TokenSettings {
  readonly TOKEN_KIND: string;
  readonly TOKEN_ISSUER: string;
  readonly TOKEN_AUDIENCE: string;
  readonly TOKEN_JWKS_URI: string;
}

/**
 * A function that returns the caller of an Authorization header; undefined when the header has no token that is valid
 * now.
 *
 * @param address the caller's, where tokens that the issuer has not signed are limited
 */
export type VerifyToken = (
  authorization: string | undefined,
  address?: string,
) => Promise<Required<AuthorizerContext> | undefined>;

type Scope = (typeof allScopes)[number];

/**
 * The format of a principal. It is part of keys, so it is bounded. It has no spaces, so that no token can pass for the
 * service itself.
 */
const principalFormat = /^[\x21-\x7e]{1,128}$/;
const fetchTimeoutMs = 3_000;
/**
 * The gateway keeps an authorizer's answer for two minutes more (lib/tokens.ts). So a token is refused within five
 * minutes after the issuer has withdrawn the key that signed it.
 */
const lifetimes: Lifetimes = { refreshAfterMs: 60_000, staleAfterMs: 120_000 };

/**
 * Returns a verifier of bearer tokens of one issuer. It checks signature, issuer and expiry, and that the token is
 * meant for this service. An `oidc` token shows that with its audience. A `cognito` token must be an access token, and
 * its scopes must name our resource server. (An ID token has no scopes and is for the client itself.) In `cognito`
 * tokens groups make people operators; in `oidc` tokens groups are ignored.
 *
 * @param forgeries limits how many wrong signatures are checked; absent where the gateway limits the route
 * @throws Error when the issuer's keys cannot be read: a fault of the service, not of the caller
 */
export function openTokenVerifier(
  settings: TokenSettings,
  now: () => number = Date.now,
  forgeries?: Forgeries,
): VerifyToken {
  const cognito = settings.TOKEN_KIND === 'cognito';
  const verifier = JwtVerifier.create({
    issuer: settings.TOKEN_ISSUER,
    audience: cognito ? null : settings.TOKEN_AUDIENCE,
    jwksUri: settings.TOKEN_JWKS_URI,
    graceSeconds: 5,
  });
  const uri = keysUri(settings);
  const keys = keep('keys of the token issuer', () => fetchKeys(uri), lifetimes, now);
  let known: Jwks | undefined;

  /** Verifies with the keys of `keep`: the library's own cache would keep a key for ever. */
  async function verify(token: string, reload?: 'reload') {
    const current = await keys(reload);
    if (current !== known) verifier.cacheJwks(current);
    known = current;
    return verifier.verifySync(token);
  }

  return async (authorization, address = '') => {
    const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || forgeries?.refuse(token, address)) return undefined;
    try {
      const claims = await verify(token).catch((error: unknown) => {
        if (error instanceof KidNotFoundInJwksError) return verify(token, 'reload');
        throw error;
      });
      const { sub, token_use: use } = claims;
      if (cognito && use !== 'access') return undefined;
      if (typeof sub !== 'string' || !principalFormat.test(sub)) return undefined;
      forgeries?.trust(token);
      const scopes = cognito ? scopesInPool(claims) : scopesNamed(claims);
      return { principal: sub, scopes: scopes.join(' '), issuer: settings.TOKEN_ISSUER };
    } catch (error) {
      if (!(error instanceof JwtBaseError)) throw error;
      // The library checks claims only after the signature, so such a token is no forgery.
      if (!(error instanceof JwtInvalidClaimError)) forgeries?.count(address);
      return undefined;
    }
  };
}

/**
 * Returns the URL of the keys. The runner's Cognito has its address in the variable that AWS's SDKs read. A URL that is
 * not the pool's own stays as it is.
 */
function keysUri({ TOKEN_KIND: kind, TOKEN_ISSUER: issuer, TOKEN_JWKS_URI: uri }: TokenSettings): string {
  const endpoint = process.env['AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER'];
  return kind === 'cognito' && endpoint && uri.startsWith(`${issuer}/`) ? endpoint + new URL(uri).pathname : uri;
}

/**
 * Reads the issuer's public keys. The library's own fetcher supports only https, and an issuer on this machine has
 * none.
 */
async function fetchKeys(uri: string): Promise<Jwks> {
  const { ok, status, text } = await readText(uri).catch((cause: unknown) => {
    throw new Error(`the token issuer's keys at ${uri} cannot be reached`, { cause });
  });
  if (!ok) throw new Error(`the token issuer's keys at ${uri} were answered with ${String(status)}`);
  const jwks = parseJson(text) as Parameters<typeof isJwks>[0];
  if (!isJwks(jwks)) throw new Error(`the token issuer's keys at ${uri} are no key set`);
  return jwks;
}

async function readText(uri: string): Promise<{ ok: boolean; status: number; text: string }> {
  const response = await fetch(uri, { signal: AbortSignal.timeout(fetchTimeoutMs) });
  return { ok: response.ok, status: response.status, text: await response.text() };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Returns the scopes that count in an access token of the pool.
 *
 * - A machine's token has the id of its client as `sub`. All its scopes count.
 * - Any other token is a person's. Of its scopes only those of owners count, also when a client of the pool allows
 *   more. Its groups add the scopes of operators.
 * - A token without a scope of ours is for another service, so its groups add nothing.
 */
function scopesInPool(claims: JwtPayload): readonly Scope[] {
  const { sub, client_id: client, 'cognito:groups': groups } = claims;
  const named = scopesNamed(claims);
  if (sub === client || named.length === 0) return named;
  const memberships: readonly unknown[] = Array.isArray(groups) ? groups : [];
  return [
    ...ownerScopes.filter((scope) => named.includes(scope)),
    ...Object.entries(operatorGroups).flatMap(([group, scope]) => (memberships.includes(group) ? [scope] : [])),
  ];
}

/** Returns our scopes in the claim `scope`. Cognito writes `wallet/read`, other issuers `wallet:read`. */
function scopesNamed({ scope }: JwtPayload): readonly Scope[] {
  const granted = typeof scope === 'string' ? scope.split(' ') : [];
  return allScopes.filter((name) =>
    granted.some((one) => one === `${resourceServer}/${name}` || one === `${resourceServer}:${name}`),
  );
}
