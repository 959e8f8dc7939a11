import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { actorOf } from '../domain/actor.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { answerEnd, answerWhenEnded, requireApproval, requireScopeOf } from '../http/approvals.ts';
import { fields } from '../http/body-fields.ts';
import { command, serve } from '../http/http.ts';
import type { RouteServices } from '../http/http.ts';
import { openTable } from '../store/table.ts';

const body = z.strictObject({ reason: fields.text(256) });

/**
 * `POST /approvals/{approvalId}/reject`: ends an approval without executing its command. For operators with the scope
 * of the command. The asker may reject it too, to withdraw the request.
 */
export const reject = command<typeof body, RouteServices>({
  name: 'reject',
  body,
  async handle({ path, body: { reason }, operation, event }, { table }) {
    const approval = await requireApproval(table, path['approvalId'] ?? '');
    requireScopeOf(event, approval);
    const ended = await answerWhenEnded(table, approval, operation);
    if (ended !== undefined) return ended;
    const end = { status: 'rejected', by: actorOf(operation), at: operation.at, reason } as const;
    return answerEnd(table, approval, operation, end);
  },
});

export const open = (environment: Environment<'reject'>) =>
  serve(reject, { table: openTable(dynamodbClient(), environment.TABLE_NAME) });
