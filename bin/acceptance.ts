/**
 * `npm run acceptance`: the tests of the service that need only its address and tokens, against a service that is
 * deployed. They are the files of test/service/deployed, which `npm test` runs on the runner.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { exitWithUsage, readOptions } from './options.ts';

const usage = `npm run acceptance -- --url URL --issuer URL [options]

  --url URL      the service's base URL
  --issuer URL   its token issuer, which gives every client every scope: npm run issuer, or the service of npm start
  --parallel N   requests at the same time (8)
  --tests TEXT   only files whose path contains this: commands

The service must pay through the simulated bank. The tests open hundreds of wallets, with money that they charge: never
run them where money is real.`;

const { url, issuer, parallel, tests } = readOptions(usage, {
  url: { type: 'string' },
  issuer: { type: 'string' },
  parallel: { type: 'string', default: '8' },
  tests: { type: 'string', default: '' },
});
if (url === undefined || issuer === undefined) exitWithUsage('--url and --issuer are needed', usage);
if (!/^[1-9]\d{0,3}$/.test(parallel)) exitWithUsage(`--parallel must be 1 to 9999, received ${parallel}`, usage);

const jest = join(dirname(createRequire(import.meta.url).resolve('jest/package.json')), 'bin', 'jest.js');
const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
// One file at a time: the service may be on this machine, too.
const files = ['--selectProjects', 'service', '--runInBand', '--verbose', `test/service/deployed/.*${tests}`];
const { status } = spawnSync(process.execPath, [...node, jest, ...files], {
  cwd: dirname(import.meta.dirname),
  stdio: 'inherit',
  env: {
    ...process.env,
    ACCEPTANCE_URL: url.replace(/\/+$/, ''),
    ACCEPTANCE_ISSUER: issuer.replace(/\/+$/, ''),
    ACCEPTANCE_PARALLEL: parallel,
  },
});
process.exitCode = status ?? 1;
