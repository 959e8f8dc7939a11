/** Mutations of holds: their opening, captures, releases and expiry. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const holds = 'lambdas/store/holds.ts';
const domain = 'lambdas/domain/hold.ts';
const movements = 'lambdas/store/movements.ts';
const sweeper = 'lambdas/workers/sweeper.ts';
const expiredHolds = 'lambdas/workers/expired-holds.ts';
const recoveredHolds = 'bin/recover/holds.ts';
const capturedSeen = "isEnd ? 'captured = :seen' : 'captured < :most'";
const capturedAny = "isEnd ? '(captured = :seen OR captured <> :seen)' : '(captured < :most OR captured >= :most)'";
const lateEdits = [
  { file: domain, text: 'if (hold.expiresAt <= at)', replacement: "if (hold.expiresAt === '')" },
  { file: holds, text: '`expiresAt > :at AND ', replacement: '`(expiresAt > :at OR expiresAt <= :at) AND ' },
];

export const holdMutations: readonly Mutation[] = [
  mutation(
    'open a hold that is never due',
    domain,
    'dueAt: expiresAt,',
    "dueAt: expiresAt.replace('20', '30'),",
    'hold until it expires',
  ),
  mutation(
    'hold another amount than the hold says',
    holds,
    'holdMoney(table, movement(hold))',
    'holdMoney(table, { ...movement(hold), amount: 1 })',
  ),

  { name: 'capture after the expiry', edits: lateEdits, operation: 'capture too late' },
  mutation('capture from the hold as it was read', holds, capturedSeen, capturedAny, 'capture the rest, side by side'),
  mutation('keep what a final capture leaves', holds, 'decidedBy }, isEnd ? left - amount : 0)', 'decidedBy }, 0)'),
  mutation(
    'leave a hold open that has nothing left',
    domain,
    'return isFinal || amount === leftOf(hold);',
    'return isFinal || amount > leftOf(hold);',
  ),
  mutation(
    'let the payer capture and release',
    'lambdas/http/received-hold.ts',
    'if (await isOnlyPayer(table, caller, { transaction, audience })) {',
    'if (transactionId === String()) {',
    'capture for the payer, and for a stranger',
  ),
  {
    name: 'capture from a frozen wallet',
    edits: [
      { file: movements, text: 'if: `held >= :taken${', replacement: 'if: `held >= :taken OR #status = :frozen${' },
      { file: movements, text: '+ rest, rest, ', replacement: "+ rest, rest, frozen: 'frozen', " },
    ],
    operation: 'capture from a frozen wallet',
  },

  mutation(
    'release without the record of the key',
    holds,
    'putOperation(table, operation),\n      ...giveBackItems',
    '...giveBackItems',
  ),
  mutation(
    'release and expire what was left when the hold was read',
    holds,
    'if: `captured = :seen${',
    'if: `(captured = :seen OR captured <> :seen)${',
    'capture and release, side by side',
  ),
  mutation(
    'end a hold that has ended',
    holds,
    'AND #status = :open AND',
    'AND (#status = :open OR #status <> :open) AND',
    'release, side by side',
  ),

  mutation(
    'end no hold that has expired',
    sweeper,
    'attempt(run, () => endHolds(run, startedAt + transfersMs));',
    'undefined;',
  ),
  {
    name: 'end holds before their expiry',
    edits: [
      {
        file: expiredHolds,
        text: 'listExpired(run.table, shard, { before, limit: pageSize, from })',
        replacement: "listExpired(run.table, shard, { before: '9', limit: pageSize, from })",
      },
      { file: holds, text: "seen.status === 'ended' || seen.expiresAt > at", replacement: "seen.status === 'ended'" },
      { file: holds, text: "' AND expiresAt <= :at'", replacement: "' AND attribute_exists(expiresAt)'" },
    ],
  },
  {
    name: 'end holds by a clock of the sweeper',
    edits: [
      {
        file: expiredHolds,
        text: 'const before = new Date(databaseTime(run)).toISOString();',
        replacement: 'const before = new Date(table.now()).toISOString();',
      },
    ],
    test: 'test/store/sweeper.test.ts',
  },
  {
    name: 'wait for a wallet that takes no writes with each of its holds',
    edits: [{ file: expiredHolds, text: "if (outcome !== 'busy') continue;", replacement: 'if (outcome) continue;' }],
    test: 'test/store/sweeper-holds.test.ts',
  },
  {
    name: 'take a capture that cannot be read for a forgotten one',
    edits: [
      {
        file: recoveredHolds,
        text: "if (hidden > 0 && (status !== 'open' || shown <= Number(counterpart))) return;",
        replacement: '',
      },
      {
        file: recoveredHolds,
        text: 'const shown = link.captured + hiddenAmount;',
        replacement: 'const shown = link.captured;',
      },
    ],
    test: 'test/store/recover-holds.test.ts',
  },
  mutation('give back all that an expired hold has held', holds, 'amount: leftOf(hold),', 'amount: hold.amount,'),
];
