/** `npm run bank`: the simulated bank, for a stack that does not run in the runner. */
import { z } from 'zod';
import { openRequestKeys } from '../lambdas/bank/secret.ts';
import { secretsClient } from '../lambdas/aws/clients.ts';
import { startBankSimulator } from '../local/bank/bank-simulator.ts';
import { defaultSettings } from '../local/bank/bank-settings.ts';
import { notFoundWindowSeconds } from '../local/bank/stack-bank.ts';
import { exitWithUsage, failWith, hostOf, portOf, readOptions } from './options.ts';
import { stopOnSignals } from './signals.ts';

const usage = `npm run bank -- [options]

  --port N          port on 127.0.0.1 (9020)
  --host NAME       a further name of this machine in requests: host.docker.internal
  --secret-arn ARN  the stack's output BankRequestSecretArn; or give the key in BANK_SECRET
  --latency MS      time of a call (${defaultSettings.latencyMs})
  --failures SHARE  share of calls for ordinary accounts that fail, 0 to 1 (${defaultSettings.failureRate})
  --seed N          seed of the random failures (1)
  --book FILE       keeps the payments (in memory)

The secret is read with the region, credentials and AWS_ENDPOINT_URL of the environment.`;

const options = readOptions(usage, {
  port: { type: 'string', default: '9020' },
  host: { type: 'string' },
  'secret-arn': { type: 'string' },
  latency: { type: 'string', default: String(defaultSettings.latencyMs) },
  failures: { type: 'string', default: String(defaultSettings.failureRate) },
  seed: { type: 'string', default: '1' },
  book: { type: 'string' },
});
const { BANK_SECRET: given = '' } = process.env;
const secretArn = options['secret-arn'];
if (secretArn === undefined && given === '') exitWithUsage('--secret-arn is needed, or the key in BANK_SECRET', usage);
const keys = secretArn === undefined ? () => Promise.resolve([given]) : openRequestKeys(secretsClient(), secretArn);
await keys().catch((error: unknown) =>
  failWith(new Error(`cannot read --secret-arn ${String(secretArn)}`, { cause: error })),
);

const bank = await startBankSimulator({
  keys,
  port: portOf(options.port, usage),
  host: hostOf(options.host, usage),
  latencyMs: Number(options.latency),
  failureRate: Number(options.failures),
  seed: Number(options.seed),
  ...(options.book !== undefined && { dataFile: options.book }),
}).catch((error: unknown) => failWith(error instanceof z.ZodError ? new Error(z.prettifyError(error)) : error));
stopOnSignals(() => bank.stop());
console.log(`The bank runs at ${bank.url}. For a stack whose functions run on this machine.
Deploy first, with BankUrl=${bank.url} BankNotFoundWindowSeconds=${notFoundWindowSeconds} and the issuer's -c values;
then start this command with the output BankRequestSecretArn. \`npm run emulator\` does all of it.

Its payments: curl ${bank.url}/book
A bank that is down: curl -X PUT ${bank.url}/settings -d '{"down": true}'

Ctrl-C stops.`);
