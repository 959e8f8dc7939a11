/**
 * The bundles of the package, which `npm run package` has made. In the package they stand in for lib/bundle.ts, so that
 * an app that uses it needs no bundler and none of the functions' dependencies.
 */
import { join } from 'node:path';
import type { FunctionName } from '../lambdas/contract.ts';

/** Returns the folder with the bundle of a function of the service. */
export function bundleOf(name: FunctionName): string {
  return join(import.meta.dirname, '..', 'bundles', name);
}
