import { Construct } from 'constructs';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';

/** Properties of `Splits`. */
export interface SplitsProps {
  readonly ledger: LedgerTable;
  readonly rateLimits: Required<RateLimits>;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `Fees` as JSON. */
  readonly fees: string;
}

/** Transfers that are booked together: the route of split payments. */
export class Splits extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, { ledger, rateLimits, operatorLimits, fees }: SplitsProps) {
    super(scope, id);
    this.functions = {
      split: new WalletFunction(this, 'split', {
        // A wallet whose legs cancel out is only checked. The legs are read for a repetition, and aliases before the write.
        environment: {
          TABLE_NAME: ledger.allow({
            BatchGetItem: ['transaction', 'reference', 'alias', 'wallet', 'rateWindow'],
            ConditionCheckItem: ['wallet'],
            PutItem: ['transaction', 'reference'],
            UpdateItem: ['wallet', 'rateWindow'],
          }),
          READS_PER_HOUR: String(rateLimits.reads),
          REFUSALS_PER_HOUR: String(rateLimits.refusals),
          TRANSFERS_PER_HOUR: String(rateLimits.transfers),
          OPERATOR_LIMITS: operatorLimits,
          FEES: fees,
        },
      }),
    };
  }
}
