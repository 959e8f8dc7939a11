/** The events of the runner's bus. A deployed service shows its bus to consumers only. */
import { baseUrl } from './settings.ts';

export interface BusEvent {
  readonly id: string;
  readonly type: string;
  /** When the change was made, ISO 8601 UTC. */
  readonly at: string;
  readonly walletIds: readonly string[];
  readonly transactionId: string | undefined;
}

interface Published {
  readonly event: {
    readonly id: string;
    readonly 'detail-type': string;
    readonly time: string;
    readonly detail: Detail;
  };
}

interface Detail {
  readonly occurredAt?: string;
  readonly walletIds?: readonly string[];
  readonly transaction?: { readonly transactionId?: string };
}

/** Returns the newest events of the bus, newest first. */
export async function readBus(limit: number, signal: AbortSignal): Promise<BusEvent[]> {
  const response = await fetch(`${baseUrl}/local/events?limit=${limit}`, { signal });
  if (!response.ok) throw new Error(`the bus answers ${response.status}`);
  const { items } = (await response.json()) as { readonly items: readonly Published[] };
  return items.map(({ event: { id, 'detail-type': type, time, detail } }) => ({
    id,
    type,
    at: detail.occurredAt ?? time,
    walletIds: detail.walletIds ?? [],
    transactionId: detail.transaction?.transactionId,
  }));
}
