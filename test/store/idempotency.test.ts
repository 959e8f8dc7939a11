import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { Committed } from '../../lambdas/store/commit.ts';
import { charge, newKey, queueTransfer, transfer, withdraw } from './commands.ts';
import type { Command } from './commands.ts';
import { allItems, asStored, assertRefused } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';
import { useTable } from '../fixture.ts';

const table = useTable();

/** Every command that moves money, from a wallet of ann's with 100. */
const commands: Record<string, (walletId: string, command: Omit<Command, 'owner'>) => Promise<Committed>> = {
  charge: (walletId, command) => charge(table, walletId, command),
  withdraw: (walletId, command) => withdraw(table, walletId, { owner: 'ann', ...command }),
  transfer: async (walletId, command) => transfer(table, walletId, await receiver(), { owner: 'ann', ...command }),
  'queued transfer': async (walletId, command) =>
    queueTransfer(table, walletId, await receiver(), { owner: 'ann', ...command }),
};

let to: string | undefined;
async function receiver(): Promise<string> {
  return (to ??= await openWallet(table, 'bob'));
}

for (const [name, send] of Object.entries(commands)) {
  describe(`a ${name}`, () => {
    it('moves money once for any number of requests, and answers with the same transaction', async () => {
      const walletId = await fundedWallet(table, 'ann', 100);
      const key = newKey();
      const first = await send(walletId, { key, amount: 30 });
      const items = await allItems(table);
      table.clock.now += 86_400_000;
      for (let i = 0; i < 3; i++) {
        const again = await send(walletId, { key, amount: 30 });
        assert.equal(again.replayed, true);
        assert.deepEqual(again.transaction, stored(first));
      }
      assert.deepEqual(await allItems(table), items);
    });

    it('is refused under a used key when any part of the request differs', async () => {
      const walletId = await fundedWallet(table, 'ann', 100);
      const other = await fundedWallet(table, 'ann', 100);
      const key = newKey();
      await send(walletId, { key, amount: 30 });
      for (const again of [
        () => send(walletId, { key, amount: 31 }),
        () => send(walletId, { key, amount: 30, description: 'again' }),
        () => send(walletId, { key, amount: 30, metadata: {} }),
        () => send(other, { key, amount: 30 }),
      ]) {
        await assertRefused(table, 'idempotency_key_reused', again);
      }
    });

    it('is answered as a replay before any other check', async () => {
      const walletId = await fundedWallet(table, 'ann', 100);
      const key = newKey();
      await send(walletId, { key, amount: 100 });
      if (name !== 'charge') {
        assert.equal((await balanceOf(table, walletId)).available, 0, 'the funds would not do for a second one');
      }
      await setStatus(table, walletId, 'frozen');
      assert.equal((await send(walletId, { key, amount: 100 })).replayed, true);
      await assertRefused(table, 'idempotency_key_reused', () => send(walletId, { key, amount: 99 }));
    });

    it('sent many times at once is one transaction, and the other requests are replays', async () => {
      const walletId = await fundedWallet(table, 'ann', 100);
      const before = await balanceOf(table, walletId);
      const key = newKey();
      const answers = await Promise.all(Array.from({ length: 10 }, () => send(walletId, { key, amount: 60 })));
      assert.equal(answers.filter(({ replayed }) => !replayed).length, 1);
      assert.equal(new Set(answers.map(({ transaction }) => transaction.transactionId)).size, 1);
      const { available } = await balanceOf(table, walletId);
      assert.equal(Math.abs(Number(available) - Number(before.available)), 60);
    });
  });
}

describe('a key', () => {
  it('of one operation is refused for every other operation', async () => {
    const walletId = await fundedWallet(table, 'ann', 100);
    const key = newKey();
    await charge(table, walletId, { key, amount: 5 });
    await assertRefused(table, 'idempotency_key_reused', () => setStatus(table, walletId, 'frozen', key));
    await assertRefused(table, 'idempotency_key_reused', () => withdraw(table, walletId, { key, amount: 5 }));

    const operationKey = newKey();
    await setStatus(table, walletId, 'frozen', operationKey);
    await setStatus(table, walletId, 'active');
    await assertRefused(table, 'idempotency_key_reused', () =>
      charge(table, walletId, { key: operationKey, amount: 5 }),
    );
  });

  it('belongs to its principal: the same key of another principal is another transaction', async () => {
    const anns = await fundedWallet(table, 'ann', 100);
    const bobs = await fundedWallet(table, 'bob', 100);
    const key = newKey();
    const first = await withdraw(table, anns, { owner: 'ann', key, amount: 5 });
    const second = await withdraw(table, bobs, { owner: 'bob', key, amount: 5 });
    assert.equal(second.replayed, false);
    assert.notEqual(first.transaction.transactionId, second.transaction.transactionId);
    assert.deepEqual(await balanceOf(table, bobs), { available: 95, held: 5, total: 100 });
  });
});

/** Returns a transaction in the form in which it is read again. */
function stored({ transaction }: Committed): unknown {
  const due = transaction.status === 'pending' ? { dueAt: transaction.createdAt } : {};
  return { ...asStored(transaction), ...due };
}
