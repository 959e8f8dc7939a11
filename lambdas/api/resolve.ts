import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { isTransactionId } from '../domain/ids.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import type { Transaction } from '../domain/transaction.ts';
import { ownDecision } from '../domain/wallet.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { askIfNeeded, readFourEyes } from '../http/four-eyes.ts';
import type { FourEyesServices } from '../http/four-eyes.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import type { OperatorServices } from '../http/http.ts';
import { readOperatorLimits } from '../http/operator-limits.ts';
import { fields } from '../http/body-fields.ts';
import { transactionView } from '../views/transaction-view.ts';
import { refuseCommand } from '../store/operations.ts';
import { openTable } from '../store/table.ts';
import { getTransaction } from '../store/transactions.ts';
import { resolveWithdrawal } from '../store/withdrawals.ts';

const body = z.strictObject({ outcome: z.enum(['completed', 'failed']), evidence: fields.text(512) });

/**
 * `POST /transactions/{transactionId}/resolve`: an operator who knows the bank's outcome ends a withdrawal in review.
 * Operators do not resolve their own withdrawals. It may need the approval of a second operator. The route reads first,
 * because only the record has the wallet and the amount. The write's condition decides.
 */
export const resolve = command<typeof body, OperatorServices & FourEyesServices>({
  name: 'resolve',
  body,
  async handle(call, services) {
    const { caller, path, operation } = call;
    const { table, operatorLimits } = services;
    const transactionId = path['transactionId'] ?? '';
    const transaction = isTransactionId(transactionId) ? await getTransaction(table, transactionId) : undefined;
    if (transaction === undefined) throw new WalletError('transaction_not_found');
    const { principal, at, approval } = operation;
    const overLimit = overOperatorLimit(operatorLimits, 'resolve', caller, transaction);
    if (transaction.type !== 'withdrawal') {
      return refuseCommand(table, operation, overLimit ?? refusalOfOther(transaction, principal));
    }
    const { walletId, amount, currency, principal: requestedBy } = transaction;
    const askRefusal = transaction.status === 'review' ? ownRefusal(transaction, principal) : notInReview();
    const { answer, refusal } = await askIfNeeded(services, call, {
      facts: { command: 'resolve', walletIds: [walletId], amount, currency, requestedBy },
      refusal: overLimit,
      look: () => Promise.resolve({ askRefusal }),
    });
    if (answer !== undefined) return answer;
    const verdict = {
      withdrawal: transaction,
      at,
      from: ['review'],
      failure:
        call.body.outcome === 'failed'
          ? { code: 'resolved_as_failed', message: 'An operator has found that the bank did not pay' }
          : undefined,
      resolution: { ...call.body, principal, at, approvedBy: approval?.by },
    } as const;
    const { replayed } = await resolveWithdrawal(table, operation, verdict, refusal);
    const resolved = await getTransaction(table, transactionId);
    return committed(200, transactionView(resolved ?? transaction, 'operator'), replayed);
  },
});

/** Returns the refusal of a transaction that is no withdrawal: as for a withdrawal that is not in review. */
function refusalOfOther(transaction: Transaction, principal: string): WalletError {
  return ownRefusal(transaction, principal) ?? notInReview();
}

/** Returns the refusal of an operator's own transaction. */
function ownRefusal(transaction: Transaction, principal: string): WalletError | undefined {
  return transaction.principal === principal ? ownDecision('withdrawal') : undefined;
}

function notInReview(): WalletError {
  return new WalletError('not_in_review');
}

export const open = (environment: Environment<'resolve'>) =>
  serve(resolve, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    operatorLimits: readOperatorLimits(environment.OPERATOR_LIMITS),
    fourEyes: readFourEyes(environment.FOUR_EYES),
  });
