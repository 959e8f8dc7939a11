/** Reads and checks files to import, without a table. */
import { Book } from '../bin/import/book.ts';
import { checkBook } from '../bin/import/check.ts';
import { sumsOf } from '../bin/import/compare.ts';
import { formanceTranslator } from '../bin/import/formance.ts';
import { mappingsIn } from '../bin/import/mapping.ts';
import { readFile } from '../bin/import/read.ts';
import { Findings, LineError } from '../bin/import/refusals.ts';
import { checkLines, checkSums, expectedIn, totalsOf } from '../bin/import/totals.ts';

/** How the content of a test is read. */
export interface Given {
  readonly name?: string;
  readonly amounts?: 'minor' | 'major';
  readonly mapping?: object;
  /** What the files must have, by their names. */
  readonly expected?: object;
  /** The accounts of Formance that are wallets. */
  readonly accounts?: RegExp;
  /** Bytes of each piece. */
  readonly size?: number;
}

/** The time of the tests. */
const now = Date.parse('2026-03-01T12:00:00Z');

/** Returns the findings of one file, as `code line`, and what it makes: balances by wallet, and sums by currency and kind. */
export async function checkFile(content: string | Uint8Array, given: Given = {}) {
  const { name = 'file.jsonl', amounts = 'minor', mapping, expected = {}, accounts, size = 1_000 } = given;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  // eslint-disable-next-line @typescript-eslint/require-await
  const open = async function* () {
    for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
  };
  const [book, findings] = [new Book(), new Findings()];
  try {
    const mappings = mapping === undefined ? {} : mappingsIn(JSON.stringify({ [name]: mapping }));
    const options = { amounts, mappings, now, translate: accounts && formanceTranslator(accounts) };
    const refuse = (place: { file: string; line: number }, { code, message: detail }: LineError) => {
      findings.add({ ...place, code, detail });
    };
    const due = expectedIn(JSON.stringify(expected));
    const read = await readFile({ name, open }, options, {
      refuse,
      record: (place, record) => {
        try {
          book.add(place, record);
        } catch (error) {
          if (!(error instanceof LineError)) throw error;
          refuse(place, error);
        }
      },
    });
    book.index();
    checkLines([read], due, findings);
    checkBook(book, findings, now);
    if (findings.total === 0) checkSums(totalsOf(book, [read]), due, findings);
    const wallets = [...book.walletPages(100)].flat();
    const { all } = sumsOf(book);
    return {
      found: findings.listed.map(({ code, line }) => `${code} ${line}`),
      details: findings.listed.map(({ detail }) => detail),
      balances: Object.fromEntries(wallets.map(({ ref, balance }) => [ref, balance])),
      wallets: wallets.map(({ ref, owner, currency, opened }) => [ref, owner, currency, opened]),
      sums: Object.fromEntries(all.names().map((one) => [one, `${all.of(one).count} of ${all.of(one).amount}`])),
      repeated: book.repeated,
    };
  } finally {
    book.close();
  }
}
