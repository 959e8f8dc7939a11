/** Fees of the legs of splits: who pays them, what shows and limits them, and their dry run; on the real engine. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { getTransaction as getTransactionRoute } from '../../lambdas/api/get-transaction.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { split } from '../../lambdas/api/split.ts';
import type { Fees, OperatorLimits } from '../../lambdas/contract.ts';
import { bookingsOf } from '../../lambdas/domain/bookings.ts';
import { maxAmount } from '../../lambdas/domain/money.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { totalOf } from '../../lambdas/store/totals.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { newBooks } from '../books.ts';
import { measure } from '../engine.ts';
import { afterTest, useEngine, useTable } from '../fixture.ts';
import { codeOf, endUser, operator, send } from '../request.ts';
import { checkUnits } from '../units.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { newKey } from './commands.ts';
import { findingsOf } from './findings.ts';
import { collect } from './fee-scenes.ts';
import { allItems, entriesOf, itemOf } from './inspect.ts';
import { setLimits } from './limit-commands.ts';
import { split as commitPayments } from './split-commands.ts';
import { balanceOf, fundedWallet, openWallet } from './wallets.ts';

const table = useTable();
const engine = useEngine();
const [ann, shop] = [endUser('ann'), endUser('shop')];
/** 10 for each transfer, and 1 percent. */
const fees: Fees = { transfer: { flat: 10, basisPoints: 100, byCurrency: { JPY: {} } } };

interface Deployment {
  readonly fees?: Fees | undefined;
  readonly operatorLimits?: OperatorLimits;
  readonly perHour?: number;
  readonly readsPerHour?: number;
}

/** Returns the route of splits. */
function routeOf({
  fees: schedule = fees,
  operatorLimits,
  perHour = 1_000,
  readsPerHour = 1_000,
}: Deployment): Handler {
  const limits = openLimits({ readsPerHour, refusalsPerHour: 1_000, perHour });
  return serve(split, { table, limits, fees: schedule, ...(operatorLimits && { operatorLimits }) });
}

const route = routeOf({});
let [buyer, goods, market] = ['', '', ''];
beforeAll(async () => {
  buyer = await fundedWallet(table, 'ann', 100_000);
  goods = await openWallet(table, 'shop');
  market = await openWallet(table, 'market');
});

type Leg = readonly [from: string, to: string, amount: number];
interface Asked {
  readonly as?: CallerContext;
  readonly key?: string;
  readonly using?: Handler;
  readonly more?: object;
}

function pay(legs: readonly Leg[], { as = ann, key = newKey(), using = route, more }: Asked = {}): Promise<Response> {
  const named = legs.map(([fromWalletId, toWalletId, amount]) => ({ fromWalletId, toWalletId, amount }));
  return send('split', using, { as, key, body: { legs: named, ...more } });
}

interface LegBody {
  readonly transactionId: string;
  readonly fee?: number;
}
function legsOf({ status, body }: Response): LegBody[] {
  assert.equal(status, 201, JSON.stringify(body));
  return body?.['legs'] as LegBody[];
}
const feesOf = (answer: Response) => legsOf(answer).map(({ fee }) => fee);
const availableIn = (...walletIds: readonly string[]) =>
  Promise.all(walletIds.map(async (walletId) => Number((await balanceOf(table, walletId)).available)));

