/** One request, followed by its id: from the answer through the logs of route, queue and worker, to the events. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { eventually } from './eventually.ts';
import { startService, untilEnded } from './service.ts';

const lines: Record<string, unknown>[] = [];
const { newUser, runner } = await startService({
  log: (text) => {
    for (const line of text.split('\n')) {
      if (line.startsWith('{')) lines.push(JSON.parse(line) as Record<string, unknown>);
    }
  },
});

const functionOf = (name: RegExp) =>
  runner.resources.find(({ type, logicalId }) => type === 'AWS::Lambda::Function' && name.test(logicalId))?.ref;

/** Returns the lines of a function, once there is one that passes. */
async function linesOf(name: RegExp, passes: (line: Record<string, unknown>) => boolean) {
  const found = () => lines.filter((line) => line['function'] === functionOf(name) && passes(line));
  await eventually(() => found().length > 0);
  return found();
}

describe('the id of a request', () => {
  it("is in the answer's header, in the route's line, and in the line of the worker that paid", async () => {
    const { ask, walletId } = await newUser(1_000);
    const body = { amount: 100, destination: { account: 'SIM-OK' } };
    const { headers, body: accepted } = await ask(`/wallets/${walletId}/withdraw`, { body });
    const requestId = headers.get('x-amzn-requestid');
    const transactionId = String(accepted['transactionId']);
    await untilEnded(ask, transactionId);
    const [command] = await linesOf(/withdrawFunction/i, (line) => line['transactionId'] === transactionId);
    assert.equal(command?.['requestId'], requestId);
    const visited = (line: Record<string, unknown>) =>
      line['message'] === 'bank visited' && line['transactionId'] === transactionId;
    const [visit] = await linesOf(/withdrawalsFunction/i, visited);
    assert.equal(visit?.['requestId'], requestId);
  });

  it('is in the line of the worker that settled a queued transfer', async () => {
    const [sender, receiver] = [await newUser(1_000), await newUser()];
    const { headers, body } = await sender.ask(`/wallets/${sender.walletId}/transfer`, {
      body: { amount: 100, toWalletId: receiver.walletId },
      headers: { Prefer: 'respond-async' },
    });
    await untilEnded(sender.ask, String(body['transactionId']));
    const settled = (line: Record<string, unknown>) => line['walletId'] === receiver.walletId;
    const [line] = await linesOf(/transfersFunction/i, settled);
    assert.deepEqual(line?.['requestIds'], [headers.get('x-amzn-requestid')]);
  });

  it('is in the body of a refusal, too', async () => {
    const { ask, walletId } = await newUser();
    const { headers, body } = await ask(`/wallets/${walletId}/withdraw`, {
      body: { amount: 100, destination: { account: 'SIM-OK' } },
    });
    assert.equal(body['requestId'], headers.get('x-amzn-requestid'));
  });
});
