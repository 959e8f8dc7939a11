import { fingerprintOf } from '../domain/ids.ts';
import { decimalText } from '../domain/minor-units.ts';
import type { Sum } from '../domain/money.ts';
import type { LineView, StatementFormat, StatementHead } from './statement-view.ts';

/** Lengths of texts in the message, in characters. */
const lengths = { reference: 35, remittance: 140, name: 140 } as const;
/** Most digits of an amount in the message. */
const mostDigits = 18;

/** The beginning of the document, up to its header. */
const prologue = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>`;

/** The content of an element: a text, which is escaped, or elements, which are not. */
type Content = string | Markup | undefined;
class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Returns an element; nothing where it has no content. */
function element(name: string, ...contents: readonly Content[]): Markup {
  const inner = contents.map((one) => (one instanceof Markup ? one.text : escaped(one ?? ''))).join('');
  return new Markup(inner === '' ? '' : `<${name}>${inner}</${name}>`);
}

const specialCharacters: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };

/** Returns a text as the content of an element. Replaces characters that no XML document can have. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>\r]/g, (character) => specialCharacters[character] ?? '');
}

function absolute(amount: Sum): Sum {
  return amount < 0 ? -amount : amount;
}

/** Returns an amount and its direction. The message has no signs. */
function money(name: string, amount: Sum, currency: string): Markup {
  const value = decimalText(absolute(amount), currency);
  return new Markup(`<${name} Ccy="${escaped(currency)}">${value}</${name}>${direction(amount).text}`);
}

function direction(amount: Sum): Markup {
  return element('CdtDbtInd', amount < 0 ? 'DBIT' : 'CRDT');
}

function balance(code: string, amount: Sum, { currency }: StatementHead, at: string): Markup {
  return element(
    'Bal',
    element('Tp', element('CdOrPrtry', element('Cd', code))),
    money('Amt', amount, currency),
    element('Dt', element('DtTm', at)),
  );
}

/** Returns parts of a text of at most so many characters. */
function partsOf(text: string | undefined, length: number): string[] {
  const characters = Array.from(text ?? '');
  return Array.from({ length: Math.ceil(characters.length / length) }, (_, index) =>
    characters.slice(index * length, (index + 1) * length).join(''),
  );
}

function account(id: string): Markup {
  return element('Id', element('Othr', element('Id', id)));
}

/** Returns the other side of a line: the creditor of what left the wallet, the debtor of what came in. */
function parties({ amount, counterparty }: LineView): Markup {
  if (counterparty === undefined) return element('RltdPties');
  const { walletId, alias, account: masked, name } = counterparty;
  const [party, its] = amount < 0 ? ['Cdtr', 'CdtrAcct'] : ['Dbtr', 'DbtrAcct'];
  const [shortName] = partsOf(name, lengths.name);
  return element(
    'RltdPties',
    element(party, element('Pty', element('Nm', shortName))),
    element(its, account(walletId ?? alias ?? masked ?? '')),
  );
}

function entry(line: LineView, { currency }: StatementHead, index: number): Markup {
  const { version, at, amount, fee = 0, type, reversal, transactionId, receiptCode, externalReference } = line;
  const [reference, ...more] = partsOf(externalReference, lengths.reference);
  const code = element('BkTxCd', element('Prtry', element('Cd', type), element('Issr', 'wallet')));
  const charged = element('Rcrd', money('Amt', -fee, currency), element('ChrgInclInd', 'true'));
  const details = element(
    'TxDtls',
    element(
      'Refs',
      element('AcctSvcrRef', transactionId),
      // A longer reference than the message takes stands whole in the additional information.
      element('EndToEndId', more.length === 0 ? reference : undefined),
    ),
    money('Amt', amount, currency),
    parties(line),
    element('RmtInf', ...partsOf(line.description, lengths.remittance).map((part) => element('Ustrd', part))),
    element('AddtlTxInf', more.length === 0 ? undefined : externalReference),
  );
  return element(
    'Ntry',
    element('NtryRef', `${version}.${index}`),
    money('Amt', amount, currency),
    element('RvslInd', reversal === true ? 'true' : undefined),
    element('Sts', element('Cd', 'BOOK')),
    element('BookgDt', element('DtTm', at)),
    element('ValDt', element('DtTm', at)),
    element('AcctSvcrRef', transactionId),
    code,
    fee === 0 ? undefined : element('Chrgs', charged),
    element('NtryDtls', details),
    element('AddtlNtryInf', receiptCode),
  );
}

/** Returns a sum of entries, if the message has room for its digits. */
function sum(amount: Sum, currency: string): Markup {
  const text = decimalText(absolute(amount), currency);
  return element('Sum', text.replace('.', '').length > mostDigits ? undefined : text);
}

/** The message `camt.053.001.08` of ISO 20022: a statement of a bank for its customer. */
export const camt053: StatementFormat = {
  mediaType: 'application/xml',
  extension: 'xml',
  before(head, { closing, sums }, madeAt) {
    const { walletId, currency, from, to, final, opening } = head;
    // The same statement has the same id whenever it is made.
    const id = fingerprintOf([walletId, from, to, closing.hash]).slice(0, lengths.reference);
    const net = BigInt(closing.total) - BigInt(opening.total);
    const statement = [
      element('Id', id),
      element('CreDtTm', madeAt),
      element('FrToDt', element('FrDtTm', from), element('ToDtTm', to)),
      element('Acct', account(walletId), element('Ccy', currency)),
      balance('OPBD', opening.total, head, from),
      balance('OPAV', opening.available, head, from),
      // Interim: a command that began in the period may still be booked.
      balance(final ? 'CLBD' : 'ITBD', closing.total, head, to),
      balance(final ? 'CLAV' : 'ITAV', closing.available, head, to),
      element(
        'TxsSummry',
        element(
          'TtlNtries',
          element('NbOfNtries', String(sums.lines)),
          element('TtlNetNtry', element('Amt', decimalText(absolute(net), currency)), direction(net)),
        ),
        element('TtlCdtNtries', sum(sums.in, currency)),
        element('TtlDbtNtries', sum(sums.out, currency)),
      ),
    ];
    const header = element('GrpHdr', element('MsgId', id), element('CreDtTm', madeAt));
    return `${prologue}${header.text}<Stmt>${statement.map(({ text }) => text).join('')}\n`;
  },
  line: (line, head, index) => `${entry(line, head, index).text}\n`,
  after: (_head, { closing: { version, hash } }) =>
    element('AddtlStmtInf', `entry ${version ?? 'none'} of the ledger, SHA-256 ${hash ?? 'none'}`).text +
    '</Stmt></BkToCstmrStmt></Document>\n',
};
