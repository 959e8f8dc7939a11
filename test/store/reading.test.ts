import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { walletKey } from '../../lambdas/store/keys.ts';
import { readItems } from '../../lambdas/store/read.ts';
import { getWallet, getWallets } from '../../lambdas/store/wallets.ts';
import { measure } from '../engine.ts';
import { useTable } from '../fixture.ts';
import { answer, inTurn, lostAnswer, lostRequest } from '../faults.ts';
import { plant, refusalOf } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const table = useTable();
let walletId: string;
beforeEach(async () => {
  table.fault = undefined;
  walletId = await fundedWallet(table, 'ann', 100);
});

describe('reading', () => {
  it('is retried, and gives up as busy', async () => {
    for (const fault of [lostRequest, lostAnswer, answer('ThrottlingException'), answer('InternalServerError', 500)]) {
      table.fault = inTurn(fault, fault);
      assert.equal((await getWallet(table, walletId))?.total, 100);
      table.fault = fault;
      assert.equal((await refusalOf(getWallet(table, walletId)))?.code, 'busy');
    }
  });

  it('of many items continues with the keys that DynamoDB left out, each once, after a wait each time', async () => {
    const wallets = [walletId, await openWallet(table, 'bob'), await openWallet(table, 'cara')];
    // Answers the first key only, and leaves out the others.
    table.fault = (call, send) => {
      const keys = keysOf(call.input);
      if (keys.length === 1) return send();
      const [first, ...others] = keys;
      const item = { ...first, walletId: { S: String(first?.['pk']?.S).slice('WALLET#'.length) } };
      return answer('', 200, {
        Responses: { [table.name]: [item] },
        UnprocessedKeys: { [table.name]: { Keys: others, ConsistentRead: true } },
      })(call, send);
    };
    const startedAt = table.now();
    const { result, calls } = await measure(table, () => getWallets(table, wallets));
    assert.deepEqual([...result.keys()].sort(), [...wallets].sort());
    assert.deepEqual(
      calls.map(({ input }) => keysOf(input).length),
      [3, 2, 1],
    );
    assert.ok(table.now() > startedAt, 'it waited');
  });

  it('of keys that stay left out ends as busy', async () => {
    const keys = [walletKey(walletId)];
    table.fault = (call, send) =>
      answer('', 200, { Responses: {}, UnprocessedKeys: { [table.name]: { Keys: keysOf(call.input) } } })(call, send);
    assert.equal((await refusalOf(readItems(table, keys)))?.code, 'busy');
  });

  it('never rounds a number of any size', async () => {
    const wallet = await getWallet(table, walletId);
    for (const available of [Number.MAX_SAFE_INTEGER, 2n ** 53n + 1n, 2n ** 64n + 1n]) {
      await plant(table, { ...walletKey(walletId), ...wallet, available });
      assert.deepEqual(await getWallet(table, walletId), { ...wallet, available });
    }
  });
});

type Keys = Record<string, { S: string }>[];

function keysOf(input: Readonly<Record<string, unknown>>): Keys {
  return (input['RequestItems'] as Record<string, { Keys: Keys }>)[table.name]?.Keys ?? [];
}
