import { Construct } from 'constructs';
import type { LedgerTable } from './ledger-table.ts';
import type { Tokens } from './tokens.ts';
import { WalletFunction } from './wallet-function.ts';
import type { Withdrawals } from './withdrawals.ts';

/** Properties of `Health`. */
export interface HealthProps {
  readonly ledger: LedgerTable;
  readonly tokens: Tokens;
  readonly withdrawals: Withdrawals;
}

/** The open route that says whether the service works; it checks an operator's token itself before it says more. */
export class Health extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, { ledger, tokens, withdrawals }: HealthProps) {
    super(scope, id);
    this.functions = {
      health: new WalletFunction(this, 'health', {
        environment: {
          TABLE_NAME: ledger.allow(['GetItem'], ['due']),
          ...tokens.environment,
          ...withdrawals.allowWatching(),
        },
      }),
    };
  }
}
