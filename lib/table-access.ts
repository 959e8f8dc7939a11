import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Access } from './wallet-function.ts';

/** DynamoDB actions that functions are granted. A transaction is authorised by the actions of its items. */
export type TableAction = 'GetItem' | 'BatchGetItem' | 'Query' | 'Scan' | 'PutItem' | 'UpdateItem' | 'DeleteItem';

/** The table's name with leave for exactly these actions on items, and to query exactly these indexes. */
export function allowTable(
  { tableArn, tableName }: TableV2,
  actions: readonly TableAction[],
  indexNames: readonly string[] = [],
): Access {
  const items = { actions: actions.map((action) => `dynamodb:${action}`), resources: [tableArn] };
  const queries = { actions: ['dynamodb:Query'], resources: indexNames.map((name) => `${tableArn}/index/${name}`) };
  return {
    value: tableName,
    grants: [items, queries].filter(({ resources, actions: some }) => resources.length > 0 && some.length > 0),
  };
}