describe('the fee of a leg', () => {
  it('is that of a transfer, and its sender pays it beside the amount, in one round trip', async () => {
    const before = await availableIn(buyer, goods, market);
    const { roundTrips, result } = await measure(table, () =>
      pay([
        [buyer, goods, 1_000],
        [buyer, market, 50],
      ]),
    );
    // A half of a cent is rounded up.
    assert.deepEqual([roundTrips, ...feesOf(result)], [1, 20, 11]);
    const after = await availableIn(buyer, goods, market);
    assert.deepEqual(
      after.map((available, n) => available - before[n]!),
      [-1_081, 1_000, 50],
    );
  });

  it('costs no unit more, with ids as long as those of a user pool', async () => {
    const owner = '0b7c7a3e-1111-4222-8333-444455556666';
    const payer = await fundedWallet(table, owner, 1_000);
    for (const fee of [0, 25]) {
      const { roundTrips, writeUnits } = await measure(table, () =>
        commitPayments(
          table,
          [
            [payer, goods, 100, fee],
            [payer, market, 100, fee],
            [payer, goods, 100, fee],
          ],
          { owner },
        ),
      );
      assert.equal(roundTrips, 1);
      checkUnits(() => {
        assert.equal(writeUnits, 2 + 4 * 3 + 2 * 3);
      });
    }
  });

  it('is paid by each sender, also by one that only pays on', async () => {
    const through = await openWallet(table, 'ann');
    const before = await availableIn(buyer, goods);
    const legs: Leg[] = [
      [buyer, through, 1_011],
      [through, goods, 991],
    ];
    // The wallet in between gets 1011, and pays 991 with a fee of 20: it ends as it began, and has no entry.
    assert.deepEqual(feesOf(await pay(legs)), [20, 20]);
    assert.deepEqual(await availableIn(through), [0]);
    const after = await availableIn(buyer, goods);
    assert.deepEqual([after[0]! - before[0]!, after[1]! - before[1]!], [-1_031, 991]);
    assert.deepEqual(codeOf(await pay([legs[0]!, [through, goods, 992]])), [422, 'insufficient_funds']);
  });

  it('is on the record of the leg, in the one booking, and absent where there is none', async () => {
    const [leg] = legsOf(await pay([[buyer, goods, 1_000]]));
    const record = await getTransaction(table, leg!.transactionId);
    const [booking, ...others] = bookingsOf(record!);
    assert.deepEqual(
      [others, booking?.postings.map(({ account, amount }) => [account.split(':')[0], amount])],
      [
        [],
        [
          ['wallet', -1_020],
          ['wallet', 1_000],
          ['fees', 20],
        ],
      ],
    );
    assert.deepEqual((await itemOf(table, transactionKey(leg!.transactionId)))?.['v'], 2);
    const [free] = legsOf(await pay([[buyer, goods, 1_000]], { using: routeOf({ fees: {} }) }));
    const { fee, v, postings } = (await itemOf(table, transactionKey(free!.transactionId)))!;
    assert.deepEqual([fee, v, (postings as object[]).length], [undefined, undefined, 2]);
  });

  it('is the first one for a repetition, whatever the schedule says then', async () => {
    const [key, legs]: [string, Leg[]] = [
      newKey(),
      [
        [buyer, goods, 1_000],
        [buyer, market, 50],
      ],
    ];
    const first = await pay(legs, { key });
    const before = await availableIn(buyer);
    for (const using of [
      routeOf({ fees: { transfer: { flat: 7 } } }),
      routeOf({ fees: {} }),
      // The split could no longer be made.
      routeOf({ fees: { transfer: { flat: maxAmount } } }),
      routeOf({ operatorLimits: { transfer: 1 } }),
    ]) {
      const again = await pay(legs, { key, using });
      assert.deepEqual([again.body, again.headers['Idempotency-Replayed']], [first.body, 'true']);
    }
    assert.deepEqual(await availableIn(buyer), before);
  });

  it('is shown to its sender and to operators, and not to the receiver', async () => {
    const [leg] = legsOf(await pay([[buyer, goods, 1_000]]));
    const path = { transactionId: leg!.transactionId };
    const handler = serve(getTransactionRoute, { table, limits: openLimits({ readsPerHour: 9, refusalsPerHour: 9 }) });
    const read = (as: CallerContext) => send('get-transaction', handler, { as, path });
    assert.deepEqual([(await read(ann)).body?.['fee'], (await read(operator)).body?.['fee']], [20, 20]);
    const { status, body } = await read(shop);
    assert.deepEqual([status, JSON.stringify(body).includes('fee')], [200, false]);
    const fromShop = legsOf(await pay([[buyer, goods, 1_000]], { as: operator }));
    assert.equal(fromShop[0]?.fee, 20);
  });

  it('does not come back with a refund of the leg', async () => {
    const [leg] = legsOf(await pay([[buyer, goods, 1_000]]));
    const before = await availableIn(buyer);
    const limits = openLimits({ readsPerHour: 9, refusalsPerHour: 9, perHour: 9 });
    const path = { transactionId: leg!.transactionId };
    const answer = await send('refund', serve(refund, { table, limits }), {
      ...{ as: shop, key: newKey(), path, body: { reason: 'sold out' } },
    });
    assert.deepEqual([answer.status, answer.body?.['amount']], [201, 1_000]);
    assert.deepEqual(await availableIn(buyer), [before[0]! + 1_000]);
  });
});

describe('what a split pays with its fees', () => {
  it('must be available', async () => {
    const poor = await fundedWallet(table, 'ann', 1_031);
    const legs = (amount: number): Leg[] => [
      [poor, goods, amount],
      [poor, market, 100],
    ];
    assert.deepEqual(codeOf(await pay(legs(902))), [422, 'insufficient_funds']);
    legsOf(await pay(legs(901)));
    assert.deepEqual(await availableIn(poor), [0]);
  });

  it('counts for the limits of the wallet and of operators', async () => {
    const wallet = await fundedWallet(table, 'ann', 10_000);
    const legs: Leg[] = [
      [wallet, goods, 1_000],
      [wallet, market, 500],
    ];
    await setLimits(table, wallet, { out: { perTransaction: 1_019 } });
    assert.deepEqual(codeOf(await pay(legs)), [422, 'limit_exceeded']);
    await setLimits(table, wallet, { out: { perTransaction: 1_020, perDay: 1_534 } });
    assert.deepEqual(codeOf(await pay(legs)), [422, 'limit_exceeded']);
    await setLimits(table, wallet, { out: { perTransaction: 1_020, perDay: 1_535 } });
    const strict = routeOf({ operatorLimits: { transfer: 1_534 } });
    assert.deepEqual(codeOf(await pay(legs, { as: operator, using: strict })), [403, 'operator_limit_exceeded']);
    legsOf(await pay(legs, { as: operator, using: routeOf({ operatorLimits: { transfer: 1_535 } }) }));
  });

  it('is an amount, too', async () => {
    const before = await allItems(table);
    const { status, body } = await pay([
      [buyer, goods, maxAmount - 100],
      [buyer, market, 100],
    ]);
    assert.deepEqual([status, (body?.['errors'] as { path: string }[])[0]?.path], [400, 'legs']);
    assert.deepEqual(await allItems(table), before);
  });
});

