import assert from 'node:assert/strict';
import { afterAll, describe, it } from '@jest/globals';
import { addTotals, enoughHistories, explain, missedStates, noTotals, runNumbered, totalsOf } from './campaign.ts';
import { openEngines } from './engines.ts';
import { generate } from './generate.ts';
import { exactly, noFaults } from './plan.ts';
import { stateNames } from './states.ts';
import { report } from '../fixture.ts';

/** `npm run simulate` runs any number of them, with another seed each time. */
const histories = 100;
const steps = 12;
/** The longest test on a machine that is ten times overloaded, ms. */
const longestMs = 3_600_000;

describe('random histories', () => {
  const engines = openEngines();
  afterAll(() => engines.close());

  it(
    'keep every invariant',
    async () => {
      const totals = noTotals();
      for (let number = 0; number < histories; number++) {
        const numbered = { seed: 'ci', number, steps };
        const { history, outcome } = await runNumbered(engines, numbered);
        if (outcome.violations.length > 0) {
          assert.fail(await explain(engines, numbered, { history, faults: outcome.struck, outcome }));
        }
        addTotals(totals, totalsOf(outcome));
      }
      report(`${totals.histories} histories, ${totals.points} external calls, ${JSON.stringify(totals.faults)}`);
      assert.ok(Object.keys(totals.faults).length > 20, 'many kinds of faults have struck');
    },
    longestMs,
  );

  it('of a long campaign must reach each named state, and those of a short one need not', () => {
    const totals = noTotals();
    assert.deepEqual(missedStates({ ...totals, histories: enoughHistories - 1 }), []);
    for (const name of stateNames) totals.states[name] = 1;
    totals.states['the breaker opens'] = 0;
    assert.deepEqual(missedStates({ ...totals, histories: enoughHistories }), ['the breaker opens']);
  });

  it('run the same way each time', async () => {
    const first = await runNumbered(engines, { seed: 'same', number: 3, steps });
    const second = await runNumbered(engines, { seed: 'same', number: 3, steps });
    assert.deepEqual(second.outcome, first.outcome);
    // Also when the faults are listed one by one, as in a replay of a shorter history.
    const third = await engines.run(first.history, exactly(first.outcome.struck));
    assert.deepEqual(third.story, first.outcome.story);
  });

  it(
    'are all answered, and end, when no fault strikes',
    async () => {
      for (let number = 0; number < 20; number++) {
        const { violations, tally } = await engines.run(generate(`calm/${number}`, steps), noFaults);
        assert.deepEqual(violations, []);
        assert.deepEqual(
          [...tally.keys()].filter((name) => /no answer|busy|internal_error/.test(name)),
          [],
        );
      }
    },
    longestMs,
  );
});
