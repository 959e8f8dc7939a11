import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { Transaction } from '../domain/transaction.ts';
import type { Wallet } from '../domain/wallet.ts';
import type { StoredDetails } from '../domain/wallet-details.ts';
import type { Approval } from '../domain/approval.ts';
import type { StandingOrder } from '../domain/standing-order.ts';
import { parseApproval } from './approvals.ts';
import { kindOf } from './keys.ts';
import { parseOrder } from './order-item.ts';
import { toTransaction } from './transactions.ts';
import { UnreadableItem } from './unreadable.ts';
import { parseDetails } from './wallet-details.ts';
import { parseWallet } from './wallets.ts';
import { fromItem } from './write.ts';

/** A change of one item in the table's stream: the item after it, and before it (absent: it was made). */
export type Change =
  | { readonly kind: 'wallet'; readonly before: Wallet | undefined; readonly after: Wallet }
  | { readonly kind: 'details'; readonly after: StoredDetails }
  | { readonly kind: 'transaction'; readonly before: Transaction | undefined; readonly after: Transaction }
  | { readonly kind: 'approval'; readonly before: Approval | undefined; readonly after: Approval }
  | { readonly kind: 'order'; readonly before: StandingOrder | undefined; readonly after: StandingOrder };

/**
 * Returns the change of a wallet, its details, a transaction, approval or standing order in a record of the stream. Returns undefined for
 * other items, and for deletions: only approvals have them, long after their end.
 *
 * @throws UnreadableItem for an item that this release does not know, so that its change is kept for a newer one
 */
export function changeOf(record: DynamoDBRecord): Change | undefined {
  const { Keys = {}, OldImage, NewImage } = record.dynamodb ?? {};
  if (NewImage === undefined) return undefined;
  const key = read(Keys);
  const kind = kindOf(key);
  switch (kind) {
    case 'wallet':
      return { kind, before: OldImage && parseWallet(read(OldImage)), after: parseWallet(read(NewImage)) };
    case 'details':
      return { kind, after: parseDetails(read(NewImage)) };
    case 'transaction': {
      const after = toTransaction(read(NewImage));
      return after && { kind, before: OldImage && toTransaction(read(OldImage)), after };
    }
    case 'approval':
      return { kind, before: OldImage && parseApproval(read(OldImage)), after: parseApproval(read(NewImage)) };
    case 'order':
      return { kind, before: OldImage && parseOrder(read(OldImage)), after: parseOrder(read(NewImage)) };
    case 'other':
      return undefined;
    case undefined:
      throw new UnreadableItem(key, 'its sort key is of an unknown type of item');
  }
}

type Image = NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>;

/** Converts an image. Lambda's and the SDK's types differ only in binary values, which no item has. */
function read(image: Image) {
  return fromItem(image as Record<string, AttributeValue>);
}
