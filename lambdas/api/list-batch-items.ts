import * as z from 'zod/mini';
import { WalletError } from '../domain/errors.ts';
import { transactionIdOfLine } from '../domain/ids.ts';
import { cursorOf, readCursor } from '../http/cursor.ts';
import { query } from '../http/http.ts';
import type { RouteServices } from '../http/http.ts';
import { queryFields } from '../http/query-fields.ts';
import { batchItemView } from '../views/batch-view.ts';
import { getBatch, getChunk } from '../store/batches.ts';
import { readLines } from '../store/payments.ts';
import { readable } from '../store/unreadable.ts';

/**
 * `GET /batches/{batchId}/items`: the lines of a batch in the order of the file, each with its state now. A page
 * without `nextCursor` is the last one. Any other page may be short.
 */
export const listBatchItems = query({
  name: 'list-batch-items',
  query: z.strictObject({ limit: queryFields.limit, cursor: z.optional(z.string()) }),
  async handle({ path, query: { limit, cursor } }, { table }: RouteServices) {
    const batchId = path['batchId'] ?? '';
    const [part = 0, from = 0] = (readCursor(cursor, isPosition) ?? '0.0').split('.').map(Number);
    const [batch, chunk] = await Promise.all([getBatch(table, batchId), getChunk(table, batchId, part)]);
    if (batch === undefined) throw new WalletError('batch_not_found');
    const { keys } = chunk ?? { keys: [] };
    const page = keys.slice(from, from + limit);
    const ids = page.map((key) => transactionIdOfLine(batchId, key));
    const states = await readLines(table, ids);
    const isPartOver = from + limit >= keys.length;
    const nextPart = part + 1 < batch.chunks ? `${part + 1}.0` : undefined;
    return {
      status: 200,
      body: {
        items: page.map((key) => {
          const state = states.get(transactionIdOfLine(batchId, key));
          return batchItemView(batchId, key, state && readable(state));
        }),
        nextCursor: cursorOf(isPartOver ? nextPart : `${part}.${from + limit}`),
      },
    };
  },
});

/** Returns whether a text can be a position: the number of a part, and that of a line in it. */
function isPosition(text: string): boolean {
  return /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})$/.test(text);
}
