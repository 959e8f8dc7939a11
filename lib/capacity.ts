import { Billing, Capacity } from 'aws-cdk-lib/aws-dynamodb';

/** A range of a load, a second. */
export interface LoadRange {
  /** What is always paid for. */
  readonly least: number;
  /** What auto scaling goes up to. More than that is refused as `busy` until the load falls. */
  readonly most: number;
}

/** The load that tables with provisioned capacity are made for. */
export interface ProvisionedLoad {
  /** Charges, transfers and withdrawals a second. */
  readonly commands: LoadRange;
  /** Balances, transactions and pages of histories a second. */
  readonly reads: LoadRange;
  /**
   * Percent of the provisioned capacity that auto scaling keeps in use: 20 to 90. DynamoDB follows a load in minutes, and
   * gives what was not used in the last five minutes to a burst, so a load that doubles within a minute needs 50 or less.
   *
   * @default 70
   */
  readonly targetUtilization?: number;
}

/** A table or index, as far as capacity goes. */
export type Store = 'ledger' | 'byWallet' | 'byCounterparty' | 'due' | 'entries' | 'activity' | 'sent';

/**
 * Units of one command, its worker and its consumers included, of the kind that uses most; `npm run bench -- --only
 * budgets` measures them. Of reads, one is a page of a history in ten.
 */
const unitsOf: Readonly<
  Record<Store, { readonly write: number; readonly readOfCommand: number; readonly read: number }>
> = {
  // A withdrawal: accepted with 6, claimed with 1, ended with 4.
  ledger: { write: 11, readOfCommand: 2, read: 1 },
  byWallet: { write: 3, readOfCommand: 0, read: 0.5 },
  byCounterparty: { write: 1, readOfCommand: 0, read: 0.5 },
  due: { write: 4, readOfCommand: 0.5, read: 0 },
  entries: { write: 6, readOfCommand: 2, read: 0.5 },
  activity: { write: 2, readOfCommand: 2, read: 0 },
  sent: { write: 2, readOfCommand: 0, read: 0 },
};

/** The capacity of each table and index. */
export interface TableCapacity {
  /** How a table is paid for. */
  billing(store: Store): Billing;
  /** The settings of an index; none on demand. */
  index(store: Store): { readonly readCapacity?: Capacity; readonly writeCapacity?: Capacity };
}

/**
 * Returns how tables are paid for: on demand, or by capacity for a load.
 *
 * @throws Error for a range that is none, or a utilization out of bounds
 */
export function capacityFor(load: ProvisionedLoad | undefined): TableCapacity {
  if (load === undefined) return { billing: () => Billing.onDemand(), index: () => ({}) };
  const { commands, reads, targetUtilization = 70 } = load;
  for (const [name, { least, most }] of Object.entries({ commands, reads })) {
    if (!(least >= 0 && most > 0 && most >= least)) {
      throw new Error(`provisioned.${name} must have 0 <= least <= most and most > 0, received ${least} and ${most}`);
    }
  }
  if (!(targetUtilization >= 20 && targetUtilization <= 90)) {
    throw new Error(`provisioned.targetUtilization must be 20 to 90, received ${targetUtilization}`);
  }
  const scaled = (units: (bound: keyof LoadRange) => number): Capacity => {
    const provisioned = (bound: keyof LoadRange) => Math.max(1, Math.ceil((units(bound) * 100) / targetUtilization));
    return Capacity.autoscaled({
      minCapacity: provisioned('least'),
      maxCapacity: provisioned('most'),
      // What a table begins with that was on demand before.
      seedCapacity: provisioned('least'),
      targetUtilizationPercent: targetUtilization,
    });
  };
  const capacityOf = (store: Store) => {
    const { write, readOfCommand, read } = unitsOf[store];
    return {
      writeCapacity: scaled((bound) => commands[bound] * write),
      readCapacity: scaled((bound) => commands[bound] * readOfCommand + reads[bound] * read),
    };
  };
  return { billing: (store) => Billing.provisioned(capacityOf(store)), index: capacityOf };
}
