/** The operations of batches. A part of a batch has three lines here, and a write makes two payments. */
import type { FeeSettings } from './fees.ts';
import type { Line } from './history.ts';
import { alice, asked, bob, byOperator, currency, operation, operator, sweepAt } from './operation.ts';
import type { Operation, Part } from './operation.ts';

const batch = { ...asked, principal: operator };
const pay = (key: string, amount = 10): Line => ({ key, wallet: alice, to: bob, amount });
const payOut = (key: string, amount = 10): Line => ({ key, wallet: alice, account: 'OK-1', amount });
const back = (key: string, amount = 1): Line => ({ key, wallet: bob, to: alice, amount });
const send = (...lines: Line[]): Part => byOperator({ do: 'create-batch', lines });
const fees: FeeSettings = { first: { transfer: { flat: 5 }, withdrawal: { basisPoints: 1_000 } } };
const missing = { principal: 'stranger', key: 'wallet-x', currency };

export const batchOperations: readonly Operation[] = [
  operation('send a batch', [send(pay('a'))]),
  operation('send a batch of several parts', [send(pay('a'), pay('b'), pay('c'), pay('d'), pay('e'))]),
  operation('send a batch of withdrawals', [send(payOut('a'), payOut('b'))]),
  operation('send a batch of both kinds, by two payers', [send(pay('a'), payOut('b'), back('c'), pay('d'))]),
  operation('send a batch for more than there is', [send(pay('a', 600), pay('b', 600), pay('c', 300))]),
  operation('send a batch with fees', [send(pay('a', 600), pay('b', 390), payOut('c', 300))], { fees }),
  operation('send a batch out of wallets that cannot pay', [
    byOperator({ do: 'freeze', wallet: bob }),
    { ...send({ ...pay('a'), wallet: missing }, back('b'), pay('c')), at: 6_000 },
  ]),
  operation('send a batch and withdraw, side by side', [
    send(pay('a', 600), payOut('b', 300)),
    { action: { do: 'withdraw', wallet: alice, amount: 600, account: 'OK-1' } },
  ]),
  operation('send a batch twice with one key', [send(pay('a')), { ...send(pay('a')), at: 9_000, key: 'key-0' }]),
  operation('send another batch with one key', [send(pay('a')), { ...send(pay('b')), at: 9_000, key: 'key-0' }]),
  operation('send a batch with a bad line', [send(pay('a'), { ...pay('b'), to: alice })]),
  operation('send a batch, its message lost', [send(pay('a'))], {
    given: [{ call: 'sqs SendMessage', kind: 'message-lost' }],
  }),
  operation('send a batch, its message lost, and two sweepers', [send(pay('a')), sweepAt(100_000), sweepAt(100_001)], {
    given: [{ call: 'sqs SendMessage', kind: 'message-lost' }],
  }),
  operation('send a batch, delivered twice', [send(pay('a', 600), pay('b', 600))], {
    given: [{ call: 'event source delivers', kind: 'delivered-twice' }],
  }),
  operation('send a batch while too much waits', [send(pay('a'), pay('b'), pay('c'), pay('d'))], { depthLimit: 2 }),
  operation('read a batch', [
    send(pay('a', 2_000), pay('b'), pay('c'), pay('d')),
    ...(['get-batch', 'list-batch-items'] as const).flatMap((read) =>
      [5_100, 20_000].map((at) => ({ ...byOperator({ do: read, target: batch }), at })),
    ),
    { ...byOperator({ do: 'get-batch', target: asked }), at: 6_000 },
    { at: 6_000, principal: 'carol', action: { do: 'get-batch', target: batch } },
  ]),
];
