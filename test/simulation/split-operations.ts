/** The operations of splits. */
import type { LegPlan, WalletName } from './history.ts';
import { alice, asked, bob, byOperator, currency, operation, operator } from './operation.ts';
import type { Circumstances, Operation, Part } from './operation.ts';

const carol: WalletName = { principal: 'carol', key: 'wallet-c', currency };
const savings: WalletName = { principal: 'alice', key: 'wallet-s', currency };
const missing: WalletName = { principal: 'stranger', key: 'wallet-x', currency };

const open = ({ principal, key }: WalletName): Part => ({
  ...{ at: 1_000, principal, key, action: { do: 'create-wallet', currency } },
});
const leg = (wallet: WalletName, to: WalletName, amount = 100): LegPlan => ({ wallet, to, amount });
/** A split of alice under the key that operations target. */
const split = (...legs: readonly LegPlan[]): Part => ({ key: asked.key, action: { do: 'split', legs } });
const later = (part: Part, at: number, key = `key-at-${at}`): Part => ({ ...part, at, key });
/** The wallets of alice and bob are charged without a fee. */
const withFees: Circumstances = { fees: { first: { transfer: { flat: 2, basisPoints: 150 } } } };
const freezeAt = (at: number, wallet: WalletName): Part => ({ ...byOperator({ do: 'freeze', wallet }), at });

export const splitOperations: readonly Operation[] = [
  operation('split', [open(carol), split(leg(alice, bob), leg(alice, carol, 20))]),
  operation('split twice with one key', [
    open(carol),
    split(leg(alice, bob), leg(alice, carol, 20)),
    { ...split(leg(alice, bob), leg(alice, carol, 20)), at: 6_000 },
  ]),
  operation('split otherwise with one key', [split(leg(alice, bob)), { ...split(leg(alice, bob, 7)), at: 6_000 }]),
  operation('split too much', [open(carol), split(leg(alice, bob, 600), leg(alice, carol, 600))]),
  operation('split to a missing wallet', [split(leg(alice, bob), leg(alice, missing))]),
  operation('split to a frozen wallet', [freezeAt(4_000, bob), split(leg(alice, bob))]),
  operation('split to several wallets, one of them frozen', [
    open(carol),
    freezeAt(4_000, bob),
    split(leg(alice, bob), leg(alice, carol, 20)),
  ]),
  operation('split from the wallet of another owner', [split(leg(alice, bob), leg(bob, alice))]),
  operation('split from a wallet of another owner that gets more', [split(leg(alice, bob), leg(bob, alice, 7))]),
  operation('split for an operator, there and back', [
    open(carol),
    {
      ...split(leg(alice, bob, 300), leg(bob, carol, 200), leg(carol, alice, 50)),
      ...{ principal: operator, operator: true },
    },
  ]),
  operation('split through a wallet that ends as it began', [
    open(savings),
    split(leg(alice, savings), leg(savings, bob)),
  ]),
  operation('split through a wallet that is frozen at the same time', [
    open(savings),
    split(leg(alice, savings), leg(savings, bob)),
    freezeAt(5_000, savings),
  ]),
  operation('split all, side by side', [
    split(leg(alice, bob, 600)),
    later(split(leg(alice, bob, 300), leg(alice, bob, 300)), 5_000),
  ]),
  operation('split there and back, side by side', [
    split(leg(alice, bob)),
    { ...later(split(leg(bob, alice)), 5_000), principal: 'bob' },
  ]),
  operation(
    'split again within the hour, beyond the limit',
    [split(leg(alice, bob), leg(alice, bob)), later(split(leg(alice, bob), leg(alice, bob)), 6_000)],
    { perHour: 3 },
  ),
  operation('refund a leg', [
    open(carol),
    split(leg(alice, bob), leg(alice, carol, 20)),
    { at: 6_000, principal: 'bob', action: { do: 'refund', target: { ...asked, leg: 0 } } },
    { ...split(leg(alice, bob), leg(alice, carol, 20)), at: 7_000 },
  ]),
  operation(
    'split with fees, through a wallet that pays one',
    [open(savings), open(carol), split(leg(alice, savings, 102), leg(savings, bob, 99), leg(alice, carol, 20))],
    withFees,
  ),
  operation(
    'split with fees twice with one key',
    [split(leg(alice, bob), leg(alice, bob, 20)), { ...split(leg(alice, bob), leg(alice, bob, 20)), at: 6_000 }],
    withFees,
  ),
  // The legs would leave 1 of 1000, and their fees are 10 and 9.
  operation('split all but the fees', [split(leg(alice, bob, 549), leg(alice, bob, 450))], withFees),
  operation(
    'refund a leg with a fee',
    [
      split(leg(alice, bob), leg(alice, bob, 20)),
      { at: 6_000, principal: 'bob', action: { do: 'refund', target: { ...asked, leg: 0 } } },
    ],
    withFees,
  ),
];
