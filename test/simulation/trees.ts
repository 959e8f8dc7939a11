/** Copies of the project, each with its own version of the code. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Contract from '../../lambdas/contract.ts';
import { scratchFolder } from '../../lib/scratch.ts';
import { namesOf } from './deployment.ts';
import type { ReleaseModule } from './deployment.ts';
import type { Edit } from './mutation.ts';
import { reading, writing } from './newer-releases.ts';
import type { Releases } from './upgrade.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const left: ReadonlySet<string> = new Set(['node_modules', 'cdk.out', 'dist']);

/** Copies this project to a folder, and links its packages. */
export function copyProject(to: string): void {
  mkdirSync(to, { recursive: true });
  for (const part of readdirSync(root)) {
    if (!part.startsWith('.') && !left.has(part)) cpSync(join(root, part), join(to, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'));
}

/** Makes an edit in a copy. Throws unless its text stands there exactly once. */
export function makeEdit(copy: string, { file, text, replacement }: Edit): void {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(text).length !== 2) throw new Error(`"${text}" does not occur exactly once in ${file}`);
  writeFileSync(
    path,
    source.replace(text, () => replacement),
  );
}

/** The folders of the releases of an upgrade. */
export interface Trees {
  readonly folder: string;
  /** The commit of the old release. */
  readonly oldRef: string;
  readonly old: string;
  readonly reader: string;
  readonly writers: Readonly<Record<string, string>>;
}

/**
 * Makes the folders of an upgrade: the old release at `ref` (absent: the last tag, or else the last commit; without
 * git this folder), and the newer ones from this folder. The caller must remove them.
 */
export function makeTrees(ref: string | undefined): Trees {
  const folder = scratchFolder('upgrade');
  const copy = (name: string, edits: readonly Edit[]) => {
    const to = join(folder, name);
    copyProject(to);
    for (const edit of edits) makeEdit(to, edit);
    return to;
  };
  const oldRef = ref ?? git(['describe', '--tags', '--abbrev=0']) ?? git(['rev-parse', 'HEAD']) ?? '';
  const old = oldRef === '' ? copy('old', []) : extract(oldRef, join(folder, 'old'));
  const writers = Object.entries(writing).map(([name, edits]) => [name, copy(name, [...reading, ...edits])]);
  return {
    ...{ folder, old, oldRef: oldRef === '' ? 'this folder' : oldRef },
    reader: copy('reader', reading),
    writers: Object.fromEntries(writers) as Trees['writers'],
  };
}

export function removeTrees({ folder }: Trees): void {
  rmSync(folder, { recursive: true });
}

/** Imports the releases of an upgrade. */
export async function importReleases({ old, reader, writers }: Trees): Promise<Releases> {
  const importFrom = (folder: string, ...path: string[]): Promise<unknown> =>
    import(pathToFileURL(join(folder, ...path)).href);
  const moduleIn = async (folder: string): Promise<ReleaseModule> => {
    const release = (await importFrom(folder, 'test', 'simulation', 'release.ts')) as Omit<ReleaseModule, 'routes'>;
    const { routes } = (await importFrom(folder, 'lambdas', 'contract.ts')) as typeof Contract;
    release.telemetry.silence();
    return { ...release, routes: namesOf(routes) };
  };
  const imported: [string, ReleaseModule][] = [];
  for (const [name, folder] of Object.entries(writers)) imported.push([name, await moduleIn(folder)]);
  return { old: await moduleIn(old), reader: await moduleIn(reader), writers: Object.fromEntries(imported) };
}

/** Writes the project as it was at a commit to a folder. Returns the folder. */
function extract(ref: string, to: string): string {
  mkdirSync(to);
  const archive = `${to}.tar`;
  if (git(['archive', '--output', archive, ref]) === undefined) throw new Error(`git has no commit ${ref}`);
  const { status, stderr } = spawnSync('tar', ['-xf', archive, '-C', to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar failed: ${stderr}`);
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'));
  return to;
}

/** Returns the output of git; undefined when it fails. */
function git(args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
