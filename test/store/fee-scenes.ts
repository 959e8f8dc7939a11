/** Books with fees of every command, and their collection. */
import type { Capture, Transaction } from '../../lambdas/domain/transaction.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { getTransactions } from '../../lambdas/store/transactions.ts';
import { failTransfer } from '../../lambdas/store/transfers.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { newBooks } from '../books.ts';
import type { TestEngine } from '../engine.ts';
import { afterTest } from '../fixture.ts';
import { charge, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { capture, holdOf, openHold } from './hold-commands.ts';
import { arrive, release, settle } from './histories.ts';
import { accountClosed } from './visits.ts';
import { openWallet } from './wallets.ts';
import { queueOfDepth } from './work.ts';

export const hourMs = 3_600_000;

/** What the scene's commands pay in fees: 7 + 3 + 11 + 5 + 13 for the charge, transfers, the capture and the withdrawal. */
export const paidInFees = 39;

/** Opens books in which every command with a fee was made, and ended in each way. */
export async function newScene(engine: TestEngine) {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table } = books;
  const pass = () => (table.clock.now += 1_000);
  const [payer, shop, revenue] = [
    await openWallet(table, 'ann'),
    await openWallet(table, 'shop'),
    await openWallet(table, 'us'),
  ];
  const { transaction: charged } = await charge(table, payer, { amount: 10_007, fee: 7 });
  pass();
  const { transaction: sent } = await transfer(table, payer, shop, { amount: 100, owner: 'ann', fee: 3 });
  pass();
  const queued = [];
  for (let n = 0; n < 2; n++) {
    queued.push((await queueTransfer(table, payer, shop, { amount: 200, owner: 'ann', fee: 11 })).transaction);
  }
  const [arrived, failed] = queued as [Transaction, Transaction];
  pass();
  await arrive(table, arrived.transactionId);
  const open = (await getTransactions(table, [failed.transactionId])).get(failed.transactionId);
  if (open === undefined || !('type' in open) || open.type !== 'transfer' || open.status !== 'pending') {
    throw new Error('the transfer is not pending');
  }
  await failTransfer(table, open, accountClosed, timeOf(table));
  pass();
  const hold = await openHold(table, payer, { amount: 300, to: shop });
  const captured: Capture = (await capture(table, hold, { amount: 250, isFinal: true, fee: 5 })).transaction;
  pass();
  const { transaction: paid } = await withdraw(table, payer, { amount: 400, owner: 'ann', fee: 13 });
  const { transaction: refused } = await withdraw(table, payer, { amount: 50, owner: 'ann', fee: 17 });
  const { transaction: waiting } = await withdraw(table, payer, { amount: 60, owner: 'ann', fee: 19 });
  pass();
  await settle(table, paid.transactionId);
  await release(table, refused.transactionId);
  pass();
  const transactions = { charged, sent, arrived, failed, captured, paid, refused, waiting };
  return { ...books, payer, shop, revenue, hold: await holdOf(table, hold), ...transactions };
}
export type Scene = Awaited<ReturnType<typeof newScene>>;

/** Runs the sweeper of a stack with these revenue wallets, or with this one for EUR. */
export function collect(
  { table, entries }: { readonly table: Table; readonly entries: Table },
  wallets: string | Readonly<Record<string, string>>,
) {
  const fees = { entries, revenueWallets: typeof wallets === 'string' ? { EUR: wallets } : wallets };
  // The run also sweeps the shards of work: of few shards, it is short.
  return sweep({ table: { ...table, dueShards: 1 }, withdrawals: queueOfDepth(0), transfers: queueOfDepth(0), fees });
}
