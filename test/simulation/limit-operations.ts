/** The operations of wallets with limits. */
import type { WalletName } from './history.ts';
import type { Limits } from './limits.ts';
import { alice, asked, bob, byOperator, operation } from './operation.ts';
import type { Part } from './operation.ts';

const setAt = (at: number, limits: Limits, more: { wallet?: WalletName; version?: number } = {}): Part => ({
  ...byOperator({ do: 'set-limits', wallet: alice, limits, ...more }),
  at,
});
const withdrawAt = (at: number, amount = 100): Part => ({
  at,
  action: { do: 'withdraw', wallet: alice, amount, account: 'OK-1' },
});
const transferAt = (at: number, queued: boolean, amount = 100): Part => ({
  at,
  action: { do: 'transfer', wallet: alice, to: bob, amount, queued },
});
const chargeAt = (at: number, amount = 100): Part => ({ ...byOperator({ do: 'charge', wallet: alice, amount }), at });
const holdAt = (at: number, amount = 100): Part => ({
  at,
  action: { do: 'open-hold', wallet: alice, to: bob, amount, expiresAt: 100_000 },
});
const captureAt = (at: number, amount: number): Part => ({
  at,
  principal: 'bob',
  action: { do: 'capture', target: asked, isFinal: false, amount },
});
const refundAt = (at: number, amount: number): Part => ({
  at,
  principal: 'bob',
  action: { do: 'refund', target: asked, amount },
});
const day = { out: { perDay: 150 }, in: { perDay: 150 } };
/** Histories begin at noon. */
const midnight = 12 * 3_600_000;

export const limitOperations = [
  operation('set limits', [setAt(5_000, day)]),
  operation('set limits twice with one key', [setAt(5_000, day), { ...setAt(6_000, day), key: 'key-0' }]),
  operation('set limits, side by side', [setAt(5_000, day, { version: 0 }), setAt(5_000, {}, { version: 0 })]),
  operation('set limits of a version that is no more', [
    setAt(5_000, day),
    setAt(6_000, { creditLine: 100 }, { version: 1 }),
    setAt(7_000, {}, { version: 1 }),
  ]),
  operation('set limits for the owner', [{ ...setAt(5_000, day), principal: 'alice', operator: false }]),
  operation('set a credit line, and a smaller one', [
    setAt(5_000, { creditLine: 500 }),
    setAt(6_000, { creditLine: 200 }),
    withdrawAt(7_000, 1_200),
  ]),
  operation('remove limits', [setAt(5_000, day), withdrawAt(6_000), setAt(7_000, {}), withdrawAt(8_000)]),
  operation('withdraw up to a limit', [setAt(5_000, day), withdrawAt(6_000), withdrawAt(7_000, 50)]),
  operation('withdraw over a limit', [setAt(5_000, day), withdrawAt(6_000), withdrawAt(7_000)]),
  operation('withdraw up to a limit, side by side', [setAt(5_000, day), withdrawAt(6_000), withdrawAt(6_000)]),
  operation('withdraw and lower the limit, side by side', [
    setAt(5_000, day),
    withdrawAt(6_000),
    setAt(7_000, { out: { perDay: 120 } }),
    withdrawAt(7_000, 50),
  ]),
  operation('withdraw when the limit was lowered', [
    setAt(5_000, day),
    withdrawAt(6_000),
    setAt(7_000, { out: { perDay: 120 } }),
    withdrawAt(8_000, 50),
  ]),
  operation('withdraw before and after midnight', [
    setAt(5_000, day),
    withdrawAt(midnight - 2_000),
    withdrawAt(midnight + 2_000),
    withdrawAt(midnight + 4_000),
  ]),
  operation('withdraw before and after midnight, side by side', [
    setAt(5_000, day),
    ...[6_000, 6_000, midnight + 2_000, midnight + 2_000].map((at) => withdrawAt(at, 60)),
  ]),
  operation(
    'withdraw at midnight, by different clocks',
    [setAt(5_000, day), ...[0, 0, 0, 40, 40, 40].map((ms) => withdrawAt(midnight + ms, 40))],
    { clocksDifferMs: 900 },
  ),
  operation('withdraw on credit', [
    setAt(5_000, { creditLine: 500 }),
    withdrawAt(6_000, 1_400),
    withdrawAt(7_000, 200),
  ]),
  operation('withdraw down to a minimum', [
    setAt(5_000, { minimumBalance: 900 }),
    withdrawAt(6_000),
    withdrawAt(7_000),
  ]),
  operation('charge up to a maximum', [setAt(5_000, { maximumBalance: 1_100 }), chargeAt(6_000), chargeAt(7_000)]),
  operation('transfer to a limited wallet', [
    setAt(5_000, day, { wallet: bob }),
    transferAt(6_000, false),
    transferAt(7_000, false),
  ]),
  operation('transfer later to a limited wallet, three together', [
    setAt(5_000, day, { wallet: bob }),
    ...[70, 200, 80].map((amount) => transferAt(6_000, true, amount)),
  ]),
  operation('transfer later to a wallet that is limited meanwhile', [
    transferAt(6_000, true),
    setAt(6_020, { in: { perDay: 50 } }, { wallet: bob }),
  ]),
  operation('hold within a limit', [holdAt(5_500), setAt(6_000, day), holdAt(7_000), holdAt(8_000)]),
  operation('capture into a limited wallet', [
    holdAt(5_500),
    setAt(6_000, { in: { perDay: 50 } }, { wallet: bob }),
    captureAt(7_000, 40),
    captureAt(8_000, 20),
  ]),
  operation('refund a transfer between limited wallets', [
    transferAt(5_500, false),
    setAt(6_000, { in: { perTransaction: 0 }, maximumBalance: 0 }),
    setAt(6_000, { out: { perTransaction: 0 }, minimumBalance: 50 }, { wallet: bob }),
    refundAt(7_000, 100),
  ]),
  operation('refund a transfer that was spent, with a credit line', [
    transferAt(5_500, false),
    setAt(6_000, { creditLine: 500 }, { wallet: bob }),
    { at: 7_000, principal: 'bob', action: { do: 'withdraw', wallet: bob, amount: 90, account: 'OK-1' } },
    refundAt(8_000, 100),
  ]),
  operation('close a wallet that owes as much as it holds', [
    transferAt(5_500, false, 1_000),
    setAt(6_000, { creditLine: 500 }),
    holdAt(7_000),
    { ...byOperator({ do: 'close', wallet: alice }), at: 8_000 },
  ]),
];
