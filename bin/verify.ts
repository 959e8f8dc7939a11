/**
 * `npm run verify`: checks all books of a table from a shell, with the checks of the job's passes. Exits 0 when they
 * are sound, 1 when they are not, and 2 when they could not be checked.
 */
import { bankUsage, booksOptions, checkAllBooks, namesIn, openBooks } from './books.ts';
import { placeUsage, runCommand, wholeNumber } from './command.ts';

const usage = `npm run verify -- --table NAME --entries-table NAME [options]

${bankUsage}
  --stand-still          nothing moves: compare everything until now, and look once
  --second-look SECONDS  look at possible discrepancies again after this time (60)
  --segments N           read this many segments side by side (8)
${placeUsage}`;

const options = {
  ...booksOptions,
  'stand-still': { type: 'boolean', default: false },
  'second-look': { type: 'string' },
  segments: { type: 'string', default: '8' },
} as const;

runCommand({ usage, options }, async (values) => {
  const names = namesIn(values, usage);
  const standStill = values['stand-still'];
  const secondLook = wholeNumber('--second-look', values['second-look'] ?? (standStill ? '0' : '60'), 0);
  const segments = wholeNumber('--segments', values.segments, 1);
  const how = { segments, standStill, secondLookMs: 1000 * secondLook };
  const found = await checkAllBooks(await openBooks(names), how, ({ kind, subject, detail }) => {
    console.log(`DISCREPANCY ${kind} ${subject}: ${detail}`);
  });
  return found === 0 ? 0 : 1;
});
