/** `uniqueReference`, on the real engine: one command has a reference for itself alone. */
import assert from 'node:assert/strict';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, it } from '@jest/globals';
import { charge } from '../../lambdas/api/charge.ts';
import { capture } from '../../lambdas/api/capture.ts';
import { createBatch } from '../../lambdas/api/create-batch.ts';
import { openHold } from '../../lambdas/api/open-hold.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { split } from '../../lambdas/api/split.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import type { RouteName } from '../../lambdas/contract.ts';
import { transactionIdOfLine } from '../../lambdas/domain/ids.ts';
import { beginPass } from '../../lambdas/integrity/pass.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import { checkReferences } from '../../lambdas/integrity/reference-check.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { chunkKey, referenceKey, transactionKey } from '../../lambdas/store/keys.ts';
import { readLines } from '../../lambdas/store/payments.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { measure } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { endUser, operator, send } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { checkUnits } from '../units.ts';
import { complete } from './batch-commands.ts';
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
    capture: serve(capture, { table, limits }),
    split: serve(split, { table, limits }),
    'create-batch': serve(createBatch, { table, queue }),
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

describe('a leg of a split with uniqueReference', () => {
  const paid = (...references: readonly (string | undefined)[]) =>
    references.map((externalReference) => ({
      ...{ fromWalletId: walletId, toWalletId: bob, amount: 1 },
      ...(externalReference !== undefined && { externalReference, uniqueReference: true }),
    }));
  const splitBy = (legs: readonly object[], key = newKey()) =>
    send('split', routes.split!, { as: ann, key, body: { legs } });

  it('has its reference alone, and a split with a taken one is refused as a whole, with its leg', async () => {
    const first = await pay();
    const before = await allItems(table);
    const answer = await splitBy(paid('invoice-2', undefined, 'invoice-1'));
    assert.deepEqual([codeOf(answer), answer.body?.['leg'], idOf(answer)], ['409 reference_taken', 2, idOf(first)]);
    assert.deepEqual(
      (await allItems(table)).filter(({ sk }) => sk !== 'RATE'),
      before.filter(({ sk }) => sk !== 'RATE'),
    );
    const booked = await splitBy(paid('invoice-2', undefined));
    assert.equal(booked.status, 201);
    const [leg] = booked.body?.['legs'] as { transactionId: string }[];
    assert.equal(idOf(await pay({ externalReference: 'invoice-2' })), leg?.transactionId);
  });

  it('answers its own repetition with the first', async () => {
    const key = newKey();
    const first = await splitBy(paid('invoice-1', 'invoice-2'), key);
    const again = await splitBy(paid('invoice-1', 'invoice-2'), key);
    assert.deepEqual([again.status, again.body], [201, first.body]);
  });

  it('is refused before any write where another leg has the same reference, or where one write cannot have them all', async () => {
    const errorsOf = ({ status, body }: Response) => [status, body?.['errors']];
    assert.deepEqual(errorsOf(await splitBy(paid('invoice-1', undefined, 'invoice-1'))), [
      400,
      [{ path: 'legs.2.externalReference', message: 'is the unique reference of legs[0]' }],
    ]);
    const many = Array.from({ length: 49 }, (_, n) => `invoice-${n}`);
    assert.deepEqual(errorsOf(await splitBy(paid(...many))), [
      400,
      [{ path: 'legs', message: 'must have at most 98 legs, wallets and unique references together' }],
    ]);
    assert.equal((await splitBy(paid(...many.slice(1)))).status, 201);
    assert.deepEqual(errorsOf(await splitBy([{ ...paid('a')[0], externalReference: undefined }])), [
      400,
      [{ path: 'legs.0.externalReference', message: 'is required with uniqueReference' }],
    ]);
  });

  it('costs 2 units and no round trip more', async () => {
    const [plain, with_] = [
      await measure(table, () => splitBy(paid(undefined, undefined))),
      await measure(table, () => splitBy(paid('i-1', 'i-2'))),
    ];
    assert.equal(with_.roundTrips, plain.roundTrips);
    checkUnits(() => {
      // Each leg also has a line in the index of references.
      assert.equal(with_.writeUnits - plain.writeUnits, 6);
    });
  });
});

