/** Aliases, on the real engine: how they are taken, and what a payer can do and learn with them. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { capture } from '../../lambdas/api/capture.ts';
import { changeWallet } from '../../lambdas/api/change-wallet.ts';
import { getTransaction } from '../../lambdas/api/get-transaction.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { openHold } from '../../lambdas/api/open-hold.ts';
import { getStandingOrder, openStandingOrder } from '../../lambdas/api/standing-orders.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import type { RouteName } from '../../lambdas/contract.ts';
import { missingWalletId } from '../../lambdas/domain/ids.ts';
import { nextPayment } from '../../lambdas/domain/standing-order.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openHotReceivers } from '../../lambdas/http/hot-receivers.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { getAlias } from '../../lambdas/store/aliases.ts';
import { aliasKey, takenAliasesKey } from '../../lambdas/store/keys.ts';
import { getOrder } from '../../lambdas/store/standing-orders.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { measure } from '../engine.ts';
import { lostAnswer } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { codeOf, endUser, idOf, operator, send } from '../request.ts';
import type { CallerContext, Handler } from '../request.ts';
import { checkUnits } from '../units.ts';
import { newKey, timeOf } from './commands.ts';
import { itemOf } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
let routes: Partial<Record<RouteName, Handler>>;
let [payer, receiver] = ['', ''];
let [ann, ben]: CallerContext[] = [];
let names = 0;
/** An alias that no other test has. */
let alias: string;
beforeEach(async () => {
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000_000 });
  const queue = { send: () => Promise.resolve() };
  routes = {
    transfer: serve(transfer, { table, limits, queue, isOverloaded: () => Promise.resolve(false) }),
    'open-hold': serve(openHold, { table, limits }),
    capture: serve(capture, { table, limits }),
    'open-standing-order': serve(openStandingOrder, { table, limits }),
    'get-standing-order': serve(getStandingOrder, { table, limits }),
    'change-wallet': serve(changeWallet, { table, limits }),
    'get-wallet': serve(getWallet, { table, limits }),
    'get-transaction': serve(getTransaction, { table, limits }),
    'list-transactions': serve(listTransactions, { table, limits }),
  };
  const n = ++names;
  alias = `ben${n}`;
  [ann, ben] = [endUser(`ann-${n}`), endUser(`ben-${n}`)];
  payer = await fundedWallet(table, `ann-${n}`, 1_000);
  receiver = await openWallet(table, `ben-${n}`);
});

const ask = (
  name: RouteName,
  as: CallerContext | undefined,
  path: Record<string, string>,
  body?: object,
  key = newKey(),
) => send(name, routes[name]!, { as: as!, path, ...(body && { key, body }) });
const claim = (walletId: string, text: string | null, as = ben, key = newKey()) =>
  ask('change-wallet', as, { walletId }, { alias: text }, key);
const pay = (body: object = {}, key = newKey(), as = ann) =>
  ask('transfer', as, { walletId: payer }, { amount: 10, to: `@${alias}`, ...body }, key);
const availableIn = async (walletId: string) => Number((await balanceOf(table, walletId)).available);

