import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { isTransactionId } from '../domain/ids.ts';
import { command, committed, serve } from '../http/http.ts';
import { fields } from '../http/body-fields.ts';
import { openLimits } from '../http/limits.ts';
import { transactionView } from '../views/views.ts';
import { getVisibleTransaction } from '../http/visible.ts';
import { refuseCommand } from '../store/operations.ts';
import { openTable } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { cancelWithdrawal } from '../store/withdrawals.ts';

const body = z.strictObject({ reason: z.optional(fields.text(256)) });

/**
 * `POST /transactions/{transactionId}/cancel`: ends a withdrawal that has not left for the bank, and gives its money
 * back. For the wallet's owner and for operators. It reads first, because only the record has the wallet and the
 * amount. The write's condition decides.
 */
export const cancel = command({
  name: 'cancel',
  body,
  async handle({ caller, path, body, operation }, { table }) {
    const transactionId = path['transactionId'] ?? '';
    if (!isTransactionId(transactionId)) throw new WalletError('transaction_not_found');
    const { transaction: withdrawal, audience } = await getVisibleTransaction(table, caller, transactionId);
    if (withdrawal.type !== 'withdrawal') {
      const detail = 'only a withdrawal can be cancelled';
      return refuseCommand(table, operation, new WalletError('not_cancellable', { detail }));
    }
    const { replayed } = await cancelWithdrawal(table, operation, {
      withdrawal,
      cancellation: { actor: actorOf(operation), at: operation.at, ...body },
    });
    const ended = await getTransaction(table, transactionId);
    return committed(200, transactionView(ended ?? withdrawal, audience), replayed);
  },
});

export const open = (environment: Environment<'cancel'>) =>
  serve(cancel, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    limits: openLimits({
      cancellationsPerHour: positiveInteger(environment, 'CANCELLATIONS_PER_HOUR'),
    }),
  });
