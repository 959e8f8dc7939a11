/**
 * `npm run schemas`: writes the JSON schema of each event's `detail` to docs/events, and the description of the HTTP
 * API to docs/openapi.json. Both come from the code's own schemas. With `--check` it writes nothing, and fails when a
 * file differs from the generated one.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { eventTypes } from '../lambdas/domain/events.ts';
import { eventSchemas } from '../lambdas/views/event-schemas.ts';
import { openApiDocument } from './openapi.ts';
import { readOptions } from './options.ts';

const usage = `npm run schemas -- [options]

  --check  write nothing, and fail when a file is not what would be written`;

const options = readOptions(usage, { check: { type: 'boolean', default: false } });
const docs = join(import.meta.dirname, '..', 'docs');
const eventsFolder = join(docs, 'events');

/** Texts by their path under docs. */
const generated = new Map([['openapi.json', textOf(await openApiDocument())]]);
for (const type of eventTypes) {
  // As a consumer reads it: unknown members are allowed, so that later versions can add some.
  generated.set(join('events', `${type}.json`), textOf(z.toJSONSchema(eventSchemas[type], { io: 'input' })));
}

if (options.check) {
  const events = readdirSync(eventsFolder).map((file) => join('events', file));
  const stale = [...new Set([...generated.keys(), ...events])].filter((file) => !isCurrent(file));
  if (stale.length > 0) {
    console.error(`stale in docs: ${stale.join(', ')}; run npm run schemas`);
    process.exitCode = 1;
  }
} else {
  rmSync(eventsFolder, { recursive: true, force: true });
  mkdirSync(eventsFolder, { recursive: true });
  for (const [file, text] of generated) writeFileSync(join(docs, file), text);
}

function textOf(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function isCurrent(file: string): boolean {
  try {
    return readFileSync(join(docs, file), 'utf8') === generated.get(file);
  } catch {
    return false;
  }
}
