/**
 * What the files of a run share, so that none of them makes it again: a folder, and the tables. Jest calls this before all
 * files, and its workers get the environment of this process. Jest calls a file once, for however many tiers. So a tier that
 * needs more has a file of its own: stack/set-up.ts and service/set-up.ts.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryPlace, scratchFolder } from '../lib/scratch.ts';
import { shared } from './shared.ts';
import { synthesizeTables } from './synthesize-tables.ts';
import { tablesVariable } from './tables.ts';
import { probeUnits } from './units.ts';

/** Does nothing when the run has been set up before, for another tier. */
export default async function setUp(): Promise<void> {
  if (process.env[shared.scratch] !== undefined) return;
  // The CDK and killed processes leave files in the temporary folder. The tests have one that is removed at their end.
  process.env[shared.scratch] = scratchFolder('tests', memoryPlace());
  process.env[shared.owner] = String(process.pid);
  process.env['TMPDIR'] = process.env[shared.scratch];
  process.env[shared.compiled] = join(tmpdir(), 'compiled');
  process.env[tablesVariable] = JSON.stringify(synthesizeTables());
  await probeUnits();
}
