/**
 * The operations of the service, each with the short history that it needs. The exhaustive mode finds the external
 * calls of each by itself, in the routes, the workers, the sweeper and the bank's notifications.
 */
import { nameOfRoute, routes } from '../../lambdas/contract.ts';
import { approvalOperations } from './approval-operations.ts';
import { feeOperations } from './fee-operations.ts';
import { batchOperations } from './batch-operations.ts';
import type { WalletName } from './history.ts';
import { holdOperations } from './hold-operations.ts';
import { limitOperations } from './limit-operations.ts';
import { alice, asked, bob, byOperator, currency, operation, operator, sweepAt } from './operation.ts';
import type { Circumstances, Operation, Part } from './operation.ts';
import { aliasOperations } from './alias-operations.ts';
import { referenceOperations } from './reference-operations.ts';
import { refundOperations } from './refund-operations.ts';
import { referenceRoutes, streamRoutes } from './release.ts';
import { orderOperations } from './order-operations.ts';
import { scheduleOperations } from './schedule-operations.ts';
import { quickBreaker } from './service.ts';
import { splitOperations } from './split-operations.ts';
import { webhookOperations } from './webhook-operations.ts';

const missing: WalletName = { principal: 'stranger', key: 'wallet-x', currency };
const fullBalance = Number.MAX_SAFE_INTEGER;

const withdraw = (account: string, more: { amount?: number; waitSeconds?: number } = {}): Part => ({
  action: { do: 'withdraw', wallet: alice, amount: 100, account, ...more },
});
const transfer = (queued: boolean, to = bob, amount = 100): Part => ({
  action: { do: 'transfer', wallet: alice, to, amount, queued },
});
const cancelAt = (at: number): Part => ({ at, action: { do: 'cancel', target: asked } });
const longWindow = { windowMs: 120_000 };
/** The worker starts only when the sweeper has found the withdrawal. */
const lostMessage: Circumstances = { given: [{ call: 'sqs SendMessage', kind: 'message-lost' }] };

