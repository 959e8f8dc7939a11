import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../contract.ts';
import type { Transaction, TransactionStatus, TransactionType } from '../domain/transaction.ts';
import { kindOf, transactionKey } from './keys.ts';
import { transactionIdOfHistoryKey } from './history-keys.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { getTransactions } from './transactions.ts';
import { legible } from './unreadable.ts';

/** The selection of a page of transactions with a reference. Times are ISO 8601 UTC: `from` inclusive, `to` exclusive. */
export interface ReferenceQuery {
  readonly externalReference: string;
  readonly limit: number;
  /** History key after which the page begins (see keys.ts); absent for the newest page. */
  readonly after?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly type?: TransactionType | undefined;
  readonly status?: TransactionStatus | undefined;
  /** Returns whether a transaction is listed; absent: each is. */
  readonly isListed?: (transaction: Transaction) => boolean;
}

/** Transactions that one page reads at most. It is answered short, with a cursor, when filters leave few of them. */
const mostRead = 500;
/** Transactions that one call reads. */
const mostAtATime = 100;

/**
 * Reads a page of the transactions of all owners that have a reference, newest first: one query of the index, which has
 * their keys alone, and one read of the transactions. For operators only: the index does not know who may see them.
 */
export async function listByReference(
  table: Table,
  query: ReferenceQuery,
): Promise<{ items: Transaction[]; next?: string }> {
  const { limit, type, status, isListed = () => true } = query;
  const isFiltered = [type, status, query.isListed].some((filter) => filter !== undefined);
  const items: Transaction[] = [];
  let { after } = query;
  for (let read = 0; read < mostRead;) {
    const wanted = limit - items.length;
    const entries = await readEntries(table, { ...query, after }, isFiltered ? mostAtATime : wanted);
    const found = await getTransactions(table, entries.transactionIds);
    const listed = [...found.values()]
      .flatMap((transaction) => legible(transaction) ?? [])
      .filter((one) => (type ?? one.type) === one.type && (status ?? one.status) === one.status && isListed(one));
    items.push(...listed.slice(0, wanted));
    after = listed.length > wanted ? entries.keyOf(items.at(-1)) : entries.next;
    if (after === undefined || items.length === limit) break;
    read += mostAtATime;
  }
  return after === undefined ? { items } : { items, next: after };
}

interface Entries {
  readonly transactionIds: readonly string[];
  /** The history key down to which the index was read; undefined at its end. */
  readonly next?: string | undefined;
  readonly keyOf: (transaction: Transaction | undefined) => string | undefined;
}

/** Reads the next entries of the index, newest first. */
async function readEntries(
  table: Table,
  { externalReference, from = '0', to = '~', after }: ReferenceQuery,
  limit: number,
): Promise<Entries> {
  if (to <= from || (after !== undefined && after <= from)) return { transactionIds: [], keyOf: () => undefined };
  const start = after !== undefined && after < to ? after : undefined;
  const { Items = [], LastEvaluatedKey } = await withRetries(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: indexes.byReference,
        KeyConditionExpression: 'externalReference = :reference AND historyKey BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':reference': externalReference, ':from': from, ':to': to },
        ScanIndexForward: false,
        ...(start && {
          ExclusiveStartKey: {
            ...transactionKey(transactionIdOfHistoryKey(start)),
            externalReference,
            historyKey: start,
          },
        }),
        Limit: limit,
      }),
    ),
  );
  // Standing orders have references, too.
  const keys = Items.filter((item) => kindOf(item) === 'transaction').map(({ historyKey }) => String(historyKey));
  const keyOfId = new Map(keys.map((key) => [transactionIdOfHistoryKey(key), key]));
  return {
    transactionIds: [...keyOfId.keys()],
    next: LastEvaluatedKey && String(LastEvaluatedKey['historyKey']),
    keyOf: (transaction: Transaction | undefined) => transaction && keyOfId.get(transaction.transactionId),
  };
}
