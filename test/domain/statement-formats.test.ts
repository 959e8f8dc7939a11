import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { decimalsOf, decimalText } from '../../lambdas/domain/minor-units.ts';
import { acceptedFormat, statementFormats } from '../../lambdas/views/statement-formats.ts';
import { exampleStatement, written } from './statement-examples.ts';

/** Reads RFC 4180. */
function rowsOf(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end = ''] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ',') continue;
    if (row.length > 1) rows.push(row);
    row = [];
  }
  return rows;
}

describe('amounts as decimals', () => {
  it('have the decimals of ISO 4217, also where a shop shows fewer', () => {
    const places = ['EUR', 'HUF', 'IDR', 'JPY', 'ISK', 'KWD', 'IQD', 'CLF', 'XAF'].map(decimalsOf);
    assert.deepEqual(places, [2, 2, 2, 0, 0, 3, 3, 4, 0]);
  });

  it('are exact to the unit, and read back as they were', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
        fc.constantFrom('EUR', 'JPY', 'KWD'),
        (amount, currency) => {
          const text = decimalText(amount, currency);
          assert.match(text, new RegExp(`^-?\\d+${currency === 'JPY' ? '' : `\\.\\d{${decimalsOf(currency)}}`}$`));
          assert.equal(BigInt(text.replace('.', '')), amount);
        },
      ),
    );
    assert.deepEqual([decimalText(-5, 'EUR'), decimalText(0, 'KWD')], ['-0.05', '0.000']);
  });
});

describe('a statement as JSON', () => {
  it('is the object of the API', () => {
    const statement = exampleStatement();
    assert.deepEqual(JSON.parse(written('json', statement)), statement);
    const empty = exampleStatement([]);
    assert.deepEqual(JSON.parse(written('json', empty)), empty);
  });
});

describe('a statement as CSV', () => {
  it('has names, the opening balance, a row for each line and the closing balance', () => {
    const [names = [], ...rows] = rowsOf(written('csv', exampleStatement()));
    const valuesOf = (...columns: string[]) => rows.map((row) => columns.map((column) => row[names.indexOf(column)]));
    assert.deepEqual(valuesOf('type', 'amount', 'fee', 'balance', 'available', 'held'), [
      ['opening', '', '', '100.00', '90.00', '10.00'],
      ['transfer', '-25.30', '0.30', '74.70', '', ''],
      ['charge', '5.00', '0.00', '79.70', '', ''],
      ['closing', '', '', '79.70', '69.70', '10.00'],
    ]);
    assert.ok(written('csv', exampleStatement()).endsWith('\r\n'));
  });

  it('says interim where it is not final', () => {
    const rows = rowsOf(written('csv', { ...exampleStatement(), final: false }));
    assert.equal(rows.at(-1)?.[1], 'interim');
  });

  it('keeps any text in its field, and no text begins as a formula', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('', '=', '+', '-', '@', ' =', '\t=', '"=', '＝', 'a;=', 'a; "+', 'a\t@', ';;-'),
        (text, first) => {
          const [line, ...others] = exampleStatement().lines;
          const description = first + text;
          const statement = { ...exampleStatement(), lines: [{ ...line!, description }, ...others] };
          const [names = [], , row = [], ...rest] = rowsOf(written('csv', statement));
          const field = row[names.indexOf('description')] ?? '';
          assert.equal(field.replaceAll("'", ''), description.replaceAll("'", ''));
          // Many spreadsheets also begin a cell behind a semicolon or a tab.
          for (const cell of field.split(/[;\t]/)) assert.doesNotMatch(cell, /^[\s"]*[=+\-@＝＋－＠]/);
          assert.equal(rest.length, 2);
        },
      ),
    );
  });
});

describe('the format that a client accepts', () => {
  it('is the one of the highest quality, and JSON where it names none', () => {
    const chosen = (...accept: string[]) => acceptedFormat(accept);
    assert.equal(chosen(), 'json');
    assert.equal(chosen('text/csv;q=0.2', 'application/xml;q=0.3'), 'camt.053');
    assert.equal(chosen('application/json, text/csv'), 'json');
    assert.equal(chosen('text/csv;q=0, text/plain;q=nonsense'), 'json');
    assert.equal(chosen('TEXT/CSV'), 'csv');
    assert.deepEqual(
      Object.values(statementFormats).map(({ extension }) => extension),
      ['json', 'csv', 'xml'],
    );
  });
});
