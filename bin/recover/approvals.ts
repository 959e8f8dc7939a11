/** Approvals after a restore: none executes its command a second time, and none undoes a decision that a source shows. */
import type { Actor } from '../../lambdas/domain/actor.ts';
import { service } from '../../lambdas/domain/actor.ts';
import { endedApproval } from '../../lambdas/domain/approval.ts';
import type { Approval, ApprovalEnd, AskedApproval } from '../../lambdas/domain/approval.ts';
import { stateFromText } from '../../lambdas/integrity/text.ts';
import { storedApproval } from '../../lambdas/store/approvals.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import type { ApprovalEvent } from './archive.ts';
import type { BooksCopy } from './copy.ts';
import { storedActor } from './records.ts';
import type { Recovery } from './recovery.ts';

/**
 * Rejects the open approvals to unfreeze a wallet that may have been frozen again since the restored moment: its ledger has a
 * change without money, and shows no freeze of a frozen wallet. Runs before wallets are mended, whose versions show it.
 */
export async function rejectUncertain(recovery: Recovery): Promise<void> {
  const { copy, at } = recovery;
  for (const approval of approvalsIn(copy)) {
    const { status, transactionId } = approval;
    const isOver = status !== 'asked' || copy.knows(transactionId) || endOfApproval(copy, approval) !== undefined;
    if (isOver || !mayHaveFrozen(copy, approval)) continue;
    const reason = 'after a restore: its wallet may have been frozen again';
    await end(recovery, approval, { status: 'rejected', by: service, reason, at });
  }
}

/**
 * Ends the approvals that are open in the restored table, and that ended since. Names those whose request, or whose command,
 * was forgotten.
 */
export async function endApprovals(recovery: Recovery): Promise<void> {
  const { copy } = recovery;
  for (const approval of approvalsIn(copy)) {
    if (approval.status !== 'asked') {
      nameForgottenCommand(recovery, approval);
      continue;
    }
    const shown = await endOf(recovery, approval);
    if (shown !== undefined) await end(recovery, approval, shown);
  }
  const asked = copy.query(
    { event: 'text' },
    `SELECT event FROM approval_events WHERE has_ended = 0 AND id NOT IN (SELECT id FROM approvals)
      AND id NOT IN (SELECT id FROM unreadable)`,
  );
  for (const { event } of asked.all()) await nameForgottenRequest(recovery, JSON.parse(event) as ApprovalEvent);
}

async function end(recovery: Recovery, approval: AskedApproval, shown: ApprovalEnd): Promise<void> {
  const { copy, report, table } = recovery;
  report.repairs('approval', approval.approvalId, `${shown.status} at ${shown.at}`);
  const ended = endedApproval(approval, shown);
  await recovery.put(table, storedApproval(ended), storedApproval(approval));
  copy.putApproval(ended);
}

function approvalsIn(copy: BooksCopy): Approval[] {
  const rows = copy.query({ item: 'text' }, 'SELECT item FROM approvals ORDER BY id').all();
  return rows.map(({ item }) => stateFromText(item) as Approval);
}

/**
 * Returns how an open approval ended after the restored moment. Undefined: no source shows it, or its command has no effect
 * now. It stays open then, and can be approved again.
 */
async function endOf(recovery: Recovery, approval: AskedApproval): Promise<ApprovalEnd | undefined> {
  const { copy, at } = recovery;
  const event = endOfApproval(copy, approval);
  const by = event?.actor && storedActor(event.actor);
  const how = { reason: event?.approval.reason, at: event?.occurredAt ?? at };
  if (event?.type === 'approval.rejected' && by !== undefined) return { status: 'rejected', by, ...how };
  const isExecuted = copy.knows(approval.transactionId) || (event !== undefined && hasEffect(copy, approval));
  const approver = isExecuted ? (by ?? (await approverOf(recovery, approval))) : undefined;
  return approver && { status: 'approved', by: approver, ...how };
}

/** Returns whether a command that makes no transaction has its effect: what it changes is not as its asker saw it. */
function hasEffect(copy: BooksCopy, { command, walletIds, path, ...seen }: AskedApproval): boolean {
  const wallet = copy.wallet(walletIds[0] ?? '');
  switch (command) {
    case 'charge':
    case 'refund':
      return false;
    case 'resolve':
      return copy.has("SELECT 1 FROM records WHERE id = ? AND status <> 'review'", path['transactionId'] ?? '');
    case 'unfreeze':
      return wallet?.lastStatusChange?.at !== seen.statusChangedAt;
    case 'set-limits':
      return wallet !== undefined && (wallet.limitsVersion ?? 0) > (seen.limitsVersion ?? 0);
  }
}

function endOfApproval(copy: BooksCopy, { approvalId }: Approval): ApprovalEvent | undefined {
  const row = copy
    .query({ event: 'text' }, 'SELECT event FROM approval_events WHERE id = ? AND has_ended = 1')
    .first(approvalId);
  return row && (JSON.parse(row.event) as ApprovalEvent);
}

/** Returns the operator whom the record of an approved command names. */
async function approverOf(recovery: Recovery, { transactionId }: Approval): Promise<Actor | undefined> {
  const record = await recovery.read(transactionKey(transactionId));
  return record?.['approvedBy'] as Actor | undefined;
}

/** Returns whether the ledger of a frozen wallet has a change without money since the restored moment: perhaps a freeze. */
function mayHaveFrozen(copy: BooksCopy, { command, walletIds }: Approval): boolean {
  if (command !== 'unfreeze') return false;
  return walletIds.some((walletId) =>
    copy.has(
      `SELECT 1 FROM entries JOIN wallets USING (wallet_id) WHERE wallet_id = ? AND name = '' AND entries.item <> ''
        AND version > json_extract(wallets.item, '$.version') AND json_extract(wallets.item, '$.status') = 'frozen'
        AND json_extract(entries.item, '$.statusAfter') = 'frozen'`,
      walletId,
    ),
  );
}

/** Names an approved charge or refund that has no record: its asker's key asks for it no more. */
function nameForgottenCommand({ copy, report }: Recovery, approval: Approval): void {
  const { approvalId, status, command, transactionId, updatedAt } = approval;
  const movesMoney = command === 'charge' || command === 'refund';
  if (status !== 'approved' || !movesMoney || copy.knows(transactionId)) return;
  report.differs({
    kind: 'command_forgotten',
    subject: approvalId,
    detail: `its ${command}, ${transactionId}, was approved at ${updatedAt}, and has no record`,
    remedy: 'ask its asker for a request with another key, if it is still wanted',
  });
}

/** Names a request that waited for a second operator, and that the restored table lacks. */
async function nameForgottenRequest(recovery: Recovery, { approval }: ApprovalEvent): Promise<void> {
  const { approvalId, transactionId, command, askedBy, askedAt, expiresAt } = approval;
  if (expiresAt <= recovery.at) return;
  // Torn from its approval, the key of the request is taken for good.
  const isTaken = (await recovery.read(transactionKey(transactionId))) !== undefined;
  recovery.report.differs({
    kind: 'approval_forgotten',
    subject: approvalId,
    detail: `${askedBy} asked for ${command} at ${askedAt}, and the restored table does not have it`,
    remedy: `ask its asker to repeat the request with ${isTaken ? 'another' : 'the same'} key, if it is still wanted`,
  });
}
