import { Construct } from 'constructs';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';

/** Properties of `Holds`. */
export interface HoldsProps {
  readonly ledger: LedgerTable;
  readonly rateLimits: Required<RateLimits>;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `Fees` as JSON. */
  readonly fees: string;
}

/** Promised money: the routes that hold it, capture it and release it. The sweeper ends the holds that expire. */
export class Holds extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, { ledger, rateLimits, operatorLimits, fees }: HoldsProps) {
    super(scope, id);
    const limits = {
      READS_PER_HOUR: String(rateLimits.reads),
      REFUSALS_PER_HOUR: String(rateLimits.refusals),
      TRANSFERS_PER_HOUR: String(rateLimits.transfers),
      OPERATOR_LIMITS: operatorLimits,
    };
    this.functions = {
      'open-hold': new WalletFunction(this, 'open-hold', {
        // A refused write returns the replay. The caller who keeps being refused is answered by reads.
        environment: {
          TABLE_NAME: ledger.allow({
            GetItem: ['alias'],
            BatchGetItem: ['transaction', 'reference', 'wallet', 'rateWindow'],
            PutItem: ['transaction', 'reference'],
            UpdateItem: ['wallet', 'rateWindow'],
          }),
          ...limits,
        },
      }),
      capture: new WalletFunction(this, 'capture', {
        // The hold, and the wallets that decide whether the caller may capture it.
        environment: {
          TABLE_NAME: ledger.allow({
            GetItem: ['transaction'],
            BatchGetItem: ['transaction', 'reference', 'wallet', 'rateWindow'],
            PutItem: ['transaction', 'reference'],
            UpdateItem: ['transaction', 'wallet', 'rateWindow'],
          }),
          ...limits,
          FEES: fees,
        },
      }),
      release: new WalletFunction(this, 'release', {
        // The transaction also for a repetition beyond the limit.
        environment: {
          TABLE_NAME: ledger.allow({
            GetItem: ['transaction'],
            BatchGetItem: ['transaction', 'wallet'],
            PutItem: ['transaction'],
            UpdateItem: ['transaction', 'wallet', 'rateWindow'],
          }),
          CANCELLATIONS_PER_HOUR: String(rateLimits.cancellations),
        },
      }),
    };
  }
}
