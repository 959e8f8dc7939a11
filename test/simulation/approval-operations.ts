/** The operations of commands that two operators make together. */
import { fourEyes } from './approvals.ts';
import { alice, asked, byOperator, operation, operator } from './operation.ts';
import type { Circumstances, Operation, Part } from './operation.ts';

const second = 'second';
const third = 'third';
/** The command that is asked for: of the first step, or of a later one. */
const charged = { principal: operator, key: 'key-0' };

const charge = (amount = 1_500): Part => byOperator({ do: 'charge', wallet: alice, amount });
const approveAt = (at: number, principal = second, target = charged): Part => ({
  ...{ at, principal, operator: true },
  action: { do: 'approve', target },
});
const rejectAt = (at: number, principal = second): Part => ({
  ...{ at, principal, operator: true },
  action: { do: 'reject', target: charged },
});
const again = (part: Part, at: number, key: string): Part => ({ ...part, at, key });
const freezeAt = (at: number): Part => ({ ...byOperator({ do: 'freeze', wallet: alice }), at });
const guarded = (name: string, parts: readonly Part[], circumstances: Circumstances = {}): Operation =>
  operation(name, parts, { fourEyes, ...circumstances });

export const approvalOperations: readonly Operation[] = [
  guarded('charge what needs no second operator', [charge(1_000)]),
  guarded('ask for a charge', [charge()]),
  guarded('ask for a charge twice with one key', [charge(), again(charge(), 5_001, 'key-0')]),
  guarded('ask for another charge with one key', [charge(), again(charge(1_600), 5_001, 'key-0')]),
  guarded('approve a charge', [charge(), approveAt(6_000)]),
  guarded('approve a charge, and ask for it again', [charge(), approveAt(6_000), again(charge(), 9_000, 'key-0')]),
  guarded('approve a charge while it is asked for', [charge(), approveAt(5_001)]),
  guarded('approve a charge twice with one key', [charge(), approveAt(6_000), again(approveAt(0), 6_001, 'key-1')]),
  guarded('approve a charge, two operators side by side', [charge(), approveAt(6_000), approveAt(6_000, third)]),
  guarded('approve a charge of the caller itself', [charge(), approveAt(6_000, operator)]),
  guarded('approve a charge into a frozen wallet', [charge(), freezeAt(5_500), approveAt(6_000)]),
  guarded('approve and freeze, side by side', [charge(), approveAt(6_000), freezeAt(6_000)]),
  guarded('approve and reject, side by side', [charge(), approveAt(6_000), rejectAt(6_000, third)]),
  guarded('approve at the expiry', [charge(), approveAt(5_000 + fourEyes.expiresAfterMs - 5)]),
  guarded('approve too late', [charge(), approveAt(5_000 + fourEyes.expiresAfterMs + 50)]),
  guarded('reject a charge', [charge(), rejectAt(6_000), approveAt(7_000, third)]),
  guarded('withdraw what was asked for', [charge(), rejectAt(6_000, operator)]),
  guarded('reject twice with one key', [charge(), rejectAt(6_000), again(rejectAt(0), 6_001, 'key-1')]),
  guarded(
    'withdraw, review and resolve with two operators',
    [{ action: { do: 'withdraw', wallet: alice, amount: 100, account: 'OK-1' } }],
    { maxAttempts: 2, bankDownMs: 90_000 },
  ),
  guarded('resolve too early, with two operators', [
    { action: { do: 'withdraw', wallet: alice, amount: 100, account: 'OK-1' } },
    { ...byOperator({ do: 'resolve', target: asked }), at: 8_000 },
  ]),
  guarded('freeze, and unfreeze with two operators', [
    freezeAt(5_000),
    { ...byOperator({ do: 'unfreeze', wallet: alice }), at: 6_000 },
    approveAt(7_000, second, { principal: operator, key: 'key-1' }),
  ]),
  guarded('read approvals', [
    charge(),
    { ...byOperator({ do: 'get-approval', target: charged }), at: 6_000 },
    { ...byOperator({ do: 'list-approvals' }), at: 6_000 },
    { principal: 'carol', at: 6_000, action: { do: 'get-approval', target: charged } },
  ]),
];
