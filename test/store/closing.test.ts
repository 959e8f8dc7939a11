/** The refusal to close a wallet with money: it says what holds the money. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { close } from '../../lambdas/api/close.ts';
import { serve } from '../../lambdas/http/http.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import type { TestTable } from '../engine.ts';
import { answer } from '../faults.ts';
import { useEngine } from '../fixture.ts';
import { operator, send } from '../request.ts';
import { newKey, queueTransfer, transfer, withdraw } from './commands.ts';
import { openHold, release } from './hold-commands.ts';
import { changeItem } from './inspect.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();

/** Returns the detail of the refusal to close a wallet. */
async function refusal(table: TestTable, walletId: string): Promise<string> {
  const request = { as: operator, key: newKey(), path: { walletId }, body: {} };
  const { status, body } = await send('close', serve(close, { table }), request);
  const { code, detail } = body as { code: string; detail: string };
  assert.deepEqual([status, code], [409, 'wallet_not_empty']);
  return detail;
}

describe('the refusal to close a wallet', () => {
  it('names open withdrawals, holds and transfers, the newest first, and no others', async () => {
    const table = await engine.newTable();
    const payer = await fundedWallet(table, 'ann', 1_000);
    const shop = await openWallet(table, 'shop');
    assert.equal(await refusal(table, payer), 'available 1000, held 0, in minor units of EUR; open: no transaction');
    const after = async <T>(work: Promise<T>) => {
      table.clock.now += 1_000;
      return work;
    };
    await after(transfer(table, payer, shop, { owner: 'ann', amount: 1 }));
    await release(table, await after(openHold(table, payer, { amount: 2, to: shop })));
    const { transaction: payout } = await after(withdraw(table, payer, { owner: 'ann', amount: 3 }));
    const promise = await after(openHold(table, payer, { amount: 4, to: shop }));
    const { transaction: queued } = await after(queueTransfer(table, payer, shop, { owner: 'ann', amount: 5 }));
    await changeItem(table, transactionKey(promise.transactionId), { v: 2 });
    assert.equal(
      await refusal(table, payer),
      `available 987, held 7, in minor units of EUR; open: transfer ${queued.transactionId}, ` +
        `hold ${promise.transactionId}, withdrawal ${payout.transactionId}`,
    );
  });

  it('names ten, and counts the others', async () => {
    const table = await engine.newTable();
    const payer = await fundedWallet(table, 'ann', 1_000);
    for (let n = 0; n < 12; n++) await openHold(table, payer, { amount: 1 });
    const detail = await refusal(table, payer);
    assert.equal(detail.match(/hold tx_/g)?.length, 10);
    assert.match(detail, /, and 2 more$/);
  });

  it('stands without the names when they cannot be read', async () => {
    const table = await engine.newTable();
    const payer = await fundedWallet(table, 'ann', 1_000);
    table.fault = (call, pass) =>
      call.operation === 'Query' ? answer('ProvisionedThroughputExceededException')(call, pass) : pass();
    assert.equal(await refusal(table, payer), 'available 1000, held 0, in minor units of EUR');
  });
});
