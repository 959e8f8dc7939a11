/** The token of the operator: kept for this tab only, and sent to nothing but the API of the page. */
import type { ConsoleSignIn } from '../lambdas/contract.ts';
import { baseUrl } from './settings.ts';

export interface Session {
  readonly token: string;
  /** The `sub` of the token. */
  readonly principal: string;
  readonly scopes: readonly string[];
  /** Epoch ms; undefined when the token does not say. */
  readonly expiresAt: number | undefined;
}

const tokenKey = 'wallet-console.token';
const signInKey = 'wallet-console.sign-in';

/** Returns the session of this tab; undefined before a sign-in, and when the token has expired. */
export function readSession(): Session | undefined {
  const token = sessionStorage.getItem(tokenKey);
  const session = token === null ? undefined : sessionOf(token);
  return session?.expiresAt !== undefined && session.expiresAt <= Date.now() ? undefined : session;
}

/** Keeps a token for this tab. Returns its session; undefined when the text is no token. */
export function keepSession(token: string): Session | undefined {
  const session = sessionOf(token);
  if (session) sessionStorage.setItem(tokenKey, session.token);
  return session;
}

export function forgetSession(): void {
  sessionStorage.removeItem(tokenKey);
  sessionStorage.removeItem(signInKey);
}

/** Reads the claims of a token, to show them. The API checks the token itself. */
function sessionOf(text: string): Session | undefined {
  const token = text.trim().replace(/^Bearer +/i, '');
  const [, payload = ''] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token) ?? [];
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const { sub, scope, exp, 'cognito:groups': groups } = claims;
    const scopes = typeof scope === 'string' ? scope.split(' ').map((one) => one.replace(/^wallet[/:]/, '')) : [];
    const ofGroups = Array.isArray(groups) ? groups.map((group) => String(group).replace(/^wallet-/, '')) : [];
    return {
      token,
      principal: typeof sub === 'string' ? sub : 'unknown',
      scopes: [...new Set([...scopes, ...ofGroups])],
      expiresAt: typeof exp === 'number' ? exp * 1000 : undefined,
    };
  } catch {
    return undefined;
  }
}

interface Started {
  readonly state: string;
  readonly verifier: string;
  /** The part of the page to return to. */
  readonly hash: string;
}

const redirectUri = `${baseUrl}/console`;

/** Leaves the page for the sign-in at the issuer (authorization code with PKCE). */
export async function beginSignIn(signIn: ConsoleSignIn): Promise<void> {
  const started: Started = { state: randomText(), verifier: randomText(), hash: location.hash };
  sessionStorage.setItem(signInKey, JSON.stringify(started));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(started.verifier));
  const url = new URL(signIn.authorizeEndpoint);
  const query = {
    response_type: 'code',
    client_id: signIn.clientId,
    redirect_uri: redirectUri,
    scope: signIn.scope,
    state: started.state,
    code_challenge: base64Url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  location.assign(url);
}

/**
 * Ends a sign-in when the issuer has sent the browser back. Removes the code from the address at once. Returns the
 * session; undefined when this is no return from a sign-in. Throws Error with the reason why it failed.
 */
export async function endSignIn(signIn: ConsoleSignIn): Promise<Session | undefined> {
  const query = new URLSearchParams(location.search);
  const text = sessionStorage.getItem(signInKey);
  if (!query.has('state') || text === null) return undefined;
  sessionStorage.removeItem(signInKey);
  const { state, verifier, hash } = JSON.parse(text) as Started;
  history.replaceState(null, '', location.pathname + hash);
  if (query.get('state') !== state) throw new Error('the answer of the issuer is not about this sign-in');
  const code = query.get('code');
  if (code === null) throw new Error(query.get('error_description') ?? query.get('error') ?? 'the issuer gave no code');
  const token = await exchange(signIn.tokenEndpoint, {
    grant_type: 'authorization_code',
    client_id: signIn.clientId,
    redirect_uri: redirectUri,
    code,
    code_verifier: verifier,
  });
  return keepSession(token);
}

/** Signs in at the issuer of the runner, which gives every token that is asked for. */
export async function signInForDevelopment(name: string, scope: string): Promise<Session | undefined> {
  const form = { grant_type: 'client_credentials', client_id: name, scope };
  return keepSession(await exchange(`${baseUrl}/oauth/token`, form));
}

async function exchange(endpoint: string, form: Record<string, string>): Promise<string> {
  const response = await fetch(endpoint, { method: 'POST', body: new URLSearchParams(form) });
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (typeof answer['access_token'] === 'string') return answer['access_token'];
  const { error_description: description, error: code } = answer;
  const reason = [description, code].find((text) => typeof text === 'string');
  throw new Error(reason ?? `the issuer answers ${response.status}`);
}

function randomText(): string {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
