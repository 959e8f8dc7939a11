/**
 * `npm run schemas`: writes the JSON schema of each event's `detail` to docs/events, from the code's own. With
 * `--check` it writes nothing, and fails when a file is not what it would write.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { eventTypes } from '../lambdas/domain/events.ts';
import { eventSchemas } from '../lambdas/event-schemas.ts';
import { readOptions } from './options.ts';

const usage = `npm run schemas -- [options]

  --check  write nothing, and fail when a file is not what would be written`;

const options = readOptions(usage, { check: { type: 'boolean', default: false } });
const folder = join(import.meta.dirname, '..', 'docs', 'events');

const wanted = new Map(
  eventTypes.map((type) => {
    // As a consumer reads it: members that it does not know are not forbidden, so that they can be added.
    const schema = z.toJSONSchema(eventSchemas[type], { io: 'input' });
    return [`${type}.json`, `${JSON.stringify(schema, null, 2)}\n`];
  }),
);

if (options.check) {
  const stale = [...new Set([...wanted.keys(), ...readdirSync(folder)])].filter((file) => !isCurrent(file));
  if (stale.length > 0) {
    console.error(`stale in docs/events: ${stale.join(', ')}; run npm run schemas`);
    process.exitCode = 1;
  }
} else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of wanted) writeFileSync(join(folder, file), text);
}

function isCurrent(file: string): boolean {
  try {
    return readFileSync(join(folder, file), 'utf8') === wanted.get(file);
  } catch {
    return false;
  }
}
