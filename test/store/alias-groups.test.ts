/** Aliases in legs of splits and in lines of batches, on the real engine: as a payment by an alias alone. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { changeWallet } from '../../lambdas/api/change-wallet.ts';
import { createBatch } from '../../lambdas/api/create-batch.ts';
import { getTransaction } from '../../lambdas/api/get-transaction.ts';
import { split } from '../../lambdas/api/split.ts';
import type { RouteName } from '../../lambdas/contract.ts';
import { mostWallets } from '../../lambdas/domain/split.ts';
import { transactionIdOfLine } from '../../lambdas/domain/ids.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { getChunk } from '../../lambdas/store/batches.ts';
import { chunkKey } from '../../lambdas/store/keys.ts';
import { readLines } from '../../lambdas/store/payments.ts';
import { endTransfers } from '../../lambdas/workers/transfers.ts';
import { measure } from '../engine.ts';
import { lostAnswer } from '../faults.ts';
import { useTable } from '../fixture.ts';
import { endUser, operator, send } from '../request.ts';
import type { CallerContext, Handler, Response } from '../request.ts';
import { checkUnits } from '../units.ts';
import { advance, complete, workerOn } from './batch-commands.ts';
import { newKey } from './commands.ts';
import { fieldsOf, itemOf } from './inspect.ts';
import { balanceOf, fundedWallet, openWallet, setStatus } from './wallets.ts';

const table = useTable();
let routes: Partial<Record<RouteName, Handler>>;
let [payer, receiver, shop] = ['', '', ''];
let [ann, ben]: CallerContext[] = [];
let names = 0;
/** An alias that no other test has, of `receiver`. */
let alias: string;
beforeEach(async () => {
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 1_000_000 });
  routes = {
    split: serve(split, { table, limits }),
    'create-batch': serve(createBatch, { table, queue: { send: () => Promise.resolve() } }),
    'change-wallet': serve(changeWallet, { table, limits }),
    'get-transaction': serve(getTransaction, { table, limits }),
  };
  const n = ++names;
  alias = `leg${n}`;
  [ann, ben] = [endUser(`ann-${n}`), endUser(`ben-${n}`)];
  payer = await fundedWallet(table, `ann-${n}`, 1_000);
  receiver = await openWallet(table, `ben-${n}`);
  shop = await openWallet(table, `shop-${n}`);
  await claim(receiver, alias);
});

const ask = (
  name: RouteName,
  as: CallerContext | undefined,
  path: Record<string, string>,
  body?: object,
  key = newKey(),
) => send(name, routes[name]!, { as: as!, path, ...(body && { key, body }) });
const claim = (walletId: string, text: string | null) => ask('change-wallet', ben, { walletId }, { alias: text });
const codeOf = ({ status, body }: Response) => [status, body?.['code']];
const availableIn = async (walletId: string) => Number((await balanceOf(table, walletId)).available);
/** Moves the alias to another wallet of its owner. */
async function moveAlias(): Promise<string> {
  const second = await openWallet(table, ben!.principal);
  await claim(receiver, null);
  assert.equal((await claim(second, alias)).status, 200);
  return second;
}

/** Asks for a split in which ann pays the shop, and an alias unless the legs say otherwise. */
const pay = (
  legs?: readonly object[],
  { key = newKey(), as = ann, ...more }: { key?: string; as?: CallerContext } = {},
) =>
  ask(
    'split',
    as,
    {},
    {
      legs: (legs ?? [{ toWalletId: shop }, { to: `@${alias}` }]).map((leg) => ({
        ...{ fromWalletId: payer, amount: 10 },
        ...leg,
      })),
      ...more,
    },
    key,
  );
const legsOf = ({ body }: Response) => body?.['legs'] as { transactionId: string; to?: string }[];

