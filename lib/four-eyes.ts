import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { FourEyes as GuardedCommands } from '../lambdas/contract.ts';
import { checkCurrency, checkWhole } from './check-values.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { Grants } from './table-access.ts';
import { WalletFunction } from './wallet-function.ts';

/** Commands of operators that need the approval of a second operator: docs/approvals.md. */
export interface FourEyesOptions extends GuardedCommands {
  /**
   * Time in which a command can be approved: 5 minutes to 7 days.
   *
   * @default Duration.hours(24)
   */
  readonly expiresAfter?: Duration;
}

/** Properties of `FourEyes`. */
export interface FourEyesProps {
  readonly ledger: LedgerTable;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `Tiers` as JSON. */
  readonly tiers: string;
  /** `Fees` as JSON. */
  readonly fees: string;
}

/** The second operator: the routes that show commands which wait for one, approve them and reject them. */
export class FourEyes extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, { ledger, operatorLimits, tiers, fees }: FourEyesProps) {
    super(scope, id);
    this.functions = {
      approve: new WalletFunction(this, 'approve', {
        // It executes the commands themselves, and reads the wallets, whose owners do not approve.
        environment: {
          TABLE_NAME: ledger.allow({
            GetItem: ['approval', 'transaction', 'wallet', 'details'],
            BatchGetItem: ['wallet'],
            PutItem: ['transaction', 'reference'],
            UpdateItem: ['approval', 'transaction', 'wallet'],
          }),
          OPERATOR_LIMITS: operatorLimits,
          TIERS: tiers,
          FEES: fees,
        },
      }),
      reject: new WalletFunction(this, 'reject', {
        environment: {
          TABLE_NAME: ledger.allow({
            GetItem: ['approval'],
            ConditionCheckItem: ['transaction'],
            PutItem: ['transaction'],
            UpdateItem: ['approval'],
          }),
        },
      }),
      'get-approval': new WalletFunction(this, 'get-approval', {
        environment: { TABLE_NAME: ledger.allow({ GetItem: ['approval'] }, ['due']) },
      }),
    };
  }
}

/** The types of item that guarded commands touch. */
type CommandItem = 'transaction' | 'reference' | 'wallet' | 'details' | 'rateWindow';

/** The grants of a command, and those to ask for its approval where it needs one. */
export type GuardGrants = (
  command: keyof GuardedCommands,
  grants: Grants<CommandItem>,
) => Grants<CommandItem | 'approval'>;

/**
 * Returns the grants of commands under these options; absent: no command needs an approval. The function of a command that
 * always needs one asks for it and answers repetitions. So its role cannot execute the command.
 */
export function guardGrantsOf(options: FourEyesOptions | undefined): GuardGrants {
  return (command, grants) => {
    const guard = options?.[command];
    if (guard === undefined) return grants;
    const { UpdateItem, PutItem = [], ...reads } = grants;
    return {
      ...reads,
      PutItem: [...PutItem, 'approval'],
      ...(!alwaysGuarded.includes(command) && UpdateItem && { UpdateItem }),
    };
  };
}

/** Commands that need an approval always or never. */
const alwaysGuarded: readonly string[] = ['resolve', 'unfreeze'] satisfies (keyof GuardedCommands)[];
/** The members of the prop that are `true` or left out. Lower limits need no approval. */
const flags: readonly string[] = [...alwaysGuarded, 'limits' satisfies keyof GuardedCommands];
const [shortest, longest] = [Duration.minutes(5), Duration.days(7)];

/**
 * Returns the options as the functions read them.
 *
 * @throws Error for an amount that is no whole number of minor units, a currency that is no ISO code, a command that is
 * neither `true` nor left out, and a time out of its bounds
 */
export function fourEyesText(options: FourEyesOptions = {}): string {
  const { expiresAfter = Duration.hours(24), charge, refund, ...commands } = options;
  checkAmounts('charge', charge);
  checkAmounts('refund', refund);
  for (const [command, isGuarded] of Object.entries(commands) as [string, unknown][]) {
    if (!flags.includes(command)) {
      throw new Error(`fourEyes.${command} is no command that can need two operators, received ${String(isGuarded)}`);
    }
    if (isGuarded !== true) {
      throw new Error(`fourEyes.${command} must be true or left out, received ${String(isGuarded)}`);
    }
  }
  if (expiresAfter.isUnresolved()) throw new Error('fourEyes.expiresAfter must be known at synthesis');
  const expiresAfterMs = expiresAfter.toMilliseconds();
  if (expiresAfterMs < shortest.toMilliseconds() || expiresAfterMs > longest.toMilliseconds()) {
    throw new Error(`fourEyes.expiresAfter must be from 5 minutes to 7 days, received ${expiresAfter.toHumanString()}`);
  }
  return JSON.stringify({ ...(charge && { charge }), ...(refund && { refund }), ...commands, expiresAfterMs });
}

function checkAmounts(command: 'charge' | 'refund', guard: GuardedCommands['charge']): void {
  if (guard && (guard.above as number | undefined) === undefined) {
    throw new Error(`fourEyes.${command}.above must be given`);
  }
  checkWhole(`fourEyes.${command}.above`, guard?.above, 0);
  for (const [currency, above] of Object.entries(guard?.byCurrency ?? {})) {
    checkCurrency(`fourEyes.${command}.byCurrency`, currency);
    checkWhole(`fourEyes.${command}.byCurrency.${currency}`, above, 0);
  }
}
