/** The operations of refunds. */
import { alice, asked, bob, byOperator, operation, operator } from './operation.ts';
import type { Operation, Part } from './operation.ts';

/** The charge of alice's wallet, which every operation begins with: of 1,000. */
const charged = { principal: operator, key: 'setup-2' } as const;
const captured = { principal: 'bob', key: 'key-1' } as const;

const pay = (queued = false, amount = 100): Part => ({
  action: { do: 'transfer', wallet: alice, to: bob, amount, queued },
});
const refundAt = (at: number, amount?: number, target: { principal: string; key: string } = asked): Part => ({
  at,
  principal: 'bob',
  action: { do: 'refund', target, ...(amount !== undefined && { amount }) },
});
const asOperator = (part: Part): Part => ({ ...part, principal: operator, operator: true });
const refundChargeAt = (at: number, amount?: number): Part => asOperator(refundAt(at, amount, charged));
const chargeBackAt = (at: number, amount?: number): Part => ({
  ...byOperator({ do: 'refund', target: charged, chargeback: true, ...(amount !== undefined && { amount }) }),
  at,
});
const freezeAt = (at: number, wallet: typeof alice): Part => ({ ...byOperator({ do: 'freeze', wallet }), at });
const closeAt = (at: number, wallet: typeof alice): Part => ({ ...byOperator({ do: 'close', wallet }), at });
const openHold: Part = { action: { do: 'open-hold', wallet: alice, to: bob, amount: 100, expiresAt: 70_000 } };
const capture: Part = { at: 6_000, principal: 'bob', action: { do: 'capture', target: asked, isFinal: true } };

export const refundOperations: readonly Operation[] = [
  operation('refund a transfer', [pay(), refundAt(6_000)]),
  operation('refund in parts', [pay(), refundAt(6_000, 30), refundAt(7_000, 70)]),
  operation('refund too much', [pay(), refundAt(6_000, 101)]),
  operation('refund twice with one key', [pay(), refundAt(6_000), { ...refundAt(6_000), key: 'key-1' }]),
  operation('refund parts, side by side', [pay(), refundAt(6_000, 60), refundAt(6_000, 60)], { bobHas: 1_000 }),
  operation('refund the rest, side by side', [pay(), refundAt(6_000, 30), refundAt(6_000)], { bobHas: 1_000 }),
  operation('refund all, three side by side', [pay(), refundAt(6_000), refundAt(6_000), refundAt(6_000)], {
    bobHas: 1_000,
  }),
  operation('refund what was spent', [
    pay(),
    { at: 5_500, principal: 'bob', action: { do: 'transfer', wallet: bob, to: alice, amount: 90, queued: false } },
    refundAt(6_000),
  ]),
  operation('refund a queued transfer when it arrives', [pay(true), refundAt(5_500), refundAt(20_000)]),
  operation('refund a queued transfer that failed', [pay(true), freezeAt(4_000, bob), refundAt(30_000)]),
  operation('refund for the payer, and for a stranger', [
    pay(),
    ...['alice', 'carol'].map((principal) => ({ ...refundAt(6_000), principal })),
  ]),
  operation('refund for an operator', [pay(), asOperator(refundAt(6_000))]),
  operation('refund from a frozen wallet', [pay(), freezeAt(6_000, bob), refundAt(6_500)]),
  operation('refund into a frozen wallet', [pay(), freezeAt(6_000, alice), refundAt(6_500)]),
  operation('refund and freeze, side by side', [pay(), refundAt(6_000), freezeAt(6_000, alice)]),
  operation('refund a capture', [openHold, capture, refundAt(7_000, 30, captured)]),
  operation('refund a hold', [openHold, refundAt(6_000)]),
  operation('refund a charge', [refundChargeAt(6_000, 300)]),
  operation('refund a charge for its wallet', [{ ...refundAt(6_000, 300, charged), principal: 'alice' }]),
  operation('refund a charge that was spent', [pay(false, 900), refundChargeAt(6_000)]),
  operation('charge back', [chargeBackAt(6_000)]),
  operation('charge back a transfer', [
    pay(),
    { ...byOperator({ do: 'refund', target: asked, chargeback: true }), at: 6_000 },
  ]),
  operation('charge back what was spent', [pay(false, 900), chargeBackAt(6_000), pay(false, 1)]),
  operation('charge back and refund, side by side', [chargeBackAt(6_000, 600), refundChargeAt(6_000, 600)]),
  operation('charge back and pay, side by side', [chargeBackAt(6_000, 600), { ...pay(false, 600), at: 6_000 }]),
  operation('charge back what is held, and close', [
    { ...openHold, action: { ...openHold.action, amount: 1_000 } as Part['action'] },
    chargeBackAt(6_000),
    closeAt(7_000, alice),
  ]),
  operation('charge back from a closed wallet', [
    pay(false, 1_000),
    closeAt(6_000, alice),
    chargeBackAt(7_000, 400),
    { ...byOperator({ do: 'unfreeze', wallet: alice }), at: 8_000 },
    { ...byOperator({ do: 'charge', wallet: alice, amount: 400 }), at: 9_000 },
  ]),
  operation('charge back from a frozen wallet', [freezeAt(5_000, alice), chargeBackAt(6_000, 400)]),
];
