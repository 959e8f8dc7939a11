/** The operations of commands that two operators make together. */
import { fourEyes } from './approvals.ts';
import type { WalletName } from './history.ts';
import type { Limits } from './limits.ts';
import { alice, asked, bob, byOperator, operation, operator } from './operation.ts';
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
const unfreezeAt = (at: number): Part => ({ ...byOperator({ do: 'unfreeze', wallet: alice }), at });
const pay: Part = { action: { do: 'transfer', wallet: alice, to: bob, amount: 300, queued: false } };
const refundAt = (at: number, amount?: number, more: { chargeback?: true } = {}): Part => ({
  ...byOperator({ do: 'refund', target: asked, ...(amount !== undefined && { amount }), ...more }),
  at,
});
const refundByOwnerAt = (at: number, amount: number): Part => ({
  ...{ at, principal: 'bob' },
  action: { do: 'refund', target: asked, amount },
});
const chargeBackAt = (at: number): Part => ({
  ...byOperator({ do: 'refund', target: { principal: operator, key: 'setup-2' }, chargeback: true }),
  at,
});
const limitsAt = (at: number, limits: Limits, version?: number): Part => ({
  ...byOperator({ do: 'set-limits', wallet: alice, limits, ...(version !== undefined && { version }) }),
  at,
});
const perDay = (amount: number): Limits => ({ out: { perDay: amount } });
/** The command of a later step, by an operator. */
const nth = (n: number) => ({ principal: operator, key: `key-${n}` });
/** A wallet that the approver opens. */
const own: WalletName = { principal: second, key: 'own', currency: 'EUR' };
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
    approveAt(7_000, second, nth(1)),
  ]),
  guarded('unfreeze with two operators after a later freeze', [
    freezeAt(5_000),
    unfreezeAt(6_000),
    unfreezeAt(6_100),
    approveAt(7_000, second, nth(1)),
    freezeAt(8_000),
    approveAt(9_000, third, nth(2)),
  ]),
  guarded('approve a charge into a wallet that the approver opens meanwhile', [
    byOperator({ do: 'charge', wallet: own, amount: 1_500 }),
    { at: 6_000, principal: second, key: 'own', action: { do: 'create-wallet', currency: 'EUR' } },
    approveAt(6_000),
  ]),
  guarded('refund what needs no second operator', [pay, refundAt(6_000, 100), refundByOwnerAt(7_000, 200)]),
  guarded('ask for a refund', [pay, refundAt(6_000, 101)]),
  guarded('ask for a refund of what is left', [pay, refundByOwnerAt(5_500, 250), refundAt(6_000)]),
  guarded('approve a refund', [
    pay,
    refundAt(6_000),
    approveAt(7_000, second, nth(1)),
    again(refundAt(6_000), 8_000, 'key-1'),
  ]),
  guarded('approve a refund, two operators side by side', [
    pay,
    refundAt(6_000),
    approveAt(7_000, second, nth(1)),
    approveAt(7_000, third, nth(1)),
  ]),
  guarded('approve a refund when less is left', [
    pay,
    refundAt(6_000),
    refundByOwnerAt(6_500, 50),
    approveAt(7_000, second, nth(1)),
    again(refundAt(6_000), 8_000, 'key-1'),
  ]),
  guarded('approve a refund and refund, side by side', [
    pay,
    refundAt(6_000),
    refundByOwnerAt(7_000, 50),
    approveAt(7_000, second, nth(1)),
  ]),
  guarded('charge back with two operators', [chargeBackAt(5_000), approveAt(6_000, second, nth(0))]),
  guarded('lower limits with one operator', [limitsAt(5_000, perDay(150)), limitsAt(6_000, perDay(50))]),
  guarded('lower limits with one operator, side by side', [
    limitsAt(5_000, perDay(150)),
    limitsAt(6_000, perDay(50)),
    limitsAt(6_000, perDay(100)),
  ]),
  guarded('ask for higher limits', [limitsAt(5_000, perDay(150)), limitsAt(6_000, perDay(200))]),
  guarded('approve higher limits', [
    limitsAt(5_000, { creditLine: 500 }),
    approveAt(6_000, second, nth(0)),
    again(limitsAt(0, { creditLine: 500 }), 7_000, 'key-0'),
  ]),
  guarded('approve higher limits that another operator has changed', [
    limitsAt(5_000, perDay(150)),
    limitsAt(6_000, perDay(200)),
    limitsAt(6_500, perDay(50)),
    approveAt(7_000, second, nth(1)),
    again(limitsAt(0, perDay(200)), 8_000, 'key-1'),
  ]),
  guarded('ask for higher limits that would be lower by then', [
    limitsAt(5_000, perDay(150)),
    limitsAt(6_000, perDay(200)),
    limitsAt(6_100, {}),
    approveAt(7_000, second, nth(2)),
    again(limitsAt(0, perDay(200)), 8_000, 'key-1'),
  ]),
  guarded('read approvals', [
    charge(),
    { ...byOperator({ do: 'get-approval', target: charged }), at: 6_000 },
    { ...byOperator({ do: 'list-approvals' }), at: 6_000 },
    { principal: 'carol', at: 6_000, action: { do: 'get-approval', target: charged } },
  ]),
];
