import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { findService, tally } from '../service.ts';
import type { Request } from '../service.ts';

const service = await findService();
const { operator, newUser } = service;

async function balance(ask: Request, walletId: string) {
  const { body } = await ask(`/wallets/${walletId}/balance?consistent=true`);
  return { available: Number(body['available']), held: Number(body['held']), total: Number(body['total']) };
}

describe('money under concurrency', () => {
  it('moves each of 200 concurrent transfers among 10 wallets once, although every request is sent twice', async () => {
    const users = await Promise.all(Array.from({ length: 10 }, () => newUser(1_000)));
    const sent = new Map<string, number>(users.map(({ walletId }) => [walletId, 1_000]));
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const from = users[index % 10]!;
        const to = users[(index * 3 + 1 + Math.floor(index / 10)) % 10]!;
        const target = to === from ? users[(index + 1) % 10]! : to;
        const amount = 1 + (index % 4);
        sent.set(from.walletId, sent.get(from.walletId)! - amount);
        sent.set(target.walletId, sent.get(target.walletId)! + amount);
        const request = { body: { amount, toWalletId: target.walletId }, key: `transfer-${index}` };
        const path = `/wallets/${from.walletId}/transfer`;
        return Promise.all([from.ask(path, request), from.ask(path, request)]);
      }),
    );
    assert.deepEqual(tally(answers.flat()), { 201: 400 });
    for (const [first, second] of answers) {
      assert.equal(first.body['transactionId'], second.body['transactionId']);
      const replays = [first, second].filter(({ headers }) => headers.get('idempotency-replayed') === 'true');
      assert.equal(replays.length, 1, 'one of the two is the replay');
    }
    for (const { ask, walletId } of users) {
      assert.equal((await balance(ask, walletId)).available, sent.get(walletId), `balance of ${walletId}`);
    }
  });

  it('accepts exactly one of 50 concurrent withdrawals of a whole balance', async () => {
    const { ask, walletId } = await newUser(5_000);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        ask(`/wallets/${walletId}/withdraw`, { body: { amount: 5_000, destination: { account: 'SIM-OK' } } }),
      ),
    );
    assert.deepEqual(tally(answers), { 202: 1, '422 insufficient_funds': 49 });
  });

  it('takes no more than a hold has, by captures and releases at the same time, and gives the rest back', async () => {
    const [payer, shop] = await Promise.all([newUser(1_000), newUser()]);
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const opened = await payer.ask(`/wallets/${payer.walletId}/holds`, {
      body: { amount: 100, toWalletId: shop.walletId, expiresAt },
    });
    const path = `/holds/${String(opened.body['transactionId'])}`;
    const captures = Promise.all(
      Array.from({ length: 20 }, () => shop.ask(`${path}/capture`, { body: { amount: 10 } })),
    );
    const release = operator(`${path}/release`, { body: {} });
    const answers = await captures;
    const { status } = await release;
    const taken = answers.filter((answer) => answer.status === 201).length;
    const refused = Object.keys(tally(answers)).filter((answer) => answer !== '201');
    for (const answer of refused) assert.ok(['409 hold_ended', '422 exceeds_hold'].includes(answer), answer);
    assert.ok(status === 200 || status === 409);
    const { body } = await payer.ask(`/transactions/${String(opened.body['transactionId'])}`);
    assert.deepEqual(
      [body['status'], body['end'], body['captured']],
      ['ended', status === 200 ? 'released' : 'captured', 10 * taken],
    );
    const left = 1_000 - 10 * taken;
    assert.deepEqual(await balance(payer.ask, payer.walletId), { available: left, held: 0, total: left });
    assert.equal((await balance(shop.ask, shop.walletId)).available, 10 * taken);
  });

  it('gives back no more than a transfer has moved, by refunds of the receiver and of an operator at the same time', async () => {
    const [payer, shop] = await Promise.all([newUser(1_000), newUser(1_000)]);
    const sent = await payer.ask(`/wallets/${payer.walletId}/transfer`, {
      body: { amount: 100, toWalletId: shop.walletId },
    });
    const path = `/transactions/${String(sent.body['transactionId'])}/refund`;
    const body = { amount: 10, reason: 'not as described' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? shop.ask : operator)(path, { body })),
    );
    assert.deepEqual(tally(answers), { 201: 10, '422 exceeds_refundable': 10 });
    const { body: refunded } = await payer.ask(`/transactions/${String(sent.body['transactionId'])}`);
    const made = answers.filter(({ status }) => status === 201).map((answer) => String(answer.body['transactionId']));
    assert.deepEqual([refunded['status'], refunded['refunded']], ['completed', 100]);
    assert.deepEqual((refunded['refunds'] as string[]).toSorted(), made.sort());
    assert.equal((await balance(payer.ask, payer.walletId)).available, 1_000);
    assert.equal((await balance(shop.ask, shop.walletId)).available, 1_000);
  });

  it('books both legs of a split or none, by splits at the same time that share what there is', async () => {
    const [payer, shop, courier] = await Promise.all([newUser(1_000), newUser(), newUser()]);
    const legs = [
      { fromWalletId: payer.walletId, toWalletId: shop.walletId, amount: 150 },
      { fromWalletId: payer.walletId, toWalletId: courier.walletId, amount: 50 },
    ];
    const answers = await Promise.all(Array.from({ length: 8 }, () => payer.ask('/transfers', { body: { legs } })));
    assert.deepEqual(tally(answers), { 201: 5, '422 insufficient_funds': 3 });
    assert.deepEqual(
      await Promise.all(
        [payer, shop, courier].map(async ({ ask, walletId }) => (await balance(ask, walletId)).available),
      ),
      [0, 750, 250],
    );
  });
});