describe('an alias', () => {
  it('is taken by the owner of a wallet, shown with it, and removed', async () => {
    const taken = await claim(receiver, alias.toUpperCase());
    assert.deepEqual([taken.status, taken.body?.['alias']], [200, alias]);
    assert.equal((await ask('get-wallet', ben, { walletId: receiver })).body?.['alias'], alias);
    assert.equal((await claim(receiver, null)).body?.['alias'], undefined);
    assert.deepEqual((await getAlias(table, alias))?.wallets, {});
  });

  it('is the same with digits that look like letters', async () => {
    await claim(receiver, `${alias}.lola`);
    for (const name of [`${alias}.1ola`, `${alias}l0la`, 'he1p']) {
      assert.deepEqual(codeOf(await claim(payer, name, ann)), [409, 'alias_unavailable'], name);
    }
    assert.equal((await pay({ to: `@${alias}10la` })).status, 201);
    assert.equal(await availableIn(receiver), 10);
  });

  it('of 100 claims at the same time is taken by exactly one owner', async () => {
    const owners = Array.from({ length: 100 }, (_, n) => `claimer-${n}`);
    const wallets = await Promise.all(owners.map((owner) => openWallet(table, owner)));
    const answers = await Promise.all(
      owners.map(async (owner, n) => {
        const key = newKey();
        let answer = await claim(wallets[n]!, alias, endUser(owner), key);
        while (answer.status === 503) answer = await claim(wallets[n]!, alias, endUser(owner), key);
        return answer;
      }),
    );
    const won = answers.flatMap(({ status }, n) => (status === 200 ? [n] : []));
    assert.equal(won.length, 1);
    const refused = answers.filter((_, n) => n !== won[0]).map(codeOf);
    assert.deepEqual(refused, Array<unknown>(99).fill([409, 'alias_unavailable']));
    const { ownerId, wallets: paid } = (await getAlias(table, alias))!;
    assert.deepEqual([ownerId, paid], [owners[won[0]!], { EUR: wallets[won[0]!] }]);
  });

  it('stays its owner’s for ever: no other owner can take it, also after it was removed', async () => {
    await claim(receiver, alias);
    await claim(receiver, null);
    assert.deepEqual(codeOf(await claim(payer, alias, ann)), [409, 'alias_unavailable']);
    assert.equal((await claim(receiver, alias)).status, 200);
  });

  it('is refused in the same words where it is reserved, and where another owner has it', async () => {
    await claim(receiver, alias);
    const [taken, reserved] = [await claim(payer, alias, ann), await claim(payer, 'Sup.port', ann)];
    const { requestId: _one, ...words } = taken.body!;
    const { requestId: _other, ...same } = reserved.body!;
    assert.deepEqual(words, same);
  });

  it('counts without its dots and underscores, so that none looks like another one', async () => {
    await claim(receiver, `${alias}.b_c`);
    for (const other of [`${alias}bc`, `${alias}_b.c`]) {
      assert.deepEqual(codeOf(await claim(payer, other, ann)), [409, 'alias_unavailable'], other);
      assert.equal((await pay({ to: `@${other}` })).status, 201, other);
    }
    assert.equal((await claim(receiver, `${alias}_bc`)).body?.['alias'], `${alias}_bc`);
  });

  it('has 3 to 30 ASCII letters, digits, and single dots and underscores', async () => {
    const bad = [
      'ab',
      'a.b',
      '1abc',
      '.abc',
      'abc.',
      'a..bc',
      'ａｂｃ',
      'аlice',
      'a b c',
      'a-bc',
      '@abc',
      'a'.repeat(31),
    ];
    for (const text of bad) assert.deepEqual(codeOf(await claim(receiver, text)), [400, 'invalid_request'], text);
    assert.equal((await claim(receiver, `a${String(names).padStart(29, '0')}`)).status, 200);
  });

  it('is one of 3 that an owner ever takes; one that it has taken before counts once', async () => {
    for (const name of ['x', 'y', 'z', 'x']) assert.equal((await claim(receiver, alias + name)).status, 200);
    assert.deepEqual(codeOf(await claim(receiver, `${alias}v`)), [422, 'too_many_aliases']);
    assert.equal(await getAlias(table, `${alias}v`), undefined);
    const { aliases } = (await itemOf(table, takenAliasesKey(ben!.principal)))!;
    assert.deepEqual(
      [...(aliases as Set<string>)].sort(),
      ['x', 'y', 'z'].map((name) => alias + name),
    );
    // The wallet has the last one, and the others pay nobody.
    assert.deepEqual((await getAlias(table, `${alias}y`))?.wallets, {});
  });

  it('is refused to an owner of 3 others in the same words, whether it is taken, reserved or free', async () => {
    await claim(payer, `${alias}taken`, ann);
    for (const name of ['x', 'y', 'z']) await claim(receiver, alias + name);
    for (const name of [`${alias}taken`, 'support', `${alias}free`]) {
      assert.deepEqual(codeOf(await claim(receiver, name)), [422, 'too_many_aliases'], name);
    }
  });

  it('has one wallet in each currency, all of one owner', async () => {
    const dollars = await openWallet(table, ben!.principal, 'USD');
    const second = await openWallet(table, ben!.principal);
    await claim(receiver, alias);
    assert.equal((await claim(dollars, alias)).status, 200);
    assert.deepEqual((await getAlias(table, alias))?.wallets, { EUR: receiver, USD: dollars });
    const refused = await claim(second, alias);
    assert.deepEqual(codeOf(refused), [409, 'alias_unavailable']);
    assert.match(String(refused.body?.['detail']), new RegExp(`${receiver} of the same owner has it`));
    await claim(receiver, null);
    assert.equal((await claim(second, alias)).status, 200);
    assert.deepEqual((await getAlias(table, alias))?.wallets, { EUR: second, USD: dollars });
  });

  it('is not taken for the wallet of another owner, and a repetition answers as the first request', async () => {
    assert.deepEqual(codeOf(await claim(receiver, alias, ann)), [404, 'wallet_not_found']);
    const key = newKey();
    await claim(receiver, alias, ben, key);
    const again = await claim(receiver, alias, ben, key);
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [200, 'true']);
    assert.equal((await getAlias(table, alias))?.version, 1);
    assert.equal((await claim(receiver, `${alias}two`, operator)).status, 200, 'support may, for an owner');
  });
});

