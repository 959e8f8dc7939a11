/** What was collected of the fees of each currency: an item for each, which its collections are written with. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Collected } from '../domain/collection.ts';
import { isTime } from '../domain/hours.ts';
import { fingerprintOf } from '../domain/ids.ts';
import { isAmount, isSum } from '../domain/money.ts';
import type { Sum } from '../domain/money.ts';
import type { Collection } from '../domain/transaction.ts';
import { movement, putTransaction } from './commit.ts';
import { feesKey } from './keys.ts';
import { credit } from './movements.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, requireVersion } from './unreadable.ts';
import { changed, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/** What is known of the fees of a currency. Hours are named by their beginnings, `yyyy-mm-ddThh`. */
export interface FeeState extends Collected {
  readonly currency: string;
  /** Up to this hour, without it, fees were counted. Empty: none were. */
  readonly countedTo: string;
  /** The fees of the hours before `settledTo`, in minor units. No booking comes so late that it changes them. */
  readonly settledTo: string;
  readonly settled: Sum;
}

/** Returns the state of the fees of a currency of which none were counted. */
export function noFees(currency: string): FeeState {
  return { currency, sequence: 0, collected: 0, countedTo: '', settledTo: '', settled: 0 };
}

/** Reads the state of the fees of a currency, consistently. */
export async function getFeeState(table: Table, currency: string): Promise<FeeState> {
  const { Item } = await withRetries(table, () =>
    table.client.send(new GetCommand({ TableName: table.name, Key: feesKey(currency), ConsistentRead: true })),
  );
  return Item === undefined ? noFees(currency) : parseFeeState(Item);
}

/**
 * Returns the state in a stored item.
 *
 * @throws UnreadableItem for a newer version; InvalidItem for an item from which no collection can be computed
 */
export function parseFeeState(item: Item): FeeState {
  requireVersion(item);
  const { currency, sequence, collected, countedTo, settledTo, settled } = item;
  const isKnown = typeof currency === 'string' && feesKey(currency).pk === item['pk'];
  const areCounts = [sequence, collected].every((count) => count === 0 || isAmount(count));
  const areHours = [countedTo, settledTo].every((hour) => hour === '' || isTime(hour));
  if (!isKnown || !areCounts || !areHours || !isSum(settled)) {
    throw new InvalidItem(item, 'what was collected of the fees is not known');
  }
  return { currency, sequence, collected, countedTo, settledTo, settled } as FeeState;
}

/** Returns the item that holds a state. */
export function feeItem(state: FeeState): Item {
  return { ...feesKey(state.currency), v: itemVersion, ...state };
}

/**
 * Stores that fees were counted, and collects them into their revenue wallet: one write of 2 write units, or of 7 with a
 * collection. The condition on the state lets one of simultaneous writes through. So does the id of the collection, which is
 * that of its number.
 *
 * @param before as it was read
 * @param collection absent: there is nothing to collect
 * @returns false when another writer was faster; nothing is written then
 * @throws WalletError `wallet_not_found`, `wallet_frozen`, `wallet_closed`, `balance_limit_exceeded` or `limit_exceeded` of the
 * revenue wallet, or `busy`
 */
export async function commitFees(
  table: Table,
  before: FeeState,
  after: FeeState,
  collection: Collection | undefined,
): Promise<boolean> {
  const ofCollection =
    collection === undefined
      ? []
      : [
          putTransaction(table, collection, fingerprintOf(['collection', collection.currency, collection.sequence])),
          credit(table, movement(collection)),
        ];
  const result = await write(table, [putFeeState(table, before, after), ...ofCollection]);
  if (result.written) return true;
  const [first] = result.refusals;
  if (first.kind === 'denied') throw first.error;
  if (first.kind === 'replay') {
    throw new Error(`collection ${after.sequence} of ${after.currency} exists, and its fees do not show it`);
  }
  return false;
}

function putFeeState(table: Table, before: FeeState, after: FeeState): WriteItem {
  const isFirst = before.countedTo === '' && before.sequence === 0;
  return {
    label: 'fees',
    request: {
      Put: {
        TableName: table.name,
        Item: feeItem(after),
        ...(isFirst
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'countedTo = :countedTo AND #sequence = :sequence AND collected = :collected',
              ExpressionAttributeNames: { '#sequence': 'sequence' },
              ExpressionAttributeValues: {
                ':countedTo': before.countedTo,
                ':sequence': before.sequence,
                ':collected': before.collected,
              },
            }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused: changed,
  };
}
