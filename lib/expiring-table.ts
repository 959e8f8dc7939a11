import { type Attribute, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { allowTable, type TableAction } from './table-access.ts';
import type { Access } from './wallet-function.ts';

/** Properties of `ExpiringTable`. */
export interface ExpiringTableProps {
  readonly partitionKey: Attribute;
  readonly sortKey?: Attribute;
  /** The attribute with the time (epoch seconds) after which an item is deleted. */
  readonly timeToLiveAttribute: string;
}

/** A table of what is remembered for a while only, beside the one with the money: losing it loses no money. */
export class ExpiringTable extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string, props: ExpiringTableProps) {
    super(scope, id);
    this.table = new TableV2(this, 'Table', {
      ...props,
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    });
  }

  /** The table's name with leave for exactly these actions on items. */
  allow(actions: readonly TableAction[]): Access {
    return allowTable(this.table, actions);
  }
}
