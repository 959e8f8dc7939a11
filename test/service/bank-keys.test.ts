/** The keys that bank and service sign with, during a rotation, against Secrets Manager as the runner serves it. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { bankNotifications } from '../../lambdas/api/bank-notifications.ts';
import { openBank } from '../../lambdas/bank/client.ts';
import type { Payment } from '../../lambdas/bank/answers.ts';
import { openRequestKeys, openSecret } from '../../lambdas/bank/secret.ts';
import { sign } from '../../lambdas/bank/signature.ts';
import { serve } from '../../lambdas/http/http.ts';
import { settleWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { startBankSimulator } from '../../local/bank/bank-simulator.ts';
import type { BankSimulatorOptions } from '../../local/bank/bank-simulator.ts';
import { openSecrets } from '../../local/secrets-manager/secrets.ts';
import { openEndpoint, ServiceError } from '../../local/machine/endpoint.ts';
import { epoch } from '../engine.ts';
import { send } from '../request.ts';
import { acceptedWithdrawal, bankId, claimed, visit } from '../store/visits.ts';
import { balanceOf } from '../store/wallets.ts';
import { afterTest, useTable } from '../fixture.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const secretArn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:key-abcdef';

/** Starts Secrets Manager with one secret and an operator's commands. `now` is its clock. */
async function secretsManager(now: () => number) {
  const secrets = openSecrets(undefined, now);
  secrets.create({ name: 'key', arn: secretArn, value: 'first key' });
  const seen: string[] = [];
  const state = { isDown: false };
  const { url, serve, close } = await openEndpoint();
  serve('secretsmanager', (operation, input) => {
    seen.push(`${operation} ${input['VersionStage'] as string}`);
    if (state.isDown) throw new ServiceError('InternalServiceError', 'it is down', undefined, 500);
    return secrets.service(operation, input);
  });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SecretsManagerClient({ region: 'us-east-1', endpoint: url, credentials, maxAttempts: 1 });
  afterTest(async () => {
    client.destroy();
    await close();
  });
  return {
    client,
    state,
    /** Returns the number of reads of the current key. */
    reads: () => seen.filter((call) => call === 'GetSecretValue AWSCURRENT').length,
    rotate: (key: string) => client.send(new PutSecretValueCommand({ SecretId: secretArn, SecretString: key })),
    async endOverlap() {
      const { Versions = [] } = await client.send(new ListSecretVersionIdsCommand({ SecretId: secretArn }));
      const previous = Versions.find(({ VersionStages }) => VersionStages?.includes('AWSPREVIOUS'));
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secretArn,
          VersionStage: 'AWSPREVIOUS',
          RemoveFromVersionId: previous?.VersionId,
        }),
      );
    },
    values: () => secrets.values(secretArn),
  };
}

type Manager = Awaited<ReturnType<typeof secretsManager>>;

describe('a secret', () => {
  it('is read once by concurrent callers; a call two minutes later starts another read and does not wait for it', async () => {
    let now = epoch;
    const manager = await secretsManager(() => now);
    const keys = openSecret({ client: manager.client, secretArn, now: () => now });
    assert.deepEqual(await Promise.all(Array.from({ length: 10 }, () => keys())), Array(10).fill(['first key']));
    assert.equal(manager.reads(), 1);
    await manager.rotate('second key');
    now += 2 * minuteMs;
    assert.deepEqual(await Promise.all([keys(), keys()]), [['first key'], ['first key']]);
    await untilRead(manager, 2);
    assert.deepEqual(await keys(), ['second key']);
    assert.equal(manager.reads(), 2);
  });

  it('is never older than five minutes, even when it is rarely used', async () => {
    let now = epoch;
    const manager = await secretsManager(() => now);
    const keys = openSecret({ client: manager.client, secretArn, now: () => now });
    await keys();
    await manager.rotate('second key');
    now += 5 * minuteMs;
    assert.deepEqual(await keys(), ['second key']);
  });

  it('that cannot be read again is used for an hour, with a read every ten seconds, and then fails', async () => {
    let now = epoch;
    const manager = await secretsManager(() => now);
    const keys = openSecret({ client: manager.client, secretArn, now: () => now });
    await keys();
    manager.state.isDown = true;
    now += 5 * minuteMs;
    for (let second = 0; second < 20; second++, now += 1000) assert.deepEqual(await keys(), ['first key']);
    assert.equal(manager.reads(), 3);
    now = epoch + hourMs - 1;
    assert.deepEqual(await keys(), ['first key']);
    now = epoch + hourMs;
    await assert.rejects(keys(), { name: 'InternalServiceError' });
    manager.state.isDown = false;
    assert.deepEqual(await keys(), ['first key']);
  });

  it('is read for signatures that fit no key at most every ten seconds', async () => {
    let now = epoch;
    const manager = await secretsManager(() => now);
    const keys = openSecret({ client: manager.client, secretArn, now: () => now });
    await keys();
    await manager.rotate('second key');
    assert.deepEqual(await keys('reload'), ['second key']);
    for (let second = 0; second < 20; second++, now += 1000) await keys('reload');
    assert.equal(manager.reads(), 3);
  });

  it('without a string gives no key', async () => {
    const manager = await secretsManager(() => epoch);
    const keys = openSecret({ client: manager.client, secretArn });
    await manager.rotate('');
    await assert.rejects(keys(), /has no string value/);
  });
});

