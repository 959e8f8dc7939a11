/** The cloud assembly: the CDK app synthesized in process, just as the CDK's command line would before a deployment. */
import type { App, Stack } from 'aws-cdk-lib';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { newApp } from '../lib/app.ts';
import { scratchFolder } from '../lib/scratch.ts';
import { isRecord, TemplateError, type Template } from './template.ts';

export interface Assembly {
  readonly template: Template;
  readonly stackName: string;
  /** Folder of an asset, by its key in the template. Throws TemplateError. */
  readonly asset: (key: string, where: string) => string;
}

/** A folder for the cloud assembly; never one that was used before, because the CDK remembers what it put where. */
export function newOutputFolder(dataDir: string | undefined, stops: (() => unknown)[]): string {
  const prefix = 'cdk.out-';
  if (dataDir) {
    for (const name of readdirSync(dataDir).filter((each) => each.startsWith(prefix))) {
      rmSync(join(dataDir, name), { recursive: true, force: true });
    }
  }
  const folder = dataDir ? mkdtempSync(join(dataDir, prefix)) : scratchFolder('assembly');
  stops.push(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** The stack that `build` adds to an app, synthesized into `outdir`. */
export function synthesize(build: (app: App) => Stack, outdir: string): Assembly {
  const app = newApp({ outdir, builtinCloudFormationValidation: false });
  const { artifactId, stackName } = build(app);
  const artifact = app.synth().getStackArtifact(artifactId);
  const manifest: unknown = JSON.parse(readFileSync(join(outdir, `${artifactId}.assets.json`), 'utf8'));
  const files = isRecord(manifest) && isRecord(manifest['files']) ? Object.values(manifest['files']) : [];
  const folders = new Map<string, string>();
  for (const file of files as AssetFile[]) {
    for (const { objectKey } of Object.values(file.destinations))
      folders.set(objectKey, join(outdir, file.source.path));
  }
  return {
    template: artifact.template as Template,
    stackName,
    asset(key, where) {
      const folder = folders.get(key);
      if (folder && statSync(folder).isDirectory()) return folder;
      throw new TemplateError(`${where}: asset ${key} is not a folder of the cloud assembly`);
    },
  };
}

interface AssetFile {
  readonly source: { readonly path: string };
  readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
}
