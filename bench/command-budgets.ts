/** The budgets of commands that move money, and of their workers. */
import { mostLegs, mostWallets } from '../lambdas/domain/split.ts';
import type { SubmitOutcome } from '../lambdas/bank/answers.ts';
import { operator, request } from './requests.ts';
import { endUser, idIn, money, rateWindowUnits, supervisor } from './steps.ts';
import type { Bench, PostOptions, Wallets } from './steps.ts';

export async function measureCharge({ step, charge }: Bench, { wallet, mine }: Wallets): Promise<void> {
  const body = money(1_000_000);
  await step('charge', { roundTrips: 1, writeUnits: 5 }, () => charge(wallet, { body }));
  await charge(mine, { body });
}

export async function measureWithdrawals({ step, withdraw, routes }: Bench, { wallet, mine }: Wallets): Promise<void> {
  await step('withdraw, accepted', { roundTrips: 1, writeUnits: 6 }, () => withdraw(wallet));
  await step('withdraw, accepted, end user', { roundTrips: 1, writeUnits: 6 + rateWindowUnits }, () =>
    withdraw(mine, endUser),
  );
  const outcomes: readonly (readonly [string, SubmitOutcome])[] = [
    ['paid', { outcome: 'accepted' }],
    ['rejected', { outcome: 'rejected', code: 'account_closed', message: 'The account is closed' }],
    ['put back', { outcome: 'unknown', reason: 'status 503' }],
  ];
  for (const [name, outcome] of outcomes) {
    const id = await withdraw(wallet);
    // The third trip reads whether the wallet is frozen.
    const budget = { roundTrips: 3, writeUnits: 12, readUnits: 1 };
    await step(`withdrawal worker, ${name}`, budget, () => routes.workers.withdrawal(id, outcome));
  }
}

export async function measureTransfers(
  { step, post, routes }: Bench,
  { wallet, other, mine, shop }: Wallets,
): Promise<void> {
  const transfer = (from: string, to: string, more: PostOptions = {}) =>
    post(routes.transfer, '/wallets/{walletId}/transfer', from, more.headers ? 202 : 201, {
      body: { ...money(100), toWalletId: to },
      ...more,
    });
  const queued = { headers: { Prefer: 'respond-async' } };
  await step('transfer', { roundTrips: 1, writeUnits: 8 }, () => transfer(wallet, other));
  await step('transfer, end user', { roundTrips: 1, writeUnits: 8 + rateWindowUnits }, () =>
    transfer(mine, other, { caller: endUser }),
  );
  await step('transfer queued, accepted', { roundTrips: 1, writeUnits: 6 }, () => transfer(wallet, shop, queued));
  await step('transfer queued, accepted, end user', { roundTrips: 1, writeUnits: 6 + rateWindowUnits }, () =>
    transfer(mine, shop, { ...queued, caller: endUser }),
  );
  for (const size of [1, 10, 99]) {
    const ids: string[] = [];
    for (let n = 0; n < size; n++) ids.push(idIn(await transfer(wallet, shop, queued)));
    // The read of the batch comes before its one write.
    const budget = { roundTrips: 2, writeUnits: 2 + 5 * size };
    await step(`transfer worker, ${size} to one wallet`, budget, () => routes.workers.transfers(ids));
  }
}

