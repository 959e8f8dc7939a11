/** Mutations of entries, totals and journal. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const journalTest = 'test/store/journal.test.ts';
const entries = 'lambdas/store/entries.ts';
const projector = 'lambdas/workers/projector.ts';
const totals = 'lambdas/store/totals.ts';

export const bookMutations: readonly Mutation[] = [
  mutation(
    "order a wallet's ledger by the clocks of the commands",
    'lambdas/domain/entries.ts',
    "at: later(previous?.at ?? '', bookedAt),",
    'at: bookedAt,',
  ),
  mutation(
    'drop a change of a version that the ledger has, whatever it says',
    'lambdas/domain/entries.ts',
    'if (known !== undefined && isSameChange(known, entryOf(undefined, before, after))) return [];',
    'if (known !== undefined) return [];',
  ),
  mutation(
    'tell the balance at a moment from a ledger that is behind',
    'lambdas/domain/entries.ts',
    "if (wallet.version !== (entry?.version ?? -1) + 1) return 'behind';",
    'if (wallet.version !== (entry?.version ?? -1) + 1) return ofEntry;',
  ),
  {
    name: 'go on behind an entry whose insert has failed',
    edits: [
      { file: entries, text: "if (refusal === undefined) return 'stored';", replacement: '' },
      { file: entries, text: 'return refusal.Code ===', replacement: 'return refusal?.Code ===' },
      {
        file: entries,
        text: ": { error: new Error(`not inserted: ${refusal.Code ?? 'no code'}, ${refusal.Message ?? 'no message'}`) };",
        replacement: ": 'stored';",
      },
      {
        file: entries,
        text: 'transientCodes.has(Responses',
        replacement: 'transientCodes.has(String()) && transientCodes.has(Responses',
      },
    ],
  },
  mutation(
    'take an entry that is there for the one that was to be inserted',
    projector,
    "if (outcome === 'known') {\n    chain.state = 'unknown';\n  } else if (outcome === 'stored') {",
    "if (outcome === 'stored' || outcome === 'known') {",
  ),
  {
    ...mutation(
      'list a change in an hour that was checked',
      'lambdas/store/journal.ts',
      'now < start + hourMs + journalSlackMs;',
      'now < start + hourMs + 2 * journalMs;',
    ),
    test: journalTest,
  },
  mutation(
    'leave the last change of a batch out of the journal',
    projector,
    'const changes = done.flatMap((record) => listed.get(record) ?? []);',
    'const changes = done.slice(0, done.length - 1).flatMap((record) => listed.get(record) ?? []);',
  ),
  {
    name: 'count a booking in the totals again',
    edits: [
      { file: totals, text: "ConditionExpression: 'attribute_not_exists(pk)',", replacement: '' },
      { file: totals, text: "ReturnValuesOnConditionCheckFailure: 'ALL_OLD',", replacement: '' },
    ],
  },
];
