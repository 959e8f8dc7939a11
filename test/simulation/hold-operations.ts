/** The operations of holds. */
import { alice, asked, bob, byOperator, operation, sweepAt } from './operation.ts';
import type { Operation, Part } from './operation.ts';

const expiresAt = 70_000;
/** The database names its time in whole seconds. */
const sweptAt = expiresAt + 1_000;
const openHold = (more: { amount?: number; isOutside?: boolean } = {}): Part => {
  const { amount = 100, isOutside = false } = more;
  return { action: { do: 'open-hold', wallet: alice, amount, expiresAt, ...(!isOutside && { to: bob }) } };
};
const captureAt = (at: number, amount?: number, isFinal = false): Part => ({
  at,
  principal: 'bob',
  action: { do: 'capture', target: asked, isFinal, ...(amount !== undefined && { amount }) },
});
const releaseAt = (at: number): Part => ({ at, principal: 'bob', action: { do: 'release', target: asked } });
const freezeAt = (at: number, wallet: typeof alice): Part => ({ ...byOperator({ do: 'freeze', wallet }), at });
const asOperator = (part: Part): Part => ({ ...part, principal: 'operator', operator: true });

export const holdOperations: readonly Operation[] = [
  operation('hold until it expires', [openHold()]),
  operation('hold too much', [openHold({ amount: 2_000 })]),
  operation('hold twice with one key', [openHold(), { ...openHold(), key: 'key-0' }]),
  operation('hold all, side by side', [openHold({ amount: 600 }), openHold({ amount: 600 })]),
  operation('capture', [openHold(), captureAt(6_000)]),
  operation('capture in parts', [openHold(), captureAt(6_000, 30), captureAt(7_000, 70)]),
  operation('capture a part, and the rest expires', [openHold(), captureAt(6_000, 30)]),
  operation('capture a part, and give the rest back', [openHold(), captureAt(6_000, 30, true)]),
  operation('capture too much', [openHold(), captureAt(6_000, 101)]),
  operation('capture twice with one key', [openHold(), captureAt(6_000), { ...captureAt(6_000), key: 'key-1' }]),
  operation('capture parts, side by side', [openHold(), captureAt(6_000, 60), captureAt(6_000, 60)]),
  operation('capture the rest, side by side', [openHold(), captureAt(6_000, 30), captureAt(6_000)]),
  operation('capture and release, side by side', [openHold(), captureAt(6_000, 30), releaseAt(6_000)]),
  operation('capture at the expiry', [openHold(), captureAt(expiresAt - 5, 30), sweepAt(sweptAt)]),
  operation('capture too late', [openHold(), captureAt(expiresAt + 5)]),
  operation('capture by a clock that is behind', [openHold(), captureAt(expiresAt + 5), sweepAt(sweptAt)], {
    clocksDifferMs: 900,
  }),
  operation('capture for the payer, and for a stranger', [
    openHold(),
    ...['alice', 'carol'].map((principal) => ({ ...captureAt(6_000), principal })),
  ]),
  operation('capture to the world outside', [openHold({ isOutside: true }), asOperator(captureAt(6_000, 30, true))]),
  operation('capture from a frozen wallet', [openHold(), freezeAt(6_000, alice), captureAt(6_500)]),
  operation('capture into a frozen wallet', [openHold(), freezeAt(6_000, bob), captureAt(6_500)]),
  operation('capture and freeze, side by side', [openHold(), captureAt(6_000, 30), freezeAt(6_000, alice)]),
  operation('release', [openHold(), releaseAt(6_000)]),
  operation('release for an operator', [openHold(), asOperator(releaseAt(6_000))]),
  operation('release for the payer', [openHold(), { ...releaseAt(6_000), principal: 'alice' }]),
  operation('release twice with one key', [openHold(), releaseAt(6_000), { ...releaseAt(6_001), key: 'key-1' }]),
  operation('release, side by side', [openHold(), releaseAt(6_000), releaseAt(6_000)]),
  operation('release at the expiry', [openHold(), releaseAt(sweptAt), sweepAt(sweptAt)]),
  operation('expire, with two sweepers', [openHold(), sweepAt(sweptAt), sweepAt(sweptAt + 1)]),
  operation('expire by a clock that is ahead', [openHold(), sweepAt(20_000), sweepAt(20_001)], { wrongByMs: 290_000 }),
  operation('expire in a frozen wallet', [openHold(), freezeAt(6_000, alice), sweepAt(sweptAt)]),
  operation('close with a hold', [openHold(), { ...byOperator({ do: 'close', wallet: alice }), at: 6_000 }]),
];
