/** The operations of standing orders. */
import { alice, asked, bob, byOperator, operation, operator, sweepAt } from './operation.ts';
import type { Operation, Part } from './operation.ts';

const hourMs = 3_600_000;
/** The database names its time in whole seconds. */
const sweptAt = 60_000;
/** The first payment is executed by the sweeper's run after its time. */
const firstAt = 2 * hourMs;
const paidAt = firstAt + 1_000;
const openOrder = (amount = 100, count?: number, first = firstAt): Part => ({
  action: {
    ...({ do: 'open-standing-order', wallet: alice, to: bob, amount, every: 'week', firstAt: first } as const),
    ...(count !== undefined && { count }),
  },
});
const cancelAt = (at: number): Part => ({ at, action: { do: 'cancel-standing-order', target: asked } });
const statusAt = (at: number, status: 'freeze' | 'unfreeze' | 'close', wallet: typeof alice): Part => ({
  ...byOperator({ do: status, wallet }),
  at,
});

export const orderOperations: readonly Operation[] = [
  operation('open a standing order', [openOrder(), sweepAt(sweptAt)]),
  operation('open a standing order twice with one key', [openOrder(), { ...openOrder(), key: 'key-0' }]),
  operation(
    'open more standing orders than a wallet can have',
    [
      openOrder(),
      openOrder(),
      { ...openOrder(), key: 'key-0' },
      { ...cancelAt(6_000), key: 'cancel' },
      { ...openOrder(), at: 7_000 },
    ],
    { caps: { scheduled: 1, orders: 1 } },
  ),
  operation(
    'pay a standing order of a wallet with as many scheduled payments as it can have',
    [
      openOrder(100, 1),
      {
        action: { do: 'transfer', wallet: alice, to: bob, amount: 100, queued: false, executeAt: 3 * hourMs },
        at: 6_000,
      },
      sweepAt(sweptAt),
      sweepAt(paidAt),
    ],
    { caps: { scheduled: 1, orders: 1 } },
  ),
  operation('open a standing order too soon', [openOrder(100, undefined, 600_000)]),
  operation('open a standing order, with two sweepers', [openOrder(), sweepAt(sweptAt), sweepAt(sweptAt + 1)]),
  operation('pay a standing order', [openOrder(100, 1), sweepAt(sweptAt), sweepAt(paidAt)]),
  operation('pay a standing order of more than there is', [openOrder(2_000, 1), sweepAt(sweptAt), sweepAt(paidAt)]),
  operation('cancel a standing order', [openOrder(), cancelAt(6_000), sweepAt(sweptAt)]),
  operation('cancel a standing order twice with one key', [
    openOrder(),
    cancelAt(6_000),
    { ...cancelAt(6_001), key: 'key-1' },
  ]),
  operation('cancel a standing order, side by side', [openOrder(), cancelAt(6_000), cancelAt(6_000)]),
  operation('cancel a standing order that has scheduled a payment', [openOrder(), sweepAt(sweptAt), cancelAt(70_000)]),
  operation('cancel a standing order while it schedules a payment', [
    openOrder(),
    sweepAt(sweptAt),
    ...[20, 40, 60].map((afterMs) => cancelAt(sweptAt + afterMs)),
  ]),
  operation('cancel a standing order while its payment is executed', [
    openOrder(),
    sweepAt(sweptAt),
    sweepAt(paidAt),
    cancelAt(paidAt + 1_040),
  ]),
  operation('cancel a standing order for others', [
    openOrder(),
    ...['bob', 'carol'].map((principal) => ({ ...cancelAt(6_000), principal })),
    { ...cancelAt(7_000), principal: operator, operator: true },
  ]),
  operation('open a standing order and close its wallet', [
    openOrder(),
    { at: 6_000, action: { do: 'transfer', wallet: alice, to: bob, amount: 1_000, queued: false } },
    statusAt(7_000, 'close', alice),
    sweepAt(sweptAt),
  ]),
  operation('open a standing order and freeze its wallet', [
    openOrder(100, 1),
    statusAt(6_000, 'freeze', alice),
    sweepAt(sweptAt),
    sweepAt(paidAt),
  ]),
  operation('read a standing order', [
    openOrder(),
    ...['alice', 'bob', operator].flatMap((principal): Part[] =>
      [
        { do: 'get-standing-order', target: asked } as const,
        { do: 'list-standing-orders', wallet: alice } as const,
      ].map((action) => ({ at: 6_000, principal, operator: principal === operator, action })),
    ),
  ]),
];
