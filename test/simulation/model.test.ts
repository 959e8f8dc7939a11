/**
 * The models in test/model, with small bounds. They need Java and the jar of TLC; without them the tests are skipped, and
 * their title says so. `npm run model` checks them with their own bounds, and all broken variants.
 */
import assert from 'node:assert/strict';
import { it } from '@jest/globals';
import { checkBroken, checkSound, hold, models } from '../model/models.ts';
import { missing } from '../model/tlc.ts';

const parts = missing();
if (parts.length > 0) {
  it.skip(`the models hold, and their broken variants do not (skipped, as this machine lacks ${parts.join('; ')})`, () => {
    // The title says what is missing.
  });
} else {
  const small = {
    withdrawal: { MaxTime: 8, MaxClaims: 3, MaxCrashes: 1 },
    hold: { MaxCommands: 1 },
    refund: { MaxCommands: 1 },
  };

  it('the models hold, with small bounds', async () => {
    for (const model of models) {
      const { isRight, text } = await checkSound(model, small[model.name as keyof typeof small]);
      assert.ok(isRight, text);
    }
  });

  it('a broken variant violates its invariant', async () => {
    for (const model of models) {
      const [variant] = model.variants;
      assert.ok(variant);
      const { isRight, text } = await checkBroken(model, variant);
      assert.ok(isRight, text);
    }
  });

  it('a model that violates an invariant is reported, and a variant that violates none', async () => {
    const late = await checkSound(hold, { ...small.hold, WriteChecksExpiry: 'FALSE' });
    assert.deepEqual(late, { isRight: false, text: 'hold: NoCaptureAfterExpiry IS VIOLATED' });
    const sound = { name: 'nothing is broken', constants: small.hold, invariant: 'NoCaptureAfterExpiry' };
    const { isRight, text } = await checkBroken(hold, sound);
    assert.deepEqual(
      { isRight, text },
      { isRight: false, text: 'hold, nothing is broken: NoCaptureAfterExpiry NOT VIOLATED' },
    );
  });
}
