/** The route of splits: who may ask for one, what is answered, and what each party sees; on the real engine. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { getReceipt, getTransaction } from '../../lambdas/api/get-transaction.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { refund } from '../../lambdas/api/refund.ts';
import { split } from '../../lambdas/api/split.ts';
import type { OperatorLimits } from '../../lambdas/contract.ts';
import { legIdOf, transactionIdOf, walletIdOf } from '../../lambdas/domain/ids.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { endUser, operator, send } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { newKey } from './commands.ts';
import { allItems } from './inspect.ts';
import { setLimits } from './limit-commands.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
const [ann, bob, stranger] = [endUser('ann'), endUser('bob'), endUser('stranger')];

type RouteName = 'split' | 'refund' | 'get-transaction' | 'get-receipt' | 'list-transactions';

/** Returns the route of splits, and those that show or refund their legs. */
function openHandlers({
  operatorLimits,
  perHour = 1_000,
}: { operatorLimits?: OperatorLimits; perHour?: number } = {}): Record<RouteName, Handler> {
  const limits = openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour });
  const services = { table, limits, ...(operatorLimits && { operatorLimits }) };
  return {
    split: serve(split, services),
    refund: serve(refund, services),
    'get-transaction': serve(getTransaction, services),
    'get-receipt': serve(getReceipt, services),
    'list-transactions': serve(listTransactions, services),
  };
}

let handlers: Record<RouteName, Handler>;
/** Two wallets of ann, one of bob's shop, and one of the marketplace. */
let [buyer, savings, shop, market] = ['', '', '', ''];
beforeAll(async () => {
  handlers = openHandlers();
  buyer = await fundedWallet(table, 'ann', 100_000);
  savings = await fundedWallet(table, 'ann', 1_000);
  shop = await openWallet(table, 'bob');
  market = await openWallet(table, 'market');
});

type Leg = readonly [from: string, to: string, amount: number, words?: object];
interface Wanted {
  readonly as?: CallerContext;
  readonly key?: string;
  readonly using?: Record<RouteName, Handler>;
}

function pay(legs: readonly Leg[], { as = ann, key = newKey(), using = handlers }: Wanted = {}): Promise<Response> {
  const body = {
    legs: legs.map(([fromWalletId, toWalletId, amount, words]) => ({ fromWalletId, toWalletId, amount, ...words })),
  };
  return send('split', using.split, { as, key, body });
}

interface Body {
  readonly transactionId: string;
  readonly [field: string]: unknown;
}
function legsOf({ status, body }: Response): Body[] {
  assert.equal(status, 201, JSON.stringify(body));
  return body?.['legs'] as Body[];
}

const read = (as: CallerContext, transactionId: string) =>
  send('get-transaction', handlers['get-transaction'], { as, path: { transactionId } });

async function availableIn(...walletIds: readonly string[]): Promise<number[]> {
  const balances = await Promise.all(walletIds.map((walletId) => balanceOf(table, walletId)));
  return balances.map(({ available }) => Number(available));
}

/** Asserts that a request is refused with this status and code, and that nothing is stored. Returns its body. */
async function assertRefused(expected: readonly [number, string], ask: () => Promise<Response>) {
  // The container reports refusals in lots.
  const stored = async () => (await allItems(table)).filter(({ pk }) => !String(pk).endsWith('#refusals'));
  const before = await stored();
  const { status, body } = await ask();
  assert.deepEqual([status, body?.['code']], expected);
  assert.deepEqual(await stored(), before);
  return body;
}

