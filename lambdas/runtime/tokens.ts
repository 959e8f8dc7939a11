import { JwtVerifier } from 'aws-jwt-verify';
import { JwtBaseError } from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { resourceServer, scopes as allScopes } from '../contract.ts';
import type { AuthorizerContext } from './caller.ts';

/** Who issues the callers' tokens; see `environments` in contract.ts. */
export interface TokenSettings {
  readonly TOKEN_KIND: string;
  readonly TOKEN_ISSUER: string;
  readonly TOKEN_AUDIENCE: string;
  readonly TOKEN_JWKS_URI: string;
}

/** Checks an Authorization header; undefined when it does not hold a token that is valid now. */
export type VerifyToken = (authorization: string | undefined) => Promise<AuthorizerContext | undefined>;

/** A principal is part of keys: bounded, and without spaces, so that no token can pass for the service itself. */
const principalFormat = /^[\x21-\x7e]{1,128}$/;
const fetchTimeoutMs = 3_000;

/**
 * Verifies bearer tokens of one issuer: signature, issuer, expiry, and that the token is meant for this service.
 * An `oidc` token says so with its audience. A `cognito` access token has none: it must be an access token (an ID token
 * carries no scopes and is for the client itself), and its scopes name our resource server.
 *
 * @throws when the issuer's keys cannot be read: that is our trouble, not the caller's
 */
export function openTokenVerifier(settings: TokenSettings): VerifyToken {
  const cognito = settings.TOKEN_KIND === 'cognito';
  const verifier = JwtVerifier.create(
    {
      issuer: settings.TOKEN_ISSUER,
      audience: cognito ? null : settings.TOKEN_AUDIENCE,
      jwksUri: settings.TOKEN_JWKS_URI,
      graceSeconds: 5,
    },
    { jwksCache: new SimpleJwksCache({ fetcher: { fetch: fetchKeys } }) },
  );
  return async (authorization) => {
    const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return undefined;
    try {
      const { sub, scope, token_use: use } = await verifier.verify(token);
      if (cognito && use !== 'access') return undefined;
      if (typeof sub !== 'string' || !principalFormat.test(sub)) return undefined;
      return { principal: sub, scopes: ourScopes(scope).join(' '), issuer: settings.TOKEN_ISSUER };
    } catch (error) {
      if (error instanceof JwtBaseError) return undefined;
      throw error;
    }
  };
}

/** The issuer's public keys; the library's own fetcher speaks https only, and an issuer on this machine has none. */
async function fetchKeys(uri: string): Promise<ArrayBuffer> {
  const response = await fetch(uri, { signal: AbortSignal.timeout(fetchTimeoutMs) });
  if (!response.ok) throw new Error(`the token issuer's keys at ${uri} were answered with ${String(response.status)}`);
  return response.arrayBuffer();
}

/** Cognito writes `wallet/read`, other issuers `wallet:read`. */
function ourScopes(scope: unknown): string[] {
  const granted = typeof scope === 'string' ? scope.split(' ') : [];
  return allScopes.filter((name) =>
    granted.some((one) => one === `${resourceServer}/${name}` || one === `${resourceServer}:${name}`),
  );
}
