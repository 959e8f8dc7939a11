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
   * Partitions of the index of open work that the work of a type is spread over: 1 to 256. Each takes about 250
   * withdrawals or 500 queued transfers a second, and costs half a read unit a minute for each type. It may be raised
   * and lowered at any time. After that, the sweeper finds lost work in the former partitions within an hour.
   *
   * @default 64
   */
  readonly dueShards?: number;

  /**
   * Most batches of queued transfers that are settled at the same time: 2 to 1000. More do not help one wallet with
   * many payers, as credits of the same wallet exclude each other.
   *
   * @default 10
   */
  readonly transferConcurrency?: number;

  /**
   * Most batches of events that are screened for fraud at the same time: 2 to 1000. A batch has at most 100 events and
   * takes some 300 ms, so each is enough for about 300 events a second.
   *
   * @default 5
   */
  readonly screeningConcurrency?: number;

  /**
   * Most batches of events that owners are notified of at the same time, as above.
   *
   * @default 5
   */
  readonly notificationConcurrency?: number;

  /**
   * Concurrency that workers, sweeper, relay and projector keep for themselves, and that `Prefer: wait` can take at
   * most. `false` reserves nothing: for a new account, whose quota is 10, of which Lambda allows no reservation.
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
   * The load that the tables have capacity for, in place of billing on demand. At a steady use of 70 % it costs 41 % of
   * the price on demand: [figures](../docs/performance.md).
   *
   * @default - on demand
   */
  readonly provisioned?: ProvisionedLoad;

  /**
   * The load that tables and indexes can take at once, before a launch. New ones take 4,000 write units and 12,000 read
   * units a second, which is some 360 withdrawals a second. It costs once for each unit above that, may be raised, and
   * cannot be lowered: DynamoDB refuses less than a table has reached.
   *
   * @default - DynamoDB's own, which grows with the load
   */
  readonly warmThroughput?: WarmLoad;
}
