/** Files of a bank as they are read: each format, references, and files that are broken. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { csvMappingIn } from '../../lambdas/bank-files/csv.ts';
import { BankFileError, dayText, limits } from '../../lambdas/bank-files/format.ts';
import { keysOf, transactionIdOfKey, transactionKeyOf } from '../../lambdas/bank-files/references.ts';
import { camt, csv, csvColumns, mt940, read } from '../bank-files.ts';
import type { WrittenLine } from '../bank-files.ts';

const id = 'tx_abcdefghijklmnopqrstuvwxyz';
const lines: WrittenLine[] = [
  { reference: id, amount: 1_050, bankReference: 'B1', date: '2026-03-02' },
  { reference: 'INVOICE-1', amount: 7, bankReference: 'B2', direction: 'in' },
  { reference: 'LATER', amount: 100_000, status: 'pending' },
];
const columns = csvColumns;

/** What the formats have in common. */
async function essence(content: string, options?: Parameters<typeof read>[1]) {
  return (await read(content, options)).lines.map(
    ({ direction, status, amount, currency, day, bankReference, references }) => ({
      ...{ direction, status, amount, currency, bankReference },
      date: dayText(day),
      keys: keysOf(references).slice(0, 1),
    }),
  );
}

async function refusal(content: string | Uint8Array, options?: Parameters<typeof read>[1]): Promise<string> {
  try {
    await read(content, options);
  } catch (error) {
    assert.ok(error instanceof BankFileError, String(error));
    return `${error.line} ${error.code}`;
  }
  return 'none';
}

describe('a line', () => {
  it('is the same in each format', async () => {
    const expected = [
      {
        direction: 'out',
        status: 'booked',
        amount: 1_050,
        currency: 'EUR',
        bankReference: 'B1',
        date: '2026-03-02',
        keys: [transactionKeyOf(id)],
      },
      {
        direction: 'in',
        status: 'booked',
        amount: 7,
        currency: 'EUR',
        bankReference: 'B2',
        date: '2026-03-01',
        keys: [':INVOICE-1'],
      },
      {
        direction: 'out',
        status: 'pending',
        amount: 100_000,
        currency: 'EUR',
        bankReference: undefined,
        date: '2026-03-01',
        keys: [':LATER'],
      },
    ];
    for (const version of ['02', '04', '08', '13']) assert.deepEqual(await essence(camt(lines, { version })), expected);
    assert.deepEqual(await essence(mt940(lines)), expected);
    const words = csv(lines).replaceAll(/"payment ""(.*?)"""/g, '$1');
    assert.deepEqual(await essence(words, { columns }), expected);
  });

  it('is the same however the file is cut', async () => {
    for (const [content, options] of [
      [camt(lines), {}],
      [mt940(lines), {}],
      [csv(lines), { columns }],
    ] as const) {
      const whole = await read(content, options);
      for (const size of [1, 2, 3, 7, 1_025]) assert.deepEqual(await read(content, { ...options, size }), whole);
    }
  });

  it('names its line in the file', async () => {
    assert.deepEqual(
      (await read(camt(lines))).lines.map(({ line }) => line),
      [6, 10, 14],
    );
    assert.deepEqual(
      (await read(mt940(lines))).lines.map(({ line }) => line),
      [5, 9, 12],
    );
    assert.deepEqual(
      (await read(csv(lines), { columns })).lines.map(({ line }) => line),
      [2, 3, 4],
    );
  });

  it('names our payment in capitals, without the underscore, broken, and by its receipt code', () => {
    const texts = [
      id,
      id.toUpperCase(),
      `payment TX ${id.slice(3)} thanks`,
      `EREF+tx${id.slice(3)}SVWZ+salary`,
      `tx_abcdefghijk\nlmnopqrstuvwxyz`,
      `RCP-20260301-${id.slice(3)}`,
    ];
    for (const text of texts) assert.deepEqual(keysOf(['other', text]), [transactionKeyOf(id)], text);
    assert.deepEqual([transactionIdOfKey(transactionKeyOf(id)), transactionIdOfKey(':A')], [id, undefined]);
    assert.equal(transactionIdOfKey(transactionKeyOf(`tx_${'7'.repeat(26)}`)), `tx_${'7'.repeat(26)}`);
    // Words that only look like one.
    assert.deepEqual(keysOf(['Gehalt Xaver Mustermann fuer Januar und Februar']), [
      ':GEHALTXAVERMUSTERMANNFUERJANUARUNDFEBRUAR',
    ]);
    assert.deepEqual(keysOf([' invoice 1 ', 'INVOICE1', '', 'x'.repeat(129)]), [':INVOICE1']);
  });
});

