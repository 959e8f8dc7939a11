import type { ProvisionedLoad, WarmLoad } from './capacity.ts';
import type { ReservedConcurrency } from './concurrency.ts';

/** Properties of `WalletService` for the load: capacity, concurrency, and how much work may wait. */
export interface LoadProps {
  /**
   * Messages that may wait in the queue of withdrawals, or of transfers, before new ones are refused as `overloaded`.
   * It limits how long accepted work waits for its end.
   *
   * @default 20,000
   */
  readonly queueDepthLimit?: number;

  /**
   * The index of open work has so many partitions for each type of work: 1 to 256. Each takes about 250 withdrawals or 500
   * queued transfers a second, and costs half a read unit a minute for each type. The number may be raised and lowered at
   * any time. After that, the sweeper finds lost work in the former partitions within an hour.
   *
   * @default 64
   */
  readonly dueShards?: number;

  /**
   * Most groups of queued transfers that are settled at the same time: 2 to 1000. A higher number does not help one wallet
   * with many payers, as only one write at a time can change a wallet.
   *
   * @default 10
   */
  readonly transferConcurrency?: number;

  /**
   * Most groups of events that are screened for fraud at the same time: 2 to 1000. A group has at most 100 events and
   * takes some 300 ms, so one at a time is enough for about 300 events a second.
   *
   * @default 5
   */
  readonly screeningConcurrency?: number;

  /**
   * Most groups of events that owners are notified of at the same time: 2 to 1000.
   *
   * @default 5
   */
  readonly notificationConcurrency?: number;

  /**
   * Concurrency that workers, sweeper, relay and projector keep for themselves, and that `Prefer: wait` can take at
   * most. `false` reserves nothing. Use it for a new account: its quota is 10, and Lambda then allows no reservation.
   *
   * @default - 554 of the 1,000 that an account usually has
   */
  readonly reservedConcurrency?: ReservedConcurrency | false;

  /**
   * The account's quota of concurrent executions in this region. An alarm warns at nine tenths of it.
   *
   * @default 1,000
   */
  readonly accountConcurrency?: number;

  /**
   * The load that the tables have capacity for, in place of billing on demand. At a steady use of 70 % a write unit costs
   * 41 % of its price on demand (`npm run capacity`). docs/performance.md has the cost of whole commands.
   *
   * @default - on demand
   */
  readonly provisioned?: ProvisionedLoad;

  /**
   * The load that tables and indexes can take from the first minute, for a launch. New ones take 4,000 write units and
   * 12,000 read units a second, which is some 360 withdrawals a second. Each unit above that is paid once. The load may be
   * raised. It cannot be lowered, as DynamoDB refuses less than a table has reached.
   *
   * @default - DynamoDB's own, which grows with the load
   */
  readonly warmThroughput?: WarmLoad;
}
