/**
 * `node bench/bank-files.ts [--lines N] [--format NAME]`: makes a bank's file with so many lines, and measures time and
 * memory of `npm run reconcile` for it. The table is a server that makes the same withdrawals, page by page, as DynamoDB
 * would answer. So the figures are those of the command, not of an engine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { readOptions } from '../bin/options.ts';
import { nodeArguments } from './script.ts';

const usage = `node bench/bank-files.ts [options]

  --lines N      lines of the file, and withdrawals of the table (1000000)
  --format NAME  camt, mt940, csv or all (all)`;

const options = readOptions(usage, {
  lines: { type: 'string', default: '1000000' },
  format: { type: 'string', default: 'all' },
});
const lines = Number(options.lines);
/** One line in so many has another amount, and one withdrawal in so many has no line. */
const differs = 100_000;
/** Items of a megabyte. */
const pageItems = 1_100;
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

function idOf(i: number): string {
  let digits = '';
  for (let rest = i, place = 0; place < 26; place++) {
    digits = alphabet.charAt(rest % 32) + digits;
    rest = Math.floor(rest / 32);
  }
  return `tx_${digits}`;
}

const numberOf = (id: string) => Array.from(id.slice(3)).reduce((sum, digit) => 32 * sum + alphabet.indexOf(digit), 0);
const amountOf = (i: number) => 100 + (i % 9_900);
const isMissing = (i: number) => i % differs === 7;
const paidOf = (i: number) => amountOf(i) + (i % differs === 3 ? 1 : 0);
const major = (amount: number, mark: string) =>
  `${Math.floor(amount / 100)}${mark}${String(amount % 100).padStart(2, '0')}`;

interface Format {
  readonly head: string;
  readonly line: (i: number) => string;
  readonly foot: string;
}

const formats: Readonly<Record<string, Format>> = {
  camt: {
    head:
      '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>' +
      '<GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt><Id>1</Id><FrToDt><FrDtTm>2026-03-01T00:00:00</FrDtTm>' +
      '<ToDtTm>2026-03-20T00:00:00</ToDtTm></FrToDt><Acct><Ccy>EUR</Ccy></Acct>\n',
    line: (i) =>
      `<Ntry><NtryRef>${i}</NtryRef><Amt Ccy="EUR">${major(paidOf(i), '.')}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>` +
      `<BookgDt><Dt>2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-02</Dt></ValDt><AcctSvcrRef>B${i}</AcctSvcrRef><BkTxCd><Domn>` +
      '<Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs>' +
      `<EndToEndId>${idOf(i)}</EndToEndId></Refs><RltdPties><Cdtr><Nm>A Name</Nm></Cdtr></RltdPties></TxDtls></NtryDtls></Ntry>\n`,
    foot: '</Stmt></BkToCstmrStmt></Document>\n',
  },
  mt940: {
    head: ':20:1\r\n:25:123\r\n:28C:1/1\r\n:60F:C260301EUR0,00\r\n',
    line: (i) => {
      const id = idOf(i);
      return (
        `:61:2603020302D${major(paidOf(i), ',')}NTRFNONREF//B${i}\r\n` +
        `:86:166?00PAYMENT?20EREF+${id.slice(0, 22)}\r\n?21${id.slice(22)}?32A NAME\r\n`
      );
    },
    foot: '',
  },
  csv: {
    head: 'date;reference;amount;currency;id\n',
    line: (i) => `02.03.2026;${idOf(i)};-${major(paidOf(i), ',')};EUR;B${i}\n`,
    foot: '',
  },
};

const mapping = {
  delimiter: ';',
  columns: { references: ['reference'], amount: 'amount', date: 'date', currency: 'currency', bankReference: 'id' },
  decimalMark: ',',
  dateFormat: 'DD.MM.YYYY',
};

async function writeFile(name: string, { head, line, foot }: Format): Promise<void> {
  const out = createWriteStream(name);
  let sum = 0;
  let part = head;
  for (let i = 0; i < lines; i++) {
    if (isMissing(i)) continue;
    sum += paidOf(i);
    part += line(i);
    if (part.length < 1 << 16) continue;
    if (!out.write(part)) await once(out, 'drain');
    part = '';
  }
  // MT940 closes with a balance, which has to be right.
  const end = name.endsWith('mt940') ? `:62F:D260320EUR${major(sum, ',')}\r\n-\r\n` : foot;
  out.end(part + end);
  await once(out, 'finish');
}

function itemOf(i: number): string {
  return (
    `{"pk":{"S":"TX#${idOf(i)}"},"type":{"S":"withdrawal"},"status":{"S":"completed"},"currency":{"S":"EUR"},` +
    `"walletId":{"S":"w_eur_abcdefghijklmnopqrstuvwxyz"},"amount":{"N":"${amountOf(i)}"},` +
    '"bankId":{"S":"bank.example.com"},"completedAt":{"S":"2026-03-02T10:00:00.000Z"}}'
  );
}

interface Request {
  readonly Segment: number;
  readonly TotalSegments: number;
  readonly ExclusiveStartKey?: { readonly pk: { readonly S: string } };
  readonly RequestItems: Readonly<
    Record<string, { readonly Keys: readonly { readonly pk: { readonly S: string } }[] }>
  >;
}

function answerTo(operation: string, request: Request): string {
  if (operation === 'GetItem') return '{}';
  if (operation === 'Scan') {
    const [begin, end] = [request.Segment, request.Segment + 1].map((s) =>
      Math.floor((s * lines) / request.TotalSegments),
    );
    const after = request.ExclusiveStartKey?.pk.S;
    const from = after === undefined ? (begin ?? 0) : numberOf(after.slice(3)) + 1;
    const to = Math.min(from + pageItems, end ?? 0);
    const items = Array.from({ length: to - from }, (_, i) => itemOf(from + i));
    const last = to < (end ?? 0) ? `,"LastEvaluatedKey":{"pk":{"S":"TX#${idOf(to - 1)}"},"sk":{"S":"TX"}}` : '';
    return `{"Items":[${items.join(',')}],"ScannedCount":${items.length},"ConsumedCapacity":{"CapacityUnits":128}${last}}`;
  }
  const [name = ''] = Object.keys(request.RequestItems);
  const found = (request.RequestItems[name]?.Keys ?? []).map(({ pk }) => itemOf(numberOf(pk.S.slice(3))));
  return `{"Responses":{${JSON.stringify(name)}:[${found.join(',')}]},"ConsumedCapacity":[{"CapacityUnits":100}]}`;
}

const server = createServer((request, response) => {
  void text(request).then((body) => {
    const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '');
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(answerTo(operation, JSON.parse(body) as Request));
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const folder = mkdtempSync(join(tmpdir(), 'wallet-bench-'));
try {
  const columns = join(folder, 'columns.json');
  writeFileSync(columns, JSON.stringify(mapping));
  for (const [format, parts] of Object.entries(formats)) {
    if (options.format !== 'all' && options.format !== format) continue;
    const file = join(folder, `bank.${format}`);
    await writeFile(file, parts);
    console.log(`${format}: ${lines} withdrawals, ${Math.round(statSync(file).size / 1e6)} MB`);
    const csv = format === 'csv' ? ['--csv', columns] : [];
    const args = ['--table', 'bench', '--endpoint', endpoint, ...csv, file];
    const child = spawn(process.execPath, [...nodeArguments('reconcile'), ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 1) process.exitCode = 2;
    rmSync(file);
  }
} finally {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
}
