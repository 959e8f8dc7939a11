/** `npm run issuer`: a token issuer for development, for a stack that is deployed with it as its own issuer. */
import { resourceServer, scopes } from '../lambdas/contract.ts';
import { startIssuer } from '../local/cognito/issuer-server.ts';
import { failWith, hostOf, portOf, readOptions } from './options.ts';
import { stopOnSignals } from './signals.ts';

const usage = `npm run issuer -- [options]

  --port N         port on 127.0.0.1 (9010)
  --host NAME      a further name of this machine in requests: host.docker.internal
  --name URL       the iss of the tokens (the URL of the issuer)
  --audience NAME  the aud of the tokens (wallet)
  --key-file FILE  keeps the signing key (a new key each time)

It gives every client that asks a token with every scope. Never let a stack with real money trust it.`;

const options = readOptions(usage, {
  port: { type: 'string', default: '9010' },
  host: { type: 'string' },
  name: { type: 'string' },
  audience: { type: 'string', default: resourceServer },
  'key-file': { type: 'string' },
});

const issuer = await startIssuer({
  port: portOf(options.port, usage),
  host: hostOf(options.host, usage),
  name: options.name,
  audience: options.audience,
  allow: [resourceServer, scopes],
  keyFile: options['key-file'],
}).catch(failWith);
stopOnSignals(() => issuer.stop());
console.log(`The issuer runs at ${issuer.url}. For a stack whose functions run on this machine.
Deploy it with BankUrl=… and these values; then start \`npm run bank\` with the output BankRequestSecretArn.
\`npm run emulator\` does all of it.

  -c tokenIssuer=${issuer.name} -c tokenAudience=${options.audience} -c tokenJwksUri=${issuer.jwksUri}

A token:

  curl ${issuer.url}/oauth/token -d grant_type=client_credentials -d client_id=ann -d 'scope=wallet:read wallet:write'

Ctrl-C stops.`);
