/** PATCH /wallets/{walletId}, on the real engine: names and metadata of wallets. */
import assert from 'node:assert/strict';
import { beforeAll, beforeEach, describe, it } from '@jest/globals';
import { changeWallet } from '../../lambdas/api/change-wallet.ts';
import { createWallet } from '../../lambdas/api/create-wallet.ts';
import { freeze } from '../../lambdas/api/freeze.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { listWallets } from '../../lambdas/api/list-wallets.ts';
import type { RouteName } from '../../lambdas/contract.ts';
import { eventOf } from '../../lambdas/events/events.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { detailsKey, walletKey } from '../../lambdas/store/keys.ts';
import { parseDetails } from '../../lambdas/store/wallet-details.ts';
import { eventSchemas } from '../../lambdas/views/event-schemas.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { endUser, issuer, operator, send } from '../request.ts';
import type { Handler, Request } from '../request.ts';
import { checkUnits } from '../units.ts';
import { newKey } from './commands.ts';
import { itemOf } from './inspect.ts';
import { fundedWallet } from './wallets.ts';

const table = useTable();
const ann = endUser('ann');
let routes: Partial<Record<RouteName, Handler>>;
beforeAll(() => {
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000 });
  routes = {
    'create-wallet': serve(createWallet, { table, limits }),
    'change-wallet': serve(changeWallet, { table, limits }),
    'get-wallet': serve(getWallet, { table, limits }),
    'list-wallets': serve(listWallets, { table, limits }),
    freeze: serve(freeze, { table }),
  };
});
const ask = (name: RouteName, request: Request) => send(name, routes[name]!, request);

let walletId: string;
beforeEach(async () => {
  walletId = await fundedWallet(table, 'ann', 100);
});
const change = (body: object, { as = ann, key = newKey() } = {}) =>
  ask('change-wallet', { as, path: { walletId }, key, body });
const read = async () => (await ask('get-wallet', { as: ann, path: { walletId } })).body!;

describe('the name and metadata of a wallet', () => {
  it('are changed by member, shown to its owner and to operators, and removed by null', async () => {
    const first = await change({ name: 'Rent', metadata: { shop: '7', city: 'Bonn' } });
    assert.deepEqual([first.status, first.body?.['name']], [200, 'Rent']);
    const second = await change({ metadata: { shop: null, team: 'blue' } }, { as: operator });
    assert.deepEqual(second.body?.['metadata'], { city: 'Bonn', team: 'blue' });
    assert.deepEqual([(await read())['name'], (await read())['metadata']], ['Rent', { city: 'Bonn', team: 'blue' }]);
    const { body } = await ask('list-wallets', { as: operator, query: { ownerId: 'ann' } });
    const listed = (body as { items: Record<string, unknown>[] }).items.find((one) => one['walletId'] === walletId);
    assert.equal(listed?.['name'], 'Rent');
    const frozen = await ask('freeze', { as: operator, path: { walletId }, key: newKey(), body: {} });
    assert.equal(frozen.body?.['name'], 'Rent');
    await change({ name: null, metadata: null });
    assert.deepEqual([(await read())['name'], (await read())['metadata']], [undefined, undefined]);
  });

  it('can be given when the wallet is opened, and a repetition answers with them', async () => {
    const body = { currency: 'EUR', name: 'Rent', metadata: { shop: '7' } };
    for (const as of [ann, operator]) {
      const request = { as, key: newKey(), body };
      const opened = await ask('create-wallet', request);
      assert.deepEqual([opened.status, opened.body?.['name'], opened.body?.['metadata']], [201, 'Rent', { shop: '7' }]);
      const again = await ask('create-wallet', request);
      assert.deepEqual([again.body?.['name'], again.headers['Idempotency-Replayed']], ['Rent', 'true']);
    }
  });

  it('are changed once by a key, and its repetition shows them as they are now', async () => {
    const key = newKey();
    await change({ name: 'Rent' }, { key });
    await change({ name: 'Food' });
    const again = await change({ name: 'Rent' }, { key });
    assert.deepEqual([again.body?.['name'], again.headers['Idempotency-Replayed']], ['Food', 'true']);
    const other = await change({ name: 'Trips' }, { key });
    assert.deepEqual([other.status, other.body?.['code']], [422, 'idempotency_key_reused']);
  });

  it('stay when two change other parts at the same time', async () => {
    await change({ name: 'Rent' });
    await Promise.all([change({ metadata: { a: '1' } }), change({ metadata: { b: '2' } }), change({ name: 'Food' })]);
    assert.deepEqual([(await read())['name'], (await read())['metadata']], ['Food', { a: '1', b: '2' }]);
  });

  it('have the limits of metadata elsewhere, also after the merge', async () => {
    const keys = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${from + n}`, 'x']));
    assert.equal((await change({ metadata: keys(0, 20) })).status, 200);
    const beyond = await change({ metadata: keys(20, 1) });
    assert.deepEqual([beyond.status, beyond.body?.['code']], [400, 'invalid_request']);
    for (const body of [{}, { name: '' }, { metadata: keys(0, 21) }, { metadata: { a: 1 } }, { balance: 1 }]) {
      assert.equal((await change(body)).status, 400, JSON.stringify(body));
    }
  });

  it('are not changed by another owner, who does not learn that there is such a wallet', async () => {
    const { status, body } = await change({ name: 'Mine' }, { as: endUser('eve') });
    assert.deepEqual([status, body?.['code'], body?.['detail']], [404, 'wallet_not_found', undefined]);
    assert.equal(await itemOf(table, detailsKey(walletId)), undefined);
  });

  it('are an item of their own: the wallet that money moves through does not grow with them', async () => {
    const before = JSON.stringify(await itemOf(table, walletKey(walletId)));
    await change({ name: 'x'.repeat(128), metadata: { long: 'y'.repeat(256) } });
    const after = JSON.stringify(await itemOf(table, walletKey(walletId)));
    assert.ok(after.length <= before.length + '"hasDetails":true,'.length);
    const { version } = (await itemOf(table, walletKey(walletId)))!;
    await change({ name: 'Rent' });
    assert.equal((await itemOf(table, walletKey(walletId)))?.['version'], version, 'no further entry in the ledger');
  });

  it('cost 6 write units, and 2 more for the rate window of an end user; a wallet without them costs no read', async () => {
    const of = async (as: typeof ann) => (await measure(table, () => change({ name: 'Rent' }, { as }))).writeUnits;
    const units = [await of(operator), await of(ann)];
    checkUnits(() => {
      assert.deepEqual(units, [6, 8]);
    });
    walletId = await fundedWallet(table, 'ann', 100);
    assert.equal((await measure(table, read)).roundTrips, 1);
  });

  it('are published with their actor', async () => {
    await change({ name: 'Rent', metadata: { b: '2', a: '1' } });
    const after = parseDetails((await itemOf(table, detailsKey(walletId)))!);
    const event = eventOf({ kind: 'details', after }, { fingerprintKey: 'key', issuer });
    assert.deepEqual(eventSchemas['wallet.changed'].parse(event), event);
    assert.ok(event?.type === 'wallet.changed');
    assert.deepEqual([event.details.name, event.walletIds, event.ownerId], ['Rent', [walletId], 'ann']);
    assert.deepEqual([event.actor?.kind, event.actor?.principal], ['owner', 'ann']);
  });
});
