/** Files to import with random damage: each is read, or refused with a code and its line. */
import assert from 'node:assert/strict';
import { it } from '@jest/globals';
import fc from 'fast-check';
import { checkFile } from '../import-files.ts';

const date = '2025-01-01T00:00:00Z';
const records = fc.array(
  fc.record({ id: fc.nat(20), amount: fc.nat(1_000), kind: fc.constantFrom('charge', 'withdrawal', 'opening') }),
  { minLength: 1, maxLength: 6 },
);
type Records = readonly { readonly id: number; readonly amount: number; readonly kind: string }[];

const formats: Readonly<Record<string, (records: Records) => string>> = {
  'file.jsonl': (some) =>
    [
      { kind: 'wallet', id: 'a', ownerId: 'ann', currency: 'EUR' },
      ...some.map(({ kind, id, amount }) => ({ kind, wallet: 'a', amount, date, ...(kind !== 'opening' && { id }) })),
    ]
      .map((one) => `${JSON.stringify(one)}\n`)
      .join(''),
  'file.csv': (some) =>
    `kind,id,wallet,ownerId,currency,amount,date\nwallet,a,,ann,EUR,,\n${some
      .map(({ kind, id, amount }) => `${kind},${kind === 'opening' ? '' : id},a,,,${amount},"${date}"\n`)
      .join('')}`,
};
const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
  fc
    .constantFrom(
      '"',
      ',',
      '\n',
      '\r',
      '{',
      '}',
      ':',
      '\0',
      '\ufeff',
      '1e9',
      '-',
      '.',
      '__proto__',
      'null',
      '99999999999999999999',
    )
    .map((text) => new TextEncoder().encode(text)),
);
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat({ max: 40 }),
  added: bytes,
});

it('a damaged file is read, or refused with a code and its line', async () => {
  const outcomes = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(formats)),
      records,
      fc.array(damage, { maxLength: 3 }),
      fc.integer({ min: 1, max: 500 }),
      async (name, some, damages, size) => {
        let content = Buffer.from(formats[name]?.(some) ?? '');
        for (const { at, removed, added } of damages) {
          const start = Math.floor(at * content.length);
          content = Buffer.concat([content.subarray(0, start), added, content.subarray(start + removed)]);
        }
        const { found, balances } = await checkFile(content, { name, size });
        for (const finding of found) assert.match(finding, /^[a-z_]+ [1-9]\d{0,3}$/);
        for (const balance of Object.values(balances)) assert.ok(Number.isSafeInteger(balance) && balance >= 0);
        outcomes[found.length === 0 ? 'read' : 'refused']++;
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(outcomes.read > 2 && outcomes.refused > 40, JSON.stringify(outcomes));
});
