/** The routes of holds: who may do what, and what is answered; on the real engine. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { capture } from '../../lambdas/api/capture.ts';
import { close } from '../../lambdas/api/close.ts';
import { getTransaction } from '../../lambdas/api/get-transaction.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { openHold } from '../../lambdas/api/open-hold.ts';
import { release } from '../../lambdas/api/release.ts';
import type { OperatorLimits } from '../../lambdas/contract.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { codeOf, endUser, idOf, operator, send, support } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { charge, newKey, timeOf } from './commands.ts';
import { allItems } from './inspect.ts';
import { balanceOf as exactBalanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
const [ann, shop, stranger] = [endUser('ann'), endUser('shop'), endUser('stranger')];

type RouteName = 'open-hold' | 'capture' | 'release' | 'get-transaction' | 'list-transactions' | 'close';

/** Returns the routes of holds and those that show them. */
function openHandlers(operatorLimits?: OperatorLimits): Record<RouteName, Handler> {
  const limits = openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 });
  const services = { table, limits, ...(operatorLimits && { operatorLimits }) };
  return {
    'open-hold': serve(openHold, services),
    capture: serve(capture, services),
    release: serve(release, { table, limits: openLimits({ cancellationsPerHour: 1_000 }) }),
    'get-transaction': serve(getTransaction, services),
    'list-transactions': serve(listTransactions, services),
    close: serve(close, { table }),
  };
}

let handlers: Record<RouteName, Handler>;
let payer: string;
let receiver: string;
beforeAll(async () => {
  handlers = openHandlers();
  payer = await fundedWallet(table, 'ann', 100_000);
  receiver = await openWallet(table, 'shop');
});

async function balanceOf(walletId: string): Promise<{ available: number; held: number }> {
  const { available, held } = await exactBalanceOf(table, walletId);
  return { available: Number(available), held: Number(held) };
}

interface Wanted {
  readonly as?: CallerContext;
  readonly key?: string;
  readonly body?: object;
}

/** Asks for a hold of 100 for ten minutes. */
function hold({ as = ann, key = newKey(), body = {} }: Wanted = {}): Promise<Response> {
  const wanted = { amount: 100, toWalletId: receiver, expiresAt: timeOf(table, 600_000), ...body };
  return send('open-hold', handlers['open-hold'], { as, key, path: { walletId: payer }, body: wanted });
}

function end(
  name: 'capture' | 'release',
  transactionId: string,
  { as = shop, key = newKey(), body = {} }: Wanted = {},
) {
  return send(name, handlers[name], { as, key, path: { transactionId }, body });
}

function read(as: CallerContext, transactionId: string): Promise<Response> {
  return send('get-transaction', handlers['get-transaction'], { as, path: { transactionId } });
}

/** Asserts that the request is refused with this status and code, and that nothing is stored. */
async function assertRefused(expected: readonly [number, string], ask: () => Promise<Response>): Promise<void> {
  const before = await allItems(table);
  assert.deepEqual(codeOf(await ask()), expected);
  assert.deepEqual(await allItems(table), before);
}

