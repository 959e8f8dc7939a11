/** Fees through the routes: the dry run, the amounts on answers, replays and limits; on the real engine. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { capture } from '../../lambdas/api/capture.ts';
import { charge } from '../../lambdas/api/charge.ts';
import { getTransaction as getTransactionRoute } from '../../lambdas/api/get-transaction.ts';
import { openHold } from '../../lambdas/api/open-hold.ts';
import { transfer } from '../../lambdas/api/transfer.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import type { Fees, OperatorLimits } from '../../lambdas/contract.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { readFees } from '../../lambdas/http/fees.ts';
import { transactionLines } from '../../bin/ops/where.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { codeOf, endUser, idOf, operator, send } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { destination, newKey, timeOf } from './commands.ts';
import { allItems } from './inspect.ts';
import { setLimits } from './limit-commands.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const table = useTable();
const [ann, shop, stranger] = [endUser('ann'), endUser('shop'), endUser('stranger')];
const fees: Fees = {
  transfer: { flat: 10 },
  withdrawal: { basisPoints: 100, minimum: 5, byCurrency: { JPY: {} } },
  capture: { flat: 3, basisPoints: 500 },
  charge: { flat: 30, basisPoints: 290 },
};

type RouteName = 'charge' | 'transfer' | 'withdraw' | 'open-hold' | 'capture' | 'get-transaction';

/** Returns the routes with fees, and those that make and show what they are about. */
function openHandlers(
  schedule: Fees | undefined = fees,
  { operatorLimits, readsPerHour = 1_000 }: { operatorLimits?: OperatorLimits; readsPerHour?: number } = {},
): Record<RouteName, Handler> {
  const limits = openLimits({ readsPerHour, refusalsPerHour: 1_000, perHour: 1_000 });
  const services = { table, limits, fees: schedule, ...(operatorLimits && { operatorLimits }) };
  const queued = {
    ...services,
    queue: { send: () => Promise.resolve() },
    isOverloaded: () => Promise.resolve(false),
  };
  return {
    charge: serve(charge, services),
    transfer: serve(transfer, queued),
    withdraw: serve(withdraw, queued),
    'open-hold': serve(openHold, services),
    capture: serve(capture, services),
    'get-transaction': serve(getTransactionRoute, services),
  };
}

let handlers: Record<RouteName, Handler>;
let payer: string;
let receiver: string;
beforeAll(async () => {
  handlers = openHandlers();
  payer = await fundedWallet(table, 'ann', 1_000_000);
  receiver = await openWallet(table, 'shop');
});

interface Asked {
  readonly as?: CallerContext;
  readonly key?: string;
  readonly body?: object;
  readonly with?: Record<RouteName, Handler>;
}

const pay = ({ as = ann, key = newKey(), body, with: routes = handlers }: Asked = {}) =>
  send('transfer', routes.transfer, {
    ...{ as, key, path: { walletId: payer }, body: { amount: 1_000, toWalletId: receiver, ...body } },
  });
const payOut = ({ as = ann, key = newKey(), body, with: routes = handlers }: Asked = {}) =>
  send('withdraw', routes.withdraw, {
    ...{ as, key, path: { walletId: payer }, body: { amount: 1_000, destination, ...body } },
  });
const fund = ({ key = newKey(), body, with: routes = handlers }: Asked = {}) =>
  send('charge', routes.charge, { as: operator, key, path: { walletId: payer }, body: { amount: 1_000, ...body } });
const take = (transactionId: string, { as = shop, key = newKey(), body, with: routes = handlers }: Asked = {}) =>
  send('capture', routes.capture, { as, key, path: { transactionId }, body });

/** Opens a hold, and returns its id. */
async function held(amount = 1_000, to: { readonly toWalletId?: string } = { toWalletId: receiver }): Promise<string> {
  const body = { amount, expiresAt: timeOf(table, 600_000), ...to };
  const answer = await send('open-hold', handlers['open-hold'], {
    ...{ as: ann, key: newKey(), path: { walletId: payer }, body },
  });
  return idOf(answer);
}

const read = (as: CallerContext, transactionId: string) =>
  send('get-transaction', handlers['get-transaction'], { as, path: { transactionId } });
const amountsOf = ({ body }: Response) => [body?.['amount'], body?.['fee']];
const available = async (walletId: string) => Number((await balanceOf(table, walletId)).available);

