/** Bank files for tests: the same lines as camt.053, MT940 and CSV. Amounts are in cents. */
import { csvMappingIn } from '../lambdas/bank-files/csv.ts';
import type { BankLine, BankStatement } from '../lambdas/bank-files/format.ts';
import { readBankFile } from '../lambdas/bank-files/read.ts';
import type { Bytes } from '../lambdas/bank-files/read.ts';
import type { BankFile } from '../lambdas/bank-files/read-files.ts';

/** A line, as a test writes it. */
export interface WrittenLine {
  readonly reference: string;
  readonly amount: number;
  readonly currency?: string;
  /** The bank's own reference. */
  readonly bankReference?: string;
  readonly direction?: 'out' | 'in';
  readonly status?: 'booked' | 'pending' | 'failed';
  /** `yyyy-mm-dd`. */
  readonly date?: string;
}

const firstDate = '2026-03-01';
const lastDate = '2026-03-31';

/** Returns an amount of cents as a bank writes it. */
function major(amount: number, mark = '.'): string {
  return `${Math.floor(amount / 100)}${mark}${String(amount % 100).padStart(2, '0')}`;
}

/** Returns a camt.053 of March 2026. */
export function camt(
  lines: readonly WrittenLine[],
  { version = '08', account = 'EUR', more = '' }: { version?: string; account?: string; more?: string } = {},
): string {
  const entries = lines.map((line) => {
    const { reference, amount, currency = 'EUR', bankReference = '', direction = 'out', status = 'booked' } = line;
    const code = status === 'booked' ? 'BOOK' : 'PDNG';
    return [
      `  <Ntry><Amt Ccy="${currency}">${major(amount)}</Amt><CdtDbtInd>${direction === 'out' ? 'DBIT' : 'CRDT'}</CdtDbtInd>`,
      `    <Sts>${version < '08' ? code : `<Cd>${code}</Cd>`}</Sts><BookgDt><Dt>${line.date ?? firstDate}</Dt></BookgDt>`,
      `    <AcctSvcrRef>${bankReference}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>${reference}</EndToEndId></Refs>`,
      '    </TxDtls></NtryDtls></Ntry>',
    ].join('\n');
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}"><BkToCstmrStmt><Stmt><Id>1</Id>`,
    `<FrToDt><FrDtTm>${firstDate}T00:00:00</FrDtTm><ToDtTm>${lastDate}T23:59:59</ToDtTm></FrToDt><Acct><Ccy>${account}</Ccy></Acct>`,
    ...entries,
    `${more}</Stmt></BkToCstmrStmt></Document>`,
    '',
  ].join('\n');
}

/** Returns an MT940 of March 2026 in euros, whose texts are broken as banks break them. */
export function mt940(lines: readonly WrittenLine[]): string {
  const balance = lines.reduce(
    (sum, { amount, direction = 'out', status = 'booked' }) =>
      status === 'booked' ? sum + (direction === 'in' ? amount : -amount) : sum,
    0,
  );
  const fields = lines.flatMap(
    ({ reference, amount, bankReference, direction = 'out', status = 'booked', date = firstDate }) => {
      const [, yy = '', mm = '', dd = ''] = /^..(..)-(..)-(..)$/.exec(date) ?? [];
      const mark = `${status === 'pending' ? 'E' : ''}${direction === 'out' ? 'D' : 'C'}`;
      const bank = bankReference === undefined ? '' : `//${bankReference}`;
      return [
        `:61:${yy}${mm}${dd}${mm}${dd}${mark}${major(amount, ',')}NTRFNONREF${bank}`,
        `:86:166?00PAYMENT?20EREF+${reference.slice(0, 22)}`,
        ...(reference.length > 22 ? [`?21${reference.slice(22)}`] : []),
        '?32A NAME',
      ];
    },
  );
  const close = `${balance < 0 ? 'D' : 'C'}260331EUR${major(Math.abs(balance), ',')}`;
  return [
    ':20:STARTUMS',
    ':25:12030000/1',
    ':28C:3/1',
    ':60F:C260301EUR0,00',
    ...fields,
    `:62F:${close}`,
    '-',
    '',
  ].join('\r\n');
}

/** The columns of `csv`. */
export const csvColumns = {
  delimiter: ';',
  columns: {
    references: ['text'],
    amount: 'amount',
    currency: 'currency',
    date: 'day',
    status: 'state',
    bankReference: 'id',
  },
  decimalMark: ',',
  dateFormat: 'DD.MM.YYYY',
  status: { booked: ['booked'], pending: ['pending'], failed: ['failed'] },
};

/** Returns a CSV with these lines. */
export function csv(lines: readonly WrittenLine[]): string {
  const rows = lines.map(
    ({
      reference,
      amount,
      currency = 'EUR',
      bankReference = '',
      direction = 'out',
      status = 'booked',
      date = firstDate,
    }) =>
      [
        date.split('-').toReversed().join('.'),
        `"payment ""${reference}"""`,
        `${direction === 'out' ? '-' : ''}${major(amount, ',')}`,
        ...[currency, status, bankReference],
      ].join(';'),
  );
  return ['day;text;amount;currency;state;id', ...rows, ''].join('\n');
}

/** Returns the bytes of a file in pieces of a size. */
export async function* piecesOf(content: string | Uint8Array, size = 1 << 16): Bytes {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let start = 0; start < bytes.length; start += size) {
    yield await Promise.resolve(bytes.subarray(start, start + size));
  }
}

/** Returns a file with this content. */
export function fileOf(name: string, content: string): BankFile {
  return { name, size: Buffer.byteLength(content), open: () => piecesOf(content) };
}

/** Reads a file. Returns all that is in it. */
export async function read(content: string | Uint8Array, { columns, size }: { columns?: object; size?: number } = {}) {
  const lines: BankLine[] = [];
  const statements: BankStatement[] = [];
  const differences: string[] = [];
  const file = await readBankFile(
    piecesOf(content, size),
    {
      line: (line) => lines.push(line),
      statement: (statement) => statements.push(statement),
      differs: ({ code, line, detail }) => differences.push(`${line} ${code}: ${detail}`),
    },
    { csv: columns && csvMappingIn(JSON.stringify(columns)) },
  );
  return { lines, statements, differences, ...file };
}
