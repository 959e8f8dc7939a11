/** Batches over HTTP: a file of salaries, its progress and its report. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { report } from '../../fixture.ts';
import { findService, until } from '../service.ts';

const service = await findService();

/** Returns a file as its sender writes it. */
const fileOf = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const headers = { 'Content-Type': 'application/x-ndjson' };

/** Sends a file. Returns the path of its batch; undefined where the service has no batches. */
async function send(lines: readonly object[]): Promise<string | undefined> {
  const sent = await service.operator('/batches', { raw: fileOf(lines), headers });
  if (sent.status === 403 || sent.status === 404) return undefined;
  assert.equal(sent.status, 202, JSON.stringify(sent.body));
  return `/batches/${String(sent.body['batchId'])}`;
}

describe('a batch', () => {
  it('pays many out of one wallet, and reports each line', async () => {
    const [company, worker] = [await service.newUser(1_000_000), await service.newUser()];
    const salaries = Array.from({ length: 300 }, (_, n) => ({
      key: `salary-${n}`,
      type: 'transfer',
      walletId: company.walletId,
      toWalletId: worker.walletId,
      amount: 100,
    }));
    const { walletId } = company;
    const payout = { key: 'tax', type: 'withdrawal', walletId, destination: { account: 'SIM-OK' }, amount: 5_000 };
    const tooMuch = { ...payout, key: 'too much', amount: 5_000_000 };
    const startedAt = performance.now();
    const path = await send([...salaries, payout, tooMuch]);
    if (path === undefined) {
      report('the service has no batches');
      return;
    }
    const done = await until(
      () => service.operator(path),
      ({ body }) => body['status'] === 'completed',
    );
    report(`302 lines in ${Math.round(performance.now() - startedAt)} ms`);
    const { count, accepted, refused, waiting } = done.body;
    assert.deepEqual({ count, accepted, refused, waiting }, { count: 302, accepted: 301, refused: 1, waiting: 0 });
    const arrived = await until(
      () => worker.ask(`/wallets/${worker.walletId}/balance?consistent=true`),
      ({ body }) => body['available'] === 30_000,
    );
    assert.equal(arrived.body['available'], 30_000);
    const isPaid = (items: readonly Record<string, unknown>[]) => items.every(({ status }) => status === 'completed');
    const page = await until(
      () => service.operator(`${path}/items?limit=100`),
      ({ body }) => isPaid(body['items'] as Record<string, unknown>[]),
    );
    assert.ok(isPaid(page.body['items'] as Record<string, unknown>[]));
    const { body } = await company.ask(`/wallets/${walletId}/balance?consistent=true`);
    assert.deepEqual([body['available'], body['total']], [965_000, 965_000]);
  });
});
