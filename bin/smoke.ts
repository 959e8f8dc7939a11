/**
 * `npm run smoke`: the story of the demo against a service that is deployed, also one with real money. It uses wallets of
 * its own and small amounts. Money comes in only when a bank account is given that takes all of it back. Exits 0 only if
 * every figure is right.
 */
import { randomUUID } from 'node:crypto';
import { operatorGroups, resourceServer, scopes as allScopes } from '../lambdas/contract.ts';
import { exitWithUsage, failWith, readOptions } from './options.ts';
import { apiUrlOf, backendTokenOf, outputsOf } from './deployed-stack.ts';
import { runStory } from './story.ts';

const usage = `npm run smoke -- --url URL | --stack NAME [options]

  --url URL          the service's base URL
  --stack NAME       the stack, whose outputs have the URL and a client that gets a token
  --token TOKEN      the caller's token; or in the variable TOKEN
  --account ACCOUNT  bank account that takes the money back: 100 minor units are charged, and all are paid out to it
  --currency CODE    currency of the wallets (EUR)

Without --account no money moves. With the scope operate the wallets belong to owners of the story, otherwise to the
caller. --account needs operate, or charge and write. Wallets are closed with operate or support; otherwise two wallets
remain, which the next run uses again.`;

type Scope = (typeof allScopes)[number];

interface Claims {
  readonly sub: string;
  readonly scope?: string;
  readonly 'cognito:groups'?: readonly string[];
}

const options = readOptions(usage, {
  url: { type: 'string' },
  stack: { type: 'string' },
  token: { type: 'string' },
  account: { type: 'string' },
  currency: { type: 'string', default: 'EUR' },
});

// The story goes on to its end, where the money goes back: without a reader of its output, and after one Ctrl-C.
process.stdout.on('error', () => undefined);
process.once('SIGINT', () => {
  console.error('the money goes back first; again to stop at once');
});
try {
  process.exitCode = await main();
} catch (error) {
  failWith(error);
}

async function main(): Promise<number> {
  const { baseUrl, token } = await findService();
  const { subject, scopes } = readToken(token);
  const has = (...names: readonly Scope[]) => names.some((name) => scopes.includes(name));
  if (!has('operate', 'charge', 'write') || !has('operate', 'support', 'read')) {
    throw new Error(
      `the token must open wallets and read them; it has ${scopes.join(', ') || 'no scope of the service'}`,
    );
  }
  const pays = has('operate') || (has('charge') && has('write'));
  if (options.account !== undefined && !pays) {
    throw new Error('--account needs a token with operate, or with charge and write');
  }
  const run = randomUUID().slice(0, 8);
  const closes = has('operate', 'support');
  const person = (name: string) => ({
    name,
    token,
    // An operator acts for owners that exist only in the story. Any other caller reads and uses its own wallets alone.
    ownerId: has('operate') ? `smoke-${name}-${run}` : subject,
    // Wallets that stay are opened once.
    walletKey: closes ? undefined : `smoke-${name}-${options.currency}`,
  });
  console.log(`${baseUrl}, as ${subject} with ${scopes.join(', ')}`);
  const wrong = await runStory({
    baseUrl,
    ada: person('Ada'),
    ben: person('Ben'),
    operator: token,
    currency: options.currency,
    unit: 1,
    account: options.account,
    pays,
    closes,
    // Without operate the wallets are the caller's own, and it may not limit them.
    limits: has('operate'),
    batches: has('operate'),
  });
  console.log(wrong === 0 ? '\nEvery figure is right.' : `\n${wrong} figures are WRONG.`);
  return wrong === 0 ? 0 : 1;
}

/** Returns the service's address and a token, from the options or from the outputs of the stack. */
async function findService(): Promise<{ baseUrl: string; token: string }> {
  const token = options.token ?? (process.env['TOKEN'] || undefined);
  const url = options.url?.replace(/\/+$/, '');
  if (url !== undefined && token !== undefined) return { baseUrl: url, token };
  if (options.stack === undefined) return exitWithUsage('--url and --token are needed, or --stack', usage);
  const outputs = await outputsOf(options.stack);
  if (outputs === undefined) throw new Error(`there is no stack ${options.stack} in this account and region`);
  const found = token ?? (await backendTokenOf(outputs));
  if (found === undefined) throw new Error('the stack has a token issuer of your own: give a token of it with --token');
  return { baseUrl: url ?? apiUrlOf(outputs), token: found };
}

/** Returns the subject and the scopes of a token, which the service alone verifies. */
function readToken(token: string): { subject: string; scopes: readonly Scope[] } {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
    const named = (claims.scope ?? '')
      .split(/[ ]+/)
      .map((scope) => scope.replace(`${resourceServer}/`, `${resourceServer}:`));
    const groups = claims['cognito:groups'] ?? [];
    const ofGroups = Object.entries(operatorGroups).flatMap(([group, scope]) =>
      groups.includes(group) ? [scope] : [],
    );
    const scopes = allScopes.filter(
      (name) => named.includes(`${resourceServer}:${name}`) || ofGroups.some((scope) => scope === name),
    );
    return { subject: claims.sub, scopes };
  } catch (error) {
    throw new Error('the token is no JWT', { cause: error });
  }
}
