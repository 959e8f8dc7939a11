/** Mutations of commands that two operators make together: asking, approving and rejecting. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const approve = 'lambdas/api/approve.ts';
const domain = 'lambdas/domain/approval.ts';
const fourEyes = 'lambdas/http/four-eyes.ts';
const approvals = 'lambdas/store/approvals.ts';
const expired = "approval.status === 'asked' && approval.expiresAt <= at";

export const approvalMutations: readonly Mutation[] = [
  mutation(
    'execute a guarded command without an approval',
    fourEyes,
    'if (!isGuarded) return { refusal };',
    'if (isGuarded || !isGuarded) return { refusal };',
    'ask for a charge',
  ),
  mutation(
    'answer the repetition of a request as if its command were recorded',
    approvals,
    "first.item === 0 && record?.['fingerprint'] !== askedFingerprint(approval.fingerprint)",
    'first.item === 0',
    'ask for a charge twice with one key',
  ),
  mutation(
    'leave the key of a request to other commands',
    approvals,
    'fingerprint: askedFingerprint(fingerprint),\n    principal',
    'fingerprint,\n    principal',
    'approve a charge',
  ),
  mutation(
    'let the asker approve',
    domain,
    'if (askedBy.principal !== principal) return undefined;',
    "if (askedBy.principal !== '') return undefined;",
    'approve a charge of the caller itself',
  ),
  mutation(
    'decide about an approval that has ended',
    approvals,
    'AND #status = :asked AND expiresAt',
    'AND (#status = :asked OR #status <> :asked) AND expiresAt',
    'approve and reject, side by side',
  ),
  {
    name: 'approve after the expiry',
    edits: [
      { file: domain, text: expired, replacement: "approval.status === 'asked' && approval.expiresAt <= ''" },
      { file: approvals, text: 'expiresAt > :at', replacement: '(expiresAt > :at OR expiresAt <= :at)' },
    ],
    operation: 'approve too late',
  },
  mutation(
    'execute a command and leave its approval open',
    approve,
    'askedAt: approval.askedAt, items }',
    'askedAt: approval.askedAt, items: items.slice(0, 1) }',
    'approve a charge',
  ),
  mutation(
    'end an approval without its command',
    approve,
    'throw aboutAsker(error);',
    'return endApproval(table, approval, operation, end).then(() => Promise.reject(aboutAsker(error)));',
    'approve a charge into a frozen wallet',
  ),
  mutation(
    'execute a command under the key of the approver',
    approve,
    '{ path, body: asked, transactionId, rate: undefined, event }',
    "{ path, body: asked, transactionId: transactionId.replace(/..$/, 'zz'), rate: undefined, event }",
    'approve a charge',
  ),
  mutation(
    'forget who approved a charge',
    'lambdas/api/charge.ts',
    'at, approvedBy: approval?.by }',
    'at }',
    'approve a charge',
  ),
  mutation(
    'answer any approver of a command as its approver',
    'lambdas/http/approvals.ts',
    'await requireReplay(table, operation, refusal);',
    '',
    'approve a charge, two operators side by side',
  ),
];
