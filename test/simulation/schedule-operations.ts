/** The operations of payments for later. */
import { alice, asked, bob, byOperator, operation, operator, sweepAt } from './operation.ts';
import type { Operation, Part } from './operation.ts';

const executeAt = 70_000;
/** The database names its time in whole seconds. */
const sweptAt = executeAt + 1_000;
/** The queue of transfers gathers messages for a second. */
const workedAt = sweptAt + 1_040;
const transferLater = (amount = 100, time = executeAt): Part => ({
  action: { do: 'transfer', wallet: alice, to: bob, amount, queued: false, executeAt: time },
});
const withdrawLater = (account = 'OK-1', amount = 100): Part => ({
  action: { do: 'withdraw', wallet: alice, amount, account, executeAt },
});
const cancelAt = (at: number): Part => ({ at, action: { do: 'cancel', target: asked } });
const transferAt = (at: number, amount: number): Part => ({
  at,
  action: { do: 'transfer', wallet: alice, to: bob, amount, queued: false },
});
const statusAt = (at: number, status: 'freeze' | 'unfreeze' | 'close', wallet: typeof alice): Part => ({
  ...byOperator({ do: status, wallet }),
  at,
});
const lostMessages = { given: [{ call: 'sqs SendMessageBatch', kind: 'message-lost' }] } as const;
const deliveredTwice = { given: [{ call: 'event source delivers', kind: 'delivered-twice' }] } as const;

export const scheduleOperations: readonly Operation[] = [
  operation('schedule a transfer', [transferLater(), sweepAt(sweptAt)]),
  operation('schedule a transfer, with two sweepers', [transferLater(), sweepAt(sweptAt), sweepAt(sweptAt + 1)]),
  operation('schedule a transfer, its message lost', [transferLater(), sweepAt(sweptAt)], lostMessages),
  operation('schedule a transfer, delivered twice', [transferLater(), sweepAt(sweptAt)], deliveredTwice),
  operation('schedule a transfer twice with one key', [transferLater(), { ...transferLater(), key: 'key-0' }]),
  operation('schedule a transfer too soon', [transferLater(100, 30_000)]),
  operation(
    'schedule more transfers than a wallet can have',
    [
      transferLater(),
      transferLater(),
      { ...transferLater(), key: 'key-0' },
      { ...cancelAt(6_000), key: 'cancel' },
      { ...transferLater(), at: 7_000 },
      sweepAt(sweptAt),
    ],
    { caps: { scheduled: 1, orders: 1 } },
  ),
  operation('schedule a transfer and spend its money', [transferLater(), transferAt(6_000, 950), sweepAt(sweptAt)]),
  operation('schedule transfers of more than there is', [transferLater(600), transferLater(600), sweepAt(sweptAt)]),
  operation(
    'schedule a transfer, by a sweeper whose clock is ahead',
    [transferLater(), sweepAt(20_000), sweepAt(20_001)],
    {
      wrongByMs: 290_000,
    },
  ),
  operation('schedule a transfer from a wallet that is frozen then', [
    transferLater(),
    statusAt(6_000, 'freeze', alice),
    sweepAt(sweptAt),
  ]),
  operation('schedule a transfer to a wallet that is frozen then', [
    transferLater(),
    statusAt(6_000, 'freeze', bob),
    sweepAt(sweptAt),
  ]),
  operation('schedule a transfer and freeze its wallet at its time', [
    transferLater(),
    sweepAt(sweptAt),
    statusAt(workedAt, 'freeze', alice),
  ]),
  operation('schedule a transfer and cancel it', [transferLater(), cancelAt(6_000)]),
  operation('schedule a transfer and cancel it, for an operator', [
    transferLater(),
    { ...cancelAt(6_000), principal: operator, operator: true },
  ]),
  operation('schedule a transfer and cancel it twice with one key', [
    transferLater(),
    cancelAt(6_000),
    { ...cancelAt(6_001), key: 'key-1' },
  ]),
  operation('schedule a transfer and cancel it, side by side', [transferLater(), cancelAt(6_000), cancelAt(6_000)]),
  operation('schedule a transfer and cancel it for its receiver', [
    transferLater(),
    ...['bob', 'carol'].map((principal) => ({ ...cancelAt(6_000), principal })),
  ]),
  operation('schedule a transfer and cancel it at its time', [transferLater(), sweepAt(sweptAt), cancelAt(workedAt)]),
  operation('schedule a transfer and cancel it too late', [transferLater(), sweepAt(sweptAt), cancelAt(80_000)]),
  operation('schedule a transfer and close its wallet', [
    transferLater(),
    transferAt(5_500, 1_000),
    statusAt(6_000, 'close', alice),
    cancelAt(7_000),
    statusAt(8_000, 'close', alice),
  ]),
  operation('schedule a transfer from a closed wallet', [
    transferAt(5_000, 1_000),
    statusAt(6_000, 'close', alice),
    { ...transferLater(), at: 7_000 },
  ]),
  operation('schedule a transfer and close its wallet, side by side', [
    transferAt(5_000, 1_000),
    { ...transferLater(), at: 6_000 },
    statusAt(6_000, 'close', alice),
  ]),
  operation('schedule a withdrawal', [withdrawLater(), sweepAt(sweptAt)]),
  operation('schedule a withdrawal, rejected', [withdrawLater('REJECT-1'), sweepAt(sweptAt)]),
  operation('schedule a withdrawal, its message lost', [withdrawLater(), sweepAt(sweptAt)], lostMessages),
  operation('schedule a withdrawal, delivered twice', [withdrawLater(), sweepAt(sweptAt)], deliveredTwice),
  operation('schedule a withdrawal of too much', [withdrawLater('OK-1', 2_000), sweepAt(sweptAt)]),
  operation('schedule a withdrawal and cancel it at its time', [
    withdrawLater(),
    sweepAt(sweptAt),
    cancelAt(sweptAt + 40),
  ]),
  operation('schedule a withdrawal and freeze its wallet at its time', [
    withdrawLater(),
    sweepAt(sweptAt),
    statusAt(sweptAt + 50, 'freeze', alice),
  ]),
  operation('read a scheduled transfer', [
    transferLater(),
    ...(['get-transaction', 'get-receipt'] as const).flatMap((read) =>
      ['alice', 'bob', 'carol'].map((principal) => ({ at: 6_000, principal, action: { do: read, target: asked } })),
    ),
    { at: 6_000, principal: 'bob', action: { do: 'list-transactions', wallet: bob } },
    sweepAt(sweptAt),
    { at: 90_000, principal: 'bob', action: { do: 'get-transaction', target: asked } },
  ]),
];
