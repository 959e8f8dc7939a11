import { Construct } from 'constructs';
import type { GuardGrants } from './four-eyes.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';

/** Properties of `Refunds`. */
export interface RefundsProps {
  readonly ledger: LedgerTable;
  readonly rateLimits: Required<RateLimits>;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `FOUR_EYES`. */
  readonly fourEyes: string;
  readonly guardGrants: GuardGrants;
}

/** Money that goes back: the route of refunds and chargebacks. */
export class Refunds extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, props: RefundsProps) {
    super(scope, id);
    const { ledger, rateLimits, operatorLimits, fourEyes, guardGrants } = props;
    this.functions = {
      refund: new WalletFunction(this, 'refund', {
        // The transaction that goes back, and the wallets that decide whether the caller may refund it.
        environment: {
          TABLE_NAME: ledger.allow(
            guardGrants('refund', {
              GetItem: ['transaction'],
              BatchGetItem: ['transaction', 'reference', 'wallet', 'rateWindow'],
              PutItem: ['transaction', 'reference'],
              UpdateItem: ['transaction', 'wallet', 'rateWindow'],
            }),
          ),
          READS_PER_HOUR: String(rateLimits.reads),
          REFUSALS_PER_HOUR: String(rateLimits.refusals),
          TRANSFERS_PER_HOUR: String(rateLimits.transfers),
          OPERATOR_LIMITS: operatorLimits,
          FOUR_EYES: fourEyes,
        },
      }),
    };
  }
}
