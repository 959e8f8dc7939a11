import { WalletError } from '../domain/errors.ts';
import { rateWindowKey } from './keys.ts';
import type { Table } from './table.ts';
import { update } from './write.ts';
import type { WriteItem } from './write.ts';

/** One caller's allowance for one operation: accepted commands in a clock hour. */
export interface RateLimit {
  readonly principal: string;
  readonly operation: string;
  readonly perHour: number;
}

const hourMs = 3_600_000;

/** Counts one accepted command in the caller's current clock hour (UTC); refused as `rate_limited` at the limit. */
export function countInRateWindow(table: Table, limit: RateLimit, at: string): WriteItem<WalletError> {
  const windowEnd = Math.floor(Date.parse(at) / hourMs) * hourMs + hourMs;
  return {
    label: 'rate window',
    request: {
      Update: update(table, rateWindowKey(limit.principal, limit.operation, at.slice(0, 13)), {
        set: 'used = if_not_exists(used, :none) + :one, #ttl = :ttl',
        if: 'attribute_not_exists(used) OR used < :limit',
        // An hour of grace, so that a window is never forgotten while a slow clock still counts in it.
        values: { none: 0, one: 1, limit: limit.perHour, ttl: (windowEnd + hourMs) / 1000 },
      }),
    },
    refused: () =>
      new WalletError('rate_limited', {
        limit: limit.perHour,
        retryAfterSeconds: Math.max(1, Math.ceil((windowEnd - Date.parse(at)) / 1000)),
      }),
  };
}
