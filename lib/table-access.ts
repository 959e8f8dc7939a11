import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Access } from './wallet-function.ts';

/** DynamoDB actions on items that a request names. A transaction or batch is authorised by the actions of its items. */
type ItemAction =
  | 'GetItem'
  | 'BatchGetItem'
  | 'Query'
  | 'ConditionCheckItem'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'PartiQLInsert';

/**
 * The actions of a function on a table: for each the types of item. `Scan` reads everything, as it names no item, and
 * `DescribeTable` returns the table's size.
 */
export type Grants<ItemType extends string> = Readonly<
  Partial<Record<ItemAction, readonly ItemType[]>> & { Scan?: 'everything'; DescribeTable?: 'everything' }
>;

/**
 * Returns the table's name with a grant for exactly these actions on items of these types, and to query exactly these
 * indexes.
 *
 * The types become a condition on the partition key. Every action in it names its keys in the request, so its set of
 * keys is never empty. An empty set would fulfil `ForAllValues`.
 *
 * @param items how the partition keys of each type of item begin
 */
export function allowTable<ItemType extends string>(
  { tableArn, tableName }: Pick<ITableV2, 'tableArn' | 'tableName'>,
  items: Readonly<Record<ItemType, string>>,
  grants: Grants<ItemType>,
  indexNames: readonly string[] = [],
): Access {
  const { Scan: scan, DescribeTable: describe, ...actions } = grants;
  const whole = [...(scan ? ['dynamodb:Scan'] : []), ...(describe ? ['dynamodb:DescribeTable'] : [])];
  const ofItems = (Object.entries(actions) as [ItemAction, readonly ItemType[]][]).map(([action, types]) => ({
    actions: [`dynamodb:${action}`],
    resources: [tableArn],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': types.map((type) => `${items[type]}*`) } },
  }));
  const indexes = indexNames.map((name) => `${tableArn}/index/${name}`);
  return {
    value: tableName,
    grants: [
      ...ofItems,
      ...whole.map((action) => ({ actions: [action], resources: [tableArn] })),
      ...(indexes.length === 0 ? [] : [{ actions: ['dynamodb:Query'], resources: indexes }]),
    ],
  };
}
