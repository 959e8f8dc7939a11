import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { isAmount } from '../domain/money.ts';
import type { TransactionType } from '../domain/transaction.ts';
import type { ItemKey } from './books.ts';
import { transactionKey } from './keys.ts';
import { readMany } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { parsed, requireTransactionVersion, UnreadableItem } from './unreadable.ts';
import { fromItem, toItem } from './write.ts';

/** The members of a transaction that a bank's file is compared with. None is personal data. */
export interface BankMovement {
  readonly transactionId: string;
  readonly type: TransactionType;
  readonly status: string;
  readonly walletId: string;
  readonly amount: number;
  readonly currency: string;
  readonly completedAt?: string;
  readonly bankId?: string;
  readonly externalReference?: string;
  /** Of a return: the withdrawal. */
  readonly originalTransactionId?: string;
  /** Of a withdrawal that came back. */
  readonly returnTransactionId?: string;
}

/** A record that cannot be read. */
export interface UnreadableMovement {
  readonly transactionId: string;
  readonly problem: string;
}

const members = [
  ...['pk', 'v', 'fee', 'type', 'status', 'walletId', 'amount', 'currency', 'completedAt', 'bankId'],
  ...['externalReference', 'originalTransactionId', 'returnTransactionId'],
];
/** Their names in expressions, as some are reserved words. */
const projection = {
  ProjectionExpression: members.map((name) => `#${name}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(members.map((name) => [`#${name}`, name])),
} as const;

/**
 * Reads up to 1 MB of a segment of the table: its withdrawals, returns and charges that changed since a time (ISO 8601).
 * The read is eventually consistent, some 128 read units, and paid for all items in it.
 */
export async function scanBankMovements(
  table: Table,
  part: { segment: number; segments: number; after: ItemKey | undefined; since: string },
): Promise<{
  movements: (BankMovement | UnreadableMovement)[];
  scanned: number;
  readUnits: number;
  next: ItemKey | undefined;
}> {
  const answer = await withRetries(table, () =>
    table.client.send(
      new ScanCommand({
        TableName: table.name,
        Segment: part.segment,
        TotalSegments: part.segments,
        ProjectionExpression: projection.ProjectionExpression,
        FilterExpression: 'sk = :transaction AND #type IN (:withdrawal, :return, :charge) AND updatedAt >= :since',
        ExpressionAttributeNames: projection.ExpressionAttributeNames,
        ExpressionAttributeValues: toItem({
          ...{ ':transaction': 'TX', ':since': part.since },
          ...{ ':withdrawal': 'withdrawal', ':return': 'return', ':charge': 'charge' },
        }),
        ReturnConsumedCapacity: 'TOTAL',
        ...(part.after && { ExclusiveStartKey: toItem(part.after) }),
      }),
    ),
  );
  const { Items = [], ScannedCount = 0, LastEvaluatedKey: last, ConsumedCapacity } = answer;
  return {
    movements: Items.flatMap((item) => toMovement(item) ?? []),
    scanned: ScannedCount,
    readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
    next: last && { pk: last['pk']?.S ?? '', sk: last['sk']?.S ?? '' },
  };
}

/** Reads transactions by their ids, consistently, 100 in a call; leaves out those that do not exist. */
export async function getBankMovements(
  table: Table,
  transactionIds: readonly string[],
): Promise<{ movements: (BankMovement | UnreadableMovement)[]; readUnits: number }> {
  const { items, readUnits } = await readMany(
    table,
    transactionIds.map(transactionKey),
    true,
    (item) => toMovement(item) ?? [],
  );
  return { movements: items, readUnits };
}

type Stored = Record<string, AttributeValue>;

/**
 * Returns the movement in an item; undefined for the record of an operation. Reads the stored values themselves: a table has
 * millions of items.
 */
function toMovement(stored: Stored): BankMovement | UnreadableMovement | undefined {
  const transactionId = (stored['pk']?.S ?? '').slice(prefixLength);
  const { type, status, walletId, currency } = {
    ...{ type: stored['type']?.S, status: stored['status']?.S },
    ...{ walletId: stored['walletId']?.S, currency: stored['currency']?.S },
  };
  if (type === 'operation') return undefined;
  const version =
    stored['v'] &&
    parsed(() => {
      requireTransactionVersion(fromItem(stored));
    });
  if (version instanceof UnreadableItem) return { transactionId, problem: version.problem };
  if (type === undefined || status === undefined || walletId === undefined || currency === undefined) {
    return { transactionId, problem: 'it has no type, status, wallet or currency' };
  }
  const amount = Number(stored['amount']?.N);
  if (!isAmount(amount)) return { transactionId, problem: `its amount is ${stored['amount']?.N ?? 'missing'}` };
  return {
    ...{ transactionId, type: type as TransactionType, status, walletId, amount, currency },
    ...textsIn(stored, texts),
  };
}

const prefixLength = transactionKey('').pk.length;
const texts = [
  ...(['completedAt', 'bankId', 'externalReference'] as const),
  ...(['originalTransactionId', 'returnTransactionId'] as const),
] as const;

function textsIn<Name extends string>(stored: Stored, names: readonly Name[]) {
  const found: { [Each in Name]?: string } = {};
  for (const name of names) {
    const text = stored[name]?.S;
    if (text !== undefined) found[name] = text;
  }
  return found;
}
