/**
 * `node bench/statements.ts [--lines N] [--keep FOLDER]`: makes the files of one wallet's statement, one in each format, on the
 * local engine and a bucket on this machine. A process of its own makes each file. Prints its time and memory, and compares the file
 * with the ledger.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { readOptions } from '../bin/options.ts';
import { dynamodbClient } from '../lambdas/aws/clients.ts';
import { openObjects } from '../lambdas/aws/objects.ts';
import { forEachOf } from '../lambdas/aws/parallel.ts';
import type { ChainedEntry } from '../lambdas/domain/entries.ts';
import { statementIdOf, transactionIdOf, walletIdOf } from '../lambdas/domain/ids.ts';
import { decimalText } from '../lambdas/domain/minor-units.ts';
import { formatNames } from '../lambdas/domain/statement-file.ts';
import type { FormatName } from '../lambdas/domain/statement-file.ts';
import { charge } from '../lambdas/domain/charge.ts';
import { openWallet } from '../lambdas/domain/wallet.ts';
import { chained, storedEntry } from '../lambdas/store/entries.ts';
import { transactionKey, walletKey } from '../lambdas/store/keys.ts';
import { acceptStatementFile, getStatementFile } from '../lambdas/store/statement-files.ts';
import { boundsOf } from '../lambdas/store/statements.ts';
import { openTable } from '../lambdas/store/table.ts';
import type { Item } from '../lambdas/store/write.ts';
import { existingWallet } from '../lambdas/store/wallets.ts';
import { fileKeyOf } from '../lambdas/views/statement-formats.ts';
import { writeStatement } from '../lambdas/workers/statement-writer.ts';
import { ensureTable, localCredentials, startEngine } from '../local/dynamodb/dynamodb.ts';
import { listen } from '../local/http/server.ts';
import { openObjectFolders } from '../local/s3/object-folders.ts';
import { serveObjects } from '../local/s3/object-server.ts';

const usage = `node bench/statements.ts [options]

  --lines N      lines of the statement (100000)
  --keep FOLDER  keeps the files there`;

const options = readOptions(usage, {
  lines: { type: 'string', default: '100000' },
  keep: { type: 'string' },
  child: { type: 'string' },
});
const lines = Number(options.lines);
const bucket = 'statements';
const walletId = walletIdOf('bench', 'wallet', 'EUR');
const beginning = Date.parse('2026-03-01T00:00:00.000Z');
const timeOf = (n: number) => new Date(beginning + n * 10).toISOString();
const idOf = (name: string) => transactionIdOf('bench', name);

/** Opens what the worker uses, from the environment. */
function openServices() {
  const client = dynamodbClient({ requestTimeoutMs: 30_000 });
  const [table, entries, statements] = ['bench', 'bench-entries', 'bench-statements'].map((name) =>
    openTable(client, name, 120_000),
  );
  if (!table || !entries || !statements) throw new Error('no tables');
  return { table, entries, statements, files: openObjects(bucket) };
}

/** Returns the items of the wallet, of its ledger and of its charges. */
function* itemsOf(): Generator<readonly ['bench' | 'bench-entries', Item]> {
  const opened = openWallet({
    ...{ walletId, ownerId: 'ann', currency: 'EUR', at: timeOf(0) },
    createdBy: { kind: 'owner', principal: 'ann' },
  });
  let previous: ChainedEntry | undefined;
  let available = 0;
  for (let version = 0; version <= lines; version++) {
    const [at, amount, transactionId] = [
      timeOf(version),
      version === 0 ? 0 : 1_000 + (version % 997),
      idOf(`${version}`),
    ];
    available += amount;
    previous = chained(
      {
        ...{ walletId, version, at, bookedAt: at, balanceAfter: { available, held: 0 }, statusAfter: 'active' },
        changes: version === 0 ? [] : [{ account: 'available', amount }],
        ...(version > 0 && { transactionId }),
      },
      previous,
    );
    yield ['bench-entries', storedEntry(previous)];
    if (version === 0) continue;
    const facts = { transactionId, principal: 'bench', ownerId: undefined, walletId, currency: 'EUR', at, amount };
    const texts = { externalReference: `invoice-${version}`, description: `Payment ${version} & its reason` };
    yield ['bench', { ...transactionKey(transactionId), ...charge({ ...facts, ...texts }) }];
  }
  const last = { available, held: 0, version: lines, updatedAt: timeOf(lines), lastTransactionId: idOf(`${lines}`) };
  yield ['bench', { ...walletKey(walletId), ...opened, ...last }];
}

