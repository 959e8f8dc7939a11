import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { sum } from '../../lambdas/domain/postings.ts';
import type { Posting } from '../../lambdas/domain/postings.ts';
import { transfer, withdraw } from './commands.ts';
import { allItems, refusalOf } from './inspect.ts';
import { balanceOf, fundedWallet } from './wallets.ts';
import { useTable } from '../fixture.ts';

const table = useTable();

describe('commands at the same time', () => {
  it('withdraw a whole balance once: one of fifty is accepted, the others lack the funds', async () => {
    const walletId = await fundedWallet(table, 'ann', 500);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const refusal = await refusalOf(withdraw(table, walletId, { owner: 'ann', amount: 500 }));
        return refusal?.code ?? 'accepted';
      }),
    );
    assert.deepEqual(outcomes.sort(), ['accepted', ...Array.from({ length: 49 }, () => 'insufficient_funds')]);
    assert.deepEqual(await balanceOf(table, walletId), { available: 0, held: 500, total: 500 });
  });

  it('move each of 200 transfers among 10 wallets once, though every one is sent twice', async () => {
    const owners = Array.from({ length: 10 }, (_, i) => `owner-${i}`);
    const wallets = await Promise.all(owners.map((owner) => fundedWallet(table, owner, 1_000)));
    const commands = Array.from({ length: 200 }, (_, i) => {
      const from = i % 10;
      const to = (from + 1 + ((i * 7) % 9)) % 10;
      return { from, to, owner: owners[from]!, key: `transfer-${i}`, amount: 1 + ((i * 13) % 40) };
    });
    const send = async ({ from, to, ...command }: (typeof commands)[number]) =>
      transfer(table, wallets[from]!, wallets[to]!, command);
    const answers = await Promise.all([...commands, ...commands].map(send));

    assert.equal(answers.filter(({ replayed }) => !replayed).length, 200);
    assert.equal(new Set(answers.map(({ transaction }) => transaction.transactionId)).size, 200);
    for (const [i, walletId] of wallets.entries()) {
      const moved = commands.reduce(
        (net, { from, to, amount }) => net + (to === i ? amount : from === i ? -amount : 0),
        0,
      );
      const total = 1_000 + moved;
      assert.deepEqual(await balanceOf(table, walletId), { available: total, held: 0, total });
    }
    const items = await allItems(table);
    const postings = items.flatMap((item) => (item['postings'] ?? []) as Posting[]);
    assert.equal(sum(postings), 0n);
    // Each wallet's version counts its changes: one charge, and one for each transfer in or out.
    for (const [i, walletId] of wallets.entries()) {
      const wallet = items.find((item) => item['pk'] === `WALLET#${walletId}`);
      assert.equal(wallet?.['version'], 1 + commands.filter(({ from, to }) => from === i || to === i).length);
    }
  });
});
