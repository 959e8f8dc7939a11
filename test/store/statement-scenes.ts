/** Statements as the tests ask for them, and histories to make them of. */
import assert from 'node:assert/strict';
import { getStatement } from '../../lambdas/api/statements.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { minus, plus } from '../../lambdas/domain/money.ts';
import { accounts, net } from '../../lambdas/domain/postings.ts';
import type { StatementView } from '../../lambdas/views/statement-view.ts';
import type { TestBooks } from '../books.ts';
import { epoch } from '../engine.ts';
import { endUser, send } from '../request.ts';
import type { Request } from '../request.ts';
import { charge, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { arrive, release, sendTogether, settle } from './histories.ts';
import { capture, openHold } from './hold-commands.ts';
import { allItems } from './inspect.ts';
import { failTransfer } from '../../lambdas/store/transfers.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { split } from './split-commands.ts';

/** Returns the beginning of the tests, so much later. */
export const after = (ms: number) => new Date(epoch + ms).toISOString();

/** Asks for a statement: of the whole time, as ann, unless the request says otherwise. */
export function ask({ table, entries }: TestBooks, walletId: string, request: Request = {}) {
  const handler = serve(getStatement, { table, entries, limits: openLimits({ readsPerHour: 1_000_000 }) });
  const query = { from: after(-3_600_000), ...request.query };
  return send('get-statement', handler, { as: endUser('ann'), path: { walletId }, ...request, query });
}

/** Returns the statement of a successful answer, whose arithmetic must be right. */
export async function statementOf(...asked: Parameters<typeof ask>): Promise<StatementView> {
  const { status, text } = await ask(...asked);
  assert.equal(status, 200, text);
  const statement = JSON.parse(text) as StatementView;
  assertArithmetic(statement);
  return statement;
}

/** Asserts that opening, lines, sums and closing agree to the unit. */
function assertArithmetic({ opening, lines, closing, sums }: StatementView): void {
  let balance = opening.total;
  for (const line of lines) {
    balance = plus(balance, line.amount);
    assert.equal(line.balance, balance, `version ${line.version}`);
  }
  assert.equal(balance, closing.total);
  assert.equal(minus(plus(opening.total, sums.in), sums.out), closing.total);
  assert.equal(sums.lines, lines.length);
  assert.equal(
    sums.fees,
    lines.reduce((sum, { fee = 0 }) => sum + fee, 0),
  );
  for (const { available, held, total } of [opening, closing]) assert.equal(plus(available, held), total);
}

/** Returns what each transaction has moved of a wallet's total, by the postings in the table. */
export async function movedBy({ table }: TestBooks, walletId: string): Promise<Record<string, bigint>> {
  const moved: Record<string, bigint> = {};
  for (const { transactionId, postings } of await allItems(table)) {
    if (!Array.isArray(postings)) continue;
    const sums = net(postings as Parameters<typeof net>[0]);
    const sum = (sums.get(accounts.available(walletId)) ?? 0n) + (sums.get(accounts.held(walletId)) ?? 0n);
    if (sum !== 0n) moved[String(transactionId)] = sum;
  }
  return moved;
}

/** Steps of a random history between ann's wallet and two others. Each takes an amount and may be refused. */
export const steps = {
  charge: ({ table }, { ann }, amount) => charge(table, ann, { amount: amount + 3, fee: 2 }),
  pay: ({ table }, { ann, ben }, amount) => transfer(table, ann, ben, { owner: 'ann', amount, fee: 1 }),
  get: ({ table }, { ann, ben }, amount) => transfer(table, ben, ann, { owner: 'ben', amount }),
  async withdraw({ table }, { ann }, amount) {
    const { transaction } = await withdraw(table, ann, { owner: 'ann', amount, fee: 3 });
    if (amount % 3 === 0) return;
    table.clock.now += 5;
    await (amount % 3 === 1 ? settle : release)(table, transaction.transactionId);
  },
  async queue({ table }, { ann, ben }, amount) {
    const { transaction } = await queueTransfer(table, ann, ben, { owner: 'ann', amount, fee: 1 });
    if (amount % 3 === 0) return;
    table.clock.now += 5;
    const failure = { code: 'wallet_closed', message: 'closed' };
    const pending = await getTransaction(table, transaction.transactionId);
    assert.ok(pending?.type === 'transfer' && pending.status === 'pending');
    if (amount % 3 === 1) await failTransfer(table, pending, failure, timeOf(table));
    else await arrive(table, transaction.transactionId);
  },
  async arriveTogether({ table }, { ann, ben }, amount) {
    const ids = [];
    for (const more of [0, 1, 2]) {
      ids.push(
        (await queueTransfer(table, ben, ann, { owner: 'ben', amount: amount + more })).transaction.transactionId,
      );
      table.clock.now += 2;
    }
    await arrive(table, ...ids);
  },
  async sendTogether({ table }, { ann, ben, cid }, amount) {
    await sendTogether(table, ann, [
      [ben, amount],
      [cid, amount + 1],
    ]);
  },
  split: ({ table }, { ann, ben, cid }, amount) =>
    split(table, [
      [ann, ben, amount, 1],
      [ben, ann, 2],
      [cid, ann, 2],
      [ann, cid, 4],
    ]),
  async hold({ table }, { ann, ben }, amount) {
    const hold = await openHold(table, ann, { amount: amount + 5, to: ben });
    if (amount % 2 === 0) await capture(table, hold, { amount, isFinal: true, fee: amount > 1 ? 1 : 0 });
  },
} as const satisfies Record<string, Step>;
type Step = (
  books: TestBooks,
  wallets: { readonly ann: string; readonly ben: string; readonly cid: string },
  amount: number,
) => Promise<unknown>;
