/** Packs folders for npm. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const compiler = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js');

/** Compiles the files that a configuration of TypeScript names. */
export function compile(project: string, outDir: string): void {
  run(process.execPath, [compiler, '--project', join(root, project), '--outDir', outDir]);
}

/** Packs a folder with a manifest. Returns the name of the tarball in `out`. */
export function pack(folder: string, out: string): string {
  const { npm_execpath: npm = '' } = process.env;
  const args = ['pack', folder, '--pack-destination', out, '--ignore-scripts', '--json'];
  const packed = npm.endsWith('npm-cli.js') ? run(process.execPath, [npm, ...args]) : run('npm', args);
  const [first] = JSON.parse(packed) as { readonly filename: string }[];
  return first?.filename ?? '';
}

/** Runs a program in the project's folder. Returns its output. */
function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  return stdout;
}
