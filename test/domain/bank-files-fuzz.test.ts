/**
 * Files of a bank with random damage: each is read, or refused with a code and its line. `npm run bank-files` reads 5,000,
 * `npm test` a few.
 */
import assert from 'node:assert/strict';
import { it } from '@jest/globals';
import fc from 'fast-check';
import { BankFileError } from '../../lambdas/bank-files/format.ts';
import { camt, csv, csvColumns, mt940, read } from '../bank-files.ts';

const files = Number(process.env['BANK_FILES'] ?? 300);

const line = fc.record({
  reference: fc.oneof(fc.constant('tx_abcdefghijklmnopqrstuvwxyz'), fc.stringMatching(/^[A-Za-z0-9 _.-]{1,40}$/)),
  amount: fc.nat(),
  direction: fc.constantFrom('out', 'in'),
  status: fc.constantFrom('booked', 'pending'),
});
/** Bytes that mean something to a parser. */
const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
  fc
    .constantFrom(
      '<',
      '>',
      '&',
      '"',
      ';',
      ':61:',
      '\n',
      '\r',
      '<!DOCTYPE a>',
      ']]>',
      '<![CDATA[',
      '<!--',
      '\0',
      ':62F:',
      '-}',
      '{4:',
      'Ccy',
      '\ufeff',
      '<Ntry>',
      '</Ntry>',
      '<TxDtls>',
      '999999999999999999',
    )
    .map((text) => new TextEncoder().encode(text)),
);
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat({ max: 60 }),
  added: bytes,
  copies: fc.nat({ max: 2 }),
});

it('a damaged file is read, or refused with a code and its line', async () => {
  const outcomes = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(['camt', camt], ['mt940', mt940], ['csv', csv]),
      fc.array(line, { maxLength: 6 }),
      fc.array(damage, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 2_000 }),
      async ([format, write], lines, damages, size) => {
        let content = Buffer.from(write(lines));
        for (const { at, removed, added, copies } of damages) {
          const start = Math.floor(at * content.length);
          const cut = content.subarray(start, start + removed);
          const rest = content.subarray(start + removed);
          content = Buffer.concat([
            content.subarray(0, start),
            ...Array.from({ length: copies }, () => cut),
            added,
            rest,
          ]);
        }
        try {
          const found = await read(content, { size, ...(format === 'csv' && { columns: csvColumns }) });
          assert.ok(found.lines.every(({ amount, currency }) => Number.isSafeInteger(amount) && currency.length === 3));
          outcomes.read++;
        } catch (error) {
          assert.ok(error instanceof BankFileError, error instanceof Error ? error.stack : String(error));
          assert.ok(error.line >= 1 && error.line < 10_000 && error.message !== '', `${error.line}: ${error.message}`);
          outcomes.refused++;
        }
      },
    ),
    { numRuns: files },
  );
  assert.ok(outcomes.read > files / 50 && outcomes.refused > files / 4, JSON.stringify(outcomes));
});