export async function measureHolds({ step, post, routes }: Bench, { wallet, other, mine }: Wallets): Promise<void> {
  const hold = async (from: string, to: string | undefined, more: PostOptions = {}) => {
    const body = { ...money(100), toWalletId: to, expiresAt: new Date(Date.now() + 90_000).toISOString() };
    return idIn(await post(routes.openHold, '/wallets/{walletId}/holds', from, 201, { body, ...more }));
  };
  const capture = (id: string, body: object) =>
    post(routes.capture, '/holds/{transactionId}/capture', id, 201, { body });
  await step('hold', { roundTrips: 1, writeUnits: 6 }, () => hold(wallet, other));
  await step('hold, end user', { roundTrips: 1, writeUnits: 6 + rateWindowUnits }, () =>
    hold(mine, other, { caller: endUser }),
  );
  // An operator captures from the wallets of others. The first trip reads the hold.
  const id = await hold(mine, other);
  await step('capture, a part', { roundTrips: 2, writeUnits: 12, readUnits: 1 }, () => capture(id, money(40)));
  await step('capture, final', { roundTrips: 2, writeUnits: 12, readUnits: 1 }, () =>
    capture(id, { ...money(10), final: true }),
  );
  const outside = await hold(mine, undefined);
  await step('capture, to the world outside', { roundTrips: 2, writeUnits: 9, readUnits: 1 }, () =>
    capture(outside, money(100)),
  );
  const mineToTake = await hold(wallet, mine);
  await step('capture, final, end user', { roundTrips: 3, writeUnits: 12 + rateWindowUnits, readUnits: 3 }, () =>
    post(routes.capture, '/holds/{transactionId}/capture', mineToTake, 201, { caller: endUser, body: money(100) }),
  );
  const unwanted = await hold(mine, other);
  // The last trip reads the hold at its end.
  await step('release', { roundTrips: 3, writeUnits: 8, readUnits: 2 }, () =>
    post(routes.release, '/holds/{transactionId}/release', unwanted, 200),
  );
}

export async function measureRefunds({ step, post, charge, routes }: Bench, { wallet, mine }: Wallets): Promise<void> {
  const pay = async (amount: number) => {
    const body = { ...money(amount), toWalletId: wallet };
    return idIn(await post(routes.transfer, '/wallets/{walletId}/transfer', mine, 201, { body, caller: endUser }));
  };
  const refund = (id: string, body: object = {}) =>
    post(routes.refund, '/transactions/{transactionId}/refund', id, 201, { body: { reason: 'sent back', ...body } });
  // The first trip reads the transaction.
  const id = await pay(1_000);
  await step('refund, a part', { roundTrips: 2, writeUnits: 12, readUnits: 1 }, () => refund(id, { amount: 10 }));
  await step('refund, all that is left', { roundTrips: 2, writeUnits: 12, readUnits: 1 }, () => refund(id));
  const back = { ...money(100), toWalletId: mine };
  const got = idIn(await post(routes.transfer, '/wallets/{walletId}/transfer', wallet, 201, { body: back }));
  await step('refund, end user', { roundTrips: 3, writeUnits: 12 + rateWindowUnits, readUnits: 3 }, () =>
    post(routes.refund, '/transactions/{transactionId}/refund', got, 201, {
      ...{ caller: endUser, body: { reason: 'sent back' } },
    }),
  );
  const often = await pay(1_000);
  for (let times = 1; times < 100; times++) await refund(often, { amount: 1 });
  await step('refund, the hundredth of one transfer', { roundTrips: 2, writeUnits: 24 }, () => refund(often));
  const charged = idIn(await charge(mine, { body: money(100) }));
  await step('refund of a charge', { roundTrips: 2, writeUnits: 8, readUnits: 1 }, () =>
    refund(charged, { amount: 40 }),
  );
  await step('chargeback', { roundTrips: 2, writeUnits: 8, readUnits: 1 }, () => refund(charged, { chargeback: true }));
}

/** Measures splits: one wallet pays the others. Each leg costs as much as the record of a transfer, and each wallet as much as in one. */
export async function measureSplits(
  { step, post, open, routes }: Bench,
  { wallet, mine, shop }: Wallets,
): Promise<void> {
  const split = (from: string, to: readonly string[], caller = operator) => {
    const legs = to.map((toWalletId) => ({ fromWalletId: from, toWalletId, amount: 10 }));
    return post(routes.split, '/transfers', '', 201, { body: { legs }, caller });
  };
  await step('split, 2 legs', { roundTrips: 1, writeUnits: 16, readUnits: 0 }, () => split(wallet, [mine, shop]));
  await step('split, 2 legs, end user', { roundTrips: 1, writeUnits: 16 + rateWindowUnits, readUnits: 0 }, () =>
    split(mine, [wallet, shop], endUser),
  );
  const others: string[] = [];
  for (let n = 0; n < mostWallets - 1; n++) others.push(await open());
  await step('split, 39 legs of 40 wallets', { roundTrips: 1, writeUnits: 238, readUnits: 0 }, () =>
    split(wallet, others),
  );
  const most = [...others, ...others].slice(0, mostLegs);
  await step('split, 50 legs of 40 wallets', { roundTrips: 1, writeUnits: 282, readUnits: 0 }, () =>
    split(wallet, most),
  );
}

