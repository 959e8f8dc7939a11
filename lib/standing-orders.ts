import { Construct } from 'constructs';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';

/** Properties of `StandingOrders`. */
export interface StandingOrdersProps {
  readonly ledger: LedgerTable;
  readonly rateLimits: Required<RateLimits>;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `FEES`. */
  readonly fees: string;
}

/**
 * Payments that repeat: the routes of standing orders. One function serves them all, as a stack has room for 500 resources.
 * The sweeper makes the payments.
 */
export class StandingOrders extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, { ledger, rateLimits, operatorLimits, fees }: StandingOrdersProps) {
    super(scope, id);
    this.functions = {
      'standing-orders': new WalletFunction(this, 'standing-orders', {
        // The wallet counts its orders and its scheduled payments.
        environment: {
          TABLE_NAME: ledger.allow(
            {
              GetItem: ['standingOrder', 'wallet', 'alias'],
              BatchGetItem: ['transaction', 'wallet', 'rateWindow', 'standingOrder'],
              PutItem: ['transaction', 'standingOrder'],
              UpdateItem: ['transaction', 'wallet', 'rateWindow', 'standingOrder'],
            },
            ['byWallet'],
          ),
          READS_PER_HOUR: String(rateLimits.reads),
          REFUSALS_PER_HOUR: String(rateLimits.refusals),
          TRANSFERS_PER_HOUR: String(rateLimits.transfers),
          CANCELLATIONS_PER_HOUR: String(rateLimits.cancellations),
          OPERATOR_LIMITS: operatorLimits,
          FEES: fees,
        },
      }),
    };
  }
}
