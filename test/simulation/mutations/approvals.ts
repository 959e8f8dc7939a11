/** Mutations of commands that two operators make together: asking, approving and rejecting. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const approve = 'lambdas/api/approve.ts';
const domain = 'lambdas/domain/approval.ts';
const fourEyes = 'lambdas/http/four-eyes.ts';
const approvals = 'lambdas/store/approvals.ts';
const refund = 'lambdas/api/refund.ts';
const setLimits = 'lambdas/api/set-limits.ts';
const approving = 'test/store/approving.test.ts';
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
    'make a large refund with one operator',
    refund,
    "const isOfOperator = caller.kind === 'operator';",
    "const isOfOperator = caller.kind !== 'operator';",
    'ask for a refund',
  ),
  mutation(
    'refund what is left in place of the amount that was approved',
    refund,
    '{ amount: guarded.facts.amount, approvedBy: approval.by }',
    '{ approvedBy: approval.by }',
    'approve a refund when less is left',
  ),
  mutation(
    'forget who approved a refund',
    refund,
    '{ amount: guarded.facts.amount, approvedBy: approval.by }',
    '{ amount: guarded.facts.amount }',
    'approve a refund',
  ),
  mutation(
    'raise limits with one operator',
    setLimits,
    'refusal !== undefined || raisesLimits(wallet?.limits, limits)',
    'refusal !== undefined',
    'ask for higher limits',
  ),
  mutation(
    'take a removed limit for a lower one',
    'lambdas/domain/limits.ts',
    'is = Infinity) => was',
    'is = 0) => was',
    'ask for higher limits that would be lower by then',
  ),
  mutation(
    'replace other limits than those that were compared',
    setLimits,
    'const lowering = { ...change, expectedVersion: limitsVersion };',
    'const lowering = change;',
    'lower limits with one operator, side by side',
  ),
  mutation(
    'set approved limits whatever they are by then',
    setLimits,
    'return set(call, services, { ...change, expectedVersion }, refusal);',
    'return set(call, services, change, refusal);',
    'approve higher limits that another operator has changed',
  ),
  mutation(
    'undo a later freeze by an approval',
    'lambdas/store/wallets.ts',
    "if (seen === undefined) return { if: '', values: {} };",
    "if (seen === undefined || seen.statusChangedAt !== '') return { if: '', values: {} };",
    'unfreeze with two operators after a later freeze',
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
    'asked: approval, items }',
    'asked: approval, items: items.slice(0, 1) }',
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
  ...[
    mutation(
      'reject a command that was executed',
      approvals,
      "end.status === 'rejected' ? [...items, notExecuted(table, approval)] : items",
      'items',
    ),
    mutation(
      'execute a request that is not the one that was asked for',
      approve,
      'if (!isAsAsked(approval)) {',
      "if (approval.askedAt === '') {",
    ),
    mutation(
      'execute a command that is not the one that its approval shows',
      fourEyes,
      'refusal === undefined && !showsFacts(approval.asked, facts)',
      'refusal !== undefined && !showsFacts(approval.asked, facts)',
    ),
    mutation(
      'approve a command about a wallet whose owner is not known yet',
      'lambdas/http/approvals.ts',
      'if (missing !== undefined) throw walletNotFound(missing);',
      '',
    ),
  ].map((one) => ({ ...one, test: one.edits[0]?.file === approvals ? 'test/store/approvals.test.ts' : approving })),
];
