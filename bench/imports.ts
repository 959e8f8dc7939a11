import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FunctionName } from '../lambdas/contract.ts';
import { bundle, bundleOf } from '../lib/bundle.ts';
import { figure, median, table as tableOf, verdict } from './report.ts';

/** How long a function's bundle takes to import, against a bundle of only the SDK clients that it uses. */
export interface ImportTime {
  readonly function: FunctionName;
  /** What the baseline is made of. */
  readonly baseline: string;
  readonly bytes: number;
  readonly baselineBytes: number;
  /** Medians of whole processes from start to end, in milliseconds. */
  readonly ms: number;
  readonly baselineMs: number;
  /** A process that imports nothing. */
  readonly emptyMs: number;
  /** Median over the pairs of the function's time by the baseline's, of whole processes. */
  readonly ratio: number;
  /** The same from the medians, with the empty process taken off both. */
  readonly netRatio: number;
  readonly within: boolean;
}

/** Most that a function may take, as a multiple of its baseline. */
export const importTarget = 1.25;

/** What functions cannot do without besides SDK clients. */
const essentials: Partial<Record<FunctionName, { name: string; source: string }>> = {
  authorizer: {
    name: 'aws-jwt-verify + dynamodb',
    source: `import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { JwtVerifier } from 'aws-jwt-verify';
export const baseline = JwtVerifier.create({ issuer: 'https://issuer.example', audience: 'wallet' });
export const client = [new DynamoDBClient({}), GetItemCommand, PutItemCommand];`,
  },
};

/**
 * Measures functions in whole fresh processes: the function, its baseline and an empty process in turn, so that noise
 * of the machine meets them alike, and each first in its turn equally often.
 *
 * @param pairs how often each is started
 */
export function measureImports(
  names: readonly FunctionName[],
  pairs: number,
  environment: Readonly<Record<string, string>>,
  progress: (line: string) => void,
): ImportTime[] {
  progress('bundling');
  // Inside the project, where the libraries are found.
  const modules = join(dirname(import.meta.dirname), 'node_modules');
  const folder = mkdtempSync(join(modules, '.wallet-bench-'));
  try {
    const baselines = new Map(names.map((name) => [name, baselineOf(name)]));
    const entries: Record<string, string> = {};
    for (const { source } of baselines.values()) {
      const key = keyOf(source);
      mkdirSync(join(folder, key), { recursive: true });
      entries[key] = join(folder, key, 'entry.mjs');
      writeFileSync(entries[key], source);
    }
    const bundles = bundle(entries);
    const empty = join(folder, 'empty.mjs');
    writeFileSync(empty, '');
    const env = { ...environment, PATH: process.env['PATH'] ?? '' };
    return names.map((name) => {
      progress(name);
      const { name: baseline, source } = baselines.get(name) ?? baselineOf(name);
      const files = [
        join(bundleOf(name), 'index.mjs'),
        join(bundles[keyOf(source)] ?? '', 'index.mjs'),
        empty,
      ] as const;
      const [own, bare, none] = timeInTurn(files, pairs, env);
      const [ms, baselineMs, emptyMs] = [median(own), median(bare), median(none)];
      const ratio = median(own.map((each, pair) => each / (bare[pair] ?? NaN)));
      return {
        function: name,
        baseline,
        bytes: statSync(files[0]).size,
        baselineBytes: statSync(files[1]).size,
        ms,
        baselineMs,
        emptyMs,
        ratio,
        netRatio: (ms - emptyMs) / (baselineMs - emptyMs),
        within: ratio <= importTarget,
      };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function keyOf(source: string): string {
  return Buffer.from(source).toString('base64url').slice(-48);
}

/** The SDK clients and commands in a function's bundle, by its source map, as a module that only makes them. */
function baselineOf(name: FunctionName): { name: string; source: string } {
  const essential = essentials[name];
  if (essential !== undefined) return essential;
  const map = JSON.parse(readFileSync(join(bundleOf(name), 'index.mjs.map'), 'utf8')) as { sources: string[] };
  const clients = new Map<string, { client?: string; commands: string[] }>();
  for (const source of map.sources) {
    const [, library, command, client] =
      /@aws-sdk\/(client-[\w-]+)\/dist-es\/(?:commands\/(\w+Command)|(\w+Client))\.js$/.exec(source) ?? [];
    // Endpoint discovery is the client's own.
    if (library === undefined || command === 'DescribeEndpointsCommand') continue;
    const known = clients.get(library) ?? { commands: [] };
    clients.set(library, client ? { ...known, client } : { ...known, commands: [...known.commands, command ?? ''] });
  }
  if (clients.size === 0) throw new Error(`function ${name} uses no SDK client: give it a baseline`);
  const lines = [...clients]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([library, { client = '', commands }], index) => {
      const imported = [client, ...commands.sort()].join(', ');
      return `import { ${imported} } from '@aws-sdk/${library}';
export const baseline${index} = [new ${client}({}), ${commands.join(', ')}];`;
    });
  return {
    name: [...clients.keys()]
      .map((library) => library.replace('client-', ''))
      .sort()
      .join(' + '),
    source: lines.join('\n'),
  };
}

function timeInTurn(files: readonly [string, string, string], rounds: number, env: Record<string, string>) {
  const times: [number[], number[], number[]] = [[], [], []];
  for (const file of files) timeProcess(file, env); // The first start reads the disk.
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < files.length; turn++) {
      const which = ((round + turn) % files.length) as 0 | 1 | 2;
      times[which].push(timeProcess(files[which], env));
    }
  }
  return times;
}

function timeProcess(file: string, env: Record<string, string>): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [file], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const tookMs = performance.now() - startedAt;
  if (status !== 0) throw new Error(`${file} ended with ${String(status)}: ${stderr.toString()}`);
  return tookMs;
}

/** The times as a table. */
export function importTable(times: readonly ImportTime[]): string {
  return tableOf(
    ['function', 'kB', 'bare clients kB', 'ms', 'bare ms', 'empty ms', 'ratio', 'without empty', '', 'bare clients'],
    times.map((time) => [
      time.function,
      figure(Math.round(time.bytes / 1000)),
      figure(Math.round(time.baselineBytes / 1000)),
      figure(time.ms),
      figure(time.baselineMs),
      figure(time.emptyMs),
      time.ratio.toFixed(2),
      time.netRatio.toFixed(2),
      verdict(time.within),
      time.baseline,
    ]),
  );
}
