/** Aliases in the check of the books and after a loss, on the real engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { changeWallet } from '../../lambdas/api/change-wallet.ts';
import type { Alias } from '../../lambdas/domain/alias.ts';
import { missingWalletId } from '../../lambdas/domain/ids.ts';
import { beginPass } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { aliasItem, getAlias } from '../../lambdas/store/aliases.ts';
import { aliasKey, takenAliasesKey } from '../../lambdas/store/keys.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import type { TestTable } from '../engine.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { endUser, send } from '../request.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { newKey, timeOf } from './commands.ts';
import { itemOf, plant, removeItem } from './inspect.ts';
import { recover } from './recovering.ts';
import { openWallet } from './wallets.ts';

const engine = useEngine();
let books: TestBooks;
let table: TestTable;
let walletId: string;
beforeEach(async () => {
  books = await newBooks(engine);
  afterTest(books.close);
  ({ table } = books);
  walletId = await openWallet(table, 'ben');
});

async function claim(alias: string | null, owner = 'ben', of = walletId): Promise<number> {
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000 });
  const request = { as: endUser(owner), path: { walletId: of }, key: newKey(), body: { alias } };
  return (await send('change-wallet', serve(changeWallet, { table, limits }), request)).status;
}
const takeEvents = async (): Promise<ServiceEvent[]> => [...eventsIn(await books.takeRecords()).values()];
const aliasLines = (lines: readonly string[]) => lines.filter((line) => line.includes('@'));
const stored = (alias: Partial<Alias>) => {
  const whole = { alias: 'ben', ownerId: 'ben', wallets: {}, version: 1, updatedAt: timeOf(table), ...alias };
  return plant(table, aliasItem(whole));
};

async function findings(): Promise<string[]> {
  await books.follow();
  const found: string[] = [];
  const now = () => table.clock.now;
  const pass = beginPass({ passId: 'pass-1', now: now(), segments: 2, standStill: true, bankId: undefined });
  const report = ({ kind, subject }: { kind: string; subject: string }) => found.push(`${kind} ${subject}`);
  const control = { now, stop: () => false, secondLookMs: 0, report };
  assert.equal(await runPass({ ...books, statement: undefined }, pass, control), 'done');
  return found;
}

describe('the check of the books', () => {
  it('finds nothing wrong with aliases, and names one that pays another owner, no wallet, or another currency', async () => {
    assert.equal(await claim('ben'), 200);
    assert.deepEqual(await findings(), []);
    const others = await openWallet(table, 'ann');
    for (const wallets of [{ EUR: others }, { USD: walletId }, { EUR: missingWalletId('EUR', 'x') }]) {
      await stored({ wallets });
      assert.deepEqual(await findings(), ['alias_differs @ben'], JSON.stringify(wallets));
    }
  });
});

describe('a recovery', () => {
  it('gives a forgotten alias to its owner again, without a wallet, so that no other owner takes it', async () => {
    await books.follow();
    await claim('ben');
    const events = await takeEvents();
    await removeItem(table, aliasKey('ben'));
    await removeItem(table, takenAliasesKey('ben'));
    assert.deepEqual(aliasLines(await recover(books, events)), [
      'alias @ben: is of ben again, and pays no wallet until it is set again',
    ]);
    const { ownerId, wallets } = (await getAlias(table, 'ben'))!;
    assert.deepEqual([ownerId, wallets], ['ben', {}]);
    assert.deepEqual(
      (await itemOf(table, takenAliasesKey('ben')))?.['aliases'],
      new Set(['ben']),
      'it counts as taken',
    );
    assert.equal(await claim('ben', 'ann', await openWallet(table, 'ann')), 409);
    assert.deepEqual(aliasLines(await recover(books, events)), [], 'a second recovery finds nothing');
    assert.equal(await claim('ben'), 200);
  });

  it('removes a wallet that events show without the alias since, and one that does not exist', async () => {
    await claim('ben');
    const restored = await itemOf(table, aliasKey('ben'));
    await claim(null);
    const events = await takeEvents();
    await plant(table, restored!);
    assert.deepEqual(aliasLines(await recover(books, events)), [
      `alias @ben: pays ${walletId} no more, from which it was removed since`,
    ]);
    assert.deepEqual((await getAlias(table, 'ben'))?.wallets, {});
    const missing = missingWalletId('EUR', 'x');
    await stored({ wallets: { EUR: missing } });
    assert.deepEqual(aliasLines(await recover(books)), [`alias @ben: pays ${missing} no more, which does not exist`]);
    assert.deepEqual((await getAlias(table, 'ben'))?.wallets, {});
  });

  it('counts an alias again that the restore has torn from those that its owner took', async () => {
    await claim('ben');
    await claim('ben.two');
    await plant(table, { ...takenAliasesKey('ben'), aliases: new Set(['bentwo']) });
    assert.deepEqual(aliasLines(await recover(books)), ['alias @ben: counts again among those of ben']);
    assert.deepEqual((await itemOf(table, takenAliasesKey('ben')))?.['aliases'], new Set(['ben', 'bentwo']));
    assert.deepEqual(aliasLines(await recover(books)), [], 'a second recovery finds nothing');
  });

  it('lets an owner of three take one again that no event shows', async () => {
    for (const alias of ['ben', 'ben.two', 'ben.three']) assert.equal(await claim(alias), 200);
    assert.equal(await claim(null), 200);
    await removeItem(table, aliasKey('bentwo'));
    await recover(books);
    assert.equal(await claim('ben.four'), 422);
    assert.equal(await claim('ben.two'), 200);
  });

  it('names an alias that two owners have taken', async () => {
    await claim('ben');
    const events = await takeEvents();
    await stored({ ownerId: 'ann' });
    const [line] = aliasLines(await recover(books, events));
    assert.match(line ?? '', /^DIFFERENCE alias_twice @ben: an event shows it as that of ben, and ann has it$/);
  });
});
