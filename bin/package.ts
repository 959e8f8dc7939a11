/**
 * `npm run package`: packs the constructs for import by another CDK app, as `dist/<name>-<version>.tgz`. Node refuses
 * to run TypeScript below node_modules, so the package has compiled code. It has the functions as bundles, so that an
 * app that uses it installs neither a bundler nor the functions' dependencies.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { environments } from '../lambdas/contract.ts';
import type { FunctionName } from '../lambdas/contract.ts';
import { bundleOf } from '../lib/bundle.ts';
import { scratchFolder } from '../lib/scratch.ts';
import { readOptions } from './options.ts';
import { compile, pack } from './pack.ts';

const usage = `npm run package -- [--out FOLDER]

Packs the constructs WalletService and WalletStack for import by another CDK app: see lib/README.md.

  --out FOLDER  the folder for the tarball (default: dist)`;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '..');
const modules = join(root, 'node_modules');
const names = Object.keys(environments) as FunctionName[];
const documents = [
  'approvals',
  'bank-files',
  'bank-protocol',
  'batches',
  'console',
  'deploy',
  'disaster',
  'events',
  'fees',
  'holds',
  'integrity',
  'invariants',
  'limits',
  'local-testing',
  'performance',
  'refunds',
  'schedules',
  'releasing',
  'runbook',
  'splits',
  'statements',
  'upgrading',
  'webhooks',
];

/** A link in a document: its words, its file and its anchor. */
const relativeLink = /\[([^\]]+)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)/g;

const { out } = readOptions(usage, { out: { type: 'string', default: join(root, 'dist') } });
const folder = scratchFolder('package');
try {
  fill();
  mkdirSync(out, { recursive: true });
  console.log(join(out, pack(folder, out)));
} finally {
  rmSync(folder, { recursive: true });
}

/** Fills the folder with the content of the package. */
function fill(): void {
  compile('tsconfig.package.json', folder);
  for (const name of names) cpSync(bundleOf(name), join(folder, 'bundles', name), { recursive: true });
  writeFileSync(join(folder, 'bundles', 'LICENSES.txt'), licenses());
  for (const name of documents) cpSync(join(root, 'docs', `${name}.md`), join(folder, 'docs', `${name}.md`));
  cpSync(join(root, 'docs', 'openapi.json'), join(folder, 'docs', 'openapi.json'));
  for (const name of ['events', 'images']) {
    cpSync(join(root, 'docs', name), join(folder, 'docs', name), { recursive: true });
  }
  // In the package it stands beside docs/; in the repository docs/ is one folder up.
  const readme = readFileSync(join(root, 'lib', 'README.md'), 'utf8');
  writeFileSync(join(folder, 'README.md'), readme.replaceAll('](../', ']('));
  for (const file of ['LICENSE', 'CHANGELOG.md']) cpSync(join(root, file), join(folder, file));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), undefined, 2)}\n`);
  for (const path of ['README.md', 'CHANGELOG.md', ...documents.map((name) => `docs/${name}.md`)]) mendLinks(path);
}

/** Replaces links of a document to files that only the repository has by the names of these files. */
function mendLinks(path: string): void {
  const file = join(folder, path);
  const mended = readFileSync(file, 'utf8').replace(
    relativeLink,
    (link, words: string, target: string, anchor = ''): string => {
      const place = posix.join(posix.dirname(path), target);
      // The package has it in its own folder, where registries look for it.
      if (place === 'lib/README.md') return `[${words}](../README.md${String(anchor)})`;
      if (existsSync(join(folder, place))) return link;
      const name = `\`${place}\` in the repository`;
      return place.endsWith(words) ? name : `${words} (${name})`;
    },
  );
  writeFileSync(file, mended);
}

/** Returns the manifest of the package. All that the functions need is in their bundles, so only the CDK is left. */
function manifest(): object {
  const { name, version, description, license, dependencies } = manifestAt(root);
  const cdk = 'aws-cdk-lib';
  return {
    name,
    version,
    description,
    license,
    keywords: ['aws', 'cdk', 'wallet', 'ledger'],
    type: 'module',
    engines: { node: '>=22.12' },
    exports: {
      '.': { types: './lib/exports.d.ts', default: './lib/exports.js' },
      './docs/*': './docs/*',
      './package.json': './package.json',
    },
    imports: { '#bundles': './lib/prebuilt.js' },
    files: ['lib', 'lambdas', 'bundles', 'docs', 'CHANGELOG.md'],
    peerDependencies: {
      // The oldest release that the tests have run on.
      [cdk]: `^${dependencies[cdk] ?? ''}`,
      ...manifestAt(join(modules, cdk)).peerDependencies,
    },
  };
}

function manifestAt(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
}

/** Returns the license of each package whose code is in the bundles. Most licenses demand that copies carry them. */
function licenses(): string {
  const maps = names.flatMap((name) => {
    const files = readdirSync(bundleOf(name)).filter((file) => file.endsWith('.map'));
    return files.map((file) => readFileSync(join(bundleOf(name), file), 'utf8'));
  });
  const sources = maps.flatMap((map) => (JSON.parse(map) as { readonly sources: readonly string[] }).sources);
  const paths = sources.flatMap(
    (source) => /node_modules\/(.*node_modules\/)?(@[^/]+\/)?[^/]+/.exec(source)?.[0] ?? [],
  );
  return [...new Set(paths)]
    .sort()
    .map((path) => {
      const { name, version, license } = manifestAt(join(root, path));
      const file = readdirSync(join(root, path)).find((one) => /^licen[cs]e/i.test(one));
      const text = file === undefined ? '' : `\n${readFileSync(join(root, path, file), 'utf8').trim()}\n`;
      return `${name} ${version} (${license})\n${text}`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
