/** Fees in the running service, whose template takes them in Norwegian kroner: over HTTP, through the bank, in its books. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { eventually } from './eventually.ts';
import { startService } from './service.ts';
import type { Answer, Request } from './service.ts';

const { runner, newUser, operator } = await startService();
const script = join(import.meta.dirname, '..', '..', 'bin', 'verify.ts');

interface Owner {
  readonly ask: Request;
  readonly walletId: string;
}

/** Opens a wallet in kroner. */
async function newOwner(): Promise<Owner> {
  const { ask } = await newUser();
  const { body } = await ask('/wallets', { body: { currency: 'NOK' } });
  return { ask, walletId: String(body['walletId']) };
}

async function availableOf({ ask, walletId }: Owner): Promise<number> {
  const { body } = await ask(`/wallets/${walletId}/balance?consistent=true`);
  return Number(body['available']);
}

const feeOf = ({ body }: Answer) => [body['amount'], body['fee']];

/** Returns what `npm run verify` prints about the books. */
function verdict(): Promise<string> {
  const { TableName = '', EntriesTableName = '' } = runner.outputs;
  const args = ['--endpoint', runner.aws.endpoint, '--table', TableName, '--entries-table', EntriesTableName];
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args, '--stand-still'], (_error, stdout) => {
      resolve(stdout);
    });
  });
}

describe('fees', () => {
  it('are shown before, taken once, and found in sound books', async () => {
    const [ada, ben] = [await newOwner(), await newOwner()];
    // 2 %.
    const charged = await operator(`/wallets/${ada.walletId}/charge`, { body: { amount: 100_000 } });
    assert.deepEqual(feeOf(charged), [100_000, 2_000]);

    const path = `/wallets/${ada.walletId}/transfer`;
    const body = { amount: 10_000, toWalletId: ben.walletId };
    const key = 'dinner';
    const asked = await ada.ask(path, { body: { ...body, dryRun: true }, key });
    assert.deepEqual([asked.status, asked.body['fee'], asked.body['paid']], [200, 500, 10_500]);
    assert.deepEqual([await availableOf(ada), await availableOf(ben)], [98_000, 0]);
    for (let n = 0; n < 2; n++) assert.deepEqual(feeOf(await ada.ask(path, { body, key })), [10_000, 500]);
    assert.deepEqual([await availableOf(ada), await availableOf(ben)], [87_500, 10_000]);

    const queued = await ada.ask(path, { body, headers: { Prefer: 'respond-async' } });
    assert.deepEqual([queued.status, ...feeOf(queued)], [202, 10_000, 500]);
    await eventually(async () => (await availableOf(ben)) === 20_000);

    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const held = await ada.ask(`/wallets/${ada.walletId}/holds`, { body: { ...body, expiresAt } });
    // 5 %, at least 100.
    const captured = await ben.ask(`/holds/${String(held.body['transactionId'])}/capture`, {
      body: { amount: 1_000, final: true },
    });
    assert.deepEqual(feeOf(captured), [1_000, 100]);
    assert.equal(await availableOf(ben), 20_900);

    for (const [account, left] of [
      ['SIM-OK', 65_000],
      ['SIM-REJECT', 65_000],
    ] as const) {
      const paid = await ada.ask(`/wallets/${ada.walletId}/withdraw`, {
        body: { amount: 10_000, destination: { account } },
      });
      assert.deepEqual(feeOf(paid), [10_000, 1_000]);
      const transaction = `/transactions/${String(paid.body['transactionId'])}`;
      await eventually(async () => (await ada.ask(transaction)).body['completedAt'] !== undefined);
      assert.equal(await availableOf(ada), left, account);
    }

    const fees = 2_000 + 500 + 500 + 100 + 1_000;
    let printed = '';
    // Ledgers and totals lag behind the wallets.
    await eventually(
      async () => {
        printed = await verdict();
        return printed.includes('The books are sound.');
      },
      { limitMs: 60_000, everyMs: 500 },
    ).catch(() => {
      assert.fail(printed);
    });
    assert.match(printed, new RegExp(`^NOK: wallets 85900, external -90000, transit 0, fees ${fees}, sum 0$`, 'm'));
  });
});
