import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { fields } from '../http/body-fields.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import { openLimits } from '../http/limits.ts';
import { getReceivedHold } from '../http/received-hold.ts';
import { transactionView } from '../views/transaction-view.ts';
import { releaseOpenHold } from '../store/holds.ts';
import { openTable } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';

const body = z.strictObject({ reason: z.optional(fields.text(256)) });

/**
 * `POST /holds/{transactionId}/release`: ends a hold, and gives what is left back to the payer. For the owner of the
 * wallet that the hold names and for operators. The payer waits until it expires.
 */
export const release = command({
  name: 'release',
  body,
  async handle({ caller, path, body, operation }, { table }) {
    const holdId = path['transactionId'] ?? '';
    // Read first, as only the record has the wallets and the amount. The conditions of the write decide.
    const { hold, audience } = await getReceivedHold(table, caller, operation, holdId);
    const { replayed } = await releaseOpenHold(table, operation, { hold, ...body });
    const ended = await getTransaction(table, holdId);
    return committed(200, transactionView(ended ?? hold, audience), replayed);
  },
});

export const open = (environment: Environment<'release'>) =>
  serve(release, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openLimits({
      cancellationsPerHour: positiveInteger(environment, 'CANCELLATIONS_PER_HOUR'),
    }),
  });
