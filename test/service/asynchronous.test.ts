import assert from 'node:assert/strict';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { randomBytes } from 'node:crypto';
import { describe, it } from '@jest/globals';
import { sign } from '../../lambdas/bank/signature.ts';
import { startService, tally, untilEnded } from './service.ts';

const service = await startService();
const { operator, newUser, runner } = service;
const bank = runner.bank;

type User = Awaited<ReturnType<typeof newUser>>;

async function withdraw({ ask, walletId }: User, account: string, headers: Record<string, string> = {}) {
  return ask(`/wallets/${walletId}/withdraw`, { body: { amount: 400, destination: { account } }, headers });
}

async function balance({ ask, walletId }: User): Promise<[available: unknown, held: unknown]> {
  const { body } = await ask(`/wallets/${walletId}/balance?consistent=true`);
  return [body['available'], body['held']];
}

/** Returns the bank's own record of a payment. */
function inTheBook(reference: unknown) {
  return bank.book().find((entry) => entry.reference === reference);
}

describe('a withdrawal', () => {
  const destinations: [account: string, status: string, attempts: number | undefined, paid: number, balance: number][] =
    [
      ['SIM-OK', 'completed', 1, 1, 600],
      ['SIM-REJECT', 'failed', 1, 0, 1_000],
      ['SIM-FLAKY', 'completed', 3, 1, 600],
      ['SIM-TIMEOUT-PAID', 'completed', undefined, 1, 600],
      ['SIM-TIMEOUT-LOST', 'completed', undefined, 1, 600],
    ];
  for (const [account, status, attempts, paid, available] of destinations) {
    it.concurrent(`to ${account} is answered at once and ends ${status}`, async () => {
      const user = await newUser(1_000);
      const accepted = await withdraw(user, account);
      assert.deepEqual([accepted.status, accepted.body['status']], [202, 'pending']);
      assert.deepEqual(accepted.body['destination'], {
        account: account.length > 8 ? `****${account.slice(-4)}` : '****',
      });
      const { body } = await untilEnded(user.ask, String(accepted.body['transactionId']));
      assert.equal(body['status'], status);
      if (attempts !== undefined) assert.equal((body['attempts'] as unknown[]).length, attempts);
      assert.deepEqual(await balance(user), [available, 0]);
      assert.equal(inTheBook(accepted.body['transactionId'])?.timesPaid ?? 0, paid, "the bank's book");
    });
  }

  it.concurrent('answers with the end of the work when the client prefers to wait', async () => {
    const user = await newUser(1_000);
    const answer = await withdraw(user, 'SIM-OK', { Prefer: 'wait=20' });
    assert.deepEqual([answer.status, answer.body['status']], [200, 'completed']);
    assert.equal(answer.headers.get('preference-applied'), 'wait=20');
    const slow = await withdraw(user, 'SIM-DOWN', { Prefer: 'wait=1' });
    assert.equal(slow.status, 202);
    assert.equal(slow.headers.get('preference-applied'), 'wait=1');
  });
});

describe('a queued transfer', () => {
  it('debits at once, credits later, and gives a repetition the same answer', async () => {
    const [ann, bob] = await Promise.all([newUser(1_000), newUser()]);
    const request = {
      body: { amount: 300, toWalletId: bob.walletId },
      key: 'queued',
      headers: { Prefer: 'respond-async' },
    };
    const accepted = await ann.ask(`/wallets/${ann.walletId}/transfer`, request);
    assert.equal(accepted.status, 202);
    assert.deepEqual(await balance(ann), [700, 0]);
    const { body } = await untilEnded(ann.ask, String(accepted.body['transactionId']));
    assert.equal(body['status'], 'completed');
    assert.deepEqual(await balance(bob), [300, 0]);
    const repeated = await ann.ask(`/wallets/${ann.walletId}/transfer`, request);
    assert.deepEqual([repeated.status, repeated.headers.get('idempotency-replayed')], [202, 'true']);
    assert.deepEqual(await balance(bob), [300, 0]);
  });

  it('returns the money to the sender when the receiver is frozen, and still settles the others', async () => {
    const [ann, bob, cid] = await Promise.all([newUser(1_000), newUser(), newUser()]);
    await operator(`/wallets/${bob.walletId}/freeze`, { body: {} });
    const send = (to: User) =>
      ann.ask(`/wallets/${ann.walletId}/transfer`, {
        body: { amount: 100, toWalletId: to.walletId },
        headers: { Prefer: 'respond-async' },
      });
    const answers = await Promise.all([send(bob), send(cid), send(bob), send(cid)]);
    assert.deepEqual(tally(answers), { 202: 4 });
    const ends = await Promise.all(answers.map(({ body }) => untilEnded(ann.ask, String(body['transactionId']))));
    assert.deepEqual(
      ends.map(({ body }) => [body['status'], (body['failure'] as { code: string } | undefined)?.code]),
      [
        ['failed', 'receiver_unavailable'],
        ['completed', undefined],
        ['failed', 'receiver_unavailable'],
        ['completed', undefined],
      ],
    );
    const { body: forOperators } = await operator(`/transactions/${String(answers[0].body['transactionId'])}`);
    assert.equal((forOperators['failure'] as { code: string }).code, 'wallet_frozen');
    assert.deepEqual(
      [await balance(ann), await balance(cid)],
      [
        [800, 0],
        [200, 0],
      ],
    );
  });

  it('of 120 payers to one wallet each arrive once', async () => {
    const receiver = await newUser();
    const payers = await Promise.all(Array.from({ length: 12 }, () => newUser(100)));
    const answers = await Promise.all(
      payers.flatMap(({ ask, walletId }) =>
        Array.from({ length: 10 }, () =>
          ask(`/wallets/${walletId}/transfer`, {
            body: { amount: 10, toWalletId: receiver.walletId },
            headers: { Prefer: 'respond-async, wait=20' },
          }),
        ),
      ),
    );
    const { 200: ended = 0, 202: pending = 0 } = tally(answers);
    assert.equal(ended + pending, 120);
    await Promise.all(answers.map(({ body }) => untilEnded(receiver.ask, String(body['transactionId']))));
    assert.deepEqual(await balance(receiver), [1_200, 0]);
  });
});

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
    assert.deepEqual(await balance(user), [1_000, 0]);
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
    assert.deepEqual(await balance(user), [10_000 - 15 * 400, 0]);
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
    assert.deepEqual(await balance(user), [1_000, 0]);
  });

  it('counts only with a fresh signature over exactly this body', async () => {
    const word = { reference: `tx_${'a'.repeat(26)}`, status: 'paid', amount: 1, currency: 'USD' };
    assert.equal((await notify(word)).body['code'], 'transaction_not_found');
    assert.equal((await notify(word, { ageSeconds: 301 })).body['code'], 'unauthorized');
    assert.equal((await notify(word, { tampered: ' ' })).body['code'], 'unauthorized');
    assert.equal((await notify(word, { key: await keyIn(requestSecret) })).body['code'], 'unauthorized');
  });
});

describe('resolve', () => {
  it('is for withdrawals in review', async () => {
    const user = await newUser(1_000);
    const { body } = await withdraw(user, 'SIM-OK', { Prefer: 'wait=20' });
    const answer = await operator(`/transactions/${String(body['transactionId'])}/resolve`, {
      body: { outcome: 'failed', evidence: 'statement of today' },
    });
    assert.deepEqual([answer.status, answer.body['code']], [409, 'not_in_review']);
    assert.deepEqual(await balance(user), [600, 0]);
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
