/** What the tests of the stack share: the functions' bundles. */
import { bundleAll } from '../../lib/bundle.ts';
import setUp from '../set-up.ts';
import { shared } from '../shared.ts';

export default async function setUpStack(): Promise<void> {
  await setUp();
  process.env[shared.bundles] ??= JSON.stringify(bundleAll());
}
