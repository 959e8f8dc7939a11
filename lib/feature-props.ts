import type { BankFilesOptions } from './bank-files.ts';
import type { ConsoleOptions } from './console.ts';
import type { FraudOptions } from './fraud.ts';
import type { WebhooksOptions } from './webhooks.ts';

/** Properties of `WalletService` that add a part to the service, or leave one out. */
export interface FeatureProps {
  /**
   * Whether money can be held for a receiver. `false` leaves out the three routes of holds. The sweeper still ends holds
   * that were opened before. Use it for the first deployment of a release with holds: an earlier release cannot read them
   * (docs/upgrading.md).
   *
   * @default true
   */
  readonly holds?: boolean;

  /**
   * Whether transactions can be refunded and charged back. `false` leaves out the route of refunds. Use it for the first
   * deployment of a release with refunds: an earlier release cannot read them (docs/upgrading.md).
   *
   * @default true
   */
  readonly refunds?: boolean;

  /**
   * Whether many transfers can be booked together. `false` leaves out the route of splits. Use it for the first deployment
   * of a release with splits: the check of the books of an earlier release reports their wallets (docs/upgrading.md).
   *
   * @default true
   */
  readonly splits?: boolean;

  /**
   * Whether payments can be scheduled, once or as standing orders. `false` leaves out the routes of standing orders, and
   * refuses `executeAt`. What was scheduled before is still executed. Use it for the first deployment of a release with
   * schedules: an earlier release cannot read them (docs/upgrading.md).
   *
   * @default true
   */
  readonly schedules?: boolean;

  /**
   * Whether operators can send files of payments (docs/batches.md). `true` adds three routes, a queue and its worker: some
   * 25 of a stack's 500 resources, and more where `deployment` shifts traffic.
   *
   * @default false
   */
  readonly batches?: boolean;

  /**
   * Whether operators can send events to endpoints by HTTP (docs/webhooks.md). `true` adds eight routes, a table, a queue and
   * its worker: some 35 of a stack's 500 resources, and 43 where `deployment` shifts traffic.
   *
   * @default false
   */
  readonly webhooks?: boolean | WebhooksOptions;

  /**
   * Whether owners are notified of changes on the channels that they choose. `false` leaves out the topic, and the routes by
   * which they choose.
   *
   * @default true
   */
  readonly notifications?: boolean;

  /**
   * The screening for fraud: the limits above which it publishes an event about a wallet, and whether it then freezes the
   * wallet. `false`: nothing is screened.
   *
   * @default - the limits in lib/fraud.ts; no wallet is frozen
   */
  readonly fraud?: FraudOptions | false;

  /**
   * Whether callers can ask for statements of any length as files (docs/statements.md). `true` adds two routes, a bucket, a
   * table, a queue and its worker: some 23 of a stack's 500 resources, and 31 where `deployment` shifts traffic.
   *
   * @default false
   */
  readonly statementFiles?: boolean;

  /**
   * A bucket in which a bank puts its files (docs/bank-files.md). Each is compared with the books when it arrives. It adds a
   * bucket, a queue and its worker: 15 of a stack's 500 resources.
   *
   * @default - no bucket; files are compared with `npm run reconcile`
   */
  readonly bankFiles?: BankFilesOptions;

  /**
   * A page for operators at the path `/console` of the API (docs/console.md): search, wallets, the life of transactions,
   * reviews, approvals, and the check of the books. It shows no data without a token, and does only what the scopes of the
   * token allow. It adds a function and a method: five of a stack's 500 resources.
   *
   * @default - no console
   */
  readonly console?: ConsoleOptions;
}