/** Measures a transfer for later: its acceptance, and its execution by the worker of transfers. */
export async function measureSchedules({ step, post, routes }: Bench, { mine, other }: Wallets): Promise<void> {
  const leadMs = 120_000;
  const body = { ...money(100), toWalletId: other, executeAt: new Date(Date.now() + leadMs).toISOString() };
  let id = '';
  await step('transfer scheduled, end user', { roundTrips: 1, writeUnits: 6 + rateWindowUnits }, async () => {
    id = idIn(await post(routes.transfer, '/wallets/{walletId}/transfer', mine, 202, { body, caller: endUser }));
  });
  // Its place in the history and in the index of open work moves to the time of its execution.
  await step('transfer worker, a scheduled one', { roundTrips: 3, writeUnits: 8 + 7, readUnits: 1 }, () =>
    routes.workers.transfers([id], leadMs + 1_000),
  );
}

/** Payments that one write of a batch makes. */
export const linesOfWrite = 99;

/** Measures a batch of transfers from one wallet to as many others: its acceptance, its worker, and that of the transfers. */
export async function measureBatches({ step, call, open, routes, sent }: Bench, { wallet }: Wallets): Promise<void> {
  const lines: object[] = [];
  for (let n = 0; n < linesOfWrite; n++) {
    const line = { ...money(10), key: `line-${n}`, type: 'transfer', walletId: wallet, toWalletId: await open() };
    lines.push(line);
  }
  const headers = { 'Idempotency-Key': 'payroll', 'Content-Type': 'application/x-ndjson' };
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  await step('batch of 99 transfers', { roundTrips: 1, writeUnits: 11 }, () =>
    call(routes.createBatch, request('POST', '/batches', {}, { headers, text }), 202),
  );
  const [batch = ''] = sent();
  await step('batch worker, 99 transfers', { writeUnits: 2 + 4 * linesOfWrite + 9 }, () => routes.workers.batch(batch));
  const ids = sent();
  if (ids.length !== linesOfWrite) throw new Error(`the batch has sent ${ids.length} messages`);
  await step('transfer worker, 99 to as many wallets', { writeUnits: 7 * linesOfWrite }, () =>
    routes.workers.transfers(ids),
  );
}

/** Measures commands of wallets with every limit. Only the first command of a function that has not met the wallet costs more. */
export async function measureLimits({ step, post, open, charge, withdraw, routes }: Bench): Promise<void> {
  const [payer, receiver] = [await open(), await open()];
  const flow = { perTransaction: 1_000_000, perDay: 5_000_000, perMonth: 20_000_000 };
  const limits = { out: flow, in: flow, minimumBalance: 0, maximumBalance: 90_000_000 };
  const body = { reason: 'A new customer, case 4711', limits, version: 0 };
  const limit = (walletId: string) =>
    post(routes.setLimits, '/wallets/{walletId}/limits', walletId, 200, { method: 'PUT', caller: supervisor, body });
  const transfer = () =>
    post(routes.transfer, '/wallets/{walletId}/transfer', payer, 201, {
      body: { ...money(100), toWalletId: receiver },
    });
  await charge(payer, { body: money(1_000_000) });
  await step('set limits', { roundTrips: 2, writeUnits: 4 }, () => limit(payer));
  await limit(receiver);
  await step('transfer, both limited, first of a function', { roundTrips: 2 }, transfer);
  await step('transfer, both limited', { roundTrips: 1, writeUnits: 8 }, transfer);
  await step('charge, limited', { roundTrips: 1, writeUnits: 5 }, () => charge(receiver, { body: money(100) }));
  await step('withdraw, accepted, limited', { roundTrips: 1, writeUnits: 6 }, () => withdraw(payer));
}
