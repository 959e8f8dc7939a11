import { rmSync } from 'node:fs';
import { shared } from './shared.ts';
import { tablesVariable } from './tables.ts';

/** Removes what test/set-up.ts has made in this process. When files are watched, the next run makes it again from the changed code. */
export default function tearDown(): void {
  const folder = process.env[shared.scratch];
  if (folder === undefined || process.env[shared.owner] !== String(process.pid)) return;
  // A killed process may still write while its folder is removed.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  for (const name of [...Object.values(shared), tablesVariable, 'TMPDIR']) Reflect.deleteProperty(process.env, name);
}
