/** `uniqueReference`, on the real engine: one command has a reference for itself alone. */
import assert from 'node:assert/strict';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, it } from '@jest/globals';
import { charge } from '../../lambdas/api/charge.ts';
import { openHold } from '../../lambdas/api/open-hold.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import type { RouteName } from '../../lambdas/contract.ts';
import { beginPass } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import { checkReferences } from '../../lambdas/integrity/reference-check.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { referenceKey, transactionKey } from '../../lambdas/store/keys.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { endUser, operator, send } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { checkUnits } from '../units.ts';
import { newKey, timeOf } from './commands.ts';
import { allItems, itemOf, plant } from './inspect.ts';
import { recover } from './recovering.ts';
import { fundedWallet } from './wallets.ts';

const engine = useEngine();
let books: TestBooks;
let table: TestTable;
let routes: Partial<Record<RouteName, Handler>>;
let walletId: string;
let bob: string;
beforeEach(async () => {
  books = await newBooks(engine);
  ({ table } = books);
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000 });
  const queue = { send: () => Promise.resolve() };
  const queued = { table, limits, queue, isOverloaded: () => Promise.resolve(false) };
  routes = {
    charge: serve(charge, { table }),
    transfer: serve(transfer, queued),
    withdraw: serve(withdraw, queued),
    'open-hold': serve(openHold, { table, limits }),
    refund: serve(refund, { table, limits }),
  };
  walletId = await fundedWallet(table, 'ann', 1_000);
  bob = await fundedWallet(table, 'bob', 1_000);
});
const ann = endUser('ann');
const unique = { externalReference: 'invoice-1', uniqueReference: true };

const ask = (name: RouteName, as: CallerContext, body: object, path: Record<string, string> = {}, key = newKey()) =>
  send(name, routes[name]!, { as, path: Object.keys(path).length === 0 ? { walletId } : path, key, body });
const pay = (body: object = {}, as = ann, key = newKey()) =>
  ask('transfer', as, { amount: 1, toWalletId: bob, ...unique, ...body }, {}, key);
const codeOf = ({ status, body }: Response) => `${status} ${String(body?.['code'])}`;
const idOf = ({ body }: Response) => String(body?.['transactionId']);

describe('a command with uniqueReference', () => {
  it('has its reference alone: another is refused with the id of the first, whatever its kind', async () => {
    const first = await pay();
    assert.deepEqual([first.status, first.body?.['uniqueReference']], [201, true]);
    const others = [
      await pay(),
      await ask('withdraw', ann, { amount: 1, destination: { account: 'DE02120300000000202051' }, ...unique }),
      await ask('open-hold', ann, { amount: 1, toWalletId: bob, expiresAt: timeOf(table, 600_000), ...unique }),
      await pay({ executeAt: timeOf(table, 3_600_000) }),
    ];
    for (const other of others) assert.deepEqual([codeOf(other), idOf(other)], ['409 reference_taken', idOf(first)]);
    // Nothing of them was stored.
    assert.equal((await allItems(table)).filter(({ sk, type }) => sk === 'TX' && type === 'transfer').length, 1);
  });

  it('answers its own repetition with the first, and is not refused by commands that do not ask for it', async () => {
    const key = newKey();
    assert.equal((await pay({ uniqueReference: undefined })).status, 201);
    const first = await pay({}, ann, key);
    const again = await pay({}, ann, key);
    assert.deepEqual([again.status, idOf(again)], [201, idOf(first)]);
    assert.equal(again.headers['Idempotency-Replayed'], 'true');
    assert.equal((await pay({ uniqueReference: undefined })).status, 201);
  });

  it('of several at once books one', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => pay()));
    assert.deepEqual(answers.map(codeOf).sort(), ['201 undefined', ...Array<string>(7).fill('409 reference_taken')]);
    const [first] = answers.filter(({ status }) => status === 201);
    assert.deepEqual(new Set(answers.map(idOf)), new Set([idOf(first!)]));
  });

  it('takes it among those of its owner: no owner can take or try that of another', async () => {
    assert.equal((await pay()).status, 201);
    const ofBob = { amount: 1, toWalletId: walletId, ...unique };
    assert.equal((await ask('transfer', endUser('bob'), ofBob, { walletId: bob })).status, 201);
    const charged = await ask('charge', operator, { amount: 1, ...unique });
    assert.equal(charged.status, 201, 'operators have references of their own');
    const second = await ask('charge', { ...operator, principal: 'operator-2' }, { amount: 1, ...unique });
    assert.deepEqual([codeOf(second), idOf(second)], ['409 reference_taken', idOf(charged)]);
  });

  it('shows the transaction to its own caller and to those who read all, and to no other', async () => {
    const backend = { ...operator, principal: 'backend', scopes: 'charge' };
    const charged = await ask('charge', backend, { amount: 1, ...unique });
    assert.equal(idOf(await ask('charge', backend, { amount: 1, ...unique })), idOf(charged));
    assert.equal(idOf(await ask('charge', operator, { amount: 1, ...unique })), idOf(charged));
    const other = await ask('charge', { ...backend, principal: 'backend-2' }, { amount: 1, ...unique });
    assert.deepEqual([codeOf(other), other.body?.['transactionId']], ['409 reference_taken', undefined]);
  });

  it('needs a reference', async () => {
    const answer = await pay({ externalReference: undefined });
    assert.equal(codeOf(answer), '400 invalid_request');
    assert.deepEqual(answer.body?.['errors'], [
      { path: 'externalReference', message: 'is required with uniqueReference' },
    ]);
  });

  it('of a refund works too', async () => {
    const paid = await pay();
    const path = { transactionId: idOf(paid) };
    const body = { amount: 1, reason: 'broken', ...unique };
    const refunded = await ask('refund', operator, body, path);
    assert.equal(refunded.status, 201);
    const other = await pay({ externalReference: 'invoice-2' });
    assert.equal(codeOf(await ask('refund', operator, body, { transactionId: idOf(other) })), '409 reference_taken');
  });

  it('costs 2 units and no round trip more', async () => {
    const of = async (body: object) => {
      const { roundTrips, writeUnits } = await measure(table, () => pay(body, operator));
      return { roundTrips, writeUnits };
    };
    const [plain, with_] = [await of({ uniqueReference: undefined }), await of({})];
    assert.equal(with_.roundTrips, plain.roundTrips);
    checkUnits(() => {
      assert.equal(with_.writeUnits - plain.writeUnits, 2);
    });
  });
});

