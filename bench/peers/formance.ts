import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { currency, jsonClient } from './ledger.ts';
import type { Ledger } from './ledger.ts';

const asset = `${currency}/2`;

/** Opens a ledger of its own on a running Formance Ledger (API v2). */
export async function openFormance(url: string, processIds: readonly number[]): Promise<Ledger> {
  const client = jsonClient(url);
  const ledger = `/v2/bench-${randomUUID()}`;
  await client.ask(ledger, {});
  const post = (source: string, destination: string, amount: number) => ({
    postings: [{ source, destination, amount, asset }],
  });
  return {
    processIds,
    canQueue: false,
    async open(count, money) {
      const accounts = Array.from({ length: count }, (_, index) => `wallets:${index}`);
      for (const account of accounts) await client.ask(`${ledger}/transactions`, post('world', account, money));
      return accounts;
    },
    async transfer({ key, from, to, amount }) {
      const { status, text } = await client.sendKeyed(`${ledger}/transactions`, post(from, to, amount), {
        'Idempotency-Key': key,
      });
      return status === 200 ? { kind: 'applied' } : { kind: 'refused', reason: `${status} ${text}` };
    },
    async balance(account) {
      const { data } = await client.ask<{ data: { volumes: Record<string, { balance: number }> } }>(
        `${ledger}/accounts/${account}?expand=volumes`,
      );
      return data.volumes[asset]?.balance ?? 0;
    },
    rest: () => sleep(1_000),
    stop() {
      client.close();
      return Promise.resolve();
    },
  };
}
