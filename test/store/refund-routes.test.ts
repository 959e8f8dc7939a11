/** The route of refunds: who may refund what, and what is answered; on the real engine. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { capture } from '../../lambdas/api/capture.ts';
import { close } from '../../lambdas/api/close.ts';
import { getTransaction } from '../../lambdas/api/get-transaction.ts';
import { getWallet } from '../../lambdas/api/get-wallet.ts';
import { listTransactions } from '../../lambdas/api/list-transactions.ts';
import { refund } from '../../lambdas/api/refund.ts';
import type { OperatorLimits } from '../../lambdas/contract.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { codeOf, endUser, idOf, operator, send, support } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import * as commands from './commands.ts';
import { newKey } from './commands.ts';
import { openHold } from './hold-commands.ts';
import { allItems } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
const [ann, shop, stranger] = [endUser('ann'), endUser('shop'), endUser('stranger')];

type RouteName = 'refund' | 'capture' | 'get-transaction' | 'get-wallet' | 'list-transactions' | 'close';

/** Returns the route of refunds and those that show them. */
function openHandlers({
  operatorLimits,
  perHour = 1_000,
}: { operatorLimits?: OperatorLimits; perHour?: number } = {}): Record<RouteName, Handler> {
  const limits = openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour });
  const services = { table, limits, ...(operatorLimits && { operatorLimits }) };
  return {
    refund: serve(refund, services),
    capture: serve(capture, services),
    'get-transaction': serve(getTransaction, services),
    'get-wallet': serve(getWallet, services),
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

/** Sends money from the payer to the receiver. Returns the transfer's id. */
async function pay(amount = 100, { to = receiver, owner = 'ann' } = {}): Promise<string> {
  return (await commands.transfer(table, payer, to, { amount, owner })).transaction.transactionId;
}

/** Captures held money of the payer. Returns the capture's id. */
async function sell(to: string | undefined, as = shop): Promise<string> {
  const { transactionId } = await openHold(table, payer, { amount: 100, to });
  return idOf(await send('capture', handlers.capture, { as, key: newKey(), path: { transactionId }, body: {} }));
}

async function charge(walletId: string, amount = 100): Promise<string> {
  return (await commands.charge(table, walletId, { amount })).transaction.transactionId;
}

interface Wanted {
  readonly as?: CallerContext;
  readonly key?: string;
  readonly body?: object;
}

function giveBack(transactionId: string, { as = shop, key = newKey(), body = {} }: Wanted = {}): Promise<Response> {
  const wanted = { reason: 'not as described', ...body };
  return send('refund', handlers.refund, { as, key, path: { transactionId }, body: wanted });
}

const read = (as: CallerContext, transactionId: string) =>
  send('get-transaction', handlers['get-transaction'], { as, path: { transactionId } });

async function availableIn(walletId: string): Promise<number> {
  return Number((await balanceOf(table, walletId)).available);
}

/** Asserts that the request is refused with this status and code, and that nothing is stored. Returns its detail. */
async function assertRefused(expected: readonly [number, string], ask: () => Promise<Response>): Promise<unknown> {
  // The container reports refusals in lots.
  const stored = async () => (await allItems(table)).filter(({ pk }) => !String(pk).endsWith('#refusals'));
  const before = await stored();
  const answer = await ask();
  assert.deepEqual(codeOf(answer), expected);
  assert.deepEqual(await stored(), before);
  return answer.body?.['detail'];
}

describe('a refund of a transfer', () => {
  it('gives back a part, then all that is left, and the transfer names both', async () => {
    const [before, received] = [await availableIn(payer), await availableIn(receiver)];
    const id = await pay();
    const { status, headers, body } = await giveBack(id, { body: { amount: 30 } });
    const first = String(body?.['transactionId']);
    assert.deepEqual([status, headers['Location']], [201, `/prod/transactions/${first}`]);
    const { type, walletId, counterpartyWalletId, originalTransactionId, amount, reason } = body ?? {};
    assert.deepEqual(
      { type, status: body?.['status'], walletId, counterpartyWalletId, originalTransactionId, amount, reason },
      {
        ...{ type: 'refund', status: 'completed', walletId: receiver, counterpartyWalletId: payer },
        ...{ originalTransactionId: id, amount: 30, reason: 'not as described' },
      },
    );
    assert.deepEqual([await availableIn(payer), await availableIn(receiver)], [before - 70, received + 70]);
    const second = await giveBack(id);
    assert.equal(second.body?.['amount'], 70);
    assert.deepEqual([await availableIn(payer), await availableIn(receiver)], [before, received]);
    for (const as of [ann, shop, support]) {
      const shown = (await read(as, id)).body;
      assert.deepEqual(
        [shown?.['status'], shown?.['refunded'], shown?.['refunds']],
        ['completed', 100, [first, idOf(second)]],
      );
    }
    const left = await assertRefused([422, 'exceeds_refundable'], () => giveBack(id, { body: { amount: 1 } }));
    assert.equal(left, 'left 0, requested 1, in minor units of EUR');
  });

  it('is in both histories, and shows the reason to both, and its reference to its maker alone', async () => {
    const metadata = { parcel: '4711' };
    const body = { externalReference: 'case 1', metadata, description: 'Sorry' };
    const id = idOf(await giveBack(await pay(), { body }));
    for (const [as, walletId] of [
      [ann, payer],
      [shop, receiver],
    ] as const) {
      const query = { type: 'refund' };
      const { body } = await send('list-transactions', handlers['list-transactions'], {
        as,
        path: { walletId },
        query,
      });
      const items = body?.['items'] as Record<string, unknown>[];
      assert.deepEqual(new Set(items.map(({ type }) => type)), new Set(['refund']));
      const shown = items.find(({ transactionId }) => transactionId === id);
      assert.equal(shown?.['reason'], 'not as described');
    }
    const [made, got] = [(await read(shop, id)).body, (await read(ann, id)).body];
    assert.deepEqual([made?.['externalReference'], made?.['metadata']], ['case 1', metadata]);
    assert.deepEqual(
      [got?.['externalReference'], got?.['metadata'], got?.['description']],
      [undefined, undefined, 'Sorry'],
    );
    assert.deepEqual(got?.['postings'], [{ account: `wallet:${payer}:available`, amount: 100 }]);
    assert.deepEqual(codeOf(await read(stranger, id)), [404, 'transaction_not_found']);
  });

  it('is answered as a replay, also after all is given back, and refused for another amount under its key', async () => {
    const id = await pay();
    const key = newKey();
    const first = await giveBack(id, { key });
    const again = await giveBack(id, { key });
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [201, 'true']);
    assert.deepEqual(again.body, first.body);
    await assertRefused([422, 'idempotency_key_reused'], () => giveBack(id, { key, body: { amount: 1 } }));
  });

  it('is refused to the payer, to strangers, and to operators who may not operate', async () => {
    const id = await pay();
    await assertRefused([403, 'forbidden'], () => giveBack(id, { as: ann }));
    await assertRefused([404, 'transaction_not_found'], () => giveBack(id, { as: stranger }));
    await assertRefused([403, 'forbidden'], () => giveBack(id, { as: support }));
    const payerOperates = { ...operator, principal: 'ann' };
    await assertRefused([403, 'forbidden'], () => giveBack(id, { as: payerOperates }));
    idOf(await giveBack(id, { as: operator }));
  });

  it('is made by the owner of both wallets, as its receiver', async () => {
    const second = await openWallet(table, 'ann');
    idOf(await giveBack(await pay(100, { to: second }), { as: ann }));
  });

  it('needs money and an active wallet, and does not show the state of the other one', async () => {
    const id = await pay();
    await commands.transfer(table, receiver, payer, { amount: await availableIn(receiver), owner: 'shop' });
    await assertRefused([422, 'insufficient_funds'], () => giveBack(id));
    await charge(receiver);
    await setStatus(table, receiver, 'frozen');
    await assertRefused([409, 'wallet_frozen'], () => giveBack(id));
    await setStatus(table, receiver, 'active');
    await setStatus(table, payer, 'frozen');
    await assertRefused([422, 'receiver_unavailable'], () => giveBack(id));
    await setStatus(table, payer, 'active');
    idOf(await giveBack(id));
  });

  it('waits for the arrival of a queued transfer', async () => {
    const { transaction } = await commands.queueTransfer(table, payer, receiver, { amount: 100, owner: 'ann' });
    const { transactionId } = transaction;
    await assertRefused([409, 'not_refundable'], () => giveBack(transactionId));
    await endTransfers([transactionId], table);
    idOf(await giveBack(transactionId));
  });

  it('takes one write after the reads of the transfer and, for an end user, of the wallets', async () => {
    const [first, second] = [await pay(), await pay()];
    const trips = async (as: CallerContext, id: string) => {
      const { calls } = await measure(table, () => giveBack(id, { as }));
      return calls.map(({ operation }) => operation);
    };
    assert.deepEqual(await trips(operator, first), ['GetItem', 'TransactWriteItems']);
    assert.deepEqual(await trips(shop, second), ['GetItem', 'BatchGetItem', 'TransactWriteItems']);
  });
});

