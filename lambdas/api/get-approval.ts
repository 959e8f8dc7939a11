import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { byRoute } from '../http/by-route.ts';
import { accessOf, query, serve } from '../http/http.ts';
import type { RouteServices } from '../http/http.ts';
import { requireApproval } from '../http/approvals.ts';
import { callerOf } from '../http/caller.ts';
import { approvalView } from '../views/approval-view.ts';
import { openTable } from '../store/table.ts';
import { listApprovals } from './list-approvals.ts';

/**
 * `GET /approvals/{approvalId}`: a command that needs two operators, and its state. For operators who read everything,
 * and for those with the scope of the command.
 */
export const getApproval = query({
  name: 'get-approval',
  query: z.strictObject({}),
  async handle({ path, event }, { table }: RouteServices) {
    const approval = await requireApproval(table, path['approvalId'] ?? '');
    callerOf(event, { any: [accessOf('list-approvals').any, accessOf(approval.command).any].flat() });
    return { status: 200, body: approvalView(approval, new Date(table.now()).toISOString()) };
  },
});

/** Opens the function of both routes that read approvals. */
export function open(environment: Environment<'get-approval'>) {
  const services = { table: openTable(dynamodbClient(), environment.TABLE_NAME) };
  return byRoute('get-approval', {
    'get-approval': serve(getApproval, services),
    'list-approvals': serve(listApprovals, services),
  });
}