describe('a dry run', () => {
  const cases: readonly [string, () => Promise<Response>, object][] = [
    [
      'transfer',
      () => pay({ body: { dryRun: true } }),
      { type: 'transfer', amount: 1_000, currency: 'EUR', fee: 10, paid: 1_010, received: 1_000 },
    ],
    [
      'withdrawal',
      () => payOut({ body: { dryRun: true } }),
      { type: 'withdrawal', amount: 1_000, currency: 'EUR', fee: 10, paid: 1_010, received: 1_000 },
    ],
    [
      'charge',
      () => fund({ body: { dryRun: true } }),
      { type: 'charge', amount: 1_000, currency: 'EUR', fee: 59, paid: 1_000, received: 941 },
    ],
    [
      'capture of all that is left',
      async () => take(await held(400), { body: { dryRun: true } }),
      { type: 'capture', amount: 400, currency: 'EUR', fee: 23, paid: 400, received: 377 },
    ],
  ];
  for (const [name, ask, expected] of cases) {
    it(`of a ${name} answers its fee, what is paid and what is received`, async () => {
      const { status, body } = await ask();
      assert.deepEqual([status, body], [200, { dryRun: true, ...expected }]);
    });
  }

  it('answers a fee of 0 where there is none', async () => {
    const free = openHandlers({});
    const { body } = await pay({ with: free, body: { dryRun: true } });
    assert.deepEqual([body?.['fee'], body?.['paid'], body?.['received']], [0, 1_000, 1_000]);
  });

  it('stores nothing, reads nothing but a hold, and leaves its key for the command itself', async () => {
    const hold = await held();
    const [before, key] = [await allItems(table), newKey()];
    for (const [ask, calls] of [
      [() => pay({ key, body: { dryRun: true } }), 0],
      [() => payOut({ key, body: { dryRun: true } }), 0],
      [() => fund({ body: { dryRun: true } }), 0],
      // The hold, and the wallets that decide whether the caller may capture it.
      [() => take(hold, { key, body: { dryRun: true } }), 2],
    ] as const) {
      const { roundTrips, result } = await measure<Response>(table, ask);
      assert.deepEqual([result.status, roundTrips], [200, calls]);
    }
    assert.deepEqual(await allItems(table), before);
    const { status, headers } = await pay({ key });
    assert.deepEqual([status, headers['Idempotency-Replayed']], [201, undefined]);
  });

  it('does not ask whether the wallet has the money', async () => {
    assert.equal((await pay({ body: { amount: maxAmount - 10, dryRun: true } })).status, 200);
  });

  it('is refused as the request would be: its form, its hold, its caller and the limits of operators', async () => {
    const [hold, toOutside] = [await held(), idOf(await pay())];
    const strict = openHandlers(fees, { operatorLimits: { transfer: 1_009, capture: 999 } });
    const dry = { dryRun: true };
    for (const [ask, code] of [
      [() => pay({ body: { ...dry, amount: 0 } }), 'invalid_request'],
      [() => pay({ body: { dryRun: false } }), 'invalid_request'],
      [() => pay({ body: { ...dry, toWalletId: payer } }), 'same_wallet'],
      [() => pay({ body: { ...dry, currency: 'USD' } }), 'currency_mismatch'],
      [() => pay({ as: operator, body: dry, with: strict }), 'operator_limit_exceeded'],
      [() => take(hold, { body: { ...dry, amount: 1_001 } }), 'exceeds_hold'],
      [() => take(hold, { as: ann, body: dry }), 'forbidden'],
      [() => take(hold, { as: stranger, body: dry }), 'transaction_not_found'],
      [() => take(hold, { as: operator, body: dry, with: strict }), 'operator_limit_exceeded'],
      [() => take(toOutside, { body: dry }), 'not_a_hold'],
      [() => fund({ body: { ...dry, amount: 30 } }), 'fee_exceeds_amount'],
    ] as const) {
      assert.equal((await ask()).body?.['code'], code);
    }
  });

  it('counts as a read of an end user, and not as a command', async () => {
    const few = openHandlers(fees, { readsPerHour: 3 });
    const as = endUser('curious');
    const walletId = await fundedWallet(table, 'curious', 5_000);
    const ask = (body: object) =>
      send('transfer', few.transfer, {
        ...{ as, key: newKey(), path: { walletId }, body: { amount: 1, toWalletId: receiver, ...body } },
      });
    const first = await ask({ dryRun: true });
    assert.deepEqual([first.headers['RateLimit-Limit'], first.headers['RateLimit-Remaining']], ['3', '2']);
    for (let n = 0; n < 2; n++) assert.equal((await ask({ dryRun: true })).status, 200);
    assert.deepEqual(codeOf(await ask({ dryRun: true })), [429, 'rate_limited']);
    const paid = await ask({});
    assert.deepEqual([paid.status, paid.headers['RateLimit-Limit']], [201, '1000']);
  });
});

