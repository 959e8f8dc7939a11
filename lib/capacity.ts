import { Billing, Capacity } from 'aws-cdk-lib/aws-dynamodb';
import type { WarmThroughput } from 'aws-cdk-lib/aws-dynamodb';
import { checkWhole } from './check-values.ts';

/** A range of operations a second. */
export interface LoadRange {
  /** The load for which the tables always have capacity, and always cost. */
  readonly least: number;
  /** The load that auto scaling can reach. The service refuses more than that as `busy` until the load falls. */
  readonly most: number;
}

/** The load for which the tables have provisioned capacity. */
export interface ProvisionedLoad {
  /** Charges, transfers, legs of splits, withdrawals, holds, captures and refunds a second. */
  readonly commands: LoadRange;
  /** Balances, transactions and pages of histories a second. */
  readonly reads: LoadRange;
  /**
   * Percent of the provisioned capacity that auto scaling keeps in use: 20 to 90. DynamoDB follows a load in minutes,
   * and saves the unused capacity of the last five minutes for a burst. So a load that doubles within a minute needs 50
   * or less.
   *
   * @default 70
   */
  readonly targetUtilization?: number;
}

/** The load that tables and indexes can take at once, from their creation or update on. */
export interface WarmLoad {
  /** Charges, transfers, legs of splits, withdrawals, holds, captures and refunds a second. */
  readonly commands: number;
  /** Balances, transactions and pages of histories a second. */
  readonly reads: number;
}

/** The name of a table or index. Each has capacity of its own. */
export type CapacityOwner =
  | 'ledger'
  | 'byWallet'
  | 'byCounterparty'
  | 'byReference'
  | 'due'
  | 'entries'
  | 'activity'
  | 'sent'
  | 'webhooks'
  | 'dueDeliveries'
  | 'statements';

/**
 * The units of one command of the kind that uses most, with its worker and its consumers. `npm run bench -- --only
 * budgets` measures them. Of the reads, one in ten is a page of a history.
 */
const unitsOf: Readonly<
  Record<CapacityOwner, { readonly write: number; readonly readOfCommand: number; readonly read: number }>
> = {
  // A withdrawal: accepted with 6, claimed with 1, ended with 4.
  ledger: { write: 11, readOfCommand: 2, read: 1 },
  byWallet: { write: 3, readOfCommand: 0, read: 0.5 },
  byCounterparty: { write: 1, readOfCommand: 0, read: 0.5 },
  // Each command with a reference.
  byReference: { write: 1, readOfCommand: 0, read: 0 },
  due: { write: 4, readOfCommand: 0.5, read: 0 },
  entries: { write: 6, readOfCommand: 2, read: 0.5 },
  activity: { write: 2, readOfCommand: 2, read: 0 },
  sent: { write: 2, readOfCommand: 0, read: 0 },
  // The three events of a withdrawal, for one endpoint.
  webhooks: { write: 18, readOfCommand: 12, read: 0 },
  dueDeliveries: { write: 6, readOfCommand: 3, read: 0 },
  // No command uses it.
  statements: { write: 0, readOfCommand: 0, read: 0 },
};

/** The functions that give each table and index its capacity. */
export interface TableCapacity {
  /** Returns the billing of a table. */
  table(table: CapacityOwner): { readonly billing: Billing } & Warm;
  /** Returns the capacity of an index; empty on demand. */
  index(index: CapacityOwner): Partial<ScaledCapacity> & Warm;
}

interface ScaledCapacity {
  readonly readCapacity: Capacity;
  readonly writeCapacity: Capacity;
}

interface Warm {
  readonly warmThroughput?: WarmThroughput;
}

/**
 * Returns the billing of the tables, on demand or by capacity for a load, and the load that they can take at once.
 *
 * @throws Error for an invalid range or load, or a utilization out of bounds
 */
export function capacityFor(load: ProvisionedLoad | undefined, warmLoad?: WarmLoad): TableCapacity {
  const scaled = load === undefined ? undefined : scaledCapacity(load);
  const warm = warmLoad === undefined ? () => ({}) : warmThroughput(warmLoad);
  return {
    table: (owner) => ({ billing: scaled ? Billing.provisioned(scaled(owner)) : Billing.onDemand(), ...warm(owner) }),
    index: (owner) => ({ ...scaled?.(owner), ...warm(owner) }),
  };
}

/** Units a second that a new table and each of its indexes take at once. DynamoDB accepts no lower warm throughput. */
const warmFromTheStart = { read: 12_000, write: 4_000 };

function warmThroughput(load: WarmLoad): (owner: CapacityOwner) => Warm {
  for (const [name, value] of Object.entries({ commands: load.commands, reads: load.reads })) {
    checkWhole(`warmThroughput.${name}`, value, 0);
  }
  return (owner) => {
    const { write, readOfCommand, read } = unitsOf[owner];
    const reads = Math.ceil(load.commands * readOfCommand + load.reads * read);
    return {
      warmThroughput: {
        readUnitsPerSecond: Math.max(warmFromTheStart.read, reads),
        writeUnitsPerSecond: Math.max(warmFromTheStart.write, load.commands * write),
      },
    };
  };
}

function scaledCapacity(load: ProvisionedLoad): (owner: CapacityOwner) => ScaledCapacity {
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
      // The first capacity of a table that was on demand before.
      seedCapacity: provisioned('least'),
      targetUtilizationPercent: targetUtilization,
    });
  };
  return (owner) => {
    const { write, readOfCommand, read } = unitsOf[owner];
    return {
      writeCapacity: scaled((bound) => commands[bound] * write),
      readCapacity: scaled((bound) => commands[bound] * readOfCommand + reads[bound] * read),
    };
  };
}
