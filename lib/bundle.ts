import { buildSync, stop } from 'esbuild';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { environments } from '../lambdas/contract.ts';
import type { FunctionName } from '../lambdas/contract.ts';
import { scratchFolder } from './scratch.ts';

const root = dirname(import.meta.dirname);

// Folder in which the bundles seem to be while esbuild runs. Source maps name sources relative to it. So the same
// commit gives the same bytes, and the same asset hash, on every machine and in every output folder.
const virtualFolder = join(root, 'bundles');

/** Replacements for parts of the AWS SDK that an import would load and that no function needs. */
const replacements = {
  '@aws-sdk/credential-provider-node': join(root, 'lambdas', 'sdk', 'environment-credentials.ts'),
  '@smithy/core/event-streams': join(root, 'lambdas', 'sdk', 'no-event-streams.ts'),
};

/** The file of a bundle that Lambda loads. */
export const bundleFile = 'index.mjs';
/** The file with a bundle's code; next to it is its source map, `<file>.map`. */
export const codeFile = 'function.cjs';

/**
 * Loads the code and waits until it is ready, within the time that Lambda gives to a start. The code is no ES module:
 * its imports of Node's own modules would read all their exports, and those of `node:http` load undici.
 */
const loader = `import { createRequire } from 'node:module';
const { handler, ready } = createRequire(import.meta.url)('./${codeFile}');
await ready;
export { handler };
`;

/**
 * Bundles entry files for Lambda, all in one pass, so that shared sources are parsed once.
 *
 * @param entries source file by name, absolute or relative to the working directory
 * @returns folder by name; each holds `bundleFile`, `codeFile` and its source map. The folders are deleted when the
 * process ends: `Code.fromAsset` has copied them into the cloud assembly by then.
 */
export function bundle<Name extends string>(entries: Readonly<Record<Name, string>>): Record<Name, string> {
  const names = Object.keys(entries) as Name[];
  const { outputFiles } = buildSync({
    entryPoints: names.map((name) => ({ in: entries[name], out: join(name, basename(codeFile, extname(codeFile))) })),
    outdir: virtualFolder,
    write: false,
    outExtension: { '.js': extname(codeFile) },
    bundle: true,
    format: 'cjs',
    supported: { 'dynamic-import': false },
    platform: 'node',
    target: 'node24',
    alias: replacements,
    // The SDK's ES modules let esbuild drop unused code. A bundled SDK is the tested one, and imports faster than the
    // one on Lambda's disk. So nothing is left external.
    mainFields: ['module', 'main'],
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
  // Without this, esbuild keeps a process of several hundred megabytes for the next call.
  void stop();
  const folder = scratchFolder('bundles');
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (const file of outputFiles) {
    const target = join(folder, relative(virtualFolder, file.path));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.contents);
  }
  for (const name of names) writeFileSync(join(folder, name, bundleFile), loader);
  return Object.fromEntries(names.map((name) => [name, join(folder, name)])) as Record<Name, string>;
}

/** Returns the source file of a function of the service. */
export function entryOf(name: FunctionName): string {
  const api = join(root, 'lambdas', 'api', `${name}.ts`);
  return existsSync(api) ? api : join(root, 'lambdas', 'workers', `${name}.ts`);
}

let folders: Record<FunctionName, string> | undefined;

/** Returns the folder with the bundle of a function of the service. The first call bundles all of them. */
export function bundleOf(name: FunctionName): string {
  folders ??= bundle(
    Object.fromEntries((Object.keys(environments) as FunctionName[]).map((each) => [each, entryOf(each)])) as Record<
      FunctionName,
      string
    >,
  );
  return folders[name];
}
