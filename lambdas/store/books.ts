import { QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { indexes } from '../contract.ts';
import type { BookedTransaction } from '../domain/bookings.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import { kindOf, transactionIdOfHistoryKey, transactionKey } from './keys.ts';
import { persist } from './table.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import { toWallet } from './wallets.ts';
import { fromItem, toItem } from './write.ts';
import type { Item } from './write.ts';

/** The place of an item in a scan of the table. */
export interface Place {
  readonly pk: string;
  readonly sk: string;
}

/** An item of the books; `unreadable` is one that cannot be what its key says. */
export type BookItem = { readonly place: Place } & (
  | { readonly kind: 'wallet'; readonly wallet: Wallet }
  | { readonly kind: 'transaction'; readonly transaction: Transaction }
  | { readonly kind: 'unreadable'; readonly problem: string }
);

/** Reads up to 1 MB of one segment of the table: its wallets and transactions, about 128 read units. */
export async function scanBooks(
  table: Table,
  part: { segment: number; segments: number; after: Place | undefined },
): Promise<{ items: BookItem[]; next: Place | undefined; readUnits: number }> {
  const {
    Items = [],
    LastEvaluatedKey,
    ConsumedCapacity,
  } = await persist(table, () =>
    table.client.send(
      new ScanCommand({
        TableName: table.name,
        Segment: part.segment,
        TotalSegments: part.segments,
        FilterExpression: 'sk IN (:wallet, :transaction)',
        ExpressionAttributeValues: toItem({ ':wallet': 'WALLET', ':transaction': 'TX' }),
        ReturnConsumedCapacity: 'TOTAL',
        ...(part.after && { ExclusiveStartKey: toItem(part.after) }),
      }),
    ),
  );
  return {
    items: Items.flatMap((item) => toBookItem(item) ?? []),
    next: LastEvaluatedKey && (fromItem(LastEvaluatedKey) as unknown as Place),
    readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
  };
}

function toBookItem(stored: Parameters<typeof fromItem>[0]): BookItem | undefined {
  const place = { pk: stored['pk']?.S ?? '', sk: stored['sk']?.S ?? '' };
  let item: Item;
  try {
    item = fromItem(stored);
  } catch (error) {
    return { place, kind: 'unreadable', problem: error instanceof Error ? error.message : 'it has no values' };
  }
  const wallet = kindOf(place) === 'wallet' ? toWallet(item) : undefined;
  const transaction = wallet === undefined ? toTransaction(item) : undefined;
  const id: unknown = wallet?.walletId ?? transaction?.transactionId;
  if ((wallet ?? transaction) !== undefined && typeof id !== 'string') {
    return { place, kind: 'unreadable', problem: 'it has no id' };
  }
  if (wallet) return { place, kind: 'wallet', wallet };
  return transaction && { place, kind: 'transaction', transaction };
}

/** On which side of its transactions a wallet is. */
export type Side = 'sender' | 'receiver';

const sides = {
  sender: { index: indexes.byWallet, wallet: 'walletId' },
  receiver: { index: indexes.byCounterparty, wallet: 'counterpartyWalletId' },
} as const;

/** Reads up to 1 MB of a wallet's transactions on one side, oldest first, behind the history key `after`. */
export async function readBookings(
  table: Table,
  of: { side: Side; walletId: string; after: string | undefined },
): Promise<{ items: BookedTransaction[]; next: string | undefined; readUnits: number }> {
  const { index, wallet } = sides[of.side];
  const {
    Items = [],
    LastEvaluatedKey,
    ConsumedCapacity,
  } = await persist(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: index,
        KeyConditionExpression: `${wallet} = :walletId`,
        ExpressionAttributeValues: toItem({ ':walletId': of.walletId }),
        ProjectionExpression: 'postings, createdAt, updatedAt, completedAt',
        ReturnConsumedCapacity: 'TOTAL',
        ...(of.after !== undefined && {
          ExclusiveStartKey: toItem({
            ...transactionKey(transactionIdOfHistoryKey(of.after)),
            [wallet]: of.walletId,
            historyKey: of.after,
          }),
        }),
      }),
    ),
  );
  return {
    items: Items.map((item) => fromItem(item) as unknown as BookedTransaction),
    next: LastEvaluatedKey && (fromItem(LastEvaluatedKey)['historyKey'] as string),
    readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
  };
}
