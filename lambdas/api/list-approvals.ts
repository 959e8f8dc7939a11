import * as z from 'zod/mini';
import { isApprovalId } from '../domain/ids.ts';
import { cursorOf, readCursor } from '../http/cursor.ts';
import { query } from '../http/http.ts';
import type { RouteServices } from '../http/http.ts';
import { queryFields } from '../http/query-fields.ts';
import { approvalView } from '../views/approval-view.ts';
import { listApprovals as readApprovals } from '../store/approvals.ts';
import type { ApprovalPosition } from '../store/approvals.ts';

/**
 * `GET /approvals`: the commands that wait for a second operator, the next to expire first. With `status=expired`:
 * those that expired without a decision, the latest first.
 */
export const listApprovals = query({
  name: 'list-approvals',
  query: z.strictObject({
    status: z._default(z.enum(['asked', 'expired']), 'asked'),
    limit: queryFields.limit,
    cursor: z.optional(z.string()),
  }),
  async handle({ query: { status, limit, cursor } }, { table }: RouteServices) {
    const at = new Date(table.now()).toISOString();
    const after = positionIn(readCursor(cursor, (text) => positionIn(text) !== undefined));
    const { items, next } = await readApprovals(table, { status, at, limit, after });
    return {
      status: 200,
      body: {
        items: items.map((approval) => approvalView(approval, at)),
        nextCursor: cursorOf(next && `${next.expiresAt}#${next.approvalId}`),
      },
    };
  },
});

const timeFormat = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Returns the position in a cursor's text; undefined when no cursor has such a text. */
function positionIn(text: string | undefined): ApprovalPosition | undefined {
  const [expiresAt = '', approvalId = '', ...others] = text?.split('#') ?? [];
  if (others.length > 0 || !timeFormat.test(expiresAt) || !isApprovalId(approvalId)) return undefined;
  return { expiresAt, approvalId };
}
