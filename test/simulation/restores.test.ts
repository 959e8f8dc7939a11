import assert from 'node:assert/strict';
import { afterAll, describe, it } from '@jest/globals';
import { report } from '../fixture.ts';
import { openEngines } from './engines.ts';
import { noRestores, runRestore, tallyRestore } from './restores.ts';

/** `npm run restores` runs any number of them, with another seed each time. */
const restores = 20;
/** All of them on a machine that is ten times overloaded, ms. */
const longestMs = 3_600_000;

describe('random restores of a torn wallet table', () => {
  const engines = openEngines();
  afterAll(() => engines.close());

  it(
    'are recovered: no payout twice, each loss named, sound books, and nothing left for a second run',
    async () => {
      const tally = noRestores();
      for (let number = 0; number < restores; number++) {
        const { history, outcome } = await runRestore(engines, `ci/${number}`);
        if (outcome.violations.length > 0) {
          assert.fail([JSON.stringify(history.restore), ...outcome.story, `restore ci/${number}`].join('\n'));
        }
        tallyRestore(tally, history, outcome);
      }
      report(JSON.stringify(tally));
      for (const [name, count] of Object.entries(tally)) assert.ok(count > 0, `${name} happened`);
    },
    longestMs,
  );
});
