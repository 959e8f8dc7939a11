/**
 * `npm run model`: checks the models in this folder, and that each broken variant of them violates its invariant.
 * Exits with 1 when one does not, or when something is missing.
 */
import { failWith, readOptions } from '../../bin/options.ts';
import { checkBroken, checkSound, models } from './models.ts';
import type { Verdict } from './models.ts';
import { download, missing } from './tlc.ts';

const usage = `npm run model -- [--download]

Checks all states of the models in test/model with TLC: each invariant must hold, and each broken variant must violate
one. Needs Java and the jar of TLC. Takes at most 2 GB, and a few minutes.

  --download   downloads the jar with Maven, if it is missing`;

const options = readOptions(usage, { download: { type: 'boolean', default: false } });

async function main(): Promise<void> {
  if (options.download && missing().length > 0) await download();
  const parts = missing();
  if (parts.length > 0) throw new Error(['The models cannot be checked here. Missing:', ...parts].join('\n- '));
  let wrong = 0;
  const report = ({ isRight, text }: Verdict) => {
    if (!isRight) wrong++;
    console.log(text);
  };
  for (const model of models) {
    report(await checkSound(model));
    for (const variant of model.variants) report(await checkBroken(model, variant));
  }
  if (wrong > 0) throw new Error(`${wrong} of the results above are wrong`);
}

await main().catch(failWith);
