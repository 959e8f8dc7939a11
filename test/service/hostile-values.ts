/** Values that no careful client sends. */
import fc from 'fast-check';

/** Names that every object has. */
export const inherited = ['constructor', 'prototype', '__proto__', 'toString', 'hasOwnProperty', 'then', 'toJSON'];
/** Longer than a key of the database may be. */
export const overlong = ['w'.repeat(2042), 'x'.repeat(3_000)];
const texts = [
  ...inherited,
  ...inherited,
  ...['', ' ', '\u0000', 'a\u0000b', '\u0085', '\ud800', 'a\udc00b', '\udc00\ud800', '\ufffd', '\ufeff', '\uffff'],
  ...['\u202e\u2066', '\u{1f600}'.repeat(130), 'e\u0301'.repeat(128), '\u212b', 'ß', 'ＵＳＤ', 'usd', 'XXX', 'EUR'],
  ...['a', 'x'.repeat(128), 'x'.repeat(256)],
  ...overlong,
  ...[
    '.',
    '..',
    '../../etc/passwd',
    '/',
    '%',
    '%00',
    '%2F',
    '\\',
    '"',
    "' OR 1=1 --",
    '<script>',
    '${7*7}',
    '$context',
  ],
  ...['#', 'TX#x', 'WALLET', 'w_usd_', `w_usd_${'a'.repeat(27)}`, `w_xxx_${'a'.repeat(26)}`, `tx_${'a'.repeat(26)}`],
  ...[`RCP-20260301-${'a'.repeat(26)}`, `RCP-99999999-${'a'.repeat(26)}`],
  ...['null', 'NaN', '-1', '0', '00', '1e400', '1.0', '007', '101', '９', '9007199254740993', 'true', '[]', '{}'],
  ...['9999-12-31T23:59:59-05:00', '0000-01-01T00:00:00+05:00', '2026-03-01T24:00:00Z', '2026-06-30T23:59:60Z'],
  ...['2026-03-01T12:00:00.123456789Z', '+010000-01-01T00:00:00Z', '1970-01-01T00:00:00+23:59', '2026-02-30T00:00Z'],
  ...['e30', 'MA', '////', Buffer.from('0000000000000001').toString('base64url'), Buffer.from('x').toString('base64')],
  ...['respond-async', 'wait=0', 'wait=-1', 'wait=1.5', 'wait=99999999999', 'respond-async, wait=1', 'wait="1', ',;,'],
  ...['*', '"0"', 'W/"0", "1"', 'Bearer', 'Bearer x', 'Bearer a, Bearer b', 'Basic eDp5', 'v1=00'],
  ...['text/plain', 'application/json; charset=iso-8859-1', 'application/json; charset="utf-8"', 'application/json;'],
  ...['APPLICATION/JSON', 'application/problem+json', 'gzip', 'br', 'gzip, gzip', 'identity', 'deflate'],
];
/** Texts for parameters, headers, fields and names. */
export const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...texts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
      .map((units) => String.fromCharCode(...units)),
  },
);

const numbers = ['0', '-1', '-0', '1.0', '1e2', '0.1', '1E400', '-1e400', '9007199254740991', '9007199254740993'];
const jsons = [
  ...numbers,
  ...[
    '4503599627370497.4',
    '1.00000000000000000001',
    '01',
    'NaN',
    '1'.repeat(400),
    'null',
    'true',
    '[]',
    '{}',
    '[1]',
    '',
  ],
  ...[
    '"\\ud800"',
    '"\\u0000"',
    '"\u0001"',
    '"',
    '"\\x"',
    '{"a":1,"a":2}',
    '{"__proto__":{"a":1}}',
    '{"constructor":1}',
  ],
  ...['['.repeat(5_000) + ']'.repeat(5_000), '{"a":'.repeat(2_000) + '1' + '}'.repeat(2_000)],
  `[${'1,'.repeat(2_000)}1]`,
];
/** Texts of JSON, or nearly, for fields of a body. */
export const json = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...jsons) },
  { weight: 3, arbitrary: text.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
);
