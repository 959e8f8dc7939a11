import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { openBank } from '../../lambdas/bank/client.ts';
import type { BankClient } from '../../lambdas/bank/client.ts';
import type { StatementItem } from '../../lambdas/bank/answers.ts';
import { startBankSimulator } from '../../local/bank/bank-simulator.ts';
import type { BankSimulator } from '../../local/bank/bank-simulator.ts';

const secret = 'the key that both sides know';
const from = '1970-01-01T00:00:00.000Z';
const to = '2999-01-01T00:00:00.000Z';

describe("the bank's statement", () => {
  let bank: BankSimulator;
  let client: BankClient;
  beforeAll(async () => {
    bank = await startBankSimulator({ keys: () => [secret], latencyMs: 0, failureRate: 0 });
    client = openBank({ url: bank.url, keys: () => Promise.resolve([secret]) });
    for (let start = 0; start < 600; start += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => pay(`tx_${start + i}`, 'SIM-OK')));
    }
    await pay('tx_rejected', 'SIM-REJECT');
  });
  afterAll(() => bank.stop());

  function pay(reference: string, account: string) {
    return client.submit({ reference, amount: 7, currency: 'EUR', destination: { account } });
  }

  async function all(window: [string, string]): Promise<StatementItem[]> {
    const items: StatementItem[] = [];
    let next: string | undefined;
    do {
      const page = await client.statement(...window, next);
      assert.equal(page.outcome, 'page');
      items.push(...page.items);
      next = page.next;
    } while (next !== undefined);
    return items;
  }

  it('has every payment once, page by page, oldest first, and no unpaid withdrawal', async () => {
    const items = await all([from, to]);
    assert.equal(items.length, 600);
    assert.equal(new Set(items.map(({ reference }) => reference)).size, 600);
    assert.deepEqual(
      items.map(({ paidAt }) => paidAt),
      items.map(({ paidAt }) => paidAt).toSorted(),
    );
    assert.deepEqual(
      { ...items[0], reference: '', paidAt: '' },
      { reference: '', amount: 7, currency: 'EUR', paidAt: '' },
    );
  });

  it('begins with `from` and ends before `to`', async () => {
    const items = await all([from, to]);
    const [first, last] = [items[0]?.paidAt ?? '', items.at(-1)?.paidAt ?? ''];
    assert.ok(first < last);
    assert.deepEqual(
      await all([first, last]),
      items.filter(({ paidAt }) => paidAt < last),
    );
    assert.deepEqual(
      await all([last, to]),
      items.filter(({ paidAt }) => paidAt >= last),
    );
  });

  it('is signed with its query, and refused otherwise', async () => {
    const stranger = openBank({ url: bank.url, keys: () => Promise.resolve(['another key']) });
    assert.deepEqual(await stranger.statement(from, to), {
      outcome: 'unknown',
      reason: 'status 401 signature_invalid',
    });
    assert.equal((await client.statement('yesterday', to)).outcome, 'unknown');
    assert.equal((await client.statement(from, to, 'nowhere')).outcome, 'unknown');
  });
});

describe('an answer that is not a statement', () => {
  it('is unknown as a whole', async () => {
    let answer: unknown;
    const server = createServer((_request, response) => response.end(JSON.stringify(answer))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = openBank({ url: `http://127.0.0.1:${port}`, keys: () => Promise.resolve([secret]) });
    const item = { reference: 'tx_1', amount: 7, currency: 'EUR', paidAt: from };
    for (answer of [
      {},
      { items: {} },
      { items: [item, null] },
      { items: [{ ...item, amount: 0.5 }] },
      { items: [{ ...item, reference: undefined }] },
      { items: [], next: 7 },
    ]) {
      assert.equal((await client.statement(from, to)).outcome, 'unknown', JSON.stringify(answer));
    }
    answer = { items: [item] };
    assert.deepEqual(await client.statement(from, to), { outcome: 'page', items: [item], next: undefined });
    server.close();
    server.closeAllConnections();
  });
});