describe('notifications of the bank', () => {
  const table = useTable();

  /** Starts a container of the function, and a bank that signs with any key. */
  async function listening() {
    table.clock.now = epoch;
    const manager = await secretsManager(table.now);
    const keys = openSecret({ client: manager.client, secretArn, overlapMs: 24 * hourMs, now: table.now });
    const handler = serve(bankNotifications, { table, keys, bankId });
    const notify = async (body: object, key: string) => {
      const text = JSON.stringify(body);
      const headers = sign(
        { method: 'POST', path: '/bank/notifications', body: text },
        key,
        Math.floor(table.now() / 1000),
      );
      const { status } = await send('bank-notifications', handler, {
        body: text,
        headers: { ...headers, 'Content-Type': 'application/json' },
      });
      return status;
    };
    return { manager, notify };
  }

  async function paidWithdrawal() {
    const { walletId, transactionId } = await acceptedWithdrawal(table);
    await settleWithdrawal(table, await claimed(table, transactionId), visit(table, 'accepted'));
    const word = { reference: transactionId, amount: 30, currency: 'EUR' };
    return { walletId, paid: { ...word, status: 'paid' }, returned: { ...word, status: 'returned' } };
  }

  it('are booked under the old and the new key during the overlap, which ends by itself', async () => {
    const { manager, notify } = await listening();
    const { walletId, paid, returned } = await paidWithdrawal();
    assert.equal(await notify(paid, 'first key'), 200);
    await manager.rotate('second key');
    for (const key of ['first key', 'second key', 'first key']) assert.equal(await notify(paid, key), 200, key);
    table.clock.now += 24 * hourMs - 1;
    assert.equal(await notify(paid, 'first key'), 200);
    table.clock.now += 1;
    assert.equal(await notify(returned, 'first key'), 401);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
    assert.equal(await notify(returned, 'second key'), 200);
  });

  it('under a key that an operator has withdrawn are refused by a warm container within five minutes', async () => {
    const { manager, notify } = await listening();
    const { walletId, paid, returned } = await paidWithdrawal();
    await manager.rotate('second key');
    assert.equal(await notify(paid, 'first key'), 200);
    await manager.endOverlap();
    table.clock.now += 5 * minuteMs;
    assert.equal(await notify(returned, 'first key'), 401);
    table.clock.now += 6 * hourMs;
    assert.equal(await notify(returned, 'first key'), 401);
    assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 0, total: 70 });
    assert.equal(await notify(paid, 'second key'), 200);
  });
});