it('answers HEAD with its health and no body', async () => {
  const { status, body } = await service.withAuthorization(undefined)('/health', { method: 'HEAD' });
  assert.deepEqual([status, body], [200, {}]);
});

describe('idempotency keys', () => {
  it('refuse another body, and belong to their caller', async () => {
    const [ann, bob] = await Promise.all([newUser(1_000), newUser(1_000)]);
    const send = (from: typeof ann, to: typeof ann, amount: number) =>
      from.ask(`/wallets/${from.walletId}/transfer`, { body: { amount, toWalletId: to.walletId }, key: 'rent' });
    const first = await send(ann, bob, 100);
    assert.equal(first.status, 201);
    const other = await send(ann, bob, 101);
    assert.equal(other.status, 422);
    assert.equal(other.body['code'], 'idempotency_key_reused');
    const bobs = await send(bob, ann, 100);
    assert.equal(bobs.status, 201);
    assert.notEqual(bobs.body['transactionId'], first.body['transactionId']);
    assert.deepEqual(await balance(ann.ask, ann.walletId), { available: 1_000, held: 0, total: 1_000 });
  });

  it('serve one operation only: the key of a charge does not freeze', async () => {
    const { walletId } = await newUser();
    const charged = await operator(`/wallets/${walletId}/charge`, { body: { amount: 1 }, key: `once-${walletId}` });
    assert.equal(charged.status, 201);
    const frozen = await operator(`/wallets/${walletId}/freeze`, { body: {}, key: `once-${walletId}` });
    assert.equal(frozen.body['code'], 'idempotency_key_reused');
  });

  it('of a rejected command may be used again', async () => {
    const { ask, walletId } = await newUser();
    const other = await newUser();
    const request = { body: { amount: 10, toWalletId: other.walletId }, key: 'again' };
    assert.equal((await ask(`/wallets/${walletId}/transfer`, request)).body['code'], 'insufficient_funds');
    await operator(`/wallets/${walletId}/charge`, { body: { amount: 10 } });
    assert.equal((await ask(`/wallets/${walletId}/transfer`, request)).status, 201);
  });
});

