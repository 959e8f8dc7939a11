/**
 * `npm run schemas`: writes the JSON schema of each event's `detail` to docs/events, the description of the HTTP API to
 * docs/openapi.json, and from it the types of the client. All come from the code's own schemas. With `--check` it writes nothing, and fails when a
 * file differs from the generated one.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { eventTypes } from '../lambdas/domain/events.ts';
import { eventSchemas } from '../lambdas/views/event-schemas.ts';
import { clientTypes } from './client-types.ts';
import { openApiDocument } from './openapi.ts';
import { readOptions } from './options.ts';

const usage = `npm run schemas -- [options]

  --check  write nothing, and fail when a file is not what would be written`;

const options = readOptions(usage, { check: { type: 'boolean', default: false } });
const root = join(import.meta.dirname, '..');
const eventsFolder = join('docs', 'events');

const document = await openApiDocument();
/** Texts by their path. */
const generated = new Map([
  [join('docs', 'openapi.json'), textOf(document)],
  [join('client', 'src', 'openapi.generated.ts'), await clientTypes(document)],
]);
for (const type of eventTypes) {
  // As a consumer reads it: unknown members are allowed, so that later versions can add some.
  generated.set(join(eventsFolder, `${type}.json`), textOf(z.toJSONSchema(eventSchemas[type], { io: 'input' })));
}

if (options.check) {
  const events = readdirSync(join(root, eventsFolder)).map((file) => join(eventsFolder, file));
  const stale = [...new Set([...generated.keys(), ...events])].filter((file) => !isCurrent(file));
  if (stale.length > 0) {
    console.error(`stale: ${stale.join(', ')}; run npm run schemas`);
    process.exitCode = 1;
  }
} else {
  rmSync(join(root, eventsFolder), { recursive: true, force: true });
  mkdirSync(join(root, eventsFolder), { recursive: true });
  for (const [file, text] of generated) writeFileSync(join(root, file), text);
}

function textOf(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function isCurrent(file: string): boolean {
  try {
    return readFileSync(join(root, file), 'utf8') === generated.get(file);
  } catch {
    return false;
  }
}
