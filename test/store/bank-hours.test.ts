import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { hourMs } from '../../lambdas/domain/hours.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { runHours } from '../../lambdas/integrity/hours.ts';
import { booksOf, check, closedAt, newScene, setClock } from './closed-hour.ts';
import type { Scene } from './closed-hour.ts';
import { withdraw } from './commands.ts';
import { release, settle } from './histories.ts';
import { fundedWallet } from './wallets.ts';
import { useEngine } from '../fixture.ts';

const engine = useEngine();

describe('payments at the edges of an hour', () => {
  const paidAt = (ms: number) => new Date(closedAt + ms).toISOString();

  async function withdrawal(
    scene: Scene,
    at: number,
  ): Promise<{ reference: string; amount: number; currency: string }> {
    setClock(scene, closedAt + at);
    const { transaction } = await withdraw(scene.table, scene.history.ann, { owner: 'ann', amount: 9 });
    return { reference: transaction.transactionId, amount: 9, currency: 'EUR' };
  }

  it('match withdrawals that are completed after the hour, by either clock, or hours later', async () => {
    const scene = await newScene(engine);
    // Paid before the end of the hour, and completed after it.
    const first = await withdrawal(scene, -2_000);
    // The bank's clock is ahead and puts the payment into the next hour.
    const second = await withdrawal(scene, -2_000);
    setClock(scene, closedAt - 1_000);
    await settle(scene.table, second.reference);
    // Paid, and decided by an operator two hours later.
    const third = await withdrawal(scene, -1_800_000);
    setClock(scene, closedAt + 1_000);
    await settle(scene.table, first.reference);
    scene.payments.push(
      { ...first, paidAt: paidAt(-1_000) },
      { ...second, paidAt: paidAt(120_000) },
      { ...third, paidAt: paidAt(-1_700_000) },
    );
    await scene.follow();
    assert.deepEqual(await check(scene), []);
    setClock(scene, closedAt + 2 * hourMs + 60_000);
    await settle(scene.table, third.reference);
    await scene.follow();
    assert.deepEqual(await check(scene, 4 * hourMs), []);
    assert.equal(scene.hours.bank.from, '2026-03-01T17');
    scene.close();
  });

  it('are discrepancies where the withdrawal fails hours later', async () => {
    const scene = await newScene(engine);
    const open = await withdrawal(scene, -1_000_000);
    scene.payments.push({ ...open, paidAt: paidAt(-900_000) });
    await scene.follow();
    assert.deepEqual(await check(scene), []);
    setClock(scene, closedAt + 2 * hourMs + 60_000);
    await release(scene.table, open.reference);
    await scene.follow();
    assert.deepEqual(await check(scene, 4 * hourMs), [`payment_differs ${open.reference}`]);
    scene.close();
  });

  it('are looked up further back when more withdrawals are missing than a sketch can name', async () => {
    const scene = await newScene(engine);
    const rich = await fundedWallet(scene.table, 'rich', 100_000);
    const open: string[] = [];
    setClock(scene, closedAt - 1_800_000);
    for (let n = 0; n < 130; n++) {
      open.push((await withdraw(scene.table, rich, { owner: 'rich', amount: 1 })).transaction.transactionId);
    }
    // The bank was unreachable for an hour after it had paid.
    scene.payments.push(
      ...open.map((reference) => ({ reference, amount: 1, currency: 'EUR', paidAt: paidAt(-1_700_000) })),
    );
    setClock(scene, closedAt + 1_800_000);
    for (const transactionId of open.slice(1)) await settle(scene.table, transactionId);
    await scene.follow();
    assert.deepEqual(await check(scene, 3 * hourMs), []);
    scene.close();
  });

  it('match more withdrawals than a sketch can name that are listed in the next hour', async () => {
    const scene = await newScene(engine);
    const rich = await fundedWallet(scene.table, 'rich', 100_000);
    setClock(scene, closedAt - 1_500_000);
    const open: string[] = [];
    for (let n = 0; n < 125; n++) {
      open.push((await withdraw(scene.table, rich, { owner: 'rich', amount: 1 })).transaction.transactionId);
    }
    await scene.follow();
    setClock(scene, closedAt - 120_000);
    for (const id of open) await settle(scene.table, id);
    scene.payments.push(
      ...open.map((reference) => ({ reference, amount: 1, currency: 'EUR', paidAt: paidAt(-120_000) })),
    );
    const late = await scene.takeRecords();
    setClock(scene, closedAt + 360_000);
    for (let start = 0; start < late.length; start += 100) await scene.hand(late.slice(start, start + 100));
    assert.deepEqual(await check(scene, 4 * hourMs), []);
    assert.equal(scene.hours.bank.from, '2026-03-01T17');
    scene.close();
  });

  it('are discrepancies where the bank pays a completed withdrawal again hours later', async () => {
    const scene = await newScene(engine);
    const [first] = scene.payments;
    const other = await withdrawal(scene, -600_000);
    await settle(scene.table, other.reference);
    await scene.follow();
    // The second one is dated hours late, and paid once.
    scene.payments.push({ ...first!, paidAt: paidAt(2 * hourMs + 600_000) });
    scene.payments.push({ ...other, paidAt: paidAt(2 * hourMs + 600_000) });
    assert.deepEqual(await check(scene, 6 * hourMs), [`payment_differs ${first!.reference}`]);
    scene.close();
  });

  it('are asked for until the bank answers, however many are missing', async () => {
    const scene = await newScene(engine);
    const { bank } = scene.hours;
    bank.asked.push(...Array.from({ length: 250 }, (_, n) => transactionIdOf('ann', `gone ${n}`)));
    const missing = scene.payments.shift()!;
    const answers = { outcome: 'unknown', reason: 'status 500' } as const;
    setClock(scene, closedAt + 600_000);
    const found: string[] = [];
    const control = { now: scene.table.now, stop: () => false, secondLookMs: 0, report: noted };
    function noted({ kind, subject }: { kind: string; subject: string }): void {
      found.push(`${kind} ${subject}`);
    }
    const books = booksOf(scene);
    const down = { ...books.statement!, find: () => Promise.resolve(answers) };
    await runHours({ ...books, statement: down }, scene.hours, control);
    assert.deepEqual(found, []);
    assert.ok(bank.asked.includes(missing.reference));
    await runHours(books, scene.hours, control);
    setClock(scene, closedAt + 2 * hourMs);
    await runHours(books, scene.hours, control);
    assert.deepEqual(found, [`payment_missing ${missing.reference}`]);
    scene.close();
  });
});
