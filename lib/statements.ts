import { Construct } from 'constructs';
import type { EntriesTable } from './entries-table.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';

/** Properties of `Statements`. */
export interface StatementsProps {
  readonly ledger: LedgerTable;
  readonly entries: EntriesTable;
  readonly rateLimits: Required<RateLimits>;
}

/** The statements of wallets, and the totals of owners. One function serves all their routes. */
export class Statements extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, { ledger, entries, rateLimits }: StatementsProps) {
    super(scope, id);
    this.functions = {
      statements: new WalletFunction(this, 'statements', {
        // It may read thousands of transactions.
        timeout: WalletFunction.longestRouteTimeout,
        environment: {
          TABLE_NAME: ledger.allow(
            {
              GetItem: ['wallet'],
              Query: ['ownedWallet'],
              BatchGetItem: ['transaction', 'wallet'],
              UpdateItem: ['rateWindow'],
            },
            ['byWallet', 'byCounterparty'],
          ),
          ENTRIES_TABLE_NAME: entries.allow({ Query: ['entry'], BatchGetItem: ['entry'] }),
          READS_PER_HOUR: String(rateLimits.reads),
        },
      }),
    };
  }
}