describe('a hold', () => {
  it('holds money of its wallet, and is shown to payer, receiver and operators alone', async () => {
    const before = await balanceOf(payer);
    const { status, headers, body } = await hold({ body: { metadata: { order: '4711' } } });
    const id = String(body?.['transactionId']);
    assert.deepEqual([status, headers['Location']], [201, `/prod/transactions/${id}`]);
    assert.deepEqual(
      [body?.['type'], body?.['status'], body?.['captured'], body?.['expiresAt'], body?.['counterpartyWalletId']],
      ['hold', 'open', 0, timeOf(table, 600_000), receiver],
    );
    const { available, held } = await balanceOf(payer);
    assert.deepEqual([available, held], [before.available - 100, before.held + 100]);

    assert.deepEqual((await read(ann, id)).body?.['metadata'], { order: '4711' });
    const received = (await read(shop, id)).body;
    assert.deepEqual([received?.['amount'], received?.['metadata'], received?.['postings']], [100, undefined, []]);
    assert.equal((await read(support, id)).status, 200);
    assert.deepEqual(codeOf(await read(stranger, id)), [404, 'transaction_not_found']);
  });

  it('lasts a minute to 31 days, and its time may be given in any zone', async () => {
    const day = 86_400_000;
    for (const laterMs of [-1, 0, 59_999, 31 * day + 1]) {
      await assertRefused([400, 'invalid_request'], () => hold({ body: { expiresAt: timeOf(table, laterMs) } }));
    }
    for (const laterMs of [60_000, 31 * day]) await hold({ body: { expiresAt: timeOf(table, laterMs) } }).then(idOf);
    const inAnHour = timeOf(table, 3_600_000 + 2 * 3_600_000).replace('Z', '+02:00');
    const { body } = await hold({ body: { expiresAt: inAnHour } });
    assert.equal(body?.['expiresAt'], timeOf(table, 3_600_000));
    for (const expiresAt of ['tomorrow', '2026-03-01', 5]) {
      await assertRefused([400, 'invalid_request'], () => hold({ body: { expiresAt } }));
    }
  });

  it('is answered as a replay when the repetition comes shortly before its end, or after it', async () => {
    const key = newKey();
    const body = { expiresAt: timeOf(table, 60_000) };
    const id = idOf(await hold({ key, body }));
    for (const laterMs of [30_000, 60_000]) {
      table.clock.now += laterMs;
      const again = await hold({ key, body });
      assert.deepEqual([idOf(again), again.headers['Idempotency-Replayed']], [id, 'true']);
    }
    assert.deepEqual(codeOf(await hold({ key, body: { ...body, amount: 101 } })), [422, 'idempotency_key_reused']);
  });

  it('is refused for another currency, for its own wallet, without funds, and to strangers', async () => {
    const yen = await openWallet(table, 'shop', 'JPY');
    await assertRefused([422, 'currency_mismatch'], () => hold({ body: { toWalletId: yen } }));
    await assertRefused([422, 'same_wallet'], () => hold({ body: { toWalletId: payer } }));
    await assertRefused([422, 'insufficient_funds'], () => hold({ body: { amount: 1_000_000 } }));
    await assertRefused([404, 'wallet_not_found'], () => hold({ as: stranger }));
    await assertRefused([403, 'forbidden'], () => hold({ as: support }));
  });

  it('keeps its wallet from being closed', async () => {
    const walletId = await fundedWallet(table, 'ann', 100);
    const body = { amount: 100, toWalletId: receiver, expiresAt: timeOf(table, 600_000) };
    const id = idOf(
      await send('open-hold', handlers['open-hold'], { as: ann, key: newKey(), path: { walletId }, body }),
    );
    const closed = await send('close', handlers.close, { as: operator, key: newKey(), path: { walletId }, body: {} });
    assert.deepEqual(codeOf(closed), [409, 'wallet_not_empty']);
    const { detail } = closed.body as { detail: string };
    assert.equal(detail, `available 0, held 100, in minor units of EUR; open: hold ${id}`);
  });
});

