import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { fromItem } from './write.ts';
import type { Item } from './write.ts';

/**
 * The result of a write of one item. `attributes`: what the command's `ReturnValues` asks for. `image`: the item that
 * the condition was tested on, when the command asks for it and there is one.
 */
export type WrittenOne =
  | { readonly written: true; readonly attributes: Item | undefined }
  | { readonly written: false; readonly image: Item | undefined };

/**
 * Writes one item on its condition, with retries. After a try whose answer was lost, the next one may find its own
 * write, and is refused.
 *
 * @throws WalletError `busy` when contention, throttling or time-outs outlast the budget; the item may be written then
 * @throws UnreadableItem when the image of a refused item cannot be read
 */
export async function writeOne(table: Table, command: PutCommand | UpdateCommand): Promise<WrittenOne> {
  try {
    const { Attributes } = await withRetries(table, () => table.client.send(command as PutCommand));
    return { written: true, attributes: Attributes };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { written: false, image: error.Item && fromItem(error.Item) };
  }
}
