import assert from 'node:assert/strict';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { randomBytes } from 'node:crypto';
import { describe, it } from '@jest/globals';
import { sign } from '../../lambdas/bank/signature.ts';
import { balanceOf, withdraw } from './payouts.ts';
import { startService } from './service.ts';

const service = await startService();
const { operator, newUser, runner } = service;

describe('a decision of the bank', () => {
  const secrets = new SecretsManagerClient({
    endpoint: runner.aws.servicesUrl,
    region: runner.aws.region,
    credentials: runner.aws.credentials,
  });
  const requestSecret = runner.outputs['BankRequestSecretArn']!;
  const notificationSecret = runner.outputs['BankNotificationSecretArn']!;

  async function keyIn(SecretId: string): Promise<string> {
    return (await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString!;
  }

  async function notify(word: object, { ageSeconds = 0, tampered = '', key = '' } = {}) {
    const signingKey = key || (await keyIn(notificationSecret));
    const raw = JSON.stringify(word);
    const now = Math.floor(Date.now() / 1000) - ageSeconds;
    const headers = sign({ method: 'POST', path: '/bank/notifications', body: raw }, signingKey, now);
    return service.withAuthorization(undefined)('/bank/notifications', { raw: raw + tampered, key: null, headers });
  }

  it('books a returned payment once, as a separate transaction', async () => {
    const user = await newUser(1_000);
    const { body } = await withdraw(user, 'SIM-OK', { Prefer: 'wait=20' });
    const reference = String(body['transactionId']);
    const word = { reference, status: 'returned', amount: 400, currency: 'USD' };
    for (const answer of [await notify(word), await notify(word)]) assert.equal(answer.status, 200);
    assert.deepEqual(await balanceOf(user), [1_000, 0]);
    const original = await user.ask(`/transactions/${reference}`);
    assert.equal(original.body['status'], 'completed');
    const returned = await user.ask(`/transactions/${String(original.body['returnTransactionId'])}`);
    assert.deepEqual([returned.body['type'], returned.body['originalTransactionId']], ['return', reference]);
  });

  it('is accepted while both keys are rotated', async () => {
    const user = await newUser(10_000);
    const oldKey = await keyIn(notificationSecret);
    const payOut = async () => {
      const { body } = await withdraw(user, 'SIM-OK', { Prefer: 'wait=20' });
      assert.equal(body['status'], 'completed');
      const attempts = body['attempts'] as { outcome: string }[];
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['accepted'],
      );
      return { reference: String(body['transactionId']), status: 'paid', amount: 400, currency: 'USD' };
    };
    const flow = async (key: string) => {
      for (let n = 0; n < 3; n++) assert.equal((await notify(await payOut(), { key })).status, 200);
    };
    await flow(oldKey);
    const rotated = Promise.all([flow(oldKey), flow(oldKey)]);
    for (const SecretId of [requestSecret, notificationSecret]) {
      await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: randomBytes(32).toString('hex') }));
    }
    const newKey = await keyIn(notificationSecret);
    assert.notEqual(newKey, oldKey);
    await Promise.all([rotated, flow(newKey), flow(oldKey)]);
    assert.deepEqual(await balanceOf(user), [10_000 - 15 * 400, 0]);
  });

  it('ends a withdrawal whose payment could not be found', async () => {
    const user = await newUser(1_000);
    const accepted = await withdraw(user, 'SIM-DOWN');
    const reference = String(accepted.body['transactionId']);
    const word = {
      reference,
      status: 'rejected',
      amount: 400,
      currency: 'USD',
      code: 'account_closed',
      // Half a surrogate pair, which cannot be stored. The bank's decision counts nevertheless.
      message: 'Closed \ud83d',
    };
    assert.equal((await notify(word)).status, 200);
    const { body } = await user.ask(`/transactions/${reference}`);
    assert.deepEqual(
      [body['status'], body['failure']],
      ['failed', { code: 'account_closed', message: 'Closed \ufffd' }],
    );
    assert.deepEqual(await balanceOf(user), [1_000, 0]);
  });

  it('counts only with a fresh signature over exactly this body', async () => {
    const word = { reference: `tx_${'a'.repeat(26)}`, status: 'paid', amount: 1, currency: 'USD' };
    assert.equal((await notify(word)).body['code'], 'transaction_not_found');
    assert.equal((await notify(word, { ageSeconds: 301 })).body['code'], 'unauthorized');
    assert.equal((await notify(word, { tampered: ' ' })).body['code'], 'unauthorized');
    assert.equal((await notify(word, { key: await keyIn(requestSecret) })).body['code'], 'unauthorized');
  });
});

it('runs with a bank that follows its settings', async () => {
  const settle = (body: object) => operator('/local/bank/settings', { method: 'PUT', body });
  const { status, body } = await settle({ findDelayMs: 0 });
  assert.deepEqual([status, body['findDelayMs'], body['down']], [200, 0, false]);
  const wrong = await settle({ down: 'yes' });
  assert.equal(wrong.status, 400);
  assert.match(String(wrong.body['message']), /down/);
});
