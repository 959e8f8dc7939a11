import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../contract.ts';
import type { OpenOfWallet } from '../domain/wallet.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';

/** The newest transactions of a wallet that are read: an answer of up to a megabyte, 128 read units. */
const mostRead = 1_000;

/**
 * Lists the open transactions among the newest that a wallet has made: withdrawals, holds and transfers on their way. An
 * entry of the index that cannot be read counts, too.
 *
 * @throws WalletError `busy` after one try: the list explains a refusal, which is answered without it
 */
export async function listOpenOfWallet(table: Table, walletId: string): Promise<OpenOfWallet> {
  const command = new QueryCommand({
    TableName: table.name,
    IndexName: indexes.byWallet,
    KeyConditionExpression: 'walletId = :wallet',
    // Open work alone is in the index of due work.
    FilterExpression: 'attribute_exists(dueShard)',
    ExpressionAttributeValues: { ':wallet': walletId },
    ScanIndexForward: false,
    Limit: mostRead,
  });
  const { Items = [], LastEvaluatedKey } = await withRetries(table, () => table.client.send(command), table.now());
  return {
    transactions: Items.map(({ type, transactionId }) => ({
      type: String(type),
      transactionId: String(transactionId),
    })),
    isComplete: LastEvaluatedKey === undefined,
  };
}
