import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { actorOf } from '../domain/actor.ts';
import { approverRefusal, endedApproval, isAsAsked } from '../domain/approval.ts';
import type { Approval, ApprovalEnd, GuardedCommand } from '../domain/approval.ts';
import { WalletError } from '../domain/errors.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { answerEnd, answerWhenEnded, requireApproval, requireNoOwner, requireScopeOf } from '../http/approvals.ts';
import { fields } from '../http/body-fields.ts';
import { readFees } from '../http/fees.ts';
import type { FeeServices } from '../http/fees.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import type { CommandCall, CommandRoute } from '../http/http.ts';
import { readTiers } from '../http/limit-fields.ts';
import { isReplay } from '../http/limits.ts';
import { readOperatorLimits } from '../http/operator-limits.ts';
import type { Answer } from '../http/problem.ts';
import { approvalView } from '../views/approval-view.ts';
import { approvalItems } from '../store/approvals.ts';
import { approvalKey } from '../store/keys.ts';
import { refuseKeyOf } from '../store/operations.ts';
import { openTable } from '../store/table.ts';
import { InvalidItem } from '../store/unreadable.ts';
import { charge } from './charge.ts';
import { refund } from './refund.ts';
import { resolve } from './resolve.ts';
import { setLimits } from './set-limits.ts';
import type { LimitServices } from './set-limits.ts';
import { unfreeze } from './unfreeze.ts';

type ApproveServices = LimitServices & FeeServices;

const commands: Readonly<Record<GuardedCommand, Pick<CommandRoute<ApproveServices>, 'perform'>>> = {
  charge,
  refund,
  resolve,
  unfreeze,
  'set-limits': setLimits,
};

const body = z.strictObject({ reason: z.optional(fields.text(256)) });

/**
 * `POST /approvals/{approvalId}/approve`: executes a command that another operator asked for, in the write that ends its
 * approval. Callers need the scope of the command. The asker, the owners of its wallets and the requester of the withdrawal
 * are refused. When the command is refused, the approval stays open until it expires.
 */
export const approve = command<typeof body, ApproveServices>({
  name: 'approve',
  body,
  async handle(call, services) {
    const { path, operation, event } = call;
    const { table } = services;
    // Read first, as only the record has the command. The conditions of the write decide.
    const approval = await requireApproval(table, path['approvalId'] ?? '');
    requireScopeOf(event, approval);
    const { principal, at } = operation;
    const refusal = approverRefusal(approval, principal);
    if (refusal !== undefined) throw refusal;
    await requireNoOwner(table, approval, principal);
    const ended = await answerWhenEnded(table, approval, operation);
    if (ended !== undefined) return ended;
    const end = { status: 'approved', by: actorOf(operation), at, reason: call.body.reason } as const;
    const executed = await execute(call, services, approval, end).catch((error: unknown) => {
      throw aboutAsker(error);
    });
    if (isReplay(executed)) return answerWhenRecorded(call, services, end);
    return committed(200, approvalView(endedApproval(approval, end), at), false);
  },
});

/** Executes the command of an approval as its route does, for its asker and under its asker's key. */
function execute(
  { caller, operation, event }: CommandCall<unknown>,
  services: ApproveServices,
  approval: Approval,
  end: ApprovalEnd,
): Promise<Answer> {
  const { command: name, path, body: asked, askedBy, idempotencyKey, fingerprint, transactionId } = approval;
  if (!isAsAsked(approval)) {
    throw new InvalidItem(approvalKey(approval.approvalId), 'its request is not the one that was asked for');
  }
  // The write of a refund has its original's record, which the approver's key may have made.
  if (path['transactionId'] !== undefined) refuseKeyOf({ transactionId: path['transactionId'] }, operation);
  const items = approvalItems(services.table, approval, operation, end);
  return commands[name].perform(
    {
      caller: {
        ...actorOf(askedBy),
        kind: 'operator',
        ownerId: undefined,
        hasOperatorScope: true,
        readsAll: caller.readsAll,
      },
      operation: {
        ...actorOf(askedBy),
        ...{
          idempotencyKey,
          fingerprint,
          at: operation.at,
          approval: { by: end.by, asked: approval, items },
        },
      },
      ...{ path, body: asked, transactionId, rate: undefined, event },
    },
    services,
  );
}

/** Returns the error of a command. A refusal of its author is about the asker, and the caller is the approver. */
function aboutAsker(error: unknown): unknown {
  if (!(error instanceof WalletError) || error.code !== 'forbidden') return error;
  return new WalletError('forbidden', { detail: `its asker may not do this: ${error.message}` });
}

/**
 * Answers when the command was recorded before this write. Another request of the approver may have ended the approval
 * meanwhile. If none did, the command was executed without it: a restored table shows the approval open again. It ends
 * now, and nothing is executed.
 */
async function answerWhenRecorded(
  { path, operation }: CommandCall<unknown>,
  { table }: LimitServices,
  end: ApprovalEnd,
): Promise<Answer> {
  const approval = await requireApproval(table, path['approvalId'] ?? '');
  const ended = await answerWhenEnded(table, approval, operation);
  if (ended !== undefined) return ended;
  return answerEnd(table, approval, operation, end);
}

export const open = (environment: Environment<'approve'>) =>
  serve(approve, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    operatorLimits: readOperatorLimits(environment.OPERATOR_LIMITS),
    tiers: readTiers(environment.TIERS),
    fees: readFees(environment.FEES),
  });