describe('a capture', () => {
  it('pays the receiver in parts, and shows its reference to the receiver and not to the payer', async () => {
    const id = idOf(await hold());
    const before = await balanceOf(receiver);
    const taken = await end('capture', id, { body: { amount: 30, externalReference: 'parcel 1' } });
    const captureId = idOf(taken);
    assert.deepEqual(
      [taken.body?.['type'], taken.body?.['status'], taken.body?.['originalTransactionId']],
      ['capture', 'completed', id],
    );
    assert.equal(taken.body?.['externalReference'], 'parcel 1');
    assert.equal((await read(ann, captureId)).body?.['externalReference'], undefined);
    assert.deepEqual(codeOf(await read(stranger, captureId)), [404, 'transaction_not_found']);
    assert.equal((await balanceOf(receiver)).available, before.available + 30);
    assert.equal((await read(shop, id)).body?.['captured'], 30);

    const history = await send('list-transactions', handlers['list-transactions'], {
      as: shop,
      path: { walletId: receiver },
    });
    const types = (history.body?.['items'] as { type: string }[]).map(({ type }) => type);
    assert.deepEqual([...new Set(types)], ['capture'], 'the receiver has captures in its history, and no holds');

    await assertRefused([422, 'exceeds_hold'], () => end('capture', id, { body: { amount: 71 } }));
    const rest = await end('capture', id);
    assert.deepEqual([rest.status, rest.body?.['amount']], [201, 70]);
    const ended = (await read(ann, id)).body;
    assert.deepEqual([ended?.['status'], ended?.['end'], ended?.['captured']], ['ended', 'captured', 100]);
    await assertRefused([409, 'hold_ended'], () => end('capture', id, { body: { amount: 1 } }));
  });

  it('that is final gives the payer what is left', async () => {
    const id = idOf(await hold());
    const before = await balanceOf(payer);
    idOf(await end('capture', id, { body: { amount: 10, final: true } }));
    const { available, held } = await balanceOf(payer);
    assert.deepEqual([available, held], [before.available + 90, before.held - 100]);
    assert.equal((await read(shop, id)).body?.['status'], 'ended');
  });

  it('is answered as a replay after the end of the hold', async () => {
    const id = idOf(await hold());
    const key = newKey();
    const first = await end('capture', id, { key });
    const again = await end('capture', id, { key });
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [201, 'true']);
    assert.deepEqual(again.body, first.body);
  });

  it('is refused to the payer and to strangers, and after the expiry', async () => {
    const id = idOf(await hold());
    await assertRefused([403, 'forbidden'], () => end('capture', id, { as: ann }));
    await assertRefused([404, 'transaction_not_found'], () => end('capture', id, { as: stranger }));
    await assertRefused([403, 'forbidden'], () => end('capture', id, { as: support }));
    table.clock.now += 600_000;
    await assertRefused([409, 'hold_expired'], () => end('capture', id));
  });

  it('is made by the owner of both wallets, and by operators', async () => {
    const second = await openWallet(table, 'ann');
    idOf(await end('capture', idOf(await hold({ body: { toWalletId: second } })), { as: ann }));
    idOf(await end('capture', idOf(await hold()), { as: operator }));
  });

  it('of a hold without a receiver is made by operators alone, for the world outside', async () => {
    const id = idOf(await hold({ body: { toWalletId: undefined } }));
    await assertRefused([403, 'forbidden'], () => end('capture', id, { as: ann }));
    await assertRefused([404, 'transaction_not_found'], () => end('capture', id));
    const { body } = await end('capture', id, { as: operator, body: { externalReference: 'ticket 1' } });
    const [, to] = body?.['postings'] as { account: string; amount: number }[];
    assert.deepEqual(to, { account: 'external:EUR', amount: 100 });
    assert.equal((await read(ann, String(body?.['transactionId']))).body?.['externalReference'], 'ticket 1');
  });

  it('needs an active payer and an active receiver', async () => {
    const id = idOf(await hold());
    await setStatus(table, payer, 'frozen');
    await assertRefused([409, 'wallet_frozen'], () => end('capture', id));
    await setStatus(table, payer, 'active');
    await setStatus(table, receiver, 'frozen');
    await assertRefused([422, 'receiver_unavailable'], () => end('capture', id));
    await setStatus(table, receiver, 'active');
    idOf(await end('capture', id));
  });

  it('reads the hold, and the wallets for an end user, and then makes one write', async () => {
    const [first, second] = [idOf(await hold()), idOf(await hold())];
    const trips = async (as: CallerContext, id: string) => {
      const { calls } = await measure(table, () => end('capture', id, { as }));
      return calls.map(({ operation }) => operation);
    };
    assert.deepEqual(await trips(operator, first), ['GetItem', 'TransactWriteItems']);
    assert.deepEqual(await trips(shop, second), ['GetItem', 'BatchGetItem', 'TransactWriteItems']);
  });
});

