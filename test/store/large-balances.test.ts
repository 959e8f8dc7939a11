/** Balances beyond 2^53-1, which returned money can cause. Every view and every consumer must handle them. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { getBalance } from '../../lambdas/api/get-balance.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { listEntries } from '../../lambdas/api/list-entries.ts';
import { listWallets } from '../../lambdas/api/list-wallets.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { readEvent } from '../../lambdas/views/event-schemas.ts';
import { beginPass } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { failTransfer } from '../../lambdas/store/transfers.ts';
import type { PendingTransfer } from '../../lambdas/domain/transaction.ts';
import { relay } from '../../lambdas/workers/relay.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { endUser, send } from '../request.ts';
import type { Handler, Request } from '../request.ts';
import { charge, queueTransfer, timeOf, transfer, withdraw } from './commands.ts';
import { assertRefused } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';
import { useEngine } from '../fixture.ts';

const engine = useEngine();

/** 2^53-1 and a thousand that were returned. */
const beyond = 9_007_199_254_741_991n;

/**
 * Creates a wallet that was filled up while a transfer of 1000 was in transit. The transfer then failed and its money
 * was returned.
 */
async function refunded({ table }: TestBooks): Promise<{ walletId: string; other: string }> {
  const walletId = await fundedWallet(table, 'ann', 1_000);
  const other = await openWallet(table, 'bob');
  const { transaction } = await queueTransfer(table, walletId, other, { owner: 'ann', amount: 1_000 });
  await charge(table, walletId, { amount: maxAmount });
  const failure = { code: 'wallet_frozen', message: 'The wallet is frozen' };
  const at = timeOf(table);
  assert.equal(await failTransfer(table, transaction as PendingTransfer, failure, at), true);
  return { walletId, other };
}

describe('a balance beyond 2^53-1', () => {
  it('takes no more money in, and all of it can go out', async () => {
    const books = await newBooks(engine);
    const { table } = books;
    const { walletId, other } = await refunded(books);
    assert.deepEqual(await balanceOf(table, walletId), { available: beyond, held: 0, total: beyond });
    await assertRefused(table, 'balance_limit_exceeded', () => charge(table, walletId, { amount: 1 }));
    await assertRefused(table, 'wallet_not_empty', () => setStatus(table, walletId, 'closed'));
    await transfer(table, walletId, other, { owner: 'ann', amount: maxAmount });
    await withdraw(table, walletId, { owner: 'ann', amount: 1_000 });
    assert.deepEqual(await balanceOf(table, walletId), { available: 0, held: 1_000, total: 1_000 });
    books.close();
  });

  it('is an exact integer in every answer to callers', async () => {
    const books = await newBooks(engine);
    const { table, entries } = books;
    const { walletId } = await refunded(books);
    await withdraw(table, walletId, { owner: 'ann', amount: 1 });
    await books.follow();
    const textOf = async (...[name, handler, request]: [Parameters<typeof send>[0], Handler, Request]) => {
      let text = '';
      const heard: Handler = async (event, context) => {
        const result = await handler(event, context);
        text = result.body;
        return result;
      };
      assert.equal((await send(name, heard, { as: endUser('ann'), ...request })).status, 200);
      return text;
    };
    const path = { walletId };
    const at = timeOf(table);
    const balance = '"available":9007199254741990,"held":1,"total":9007199254741991,';
    const limits = openLimits({ readsPerHour: 1_000_000 });
    const balances = serve(getBalance, { table, entries, limits });
    assert.ok((await textOf('get-balance', balances, { path })).includes(balance));
    assert.ok((await textOf('get-balance', balances, { path, query: { at } })).includes(balance));
    assert.ok((await textOf('get-wallet', serve(getWallet, { table, limits }), { path })).includes(balance));
    assert.ok((await textOf('list-wallets', serve(listWallets, { table, limits }), {})).includes(balance));
    const ledger = await textOf('list-entries', serve(listEntries, { table, entries, limits }), { path });
    // DynamoDB keeps no order of an object's members.
    assert.match(ledger, /"available":9007199254741991[,}]/);
    books.close();
  });

  it('is an exact integer in events, which consumers can read', async () => {
    const books = await newBooks(engine);
    const { walletId } = await refunded(books);
    await setStatus(books.table, walletId, 'frozen');
    const details: string[] = [];
    const publisher = {
      put: (batch: readonly { Detail?: string | undefined }[]) => {
        details.push(...batch.map(({ Detail = '' }) => Detail));
        return Promise.resolve(batch.map(() => undefined));
      },
      busName: 'bus',
      now: () => 0,
      random: () => 0,
      sleep: () => Promise.resolve(),
    };
    const setAside = { send: () => Promise.reject(new Error('nothing is to be set aside')) };
    const issuer = 'https://issuer.example';
    const services = { publisher, setAside, fingerprintKey: () => Promise.resolve(['key'] as const), issuer };
    assert.equal(await relay(await books.takeRecords(), services, 1), undefined);
    const frozen = details.find((detail) => detail.includes('"wallet.frozen"')) ?? '';
    assert.ok(frozen.includes('"available":9007199254741991,"held":0,"total":9007199254741991,'), frozen);
    const { wallet } = readEvent(JSON.parse(frozen), ['wallet.frozen']);
    assert.equal(wallet.balance.total, Number(beyond));
    books.close();
  });

  it('is sound for the check of the books', async () => {
    const books = await newBooks(engine);
    const { table } = books;
    const { walletId, other } = await refunded(books);
    await withdraw(table, walletId, { owner: 'ann', amount: maxAmount });
    await withdraw(table, walletId, { owner: 'ann', amount: 900 });
    assert.deepEqual(await balanceOf(table, walletId), { available: 100, held: beyond - 100n, total: beyond });
    await transfer(table, walletId, other, { owner: 'ann', amount: 1 });
    await books.follow();
    assert.deepEqual(books.aside, []);
    const pass = beginPass({ passId: 'pass', now: table.now(), segments: 1, standStill: true, bankId: undefined });
    const control = { now: table.now, stop: () => false, secondLookMs: 0, report: () => undefined };
    assert.equal(await runPass({ ...books, statement: undefined }, pass, control), 'done');
    assert.deepEqual(pass.discrepancies, []);
    assert.equal(pass.sums['EUR']?.wallets, beyond);
    books.close();
  });
});
