/** The service without notifications, screening, audit and replays: money moves, and the books are sound. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { WalletStack } from '../../lib/wallet-stack.ts';
import { eventually } from './eventually.ts';
import { startService, untilEnded } from './service.ts';

const off = { fraud: false, notifications: false, audit: false, events: { replayRetention: false } } as const;
const { newUser, runner } = await startService({
  stack: (app) => new WalletStack(app, 'Wallet', { bank: { id: 'simulator' }, ...off }),
});
const { outputs, aws } = runner;

/** Runs a command of the project. Returns its exit code and what it printed. */
function run(command: string, ...args: string[]): Promise<{ code: number; text: string }> {
  const script = join(import.meta.dirname, '..', '..', 'bin', command);
  const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = aws.credentials;
  const env = { ...process.env, AWS_REGION: aws.region, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr });
    });
  });
}

describe('a service with its features switched off', () => {
  it('charges, pays out and transfers, and its books are sound', async () => {
    const payer = await newUser(1_000);
    const payee = await newUser();
    const wallet = `/wallets/${payer.walletId}`;
    const moved = await payer.ask(`${wallet}/transfer`, { body: { amount: 300, toWalletId: payee.walletId } });
    assert.equal(moved.body['status'], 'completed');
    const accepted = await payer.ask(`${wallet}/withdraw`, {
      body: { amount: 200, destination: { account: 'SIM-OK' } },
    });
    const ended = await untilEnded(payer.ask, String(accepted.body['transactionId']));
    assert.equal(ended.body['status'], 'completed');
    assert.equal((await payer.ask(`${wallet}/balance?consistent=true`)).body['total'], 500);

    const tables = ['--table', String(outputs['TableName']), '--entries-table', String(outputs['EntriesTableName'])];
    const verify = () => run('verify.ts', ...tables, '--endpoint', aws.endpoint, '--second-look', '5');
    await eventually(async () => (await verify()).code === 0, { limitMs: 60_000, everyMs: 1_000 });
  });

  it('has no route for the preferences of notifications', async () => {
    const token = await runner.token({ clientId: 'ann', scope: 'wallet:read wallet:write' });
    // docs/openapi.json describes the service with its preferences.
    const answer = await fetch(`${runner.baseUrl}/notification-preferences`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { code } = (await answer.json()) as { code: string };
    assert.deepEqual([answer.status, code], [404, 'not_found']);
  });

  it('has operators told that a queue is switched off', async () => {
    const doctor = await run('ops.ts', 'doctor', '--url', runner.baseUrl);
    assert.match(doctor.text, /^ok {6}screening queue: none: switched off$/m);
    assert.match(doctor.text, /^ok {6}withdrawal queue: 0 in the queue, 0 in the dead letters$/m);
    const redrive = await run('ops.ts', 'redrive', 'notification', '--url', runner.baseUrl);
    assert.deepEqual(
      [redrive.code, redrive.text],
      [2, 'this stack has no notification queue: the feature is switched off\n'],
    );
  });
});
