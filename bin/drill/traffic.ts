/** Money that moves between some wallets, and out through the bank. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalService } from '../local-service.ts';

/** A command that was answered with success. */
export interface Acknowledged {
  readonly transactionId: string;
  /** Epoch ms of the answer. */
  readonly at: number;
}

export interface DrillClient {
  /** Sends a command of an operator until it has a definite answer; undefined: it was refused. */
  readonly command: (path: string, body: object, headers?: Record<string, string>) => Promise<Body | undefined>;
}

interface Body {
  readonly transactionId?: string;
  readonly walletId?: string;
}

const opening = 1_000_000;
const clients = 4;
const pauseMs = 50;
const scope = 'wallet:operate';

export async function openDrillClient(service: LocalService): Promise<DrillClient> {
  const token = await service.token({ clientId: 'drill', scope });
  const authorization = { Authorization: `Bearer ${token}` };
  return {
    async command(path, body, headers = {}) {
      const request = {
        method: 'POST',
        headers: { ...authorization, ...headers, 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
        body: JSON.stringify(body),
      };
      for (;;) {
        const response = await fetch(service.baseUrl + path, request).catch(() => undefined);
        if (response !== undefined && response.status < 500 && response.status !== 429) {
          return response.ok ? ((await response.json()) as Body) : undefined;
        }
        await sleep(pauseMs);
      }
    },
  };
}

/** Moves money until a time (epoch ms). Notes each command that was acknowledged. */
export async function driveTraffic(
  client: DrillClient,
  {
    wallets,
    until,
    acknowledged,
  }: { readonly wallets: number; readonly until: number; readonly acknowledged: Acknowledged[] },
): Promise<void> {
  const note = (body: Body | undefined) => {
    if (body?.transactionId !== undefined) acknowledged.push({ transactionId: body.transactionId, at: Date.now() });
  };
  const walletIds: string[] = [];
  for (let n = 0; n < wallets; n++) {
    const { walletId = '' } = (await client.command('/wallets', { currency: 'EUR', ownerId: `owner-${n}` })) ?? {};
    walletIds.push(walletId);
    note(await client.command(`/wallets/${walletId}/charge`, { amount: opening }));
  }
  const work = async (nth: number) => {
    for (let n = nth; Date.now() < until; n += clients) {
      const from = walletIds[n % wallets];
      const toWalletId = walletIds[(n * 7 + 1) % wallets];
      const amount = 1 + (n % 50);
      const isPayout = n % 3 === 0 || from === toWalletId;
      const body = isPayout ? { amount, destination: { account: 'SIM-OK' } } : { amount, toWalletId };
      const headers = n % 5 === 0 && !isPayout ? { Prefer: 'respond-async' } : undefined;
      note(await client.command(`/wallets/${from ?? ''}/${isPayout ? 'withdraw' : 'transfer'}`, body, headers));
      await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, nth) => work(nth)));
}
