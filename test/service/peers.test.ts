import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from '@jest/globals';
import { jsonClient } from '../../bench/peers/ledger.ts';
import type { Answer, Ledger, Move } from '../../bench/peers/ledger.ts';
import { differencesOf, openAccounts, runRound } from '../../bench/peers/measure.ts';
import type { Scenario } from '../../bench/peers/measure.ts';
import { startWalletService } from '../../bench/peers/wallet.ts';

const intoOne: Scenario = { name: 'into one', clients: 2, intoOne: true, queued: false, atMost: Infinity };

/** Opens a ledger in memory; `answer` decides about each transfer that it is sent, and may apply it. */
function openLedger(answer: (move: Move, apply: () => void) => Answer): Ledger {
  const balances = new Map<string, number>();
  const add = (account: string, amount: number) => balances.set(account, (balances.get(account) ?? 0) + amount);
  return {
    processIds: [process.pid],
    canQueue: true,
    open(count, money) {
      const accounts = Array.from({ length: count }, (_, index) => `account ${index}`);
      for (const account of accounts) add(account, money);
      return Promise.resolve(accounts);
    },
    async transfer(move) {
      // The loop of a client must give way to its clock.
      await new Promise((resolve) => setTimeout(resolve, 2));
      return answer(move, () => {
        add(move.from, -move.amount);
        add(move.to, move.amount);
      });
    },
    balance: (account) => Promise.resolve(balances.get(account) ?? 0),
    rest: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
}

describe('comparison with other ledgers', () => {
  it('sends a refused transfer again with its key, and counts it once', async () => {
    const refused = new Set<string>();
    const applied: string[] = [];
    const ledger = openLedger(({ key }, apply) => {
      if (!refused.has(key)) {
        refused.add(key);
        return { kind: 'refused', reason: 'busy' };
      }
      applied.push(key);
      apply();
      return { kind: 'applied' };
    });
    const opened = await openAccounts(ledger, 5, 1);
    const { transfers, refusals } = await runRound(opened, intoOne, 0.1);
    assert.ok(transfers > 0);
    assert.equal(refusals, transfers);
    assert.equal(new Set(applied).size, transfers);
    assert.deepEqual(await differencesOf(opened), []);
  });

  it('reports a lost answer as none, so that the command is sent again with its key', async () => {
    const server = createServer((request) => request.socket.destroy());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = jsonClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const { status } = await client.sendKeyed('/transactions', {}, { 'Idempotency-Key': '1' });
    client.close();
    server.close();
    assert.equal(status, 0);
  });

  it('counts the time until the last queued transfer is applied', async () => {
    const ledger = openLedger((_, apply) => {
      setTimeout(apply, 500);
      return { kind: 'queued' };
    });
    const opened = await openAccounts(ledger, 5, 1);
    const { transfers, perSecond } = await runRound(opened, { ...intoOne, queued: true }, 0.1);
    assert.ok(perSecond <= transfers / 0.5, `${transfers} transfers, ${perSecond} a second`);
    assert.deepEqual(await differencesOf(opened), []);
  });

  it('reports a ledger that answers and moves nothing', async () => {
    const opened = await openAccounts(
      openLedger(() => ({ kind: 'applied' })),
      5,
      1,
    );
    await runRound(opened, { ...intoOne, atMost: 4 }, 60);
    const differences = await differencesOf(opened);
    assert.ok(
      differences.some((text) => text.startsWith('account 0 has ')),
      differences.join('\n'),
    );
  });

  it('measures this service as npm start runs it, with exact balances', async () => {
    const ledger = await startWalletService();
    try {
      const opened = await openAccounts(ledger, 5, 1);
      const round = await runRound(opened, { ...intoOne, queued: true }, 0.5);
      assert.ok(round.transfers > 0);
      assert.ok(round.cpuMs > 0);
      assert.deepEqual(await differencesOf(opened), []);
    } finally {
      await ledger.stop();
    }
  });
});
