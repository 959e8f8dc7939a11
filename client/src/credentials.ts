/** Tokens by the OAuth 2.0 grant `client_credentials`, for a backend. */

/** The account of a backend at a token issuer. */
export interface ClientCredentials {
  /** The token endpoint, such as `http://127.0.0.1:3000/oauth/token`. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  /** Scopes, separated by spaces. */
  readonly scope?: string | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
}

/** A token and its end. */
interface IssuedToken {
  readonly accessToken: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** A token is replaced so long before its end. */
const marginMs = 60_000;
const timeoutMs = 30_000;

/** Returns a source of tokens that asks for a new one shortly before the old one ends. */
export function clientCredentials(account: ClientCredentials): () => Promise<string> {
  let current: Promise<IssuedToken> | undefined;
  return async () => {
    const asked = current;
    const kept = await asked?.catch(() => undefined);
    if (kept !== undefined && kept.expiresAt - marginMs >= Date.now()) return kept.accessToken;
    // Of several calls at once the first asks, and the others wait for its token.
    const next = current === asked || current === undefined ? issueToken(account) : current;
    current = next;
    return (await next).accessToken;
  };
}

/** Asks the issuer for a token. */
async function issueToken(account: ClientCredentials): Promise<IssuedToken> {
  const { tokenUrl, clientId, clientSecret, scope, fetch: ownFetch = globalThis.fetch } = account;
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId });
  if (clientSecret !== undefined) form.set('client_secret', clientSecret);
  if (scope !== undefined) form.set('scope', scope);
  const askedAt = Date.now();
  const response = await ownFetch(tokenUrl, {
    method: 'POST',
    body: form,
    signal: AbortSignal.timeout(timeoutMs),
    // A redirect would take the secret to another address.
    redirect: 'error',
  });
  const body = (await response.json().catch(() => ({}))) as Readonly<Record<string, unknown>>;
  const { access_token: accessToken, expires_in: lifetime = 300 } = body;
  if (!response.ok || typeof accessToken !== 'string') {
    const reason = typeof body['error'] === 'string' ? body['error'] : `status ${response.status}`;
    throw new Error(`the issuer gave no token: ${reason}`);
  }
  return { accessToken, expiresAt: askedAt + 1000 * Number(lifetime) };
}