describe('reading', () => {
  it('answers 304 to the tag of an unchanged balance', async () => {
    const { ask, walletId } = await newUser(100);
    const first = await ask(`/wallets/${walletId}/balance`);
    const etag = first.headers.get('etag')!;
    const again = await ask(`/wallets/${walletId}/balance`, { headers: { 'If-None-Match': etag } });
    assert.equal(again.status, 304);
    await operator(`/wallets/${walletId}/charge`, { body: { amount: 1 } });
    const changed = await ask(`/wallets/${walletId}/balance?consistent=true`, { headers: { 'If-None-Match': etag } });
    assert.equal(changed.status, 200);
    assert.equal(changed.body['available'], 101);
  });

  it('pages through a history of sent and received money without a gap or a repetition', async () => {
    const [ann, bob] = await Promise.all([newUser(1_000), newUser(1_000)]);
    const made: string[] = [];
    for (let index = 0; index < 7; index++) {
      const [from, to] = index % 2 === 0 ? [ann, bob] : [bob, ann];
      const { body } = await from.ask(`/wallets/${from.walletId}/transfer`, {
        body: { amount: 1, toWalletId: to.walletId },
      });
      made.unshift(String(body['transactionId']));
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await ann.ask(
        `/wallets/${ann.walletId}/transactions?type=transfer&limit=2${cursor ? `&cursor=${cursor}` : ''}`,
      );
      seen.push(...(body['items'] as { transactionId: string }[]).map(({ transactionId }) => transactionId));
      cursor = body['nextCursor'] as string | undefined;
    } while (cursor !== undefined);
    assert.deepEqual(seen, made);
  });

  it('finds a transaction by its receipt for the owners of its wallets and for no other caller', async () => {
    const [ann, bob, eve] = await Promise.all([newUser(100), newUser(), newUser()]);
    const { body } = await ann.ask(`/wallets/${ann.walletId}/transfer`, {
      body: { amount: 5, toWalletId: bob.walletId },
    });
    const path = `/receipts/${String(body['receiptCode'])}`;
    assert.equal((await ann.ask(path)).body['transactionId'], body['transactionId']);
    assert.equal((await bob.ask(path)).body['transactionId'], body['transactionId']);
    assert.equal((await eve.ask(path)).body['code'], 'transaction_not_found');
    assert.equal((await ann.ask(path.replace(/-\d{8}-/, '-20200101-'))).body['code'], 'transaction_not_found');
  });

  it('lists the wallets of the caller', async () => {
    const { ask, walletId } = await newUser(5);
    const { body } = await ask('/wallets');
    assert.deepEqual(
      (body['items'] as { walletId: string; balance: { total: number } }[]).map((wallet) => [
        wallet.walletId,
        wallet.balance.total,
      ]),
      [[walletId, 5]],
    );
  });

  it('compresses large answers for clients that accept gzip', async () => {
    const { ask, walletId } = await newUser(100);
    for (let index = 0; index < 4; index++) await operator(`/wallets/${walletId}/charge`, { body: { amount: 1 } });
    const { headers } = await ask(`/wallets/${walletId}/transactions`, { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(headers.get('content-encoding'), 'gzip');
  });
});

describe('operators', () => {
  it('freeze, unfreeze and close wallets; the status prevents every movement', async () => {
    const [ann, bob] = await Promise.all([newUser(50), newUser(50)]);
    const code = async (path: string, body: object, ask = operator) => (await ask(path, { body })).body['code'];
    assert.equal((await operator(`/wallets/${ann.walletId}/freeze`, { body: {} })).body['status'], 'frozen');
    assert.equal(await code(`/wallets/${ann.walletId}/charge`, { amount: 1 }), 'wallet_frozen');
    const toAnn = { amount: 1, toWalletId: ann.walletId };
    assert.equal(await code(`/wallets/${bob.walletId}/transfer`, toAnn, bob.ask), 'receiver_unavailable');
    assert.equal((await operator(`/wallets/${ann.walletId}/unfreeze`, { body: {} })).body['status'], 'active');
    assert.equal(await code(`/wallets/${ann.walletId}/close`, {}), 'wallet_not_empty');
    const everything = { amount: 50, toWalletId: bob.walletId };
    assert.equal((await ann.ask(`/wallets/${ann.walletId}/transfer`, { body: everything })).status, 201);
    assert.equal((await operator(`/wallets/${ann.walletId}/close`, { body: {} })).body['status'], 'closed');
    assert.equal(await code(`/wallets/${ann.walletId}/charge`, { amount: 1 }), 'wallet_closed');
    assert.equal(await code(`/wallets/${ann.walletId}/unfreeze`, {}), 'wallet_closed');
  });

  it('do not unfreeze their own wallet', async () => {
    const { body } = await operator('/wallets', { body: { currency: 'USD' } });
    const walletId = String(body['walletId']);
    await operator(`/wallets/${walletId}/freeze`, { body: {} });
    const own = await operator(`/wallets/${walletId}/unfreeze`, { body: {} });
    assert.deepEqual([own.status, own.body['code']], [403, 'forbidden']);
    assert.match(String(own.body['detail']), /its own; another operator may$/);
    const other = await service.as('another-operator', 'wallet:decide');
    assert.equal((await other(`/wallets/${walletId}/unfreeze`, { body: {} })).body['status'], 'active');
  });

  it('see the waiting work in health; other callers see only the status', async () => {
    const anybody = await service.withAuthorization(undefined)('/health');
    assert.deepEqual([anybody.status, anybody.body], [200, { status: 'ok' }]);
    const { body } = await operator('/health');
    assert.deepEqual(Object.keys(body), ['status', 'queues', 'oldestDueAgeSeconds', 'inReview', 'bank']);
  });

  it('limit the commands of an end user in an hour, and have no limit themselves', async () => {
    const { ask, ownerId } = await newUser();
    const answers = await Promise.all(Array.from({ length: 24 }, () => ask('/wallets', { body: { currency: 'EUR' } })));
    // newUser used one of the ten of this hour.
    assert.deepEqual(tally(answers), { 201: 9, '429 rate_limited': 15 });
    const refused = answers.find(({ status }) => status === 429);
    assert.ok(Number(refused?.headers.get('retry-after')) > 0);
    for (const { headers } of answers) assert.equal(headers.get('ratelimit-limit'), '10');
    assert.equal((await operator('/wallets', { body: { currency: 'EUR', ownerId } })).status, 201);
  });
});
