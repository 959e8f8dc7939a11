/** Freeze and cancel of a payout before it leaves, over HTTP, while the queue takes no messages. */
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import assert from 'node:assert/strict';
import { afterAll, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { balanceOf, withdraw } from './payouts.ts';
import { startService, until, untilEnded } from './service.ts';
import type { Answer } from './service.ts';

const { operator, newUser, runner } = await startService();
const bank = runner.bank;
const queueUrl = runner.resources.find(
  ({ type, logicalId }) => type === 'AWS::SQS::Queue' && /WithdrawalsWorkQueue/.test(logicalId),
)?.ref;
assert.ok(queueUrl);
const sqs = new SQSClient({
  endpoint: runner.aws.servicesUrl,
  region: runner.aws.region,
  credentials: runner.aws.credentials,
});
afterAll(() => {
  sqs.destroy();
});

type User = Awaited<ReturnType<typeof newUser>>;

/** Accepts a withdrawal whose message the queue refuses. Returns its id. */
async function withdrawWithoutMessage(user: User): Promise<string> {
  runner.faults.set('sqs', true);
  try {
    const { status, body } = await withdraw(user, 'SIM-OK');
    assert.equal(status, 202);
    return String(body['transactionId']);
  } finally {
    runner.faults.set('sqs', false);
  }
}

/** Sends the message that the sweeper would send. */
function deliver(transactionId: string) {
  return sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify({ transactionId }) }));
}

const outcome = ({ status, body }: Answer) => [status, body['code'] ?? body['status']];
const isPaid = (transactionId: string) => bank.book().some(({ reference }) => reference === transactionId);

it('a payout that its owner cancels makes the money available again and is never paid', async () => {
  const user = await newUser(1_000);
  const transactionId = await withdrawWithoutMessage(user);
  const cancel = { body: { reason: 'wrong account' }, key: 'cancel-1' };
  const path = `/transactions/${transactionId}/cancel`;
  const stranger = await newUser();
  assert.deepEqual(outcome(await stranger.ask(path, cancel)), [404, 'transaction_not_found']);
  const cancelled = await user.ask(path, cancel);
  assert.deepEqual(outcome(cancelled), [200, 'failed']);
  assert.equal((cancelled.body['failure'] as { code: string }).code, 'cancelled');
  assert.deepEqual(await balanceOf(user), [1_000, 0]);
  assert.equal((await user.ask(path, cancel)).headers.get('idempotency-replayed'), 'true');
  assert.deepEqual(outcome(await user.ask(path, { body: {} })), [409, 'not_cancellable']);

  // The message arrives nevertheless.
  await deliver(transactionId);
  const later = await withdraw(user, 'SIM-OK');
  await untilEnded(user.ask, String(later.body['transactionId']));
  assert.equal(isPaid(transactionId), false);
  assert.deepEqual(await balanceOf(user), [600, 0]);
  const tooLate = await operator(`/transactions/${String(later.body['transactionId'])}/cancel`, { body: {} });
  assert.deepEqual(outcome(tooLate), [409, 'not_cancellable']);
});

it('a payout waits while its wallet is frozen, and continues when an operator unfreezes it', async () => {
  const user = await newUser(1_000);
  const transactionId = await withdrawWithoutMessage(user);
  await operator(`/wallets/${user.walletId}/freeze`, { body: {} });
  assert.deepEqual(outcome(await withdraw(user, 'SIM-OK')), [409, 'wallet_frozen']);
  await deliver(transactionId);
  const read = () => user.ask(`/transactions/${transactionId}`);
  const waiting = await until(read, ({ body }) => body['waitingFor'] !== undefined);
  assert.deepEqual([waiting.body['status'], waiting.body['waitingFor']], ['executing', 'wallet_frozen']);
  assert.deepEqual([isPaid(transactionId), await balanceOf(user)], [false, [600, 400]]);

  await operator(`/wallets/${user.walletId}/unfreeze`, { body: {} });
  await sleep(31_000);
  await deliver(transactionId);
  const { body } = await untilEnded(user.ask, transactionId);
  assert.deepEqual([body['status'], body['waitingFor'], isPaid(transactionId)], ['completed', undefined, true]);
  assert.deepEqual(await balanceOf(user), [600, 0]);
});
