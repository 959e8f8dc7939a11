import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

/** A table that exists already, in the account and region of the stack: one that was restored from a backup. */
export interface AdoptedTable {
  /** `arn:aws:dynamodb:<region>:<account>:table/<name>` */
  readonly tableArn: string;
}

/** A wallet table that exists already. The service reads its stream, too. */
export interface AdoptedLedger extends AdoptedTable {
  /** The ARN of the table's stream of new and old images: `<ARN of the table>/stream/<time>`. */
  readonly streamArn: string;
}

/**
 * Returns the wallet table as a construct, without a resource in the template.
 *
 * @throws Error for ARNs that are not those of a table and of its stream
 */
export function adoptLedger(scope: Construct, { tableArn, streamArn }: AdoptedLedger): ITableV2 {
  checkTableArn(scope, 'ledgerTable', tableArn);
  const areKnown = !Token.isUnresolved(tableArn) && !Token.isUnresolved(streamArn);
  const [ofTable, label = '', ...others] = streamArn.split('/stream/');
  if (areKnown && (ofTable !== tableArn || label === '' || others.length > 0)) {
    throw new Error(`ledgerTable.streamArn must be ${tableArn}/stream/<time>, received "${streamArn}"`);
  }
  return TableV2.fromTableAttributes(scope, 'Table', { tableName: nameOf(scope, tableArn), tableStreamArn: streamArn });
}

/**
 * Returns the table of entries as a construct, without a resource in the template.
 *
 * @throws Error for an ARN that is not that of a table
 */
export function adoptEntries(scope: Construct, { tableArn }: AdoptedTable): ITableV2 {
  checkTableArn(scope, 'entriesTable', tableArn);
  return TableV2.fromTableName(scope, 'Table', nameOf(scope, tableArn));
}

/** Returns the name in an ARN. An import by ARN would have a region of its own, in which the CDK looks for its metrics. */
function nameOf(scope: Construct, tableArn: string): string {
  return Stack.of(scope).splitArn(tableArn, ArnFormat.SLASH_RESOURCE_NAME).resourceName ?? '';
}

/** Throws for an ARN of another form, account or region. Does not check an ARN that is known at deployment only. */
function checkTableArn(scope: Construct, prop: string, arn: string): void {
  if (Token.isUnresolved(arn)) return;
  const found = /^arn:aws[a-z-]*:dynamodb:(?<region>[a-z0-9-]+):(?<account>\d{12}):table\/[\w.-]{3,255}$/.exec(arn);
  if (!found?.groups) {
    throw new Error(
      `${prop}.tableArn must be like arn:aws:dynamodb:eu-west-1:111122223333:table/name, received "${arn}"`,
    );
  }
  const stack = Stack.of(scope);
  for (const part of ['region', 'account'] as const) {
    if (Token.isUnresolved(stack[part]) || stack[part] === found.groups[part]) continue;
    throw new Error(`${prop}.tableArn must be in the stack's ${part}, ${stack[part]}, received "${arn}"`);
  }
}
