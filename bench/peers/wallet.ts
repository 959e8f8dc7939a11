import { startLocalService, untilDone } from '../chain.ts';
import { openWallets } from '../service.ts';
import { jsonClient } from './ledger.ts';
import type { Ledger } from './ledger.ts';

/** Starts this service as `npm start` does, with its default settings and a folder of its own. */
export async function startWalletService(): Promise<Ledger> {
  const service = await startLocalService();
  const token = await service.token();
  const client = jsonClient(service.baseUrl, { Authorization: `Bearer ${token}` });
  return {
    processIds: [service.pid],
    canQueue: true,
    open: (count, money) => openWallets(count, (_, request) => service.call(request, token), money),
    async transfer({ key, from, to, amount }, queued) {
      const { status, text } = await client.sendKeyed(
        `/wallets/${from}/transfer`,
        { amount, toWalletId: to },
        { 'Idempotency-Key': key, ...(queued && { Prefer: 'respond-async' }) },
      );
      if (status === 201) return { kind: 'applied' };
      if (status === 202) return { kind: 'queued' };
      return { kind: 'refused', reason: `${status} ${text}` };
    },
    async balance(walletId) {
      const path = `/wallets/${walletId}/balance?consistent=true`;
      return (await client.ask<{ available: number }>(path)).available;
    },
    rest: () => untilDone(service),
    async stop() {
      client.close();
      await service.stop();
    },
  };
}
