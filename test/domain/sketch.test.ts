import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from '@jest/globals';
import { addTo, differencesOf, emptySketch, sketchFromText, sketchToText } from '../../lambdas/domain/sketch.ts';

/** Returns the id of a transaction as a number: the first 130 bits of a hash. */
function idOf(n: number): bigint {
  return BigInt(`0x${createHash('sha256').update(String(n)).digest('hex')}`) >> 126n;
}

describe('a sketch', () => {
  it('finds the differences between two sides of any size and order', () => {
    // Two ids in 262,144 fall into the same cells. Then the sketch says that it is not complete.
    let incomplete = 0;
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(1e6), { maxLength: 300 }),
        fc.uniqueArray(fc.integer({ min: 2e6, max: 3e6 }), { maxLength: 30 }),
        fc.uniqueArray(fc.integer({ min: 4e6, max: 5e6 }), { maxLength: 30 }),
        (common, added, taken) => {
          const sketch = emptySketch();
          for (const n of [...common, ...added]) addTo(sketch, idOf(n), 1);
          for (const n of [...taken, ...common.toReversed()]) addTo(sketch, idOf(n), -1);
          const { ids, complete } = differencesOf(sketchFromText(sketchToText(sketch)));
          const differences = new Map([
            ...added.map((n) => [idOf(n), 1] as const),
            ...taken.map((n) => [idOf(n), -1] as const),
          ]);
          if (complete) assert.deepEqual(new Map([...ids].sort()), new Map([...differences].sort()));
          else incomplete++;
          for (const [id, count] of ids) assert.equal(count, differences.get(id));
        },
      ),
    );
    assert.ok(incomplete <= 3, `${incomplete} of 100 are not complete`);
  });

  it('counts an id that one side has several times', () => {
    const sketch = emptySketch();
    addTo(sketch, idOf(1), 1);
    addTo(sketch, idOf(1), 1);
    addTo(sketch, idOf(1), 1);
    addTo(sketch, idOf(1), -1);
    addTo(sketch, idOf(2), -1);
    assert.deepEqual(
      differencesOf(sketch).ids,
      new Map([
        [idOf(1), 2],
        [idOf(2), -1],
      ]),
    );
  });

  it('reports an excess of differences, and names no id that is not there', () => {
    const sketch = emptySketch();
    for (let n = 0; n < 5000; n++) addTo(sketch, idOf(n), 1);
    const { ids, complete } = differencesOf(sketch);
    assert.equal(complete, false);
    const real = new Set(Array.from({ length: 5000 }, (_, n) => idOf(n)));
    for (const id of ids.keys()) assert.ok(real.has(id));
  });
});
