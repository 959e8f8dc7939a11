import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { issuerKey } from './keys.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { writeOne } from './write-one.ts';

/**
 * Returns the token issuer whose subjects own this stack's wallets: `iss`, letter for letter. Undefined before the
 * first token. A consistent read.
 */
export async function getIssuer(table: Table): Promise<string | undefined> {
  const { Item } = await withRetries(table, () =>
    table.client.send(new GetCommand({ TableName: table.name, Key: issuerKey(), ConsistentRead: true })),
  );
  return Item && (Item['issuer'] as string);
}

/**
 * Returns the token issuer whose subjects own this stack's wallets. If none is stored, records `issuer`. Of two
 * simultaneous calls one is recorded, and both return that issuer. A repeated write after a lost answer returns the
 * issuer that the first stored.
 *
 * @throws WalletError `busy` when the table is not reached in time
 */
export async function claimIssuer(table: Table, issuer: string): Promise<string> {
  const known = await getIssuer(table);
  if (known !== undefined) return known;
  const command = new PutCommand({
    TableName: table.name,
    Item: { ...issuerKey(), issuer, since: new Date(table.now()).toISOString() },
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const result = await writeOne(table, command);
  if (result.written) return issuer;
  const first = result.image?.['issuer'];
  if (typeof first !== 'string') throw new Error('the issuer that another call recorded cannot be read');
  return first;
}