describe('a refund of a capture', () => {
  it('goes to the payer of the hold', async () => {
    const before = await availableIn(payer);
    const id = await sell(receiver);
    const { body } = await giveBack(id);
    assert.deepEqual([body?.['counterpartyWalletId'], body?.['originalTransactionId']], [payer, id]);
    assert.equal(await availableIn(payer), before);
    await assertRefused([403, 'forbidden'], () => giveBack(id, { as: ann }));
  });

  it('to the world outside is not possible, nor is one of its hold', async () => {
    const id = await sell(undefined, operator);
    const detail = await assertRefused([409, 'not_refundable'], () => giveBack(id, { as: operator }));
    assert.match(String(detail), /charge the wallet of its payer/);
    const { originalTransactionId } = (await read(operator, id)).body ?? {};
    await assertRefused([409, 'not_refundable'], () => giveBack(String(originalTransactionId), { as: operator }));
  });
});

describe('a refund of a charge', () => {
  it('is made by operators, for the world outside, from an active wallet with enough money', async () => {
    const walletId = await openWallet(table, 'shop');
    const id = await charge(walletId);
    await assertRefused([403, 'forbidden'], () => giveBack(id));
    await assertRefused([404, 'transaction_not_found'], () => giveBack(id, { as: stranger }));
    await setStatus(table, walletId, 'frozen');
    await assertRefused([409, 'wallet_frozen'], () => giveBack(id, { as: operator }));
    await setStatus(table, walletId, 'active');
    const { body } = await giveBack(id, { as: operator });
    assert.deepEqual(body?.['postings'], [
      { account: `wallet:${walletId}:available`, amount: -100 },
      { account: 'external:EUR', amount: 100 },
    ]);
    assert.deepEqual([body['counterpartyWalletId'], body['chargeback']], [undefined, undefined]);
    const again = await charge(walletId);
    await commands.transfer(table, walletId, payer, { amount: 50, owner: 'shop' });
    await assertRefused([422, 'insufficient_funds'], () => giveBack(again, { as: operator }));
  });

  it('as a chargeback is booked whatever the balance and the status, and shown on the wallet', async () => {
    for (const status of ['active', 'frozen', 'closed'] as const) {
      const walletId = await openWallet(table, 'shop');
      const id = await charge(walletId);
      await commands.transfer(table, walletId, payer, { amount: 100, owner: 'shop' });
      if (status !== 'active') await setStatus(table, walletId, status);
      const { body } = await giveBack(id, { as: operator, body: { amount: 60, chargeback: true } });
      assert.deepEqual([body?.['type'], body?.['chargeback']], ['refund', true]);
      for (const as of [shop, support]) {
        const wallet = (await send('get-wallet', handlers['get-wallet'], { as, path: { walletId } })).body;
        const { available, held, total } = wallet?.['balance'] as Record<string, number>;
        assert.deepEqual([available, held, total, wallet?.['chargedBack']], [-60, 0, -60, 60]);
        assert.equal(wallet?.['status'], status);
      }
      await assertRefused([422, 'exceeds_refundable'], () =>
        giveBack(id, { as: operator, body: { amount: 41, chargeback: true } }),
      );
    }
  });

  it('leaves a wallet below zero that takes money, gives none, and cannot be closed', async () => {
    const walletId = await openWallet(table, 'shop');
    const id = await charge(walletId);
    await commands.transfer(table, walletId, payer, { amount: 100, owner: 'shop' });
    await giveBack(id, { as: operator, body: { chargeback: true } });
    const closing = () => send('close', handlers.close, { as: operator, key: newKey(), path: { walletId }, body: {} });
    await assertRefused([409, 'wallet_not_empty'], closing);
    await assert.rejects(commands.transfer(table, walletId, payer, { amount: 1, owner: 'shop' }), /available -100/);
    await charge(walletId, 100);
    assert.equal((await closing()).status, 200);
  });

  it('is a chargeback only of a charge, and only for operators', async () => {
    const body = { chargeback: true };
    const [sent, id] = [await pay(), await charge(receiver)];
    await assertRefused([409, 'not_refundable'], () => giveBack(sent, { as: operator, body }));
    await assertRefused([409, 'not_refundable'], () => giveBack(sent, { body }));
    await assertRefused([403, 'forbidden'], () => giveBack(id, { body }));
    await assertRefused([400, 'invalid_request'], () => giveBack(id, { as: operator, body: { chargeback: false } }));
  });
});

