import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { currency, jsonClient, precision } from './ledger.ts';
import type { Ledger } from './ledger.ts';

/** Opens a ledger of its own on a running Blnk; a transfer that is not queued is sent with `skip_queue`. */
export async function openBlnk(url: string, processIds: readonly number[]): Promise<Ledger> {
  const client = jsonClient(url);
  const { ledger_id } = await client.ask<{ ledger_id: string }>('/ledgers', { name: `bench-${randomUUID()}` });
  const transaction = (reference: string, source: string, destination: string, amount: number) => ({
    reference,
    source,
    destination,
    precise_amount: amount,
    precision,
    currency,
    description: 'bench',
  });
  return {
    processIds,
    canQueue: true,
    async open(count, money) {
      const balances: string[] = [];
      for (let n = 0; n < count; n++) {
        const { balance_id } = await client.ask<{ balance_id: string }>('/balances', { ledger_id, currency });
        const funding = transaction(randomUUID(), '@World', balance_id, money);
        await client.ask('/transactions', { ...funding, allow_overdraft: true, skip_queue: true });
        balances.push(balance_id);
      }
      return balances;
    },
    async transfer({ key, from, to, amount }, queued) {
      const body = { ...transaction(key, from, to, amount), skip_queue: !queued };
      const { status, text } = await client.sendKeyed('/transactions', body);
      // The reference is this transfer's own: an earlier request with it was accepted, and its answer was lost.
      if (status >= 400 && text.includes('already been used')) return { kind: queued ? 'queued' : 'applied' };
      if (status !== 201) return { kind: 'refused', reason: `${status} ${text}` };
      return { kind: (JSON.parse(text) as { status: string }).status === 'APPLIED' ? 'applied' : 'queued' };
    },
    async balance(account) {
      return (await client.ask<{ balance: number }>(`/balances/${account}`)).balance;
    },
    rest: () => sleep(1_000),
    stop() {
      client.close();
      return Promise.resolve();
    },
  };
}