describe('camt.053', () => {
  const entry = (details: string, amount = '10.00') =>
    `<Ntry><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><DtTm>2026-03-01T10:00:00+01:00</DtTm></BookgDt><NtryDtls>${details}</NtryDtls></Ntry>`;
  const payment = (reference: string, amount: string) =>
    `<TxDtls><Refs><EndToEndId>${reference}</EndToEndId></Refs><Amt Ccy="EUR">${amount}</Amt></TxDtls>`;

  it('has an entry with many payments as a line for each, and compares their sum', async () => {
    const found = await read(camt([], { more: entry(payment('A', '4.00') + payment('B', '6.00')) }));
    assert.deepEqual(
      found.lines.map(({ amount, references }) => [amount, references]),
      [
        [400, ['A']],
        [600, ['B']],
      ],
    );
    assert.deepEqual(found.differences, []);
    const wrong = await read(camt([], { more: entry(payment('A', '4.00') + payment('B', '6.01')) }));
    assert.deepEqual(wrong.differences, [
      '4 batch_sum_differs: its 2 payments add up to -1001, and the entry is -1000',
    ]);
  });

  it('compares no sum of payments in another currency than their entry', async () => {
    const other = payment('A', '4.00').replace('EUR', 'USD');
    assert.deepEqual((await read(camt([], { more: entry(other + payment('B', '6.00')) }))).differences, []);
  });

  it('takes the sum of an entry that has one payment, or none', async () => {
    const one =
      '<TxDtls><Refs><EndToEndId>A</EndToEndId></Refs><AmtDtls><InstdAmt><Amt Ccy="USD">9.00</Amt></InstdAmt></AmtDtls></TxDtls>';
    const found = await read(camt([], { more: entry(one) + entry('') }));
    assert.deepEqual(
      found.lines.map(({ amount, currency }) => [amount, currency]),
      [
        [1_000, 'EUR'],
        [1_000, 'EUR'],
      ],
    );
  });

  it('compares the entries with the balances', async () => {
    const balance = (code: string, amount: string) =>
      `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>`;
    const content = (closing: string) =>
      camt([], { more: balance('OPBD', '50.00') + balance('CLBD', closing) + entry('') });
    assert.deepEqual((await read(content('40.00'))).differences, []);
    assert.deepEqual((await read(content('39.99'))).differences, [
      '2 balance_differs: it opens with 5000, its entries add up to -1000, and it closes with 3999',
    ]);
  });

  it('may have a prefix for its names, and an encoding of its own', async () => {
    const plain = camt(lines);
    const prefixed = plain.replaceAll(/<(\/?)(?=[A-Z])/g, '<$1n:').replace('xmlns=', 'xmlns:n=');
    assert.deepEqual((await read(prefixed)).lines, (await read(plain)).lines);
    const latin = plain.replace('UTF-8', 'ISO-8859-1').replace('LATER', 'SPÄTER');
    assert.deepEqual((await read(Buffer.from(latin, 'latin1'))).lines[2]?.references, ['SPÄTER']);
    const wide = Buffer.from(`\ufeff${plain.replace('UTF-8', 'UTF-16')}`, 'utf16le');
    assert.deepEqual((await read(wide)).lines, (await read(plain)).lines);
  });

  it('is refused when it is broken, with the line', async () => {
    const good = camt(lines);
    const deep = `${'<a>'.repeat(limits.depth)}${'</a>'.repeat(limits.depth)}`;
    const cases: [string, string][] = [
      [good.replace('?>', '?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'), '1 dtd_refused'],
      [good.replace('LATER', '&e;'), '14 bad_xml'],
      [good.replace('</Refs>', ''), '7 bad_xml'],
      [good.slice(0, -40), '15 bad_xml'],
      [camt(lines, { more: deep }), '16 too_deep'],
      [good.replace('LATER', 'x'.repeat(limits.text + 1)), '14 text_too_long'],
      [good.replace('LATER', 'x'.repeat(4 * limits.text)), '14 text_too_long'],
      [good.replace('camt.053', 'camt.054'), '2 not_a_statement'],
      ['<html></html>', '1 not_a_statement'],
      ['<Document/>', '1 not_a_statement'],
      [good.replace('10.50', '10.505'), '4 bad_amount'],
      [good.replace('10.50', '-10.50'), '4 bad_amount'],
      [good.replace('10.50', '90071992547409.93'), '4 bad_amount'],
      [good.replace('Ccy="EUR"', 'Ccy="EU"'), '4 bad_currency'],
      [good.replace('2026-03-02', '2026-02-30'), '5 bad_date'],
      [good.replace('DBIT', 'DEBIT'), '4 bad_direction'],
      [good.replace('BOOK', 'constructor'), '5 bad_status'],
      [good.replace('<CdtDbtInd>DBIT</CdtDbtInd>', ''), '7 missing_member'],
      [good.replace('UTF-8', 'UTF-7'), '1 bad_encoding'],
    ];
    const found = await Promise.all(cases.map(([content]) => refusal(content)));
    assert.deepEqual(
      found,
      cases.map(([, expected]) => expected),
    );
    assert.match(await refusal(Buffer.from(good.replace('LATER', 'é'), 'latin1')), /bad_encoding$/);
  });
});

