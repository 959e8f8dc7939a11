import { readOptions } from '../../bin/options.ts';
import { openEngines } from './engines.ts';
import { noRestores, runRestore, tallyRestore } from './restores.ts';

const usage = `npm run restores -- [--restores N] [--seed S] [--from N]

Random histories whose wallet table is lost, restored with torn transactions, and recovered. Ends at the first one that
breaks a rule, and prints it: run that one again with --from and --restores 1.`;

const options = readOptions(usage, {
  restores: { type: 'string', default: '1000' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  from: { type: 'string', default: '0' },
});
const first = Number(options.from);
const end = first + Number(options.restores);

const engines = openEngines();
const startedAt = performance.now();
const tally = noRestores();
const progress = setInterval(() => {
  console.log(`${tally.restores} restores, seed ${options.seed}`);
}, 10_000);
try {
  for (let number = first; number < end; number++) {
    const { history, outcome } = await runRestore(engines, `${options.seed}/${number}`);
    tallyRestore(tally, history, outcome);
    if (outcome.violations.length === 0) continue;
    console.log(`${JSON.stringify(history.restore)}\n${outcome.story.join('\n')}`);
    console.log(`\nAgain: npm run restores -- --seed ${options.seed} --from ${number} --restores 1`);
    process.exitCode = 1;
    break;
  }
} finally {
  clearInterval(progress);
  await engines.close();
}
const { restores, ...counts } = tally;
for (const [name, count] of Object.entries(counts)) console.log(`${String(count).padStart(9)}  ${name}`);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
console.log(`${restores} restores in ${seconds} s, seed ${options.seed}`);
