/** What the tests of the running service share: the stack that `npm start` serves. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCdkApp } from '../../local/cloudformation/assembly.ts';
import setUp from '../set-up.ts';
import { shared } from '../shared.ts';

export default async function setUpService(): Promise<void> {
  await setUp();
  if (process.env[shared.assembly] !== undefined) return;
  const folder = join(tmpdir(), 'assembly');
  await runCdkApp(join(import.meta.dirname, '..', '..', 'bin', 'local-stack.ts'), folder);
  process.env[shared.assembly] = folder;
}
