/**
 * `npm run demo`: a story about two owners, over HTTP against the running service (`npm start`). Without a URL, and if
 * nothing listens, it starts a service of its own. Exits 0 only if every figure is right.
 */
import { randomUUID } from 'node:crypto';
import { startLocalService } from './local-service.ts';
import { runMarketplace } from './marketplace.ts';
import { failWith, readOptions } from './options.ts';
import { runStory } from './story.ts';
import type { Person } from './storyteller.ts';

const usualUrl = 'http://127.0.0.1:3000';
const usage = `npm run demo -- [options]

  --url URL     the service that npm start runs (${usualUrl}, or one of its own when nothing answers there)
  --issuer URL  the issuer of its tokens, as npm run issuer runs it (the service itself)
  --day         the day of a marketplace in its place: a sale with a fee, a payroll of a thousand, a chargeback and more`;

const { url, issuer, day } = readOptions(usage, {
  url: { type: 'string' },
  issuer: { type: 'string' },
  day: { type: 'boolean', default: false },
});

const given = (url ?? usualUrl).replace(/\/+$/, '');
const isRunning = await isUp(given);
if (url !== undefined && !isRunning) {
  console.error(`nothing answers at ${url}`);
  process.exit(1);
}
const started = isRunning ? undefined : await startOwn();
const baseUrl = started?.baseUrl ?? given;
try {
  const wrong = await demonstrate();
  console.log(wrong === 0 ? '\nEvery figure is right.' : `\n${wrong} figures are WRONG.`);
  process.exitCode = wrong === 0 ? 0 : 1;
} catch (error) {
  await started?.stop();
  failWith(error);
}
await started?.stop();

async function demonstrate(): Promise<number> {
  // New names for each run, so that the story can run twice on the same data.
  const run = randomUUID().slice(0, 8);
  if (day) return runMarketplace({ baseUrl, signIn, run });
  const person = async (name: string): Promise<Person> => ({
    name,
    token: await signIn(`${name.toLowerCase()}-${run}`, 'wallet:read wallet:write'),
  });
  return runStory({
    baseUrl,
    ada: await person('Ada'),
    ben: await person('Ben'),
    operator: await signIn(`operator-${run}`, 'wallet:operate'),
    // The currency in which the service of npm start has fees.
    currency: 'NOK',
    // Enough for the fees of each step.
    unit: 300,
    account: 'SIM-OK',
    pays: true,
    closes: true,
    limits: true,
    batches: true,
  });
}

async function signIn(clientId: string, scope: string): Promise<string> {
  const from = issuer?.replace(/\/+$/, '') ?? baseUrl;
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, scope });
  const response = await fetch(`${from}/oauth/token`, { method: 'POST', body: form });
  const body = (await response.json()) as { access_token?: string };
  if (body.access_token === undefined) {
    throw new Error(`no token from ${from}: is that the local runner or npm run issuer?`);
  }
  return body.access_token;
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) })).ok;
  } catch {
    return false;
  }
}

async function startOwn() {
  console.log(`Nothing listens at ${usualUrl}: starting a service in memory for this story.`);
  return startLocalService({ port: 0, memory: true });
}
