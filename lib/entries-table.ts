import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { entryItems } from '../lambdas/contract.ts';
import { adoptEntries } from './adopted-table.ts';
import type { AdoptedTable } from './adopted-table.ts';
import type { TableCapacity } from './capacity.ts';
import { tableEncryption } from './encryption.ts';
import { allowTable } from './table-access.ts';
import type { Grants } from './table-access.ts';
import type { Access } from './wallet-function.ts';

/** Properties of `EntriesTable`. */
export interface EntriesTableProps {
  /**
   * The table that exists already.
   *
   * @default - a new one
   */
  readonly adopted?: AdoptedTable | undefined;
  readonly deletionProtection: boolean;
  readonly capacity: TableCapacity;
}

/** Each wallet's ledger, the totals of the other accounts, and the progress of their check. */
export class EntriesTable extends Construct {
  readonly table: ITableV2;

  constructor(scope: Construct, id: string, props: EntriesTableProps) {
    super(scope, id);
    this.table = props.adopted === undefined ? this.#newTable(props) : adoptEntries(this, props.adopted);
  }

  /** Adds a table. */
  #newTable({ capacity, deletionProtection }: EntriesTableProps): ITableV2 {
    return new TableV2(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      ...capacity.table('entries'),
      encryption: tableEncryption(this),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection,
      // For the records of bookings in the totals, and for the journal of changes. Entries and totals do not expire.
      timeToLiveAttribute: 'ttl',
    }) as ITableV2;
  }

  /** Returns `ENTRIES_TABLE_NAME` with a grant for exactly these actions on items. */
  allow(grants: Grants<keyof typeof entryItems>): Access {
    return allowTable(this.table, entryItems, grants);
  }
}
