import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { describe, it } from '@jest/globals';
import { BankUnavailable, openBank } from '../../lambdas/bank/client.ts';
import { startBankSimulator } from '../../local/bank/bank-simulator.ts';
import { afterTest } from '../fixture.ts';
import { json, keys, notAccepted, paid, payment, rejected, serve } from './answering-bank.ts';

describe('a connection that was never established', () => {
  async function neverReached(url: string, reason: RegExp, timeoutMs = 2_000) {
    const bank = openBank({ url, keys, timeoutMs });
    const [submit, find] = [await bank.submit(payment), await bank.find(payment)];
    assert.equal(submit.outcome, 'not_accepted');
    assert.match(submit.reason, reason);
    assert.deepEqual(find, { outcome: 'unknown', reason: submit.reason }, 'it does not decide an earlier submit');
  }

  it('is refused by the host: nothing was submitted', async () => {
    await neverReached('http://127.0.0.1:1', /^no connection \(ECONNREFUSED\)$/);
  });

  it('fails for a host without an address', async () => {
    await neverReached('https://bank.invalid', /^no connection \((ENOTFOUND|EAI_AGAIN|time-out)\)$/);
  });

  it('ends within the handshake', async () => {
    const server = createTcpServer((socket) => socket.destroy());
    await neverReached(await listenTcp(server), /^no connection \(ECONNRESET\)$/);
  });

  it('fails when the handshake takes longer than a call may take', async () => {
    const server = createTcpServer((socket) => socket.on('error', () => undefined).resume());
    await neverReached(await listenTcp(server), /^no connection \(time-out\)$/, 100);
  });

  async function listenTcp(server: Server): Promise<string> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterTest(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
});

describe('requests', () => {
  it('keep the base path and the connections', async () => {
    const { url, seen } = await serve((_, response) => json(response, 200, paid));
    const bank = openBank({ url: `${url}/bank/v1/`, keys });
    await bank.submit(payment);
    await bank.find(payment);
    assert.deepEqual(
      seen.map((request) => `${String(request.method)} ${String(request.url)}`),
      ['POST /bank/v1/payments', 'GET /bank/v1/payments/tx_1'],
    );
    for (let i = 0; i < 10; i++) await bank.find(payment);
    assert.ok(new Set(seen.map(({ socket }) => socket)).size <= 2);
  });

  it('go to https or to this machine only', () => {
    for (const url of ['https://bank.example', 'http://127.0.0.1:1', 'http://localhost:1/x', 'http://[::1]:1']) {
      assert.doesNotThrow(() => openBank({ url, keys }));
    }
    for (const url of ['http://bank.example', 'http://127.0.0.1.bank.example', 'ftp://localhost', 'bank', '']) {
      assert.throws(() => openBank({ url, keys }), /bank url/);
    }
    for (const url of ['https://user:word@bank.example', 'https://bank.example?a=1', 'https://bank.example#a']) {
      assert.throws(() => openBank({ url, keys }), /no credentials, query or fragment, received one to https:\/\/bank/);
    }
  });
});

describe('the breaker', () => {
  const breaker = { lastCalls: 10, inARow: 4, openMs: 400, tries: 3 };

  it('opens after failures in a row, makes no calls, permits some trial calls, and closes', async () => {
    let status = 503;
    const { url, seen } = await serve((_, response) => json(response, status, paid));
    const states: string[] = [];
    const bank = openBank({ url, keys, breaker, onBreaker: (state) => states.push(state) });
    for (let i = 0; i < 4; i++) await bank.submit(payment);
    assert.deepEqual(states, ['open']);

    for (const call of [() => bank.submit(payment), () => bank.find(payment)]) {
      await assert.rejects(call(), (error) => {
        assert.ok(error instanceof BankUnavailable);
        return error.retryAfterMs > 0 && error.retryAfterMs <= breaker.openMs;
      });
    }
    assert.equal(seen.length, 4);

    await pass(breaker.openMs);
    for (let i = 0; i < 3; i++) assert.equal((await bank.find(payment)).outcome, 'unknown');
    await assert.rejects(bank.find(payment), BankUnavailable);
    assert.equal(seen.length, 7);
    assert.deepEqual(states, ['open', 'half-open', 'open']);
    assert.equal(bank.isDown(), true);

    await pass(breaker.openMs);
    for (let i = 0; i < 2; i++) assert.equal((await bank.find(payment)).outcome, 'unknown');
    status = 200;
    const together = await Promise.all([bank.find(payment), bank.find(payment), bank.submit(payment)]);
    assert.deepEqual(together, Array(3).fill({ outcome: 'accepted' }));
    assert.deepEqual(states.slice(3), ['half-open', 'closed']);
    assert.equal(bank.isDown(), false);
  });

  it('opens for a bank that accepts nothing', async () => {
    const { url } = await serve((_, response) => json(response, 503, notAccepted));
    const bank = openBank({ url, keys, breaker });
    for (let i = 0; i < 4; i++) assert.equal((await bank.submit(payment)).outcome, 'not_accepted');
    await assert.rejects(bank.submit(payment), BankUnavailable);
  });

  it('permits three trial calls at a time', async () => {
    const { url, seen } = await serve((_, response) => json(response, 503, {}));
    const bank = openBank({ url, keys, breaker });
    for (let i = 0; i < 4; i++) await bank.submit(payment);
    await pass(breaker.openMs);
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => bank.submit(payment)));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3);
    assert.equal(seen.length, 7);
  });

  it('opens when more than half of the last calls fail, but not before enough calls', async () => {
    const pattern = [503, 503, 503, 200, 503, 503, 503, 200, 503, 503];
    let next = 0;
    const { url } = await serve((_, response) => json(response, pattern[next++] ?? 200, paid));
    const bank = openBank({ url, keys, breaker });
    for (let i = 0; i < pattern.length; i++) await bank.submit(payment);
    await assert.rejects(bank.submit(payment), BankUnavailable);
  });

  it('counts a rejection, a missing payment and one in process as answers of a healthy bank', async () => {
    for (const [status, body] of [
      [422, rejected],
      [404, { reference: 'tx_1', code: 'payment_not_found' }],
      [200, { ...paid, status: 'processing' }],
    ] as const) {
      const { url } = await serve((_, response) => json(response, status, body));
      const bank = openBank({ url, keys, breaker });
      for (let i = 0; i < 15; i++) await (status === 422 ? bank.submit(payment) : bank.find(payment));
    }
  });

  it('stays closed through a thousand calls of which 30 % fail', async () => {
    const simulator = await startBankSimulator({ keys: () => ['the key'], latencyMs: 0, failureRate: 0.3, seed: 3 });
    afterTest(() => simulator.stop());
    const states: string[] = [];
    const bank = openBank({ url: simulator.url, keys, onBreaker: (state) => states.push(state) });
    for (let i = 0; i < 1000; i++) await bank.submit({ ...payment, reference: `tx_${String(i)}` });
    assert.deepEqual(states, []);
  });
});

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms + 10));
}