describe('a capture with uniqueReference', () => {
  it('takes it among the references of the receiver, which asks for it, and not of the payer', async () => {
    const body = { amount: 100, toWalletId: bob, expiresAt: timeOf(table, 600_000), ...unique };
    const path = { transactionId: idOf(await ask('open-hold', ann, body)) };
    const first = await ask('capture', endUser('bob'), { amount: 1, ...unique }, path);
    assert.equal(first.status, 201);
    const second = await ask('capture', endUser('bob'), { amount: 1, ...unique }, path);
    assert.deepEqual([codeOf(second), idOf(second)], ['409 reference_taken', idOf(first)]);
    const ofOperator = await ask('capture', operator, { amount: 1, ...unique }, path);
    assert.equal(ofOperator.status, 201);
    assert.equal(codeOf(await ask('charge', operator, { amount: 1, ...unique })), '409 reference_taken');
    for (const { transactionId, ...scope } of [
      { transactionId: idOf(first), ownerId: 'bob' },
      { transactionId: idOf(ofOperator) },
    ]) {
      const { pk } = referenceKey({ ...scope, externalReference: 'invoice-1' });
      assert.deepEqual((await checkReferences(table, [{ pk, transactionId }])).found, []);
    }
  });
});

describe('a line of a batch with uniqueReference', () => {
  const line = (key: string, externalReference: string | undefined, amount = 1) => ({
    ...{ key, type: 'transfer', walletId, toWalletId: bob, amount },
    ...(externalReference !== undefined && { externalReference, uniqueReference: true }),
  });
  const post = (...lines: readonly object[]) =>
    send('create-batch', routes['create-batch']!, {
      ...{ as: operator, key: newKey() },
      body: lines.map((one) => `${JSON.stringify(one)}\n`).join(''),
    });
  const statesOf = async (batchId: string, ...keys: readonly string[]) => {
    const ids = keys.map((key) => transactionIdOfLine(batchId, key));
    const states = await readLines(table, ids);
    return ids.map((id) => {
      const state = states.get(id);
      if (state === undefined || state instanceof Error) return 'waiting';
      return 'refusal' in state ? state.refusal.code : state.transaction.status;
    });
  };

  it('is refused alone where another command has its reference', async () => {
    assert.equal((await ask('charge', operator, { amount: 1, ...unique })).status, 201);
    const batchId = String(
      (await post(line('a', 'i-1'), line('b', 'invoice-1'), line('c', undefined))).body?.['batchId'],
    );
    const { accepted, refused } = await complete(table, { batchId });
    assert.deepEqual([accepted, refused], [2, 1]);
    assert.deepEqual(await statesOf(batchId, 'a', 'b', 'c'), ['pending', 'reference_taken', 'pending']);
    assert.equal(
      codeOf(await ask('charge', operator, { ...unique, amount: 1, externalReference: 'i-1' })),
      '409 reference_taken',
    );
  });

  it('is refused alone also where its payer cannot pay all lines', async () => {
    assert.equal((await ask('charge', operator, { amount: 1, ...unique })).status, 201);
    const lines = [line('a', 'i-1', 900), line('b', 'invoice-1'), line('c', 'i-2', 900), line('d', 'i-3', 50)];
    const batchId = String((await post(...lines)).body?.['batchId']);
    await complete(table, { batchId });
    assert.deepEqual(await statesOf(batchId, 'a', 'b', 'c', 'd'), [
      ...['pending', 'reference_taken'],
      ...['insufficient_funds', 'pending'],
    ]);
  });

  it('is made where many lines of one payer have one each', async () => {
    const lines = Array.from({ length: 120 }, (_, n) => line(`line-${n}`, `i-${n}`));
    const batchId = String((await post(...lines)).body?.['batchId']);
    const { accepted, refused } = await complete(table, { batchId });
    assert.deepEqual([accepted, refused], [120, 0]);
  });

  it('refuses the file where an earlier line has the same reference, or where it has none', async () => {
    const twice = await post(line('a', 'i-1'), line('b', undefined), line('c', 'i-1'));
    const message = 'is the unique reference of line 1';
    assert.deepEqual(twice.body?.['errors'], [{ path: 'lines[3].externalReference', message }]);
    const without = await post({ ...line('a', 'i-1'), externalReference: undefined });
    assert.deepEqual(without.body?.['errors'], [
      { path: 'lines[1].externalReference', message: 'is required with uniqueReference' },
    ]);
  });

  it('is stored so that a release without it leaves the lines for a newer one', async () => {
    const versionOf = async (...lines: readonly object[]) => {
      const batchId = String((await post(...lines)).body?.['batchId']);
      return (await itemOf(table, chunkKey(batchId, 0)))?.['v'];
    };
    assert.deepEqual([await versionOf(line('a', 'i-1')), await versionOf(line('a', undefined))], [2, 1]);
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
