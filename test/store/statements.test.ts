/** Statements of wallets, on the real engine. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { WalletError } from '../../lambdas/domain/errors.ts';
import { net } from '../../lambdas/domain/postings.ts';
import { entryKey, transactionKey } from '../../lambdas/store/keys.ts';
import type { StatementView } from '../../lambdas/views/statement-view.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { newBooks } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { endUser, operator } from '../request.ts';
import { charge, queueTransfer, transfer, withdraw } from './commands.ts';
import { arrive, settle } from './histories.ts';
import { changeItem, removeItem } from './inspect.ts';
import { scheduleTransfer } from './schedule-commands.ts';
import { after, ask, movedBy, statementOf, steps } from './statement-scenes.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const engine = useEngine();
const dayMs = 86_400_000;

/** Books with wallets of ann, ben and cid, which are funded. */
async function newScene() {
  const books = await newBooks(engine);
  afterTest(books.close);
  const wallets = {
    ann: await fundedWallet(books.table, 'ann', 1_000),
    ben: await fundedWallet(books.table, 'ben', 1_000),
    cid: await fundedWallet(books.table, 'cid', 1_000),
  };
  /** Moves both clocks on. */
  const pass = (ms: number) => (books.table.clock.now = books.entries.clock.now = books.table.clock.now + ms);
  /** Brings the ledger up to date, a millisecond after the last command: the end of a period is exclusive. */
  const follow = () => {
    pass(1);
    return books.follow();
  };
  return { ...books, ...wallets, wallets, pass, follow };
}

const linesOf = ({ lines }: StatementView) =>
  lines.map(({ type, amount, fee, balance }) => [type, amount, fee ?? 0, balance]);