describe('a split of an owner', () => {
  it('books all legs at once, in one round trip, and answers with each of them', async () => {
    const before = await availableIn(buyer, shop, market);
    const key = newKey();
    let answer: Response | undefined;
    const { roundTrips } = await measure(table, async () => {
      answer = await pay(
        [
          [buyer, shop, 900, { description: 'goods' }],
          [buyer, market, 100],
        ],
        { key },
      );
    });
    assert.ok(answer);
    assert.equal(roundTrips, 1);
    assert.deepEqual(await availableIn(buyer, shop, market), [before[0]! - 1_000, before[1]! + 900, before[2]! + 100]);
    const splitId = transactionIdOf('ann', key);
    const { body, headers } = answer;
    assert.deepEqual(
      [body?.['splitId'], body?.['amount'], body?.['currency'], headers['Location']],
      [splitId, 1_000, 'EUR', undefined],
    );
    const [first, second] = [legIdOf(splitId, 0), legIdOf(splitId, 1)];
    assert.deepEqual(
      legsOf(answer).map((leg) => [leg.transactionId, leg['type'], leg['status'], leg['splitId'], leg['sentWith']]),
      [
        [first, 'transfer', 'completed', splitId, first],
        [second, 'transfer', 'completed', splitId, first],
      ],
    );
    assert.equal(legsOf(answer)[0]?.['description'], 'goods');
  });

  it('is answered again with the legs as they are now, and moves nothing', async () => {
    const key = newKey();
    const legs: Leg[] = [
      [buyer, shop, 50],
      [buyer, market, 20],
    ];
    const [sold] = legsOf(await pay(legs, { key }));
    const path = { transactionId: sold!.transactionId };
    await send('refund', handlers.refund, { as: bob, key: newKey(), path, body: { amount: 10, reason: 'broken' } });
    const before = await availableIn(buyer, shop, market);
    const again = await pay(legs, { key });
    assert.equal(again.headers['Idempotency-Replayed'], 'true');
    assert.deepEqual(
      legsOf(again).map(({ amount, refunded }) => [amount, refunded]),
      [
        [50, 10],
        [20, undefined],
      ],
    );
    assert.deepEqual(await availableIn(buyer, shop, market), before);
    await assertRefused([422, 'idempotency_key_reused'], () => pay([[buyer, shop, 50]], { key }));
  });

  it('pays from each of its own wallets, and only from these', async () => {
    const before = await availableIn(buyer, savings, shop);
    legsOf(
      await pay([
        [buyer, shop, 30],
        [savings, shop, 40],
      ]),
    );
    assert.deepEqual(await availableIn(buyer, savings, shop), [before[0]! - 30, before[1]! - 40, before[2]! + 70]);
    // A wallet pays in a leg, also where it gets more in another.
    for (const legs of [
      [[shop, buyer, 1]],
      [
        [buyer, shop, 30],
        [shop, market, 10],
      ],
    ] satisfies Leg[][]) {
      const refusal = await assertRefused([404, 'wallet_not_found'], () => pay(legs));
      assert.match(String(refusal?.['detail']), new RegExp(`there is no wallet ${shop}$`));
    }
    await assertRefused([404, 'wallet_not_found'], () => pay([[buyer, shop, 30]], { as: stranger }));
  });

  it('changes each wallet by its net amount', async () => {
    const before = await availableIn(buyer, savings, shop);
    // The savings get what they pay on; they do not have that much.
    legsOf(
      await pay([
        [savings, shop, 20_000],
        [buyer, savings, 20_000],
      ]),
    );
    assert.deepEqual(await availableIn(buyer, savings, shop), [before[0]! - 20_000, before[1]!, before[2]! + 20_000]);
  });
});

describe('what each party sees of a leg', () => {
  it('is that of a transfer, with the id of the split', async () => {
    const reference = { externalReference: 'order-17', metadata: { basket: '4711' } };
    const legs = legsOf(
      await pay([
        [buyer, shop, 90, reference],
        [buyer, market, 10],
      ]),
    );
    const [sold, fee] = legs.map(({ transactionId }) => transactionId);
    const splitId = legs[0]?.['splitId'];
    const shown = (await read(bob, sold!)).body;
    assert.deepEqual(
      ['splitId', 'externalReference', 'metadata', 'amount'].map((field) => shown?.[field]),
      [splitId, undefined, undefined, 90],
    );
    assert.equal((shown?.['postings'] as unknown[]).length, 1);
    // The receiver of one leg does not see the others.
    assert.equal((await read(bob, fee!)).status, 404);
    const own = (await read(ann, fee!)).body;
    assert.deepEqual([own?.['splitId'], own?.['sentWith'], own?.['settledWith']], [splitId, sold, undefined]);
    const market1 = (await read(endUser('market'), fee!)).body;
    assert.deepEqual([market1?.['splitId'], market1?.['sentWith']], [splitId, undefined]);
    const desk = (await read(operator, fee!)).body;
    assert.deepEqual([desk?.['sentWith'], desk?.['requestedBy']], [sold, { kind: 'owner', principal: 'ann' }]);
    const receiptCode = String(own?.['receiptCode']);
    const receipt = await send('get-receipt', handlers['get-receipt'], { as: ann, path: { receiptCode } });
    assert.equal(receipt.body?.['transactionId'], fee);
    for (const [as, walletId, id] of [
      [ann, buyer, fee],
      [bob, shop, sold],
    ] as const) {
      const page = await send('list-transactions', handlers['list-transactions'], { as, path: { walletId } });
      assert.ok((page.body?.['items'] as Body[]).some(({ transactionId }) => transactionId === id));
    }
  });
});

