/**
 * `npm run trace -- FUNCTION`: reads text with stack traces of a deployed function from its input, and prints it with
 * places in the source. Run it on the commit that is deployed: the same commit gives the same bundle on every machine.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import type { SourceMapPayload } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { environments } from '../lambdas/contract.ts';
import type { FunctionName } from '../lambdas/contract.ts';
import { codeFile } from '../lib/bundle-files.ts';
import { bundleOf } from '../lib/bundle.ts';

const usage = `npm run -s trace -- FUNCTION < TEXT

  FUNCTION  a function of the service: charge, withdraw, …
  TEXT      log lines or a stack trace, with places as ${codeFile}:12:3456`;

const [name = ''] = process.argv.slice(2);
if (!isFunction(name)) {
  console.error(usage);
  process.exit(name === '--help' ? 0 : 2);
}
const payload = JSON.parse(readFileSync(join(bundleOf(name), `${codeFile}.map`), 'utf8')) as SourceMapPayload;
const map = new SourceMap(payload);
const position = new RegExp(String.raw`[^\s(]*${codeFile.replace('.', String.raw`\.`)}:(\d+):(\d+)`, 'g');
const traced = (await text(process.stdin)).replace(position, (found, line: string, column: string) => {
  const origin = map.findOrigin(Number(line), Number(column));
  // Sources are named relative to the bundle, which seems to be two folders below the project.
  return 'fileName' in origin ? `${join('-', '-', origin.fileName)}:${origin.lineNumber}` : found;
});
process.stdout.write(traced);

function isFunction(name: string): name is FunctionName {
  return name in environments;
}
