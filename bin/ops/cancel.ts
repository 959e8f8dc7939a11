import { createHash } from 'node:crypto';
import { isTransactionId } from '../../lambdas/domain/ids.ts';
import { UsageError } from '../command.ts';
import type { OpsOptions, Report, Target } from './target.ts';

/** Cancels a withdrawal that has not left for the bank, or a scheduled payment, by the API. A repetition has the same key, and so no effect. */
export async function cancel({ apiUrl, token }: Target, { subject = '', reason }: OpsOptions): Promise<Report> {
  if (!isTransactionId(subject)) {
    throw new UsageError(`cancel needs the id of a withdrawal or scheduled payment (tx_…), received "${subject}"`);
  }
  const body = JSON.stringify(reason === undefined ? {} : { reason });
  const response = await fetch(`${apiUrl}/transactions/${subject}/cancel`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${await token('wallet:support')}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': `ops-cancel-${createHash('sha256')
        .update(subject + body)
        .digest('hex')
        .slice(0, 32)}`,
    },
    body,
  });
  const answer = (await response.json()) as { status?: unknown; code?: unknown; title?: unknown; detail?: unknown };
  if (response.ok) {
    return { lines: [`${subject}: ${String(answer.status)}; its money is available`], data: answer };
  }
  const detail = typeof answer.detail === 'string' ? `: ${answer.detail}` : '';
  throw new UsageError(
    `not cancelled: ${String(response.status)} ${String(answer.code)}, ${String(answer.title)}${detail}`,
  );
}
