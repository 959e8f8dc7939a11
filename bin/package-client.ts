/**
 * `npm run package-client`: packs the client for npm, as `dist/wallet-service-client-<version>.tgz`. Node refuses to run
 * TypeScript below node_modules, so the package has compiled code.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../lib/scratch.ts';
import { readOptions } from './options.ts';
import { compile, pack } from './pack.ts';

const usage = `npm run package-client -- [--out FOLDER]

Packs the client and its command: see client/README.md.

  --out FOLDER  the folder for the tarball (default: dist)`;

interface Manifest {
  readonly private: boolean;
}

const root = join(import.meta.dirname, '..');
const { out } = readOptions(usage, { out: { type: 'string', default: join(root, 'dist') } });
const folder = scratchFolder('client');
try {
  compile(join('client', 'tsconfig.json'), join(folder, 'dist'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), undefined, 2)}\n`);
  writeFileSync(join(folder, 'README.md'), readme());
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  cpSync(join(root, 'docs', 'openapi.json'), join(folder, 'openapi.json'));
  mkdirSync(out, { recursive: true });
  console.log(join(out, pack(folder, out)));
} finally {
  rmSync(folder, { recursive: true });
}

/** Returns the manifest, whose paths are those of the compiled files. */
function manifest(): object {
  const { private: _, ...source } = JSON.parse(readFileSync(join(root, 'client', 'package.json'), 'utf8')) as Manifest;
  return {
    ...source,
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './openapi.json': './openapi.json',
      './package.json': './package.json',
    },
    bin: { wallet: './dist/cli/main.js' },
    files: ['dist', 'openapi.json'],
  };
}

/** Returns the README. The document that it links to is in the package. */
function readme(): string {
  return readFileSync(join(root, 'client', 'README.md'), 'utf8').replaceAll('../docs/openapi.json', 'openapi.json');
}