describe('a payment to an alias', () => {
  beforeEach(async () => {
    await claim(receiver, alias);
  });

  it('moves the money, and shows the payer the alias and not the wallet', async () => {
    const paid = await pay({ to: `@${alias.toUpperCase()}` });
    assert.deepEqual([paid.status, paid.body?.['to']], [201, `@${alias}`]);
    const path = { transactionId: idOf(paid) };
    const seen = [
      paid,
      await ask('get-transaction', ann, path),
      await ask('list-transactions', ann, { walletId: payer }),
    ];
    for (const { body } of seen) assert.ok(!JSON.stringify(body).includes(receiver), JSON.stringify(body));
    assert.equal((await ask('get-transaction', ben, path)).body?.['counterpartyWalletId'], receiver);
    assert.equal((await ask('get-transaction', operator, path)).body?.['counterpartyWalletId'], receiver);
    assert.deepEqual([await availableIn(payer), await availableIn(receiver)], [990, 10]);
  });

  it('costs one read more than one to the wallet’s id, which costs as much as before', async () => {
    const known = await measure(table, () => pay({ to: undefined, toWalletId: receiver }));
    const by = await measure(table, () => pay());
    assert.deepEqual([known.roundTrips, by.roundTrips], [1, 2]);
    checkUnits(() => {
      assert.deepEqual([by.writeUnits - known.writeUnits, by.readUnits - known.readUnits], [0, 1]);
    });
  });

  it('has one answer, with the same calls, whether the alias is unknown or takes no money', async () => {
    const answers: unknown[] = [];
    const calls: unknown[] = [];
    const look = async (body: object) => {
      const { result, roundTrips, writeUnits } = await measure(table, () => pay(body));
      const { requestId: _id, ...words } = result.body!;
      answers.push([result.status, words]);
      calls.push([roundTrips, writeUnits]);
    };
    // After a refusal, plain reads decide before a write.
    await pay({ amount: 100_000 });
    await look({ to: '@nobody.has.this' });
    const dollars = await openWallet(table, ben!.principal, 'USD');
    await claim(dollars, `${alias}usd`);
    await look({ to: `@${alias}usd` });
    await setStatus(table, receiver, 'frozen');
    await look({});
    await claim(receiver, null);
    await look({});
    assert.deepEqual(new Set(answers.map((one) => JSON.stringify(one))).size, 1, JSON.stringify(answers));
    assert.deepEqual(answers[0], [422, (answers[0] as [number, object])[1]]);
    assert.equal(new Set(calls.map((one) => JSON.stringify(one))).size, 1, JSON.stringify(calls));
  });

  it('meets the payer’s own refusals first, also where the alias is unknown', async () => {
    for (const to of [`@${alias}`, '@nobody.has.this']) {
      assert.deepEqual(codeOf(await pay({ to, amount: 100_000 })), [422, 'insufficient_funds'], to);
    }
    await setStatus(table, payer, 'frozen');
    for (const to of [`@${alias}`, '@nobody.has.this']) {
      assert.deepEqual(codeOf(await pay({ to })), [409, 'wallet_frozen'], to);
    }
  });

  it('is repeated to the wallet of the first request, whatever the alias is now', async () => {
    const key = newKey();
    const first = await pay({}, key);
    const second = await openWallet(table, ben!.principal);
    await claim(receiver, null);
    await claim(second, alias);
    for (const name of [alias, undefined]) {
      if (name === undefined) await claim(second, null);
      const again = await pay({}, key);
      assert.deepEqual([again.status, again.headers['Idempotency-Replayed'], idOf(again)], [201, 'true', idOf(first)]);
    }
    assert.deepEqual([await availableIn(receiver), await availableIn(second)], [10, 0]);
  });

  it('whose answer was lost is repeated by the same key, and pays once', async () => {
    const key = newKey();
    const before = table.fault;
    let isLost = false;
    table.fault = (call, perform) => {
      if (isLost || call.operation !== 'TransactWriteItems') return perform();
      isLost = true;
      return lostAnswer(call, perform);
    };
    const first = await pay({}, key).finally(() => {
      table.fault = before;
    });
    const again = await pay({}, key);
    assert.deepEqual([first.status, again.status], [201, 201]);
    assert.equal(await availableIn(receiver), 10);
  });

  it('is refused where the alias is of the paying wallet, unless it is a repetition', async () => {
    await claim(payer, `${alias}ann`, ann);
    assert.deepEqual(codeOf(await pay({ to: `@${alias}ann` })), [422, 'same_wallet']);
  });

  it('names its receiver once, and by an alias that could be one', async () => {
    assert.deepEqual(codeOf(await pay({ toWalletId: receiver })), [400, 'invalid_request']);
    assert.deepEqual(codeOf(await pay({ to: undefined })), [400, 'invalid_request']);
    for (const to of [alias, '@', '@ab', '@аlice', `@${alias} `]) {
      assert.deepEqual(codeOf(await pay({ to })), [400, 'invalid_request'], to);
    }
  });

  it('meets nothing of payments to other unknown aliases, as one whose wallet takes no money', async () => {
    const hotReceivers = openHotReceivers(table.now);
    const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000_000 });
    const queue = { send: () => Promise.resolve() };
    const services = { table, limits, queue, isOverloaded: () => Promise.resolve(false), hotReceivers };
    routes.transfer = serve(transfer, services);
    const later = await pay({ to: '@many.pay.this', executeAt: timeOf(table, 3_600_000) });
    const stored = await itemOf(table, { pk: `TX#${idOf(later)}`, sk: 'TX' });
    hotReceivers.add(String(stored?.['toWalletId']));
    assert.equal((await pay({ to: '@many_pay_this' })).status, 202);
    await setStatus(table, receiver, 'frozen');
    for (const to of ['@nobody.has.this', `@${alias}`]) {
      assert.deepEqual(codeOf(await pay({ to })), [422, 'receiver_unavailable'], to);
    }
  });

  it('shows nothing in a dry run: no alias is read', async () => {
    const { result, roundTrips } = await measure(table, () => pay({ dryRun: true, to: '@nobody.has.this' }));
    assert.deepEqual([result.status, roundTrips], [200, 0]);
  });

  it('that is queued or scheduled is fixed at its acceptance, and an unknown alias fails as a closed wallet does', async () => {
    const queue = async (to: string) => {
      const path = { walletId: payer };
      const request = { as: ann!, path, key: newKey(), body: { amount: 10, to }, headers: { Prefer: 'respond-async' } };
      const accepted = await send('transfer', routes.transfer!, request);
      assert.equal(accepted.status, 202);
      await endTransfers([idOf(accepted)], table);
      return (await ask('get-transaction', ann, { transactionId: idOf(accepted) })).body!;
    };
    assert.equal((await queue(`@${alias}`))['status'], 'completed');
    const unknown = await queue('@nobody.has.this');
    await setStatus(table, receiver, 'frozen');
    const frozen = await queue(`@${alias}`);
    assert.deepEqual(unknown['failure'], frozen['failure']);
    assert.equal((unknown['failure'] as { code: string }).code, 'receiver_unavailable');
    assert.equal(await availableIn(payer), 990);
    const later = await pay({ executeAt: timeOf(table, 3_600_000) });
    await claim(receiver, null);
    const stored = await itemOf(table, { pk: `TX#${idOf(later)}`, sk: 'TX' });
    assert.deepEqual([later.status, stored?.['toWalletId']], [202, receiver]);
    assert.ok(!JSON.stringify(later.body).includes(receiver));
  });

  it('can be a hold, whose captures do not show the wallet to the payer either', async () => {
    const body = { amount: 10, to: `@${alias}`, expiresAt: timeOf(table, 600_000) };
    const hold = await ask('open-hold', ann, { walletId: payer }, body);
    assert.equal(hold.status, 201);
    const captured = await ask('capture', ben, { transactionId: idOf(hold) }, { amount: 4 });
    assert.equal(captured.status, 201);
    const seen = [
      hold,
      ...(await Promise.all([hold, captured].map((one) => ask('get-transaction', ann, { transactionId: idOf(one) })))),
    ];
    for (const { body: shown } of seen) {
      assert.equal(shown?.['to'], `@${alias}`);
      assert.ok(!JSON.stringify(shown).includes(receiver), JSON.stringify(shown));
    }
    assert.equal(await availableIn(receiver), 4);
  });

  it('can be a standing order, whose payments go to the wallet that the alias had when it was opened', async () => {
    const firstAt = timeOf(table, 7_200_000);
    const body = { amount: 10, to: `@${alias}`, every: 'month', firstAt };
    const order = await ask('open-standing-order', ann, { walletId: payer }, body);
    assert.equal(order.status, 201);
    const path = { standingOrderId: String(order.body?.['standingOrderId']) };
    const shown = await ask('get-standing-order', ann, path);
    assert.deepEqual([shown.body?.['to'], shown.body?.['toWalletId']], [`@${alias}`, undefined]);
    assert.equal((await ask('get-standing-order', operator, path)).body?.['toWalletId'], receiver);
    const stored = await getOrder(table, path.standingOrderId);
    assert.ok(stored?.status === 'active');
    const { type, ...payment } = nextPayment(stored, timeOf(table));
    assert.ok(type === 'transfer' && 'counterpartyWalletId' in payment);
    assert.deepEqual([payment.counterpartyWalletId, payment.to], [receiver, `@${alias}`]);
  });
});

describe('the items of aliases', () => {
  it('are an item of the alias and one of its owner, and nothing of them is written when the wallet of an alias pays', async () => {
    await claim(receiver, alias);
    assert.equal((await itemOf(table, aliasKey(alias)))?.['ownerId'], ben!.principal);
    assert.ok((await itemOf(table, takenAliasesKey(ben!.principal))) !== undefined);
    assert.equal(
      await itemOf(table, { pk: `WALLET#${missingWalletId('EUR', 'nobodyhasthis')}`, sk: 'WALLET' }),
      undefined,
    );
  });
});
