/**
 * What the files of a run share, so that none of them makes it again: the tables, the functions' bundles, and the stack of
 * the running service. Jest calls this before the files of each tier. Its workers get the environment of this process.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleAll } from '../lib/bundle.ts';
import { memoryPlace, scratchFolder } from '../lib/scratch.ts';
import { runCdkApp } from '../local/cloudformation/assembly.ts';
import { shared } from './shared.ts';
import { synthesizeTables } from './synthesize-tables.ts';
import { tablesVariable } from './tables.ts';
import { probeUnits } from './units.ts';

interface Tier {
  readonly displayName?: { readonly name: string };
}

export default async function setUp(_all: object, { displayName }: Tier): Promise<void> {
  if (process.env[shared.scratch] === undefined) {
    // The CDK and killed processes leave files in the temporary folder. The tests have one that is removed at their end.
    process.env[shared.scratch] = scratchFolder('tests', memoryPlace());
    process.env[shared.owner] = String(process.pid);
    process.env['TMPDIR'] = process.env[shared.scratch];
    process.env[shared.compiled] = join(tmpdir(), 'compiled');
    process.env[tablesVariable] = JSON.stringify(synthesizeTables());
    await probeUnits();
  }
  const { name = '' } = displayName ?? {};
  if (name === 'stack') process.env[shared.bundles] ??= JSON.stringify(bundleAll());
  if (name === 'service') process.env[shared.assembly] ??= await synthesizeStack();
}

/** Returns the folder of the stack that `npm start` serves. */
async function synthesizeStack(): Promise<string> {
  const folder = join(tmpdir(), 'assembly');
  await runCdkApp(join(import.meta.dirname, '..', 'bin', 'local-stack.ts'), folder);
  return folder;
}
