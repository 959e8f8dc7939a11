import type { APIGatewayProxyEvent } from 'aws-lambda';
import { decisionRefusal, endedApproval } from '../domain/approval.ts';
import type { Approval, ApprovalEnd } from '../domain/approval.ts';
import { WalletError } from '../domain/errors.ts';
import { ownDecision, walletNotFound } from '../domain/wallet.ts';
import { endApproval, getApproval, requireReplay } from '../store/approvals.ts';
import type { Operation } from '../store/operations.ts';
import type { Table } from '../store/table.ts';
import { readable } from '../store/unreadable.ts';
import { getWallets } from '../store/wallets.ts';
import { approvalView } from '../views/approval-view.ts';
import { callerOf } from './caller.ts';
import { accessOf } from './http.ts';
import { committed } from './committed.ts';
import type { Answer } from './problem.ts';

/**
 * Returns an approval, read consistently.
 *
 * @throws WalletError `approval_not_found`
 */
export async function requireApproval(table: Table, approvalId: string): Promise<Approval> {
  const approval = await getApproval(table, approvalId);
  if (approval === undefined) throw new WalletError('approval_not_found');
  return approval;
}

/**
 * Checks that the caller's token opens the route of the command too, for operators.
 *
 * @throws WalletError `forbidden`
 */
export function requireScopeOf(event: APIGatewayProxyEvent, { command }: Approval): void {
  callerOf(event, { any: accessOf(command).any });
}

/**
 * Checks that the wallets of the command exist, and that the caller owns none of them. Owners of wallets never change, so
 * a read decides.
 *
 * @throws WalletError `wallet_not_found`, `forbidden`
 */
export async function requireNoOwner(table: Table, { walletIds }: Approval, principal: string): Promise<void> {
  const wallets = await getWallets(table, walletIds);
  const missing = walletIds.find((walletId) => !wallets.has(walletId));
  if (missing !== undefined) throw walletNotFound(missing);
  for (const wallet of wallets.values()) {
    if (readable(wallet).ownerId === principal) throw ownDecision('wallet');
  }
}

/** Ends an approval without its command, and answers with it. See `endApproval`. */
export async function answerEnd(
  table: Table,
  approval: Approval,
  operation: Operation,
  end: ApprovalEnd,
): Promise<Answer> {
  const { replayed } = await endApproval(table, approval, operation, end);
  const ended = replayed ? await requireApproval(table, approval.approvalId) : endedApproval(approval, end);
  return committed(200, approvalView(ended, end.at), replayed);
}

/**
 * Returns the answer to a decision about an approval that is decided or has expired: a repetition by the caller whose key
 * ended it is answered again. Undefined while it is open.
 *
 * @throws WalletError `approval_ended`, `approval_expired`, `idempotency_key_reused`, `busy`
 */
export async function answerWhenEnded(
  table: Table,
  approval: Approval,
  operation: Operation,
): Promise<Answer | undefined> {
  const refusal = decisionRefusal(approval, operation.at);
  if (refusal === undefined) return undefined;
  await requireReplay(table, operation, refusal);
  return committed(200, approvalView(approval, operation.at), true);
}