describe('GET /wallets/{walletId}/statement', () => {
  it('equals the books after random histories, and periods that touch have no gap and no line twice', async () => {
    const step = fc.tuple(
      fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 90_000 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 25 }),
        fc.array(fc.nat(100), { maxLength: 4 }),
        async (history, cuts) => {
          const scene = await newScene();
          for (const [name, amount, ms] of history) {
            scene.pass(ms);
            try {
              await steps[name](scene, scene.wallets, amount);
            } catch (error) {
              if (!(error instanceof WalletError)) throw error;
            }
          }
          const spanMs = scene.pass(1) - Date.parse(after(0));
          await scene.follow();
          const whole = await statementOf(scene, scene.ann);
          const { available, held, total } = whole.closing;
          assert.deepEqual({ available, held, total }, await balanceOf(scene.table, scene.ann));
          const moved = net(whole.lines.map(({ transactionId: account = '', amount }) => ({ account, amount })));
          assert.deepEqual(Object.fromEntries(moved), await movedBy(scene, scene.ann));
          assert.ok(whole.lines.every(({ type }) => type !== 'correction'));

          const times = [-1_000, ...cuts.map((cut) => Math.floor((spanMs * cut) / 100)), spanMs].sort((a, b) => a - b);
          const parts: StatementView[] = [];
          for (const [index, from] of times.slice(0, -1).entries()) {
            const query = { from: after(from), to: after(times[index + 1]!) };
            // Nothing was there yet, or the period is empty.
            if (query.from === query.to || times[index + 1]! <= 0) continue;
            parts.push(await statementOf(scene, scene.ann, { query }));
          }
          assert.deepEqual(
            parts.flatMap(({ lines }) => lines),
            whole.lines,
          );
          for (const [index, part] of parts.slice(1).entries()) assert.deepEqual(part.opening, parts[index]!.closing);

          const pages: StatementView[] = [];
          for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
            const page = await statementOf(scene, scene.ann, { query: { limit: '3', ...(cursor && { cursor }) } });
            pages.push(page);
            cursor = page.nextCursor;
          }
          assert.deepEqual(
            pages.flatMap(({ lines }) => lines),
            whole.lines,
          );
          assert.deepEqual(pages.at(-1)!.closing, whole.closing);
          for (const [index, page] of pages.slice(1).entries()) assert.deepEqual(page.opening, pages[index]!.closing);
        },
      ),
      { numRuns: 6 },
    );
  });

  it('shows each kind of movement once, with its sign and the fee that the wallet pays', async () => {
    const scene = await newScene();
    const { ann, ben, table } = scene;
    await transfer(table, ann, ben, { owner: 'ann', amount: 100, fee: 5 });
    await transfer(table, ben, ann, { owner: 'ben', amount: 30, fee: 7 });
    const { transaction } = await withdraw(table, ann, { owner: 'ann', amount: 50, fee: 2 });
    await scene.follow();
    assert.deepEqual(linesOf(await statementOf(scene, ann)), [
      ['charge', 1_000, 0, 1_000],
      ['transfer', -105, 5, 895],
      ['transfer', 30, 0, 925],
    ]);
    await settle(table, transaction.transactionId);
    await scene.follow();
    const { lines, opening, closing, sums } = await statementOf(scene, ann);
    assert.deepEqual(opening, { available: 0, held: 0, total: 0 });
    assert.deepEqual(sums, { lines: 4, in: 1_030, out: 157, fees: 7 });
    assert.deepEqual([closing.total, closing.version], [873, 5]);
    assert.match(String(closing.hash), /^[\w-]{43}$/);
    const last = lines.at(-1)!;
    assert.deepEqual([last.type, last.amount, last.fee], ['withdrawal', -52, 2]);
    assert.deepEqual(last.counterparty, { account: '****2051', name: 'Ann Example' });
    assert.match(String(last.receiptCode), /^RCP-20260301-/);
  });

  it('shows the total with what is held, and the movements of the total alone', async () => {
    const scene = await newScene();
    await withdraw(scene.table, scene.ann, { owner: 'ann', amount: 400 });
    await setStatus(scene.table, scene.ann, 'frozen');
    await scene.follow();
    const { lines, closing } = await statementOf(scene, scene.ann);
    assert.equal(lines.length, 1);
    const { available, held, total, version } = closing;
    assert.deepEqual({ available, held, total, version }, { available: 600, held: 400, total: 1_000, version: 3 });
  });

  it('hides from a receiver what only the payer sees, and shows operators both', async () => {
    const scene = await newScene();
    const { table, ann, ben } = scene;
    const shared = { description: 'rent', externalReference: 'private-7', metadata: { note: 'x' } };
    await transfer(table, ann, ben, { owner: 'ann', amount: 10, fee: 3, ...shared });
    await scene.follow();
    const [, received] = (await statementOf(scene, ben, { as: endUser('ben') })).lines;
    const { version, at, transactionId, receiptCode, ...shown } = received!;
    assert.deepEqual(shown, {
      ...{ type: 'transfer', amount: 10, counterparty: { walletId: ann }, description: 'rent', balance: 1_010 },
    });
    assert.deepEqual([version, at], [2, after(0)]);
    assert.ok(transactionId && receiptCode);
    const [, seen] = (await statementOf(scene, ben, { as: operator })).lines;
    assert.deepEqual([seen!.externalReference, seen!.fee], ['private-7', undefined]);
    const [, sent] = (await statementOf(scene, ann)).lines;
    assert.deepEqual([sent!.externalReference, sent!.fee, sent!.counterparty], ['private-7', 3, { walletId: ben }]);
    for (const format of ['csv', 'camt.053']) {
      const { text } = await ask(scene, ben, { as: endUser('ben'), query: { format } });
      assert.ok(!text.includes('private-7') && text.includes('rent'), text);
    }
  });

  it('is refused while the ledger lacks an entry of the period, and never short', async () => {
    const scene = await newScene();
    const { table, ann } = scene;
    await scene.follow();
    scene.pass(dayMs);
    const at = new Date(table.now()).toISOString();
    await charge(table, ann, { amount: 1 });
    assert.equal((await statementOf(scene, ann)).to, at, 'the charge is at the end of the period');
    scene.pass(1);
    const { status, body, headers } = await ask(scene, ann);
    assert.deepEqual([status, body?.['code'], headers['Retry-After']], [503, 'ledger_behind', '1']);
    assert.equal((await statementOf(scene, ann, { query: { to: at } })).closing.total, 1_000);
    await scene.follow();
    assert.equal((await statementOf(scene, ann)).closing.total, 1_001);
  });

  it('says whether it is final: a command of the last minute may still be booked', async () => {
    const scene = await newScene();
    await scene.follow();
    const finalOf = async (to: string) => (await ask(scene, scene.ann, { query: { to } })).body?.['final'];
    scene.pass(59_999);
    assert.equal(await finalOf(after(1)), false);
    scene.pass(1);
    assert.equal(await finalOf(after(1)), true);
    assert.equal((await ask(scene, scene.ann, { query: { to: after(0) } })).body?.['code'], 'wallet_not_found');
  });

  it('refuses a broken ledger, as a gap, a wrong hash or a wrong balance', async () => {
    const scene = await newScene();
    const { table, ann, entries } = scene;
    for (const amount of [1, 2, 3]) await charge(table, ann, { amount });
    scene.pass(1);
    await scene.follow();
    const key = entryKey(ann, 3);
    await changeItem(entries, key, { balanceAfter: { available: 1_004, held: 0 } });
    assert.equal((await ask(scene, ann)).status, 500);
    await removeItem(entries, key);
    assert.equal((await ask(scene, ann)).body?.['code'], 'ledger_behind');
  });

  it('has one line for a change whose transaction is gone, as after a recovery', async () => {
    const scene = await newScene();
    const { transaction } = await charge(scene.table, scene.ann, { amount: 7 });
    scene.pass(1);
    await scene.follow();
    await removeItem(scene.table, transactionKey(transaction.transactionId));
    assert.equal((await ask(scene, scene.ann)).body?.['code'], 'ledger_behind', 'it may not be visible yet');
    scene.pass(3_600_000);
    const { lines } = await statementOf(scene, scene.ann);
    const [, { type, amount, transactionId, receiptCode }] = lines as [unknown, (typeof lines)[number]];
    assert.deepEqual([type, amount, receiptCode], ['correction', 7, undefined]);
    assert.equal(transactionId, transaction.transactionId);
  });

  it('finds transfers that arrived together, also those that were accepted days before', async () => {
    const scene = await newScene();
    const { table, ann, ben } = scene;
    const queued: string[] = [];
    for (const ms of [0, dayMs, dayMs]) {
      scene.pass(ms);
      queued.push((await queueTransfer(table, ben, ann, { owner: 'ben', amount: 10 })).transaction.transactionId);
    }
    scene.pass(1_000);
    await arrive(table, ...[...queued].reverse());
    scene.pass(1);
    await scene.follow();
    const { lines } = await statementOf(scene, ann);
    assert.deepEqual(
      lines.slice(1).map(({ transactionId }) => transactionId),
      [...queued].sort(),
    );
    assert.deepEqual(
      lines.map(({ balance }) => balance),
      [1_000, 1_010, 1_020, 1_030],
    );
  });

  it('finds scheduled transfers that arrived together, and reads no history from before their execution', async () => {
    const scene = await newScene();
    const { table, ann, ben } = scene;
    const payments = [10, 20].map((amount) => scheduleTransfer(table, ann, ben, { amount, inMs: 300 * dayMs }));
    const ids = (await Promise.all(payments)).map(({ transactionId }) => transactionId);
    scene.pass(300 * dayMs);
    await endTransfers(ids, table);
    scene.pass(1);
    await scene.follow();
    const asked = table.calls.length;
    const { lines } = await statementOf(scene, ben, { as: endUser('ben') });
    assert.deepEqual(
      lines
        .slice(1)
        .map(({ amount }) => amount)
        .sort(),
      [10, 20],
    );
    const from = table.calls.slice(asked).flatMap(({ input }) => {
      const { IndexName, ExpressionAttributeValues } = input as Record<string, Record<string, { S: string }>>;
      return IndexName === undefined ? [] : (ExpressionAttributeValues?.[':from']?.S ?? []);
    });
    assert.ok(from.length > 0 && from.every((time) => time > after(299 * dayMs)), from.join());
  });

  it('refuses other owners, periods that make no sense, and cursors of other statements', async () => {
    const scene = await newScene();
    await scene.follow();
    const codeOf = async (query: Record<string, string>, as = endUser('ann')) =>
      (await ask(scene, scene.ann, { query, as })).body?.['code'];
    assert.equal(await codeOf({}, endUser('ben')), 'wallet_not_found');
    const empty = await openWallet(scene.table, 'ann');
    scene.pass(1);
    assert.equal((await ask(scene, empty)).body?.['code'], 'ledger_behind');
    for (const query of [
      { to: after(10_000) },
      { from: after(0), to: after(0) },
      { from: 'yesterday' },
      { cursor: 'MQ' },
      { limit: '1', format: 'csv' },
      { limit: '1001' },
      { limit: '1', cursor: Buffer.from('9').toString('base64url') },
      { format: 'pdf' },
    ]) {
      assert.equal(await codeOf(query as unknown as Record<string, string>), 'invalid_request', JSON.stringify(query));
    }
    assert.equal((await ask(scene, scene.ann, { as: undefined })).status, 401);
  });

  it('comes in the format that the caller asks for or accepts', async () => {
    const scene = await newScene();
    scene.pass(1);
    await scene.follow();
    const typeOf = async (accept: string | undefined, query: Record<string, string> = {}) => {
      const headers = accept === undefined ? {} : { Accept: accept };
      return (await ask(scene, scene.ann, { headers, query })).headers['Content-Type'];
    };
    assert.equal(await typeOf(undefined), 'application/json');
    assert.equal(await typeOf('text/html, */*;q=0.1'), 'application/json');
    assert.equal(await typeOf('text/csv'), 'text/csv; charset=utf-8');
    assert.equal(await typeOf('application/json;q=0.5, application/xml'), 'application/xml');
    assert.equal(await typeOf('constructor, image/png'), 'application/json');
    assert.equal(await typeOf('text/csv', { format: 'camt.053' }), 'application/xml');
    const { headers } = await ask(scene, scene.ann, { query: { format: 'csv' } });
    assert.match(
      String(headers['Content-Disposition']),
      /^attachment; filename="statement-w_eur_\w+-2026-03-01-2026-03-01.csv"$/,
    );
    assert.match(String(headers['Vary']), /^Accept, Authorization/);
  });
});