describe('a leg to an alias', () => {
  it('moves the money, and shows the payer the alias and not the wallet', async () => {
    const paid = await pay([{ toWalletId: shop }, { to: `@${alias.toUpperCase()}` }]);
    assert.equal(paid.status, 201, paid.text);
    const [, leg = assert.fail()] = legsOf(paid);
    assert.equal(leg.to, `@${alias}`);
    assert.ok(!paid.text.includes(receiver), paid.text);
    const path = { transactionId: leg.transactionId };
    assert.ok(!(await ask('get-transaction', ann, path)).text.includes(receiver));
    assert.equal((await ask('get-transaction', ben, path)).body?.['counterpartyWalletId'], receiver);
    assert.deepEqual(await Promise.all([payer, shop, receiver].map(availableIn)), [980, 10, 10]);
  });

  it('costs one read more for each alias, all in one round trip; without one a split costs what it did', async () => {
    await claim(receiver, `${alias}.two`);
    const known = await measure(table, () => pay([{ toWalletId: shop }, { toWalletId: receiver }]));
    const by = await measure(table, () => pay([{ to: `@${alias}two` }, { to: `@${alias}` }, { to: `@${alias}` }]));
    assert.deepEqual([known.roundTrips, by.roundTrips], [1, 2]);
    checkUnits(() => {
      assert.deepEqual([known.readUnits, by.readUnits], [0, 2]);
    });
  });

  it('has one answer, with the same calls, whether the alias is unknown or takes no money', async () => {
    for (const others of [[], [{ toWalletId: shop }]]) {
      const [answers, calls]: [string[], string[]] = [[], []];
      const look = async (to: string) => {
        const { result, roundTrips, writeUnits } = await measure(table, () => pay([...others, { to }]));
        const { requestId: _id, ...words } = result.body!;
        answers.push(JSON.stringify([result.status, words]));
        calls.push(JSON.stringify([roundTrips, writeUnits]));
      };
      // After a refusal, plain reads decide before a write.
      await pay([{ to: `@${alias}`, amount: 100_000 }]);
      await look('@nobody.has.this');
      await setStatus(table, receiver, 'frozen');
      await look(`@${alias}`);
      await setStatus(table, receiver, 'active');
      await claim(receiver, null);
      await look(`@${alias}`);
      await claim(receiver, alias);
      assert.equal(new Set(answers).size, 1, answers.join('\n'));
      assert.match(answers[0]!, /receiver_unavailable/);
      assert.equal(new Set(calls).size, 1, calls.join('\n'));
    }
    assert.equal(await availableIn(payer), 1_000);
  });

  it('meets the payer’s own refusals first, also where the alias is unknown', async () => {
    for (const to of [`@${alias}`, '@nobody.has.this']) {
      assert.deepEqual(codeOf(await pay([{ to, amount: 100_000 }, { toWalletId: shop }])), [422, 'insufficient_funds']);
    }
  });

  it('is repeated to the wallet of the first request, whatever the alias is now', async () => {
    const key = newKey();
    const first = await pay(undefined, { key });
    const second = await moveAlias();
    const again = await pay(undefined, { key });
    assert.deepEqual([again.status, again.headers['Idempotency-Replayed']], [201, 'true']);
    assert.deepEqual(again.body, first.body);
    assert.deepEqual([await availableIn(receiver), await availableIn(second)], [10, 0]);
    // Also when it would be refused now.
    await claim(second, null);
    assert.equal((await pay(undefined, { key })).status, 201);
    assert.equal((await ask('change-wallet', ann, { walletId: payer }, { alias: `${alias}x` })).status, 200);
    assert.deepEqual(codeOf(await pay([{ to: `@${alias}x` }], { key })), [422, 'idempotency_key_reused']);
  });

  it('is refused where the alias is of the paying wallet, and a leg names its receiver once', async () => {
    await ask('change-wallet', ann, { walletId: payer }, { alias: `${alias}own` });
    const own = await pay([{ toWalletId: shop }, { to: `@${alias}own` }]);
    assert.deepEqual([...codeOf(own), own.body?.['leg']], [422, 'same_wallet', 1]);
    for (const leg of [{}, { to: `@${alias}`, toWalletId: shop }, { to: alias }]) {
      assert.deepEqual(codeOf(await pay([leg])), [400, 'invalid_request']);
    }
    assert.equal(await availableIn(payer), 1_000);
  });

  it('counts as a wallet of its own among the most of a split', async () => {
    const legs = Array.from({ length: mostWallets }, (_, n) => ({ to: `@${alias}.n${n}`, amount: 1 }));
    assert.deepEqual(codeOf(await pay(legs)), [400, 'invalid_request']);
    assert.deepEqual(codeOf(await pay(legs.slice(1))), [422, 'receiver_unavailable']);
  });

  it('has a dry run that reads nothing and shows the alias', async () => {
    const { result, roundTrips } = await measure(table, () => pay(undefined, { dryRun: true } as object));
    assert.deepEqual([result.status, roundTrips], [200, 0]);
    const [, leg] = result.body?.['legs'] as object[];
    assert.deepEqual(leg, { fromWalletId: payer, to: `@${alias}`, amount: 10, fee: 0 });
  });
});

interface BatchAnswer {
  readonly batchId: string;
  readonly keys: readonly string[];
}

/** Sends a batch whose lines ann's wallet pays. */
async function sendLines(lines: readonly object[]): Promise<BatchAnswer> {
  const whole = lines.map((line, n) => ({ key: `line-${n}`, type: 'transfer', walletId: payer, amount: 10, ...line }));
  const text = whole.map((line) => `${JSON.stringify(line)}\n`).join('');
  const headers = { 'Content-Type': 'application/x-ndjson' };
  const sent = await send('create-batch', routes['create-batch']!, {
    as: operator,
    key: newKey(),
    body: text,
    headers,
  });
  assert.equal(sent.status, 202, sent.text);
  return { batchId: String(sent.body?.['batchId']), keys: whole.map(({ key }) => key) };
}

