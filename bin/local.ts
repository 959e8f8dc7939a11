import { join } from 'node:path';
import { EngineError } from '../local/dynamodb/dynamodb.ts';
import { PortInUseError } from '../local/http/server.ts';
import type { Runner } from '../local/runner/runner.ts';
import { DataInUseError } from '../local/storage/data.ts';
import { TemplateError } from '../local/cloudformation/template.ts';
import { demoVisits, makeDemoData } from './demo-data.ts';
import { startLocalService } from './local-service.ts';
import { hostOf, portOf, readOptions } from './options.ts';
import { stopOnSignals } from './signals.ts';

const usage = `npm start -- [options]

  --port N      port to serve on (3000)
  --host NAME   a further name of this machine in requests: host.docker.internal
  --data DIR    folder to keep data in (.wallet)
  --memory      keep nothing
  --demo        make owners, wallets and payments to look at; a withdrawal goes to review after 3 visits to the bank
  --quiet       print the base URL only
  --verbose     show what functions write`;

async function main(): Promise<void> {
  const started = performance.now();
  const options = readOptions(usage, {
    port: { type: 'string', default: '3000' },
    host: { type: 'string' },
    data: { type: 'string', default: '.wallet' },
    memory: { type: 'boolean', default: false },
    demo: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  });
  const print = (line: string): void => {
    if (!options.quiet) console.log(line);
  };
  const runner = await startLocalService({
    port: portOf(options.port, usage),
    host: hostOf(options.host, usage),
    dataDir: options.data,
    memory: options.memory,
    ...(options.demo && { bankVisits: demoVisits }),
    progress: (line) => {
      print(`  ${line}`);
    },
    ...(options.verbose && { log: (text: string) => process.stdout.write(text) }),
  });
  stopOnSignals(async (signal) => {
    print(`\n${signal}: finishing what is under way (again to stop at once)`);
    await runner.stop();
  });
  if (options.demo) {
    print('  making the data of the demo');
    await makeDemoData(runner);
  }
  if (options.quiet) console.log(runner.baseUrl);
  else await greet(runner, options, performance.now() - started);
  const reason = await runner.failed;
  console.error(`the DynamoDB engine ended: ${reason}`);
  await runner.stop();
  process.exit(1);
}

interface GreetOptions {
  readonly data: string;
  readonly memory: boolean;
  readonly demo: boolean;
  readonly verbose: boolean;
}

async function greet(runner: Runner, options: GreetOptions, tookMs: number): Promise<void> {
  const dataDir = options.memory ? undefined : options.data;
  const { TableName = '', EntriesTableName = '' } = runner.outputs;
  const written = dataDir ? `in ${join(dataDir, 'functions.log')} (--verbose shows it here)` : 'shown with --verbose';
  const token = await runner.token({ clientId: 'operator', expiresIn: 86_400 });
  console.log(`
The wallet service runs at ${runner.baseUrl} (${(tookMs / 1000).toFixed(1)} s; ${dataDir ? `data in ${dataDir}` : 'nothing is kept'})

The console, where you sign in with any name: ${runner.baseUrl}/console${
    options.demo ? '\nSearch it for the owners ada, ben and cleo. Some seconds from now a withdrawal is in review.' : ''
  }

A token with every scope, for one day:

  export TOKEN=${token}

Make a wallet, charge it, read its balance:

  export WALLET=$(curl -s ${runner.baseUrl}/wallets -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(date +%s%N)" -H 'Content-Type: application/json' -d '{"currency":"USD","ownerId":"alice"}' | sed 's/.*"walletId":"\\([^"]*\\)".*/\\1/')
  curl -s ${runner.baseUrl}/wallets/$WALLET/charge -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(date +%s%N)" -H 'Content-Type: application/json' -d '{"amount":10000}'
  curl -s ${runner.baseUrl}/wallets/$WALLET/balance -H "Authorization: Bearer $TOKEN"

Check its books, while nothing moves:

  npm run verify -- --endpoint ${runner.aws.endpoint} --table ${TableName} --entries-table ${EntriesTableName} --stand-still

Reference of the API: ${runner.baseUrl}/docs
Links to its routes, events, notifications and the payments at its bank: ${runner.baseUrl}/
Output of its functions: ${options.verbose ? 'shown here' : written}

Ctrl-C stops.`);
}

main().catch((error: unknown) => {
  const expected = [DataInUseError, EngineError, PortInUseError, TemplateError].some((kind) => error instanceof kind);
  console.error(expected && error instanceof Error ? error.message : error);
  process.exit(1);
});
