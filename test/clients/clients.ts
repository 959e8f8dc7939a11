/**
 * `npm run clients`: tells one story with each client of the API, against a service that it starts. The clients in Python and Go
 * are made from docs/openapi.json, where these languages are installed. Exits with 1 when a client finds something else.
 */
import { deepEqual } from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startLocalService } from '../../bin/local-service.ts';
import { failWith, readOptions } from '../../bin/options.ts';
import { scratchFolder } from '../../lib/scratch.ts';
import { languages, missingFor, tellIn } from './generated.ts';
import { tellInShell } from './shell.ts';
import { facts } from './story.ts';
import type { Facts, Stage } from './story.ts';
import { tellInTypeScript } from './typescript.ts';

const usage = `npm run clients

Tells the story of a payment with each client: the one in TypeScript, the command wallet, and those that generators make in
Python and Go from docs/openapi.json. A language that is not installed is skipped. The generators come from PyPI and the
Go proxy.`;

async function main(): Promise<void> {
  readOptions(usage, {});
  const folder = scratchFolder('clients');
  const service = await startLocalService({
    memory: true,
    log: () => undefined,
    bank: { latencyMs: 5, failureRate: 0 },
  });
  const stage: Stage = {
    url: service.baseUrl,
    token: (clientId, scope) => service.token({ clientId, scope }),
  };
  let wrong = 0;
  const check = async (name: string, tell: () => Promise<Facts>) => {
    const from = performance.now();
    try {
      deepEqual(await tell(), facts);
      console.log(`ok       ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
    } catch (error) {
      wrong += 1;
      console.log(`WRONG    ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  try {
    await check('TypeScript', () => tellInTypeScript(stage));
    await check('the command wallet', () => tellInShell(stage));
    for (const language of languages) {
      const missing = await missingFor(language);
      if (missing.length > 0) {
        console.log(`skipped  ${language.name}: ${missing.join(', ')} not installed`);
        continue;
      }
      const own = join(folder, language.name);
      mkdirSync(own);
      await check(language.name, () => tellIn(language, stage, own));
    }
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  if (wrong > 0) throw new Error(`${wrong} of the clients above found something else`);
}

await main().catch(failWith);
