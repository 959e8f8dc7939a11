/** The operations of commands with fees, and of their collection. */
import type { FeeSettings } from './fees.ts';
import { walletIdOfName } from './history.ts';
import { alice, asked, bob, byOperator, operation, sweepAt } from './operation.ts';
import type { Circumstances, Part } from './operation.ts';

const fees: FeeSettings = {
  first: {
    transfer: { flat: 2, basisPoints: 150 },
    withdrawal: { basisPoints: 250, minimum: 3 },
    capture: { basisPoints: 1_000 },
    // The wallets of alice and bob are charged at first: 100 of the 1000, and nothing of 1.
    charge: { basisPoints: 1_000 },
  },
  revenueWallet: walletIdOfName(bob),
};
const withFees: Circumstances = { fees };
/** With the totals, from which fees are collected. Their many reads, and the projector, meet faults in random histories. */
const strikes = ['dynamodb GetItem', 'dynamodb TransactWriteItems'];
const withBooks: Circumstances = { fees, hasBooks: true, strikes };

const transfer = (queued: boolean, amount = 100): Part => ({
  action: { do: 'transfer', wallet: alice, to: bob, amount, queued },
});
const withdraw = (account: string, amount = 100): Part => ({
  action: { do: 'withdraw', wallet: alice, amount, account },
});
const openHold: Part = { action: { do: 'open-hold', wallet: alice, to: bob, amount: 100, expiresAt: 70_000 } };
const captureAt = (at: number, amount: number, isFinal = false): Part => ({
  at,
  principal: 'bob',
  action: { do: 'capture', target: asked, isFinal, amount },
});
const hourMs = 3_600_000;
/** Histories begin at noon. From five minutes past on, the hours before are collected. */
const afterHour = (hours: number) => hours * hourMs + 330_000;

export const feeOperations = [
  operation('charge with a fee', [byOperator({ do: 'charge', wallet: alice, amount: 100 })], withFees),
  operation('transfer with a fee', [transfer(false)], withFees),
  operation(
    'transfer twice with one key, and a fee',
    [transfer(false), { ...transfer(false), key: 'key-0' }],
    withFees,
  ),
  operation('transfer an amount with a half of a unit as its fee', [transfer(false, 300)], withFees),
  operation('transfer all but the fee', [transfer(false, 900)], withFees),
  operation('transfer later with a fee', [transfer(true), transfer(true)], withFees),
  operation(
    'transfer later with a fee to a frozen wallet',
    [byOperator({ do: 'freeze', wallet: bob }), transfer(true)],
    withFees,
  ),
  operation('withdraw with a fee', [withdraw('OK-1')], withFees),
  operation('withdraw with a fee, rejected', [withdraw('REJECT-1')], withFees),
  operation('withdraw all but the fee', [withdraw('OK-1', 900)], withFees),
  operation(
    'withdraw with a fee, and cancel',
    [withdraw('OK-1'), { at: 6_000, action: { do: 'cancel', target: asked } }],
    {
      ...withFees,
      given: [{ call: 'sqs SendMessage', kind: 'message-lost' }],
    },
  ),
  operation(
    'withdraw with a fee, and get it back',
    [withdraw('OK-1'), { at: 9_000, action: { do: 'bank-notifications', target: asked, returned: true } }],
    withFees,
  ),
  operation('capture with a fee', [openHold, captureAt(6_000, 30), captureAt(7_000, 40, true)], withFees),
  operation(
    'refund a transfer with a fee',
    [transfer(false), { at: 6_000, principal: 'bob', action: { do: 'refund', target: asked } }],
    withFees,
  ),
  operation('collect fees', [transfer(false), sweepAt(afterHour(1))], withBooks),
  operation('collect fees, two sweepers', [sweepAt(afterHour(1)), sweepAt(afterHour(1) + 1)], withBooks),
  operation(
    'collect fees twice',
    [
      sweepAt(afterHour(1)),
      { ...transfer(false), at: afterHour(1) + 60_000 },
      sweepAt(afterHour(2)),
      sweepAt(afterHour(3)),
    ],
    withBooks,
  ),
];
