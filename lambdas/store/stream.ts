import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import { kindOf } from './keys.ts';
import { toTransaction } from './transactions.ts';
import { toWallet } from './wallets.ts';
import { fromItem } from './write.ts';

/** A change of one item as the table's stream tells it: the item as it became, and as it was (absent: it was made). */
export type Change =
  | { readonly kind: 'wallet'; readonly before: Wallet | undefined; readonly after: Wallet }
  | { readonly kind: 'transaction'; readonly before: Transaction | undefined; readonly after: Transaction };

/**
 * The change of a wallet or transaction in a record of the stream; undefined for other items, and for what is deleted,
 * which wallets and transactions never are.
 */
export function changeOf(record: DynamoDBRecord): Change | undefined {
  const { Keys, OldImage, NewImage } = record.dynamodb ?? {};
  if (NewImage === undefined) return undefined;
  const kind = kindOf(read(Keys ?? {}));
  if (kind === 'wallet') {
    const after = toWallet(read(NewImage));
    return after && { kind, before: OldImage && toWallet(read(OldImage)), after };
  }
  if (kind === 'transaction') {
    const after = toTransaction(read(NewImage));
    return after && { kind, before: OldImage && toTransaction(read(OldImage)), after };
  }
  return undefined;
}

type Image = NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>;

/** Lambda's and the SDK's types of an item differ only in how they write binary values, of which there are none. */
function read(image: Image) {
  return fromItem(image as Record<string, AttributeValue>);
}