describe('a dry run of a split', () => {
  const dry = { more: { dryRun: true } };

  it('answers each leg with its fee, and the sums; it stores nothing, and leaves its key', async () => {
    const legs: Leg[] = [
      [buyer, goods, 1_000],
      [buyer, market, 50],
    ];
    const [before, key] = [await allItems(table), newKey()];
    const { roundTrips, result } = await measure(table, () => pay(legs, { ...dry, key }));
    const [first, second] = legs.map(([fromWalletId, toWalletId, amount]) => ({ fromWalletId, toWalletId, amount }));
    const expected = { dryRun: true, amount: 1_050, currency: 'EUR', fee: 31, paid: 1_081 };
    assert.deepEqual(
      [roundTrips, result.status, result.body],
      [
        0,
        200,
        {
          ...expected,
          legs: [
            { ...first, fee: 20 },
            { ...second, fee: 11 },
          ],
        },
      ],
    );
    assert.deepEqual(await allItems(table), before);
    const paid = await pay(legs, { key });
    assert.deepEqual([feesOf(paid), paid.headers['Idempotency-Replayed']], [[20, 11], undefined]);
  });

  it('answers fees of 0 where there are none', async () => {
    const { body } = await pay([[buyer, goods, 1_000]], { ...dry, using: routeOf({ fees: {} }) });
    assert.deepEqual([body?.['fee'], body?.['paid']], [0, 1_000]);
  });

  it('is refused as the request would be, where that needs no read', async () => {
    const strict = routeOf({ operatorLimits: { transfer: 1_019 } });
    for (const [ask, code] of [
      [() => pay([[buyer, buyer, 1]], dry), 'same_wallet'],
      [() => pay([[buyer, goods, 1]], { more: { dryRun: true, currency: 'USD' } }), 'currency_mismatch'],
      [() => pay([[buyer, goods, 1]], { more: { dryRun: false } }), 'invalid_request'],
      [() => pay([[buyer, goods, maxAmount]], dry), 'invalid_request'],
      [() => pay([[buyer, goods, 1_000]], { ...dry, as: operator, using: strict }), 'operator_limit_exceeded'],
    ] as const) {
      assert.equal((await ask()).body?.['code'], code);
    }
  });

  it('counts as one read of an end user, and as no transfer', async () => {
    const [eve, using] = [endUser('eve'), routeOf({ readsPerHour: 2, perHour: 2 })];
    const wallet = await fundedWallet(table, 'eve', 1_000);
    const legs: Leg[] = [
      [wallet, goods, 1],
      [wallet, market, 1],
    ];
    for (let n = 0; n < 2; n++) assert.equal((await pay(legs, { ...dry, as: eve, using })).status, 200);
    assert.deepEqual(codeOf(await pay(legs, { ...dry, as: eve, using })), [429, 'rate_limited']);
    legsOf(await pay(legs, { as: eve, using }));
  });
});

describe('the books', () => {
  it('have the fees of legs in their totals, once each, and nothing is wrong with them', async () => {
    const books = await newBooks(engine);
    afterTest(books.close);
    const [payer, other, revenue] = [
      await fundedWallet(books.table, 'ann', 1_000),
      await openWallet(books.table, 'ann'),
      await openWallet(books.table, 'us'),
    ];
    const receiver = await openWallet(books.table, 'shop');
    books.table.clock.now += 1_000;
    await commitPayments(books.table, [
      [payer, receiver, 100, 3],
      [payer, other, 57, 2],
      [other, receiver, 50, 7],
    ]);
    await books.follow();
    assert.equal(await totalOf(books.entries, 'fees:EUR', undefined), 12n);
    const [changes, none] = [await entriesOf(books.entries, payer), await entriesOf(books.entries, other)];
    assert.deepEqual([changes.at(-1)?.changes, none.length], [[{ account: 'available', amount: -162 }], 1]);
    books.table.clock.now = books.entries.clock.now += 4_000_000;
    await collect(books, revenue);
    await books.follow();
    assert.equal((await balanceOf(books.table, revenue)).available, 12);
    assert.deepEqual(await findingsOf(books), []);
  });
});