describe('the request', () => {
  it('needs a reason, and takes no other member', async () => {
    const id = await pay();
    for (const body of [
      { reason: undefined },
      { reason: '' },
      { reason: 'x'.repeat(257) },
      { amount: 0 },
      { final: true },
    ]) {
      await assertRefused([400, 'invalid_request'], () => giveBack(id, { body }));
    }
  });

  it('of a withdrawal, a refund or an unknown id says so', async () => {
    const { transaction } = await commands.withdraw(table, payer, { amount: 10, owner: 'ann' });
    await assertRefused([409, 'not_refundable'], () => giveBack(transaction.transactionId, { as: operator }));
    await assertRefused([409, 'not_refundable'], () => giveBack(transaction.transactionId, { as: ann }));
    const refundId = idOf(await giveBack(await pay()));
    await assertRefused([409, 'not_refundable'], () => giveBack(refundId));
    await assertRefused([404, 'transaction_not_found'], () => giveBack(`tx_${'a'.repeat(26)}`));
  });

  it('is counted for end users as a command of its own, and not for operators', async () => {
    const limited = openHandlers({ perHour: 1 });
    const id = await pay();
    const ask = (as: CallerContext) =>
      send('refund', limited.refund, {
        ...{ as, key: newKey(), path: { transactionId: id } },
        body: { amount: 1, reason: 'broken' },
      });
    table.clock.now += 4 * 3_600_000;
    idOf(await ask(shop));
    await assertRefused([429, 'rate_limited'], () => ask(shop));
    for (let times = 0; times < 2; times++) idOf(await ask(operator));
  });
});

describe('the limits of operators', () => {
  const ask = (operatorLimits: OperatorLimits, transactionId: string, body: object = {}) =>
    send('refund', openHandlers({ operatorLimits }).refund, {
      ...{ as: operator, key: newKey(), path: { transactionId }, body: { reason: 'broken', ...body } },
    });

  it('refuse a refund above them, also when its amount is all that is left', async () => {
    const id = await pay();
    await assertRefused([403, 'operator_limit_exceeded'], () => ask({ refund: 50 }, id));
    idOf(await ask({ refund: 50 }, id, { amount: 50 }));
    idOf(await ask({ refund: 50 }, id));
  });

  it('are those of transfers for transfers and captures, and those of charges for charges', async () => {
    const [sent, charged] = [await pay(), await charge(receiver)];
    const limits = { transfer: 60, charge: 40 };
    await assertRefused([403, 'operator_limit_exceeded'], () => ask(limits, sent, { amount: 61 }));
    await assertRefused([403, 'operator_limit_exceeded'], () => ask(limits, charged, { amount: 41 }));
    idOf(await ask(limits, sent, { amount: 60 }));
    idOf(await ask(limits, charged, { amount: 40 }));
  });
});
