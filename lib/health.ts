import { Construct } from 'constructs';
import type { LedgerTable } from './ledger-table.ts';
import type { Tokens } from './tokens.ts';
import { WalletFunction } from './wallet-function.ts';
import type { WorkQueue } from './work-queue.ts';

/** Properties of `Health`. */
export interface HealthProps {
  readonly ledger: LedgerTable;
  readonly tokens: Tokens;
  readonly withdrawals: WorkQueue;
  readonly transfers: WorkQueue;
}

/** The open route that reports whether the service works. It checks an operator's token itself before it shows more. */
export class Health extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, { ledger, tokens, withdrawals, transfers }: HealthProps) {
    super(scope, id);
    this.functions = {
      health: new WalletFunction(this, 'health', {
        environment: {
          TABLE_NAME: ledger.allow({ GetItem: ['breaker', 'issuer'] }, ['due']),
          DUE_SHARDS: ledger.dueShards,
          ...tokens.environment,
          WITHDRAWAL_QUEUE_URL: withdrawals.allow(['GetQueueAttributes']),
          WITHDRAWAL_DLQ_URL: withdrawals.allowWatchingDeadLetters(),
          TRANSFER_QUEUE_URL: transfers.allow(['GetQueueAttributes']),
          TRANSFER_DLQ_URL: transfers.allowWatchingDeadLetters(),
        },
      }),
    };
  }
}
