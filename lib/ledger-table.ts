import { Duration } from 'aws-cdk-lib';
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, ProjectionType, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { indexes, ledgerItems, mostDueShards } from '../lambdas/contract.ts';
import { adoptLedger } from './adopted-table.ts';
import type { AdoptedLedger } from './adopted-table.ts';
import type { AddAlarm } from './alarms.ts';
import type { TableCapacity } from './capacity.ts';
import { checkWhole } from './check-values.ts';
import { tableEncryption } from './encryption.ts';
import { allowTable } from './table-access.ts';
import type { Grants } from './table-access.ts';
import type { Access } from './wallet-function.ts';

/** Properties of `LedgerTable`. */
export interface LedgerTableProps {
  /**
   * The table that exists already.
   *
   * @default - a new one
   */
  readonly adopted?: AdoptedLedger | undefined;
  readonly deletionProtection: boolean;
  /** Partitions of the `due` index that open work of a type is spread over. */
  readonly dueShards: number;
  readonly capacity: TableCapacity;
  readonly addAlarm: AddAlarm;
}

/** The table with the money: wallets and transactions, with rate windows, preferences and other records beside them. */
export class LedgerTable extends Construct {
  readonly table: ITableV2;
  /** `DUE_SHARDS`, for the functions that write open work or list it. */
  readonly dueShards: string;

  constructor(scope: Construct, id: string, props: LedgerTableProps) {
    super(scope, id);
    const { adopted, dueShards } = props;
    checkWhole('dueShards', dueShards, 1, mostDueShards);
    this.dueShards = String(dueShards);
    this.table = adopted === undefined ? this.#newTable(props) : adoptLedger(this, adopted);

    const throttles = { statistic: Stats.SUM, period: Duration.minutes(1) };
    props.addAlarm(this, 'Throttled', {
      name: 'wallet table throttled',
      severity: 'warning',
      metric: new MathExpression({
        label: 'throttled reads and writes',
        // A sum, because a kind of throttle that never occurred has no points, and FILL adds none to a metric without any.
        expression: 'SUM(METRICS())',
        period: Duration.minutes(1),
        usingMetrics: {
          reads: this.table.metric('ReadThrottleEvents', throttles),
          writes: this.table.metric('WriteThrottleEvents', throttles),
        },
      }),
      threshold: 10,
      periods: 5,
      meaning: 'The table has been refusing reads or writes for five minutes; commands answer 503 busy.',
      runbook: 'table-throttled',
    });
  }

  /** Adds a table with the indexes that the service queries. */
  #newTable({ capacity, deletionProtection }: LedgerTableProps): ITableV2 {
    const table = new TableV2(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      ...capacity.table('ledger'),
      encryption: tableEncryption(this),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection,
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'ttl',
    });
    const addIndex = (
      index: keyof typeof indexes,
      partitionKey: string,
      sortKey: string,
      projectionType = ProjectionType.ALL,
    ) => {
      table.addGlobalSecondaryIndex({
        projectionType,
        indexName: indexes[index],
        ...capacity.index(index),
        partitionKey: { name: partitionKey, type: AttributeType.STRING },
        sortKey: { name: sortKey, type: AttributeType.STRING },
      });
    };
    addIndex('byWallet', 'walletId', 'historyKey');
    addIndex('byCounterparty', 'counterpartyWalletId', 'historyKey');
    addIndex('due', 'dueShard', 'dueAt');
    // With the keys alone, so that a change of a transaction does not write to it.
    addIndex('byReference', 'externalReference', 'historyKey', ProjectionType.KEYS_ONLY);
    return table as ITableV2;
  }

  /** Returns the ARN of the stream of changes, with both images of each item. */
  get streamArn(): string {
    const { tableStreamArn } = this.table;
    if (tableStreamArn === undefined) throw new Error('the table has no stream');
    return tableStreamArn;
  }

  /** Returns `TABLE_NAME` with a grant for exactly these actions on items, and to query exactly these indexes. */
  allow(grants: Grants<keyof typeof ledgerItems>, indexNames: readonly (keyof typeof indexes)[] = []): Access {
    return allowTable(
      this.table,
      ledgerItems,
      grants,
      indexNames.map((name) => indexes[name]),
    );
  }

  /**
   * Returns `TABLE_NAME` with a grant to accept transfers or withdrawals within the caller's limits.
   *
   * @param named what the route reads first to know its receiver
   */
  allowPayments(named: readonly 'alias'[] = []): Access {
    return this.allow({
      GetItem: ['transaction', ...named],
      BatchGetItem: ['transaction', 'reference', 'wallet', 'rateWindow'],
      PutItem: ['transaction', 'reference'],
      UpdateItem: ['wallet', 'rateWindow'],
    });
  }
}
