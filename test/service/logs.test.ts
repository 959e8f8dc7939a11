import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { startService } from './service.ts';
import { eventually } from './eventually.ts';

const lines: Record<string, unknown>[] = [];
/** The functions that the lines name, which is what only the log of one machine needs. */
const functions = new Set<unknown>();
const { newUser, runner } = await startService({
  log: (text) => {
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const { function: name, ...fields } = line.startsWith('{')
        ? (JSON.parse(line) as Record<string, unknown>)
        : { line };
      functions.add(name);
      lines.push(fields);
    }
  },
});

const withdraw = runner.resources.find(
  ({ type, logicalId }) => type === 'AWS::Lambda::Function' && /withdrawFunction/i.test(logicalId),
);

/**
 * The most bytes of an answered command in the log of its function. The cost of a million commands uses this figure.
 */
const mostBytes = 700;

/** Returns the lines of a wallet's only withdrawal, once there are any. */
async function linesOf(walletId: string) {
  const found = () => lines.filter((line) => line['route'] === 'withdraw' && line['walletId'] === walletId);
  await eventually(() => found().length > 0);
  return found();
}

describe('the log of a command', () => {
  it('is one line with ids, status and duration, which CloudWatch counts too', async () => {
    const { ask, walletId } = await newUser(1_000);
    const destination = { account: 'DE89370400440532013000', name: 'Ada Lovelace' };
    const { body, status } = await ask(`/wallets/${walletId}/withdraw`, { body: { amount: 100, destination } });
    assert.equal(status, 202);
    const [line, ...others] = await linesOf(walletId);
    assert.deepEqual(others, []);
    const { transactionId, status: logged, CommandDuration, principal, requestId, durationMs } = line ?? {};
    assert.equal(transactionId, body['transactionId']);
    assert.equal(logged, '202');
    assert.equal(typeof CommandDuration, 'number');
    assert.equal(line?.['service'], 'Wallet-Service', 'the dimension of its metrics');
    for (const text of [principal, requestId, durationMs]) assert.ok(typeof text === 'string' && text !== '');
    const text = JSON.stringify(line);
    assert.ok(!text.includes('DE89') && !text.includes('Lovelace'));
    assert.ok(text.length <= mostBytes, `${text.length} bytes`);
    assert.ok(functions.has(withdraw?.ref));
    assert.deepEqual(
      lines.filter((one) => 'line' in one),
      [],
      'no library warns',
    );
  });

  it('is one line with the code when the command is refused', async () => {
    const { ask, walletId } = await newUser(1_000);
    const destination = { account: 'SIM-OK' };
    const { status } = await ask(`/wallets/${walletId}/withdraw`, { body: { amount: 9_999, destination } });
    assert.equal(status, 422);
    const found = await linesOf(walletId);
    assert.deepEqual(
      found.map(({ code, status: logged, 'Refused.insufficient_funds': refused }) => [code, logged, refused]),
      [['insufficient_funds', '422', 1]],
    );
  });
});
