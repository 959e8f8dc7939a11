/** Stands for a Cognito user pool: signs development access tokens and serves the key that authorizers check them with. */
import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { JWK } from 'jose';
import type { OwnAnswer, OwnRoute } from '../machine/own-routes.ts';
import { keep, readKept } from '../storage/files.ts';

export interface TokenRequest {
  readonly clientId: string;
  /** Separated by spaces, `<server>/<scope>` or `<server>:<scope>`; all scopes of the pool when left out. */
  readonly scope?: string | undefined;
  /** Seconds from now, default one hour; negative for a token that has expired. */
  readonly expiresIn?: number | undefined;
}

export interface Issuer {
  /**
   * Sets the URL of the pool that tokens are issued for; tokens need one.
   *
   * @param audience the `aud` of tokens; Cognito's own have none
   */
  serve(url: string, audience?: string): void;
  /** Lets tokens carry `<identifier>/<scope>`. */
  allow(identifier: string, scopes: readonly string[]): void;
  /** Returns an access token as Cognito writes it. Throws when a scope is not one of the pool's. */
  readonly token: (request: TokenRequest) => Promise<string>;
  /** Answers a request for a token. */
  exchange(form: URLSearchParams, authorization: string | undefined): Promise<OwnAnswer>;
  /** The JSON Web Key Set by which tokens are checked. */
  readonly keys: object;
}

class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const defaultSeconds = 3600;

/**
 * Opens the issuer.
 *
 * @param path the file of the signing key; undefined: a new key each time
 */
export async function openIssuer(path: string | undefined): Promise<Issuer> {
  const jwk = await signingKey(path);
  const key = await importJWK(jwk, 'RS256');
  const kid = await calculateJwkThumbprint(jwk);
  const allowed = new Set<string>();

  function scopesOf(asked: string | undefined): string {
    if (!asked?.trim()) return [...allowed].join(' ');
    return asked
      .trim()
      .split(/\s+/)
      .map((scope) => {
        const found = allowed.has(scope) ? scope : scope.replace(':', '/');
        if (!allowed.has(found)) {
          throw new OAuthError('invalid_scope', `scope ${scope} is not one of ${[...allowed].join(', ')}`);
        }
        return found;
      })
      .join(' ');
  }

  let poolUrl: string | undefined;
  let poolAudience: string | undefined;

  const token: Issuer['token'] = async ({ clientId, scope, expiresIn = defaultSeconds }) => {
    if (poolUrl === undefined) throw new Error('the template has no user pool to issue tokens for');
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({
      token_use: 'access',
      client_id: clientId,
      scope: scopesOf(scope),
      auth_time: now,
      version: 2,
      jti: randomUUID(),
      ...(poolAudience !== undefined && { aud: poolAudience }),
    })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setIssuer(poolUrl)
      .setSubject(clientId)
      .setIssuedAt(Math.min(now, now + expiresIn - 1))
      .setExpirationTime(now + expiresIn)
      .sign(key);
  };

  async function exchange(form: URLSearchParams, authorization: string | undefined): Promise<OwnAnswer> {
    try {
      if (form.get('grant_type') !== 'client_credentials') {
        throw new OAuthError('unsupported_grant_type', 'grant_type must be client_credentials');
      }
      const clientId = form.get('client_id') ?? basicUser(authorization);
      if (!clientId) throw new OAuthError('invalid_request', 'client_id is missing');
      const expiresIn = Number(form.get('expires_in') ?? defaultSeconds);
      if (!Number.isInteger(expiresIn)) throw new OAuthError('invalid_request', 'expires_in must be whole seconds');
      const access = await token({ clientId, scope: form.get('scope') ?? undefined, expiresIn });
      return { status: 200, body: { access_token: access, token_type: 'Bearer', expires_in: expiresIn } };
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      return { status: 400, body: { error: error.code, error_description: error.message } };
    }
  }

  return {
    serve(url, audience) {
      poolUrl = url;
      poolAudience = audience;
    },
    allow(identifier, scopes) {
      for (const scope of scopes) allowed.add(`${identifier}/${scope}`);
    },
    token,
    exchange,
    keys: { keys: [{ kty: jwk.kty, n: jwk.n, e: jwk.e, kid, alg: 'RS256', use: 'sig' }] },
  };
}

/** Returns the routes of an issuer: tokens, and its keys at this path. */
export function issuerRoutes(issuer: Issuer, keysPath: string): OwnRoute[] {
  return [
    {
      route: 'POST /oauth/token',
      about: 'a token: a form with grant_type=client_credentials, client_id and scope',
      answer: async ({ authorization, text }) => issuer.exchange(new URLSearchParams(await text()), authorization),
    },
    {
      route: `GET ${keysPath}`,
      about: 'the keys that tokens are signed with',
      answer: () => ({ status: 200, body: issuer.keys }),
    },
  ];
}

async function signingKey(path: string | undefined): Promise<JWK> {
  const kept = readKept(path) as JWK | undefined;
  if (kept) return kept;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  keep(path, jwk);
  return jwk;
}

function basicUser(authorization: string | undefined): string | undefined {
  const encoded = /^Basic (\S+)$/i.exec(authorization ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString().split(':')[0];
}
