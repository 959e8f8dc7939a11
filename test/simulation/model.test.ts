/**
 * The models in test/model, with small bounds. They need Java and the jar of TLC; without them the tests are skipped, and
 * their title says so. `npm run model` checks them with their own bounds, and all broken variants.
 */
import assert from 'node:assert/strict';
import { it } from '@jest/globals';
import { checkBroken, checkSound, hold, models } from '../model/models.ts';
import { missing } from '../model/tlc.ts';
import { refusedTraces } from '../model/traces.ts';
import type { Observation, Trace } from '../model/traces.ts';
import { runNumbered } from './campaign.ts';
import { openEngines } from './engines.ts';

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
    schedule: { Requests: '{r1}', Sweepers: '{s1}' },
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

  it('the withdrawals and holds of random histories are behaviours of the models, and impossible ones are not', async () => {
    const engines = openEngines();
    const possible: Trace[] = [];
    for (let number = 0; number < histories; number++) {
      possible.push(...(await runNumbered(engines, { seed: 'model', number, steps: 12 })).outcome.traces);
    }
    await engines.close();
    assert.ok(['withdrawal', 'hold'].every((name) => possible.some(({ model }) => model === name)));
    const impossible = impossibleTraces();
    const refused = await refusedTraces([...possible, ...impossible]);
    const textsOf = (traces: readonly Trace[]) => traces.map((trace) => JSON.stringify(trace)).sort();
    assert.deepEqual(textsOf(refused), textsOf(impossible));
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

/** Histories whose traces are checked here; `npm run simulate -- --model` checks any number. */
const histories = 10;

/** Returns traces that break a rule in their last step. */
function impossibleTraces(): Trace[] {
  const none = { claim: 0, isOut: false, attempts: 0, isVisited: false, isCancelled: false, decision: 'none' };
  const pending = { status: 'pending', ...none };
  const claimed = { ...none, status: 'executing', claim: 1, isOut: true };
  const unknown = { ...claimed, claim: 0, attempts: 1, isVisited: true };
  const ended = { ...none, status: 'failed', decision: 'rejected' };
  const ofWithdrawal = (...states: Observation[]): Trace => ({
    model: 'withdrawal',
    constants: { MaxAttempts: 3 },
    states: [pending, ...states],
  });
  const open = { status: 'open', isEarly: false, captured: 0, returned: 0, remaining: 2 };
  const ofHold = (...states: Observation[]): Trace => ({
    model: 'hold',
    constants: { Amount: 2 },
    states: [open, ...states],
  });
  return [
    // Completed, and the bank has not paid.
    ofWithdrawal(claimed, { ...none, status: 'completed' }),
    // Failed, and the bank has paid.
    ofWithdrawal(claimed, { ...claimed, decision: 'paid' }, { ...ended, decision: 'paid' }),
    // A lost answer, after which the record says that no submit is out.
    ofWithdrawal(claimed, { ...unknown, isOut: false }),
    // Cancelled while a submit may be out.
    ofWithdrawal(claimed, unknown, { ...ended, isCancelled: true, decision: 'none' }),
    // Claimed again after its end.
    ofWithdrawal(claimed, { ...claimed, decision: 'rejected' }, ended, { ...claimed, claim: 2, decision: 'rejected' }),
    // In review after one of three visits.
    ofWithdrawal(claimed, { ...unknown, status: 'review', isOut: false }),
    // Ended with money that it still holds.
    ofHold({ ...open, status: 'ended', captured: 1, remaining: 1 }),
    // Captured after its end.
    ofHold(
      { ...open, status: 'ended', returned: 2, remaining: 0 },
      { ...open, status: 'ended', returned: 2, captured: 1 },
    ),
    // Money that left the hold and arrived nowhere.
    ofHold({ ...open, remaining: 1 }),
    // Ended by the sweeper before its time.
    ofHold({ ...open, status: 'ended', isEarly: true, returned: 2, remaining: 0 }),
  ];
}
