/** The cloud assembly: the files that a CDK app writes before a deployment. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../../lib/scratch.ts';
import type { Shutdown } from '../process/shutdown.ts';
import { isRecord, TemplateError } from './template.ts';
import type { Template } from './template.ts';

export interface Assembly {
  readonly template: Template;
  readonly stackName: string;
  /** Returns the folder of an asset, by its key in the template. Throws TemplateError. */
  readonly asset: (key: string, where: string) => string;
}

/** Makes a folder for the cloud assembly. Each is new, because the CDK remembers the files that it wrote to a path. */
export function newOutputFolder(dataDir: string | undefined, shutdown: Shutdown): string {
  const prefix = 'cdk.out-';
  if (dataDir) {
    for (const name of readdirSync(dataDir).filter((each) => each.startsWith(prefix))) {
      rmSync(join(dataDir, name), { recursive: true, force: true });
    }
  }
  const folder = dataDir ? mkdtempSync(join(dataDir, prefix)) : scratchFolder('assembly');
  shutdown.add(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/**
 * Runs a CDK app in a process of its own, as the CDK's command line does. So the CDK's memory is free when it ends.
 * Throws TemplateError.
 *
 * @param context values of the app's context, as `cdk -c` gives them
 */
export async function runCdkApp(
  file: string,
  outdir: string,
  context: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const child = fork(file, [], {
    env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new TemplateError(`the stack cannot be synthesized: its process ended with ${String(code)}`);
}

/** Reads a cloud assembly of one stack. */
export function readAssembly(outdir: string): Assembly {
  const read = (name: string) => JSON.parse(readFileSync(join(outdir, name), 'utf8')) as unknown;
  const { artifacts } = read('manifest.json') as { readonly artifacts: Readonly<Record<string, Artifact>> };
  const [stack, another] = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  if (stack === undefined || another !== undefined) throw new TemplateError('the cloud assembly has not one stack');
  const [artifactId, { properties }] = stack;
  const manifest = read(`${artifactId}.assets.json`);
  const files = isRecord(manifest) && isRecord(manifest['files']) ? Object.values(manifest['files']) : [];
  const folders = new Map<string, string>();
  for (const file of files as AssetFile[]) {
    for (const { objectKey } of Object.values(file.destinations)) {
      folders.set(objectKey, join(outdir, file.source.path));
    }
  }
  return {
    template: read(properties.templateFile) as Template,
    stackName: properties.stackName ?? artifactId,
    asset(key, where) {
      const folder = folders.get(key);
      if (folder && statSync(folder).isDirectory()) return folder;
      throw new TemplateError(`${where}: asset ${key} is not a folder of the cloud assembly`);
    },
  };
}

/** A stack in the manifest of a cloud assembly. */
interface Artifact {
  readonly type: string;
  readonly properties: { readonly templateFile: string; readonly stackName?: string };
}

interface AssetFile {
  readonly source: { readonly path: string };
  readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
}
