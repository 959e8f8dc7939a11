import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionName } from '../lambdas/contract.ts';
import { bundleFile, codeFile } from '../lib/bundle-files.ts';
import { bundle, bundleOf } from '../lib/bundle.ts';
import type { FunctionSource } from '../lib/bundle.ts';
import { nodeOptionsOf } from '../lib/wallet-function.ts';
import { figure, median, table as tableOf, verdict } from './report.ts';

/** The cost of importing a function's bundle, beside smaller imports. CPU time (user and system) in milliseconds. */
export interface ImportTime {
  readonly function: FunctionName;
  readonly bytes: number;
  /** Medians of whole processes above one that imports an empty module: the function. */
  readonly aboveEmptyMs: number;
  /** A handler with one signed call that is written by hand. */
  readonly floorMs: number;
  /** Only the SDK clients that the function uses. */
  readonly clientsMs: number;
  /** The clients that `clientsMs` measures. */
  readonly clients: string;
  /** The empty process itself. */
  readonly emptyMs: number;
  /** Most that the function may cost; undefined: none was set. */
  readonly targetMs: number | undefined;
  readonly within: boolean;
}

/** Most that an import may cost above an empty process, ms of CPU. */
const targets: Partial<Record<FunctionName, number>> = { transfer: 40, withdraw: 40 };

/** Code besides SDK clients without which a function cannot work. */
const essentials: Partial<Record<FunctionName, { name: string; source: string }>> = {
  authorizer: {
    name: 'aws-jwt-verify + dynamodb',
    source: `import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { JwtVerifier } from 'aws-jwt-verify';
export const open = () => JwtVerifier.create({ issuer: 'https://issuer.example', audience: 'wallet' });
export const client = [new DynamoDBClient({}), GetItemCommand, PutItemCommand];`,
  },
};

/**
 * Measures functions in whole fresh processes with the options of a default deployment. The function, its clients, the
 * floor and an empty process take turns, so that noise of the machine affects all alike. Each comes first equally
 * often.
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
    const clients = new Map(names.map((name) => [name, clientsOf(name)]));
    const sources: Record<string, FunctionSource> = {
      floor: { file: join(import.meta.dirname, 'floor-handler.ts'), variables: ['TABLE_NAME'] },
    };
    for (const { source } of clients.values()) {
      const key = keyOf(source);
      const file = join(folder, key, 'entry.mjs');
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, source);
      sources[key] = { file, variables: [] };
    }
    const bundles = bundle(sources);
    const empty = join(folder, 'empty.mjs');
    writeFileSync(empty, '');
    const env = { ...environment, ...nodeOptionsOf(false), PATH: process.env['PATH'] ?? '' };
    return names.map((name) => {
      progress(name);
      const { name: clientNames, source } = clients.get(name) ?? clientsOf(name);
      const own = join(bundleOf(name), bundleFile);
      const files = [own, ...[keyOf(source), 'floor'].map((key) => join(bundles[key] ?? '', bundleFile)), empty];
      const [mine = [], bare = [], floor = [], none = []] = measureInTurn(files, pairs, env);
      const above = (times: readonly number[]) => median(times.map((each, pair) => each - (none[pair] ?? NaN)));
      const targetMs = targets[name];
      const aboveEmptyMs = above(mine);
      return {
        function: name,
        bytes: statSync(join(bundleOf(name), codeFile)).size,
        aboveEmptyMs,
        floorMs: above(floor),
        clientsMs: above(bare),
        clients: clientNames,
        emptyMs: median(none),
        targetMs,
        within: targetMs === undefined || aboveEmptyMs <= targetMs,
      };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function keyOf(source: string): string {
  return Buffer.from(source).toString('base64url').slice(-48);
}

/** Returns the SDK clients and commands in a function's bundle, by its source map, as a module that only makes them. */
function clientsOf(name: FunctionName): { name: string; source: string } {
  const essential = essentials[name];
  if (essential !== undefined) return essential;
  const map = JSON.parse(readFileSync(join(bundleOf(name), `${codeFile}.map`), 'utf8')) as { sources: string[] };
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
export const client${index} = [new ${client}({}), ${commands.join(', ')}];`;
    });
  return {
    name: [...clients.keys()]
      .map((library) => library.replace('client-', ''))
      .sort()
      .join(' + '),
    source: ['export const open = () => undefined;', ...lines].join('\n'),
  };
}

/** Returns the times of each file, in the order of the rounds. */
function measureInTurn(files: readonly string[], rounds: number, env: Record<string, string>): number[][] {
  const times = files.map((): number[] => []);
  for (const file of files) measureProcess(file, env); // The first start reads the disk.
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < files.length; turn++) {
      const which = (round + turn) % files.length;
      times[which]?.push(measureProcess(files[which] ?? '', env));
    }
  }
  return times;
}

/** Imports a file as Lambda does, in a process of its own. Returns the whole process's CPU time, ms. */
function measureProcess(file: string, env: Record<string, string>): number {
  const script = `await import('${pathToFileURL(file).href}');
    const { user, system } = process.cpuUsage();
    process.stdout.write(String((user + system) / 1000));
    process.exit();`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${file} ended with ${String(status)}: ${stderr}`);
  return Number(stdout);
}

/** Returns the times as a table. */
export function importTable(times: readonly ImportTime[]): string {
  return tableOf(
    ['function', 'kB', 'CPU ms', 'target', '', 'by hand', 'bare clients', 'empty process', 'clients'],
    times.map((time) => [
      time.function,
      figure(Math.round(time.bytes / 1000)),
      figure(time.aboveEmptyMs),
      time.targetMs === undefined ? '' : figure(time.targetMs),
      time.targetMs === undefined ? '' : verdict(time.within),
      figure(time.floorMs),
      figure(time.clientsMs),
      figure(time.emptyMs),
      time.clients,
    ]),
  );
}
