import { Construct } from 'constructs';
import type { EntriesTable } from './entries-table.ts';
import type { GuardGrants } from './four-eyes.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';

/** Properties of `Wallets`. */
export interface WalletsProps {
  readonly ledger: LedgerTable;
  readonly entries: EntriesTable;
  readonly rateLimits: Required<RateLimits>;
  /** `Tiers` as JSON. */
  readonly tiers: string;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `FOUR_EYES`. */
  readonly fourEyes: string;
  readonly guardGrants: GuardGrants;
}

/** Opening, naming, reading, freezing and closing wallets, and setting their limits. */
export class Wallets extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, props: WalletsProps) {
    super(scope, id);
    const { ledger, rateLimits, tiers, operatorLimits, fourEyes, guardGrants } = props;
    const READS_PER_HOUR = String(rateLimits.reads);
    // Commands answer with the wallet as it is after them.
    const ofChange = { GetItem: ['wallet'], PutItem: ['transaction'], UpdateItem: ['wallet'] } as const;
    const ofStatus = { ...ofChange, GetItem: ['wallet', 'details'] } as const;
    const change = { environment: { TABLE_NAME: ledger.allow(ofStatus) } };
    this.functions = {
      'create-wallet': new WalletFunction(this, 'create-wallet', {
        environment: {
          TABLE_NAME: ledger.allow({
            GetItem: ['wallet', 'details'],
            BatchGetItem: ['transaction', 'wallet', 'ownedWallet', 'details', 'rateWindow'],
            PutItem: ['transaction', 'wallet', 'ownedWallet', 'details'],
            UpdateItem: ['rateWindow'],
          }),
          READS_PER_HOUR,
          REFUSALS_PER_HOUR: String(rateLimits.refusals),
          WALLETS_PER_HOUR: String(rateLimits.wallets),
        },
      }),
      'change-wallet': new WalletFunction(this, 'change-wallet', {
        environment: {
          TABLE_NAME: ledger.allow({
            GetItem: ['wallet', 'details', 'alias', 'takenAliases'],
            BatchGetItem: ['transaction', 'wallet', 'details', 'alias', 'takenAliases', 'rateWindow'],
            ConditionCheckItem: ['wallet'],
            PutItem: ['transaction', 'details', 'alias'],
            UpdateItem: ['wallet', 'takenAliases', 'rateWindow'],
          }),
          READS_PER_HOUR,
          REFUSALS_PER_HOUR: String(rateLimits.refusals),
          WALLETS_PER_HOUR: String(rateLimits.wallets),
        },
      }),
      ...this.#readers(props),
      freeze: new WalletFunction(this, 'freeze', change),
      unfreeze: new WalletFunction(this, 'unfreeze', {
        environment: { TABLE_NAME: ledger.allow(guardGrants('unfreeze', ofStatus)), FOUR_EYES: fourEyes },
      }),
      close: new WalletFunction(this, 'close', {
        // Its refusal names the open transactions.
        environment: { TABLE_NAME: ledger.allow(ofStatus, ['byWallet']) },
      }),
      'set-limits': new WalletFunction(this, 'set-limits', {
        environment: {
          TABLE_NAME: ledger.allow(guardGrants('limits', ofChange)),
          TIERS: tiers,
          OPERATOR_LIMITS: operatorLimits,
          FOUR_EYES: fourEyes,
        },
      }),
    };
  }

  /** Makes the functions that read wallets. */
  #readers({ ledger, entries, rateLimits }: WalletsProps) {
    const READS_PER_HOUR = String(rateLimits.reads);
    const readOne = {
      environment: { TABLE_NAME: ledger.allow({ GetItem: ['wallet'], UpdateItem: ['rateWindow'] }), READS_PER_HOUR },
    };
    const readNamed = { GetItem: ['wallet', 'details'], UpdateItem: ['rateWindow'] } as const;
    return {
      'list-wallets': new WalletFunction(this, 'list-wallets', {
        environment: {
          TABLE_NAME: ledger.allow({
            Query: ['ownedWallet'],
            BatchGetItem: ['wallet', 'details'],
            UpdateItem: ['rateWindow'],
          }),
          READS_PER_HOUR,
        },
      }),
      'get-wallet': new WalletFunction(this, 'get-wallet', {
        environment: { ...readOne.environment, TABLE_NAME: ledger.allow(readNamed) },
      }),
      'get-balance': new WalletFunction(this, 'get-balance', {
        environment: {
          ...readOne.environment,
          ENTRIES_TABLE_NAME: entries.allow({ Query: ['entry'], BatchGetItem: ['entry'] }),
        },
      }),
      'list-entries': new WalletFunction(this, 'list-entries', {
        environment: { ...readOne.environment, ENTRIES_TABLE_NAME: entries.allow({ Query: ['entry'] }) },
      }),
    };
  }
}