describe('a release', () => {
  it('gives the payer what is left, and is answered as a replay', async () => {
    const id = idOf(await hold());
    idOf(await end('capture', id, { body: { amount: 40 } }));
    const before = await balanceOf(payer);
    const key = newKey();
    const { status, body } = await end('release', id, { key, body: { reason: 'sold out' } });
    assert.deepEqual(
      [status, body?.['status'], body?.['end'], body?.['captured'], body?.['releaseReason']],
      [200, 'ended', 'released', 40, 'sold out'],
    );
    const { available, held } = await balanceOf(payer);
    assert.deepEqual([available, held], [before.available + 60, before.held - 60]);
    const again = await end('release', id, { key, body: { reason: 'sold out' } });
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [200, 'true']);
    assert.equal((await read(ann, id)).body?.['releaseReason'], 'sold out');
    await assertRefused([409, 'hold_ended'], () => end('release', id));
  });

  it('is refused to the payer and to strangers, and made by support, whose reason owners do not see', async () => {
    const id = idOf(await hold());
    await assertRefused([403, 'forbidden'], () => end('release', id, { as: ann }));
    await assertRefused([404, 'transaction_not_found'], () => end('release', id, { as: stranger }));
    const { body } = await end('release', id, { as: support, body: { reason: 'suspected theft' } });
    assert.equal(body?.['releaseReason'], 'suspected theft');
    for (const as of [ann, shop]) assert.equal((await read(as, id)).body?.['releaseReason'], undefined);
  });

  it('is refused to an operator who owns the wallet of the payer', async () => {
    const id = idOf(await hold({ as: operator }));
    await assertRefused([403, 'forbidden'], () => end('release', id, { as: { ...support, principal: 'ann' } }));
    assert.equal((await end('release', id, { as: support })).status, 200);
  });

  it('works for a frozen payer, and after the expiry', async () => {
    const [first, second] = [idOf(await hold()), idOf(await hold())];
    await setStatus(table, payer, 'frozen');
    assert.equal((await end('release', first)).status, 200);
    await setStatus(table, payer, 'active');
    table.clock.now += 600_000;
    assert.equal((await end('release', second)).status, 200);
  });
});

describe('capture and release', () => {
  it('of a transaction that is no hold say so to those who may see it', async () => {
    const { transactionId } = (await charge(table, payer, { amount: 5 })).transaction;
    for (const name of ['capture', 'release'] as const) {
      await assertRefused([409, 'not_a_hold'], () => end(name, transactionId, { as: operator }));
      await assertRefused([409, 'not_a_hold'], () => end(name, transactionId, { as: ann }));
      await assertRefused([404, 'transaction_not_found'], () => end(name, transactionId, { as: stranger }));
      await assertRefused([404, 'transaction_not_found'], () => end(name, `tx_${'a'.repeat(26)}`));
    }
  });
});

describe('the limits of operators', () => {
  it('refuse a hold above them, and a capture also when its amount is all that is left', async () => {
    const limited = openHandlers({ 'open-hold': 50, capture: 50 });
    const id = idOf(await hold());
    const as = operator;
    const wanted = { amount: 51, toWalletId: receiver, expiresAt: timeOf(table, 600_000) };
    for (const ask of [
      () => send('open-hold', limited['open-hold'], { as, key: newKey(), path: { walletId: payer }, body: wanted }),
      () => send('capture', limited.capture, { as, key: newKey(), path: { transactionId: id }, body: {} }),
    ]) {
      await assertRefused([403, 'operator_limit_exceeded'], ask);
    }
    const within = { as, key: newKey(), path: { transactionId: id }, body: { amount: 50 } };
    idOf(await send('capture', limited.capture, within));
  });

  it('are those of transfers for a hold and a capture without limits of their own, and of withdrawals to the outside', async () => {
    const limited = openHandlers({ transfer: 60, withdraw: 50, byCurrency: { JPY: { transfer: 1 } } });
    const ask = (toWalletId: string | undefined, amount: number) => {
      const body = { amount, toWalletId, expiresAt: timeOf(table, 600_000) };
      return send('open-hold', limited['open-hold'], { as: operator, key: newKey(), path: { walletId: payer }, body });
    };
    await assertRefused([403, 'operator_limit_exceeded'], () => ask(receiver, 61));
    await assertRefused([403, 'operator_limit_exceeded'], () => ask(undefined, 51));
    idOf(await ask(receiver, 60));
    idOf(await ask(undefined, 50));
    const take = (transactionId: string) =>
      send('capture', limited.capture, { as: operator, key: newKey(), path: { transactionId }, body: {} });
    const [inside, outside] = [idOf(await hold()), idOf(await hold({ body: { toWalletId: undefined } }))];
    for (const id of [inside, outside]) await assertRefused([403, 'operator_limit_exceeded'], () => take(id));
  });
});