describe('a split that is refused', () => {
  it('names the leg, and stores nothing', async () => {
    const poor = await fundedWallet(table, 'ann', 5);
    const funds = await assertRefused([422, 'insufficient_funds'], () =>
      pay([
        [buyer, shop, 5],
        [poor, shop, 3],
        [poor, market, 3],
      ]),
    );
    assert.deepEqual(
      [funds?.['leg'], funds?.['detail']],
      [1, 'legs[1]: available 5, requested 6, in minor units of EUR'],
    );
    const missing = walletIdOf('nobody', 'none', 'EUR');
    const lost = await assertRefused([404, 'wallet_not_found'], () =>
      pay([
        [buyer, shop, 5],
        [buyer, missing, 5],
      ]),
    );
    assert.deepEqual([lost?.['leg'], lost?.['detail']], [1, `legs[1]: there is no wallet ${missing}`]);
    const same = await assertRefused([422, 'same_wallet'], () => pay([[buyer, buyer, 5]]));
    assert.equal(same?.['leg'], 0);
    const yen = await openWallet(table, 'bob', 'JPY');
    await assertRefused([422, 'currency_mismatch'], () => pay([[buyer, yen, 5]]));
  });

  it('hides the state of a receiver, and shows that of a payer', async () => {
    const [frozen, mine] = [await openWallet(table, 'carol'), await fundedWallet(table, 'ann', 100)];
    await setStatus(table, frozen, 'frozen');
    await setStatus(table, mine, 'frozen');
    const hidden = await assertRefused([422, 'receiver_unavailable'], () =>
      pay([
        [buyer, shop, 5],
        [buyer, frozen, 5],
      ]),
    );
    assert.deepEqual([hidden?.['leg'], hidden?.['detail']], [undefined, undefined]);
    const only = await assertRefused([422, 'receiver_unavailable'], () => pay([[buyer, frozen, 5]]));
    assert.deepEqual([only?.['leg'], only?.['detail']], [0, 'legs[0]: The receiver cannot receive this money']);
    const shown = await assertRefused([409, 'wallet_frozen'], () => pay([[mine, shop, 5]]));
    assert.equal(shown?.['detail'], `legs[0]: wallet ${mine} is frozen`);
    // A wallet whose legs cancel out is checked, too.
    await assertRefused([409, 'wallet_frozen'], () =>
      pay([
        [buyer, mine, 5],
        [mine, shop, 5],
      ]),
    );
  });

  it('shows the limits of a payer, and hides those of a receiver', async () => {
    const [strict, thrifty] = [await openWallet(table, 'dora'), await fundedWallet(table, 'ann', 1_000)];
    await setLimits(table, strict, { in: { perDay: 100 } });
    await setLimits(table, thrifty, { out: { perDay: 100 } });
    const own = await assertRefused([422, 'limit_exceeded'], () =>
      pay([
        [thrifty, shop, 60],
        [thrifty, market, 60],
      ]),
    );
    assert.deepEqual([own?.['leg'], own?.['limit'], own?.['left']], [0, 'out.perDay', 100]);
    await assertRefused([422, 'receiver_unavailable'], () => pay([[buyer, strict, 101]]));
    legsOf(
      await pay([
        [buyer, strict, 100],
        [thrifty, shop, 100],
      ]),
    );
  });

  it('has a defect in its legs: none, too many of them, too many wallets, or too large a sum', async () => {
    const defect = async (legs: readonly Leg[]) =>
      (await assertRefused([400, 'invalid_request'], () => pay(legs)))?.['errors'];
    assert.deepEqual(await defect([]), [{ path: 'legs', message: 'must have at least 1 elements' }]);
    assert.deepEqual(await defect(Array.from({ length: 51 }, (): Leg => [buyer, shop, 1])), [
      { path: 'legs', message: 'must have at most 50 elements' },
    ]);
    const others = Array.from({ length: 40 }, (_, n): Leg => [buyer, walletIdOf('other', String(n), 'EUR'), 1]);
    assert.deepEqual(await defect(others), [{ path: 'legs', message: 'must have at most 40 wallets' }]);
    assert.deepEqual(
      await defect([
        [buyer, shop, 1],
        [buyer, shop, 0],
      ]),
      [{ path: 'legs.1.amount', message: 'must be an integer of minor units, 1 to 9007199254740991' }],
    );
  });
});

describe('limits of callers', () => {
  it('count each leg as a transfer, in the same hour', async () => {
    const eve = endUser('eve');
    const [wallet, using] = [await fundedWallet(table, 'eve', 1_000), openHandlers({ perHour: 5 })];
    const of = (count: number) => Array.from({ length: count }, (): Leg => [wallet, shop, 1]);
    legsOf(await pay(of(3), { as: eve, using }));
    const tooMany = await pay(of(3), { as: eve, using });
    assert.deepEqual([tooMany.status, tooMany.headers['RateLimit-Limit']], [429, '5']);
    legsOf(await pay(of(2), { as: eve, using }));
    await assertRefused([429, 'rate_limited'], () => pay(of(6), { as: endUser('fay'), using }));
  });

  it('let operators pay from every wallet, up to their limit of transfers, which counts the sum of the legs', async () => {
    const using = openHandlers({ operatorLimits: { transfer: 100 } });
    const legs = (amount: number): Leg[] => [
      [buyer, shop, amount],
      [shop, market, 40],
    ];
    const refusal = await assertRefused([403, 'operator_limit_exceeded'], () => pay(legs(61), { as: operator, using }));
    assert.match(String(refusal?.['detail']), /^transfer takes at most 100, requested 101,/);
    legsOf(await pay(legs(60), { as: operator, using }));
    const support = { ...operator, scopes: 'support' };
    await assertRefused([403, 'forbidden'], () => pay(legs(1), { as: support }));
  });
});
