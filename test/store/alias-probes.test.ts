/** What a payer could learn of receivers by refusals that move no money: payments that are refused in any case. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { changeWallet } from '../../lambdas/api/change-wallet.ts';
import { split } from '../../lambdas/api/split.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import type { RouteName } from '../../lambdas/contract.ts';
import { aliasNameOf } from '../../lambdas/domain/alias.ts';
import { missingWalletId } from '../../lambdas/domain/ids.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { useTable } from '../fixture.ts';
import { endUser, send } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { newKey } from './commands.ts';
import { setLimits } from './limit-commands.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
let routes: Partial<Record<RouteName, Handler>>;
let [payer, receiver, shop] = ['', '', ''];
let ann: CallerContext;
let names = 0;
/** An alias of `receiver`. */
let alias: string;
beforeEach(async () => {
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000_000 });
  const queue = { send: () => Promise.resolve() };
  routes = {
    split: serve(split, { table, limits }),
    transfer: serve(transfer, { table, limits, queue, isOverloaded: () => Promise.resolve(false) }),
  };
  const n = ++names;
  alias = `probe.b${n}`;
  ann = endUser(`ann-${n}`);
  payer = await fundedWallet(table, `ann-${n}`, 1_000);
  receiver = await openWallet(table, `ben-${n}`);
  shop = await openWallet(table, `shop-${n}`);
  const body = { alias };
  const changed = await send('change-wallet', serve(changeWallet, { table, limits }), {
    ...{ as: endUser(`ben-${n}`), path: { walletId: receiver }, key: newKey(), body },
  });
  assert.equal(changed.status, 200, changed.text);
});

const pay = (body: object) =>
  send('transfer', routes.transfer!, {
    ...{ as: ann, path: { walletId: payer }, key: newKey(), body: { amount: 10, ...body } },
  });
const payTogether = (legs: readonly object[]) =>
  send('split', routes.split!, {
    ...{ as: ann, key: newKey(), body: { legs: legs.map((leg) => ({ fromWalletId: payer, amount: 10, ...leg })) } },
  });
/** Returns an answer in which all but the id of the request is the same for the same words. */
const words = ({ status, body }: Response) => JSON.stringify({ status, ...body, requestId: undefined });

/** Asserts that the payer is refused in the same words for an alias that exists and for one that does not. */
async function assertAlike(probe: (to: string) => Promise<Response>, code: RegExp): Promise<void> {
  const answers = [];
  for (const name of [alias, `${alias}.none`]) answers.push(words(await probe(`@${name}`)).replaceAll(name, ''));
  assert.match(answers[0]!, code);
  assert.equal(answers[0], answers[1]);
  assert.deepEqual([await available(receiver), await available(shop)], [0, 0]);
}
const available = async (walletId: string) => Number((await balanceOf(table, walletId)).available);

const unique = { externalReference: 'invoice-1', uniqueReference: true };
const takeReference = async () => {
  const other = await openWallet(table, 'other');
  assert.equal((await pay({ toWalletId: other, ...unique })).status, 201);
};

describe('a payer whose reference is taken', () => {
  beforeEach(takeReference);

  it('learns nothing of an alias', async () => {
    const missing = shop.replace(/.$/, 'a');
    await assertAlike((to) => pay({ to, ...unique }), /reference_taken/);
    await assertAlike((to) => payTogether([{ to, ...unique }, { toWalletId: shop }]), /reference_taken/);
    await assertAlike((to) => payTogether([{ to, ...unique }, { toWalletId: missing }]), /reference_taken/);
  });

  it('learns nothing of what a receiver takes', async () => {
    await setLimits(table, receiver, { maximumBalance: 10 });
    for (const amount of [10, 11]) {
      const answer = await pay({ toWalletId: receiver, amount, ...unique });
      assert.match(words(answer), /reference_taken/);
    }
  });

  it('is told first that a key is used', async () => {
    const key = newKey();
    const ask = (body: object) =>
      send('transfer', routes.transfer!, { as: ann, path: { walletId: payer }, key, body: { amount: 1, ...body } });
    assert.equal((await ask({ toWalletId: shop })).status, 201);
    assert.match(words(await ask({ toWalletId: shop, ...unique })), /idempotency_key_reused/);
  });
});

describe('legs to an alias and to a wallet', () => {
  it('do not show that a wallet which takes no money is behind the alias', async () => {
    const answers = [];
    for (const walletId of [receiver, shop]) {
      await setStatus(table, walletId, 'frozen');
      answers.push(words(await payTogether([{ to: `@${alias}` }, { toWalletId: walletId }])));
      await setStatus(table, walletId, 'active');
    }
    assert.match(answers[0]!, /receiver_unavailable/);
    assert.equal(answers[0], answers[1]);
  });

  it('do not show whether the alias exists by the wallet that stands for an unknown one', async () => {
    const missing = shop.replace(/.$/, 'a');
    const toWalletId = missingWalletId('EUR', aliasNameOf(`${alias}.none`));
    await assertAlike((to) => payTogether([{ to }, { toWalletId }]), /wallet_not_found/);
    await assertAlike((to) => payTogether([{ toWalletId }, { to }]), /wallet_not_found/);
    await assertAlike((to) => payTogether([{ to }, { toWalletId: missing }, { toWalletId }]), /wallet_not_found/);
  });

  it('move the money of both legs into the wallet that both name, once', async () => {
    const paid = await payTogether([{ to: `@${alias}` }, { toWalletId: receiver, amount: 5 }, { to: `@${alias}` }]);
    assert.equal(paid.status, 201, paid.text);
    assert.deepEqual([await available(payer), await available(receiver)], [975, 25]);
  });
});
