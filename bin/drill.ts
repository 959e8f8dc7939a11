/**
 * `npm run drill`: a rehearsal of a loss on this machine. A service of its own moves money, its wallet table is lost and
 * comes back from a copy that is stale and torn, while the bank has gone on paying. Then the recovery, a restart and the
 * check of the books. Exits 0 when the books are sound.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { earliestDue } from '../lambdas/store/due.ts';
import { openTable } from '../lambdas/store/table.ts';
import type { Table } from '../lambdas/store/table.ts';
import { startBankSimulator } from '../local/bank/bank-simulator.ts';
import { startEngine } from '../local/dynamodb/dynamodb.ts';
import { openDrillClient, driveTraffic } from './drill/traffic.ts';
import type { Acknowledged } from './drill/traffic.ts';
import { copyTable, forgetStream, replaceTable } from './drill/stale-copy.ts';
import { startLocalService } from './local-service.ts';
import type { LocalService } from './local-service.ts';
import { failWith, readOptions } from './options.ts';

const usage = `npm run drill -- [options]

  --seconds N  how long money moves before the copy, and again until the loss (10)
  --wallets N  wallets that it moves between (8)`;

const values = readOptions(usage, {
  seconds: { type: 'string', default: '10' },
  wallets: { type: 'string', default: '8' },
});
const [phaseMs, wallets] = [1_000 * Number(values.seconds), Number(values.wallets)];
const secret = 'drill';
/** Work ends within this time after the restart: the sweeper's minute, and a few visits to the bank. */
const patienceMs = 240_000;
const progressSeconds = 5;
/** The id of the runner's bank. */
const bankId = 'simulator';

interface Names {
  readonly table: string;
  readonly entries: string;
  readonly archive: string;
}

function namesOf(service: LocalService): Names {
  const { TableName: table = '', EntriesTableName: entries = '', AuditBucketName: bucket = '' } = service.outputs;
  return { table, entries, archive: bucket };
}

async function drill(dataDir: string): Promise<boolean> {
  const start = () => startLocalService({ dataDir, bank: { latencyMs: 200, failureRate: 0.1 } });
  console.log('A service of its own begins, and money moves.');
  let service = await start();
  const names = namesOf(service);
  const acknowledged: Acknowledged[] = [];
  const client = await openDrillClient(service);
  const traffic = driveTraffic(client, { wallets, until: Date.now() + 2 * phaseMs, acknowledged });
  await sleep(phaseMs);
  const copiedAt = Date.now();
  const copy = await copyTable(service.aws.endpoint, names.table);
  console.log(
    `The wallet table is copied while it moves: ${copy.items.length} items. Money moves on, and the bank pays.`,
  );
  await traffic;
  await service.stop();
  const lostAt = Date.now();

  console.log('The wallet table is lost, and the copy put in its place.');
  const recovered = await recover(dataDir, { names, copy, copiedAt });
  service = await start();
  console.log('The service runs again.');
  try {
    const isSound = await settle(service, names);
    summarize({ acknowledged, copiedAt, lostAt, recovered });
    return isSound;
  } finally {
    await service.stop();
  }
}

interface Recovered {
  readonly seconds: number;
  readonly output: string;
  /** The ids of the transactions that were restored or put back, and of those that were named as lost. */
  readonly there: ReadonlySet<string>;
  readonly named: ReadonlySet<string>;
}

