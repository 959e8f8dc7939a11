import { Construct } from 'constructs';
import type { GuardGrants } from './four-eyes.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';

/** Properties of `Transactions`. */
export interface TransactionsProps {
  readonly ledger: LedgerTable;
  readonly rateLimits: Required<RateLimits>;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `Fees` as JSON. */
  readonly fees: string;
  /** `FOUR_EYES`. */
  readonly fourEyes: string;
  readonly guardGrants: GuardGrants;
}

/** Charges, and reads of transactions. */
export class Transactions extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, props: TransactionsProps) {
    super(scope, id);
    const { ledger, rateLimits, operatorLimits, fees, fourEyes, guardGrants } = props;
    const READS_PER_HOUR = String(rateLimits.reads);
    this.functions = {
      charge: new WalletFunction(this, 'charge', {
        // A refused write returns the replay, so that moving money needs no permission to read.
        environment: {
          TABLE_NAME: ledger.allow(
            guardGrants('charge', { PutItem: ['transaction', 'reference'], UpdateItem: ['wallet'] }),
          ),
          OPERATOR_LIMITS: operatorLimits,
          FOUR_EYES: fourEyes,
          FEES: fees,
        },
      }),
      'list-transactions': new WalletFunction(this, 'list-transactions', {
        environment: {
          TABLE_NAME: ledger.allow(
            {
              GetItem: ['wallet'],
              BatchGetItem: ['wallet', 'transaction'],
              Query: ['ownedWallet'],
              UpdateItem: ['rateWindow'],
            },
            ['byWallet', 'byCounterparty', 'byReference', 'due'],
          ),
          READS_PER_HOUR,
          DUE_SHARDS: ledger.dueShards,
        },
      }),
      // With the wallets that the transaction touches, which decide whether the caller may see it.
      'get-transaction': new WalletFunction(this, 'get-transaction', {
        environment: {
          TABLE_NAME: ledger.allow({ GetItem: ['transaction'], BatchGetItem: ['wallet'], UpdateItem: ['rateWindow'] }),
          READS_PER_HOUR,
        },
      }),
    };
  }
}
