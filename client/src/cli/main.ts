#!/usr/bin/env node
/** The entry point of `wallet`. */
import { text } from 'node:stream/consumers';
import { run } from './run.ts';

const interrupt = new AbortController();
process.once('SIGINT', () => {
  interrupt.abort(new Error('interrupted'));
});
process.exitCode = await run(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
  env: process.env,
  readInput: () => text(process.stdin),
  fetch: globalThis.fetch,
  signal: interrupt.signal,
});
