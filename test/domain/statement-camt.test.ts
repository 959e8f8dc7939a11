/** Statements as camt.053, validated by their schema. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { validateXML } from 'xmllint-wasm';
import type { LineView, StatementView } from '../../lambdas/views/statement-view.ts';
import { exampleStatement, written } from './statement-examples.ts';

const profile = readFileSync(join(import.meta.dirname, 'camt', 'profile.xsd'), 'utf8');
const { CAMT_XSD: whole } = process.env;
const schemas = [profile, ...(whole ? [readFileSync(whole, 'utf8')] : [])];

/** Asserts that documents are valid. One call validates all of them. */
async function assertValid(statements: readonly StatementView[]): Promise<void> {
  const xml = statements.map((one, index) => ({ fileName: `${index}.xml`, contents: written('camt.053', one) }));
  for (const schema of schemas) {
    const { valid, errors } = await validateXML({ xml, schema });
    assert.ok(valid, JSON.stringify(errors.slice(0, 3)));
  }
}

/** Returns the texts of all elements with this name. */
const textsOf = (xml: string, name: string) =>
  [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`, 'g'))].map(([, text]) => text);

const [payment, charge] = exampleStatement().lines as [LineView, LineView];

describe('a statement as camt.053', () => {
  it('is valid by the schema: empty, with every kind of line, final or not, above zero and below', async () => {
    const account = { account: '****2051', name: 'Ann '.repeat(60) };
    const lines: LineView[] = [
      payment,
      charge,
      { ...payment, type: 'withdrawal', counterparty: account, description: 'x'.repeat(256) },
      { ...payment, amount: 2_530, fee: -30, reversal: true, externalReference: 'r'.repeat(128) },
      { version: 12, at: payment.at, type: 'correction', amount: -1, balance: 9 },
    ];
    const statement = exampleStatement(lines);
    const below = { ...statement, closing: { ...statement.closing, available: -5, held: 0, total: -5 } };
    const { version, hash, ...never } = statement.opening;
    await assertValid([statement, { ...below, final: false }, exampleStatement([]), { ...statement, opening: never }]);
    assert.ok(version && hash);
  });

  it('has exact amounts with the decimals of the currency, and directions in place of signs', () => {
    const xml = written('camt.053', exampleStatement());
    assert.deepEqual(textsOf(xml, 'Amt').slice(0, 5), ['100.00', '90.00', '79.70', '69.70', '20.30']);
    assert.deepEqual(textsOf(xml, 'Cd').slice(0, 4), ['OPBD', 'OPAV', 'CLBD', 'CLAV']);
    assert.deepEqual(textsOf(xml, 'NbOfNtries'), ['2']);
    assert.deepEqual(textsOf(xml, 'Sum'), ['5.00', '25.30']);
    assert.match(xml, /<Ntry><NtryRef>8.0<\/NtryRef><Amt Ccy="EUR">25.30<\/Amt><CdtDbtInd>DBIT<\/CdtDbtInd><Sts>/);
    assert.match(xml, /<Rcrd><Amt Ccy="EUR">0.30<\/Amt><CdtDbtInd>DBIT<\/CdtDbtInd><ChrgInclInd>true/);
    assert.match(xml, /<CdtrAcct><Id><Othr><Id>w_eur_c+</);
    const yen = { ...exampleStatement(), currency: 'JPY', decimals: 0 };
    assert.deepEqual(textsOf(written('camt.053', yen), 'Sum'), ['500', '2530']);
    const interim = written('camt.053', { ...exampleStatement(), final: false });
    assert.deepEqual(textsOf(interim, 'Cd').slice(2, 4), ['ITBD', 'ITAV']);
  });

  it('has the same id whenever it is made, and another one for another end of the ledger', () => {
    const statement = exampleStatement();
    const idOf = (one: StatementView) => textsOf(written('camt.053', one), 'MsgId')[0];
    assert.equal(idOf(statement), idOf({ ...statement, final: false }));
    assert.notEqual(idOf(statement), idOf({ ...statement, closing: { ...statement.closing, hash: 'x' } }));
  });

  it('leaves out sums that have more digits than the message takes', async () => {
    const statement = exampleStatement();
    const huge = { ...statement, sums: { ...statement.sums, in: 1e20 } };
    assert.deepEqual(textsOf(written('camt.053', huge), 'Sum'), ['25.30']);
    await assertValid([huge]);
  });

  it('stays valid with any text of a caller', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    const texts = fc.sample(fc.tuple(text, fc.string({ unit: 'binary', minLength: 1, maxLength: 128 })), 60);
    const special = [']]>', '</Ustrd>', '&amp;', '\u0000', '\ud800', '\ufffe', 'é😀'.repeat(80), ' ', '<!--', '\r\n'];
    const lines = [...texts, ...special.map((one) => [one, one.slice(0, 128)] as const)].map(
      ([description, externalReference]): LineView => ({ ...payment, description, externalReference }),
    );
    await assertValid([exampleStatement(lines)]);
    const [shown] = textsOf(
      written('camt.053', exampleStatement([{ ...payment, description: 'a<b>&\u0001' }])),
      'Ustrd',
    );
    assert.equal(shown, 'a&lt;b&gt;&amp;\ufffd');
  });
});
