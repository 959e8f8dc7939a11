import { buildSync, stop } from 'esbuild';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ConsolePage } from '../lambdas/contract.ts';

const root = dirname(import.meta.dirname);
const sources = join(root, 'console');

/** The source map of the page's script, which names the packages in it. */
export const consoleMapFile = 'page.js.map';

/** Bundles the console from console/. Returns the page and the source map of its script. */
export function buildConsolePage(): { readonly page: ConsolePage; readonly map: string } {
  const { outputFiles } = buildSync({
    entryPoints: [join(sources, 'main.tsx'), join(sources, 'style.css')],
    outdir: sources,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome120', 'firefox121', 'safari17'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
  // As in lib/bundle.ts: esbuild would keep a process for the next call.
  void stop();
  const output = (name: string): string => outputFiles.find(({ path }) => path === join(sources, name))?.text ?? '';
  const script = output('main.js').trim();
  const style = output('style.css').trim();
  const template = readFileSync(join(sources, 'page.html'), 'utf8');
  const html = [
    ['<style></style>', `<style>${style}</style>`],
    ['<script type="module"></script>', `<script type="module">${script}</script>`],
  ].reduce((page, [mark = '', filled = '']) => {
    if (!page.includes(mark)) throw new Error(`console/page.html must have ${mark}`);
    return page.replace(mark, () => filled);
  }, template);
  return { page: { html, scriptHash: hashOf(script), styleHash: hashOf(style) }, map: output('main.js.map') };
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