describe('after a loss', () => {
  const key = () => referenceKey({ ownerId: 'ann', externalReference: 'invoice-1' });
  const remove = (one: { pk: string; sk: string }) =>
    table.client.send(new DeleteCommand({ TableName: table.name, Key: one }));
  const found = async (transactionId: string) =>
    (await checkReferences(table, [{ pk: key().pk, transactionId }])).found.map(({ kind }) => kind);

  it('a record that is gone is found by the check, and put back by the recovery', async () => {
    const transactionId = idOf(await pay());
    const record = await itemOf(table, key());
    assert.deepEqual(await found(transactionId), []);
    await remove(key());
    assert.deepEqual(await found(transactionId), ['reference_differs']);
    await books.follow();
    assert.deepEqual(await recover(books), [`reference ${transactionId}: is its own again`]);
    assert.deepEqual(await itemOf(table, key()), record);
    assert.equal(codeOf(await pay()), '409 reference_taken');
  });

  it('the record of a forgotten transaction is found, and given back unless an event puts the transaction back', async () => {
    for (const hasEvent of [true, false]) {
      const before = [
        await itemOf(table, { pk: `WALLET#${walletId}`, sk: 'WALLET' }),
        await itemOf(table, { pk: `WALLET#${bob}`, sk: 'WALLET' }),
      ];
      await books.takeRecords();
      const transactionId = idOf(await pay({ externalReference: 'invoice-1' }));
      const events = [...eventsIn(await books.takeRecords()).values()];
      await remove(transactionKey(transactionId));
      await plant(table, ...before.map((item) => item ?? {}));
      assert.deepEqual(await found(transactionId), ['reference_differs']);
      await recover(books, hasEvent ? events : []);
      assert.equal((await itemOf(table, transactionKey(transactionId))) !== undefined, hasEvent);
      assert.equal((await itemOf(table, key())) !== undefined, hasEvent);
      if (hasEvent) await Promise.all([remove(transactionKey(transactionId)), remove(key())]);
    }
  });

  it('a lost command that is repeated meets its own record, and is booked', async () => {
    const repeated = newKey();
    const transactionId = idOf(await pay({}, ann, repeated));
    await remove(transactionKey(transactionId));
    const again = await pay({}, ann, repeated);
    assert.deepEqual([again.status, idOf(again)], [201, transactionId]);
  });

  it('is found by a whole pass', async () => {
    const transactionId = idOf(await pay());
    await remove(key());
    await books.follow();
    const kinds: string[] = [];
    const now = () => table.clock.now;
    const pass = beginPass({ passId: 'pass-1', now: now(), segments: 2, standStill: true, bankId: undefined });
    const report = ({ kind, subject }: { kind: string; subject: string }) => kinds.push(`${kind} ${subject}`);
    const control = { now, stop: () => false, secondLookMs: 0, report };
    assert.equal(await runPass({ ...books, statement: undefined }, pass, control), 'done');
    assert.deepEqual(kinds, [`reference_differs ${transactionId}`]);
  });
});
