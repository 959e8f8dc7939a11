import { buildSync, stop } from 'esbuild';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join, relative } from 'node:path';
import { consolePageFile, environments, logLevelVariable } from '../lambdas/contract.ts';
import type { FunctionName } from '../lambdas/contract.ts';
import { bundleFile, codeFile } from './bundle-files.ts';
import { buildConsolePage, consoleMapFile } from './console-page.ts';
import { scratchFolder } from './scratch.ts';

const root = dirname(import.meta.dirname);

// Output folder that esbuild is given and does not write. Source maps name sources relative to it. So the same commit
// gives the same bytes, and the same asset hash, on every machine and in every output folder.
const virtualFolder = join(root, 'bundles');

/** Replacements for parts of the AWS SDK that an import would load and that no function needs. */
const replacements = {
  '@aws-sdk/credential-provider-node': join(root, 'lambdas', 'sdk', 'environment-credentials.ts'),
  '@smithy/core/event-streams': join(root, 'lambdas', 'sdk', 'no-event-streams.ts'),
};

/**
 * Returns a module with the document client and its commands, and without the package's paginators. The package makes
 * them while it loads, so every bundle would hold Query and Scan.
 */
function documentClientModule(): string {
  const { resolve } = createRequire(import.meta.url);
  const code = join(dirname(resolve('@aws-sdk/lib-dynamodb/package.json')), 'dist-es');
  return `export { DynamoDBDocumentClient } from ${JSON.stringify(join(code, 'DynamoDBDocumentClient.js'))};
export * from ${JSON.stringify(join(code, 'commands', 'index.js'))};
`;
}

/** A function to bundle. */
export interface FunctionSource {
  /** The file that exports `open`: absolute, or relative to the working directory. */
  readonly file: string;
  /** Variables that `open` reads. */
  readonly variables: readonly string[];
}

/**
 * Returns the module that Lambda loads. It opens the function with its environment, and waits for that within the time
 * that Lambda gives to a start. A missing variable fails the start, and the deployment that caused it, instead of the
 * first request that needs it. The code is no ES module: its imports of Node's own modules would read all their
 * exports, and those of `node:http` load undici.
 *
 * Powertools prefers Lambda's level of logs, which is `INFO` unless a function sets it. Above `INFO` Lambda would also drop
 * all metrics, as their lines have no level. So the service's own level removes Lambda's.
 */
function loaderOf(name: string, variables: readonly string[]): string {
  return `import { createRequire } from 'node:module';
const missing = ${JSON.stringify(variables)}.filter((variable) => !process.env[variable]);
if (missing.length > 0) throw new Error(\`function ${name} lacks environment variables: \${missing.join(', ')}\`);
if (process.env.${logLevelVariable}) delete process.env.AWS_LAMBDA_LOG_LEVEL;
const { open } = createRequire(import.meta.url)('./${codeFile}');
export const handler = await open(process.env);
`;
}

/**
 * Bundles functions for Lambda, all in one pass, so that shared sources are parsed once.
 *
 * @returns folder by name; each holds `bundleFile`, `codeFile` and its source map. The folders are deleted when the
 * process ends: `Code.fromAsset` has copied them into the cloud assembly by then.
 */
export function bundle<Name extends string>(sources: Readonly<Record<Name, FunctionSource>>): Record<Name, string> {
  const names = Object.keys(sources) as Name[];
  const folder = scratchFolder('bundles');
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const documentClient = join(folder, 'document-client.js');
  writeFileSync(documentClient, documentClientModule());
  const { outputFiles } = buildSync({
    entryPoints: names.map((name) => ({
      in: sources[name].file,
      out: join(name, basename(codeFile, extname(codeFile))),
    })),
    outdir: virtualFolder,
    write: false,
    outExtension: { '.js': extname(codeFile) },
    bundle: true,
    format: 'cjs',
    supported: { 'dynamic-import': false },
    platform: 'node',
    target: 'node24',
    alias: { ...replacements, '@aws-sdk/lib-dynamodb': documentClient },
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
  for (const file of outputFiles) {
    const target = join(folder, relative(virtualFolder, file.path));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.contents);
  }
  for (const name of names) writeFileSync(join(folder, name, bundleFile), loaderOf(name, sources[name].variables));
  return Object.fromEntries(names.map((name) => [name, join(folder, name)])) as Record<Name, string>;
}

/** Returns the source of a function of the service. */
export function sourceOf(name: FunctionName): FunctionSource {
  const api = join(root, 'lambdas', 'api', `${name}.ts`);
  const file = existsSync(api) ? api : join(root, 'lambdas', 'workers', `${name}.ts`);
  return { file, variables: environments[name] };
}

/** Bundles all functions of the service, and the page of the console beside its function. Returns the folder of each. */
export function bundleAll(): Record<FunctionName, string> {
  const names = Object.keys(environments) as FunctionName[];
  const sources = names.map((name) => [name, sourceOf(name)] as const);
  const folders = bundle(Object.fromEntries(sources) as Record<FunctionName, FunctionSource>);
  const { page, map } = buildConsolePage();
  writeFileSync(join(folders.console, consolePageFile), JSON.stringify(page));
  writeFileSync(join(folders.console, consoleMapFile), map);
  return folders;
}

let folders: Record<FunctionName, string> | undefined;

/** Returns the folder with the bundle of a function of the service. The first call bundles all of them. */
export function bundleOf(name: FunctionName): string {
  folders ??= bundleAll();
  return folders[name];
}