async function fill(): Promise<void> {
  const { table } = openServices();
  for (const name of ['bench', 'bench-entries', 'bench-statements']) {
    const keys = name === 'bench-statements' ? ['pk'] : ['pk', 'sk'];
    await ensureTable(String(process.env['AWS_ENDPOINT_URL_DYNAMODB']), 'us-east-1', {
      create: {
        TableName: name,
        KeySchema: keys.map((key, index) => ({ AttributeName: key, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
        AttributeDefinitions: keys.map((key) => ({ AttributeName: key, AttributeType: 'S' })),
        BillingMode: 'PAY_PER_REQUEST',
      },
    });
  }
  let chunk: (readonly [string, Item])[] = [];
  const chunks: (typeof chunk)[] = [];
  const flush = async () => {
    await forEachOf(chunks.splice(0), 4, async (items) => {
      const byTable = Object.groupBy(items, ([name]) => name);
      const RequestItems = Object.fromEntries(
        Object.entries(byTable).map(([name, own = []]) => [name, own.map(([, Item]) => ({ PutRequest: { Item } }))]),
      );
      await table.client.send(new BatchWriteCommand({ RequestItems }));
    });
  };
  for (const item of itemsOf()) {
    chunk.push(item);
    if (chunk.length < 25) continue;
    chunks.push(chunk);
    chunk = [];
    if (chunks.length >= 16) await flush();
  }
  chunks.push(chunk);
  await flush();
}

/** Makes one file, in turns, and prints what it took. */
async function makeFile(format: FormatName): Promise<void> {
  const services = openServices();
  let turns = 0;
  let open = true;
  const queue = {
    send: () => {
      open = true;
      return Promise.resolve();
    },
  };
  const started = performance.now();
  for (; open; turns++) {
    open = false;
    await writeStatement({ ...services, queue }, idOf(format));
  }
  const { user, system } = process.cpuUsage();
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1_024);
  console.log(
    `${format}: ${seconds} s, ${((user + system) / 1e6).toFixed(1)} s of a processor, ${peakMiB} MiB, ${turns} turns`,
  );
}

/** Accepts a statement of all lines. */
async function accept(format: FormatName): Promise<void> {
  const services = openServices();
  const period = { from: timeOf(-1), to: timeOf(lines + 1) };
  const { opening, closing } = await boundsOf(services, await existingWallet(services.table, walletId), period);
  const now = Date.now();
  const terms = {
    ...{ statementId: statementIdOf(idOf(format)), walletId, format, ...period, final: true, opening, closing },
    ...{ by: { kind: 'owner', principal: 'ann' } as const, createdAt: new Date(now).toISOString() },
    expiresAt: new Date(now + 86_400_000).toISOString(),
  };
  await acceptStatementFile(services, terms, { fingerprint: format, rate: undefined });
}

/** Compares a file with the ledger: its lines, the sum of their amounts, and the last hash. */
async function compare(format: FormatName, path: string): Promise<void> {
  const { statements } = openServices();
  const file = await getStatementFile(statements, statementIdOf(idOf(format)));
  if (file?.status !== 'ready') throw new Error(`${format} is not ready`);
  const { closing, sums, fileBytes } = file;
  const pattern = {
    csv: /^[^,]+,charge,([\d.]+),/,
    'camt.053': /^<Ntry>.*?<Amt Ccy="EUR">([\d.]+)<\/Amt>/,
    json: undefined,
  }[format];
  let [count, sum, tail] = [0, 0n, ''];
  const add = (amount: string) => {
    count += 1;
    sum += BigInt(amount.replace('.', ''));
  };
  for await (const line of createInterface(createReadStream(path))) {
    if (pattern === undefined) {
      for (const [, amount = ''] of line.matchAll(/"type":"charge","amount":(\d+)/g)) add(amount);
    } else {
      const amount = pattern.exec(line)?.[1];
      if (amount !== undefined) add(amount);
    }
    tail = line.slice(-2_000);
  }
  const isEqual =
    count === lines &&
    sums.lines === lines &&
    sum === BigInt(closing.balanceAfter.available) &&
    sum === BigInt(sums.in) &&
    tail.includes(closing.hash);
  const balance = decimalText(closing.balanceAfter.available, 'EUR');
  console.log(
    `${format}: ${(fileBytes / 1e6).toFixed(1)} MB, ${count} lines, ${isEqual ? 'equal to' : 'DIFFERS FROM'} the ledger, which has ${balance} EUR`,
  );
  if (!isEqual) process.exitCode = 1;
}

async function main(): Promise<void> {
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'wallet-bench-'));
  mkdirSync(join(folder, bucket), { recursive: true });
  const engine = await startEngine(undefined);
  const server = await listen(0);
  server.open(serveObjects(openObjectFolders(folder), () => localCredentials.secretAccessKey));
  Object.assign(process.env, {
    ...{ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint, AWS_ENDPOINT_URL_S3: server.url },
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
  });
  try {
    await fill();
    for (const format of formatNames) {
      await accept(format);
      const script = [join(import.meta.dirname, 'statements.ts'), '--child', format];
      const [code] = (await once(spawn(process.execPath, script, { stdio: 'inherit' }), 'exit')) as [number | null];
      if (code !== 0) throw new Error(`${format}: exit ${String(code)}`);
      await compare(format, join(folder, bucket, fileKeyOf({ statementId: statementIdOf(idOf(format)), format })));
    }
  } finally {
    await server.close();
    await engine.stop();
    if (options.keep === undefined) rmSync(folder, { recursive: true });
  }
}

const child = formatNames.find((name) => name === options.child);
await (child === undefined ? main() : makeFile(child));