async function recover(
  dataDir: string,
  loss: { readonly names: Names; readonly copy: Awaited<ReturnType<typeof copyTable>>; readonly copiedAt: number },
): Promise<Recovered> {
  const { names, copy, copiedAt } = loss;
  const file = join(dataDir, 'dynamodb.sqlite');
  forgetStream(file, names.table);
  const engine = await startEngine(file);
  const bank = await startBankSimulator({
    keys: () => [secret],
    latencyMs: 0,
    failureRate: 0,
    dataFile: join(dataDir, 'bank.json'),
  });
  try {
    await replaceTable(engine.endpoint, names.table, copy);
    const startedAt = performance.now();
    const tables = ['--table', names.table, '--entries-table', names.entries, '--endpoint', engine.endpoint];
    const { output, code } = await run('recover', [
      ...[...tables, '--bank-url', bank.url, '--bank-id', bankId, '--stopped'],
      ...['--restored-to', new Date(copiedAt).toISOString(), '--events', join(dataDir, 'buckets', names.archive)],
    ]);
    if (code === 2) throw new Error(`the recovery could not be made:\n${output}`);
    const seconds = (performance.now() - startedAt) / 1000;
    const putBack = Array.from(output.matchAll(/(tx_[a-z2-7]{26}): put back/g), ([, id = '']) => id);
    const named = Array.from(output.matchAll(/DIFFERENCE \w+ (tx_[a-z2-7]{26})/g), ([, id = '']) => id);
    const restored = copy.items.map(({ pk }) => pk?.S?.slice('TX#'.length) ?? '');
    return { seconds, output, there: new Set([...restored, ...putBack]), named: new Set(named) };
  } finally {
    await bank.stop();
    await engine.stop();
  }
}

/** Waits until all open work has ended, and checks the books. */
async function settle(service: LocalService, names: Names): Promise<boolean> {
  const { endpoint, region, credentials } = service.aws;
  const dynamodb = new DynamoDBClient({ endpoint, region, credentials });
  await untilWorkEnds(openTable(dynamodb, names.table));
  dynamodb.destroy();
  const { output, code } = await run('verify', [
    ...['--table', names.table, '--entries-table', names.entries, '--endpoint', service.aws.endpoint],
    ...['--stand-still', '--second-look', '5'],
  ]);
  console.log(
    output
      .split('\n')
      .filter((line) => /^DISCREPANCY|books are sound|discrepancies:/.test(line))
      .join('\n'),
  );
  return code === 0;
}

/** Waits until no work is open, and prints how long that takes: the sweeper may need a minute to find it. */
async function untilWorkEnds(table: Table): Promise<void> {
  console.log('Open work ends now, which takes up to a minute.');
  const startedAt = Date.now();
  for (let seconds = 1; Date.now() < startedAt + patienceMs; seconds++) {
    const dueAt = await earliestDue(table);
    if (dueAt === undefined) {
      console.log(`  ${((Date.now() - startedAt) / 1000).toFixed(1)} s: no work is open. The books are checked.`);
      return;
    }
    if (seconds % progressSeconds === 0) console.log(`  ${seconds} s: work is open, the earliest due at ${dueAt}`);
    await sleep(1_000);
  }
}

function summarize(drilled: {
  readonly acknowledged: readonly Acknowledged[];
  readonly copiedAt: number;
  readonly lostAt: number;
  readonly recovered: Recovered;
}): void {
  const { acknowledged, copiedAt, lostAt, recovered } = drilled;
  const { output, seconds, there, named } = recovered;
  const after = acknowledged.filter(({ at }) => at >= copiedAt);
  const lost = after.filter(({ transactionId }) => !there.has(transactionId));
  const isNamed = ({ transactionId }: Acknowledged) => named.has(transactionId);
  const first = Math.min(...lost.map(({ at }) => at));
  console.log(
    output
      .split('\n')
      .filter((line) => /^(Repairs|DIFFERENCE)/.test(line))
      .join('\n'),
  );
  console.log(
    [
      `Copy: ${((lostAt - copiedAt) / 1000).toFixed(1)} s before the loss`,
      `Acknowledged since the copy: ${after.length} commands, of which ${lost.length} are lost; ${lost.filter(isNamed).length} of these are named`,
      `RPO: ${lost.length === 0 ? 'nothing is lost' : `${((lostAt - first) / 1000).toFixed(1)} s`}`,
      `RTO: ${seconds.toFixed(1)} s for the recovery of ${acknowledged.length} transactions`,
    ].join('\n'),
  );
}

function run(script: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...env } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, `${script}.ts`), ...args], {
    env: { ...env, BANK_SECRET: secret },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => parts.push(text));
  }
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ code: code ?? 2, output: parts.join('') });
    });
  });
}

const dataDir = mkdtempSync(join(tmpdir(), 'wallet-drill-'));
try {
  process.exitCode = (await drill(dataDir)) ? 0 : 1;
} catch (error) {
  rmSync(dataDir, { recursive: true, force: true });
  failWith(error);
}
rmSync(dataDir, { recursive: true, force: true });
