/**
 * `npm run emulator`: deploys the stack to an emulator of AWS that is running already, with the development issuer and
 * the simulated bank beside it. Runs the demo and the check of the books there, and removes what it started.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { openRequestKeys } from '../lambdas/bank/secret.ts';
import { secretsClient } from '../lambdas/aws/clients.ts';
import { resourceServer, scopes } from '../lambdas/contract.ts';
import { scratchFolder } from '../lib/scratch.ts';
import { startBankSimulator } from '../local/bank/bank-simulator.ts';
import { notFoundWindowSeconds } from '../local/bank/stack-bank.ts';
import { plainHostContext } from '../lib/check-values.ts';
import { startIssuer } from '../local/cognito/issuer-server.ts';
import { Shutdown } from '../local/process/shutdown.ts';
import { probeEmulator } from './emulator-probe.ts';
import { failWith, hostOf, readOptions } from './options.ts';
import { stopOnSignals } from './signals.ts';
import { apiUrlOf, outputsOf } from './deployed-stack.ts';

const usage = `npm run emulator -- [options]

  --endpoint URL  an emulator of AWS that is running (http://127.0.0.1:4566)
  --keep          leaves everything running until Ctrl-C
  --host NAME     this machine's name for functions that run in containers: host.docker.internal

docs/local-testing.md says how to start an emulator, and what differs there.`;

const options = readOptions(usage, {
  endpoint: { type: 'string', default: 'http://127.0.0.1:4566' },
  keep: { type: 'boolean', default: false },
  host: { type: 'string' },
});

const stackName = 'Wallet';
/** The same for each run: the wallets of a stack belong to subjects of its first issuer. */
const issuerName = 'https://issuer.example';
const root = dirname(import.meta.dirname);
const cdk = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin', 'cdk');

const endpoint = options.endpoint.replace(/\/+$/, '');
useOnly(endpoint);

const shutdown = new Shutdown();
let stopping: Promise<void> | undefined;
const stop = () => (stopping ??= shutdown.run());
const log = join(scratchFolder('emulator'), 'cdk.log');
shutdown.add(() => {
  rmSync(dirname(log), { recursive: true, force: true });
});
stopOnSignals(stop);
try {
  process.exitCode = await main();
} catch (error) {
  await stop();
  failWith(error);
}
await stop();

/**
 * Points every client of this process, and of those that it starts, at the emulator. They have no credentials of an
 * account: this stack trusts an issuer that gives tokens to everyone, so it must never reach AWS.
 */
function useOnly(emulator: string): void {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  process.env = {
    ...Object.fromEntries(others),
    AWS_ENDPOINT_URL: emulator,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}

async function main(): Promise<number> {
  console.log(`${await probeEmulator(endpoint)} at ${endpoint}`);
  const partners = await startPartners();
  const isNew = (await outputsOf(stackName)) === undefined;
  await step('bootstrapping', () => runCdk('bootstrap', partners.context));
  if (isNew) shutdown.add(() => deleteStack(partners.context));
  await step('deploying', () =>
    runCdk('deploy', [
      ...[...partners.context, '--require-approval', 'never'],
      ...['--parameters', `BankUrl=${partners.bankUrl}`],
      ...['--parameters', `BankNotFoundWindowSeconds=${notFoundWindowSeconds}`],
    ]),
  );
  const outputs = await outputsOf(stackName);
  const { BankRequestSecretArn: secretArn = '', TableName = '', EntriesTableName = '' } = outputs ?? {};
  partners.shareKey(secretArn);
  const baseUrl = apiUrlOf(outputs ?? {});
  console.log(`\nThe wallet service runs at ${baseUrl}\nIts token issuer: ${partners.issuerUrl}`);
  console.log(`Payments at its bank: ${partners.bankLocalUrl}/book`);
  const demoFailed = await runNode('demo.ts', ['--url', baseUrl, '--issuer', partners.issuerUrl]);
  console.log('');
  const booksFailed = await runNode('verify.ts', [
    ...['--table', TableName, '--entries-table', EntriesTableName, '--endpoint', endpoint],
    ...['--bank-url', partners.bankLocalUrl, '--bank-secret-arn', secretArn, '--bank-id', 'simulator'],
    // Ledgers lag behind wallets by seconds.
    ...['--stand-still', '--second-look', '10'],
  ]);
  if (options.keep) {
    console.log('\nEverything goes on. Ctrl-C stops it.');
    await new Promise(() => setInterval(() => undefined, 60_000));
  }
  return demoFailed || booksFailed ? 1 : 0;
}

/** Starts issuer and bank. The bank gets its key when the stack has made it. */
async function startPartners() {
  const host = hostOf(options.host, usage);
  const issuer = await startIssuer({
    name: issuerName,
    audience: resourceServer,
    allow: [resourceServer, scopes],
    host,
  });
  shutdown.add(() => issuer.stop());
  let keys: () => Promise<readonly string[]> = () => Promise.resolve([]);
  const bank = await startBankSimulator({ keys: () => keys(), host });
  shutdown.add(() => bank.stop());
  const asFunctionsSee = (url: string) => (host === undefined ? url : url.replace('127.0.0.1', host));
  const context = {
    tokenIssuer: issuer.name,
    tokenAudience: resourceServer,
    tokenJwksUri: asFunctionsSee(issuer.jwksUri),
    ...(host !== undefined && { [plainHostContext]: host }),
  };
  return {
    issuerUrl: issuer.url,
    bankLocalUrl: bank.url,
    bankUrl: asFunctionsSee(bank.url),
    context: Object.entries(context).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    shareKey(secretArn: string) {
      keys = openRequestKeys(secretsClient(), secretArn);
    },
  };
}

async function deleteStack(context: readonly string[]): Promise<void> {
  try {
    await step('deleting the stack', () => runCdk('destroy', [...context, '--force']));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}

async function step(title: string, work: () => Promise<void>): Promise<void> {
  const started = performance.now();
  await work();
  console.log(`  ${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Runs the CDK's command line with its output in a file, which an error shows. */
async function runCdk(command: string, args: readonly string[]): Promise<void> {
  const app = `"${process.execPath}" bin/emulator-stack.ts`;
  const child = spawn(process.execPath, [cdk, command, '--app', app, '--output', join(dirname(log), 'out'), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const file = createWriteStream(log);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const [code] = (await once(child, 'close')) as [number | null];
  await new Promise<void>((resolve) => file.end(resolve));
  if (code !== 0) throw new Error(`${readFileSync(log, 'utf8')}\ncdk ${command} failed`);
}

/** Runs a command of this folder in its own process. Returns whether it failed. */
async function runNode(file: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code !== 0;
}