export const operations: readonly Operation[] = [
  operation('open a wallet', [{ action: { do: 'create-wallet', currency } }]),
  operation('open a wallet for another owner', [byOperator({ do: 'create-wallet', currency, owner: 'carol' })]),
  operation('charge', [byOperator({ do: 'charge', wallet: alice, amount: 100 })]),
  operation('charge a full wallet', [byOperator({ do: 'charge', wallet: alice, amount: fullBalance })]),

  operation('withdraw', [withdraw('OK-1')]),
  operation('withdraw and wait', [withdraw('OK-1', { waitSeconds: 2 })]),
  operation('withdraw, rejected', [withdraw('REJECT-1')]),
  operation('withdraw, paid later', [withdraw('LATE-1')]),
  operation('withdraw, paid much later', [withdraw('LATE-1')], longWindow),
  operation('withdraw, rejected much later', [withdraw('LATE-REJECT-1')], longWindow),
  operation('withdraw too much', [withdraw('OK-1', { amount: 2_000 })]),
  operation('withdraw twice with one key', [withdraw('OK-1'), { ...withdraw('OK-1'), key: 'key-0' }]),
  operation('withdraw another amount with one key', [
    withdraw('OK-1'),
    { ...withdraw('OK-1', { amount: 7 }), key: 'key-0' },
  ]),
  operation('withdraw all, side by side', [withdraw('OK-1', { amount: 600 }), withdraw('OK-1', { amount: 600 })]),
  operation('withdraw when too much waits', [withdraw('OK-1'), withdraw('OK-1'), withdraw('OK-1')], { depthLimit: 1 }),
  operation(
    'withdraw again within the hour, beyond the limit',
    [withdraw('OK-1'), { ...withdraw('OK-1'), at: 25 * 60_000 }],
    { perHour: 1 },
  ),
  operation(
    'withdraw while too much waits for long',
    [5_000, 12_000, 20_000].map((at) => ({ ...withdraw('LATE-1'), at, retries: 0 })),
    { ...longWindow, depthLimit: 0 },
  ),
  operation(
    'withdraw when too much waited',
    [5_000, 12_000, 300_000].map((at) => ({ ...withdraw('LATE-1'), at, retries: 0 })),
    { ...longWindow, depthLimit: 0 },
  ),
  operation('withdraw, and be notified by the bank', [withdraw('LATE-1')], { ...longWindow, notified: 1 }),
  operation('withdraw, and be notified of a rejection', [withdraw('LATE-REJECT-1')], { ...longWindow, notified: 1 }),
  operation('withdraw, and get it back', [
    withdraw('OK-1'),
    { at: 9_000, action: { do: 'bank-notifications', target: asked, returned: true } },
  ]),
  operation('withdraw while the bank is down', [withdraw('OK-1')], { maxAttempts: 10, bankDownMs: 90_000 }),
  operation('withdraw, review and resolve', [withdraw('OK-1')], { maxAttempts: 2, bankDownMs: 90_000 }),
  operation('withdraw until the breaker opens', [withdraw('OK-1')], {
    maxAttempts: 10,
    bankDownMs: 40_000,
    breaker: quickBreaker,
  }),
  operation('withdraw, its message lost', [withdraw('OK-1')], {
    given: [{ call: 'sqs SendMessage', kind: 'message-lost' }],
  }),
  operation('withdraw, its message lost, and two sweepers', [withdraw('OK-1'), sweepAt(100_000), sweepAt(100_001)], {
    given: [{ call: 'sqs SendMessage', kind: 'message-lost' }],
  }),
  operation('withdraw, delivered twice', [withdraw('OK-1')], {
    given: [{ call: 'event source delivers', kind: 'delivered-twice' }],
  }),
  operation('withdraw, its worker dies before the payment', [withdraw('OK-1')], {
    ...longWindow,
    given: [{ call: 'bank POST /payments', kind: 'crash-before' }],
  }),
  operation('withdraw, its worker dies after the payment', [withdraw('OK-1')], {
    given: [{ call: 'bank POST /payments', kind: 'crash-after' }],
  }),
  operation('withdraw, the payment is slow and its worker dies', [withdraw('LATE-1')], {
    ...longWindow,
    given: [{ call: 'bank POST /payments', kind: 'crash-after' }],
  }),
  // "Not found" is not yet definite here. A worker that stalls reads it when its own clock says that it is.
  operation('withdraw, and ask by a clock that is ahead', [withdraw('OK-1')], {
    windowMs: 109_800,
    clocksDifferMs: 9_000,
    // Such workers would not visit the bank otherwise.
    databaseNamesTime: false,
    given: [
      { call: 'dynamodb UpdateItem', kind: 'stall' },
      { call: 'bank POST /payments', kind: 'crash-before' },
    ],
  }),
  // The next worker's clock is ahead: by that clock "not found" is definite before the bank has decided.
  operation('withdraw, and ask by a clock that is far ahead', [withdraw('LATE-1')], {
    windowMs: 240_000,
    wrongByMs: 180_000,
    given: [{ call: 'bank POST /payments', kind: 'crash-after' }],
  }),
  operation('withdraw, the answer is lost', [withdraw('OK-1')], {
    given: [{ call: 'bank POST /payments', kind: 'lost-answer' }],
  }),
  operation('withdraw, not accepted at first', [withdraw('OK-1')], {
    given: [{ call: 'bank POST /payments', kind: 'not-accepted' }],
  }),
  operation('withdraw, the bank not reached at first', [withdraw('OK-1')], {
    given: [{ call: 'bank POST /payments', kind: 'unreachable' }],
  }),
  operation('withdraw, the answer is lost and the bank replaced', [withdraw('OK-1')], {
    bankReplacedAt: 6_500,
    given: [{ call: 'bank POST /payments', kind: 'lost-answer' }],
  }),
  operation('withdraw, not accepted and the bank replaced', [withdraw('OK-1')], {
    bankReplacedAt: 6_500,
    given: [{ call: 'bank POST /payments', kind: 'not-accepted' }],
  }),
  operation('withdraw, the request is lost', [withdraw('OK-1')], {
    given: [{ call: 'bank POST /payments', kind: 'lost-request' }],
  }),

  operation('transfer', [transfer(false)]),
  operation('transfer too much', [transfer(false, bob, 2_000)]),
  operation('transfer to a missing wallet', [transfer(false, missing)]),
  operation('transfer there and back', [
    transfer(false),
    { principal: 'bob', action: { do: 'transfer', wallet: bob, to: alice, amount: 100, queued: false } },
  ]),
  operation('transfer twice with one key', [transfer(false), { ...transfer(false), key: 'key-0' }]),
  operation('transfer later', [transfer(true)]),
  operation('transfer later, three together', [transfer(true), transfer(true), transfer(true)]),
  operation('transfer later, the message lost', [transfer(true)], {
    given: [{ call: 'sqs SendMessage', kind: 'message-lost' }],
  }),
  operation('transfer later, delivered twice', [transfer(true)], {
    given: [{ call: 'event source delivers', kind: 'delivered-twice' }],
  }),
  operation('transfer later, to a slow worker', [transfer(true)], {
    given: [{ call: 'dynamodb BatchGetItem', kind: 'pause' }],
  }),
  operation('transfer later to a missing wallet', [transfer(true, missing)]),
  operation('transfer later to a frozen wallet', [byOperator({ do: 'freeze', wallet: bob }), transfer(true)]),
  operation('transfer later to a wallet that is nearly full', [transfer(true), transfer(true), transfer(true)], {
    bobHas: fullBalance - 150,
  }),

  operation('freeze', [byOperator({ do: 'freeze', wallet: alice })]),
  operation('freeze and unfreeze', [
    byOperator({ do: 'freeze', wallet: alice }),
    { ...byOperator({ do: 'unfreeze', wallet: alice }), at: 6_000 },
  ]),
  operation('close', [transfer(false, bob, 1_000), { ...byOperator({ do: 'close', wallet: alice }), at: 6_000 }]),
  operation('close too early', [byOperator({ do: 'close', wallet: alice })]),
  operation('resolve too early', [withdraw('OK-1'), { ...byOperator({ do: 'resolve', target: asked }), at: 8_000 }]),

  operation('cancel', [withdraw('OK-1'), cancelAt(6_000)], lostMessage),
  operation('cancel by an operator', [withdraw('OK-1'), { ...cancelAt(6_000), principal: operator, operator: true }], {
    ...lostMessage,
  }),
  operation(
    "cancel another owner's withdrawal",
    [withdraw('OK-1'), { ...cancelAt(6_000), principal: 'carol' }],
    lostMessage,
  ),
  operation('cancel twice with one key', [withdraw('OK-1'), cancelAt(6_000), { ...cancelAt(6_001), key: 'key-1' }], {
    ...lostMessage,
  }),
  operation('cancel, side by side', [withdraw('OK-1'), cancelAt(6_000), cancelAt(6_000)], lostMessage),
  operation('cancel while the worker claims', [withdraw('OK-1'), cancelAt(5_030)]),
  operation('cancel too late', [withdraw('OK-1'), cancelAt(9_000)]),
  operation('cancel while the breaker is open', [withdraw('OK-1'), cancelAt(7_000)], {
    maxAttempts: 10,
    bankDownMs: 40_000,
    breaker: quickBreaker,
  }),
  operation(
    'withdraw from a wallet that is frozen before it leaves',
    [
      withdraw('OK-1'),
      { ...byOperator({ do: 'freeze', wallet: alice }), at: 6_000 },
      sweepAt(70_000),
      { ...byOperator({ do: 'unfreeze', wallet: alice }), at: 90_000 },
    ],
    lostMessage,
  ),
  operation('withdraw and freeze', [withdraw('OK-1'), { ...byOperator({ do: 'freeze', wallet: alice }), at: 5_020 }]),
  operation(
    'freeze, and cancel what waits',
    [
      withdraw('OK-1'),
      { ...byOperator({ do: 'freeze', wallet: alice }), at: 6_000 },
      sweepAt(70_000),
      cancelAt(75_000),
    ],
    lostMessage,
  ),
  operation(
    'freeze when a worker has died before the payment',
    [
      withdraw('OK-1'),
      { ...byOperator({ do: 'freeze', wallet: alice }), at: 20_000 },
      { ...byOperator({ do: 'unfreeze', wallet: alice }), at: 200_000 },
    ],
    { given: [{ call: 'bank POST /payments', kind: 'crash-before' }] },
  ),

  ...holdOperations,
  ...refundOperations,
  ...splitOperations,
  ...limitOperations,
  ...feeOperations,
  ...approvalOperations,
  ...batchOperations,
  ...scheduleOperations,
  ...orderOperations,
  ...referenceOperations,
  ...aliasOperations,
  ...webhookOperations,

  operation('read', [
    transfer(false),
    ...(['get-wallet', 'get-balance', 'list-transactions'] as const).map((read) => ({
      at: 6_000,
      action: { do: read, wallet: alice },
    })),
    ...(['get-transaction', 'get-receipt'] as const).flatMap((read) =>
      ['alice', 'bob', 'carol'].map((principal) => ({ at: 6_000, principal, action: { do: read, target: asked } })),
    ),
    { at: 6_000, action: { do: 'list-wallets' } },
    { at: 6_000, action: { do: 'health' } },
    { at: 6_000, action: { do: 'put-notification-preferences' } },
    { at: 7_000, action: { do: 'get-notification-preferences' } },
    { at: 6_000, principal: 'carol', action: { do: 'get-wallet', wallet: alice } },
  ]),
];

/** Routes of statement files, which move no money. Tests of the store let their functions die at each call. */
const ofStatementFiles = routes.filter((route) => route.function === 'statement-files').map(nameOfRoute);
const elsewhere: ReadonlySet<string> = new Set([...streamRoutes, ...referenceRoutes, ...ofStatementFiles]);

/** Returns the routes that no operation uses, of which there must be none. */
export function forgottenRoutes(): string[] {
  const used = new Set<string>(operations.flatMap(({ history }) => history.steps.map(({ action }) => action.do)));
  return routes.map(nameOfRoute).filter((name) => !used.has(name) && !elsewhere.has(name));
}
