import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { byRoute } from '../http/by-route.ts';
import { query, serve } from '../http/http.ts';
import type { RouteServices } from '../http/http.ts';
import { batchView } from '../views/batch-view.ts';
import { getBatch as readBatch } from '../store/batches.ts';
import { openTable } from '../store/table.ts';
import { listBatchItems } from './list-batch-items.ts';

/** `GET /batches/{batchId}`: the progress of a batch. */
export const getBatch = query({
  name: 'get-batch',
  query: z.strictObject({}),
  async handle({ path }, { table }: RouteServices) {
    const batch = await readBatch(table, path['batchId'] ?? '');
    if (batch === undefined) throw new WalletError('batch_not_found');
    return { status: 200, body: batchView(batch) };
  },
});

/** Opens the function of both routes that read a batch. */
export function open(environment: Environment<'get-batch'>) {
  const services = { table: openTable(dynamodbClient(), environment.TABLE_NAME) };
  return byRoute('get-batch', {
    'get-batch': serve(getBatch, services),
    'list-batch-items': serve(listBatchItems, services),
  });
}