describe('MT940', () => {
  it('reads blocks of SWIFT, reversals, and a booking in the next year', async () => {
    const content = [
      '{1:F01BANKDEFFXXXX0000000000}{2:O940}{4:',
      ':20:1',
      ':25:1',
      ':28C:1/1',
      ':60F:D251230EUR1,',
      ':61:2512310101RC10,5N044ABC//B1',
      'more words',
      ':61:251231RDR2,NMSCNONREF',
      ':86:EREF+INVOICE-1',
      ':62M:D260101EUR9,5',
      '-}',
      '',
    ].join('\n');
    const { lines: found, statements, differences } = await read(content);
    assert.deepEqual(
      found.map(({ direction, amount, day, references }) => [direction, amount, dayText(day), references]),
      [
        ['out', 1_050, '2026-01-01', ['ABC', 'more words']],
        ['in', 200, '2025-12-31', ['INVOICE-1', 'EREF+INVOICE-1']],
      ],
    );
    assert.deepEqual(
      [statements.map(({ from, to }) => [dayText(from), dayText(to)]), differences],
      [[['2025-12-31', '2026-01-01']], []],
    );
  });

  it('is refused when it is broken, with the line', async () => {
    const good = mt940(lines);
    const cases: [string, string][] = [
      [good.replace('10,50', '10.50'), '5 bad_record'],
      [good.replace(':61:260302', ':61:260332'), '5 bad_date'],
      [good.replace('10,50', '10,505'), '5 bad_amount'],
      [good.replace(/:60F:.*\r\n/, ''), '4 bad_record'],
      [good.replace(/:62F:[\s\S]*/, ''), '14 incomplete_file'],
      [good.replace('EUR0,00', 'EUR'), '4 bad_record'],
      [`${good}:60F:C260301EUR0,00\r\n`, '17 incomplete_file'],
      [good.replace('?32A NAME', 'x'.repeat(limits.text + 1)), '8 text_too_long'],
      [':20:1\r\n', '1 not_a_statement'],
    ];
    const found = await Promise.all(cases.map(([content]) => refusal(content)));
    assert.deepEqual(
      found,
      cases.map(([, expected]) => expected),
    );
  });
});

describe('CSV', () => {
  it('reads amounts in minor units, words for directions, numbers of columns, and lines before the header', async () => {
    const mapping = {
      columns: { references: [1], amount: 2, date: 3, direction: 4 },
      ...{ header: false, skipLines: 1, minorUnits: true, currency: 'JPY', dateFormat: 'MM/DD/YYYY' },
      direction: { out: ['D'], in: ['C'] },
    };
    const found = await read(`Statement;1\nA,100,03/31/2026,D\n"B\nC",7,04/01/2026,C\n`, { columns: mapping });
    assert.deepEqual(
      found.lines.map(({ line, direction, amount, references }) => [line, direction, amount, references]),
      [
        [2, 'out', 100, ['A']],
        [4, 'in', 7, ['B\nC']],
      ],
    );
    assert.deepEqual(
      found.statements.map(({ from, to }) => [dayText(from), dayText(to)]),
      [['2026-03-31', '2026-04-01']],
    );
  });

  it('is refused when it is broken, with the line', async () => {
    const good = csv(lines);
    const cases: [string, string][] = [
      [good.replace('-10,50', '-10,5x'), '2 bad_amount'],
      [good.replace('01.03.2026', '31.02.2026'), '3 bad_date'],
      [good.replace('01.03.2026', '2026-03-01'), '3 bad_date'],
      [good.replace('pending', 'waiting'), '4 bad_status'],
      [good.replace('EUR;booked', 'EURO;booked'), '2 bad_currency'],
      [good.replace(';id', ';key'), '1 missing_member'],
      [good.replace('booked;B2', 'booked;B2;more'), '3 bad_record'],
      [good.replace('"payment', '"pay"ment'), '2 bad_record'],
      ['day;text;amount;currency;state;id\n', '2 empty_file'],
      [good.replace('LATER', 'x'.repeat(limits.text + 1)), '4 text_too_long'],
    ];
    const found = await Promise.all(cases.map(([content]) => refusal(content, { columns })));
    assert.deepEqual(
      found,
      cases.map(([, expected]) => expected),
    );
    assert.equal(await refusal(''), '1 empty_file');
    assert.equal(await refusal(good), '1 unknown_format');
  });

  it('needs a mapping that is complete', () => {
    const broken: [object | string, RegExp][] = [
      ['{', /no JSON/],
      [{ ...columns, other: 1 }, /not valid/],
      [{ ...columns, currency: 'EUR' }, /either columns.currency or currency/],
      [{ ...columns, status: undefined }, /status with the words/],
      [{ ...columns, direction: { out: ['D'], in: ['C'] } }, /direction with the words/],
      [{ ...columns, dateFormat: 'DD.MM' }, /not valid/],
    ];
    for (const [mapping, message] of broken) {
      assert.throws(() => csvMappingIn(typeof mapping === 'string' ? mapping : JSON.stringify(mapping)), message);
    }
  });
});

describe('the text of a bank in an error', () => {
  it('has no character that a terminal obeys', async () => {
    const hostile = camt([{ reference: 'x', amount: 1 }]).replace('0.01', '1\u009b2J\u202e');
    const error = await read(hostile).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof BankFileError);
    assert.match(error.message, /^"1\ufffd2J\ufffd" is no amount/);
  });
});