describe('requests to the bank', () => {
  const payment: Payment = { reference: 'tx_1', amount: 1250, currency: 'EUR', destination: { account: 'SIM-OK' } };

  async function simulatedBank(keys: BankSimulatorOptions['keys']) {
    const bank = await startBankSimulator({ keys, latencyMs: 0, failureRate: 0 });
    afterTest(() => bank.stop());
    return bank;
  }

  it('are accepted when either side has the new key first', async () => {
    let now = epoch;
    const manager = await secretsManager(() => now);
    let accepted = ['first key'];
    const { url } = await simulatedBank(() => accepted);
    const bank = openBank({ url, keys: openRequestKeys(manager.client, secretArn, () => now) });
    assert.deepEqual(await bank.find(payment), { outcome: 'not_found' });
    await manager.rotate('second key');
    now += 5 * minuteMs;
    assert.deepEqual(await bank.submit(payment), { outcome: 'accepted' }, 'the bank has only the old key');
    accepted = ['first key', 'second key'];
    assert.deepEqual(await bank.find(payment), { outcome: 'accepted' }, 'the bank has both');
    accepted = ['second key'];
    assert.deepEqual(await bank.find(payment), { outcome: 'accepted' }, 'the bank has only the new key');

    accepted = ['third key', 'second key'];
    assert.deepEqual(await bank.find(payment), { outcome: 'accepted' }, 'the bank has the next key before us');
    accepted = ['third key'];
    await manager.rotate('third key');
    const late = await bank.find(payment);
    assert.deepEqual(late, { outcome: 'unknown', reason: 'status 401 signature_invalid' });
    assert.deepEqual(await bank.find(payment), { outcome: 'accepted' }, 'a refusal has the secret read again');
  });

  it('are sent once more only when the bank answers that the signature is wrong', async () => {
    const manager = await secretsManager(() => epoch);
    await manager.rotate('second key');
    let sent = 0;
    const answers = [{}, { code: 'signature_expired' }, { code: 'signature_invalid' }];
    const bank = openBank({
      url: 'https://bank.example',
      keys: openRequestKeys(manager.client, secretArn, () => epoch),
      send: () => Promise.resolve({ status: 401, text: JSON.stringify(answers[Math.min(sent++, 2)]) }),
    });
    for (const expected of [1, 2, 4]) {
      assert.equal((await bank.submit(payment)).outcome, 'unknown');
      assert.equal(sent, expected);
    }
  });

  it('are not signed with the other key after the time limit of the call, even before its timer runs', async () => {
    const manager = await secretsManager(() => epoch);
    await manager.rotate('second key');
    const timeoutMs = 40;
    for (const [standstillMs, expected] of [
      [0, 2],
      [timeoutMs + 10, 1],
    ] as const) {
      let sent = 0;
      const bank = openBank({
        url: 'https://bank.example',
        keys: openRequestKeys(manager.client, secretArn, () => epoch),
        timeoutMs,
        send({ signal }) {
          sent++;
          // Blocks the process, so that no timer runs.
          if (standstillMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standstillMs);
          assert.equal(signal.aborted, false);
          return Promise.resolve({ status: 401, text: '{"code":"signature_invalid"}' });
        },
      });
      assert.deepEqual(await bank.submit(payment), { outcome: 'unknown', reason: 'status 401 signature_invalid' });
      assert.equal(sent, expected);
    }
  });
});

it('Secrets Manager of the runner returns the current value and the one before it', async () => {
  const manager = await secretsManager(() => epoch);
  const read = (stage: string) =>
    manager.client.send(new GetSecretValueCommand({ SecretId: secretArn, VersionStage: stage }));
  await assert.rejects(read('AWSPREVIOUS'), { name: 'ResourceNotFoundException' });
  await manager.rotate('second key');
  await manager.rotate('third key');
  assert.equal((await read('AWSCURRENT')).SecretString, 'third key');
  const { SecretString, CreatedDate } = await read('AWSPREVIOUS');
  assert.deepEqual([SecretString, CreatedDate?.getTime()], ['second key', epoch]);
  assert.deepEqual(manager.values(), ['third key', 'second key']);
  await manager.endOverlap();
  await assert.rejects(read('AWSPREVIOUS'), { name: 'ResourceNotFoundException' });
});

/** Waits until a read that no caller awaits has its answer. */
async function untilRead(manager: Manager, reads: number): Promise<void> {
  while (manager.reads() < reads) await new Promise((resolve) => setImmediate(resolve));
  // The answer follows the call. This call follows both on the same connection.
  await manager.client.send(new ListSecretVersionIdsCommand({ SecretId: secretArn }));
}
