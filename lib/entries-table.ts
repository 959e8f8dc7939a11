import { AttributeType, Billing, ProjectionType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { entryIndexes, entryItems } from '../lambdas/contract.ts';
import { allowTable, type Grants } from './table-access.ts';
import type { Access } from './wallet-function.ts';

/** Properties of `EntriesTable`. */
export interface EntriesTableProps {
  readonly deletionProtection: boolean;
}

/** Each wallet's ledger, the totals of the other accounts, and the progress of their check. */
export class EntriesTable extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string, { deletionProtection }: EntriesTableProps) {
    super(scope, id);
    this.table = new TableV2(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection,
      // Of what says that a booking is in the totals; entries and totals are for ever.
      timeToLiveAttribute: 'ttl',
    });
    this.table.addGlobalSecondaryIndex({
      indexName: entryIndexes.byTime,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'moment', type: AttributeType.STRING },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ['balanceAfter'],
    });
  }

  /** `ENTRIES_TABLE_NAME` with a grant for exactly these actions on items, and to query exactly these indexes. */
  allow(grants: Grants<keyof typeof entryItems>, indexNames: readonly (keyof typeof entryIndexes)[] = []): Access {
    return allowTable(
      this.table,
      entryItems,
      grants,
      indexNames.map((name) => entryIndexes[name]),
    );
  }
}
