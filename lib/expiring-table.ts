import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type {
  Attribute,
  Billing,
  GlobalSecondaryIndexPropsV2,
  ITableV2,
  WarmThroughput,
} from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { tableEncryption } from './encryption.ts';
import { allowTable } from './table-access.ts';
import type { Grants } from './table-access.ts';
import type { Access } from './wallet-function.ts';

/** Properties of `ExpiringTable`. */
export interface ExpiringTableProps<ItemType extends string> {
  readonly partitionKey: Attribute;
  readonly sortKey?: Attribute;
  /** How the partition keys of each type of item begin. */
  readonly items: Readonly<Record<ItemType, string>>;
  /** The attribute with the time (epoch seconds) after which an item is deleted. */
  readonly timeToLiveAttribute: string;
  readonly billing: Billing;
  readonly warmThroughput?: WarmThroughput;
  /**
   * The indexes of the table.
   *
   * @default - none
   */
  readonly globalSecondaryIndexes?: GlobalSecondaryIndexPropsV2[];
}

/** A table of temporary items, beside the table with the money: losing it loses no money. */
export class ExpiringTable<ItemType extends string> extends Construct {
  readonly table: ITableV2;
  readonly #items: Readonly<Record<ItemType, string>>;

  constructor(scope: Construct, id: string, { items, ...props }: ExpiringTableProps<ItemType>) {
    super(scope, id);
    this.#items = items;
    this.table = new TableV2(this, 'Table', {
      ...props,
      encryption: tableEncryption(this),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    }) as ITableV2;
  }

  /** Returns the table's name with a grant for exactly these actions on items, and to query exactly these indexes. */
  allow(grants: Grants<ItemType>, indexNames: readonly string[] = []): Access {
    return allowTable(this.table, this.#items, grants, indexNames);
  }
}
