/** The issuer of development tokens as a server of its own, for a stack that does not run in the runner. */
import { listen, sendJson } from '../http/server.ts';
import { createOwnRoutes } from '../machine/own-routes.ts';
import { issuerRoutes, openIssuer } from './issuer.ts';
import type { Issuer } from './issuer.ts';

export interface IssuerServerOptions {
  /** @default a free port */
  readonly port?: number;
  /** A further name of this machine in requests: host.docker.internal. */
  readonly host?: string | undefined;
  /**
   * The `iss` of the tokens.
   * @default the URL of the server
   */
  readonly name?: string | undefined;
  /** The `aud` of the tokens. */
  readonly audience: string;
  /** The resource server and the scopes that tokens may carry. */
  readonly allow: readonly [identifier: string, scopes: readonly string[]];
  /** File of the signing key; absent: a new key each time. */
  readonly keyFile?: string | undefined;
}

export interface IssuerServer extends Pick<Issuer, 'token'> {
  /** The server's URL; clients get tokens at `<url>/oauth/token`. */
  readonly url: string;
  /** The `iss` of the tokens. */
  readonly name: string;
  readonly jwksUri: string;
  stop(): Promise<void>;
}

const keysPath = '/.well-known/jwks.json';

/** Starts the issuer on 127.0.0.1. It gives any client any allowed scope. Throws PortInUseError. */
export async function startIssuer(options: IssuerServerOptions): Promise<IssuerServer> {
  const issuer = await openIssuer(options.keyFile);
  const server = await listen(options.port ?? 0, options.host);
  const name = options.name ?? server.url;
  issuer.serve(name, options.audience);
  issuer.allow(...options.allow);
  const routes = createOwnRoutes();
  routes.add(...issuerRoutes(issuer, keysPath));
  server.open(async (request, response) => {
    const { status, body } = (await routes.answer(request)) ?? { status: 404, body: { message: 'Not Found' } };
    sendJson(response, status, body);
  });
  return { url: server.url, name, jwksUri: server.url + keysPath, token: issuer.token, stop: () => server.close() };
}