describe('a fee', () => {
  it('of a transfer leaves the sender with the amount, and is shown to the sender and to operators', async () => {
    const [before, received] = [await available(payer), await available(receiver)];
    const answer = await pay();
    assert.deepEqual([answer.status, ...amountsOf(answer)], [201, 1_000, 10]);
    assert.deepEqual([before - (await available(payer)), (await available(receiver)) - received], [1_010, 1_000]);
    assert.deepEqual(amountsOf(await read(operator, idOf(answer))), [1_000, 10]);
    const record = await getTransaction(table, idOf(answer));
    assert.ok(transactionLines(record!).includes('fee: 10, paid by the sender'));
    const { body } = await read(shop, idOf(answer));
    assert.ok(!JSON.stringify(body).includes('fee'), JSON.stringify(body));
  });

  it('of a withdrawal is held with the amount', async () => {
    const before = await balanceOf(table, payer);
    const answer = await payOut();
    assert.deepEqual([answer.status, ...amountsOf(answer)], [202, 1_000, 10]);
    const after = await balanceOf(table, payer);
    assert.equal(Number(after.held) - Number(before.held), 1_010);
  });

  it('of a charge and of a capture is taken from what the wallet gets', async () => {
    const before = await available(payer);
    assert.deepEqual(amountsOf(await fund()), [1_000, 59]);
    assert.equal((await available(payer)) - before, 941);
    const [hold, received] = [await held(), await available(receiver)];
    const answer = await take(hold, { body: { amount: 600 } });
    assert.deepEqual([answer.status, ...amountsOf(answer)], [201, 600, 33]);
    assert.equal((await available(receiver)) - received, 567);
    const { body } = await read(ann, idOf(answer));
    assert.ok(!JSON.stringify(body).includes('fee'), JSON.stringify(body));
    assert.deepEqual([body?.['amount'], JSON.stringify(body).includes('567')], [600, false]);
  });

  it('is none for a capture to the world outside, which has no wallet to pay it', async () => {
    const hold = await held(100, {});
    const dry = await take(hold, { as: operator, body: { dryRun: true } });
    assert.deepEqual([dry.body?.['fee'], dry.body?.['received']], [0, 100]);
    assert.deepEqual(amountsOf(await take(hold, { as: operator })), [100, undefined]);
  });

  it('is that of the acceptance: a replay after a change of the schedule answers it', async () => {
    const [key, dearer] = [newKey(), openHandlers({ ...fees, transfer: { flat: 99 }, charge: { flat: 2_000 } })];
    const first = await pay({ key });
    const again = await pay({ key, with: dearer });
    assert.deepEqual([again.headers['Idempotency-Replayed'], again.body], ['true', first.body]);
    const [keyOfCharge, before] = [newKey(), await available(payer)];
    await fund({ key: keyOfCharge });
    const replayed = await fund({ key: keyOfCharge, with: dearer });
    assert.deepEqual([replayed.status, ...amountsOf(replayed)], [201, 1_000, 59]);
    assert.equal((await available(payer)) - before, 941);
  });

  it('that would leave nothing, or that no amount has room for, refuses the command, which stores nothing', async () => {
    const hold = await held(50);
    const dear = openHandlers({ ...fees, capture: { flat: 50 } });
    const before = await allItems(table);
    assert.deepEqual(codeOf(await fund({ body: { amount: 30 } })), [422, 'fee_exceeds_amount']);
    assert.deepEqual(codeOf(await take(hold, { with: dear })), [422, 'fee_exceeds_amount']);
    const { status, body } = await pay({ body: { amount: maxAmount } });
    assert.deepEqual([status, (body?.['errors'] as { path: string }[])[0]?.path], [400, 'amount']);
    assert.deepEqual(await allItems(table), before);
  });

  it('counts for the funds and the limits of what leaves the wallet', async () => {
    const walletId = await fundedWallet(table, 'ann', 1_009);
    const ask = (routes = handlers, as: CallerContext = ann) =>
      send('transfer', routes.transfer, {
        ...{ as, key: newKey(), path: { walletId }, body: { amount: 1_000, toWalletId: receiver } },
      });
    assert.deepEqual(codeOf(await ask()), [422, 'insufficient_funds']);
    const limited = openHandlers(fees, { operatorLimits: { transfer: 1_009 } });
    assert.deepEqual(codeOf(await ask(limited, operator)), [403, 'operator_limit_exceeded']);
    await setLimits(table, payer, { out: { perTransaction: 1_009 } });
    assert.deepEqual(codeOf(await pay()), [422, 'limit_exceeded']);
    await setLimits(table, payer, { out: { perTransaction: 1_010 } });
    assert.equal((await pay()).status, 201);
    await setLimits(table, payer, {});
  });
});

describe('the variable FEES', () => {
  it('is read as the prop writes it, and a wrong one fails the cold start', () => {
    assert.deepEqual(readFees(JSON.stringify(fees)), fees);
    assert.deepEqual(readFees('{}'), {});
    for (const wrong of ['', '[]', '{"refund":{}}', '{"charge":{"flat":-1}}', '{"charge":{"byCurrency":{"eur":{}}}}']) {
      assert.throws(() => readFees(wrong), wrong);
    }
  });
});
