/** The functions' bundles of a run of the tests. For Jest they stand in for lib/bundle.ts, which would make them in each file. */
import type { FunctionName } from '../lambdas/contract.ts';
import { bundleAll } from '../lib/bundle.ts';
import { shared } from './shared.ts';

let folders: Record<FunctionName, string> | undefined;

/** Returns the folder with the bundle of a function. */
export function bundleOf(name: FunctionName): string {
  const given = process.env[shared.bundles];
  folders ??= given === undefined ? bundleAll() : (JSON.parse(given) as Record<FunctionName, string>);
  return folders[name];
}
