import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { mergePage } from '../../lambdas/domain/history.ts';
import type { Stretch } from '../../lambdas/domain/history.ts';

interface Entry {
  readonly key: string;
  readonly index: 0 | 1;
  /** True if the filter of the page admits the entry. */
  readonly shown: boolean;
}

const entries = fc.uniqueArray(fc.nat({ max: 500 }), { maxLength: 60 }).chain((keys) =>
  fc.tuple(
    ...keys.map((key) =>
      fc.record({
        key: fc.constant(String(key).padStart(3, '0')),
        index: fc.constantFrom(0 as const, 1 as const),
        shown: fc.boolean(),
      }),
    ),
  ),
);

/** The reach of a read of one index, and whether a read that ends exactly at the end of the index reports it. */
interface Reach {
  readonly length: number;
  readonly knowsItsEnd: boolean;
}
const reads: fc.Arbitrary<Stream<Reach>> = fc.infiniteStream(
  fc.record({ length: fc.integer({ min: 1, max: 12 }), knowsItsEnd: fc.boolean() }),
);
interface Stream<T> {
  next: () => { value: T };
}

/**
 * Returns the entries of one query of an index, as DynamoDB does: newest first, with the filter applied after the
 * limit.
 */
function read(of: readonly Entry[], after: string | undefined, how: Reach) {
  const rest = of.filter(({ key }) => after === undefined || key < after).sort((a, b) => (a.key < b.key ? 1 : -1));
  const scanned = rest.slice(0, how.length);
  const readTo = scanned.at(-1)?.key;
  const ended = scanned.length === rest.length && (how.knowsItsEnd || scanned.length < how.length);
  const stretch: Stretch<Entry> = { items: scanned.filter(({ shown }) => shown) };
  return ended || readTo === undefined ? stretch : { ...stretch, readTo };
}

describe('pages of two indexes', () => {
  it('show every entry exactly once, newest first, wherever each read of an index ended', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 15 }), reads, (entries, limit, reads) => {
        const pages: Entry[][] = [];
        for (let after: string | undefined; ;) {
          const stretches = [0, 1].map((index) =>
            read(
              entries.filter((entry) => entry.index === index),
              after,
              reads.next().value,
            ),
          );
          const { items, next } = mergePage(stretches, ({ key }) => key, limit);
          pages.push(items);
          assert.ok(items.length <= limit);
          if (next === undefined) break;
          assert.ok(after === undefined || next < after, 'a page begins where it ended');
          after = next;
        }
        const expected = entries.filter(({ shown }) => shown).sort((a, b) => (a.key < b.key ? 1 : -1));
        assert.deepEqual(pages.flat(), expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('are full when each index was read to the length of the page', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 15 }), (entries, limit) => {
        const all = entries.map((entry) => ({ ...entry, shown: true }));
        const stretches = [0, 1].map((index) =>
          read(
            all.filter((entry) => entry.index === index),
            undefined,
            { length: limit, knowsItsEnd: false },
          ),
        );
        const { items } = mergePage(stretches, ({ key }) => key, limit);
        assert.equal(items.length, Math.min(limit, all.length));
      }),
    );
  });

  it('have no cursor when there is no next page', () => {
    const stretches = [{ items: ['b', 'a'] }, { items: [] }];
    assert.deepEqual(
      mergePage(stretches, (key) => key, 2),
      { items: ['b', 'a'] },
    );
    assert.deepEqual(
      mergePage(stretches, (key) => key, 1),
      { items: ['b'], next: 'b' },
    );
  });
});
