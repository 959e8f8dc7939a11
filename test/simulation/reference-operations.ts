/** The operations of references, and of names of wallets. */
import { alice, asked, bob, byOperator, operation } from './operation.ts';
import type { Operation, Part } from './operation.ts';

const reference = 'invoice-1';
const transfer: Part = { action: { do: 'transfer', wallet: alice, to: bob, amount: 100, queued: false, reference } };
const split = (...references: readonly (string | undefined)[]): Part => ({
  action: {
    do: 'split',
    legs: references.map((one) => ({ wallet: alice, to: bob, amount: 10, ...(one && { reference: one }) })),
  },
});
const batch = (...references: readonly (string | undefined)[]): Part =>
  byOperator({
    do: 'create-batch',
    lines: references.map((one, n) => ({
      key: `line-${n}`,
      wallet: alice,
      to: bob,
      amount: 10,
      ...(one && { reference: one }),
    })),
  });
const later = (part: Part, at: number, more: Partial<Part> = {}): Part => ({ ...part, at, ...more });
const find = (at: number, principal: string, operator = false): Part => ({
  ...{ at, principal, operator, action: { do: 'find-transactions', reference } },
});
const name = (text: string | null, at = 5_000, more: Partial<Part> = {}): Part => ({
  ...{ at, action: { do: 'change-wallet', wallet: alice, name: text }, ...more },
});

export const referenceOperations: readonly Operation[] = [
  operation('pay by a reference of its own', [transfer]),
  operation('pay by a reference of its own, side by side', [transfer, later(transfer, 5_000, { key: 'key-b' })]),
  operation('pay by a reference of its own twice with one key', [transfer, later(transfer, 6_000, { key: asked.key })]),
  operation('pay by a reference that is taken', [
    transfer,
    later({ action: { do: 'withdraw', wallet: alice, amount: 100, account: 'OK-1', reference } }, 6_000),
    later({ action: { do: 'open-hold', wallet: alice, to: bob, amount: 100, expiresAt: 200_000, reference } }, 6_100),
  ]),
  operation('pay by a reference that another owner has', [
    transfer,
    later({ action: { do: 'transfer', wallet: bob, to: alice, amount: 1, queued: false, reference } }, 6_000, {
      principal: 'bob',
    }),
    { ...byOperator({ do: 'charge', wallet: alice, amount: 100, reference }), at: 6_100 },
    { ...byOperator({ do: 'charge', wallet: bob, amount: 100, reference }), at: 6_200 },
  ]),
  operation('split by a reference that is taken', [
    transfer,
    later(split('invoice-2', undefined, reference), 6_000, { key: 'key-b' }),
    later(split('invoice-2', undefined), 7_000, { key: 'key-c' }),
  ]),
  operation('split by one reference, side by side', [
    split(reference),
    later(split(reference), 5_000, { key: 'key-b' }),
  ]),
  operation('send a batch by references, one of them taken', [
    { ...byOperator({ do: 'charge', wallet: alice, amount: 100, reference }), at: 4_000 },
    { ...batch(undefined, reference, 'invoice-2'), at: 6_000 },
  ]),
  operation('send two batches by one reference, side by side', [
    batch(reference, undefined),
    later(batch(undefined, reference), 5_000, { key: 'key-b' }),
  ]),
  operation('capture by a reference that its receiver has', [
    { action: { do: 'open-hold', wallet: alice, to: bob, amount: 100, expiresAt: 200_000, reference } },
    ...[10, 20].map((amount, n): Part => ({
      ...{ at: 6_000 + n, principal: 'bob', key: `key-${n}` },
      action: { do: 'capture', target: asked, amount, isFinal: false, reference },
    })),
  ]),
  operation('find by a reference', [
    transfer,
    ...['alice', 'bob', 'carol'].map((principal) => find(6_000, principal)),
    find(6_000, 'operator', true),
  ]),
  operation('name a wallet', [name('Rent')]),
  operation('name a wallet, side by side', [name('Rent'), name('Food', 5_000, { key: 'key-b' }), name(null, 9_000)]),
  operation('name the wallet of another owner', [name('Mine', 5_000, { principal: 'carol' })]),
];