/** Returns the status or the refusal of each line. */
async function statesOf({ batchId, keys }: BatchAnswer): Promise<unknown[]> {
  const ids = keys.map((key) => transactionIdOfLine(batchId, key));
  const states = await readLines(table, ids);
  return ids.map((id) => {
    const state = states.get(id);
    if (state === undefined) return 'waiting';
    return 'refusal' in state ? state.refusal.code : 'transaction' in state && state.transaction.status;
  });
}

/** Lets the worker of transfers end the transfers of a batch. */
const arrive = ({ batchId, keys }: BatchAnswer) =>
  endTransfers(
    keys.map((key) => transactionIdOfLine(batchId, key)),
    table,
  );

describe('a line to an alias', () => {
  it('pays its wallet, and the transfer has the alias', async () => {
    const batch = await sendLines([{ to: `@${alias}` }, { toWalletId: shop }, { to: `@${alias.toUpperCase()}` }]);
    await complete(table, batch);
    await arrive(batch);
    assert.deepEqual(await statesOf(batch), ['completed', 'completed', 'completed']);
    assert.deepEqual(await Promise.all([payer, receiver, shop].map(availableIn)), [970, 20, 10]);
    const made = await fieldsOf(table, transactionIdOfLine(batch.batchId, 'line-2'));
    assert.deepEqual([made?.to, made?.batchId], [`@${alias}`, batch.batchId]);
  });

  it('costs a read of each alias and one round trip for a part; lines without one cost what they did', async () => {
    const costOf = async (lines: readonly object[]) => {
      const batch = await sendLines(lines);
      const { roundTrips, readUnits } = await measure(table, () => advance(batch, workerOn(table).services));
      return { roundTrips, readUnits };
    };
    const known = await costOf([{ toWalletId: shop }, { toWalletId: receiver }]);
    const by = await costOf([{ to: `@${alias}` }, { to: `@${alias}` }]);
    assert.equal(by.roundTrips - known.roundTrips, 1);
    checkUnits(() => {
      assert.equal(by.readUnits - known.readUnits, 1);
    });
  });

  it('fails when it arrives where the alias is unknown, and is refused where it is of the paying wallet', async () => {
    await ask('change-wallet', ann, { walletId: payer }, { alias: `${alias}own` });
    const batch = await sendLines([{ to: '@nobody.has.this' }, { to: `@${alias}own` }, { to: `@${alias}` }]);
    const done = await complete(table, batch);
    assert.deepEqual([done.accepted, done.refused], [2, 1]);
    await arrive(batch);
    assert.deepEqual(await statesOf(batch), ['failed', 'same_wallet', 'completed']);
    assert.equal(await availableIn(payer), 990);
  });

  it('is made once, also when the worker dies and the alias moves before the next try', async () => {
    const batch = await sendLines([{ to: `@${alias}` }, { to: `@${alias}`, amount: 100_000 }]);
    const { services } = workerOn(table);
    // The part is made, and its end is not stored.
    let writes = 0;
    table.fault = async (call, made) => {
      if (call.operation !== 'TransactWriteItems' || ++writes < 3) return made();
      await lostAnswer(call, made).catch(() => undefined);
      throw new Error('died');
    };
    await assert.rejects(advance(batch, services));
    table.fault = undefined;
    const second = await moveAlias();
    const done = await complete(table, batch);
    assert.deepEqual([done.accepted, done.refused], [1, 1]);
    await arrive(batch);
    assert.deepEqual(await statesOf(batch), ['completed', 'insufficient_funds']);
    assert.deepEqual(await Promise.all([payer, receiver, second].map(availableIn)), [990, 10, 0]);
  });

  it('is stored in a version that a release without aliases in lines leaves', async () => {
    const { batchId } = await sendLines([{ to: `@${alias}` }]);
    assert.equal((await itemOf(table, chunkKey(batchId, 0)))?.['v'], 3);
    assert.equal((await getChunk(table, batchId, 0))?.lines?.length, 1);
    const plain = await sendLines([{ toWalletId: receiver }]);
    assert.equal((await itemOf(table, chunkKey(plain.batchId, 0)))?.['v'], 1);
  });

  it('names its receiver once', async () => {
    for (const line of [{}, { to: `@${alias}`, toWalletId: shop }, { to: alias }]) {
      await assert.rejects(sendLines([line]), /invalid_request/);
    }
  });
});
