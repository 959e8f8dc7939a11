import { statusAt } from '../../lambdas/domain/approval.ts';
import type { Approval } from '../../lambdas/domain/approval.ts';
import { getApproval, listApprovals } from '../../lambdas/store/approvals.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { limitsText } from './limit-lines.ts';
import type { Report } from './target.ts';

/** Most open approvals that are listed: an operator needs no more at a time. */
const mostApprovals = 100;

/** Returns the commands that wait for a second operator, the next to expire first, and whether there are more. */
export async function openApprovals(table: Table): Promise<{ approvals: readonly Approval[]; hasMore: boolean }> {
  const at = new Date(table.now()).toISOString();
  const { items, next } = await listApprovals(table, { status: 'asked', at, limit: mostApprovals });
  return { approvals: items, hasMore: next !== undefined };
}

/** Returns the lines that describe an approval, without its request, which may hold personal data. */
export function approvalLines(approval: Approval, at: string): string[] {
  const { approvalId, command, amount, currency, walletIds, askedBy, askedAt, expiresAt, transactionId } = approval;
  const { limits, limitsVersion } = approval;
  const money = amount === undefined ? '' : `${String(amount)} ${currency ?? ''} (minor units), `;
  return [
    `${approvalId}: ${command}, ${statusAt(approval, at)}`,
    `about: ${money}${walletIds.length === 1 ? 'wallet' : 'wallets'} ${walletIds.join(', ')}`,
    ...(limits === undefined
      ? []
      : [`limits: ${limitsText(limits)}, in place of those of version ${String(limitsVersion)}`]),
    `asked by ${askedBy.principal} at ${askedAt}, expires: ${expiresAt}`,
    approval.status === 'asked'
      ? `its command will be recorded as ${transactionId}`
      : `${approval.status} by ${approval.endedBy.principal} at ${approval.updatedAt}; its command: ${transactionId}`,
  ];
}

/** Returns an approval without its request and the asker's key. */
export function withoutRequest({ body, path, idempotencyKey, fingerprint, ...facts }: Approval): object {
  return facts;
}

/** Reports the state of an approval, and what happens next; undefined when there is none of this id. */
export async function approvalReport(table: Table, approvalId: string): Promise<Report | undefined> {
  const approval = await getApproval(table, approvalId);
  if (approval === undefined) return undefined;
  const at = new Date(table.now()).toISOString();
  const next = nextSteps[statusAt(approval, at)];
  return {
    lines: [...approvalLines(approval, at), `next: ${next}`],
    data: { ...withoutRequest(approval), status: statusAt(approval, at), next },
    isWrong: false,
  };
}

const nextSteps = {
  asked: 'another operator approves or rejects it (docs/runbook.md#a-command-waits-for-a-second-operator)',
  expired: 'nothing: its time is over; ask for it again with a new key',
  approved: 'nothing, its command was executed',
  rejected: 'nothing, its command was not executed',
} as const;
