import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { patchedDetails } from '../../lambdas/domain/wallet-details.ts';

describe('a patch of details', () => {
  it('sets and removes by member, and leaves what it does not name', () => {
    const details = { name: 'Rent', metadata: { a: '1', b: '2' } };
    assert.deepEqual(patchedDetails(details, {}), details);
    assert.deepEqual(patchedDetails(details, { name: null }), { metadata: details.metadata });
    assert.deepEqual(patchedDetails(details, { metadata: { a: null, c: '3' } }), {
      name: 'Rent',
      metadata: { b: '2', c: '3' },
    });
    assert.deepEqual(patchedDetails(details, { metadata: null, name: 'Food' }), { name: 'Food' });
    assert.deepEqual(patchedDetails(details, { metadata: { a: null, b: null } }), { name: 'Rent' });
    assert.deepEqual(patchedDetails({}, { metadata: { a: null } }), {});
  });

  it('is the same when it is applied twice', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const patch = fc.record(
      {
        name: fc.constantFrom(null, 'Rent', 'Food'),
        metadata: fc.option(fc.dictionary(key, fc.constantFrom(null, '1', '2')), { nil: null }),
      },
      { requiredKeys: [] },
    );
    const details = fc.record(
      { name: fc.constant('Rent'), metadata: fc.dictionary(key, fc.constantFrom('1', '2'), { minKeys: 1 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(details, patch, (details, patch) => {
        const once = patchedDetails(details, patch);
        assert.deepEqual(patchedDetails(once, patch), once);
        assert.ok(Object.values(once.metadata ?? {}).every((value) => typeof value === 'string'));
      }),
    );
  });
});
