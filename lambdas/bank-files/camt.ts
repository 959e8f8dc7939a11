import { SaxesParser } from 'saxes';
import { amountIn, BankFileError, currencyIn, isoDay, limits, quoted } from './format.ts';
import type { BankFileErrorCode, BankFileParser, BankFileSink, BankLine } from './format.ts';

/** An amount in minor units. */
interface Money {
  readonly value: number;
  readonly currency: string;
}

/** The facts that an entry states, or a payment within it. */
interface Details {
  readonly line: number;
  readonly references: string[];
  bankReference?: string;
  amount?: Money;
  /** The amount in `AmtDtls/TxAmt`, where the payment has no other. */
  otherAmount?: Money;
  direction?: BankLine['direction'];
}

/** An entry: one booking on the account, of one payment or of many. */
interface Entry extends Details {
  status?: BankLine['status'];
  day?: number;
  valueDay?: number;
  /** The payment that was read last. It waits, as only the one payment of an entry may lack an amount. */
  waiting?: Details;
  payments: number;
  /** The sum of its payments so far, with their signs; NaN when one of them is in another currency. */
  sum: number;
}

interface Balance {
  code?: string;
  amount?: Money;
  direction?: BankLine['direction'];
}

interface Statement {
  readonly line: number;
  from?: number;
  to?: number;
  firstDay?: number;
  lastDay?: number;
  currency?: string;
  opening?: number;
  closing?: number;
  sum: number;
}

const statuses: Readonly<Record<string, BankLine['status']>> = {
  BOOK: 'booked',
  PDNG: 'pending',
  INFO: 'pending',
  FUTR: 'pending',
};
/** The elements below `Refs` and elsewhere with texts in which the bank may name our payment. */
const referenceElements = new Set(['EndToEndId', 'TxId', 'InstrId', 'PmtInfId', 'Ustrd', 'AddtlTxInf', 'UETR']);
/** The text that a payer's bank writes where there is no reference. */
const noReference = 'NOTPROVIDED';

/** Returns a parser of camt.053 of any version: entries with all their payments. */
export function camtParser(sink: BankFileSink): BankFileParser {
  return new CamtParser(sink);
}

class CamtParser implements BankFileParser {
  readonly #sink: BankFileSink;
  readonly #xml = new SaxesParser({ xmlns: false, position: true });
  readonly #path: string[] = [];
  #text = '';
  /** The number of tags so far, and of characters since the last one. */
  #tags = 0;
  #quiet = 0;
  #currencyOfAmount = '';
  #statements = 0;
  #statement: Statement | undefined;
  #balance: Balance | undefined;
  #entry: Entry | undefined;
  #payment: Details | undefined;

  constructor(sink: BankFileSink) {
    this.#sink = sink;
    const xml = this.#xml;
    xml.on('doctype', () => this.#fail('dtd_refused', 'a document type is refused'));
    xml.on('error', (error) => {
      // The parser puts its own place in front of the message.
      this.#fail('bad_xml', error.message.replace(/^(?:[^:]*:)?\d+:\d+: /, ''));
    });
    xml.on('opentag', ({ name, attributes }) => {
      this.#open(localName(name), attributes);
    });
    xml.on('closetag', ({ name }) => {
      this.#close(localName(name));
    });
    const addText = (text: string) => {
      this.#text += text;
      if (this.#text.length > limits.text) this.#fail('text_too_long', 'a text has too many characters');
    };
    xml.on('text', addText);
    xml.on('cdata', addText);
  }

  write(text: string): void {
    const before = this.#tags;
    this.#xml.write(text);
    // The parser keeps a text until its end. A file without tags must not fill the memory.
    this.#quiet = this.#tags === before ? this.#quiet + text.length : 0;
    if (this.#quiet > limits.text) this.#fail('text_too_long', 'a text or tag has too many characters');
  }

  end(): void {
    this.#xml.close();
    if (this.#statements === 0) this.#fail('not_a_statement', 'there is no Stmt in it');
  }

  #fail(code: BankFileErrorCode, message: string): never {
    throw new BankFileError(code, this.#xml.line, message);
  }

  get #parent(): string | undefined {
    return this.#path.at(-2);
  }

  #open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#tags++;
    this.#text = '';
    const path = this.#path;
    path.push(name);
    if (path.length > limits.depth) this.#fail('too_deep', `more than ${limits.depth} elements are inside each other`);
    if (path.length === 1) this.#openDocument(name, attributes);
    const line = this.#xml.line;
    switch (name) {
      case 'Stmt':
        if (path.length !== 3 || path[1] !== 'BkToCstmrStmt') return;
        if (++this.#statements > limits.statements) this.#fail('too_many_lines', 'there are too many statements');
        this.#statement = { line, sum: 0 };
        return;
      case 'Bal':
        if (this.#parent === 'Stmt') this.#balance = {};
        return;
      case 'Ntry':
        if (this.#parent === 'Stmt') this.#entry = { line, references: [], payments: 0, sum: 0 };
        return;
      case 'TxDtls':
        if (this.#entry) this.#payment = { line, references: [] };
        return;
      case 'Amt':
        this.#currencyOfAmount = attributes['Ccy'] ?? '';
    }
  }

  #openDocument(name: string, attributes: Readonly<Record<string, string>>): void {
    const named = Object.entries(attributes).filter(([attribute]) => /^xmlns(:|$)/.test(attribute));
    const spaces = named.map(([, space]) => space).filter((space) => space.includes(':iso:std:iso:20022:'));
    if (name === 'Document' && (spaces.length === 0 || spaces.some((space) => /camt\.053\.001\.\d\d$/.test(space)))) {
      return;
    }
    this.#fail('not_a_statement', `"${quoted(name)}" is no document of camt.053`);
  }

  #close(name: string): void {
    this.#tags++;
    const text = this.#text.trim();
    this.#text = '';
    if (this.#payment) this.#closeInPayment(this.#payment, name, text);
    else if (this.#entry) this.#closeInEntry(this.#entry, name, text);
    else if (this.#balance) this.#closeInBalance(this.#balance, name, text);
    else if (this.#statement) this.#closeInStatement(this.#statement, name, text);
    this.#path.pop();
  }

  #closeInStatement(statement: Statement, name: string, text: string): void {
    const line = this.#xml.line;
    const parent = this.#parent;
    if (name === 'FrDtTm' && parent === 'FrToDt') {
      statement.from = isoDay(text, line);
    } else if (name === 'ToDtTm' && parent === 'FrToDt') {
      statement.to = isoDay(text, line);
    } else if (name === 'Ccy' && parent === 'Acct') {
      statement.currency = currencyIn(text, line);
    } else if (name === 'Stmt') {
      this.#endStatement(statement);
      this.#statement = undefined;
    }
  }

  #closeInBalance(balance: Balance, name: string, text: string): void {
    const parent = this.#parent;
    if (name === 'Cd' && parent === 'CdOrPrtry') {
      balance.code = text;
    } else if (name === 'Amt' && parent === 'Bal') {
      balance.amount = this.#money(text);
    } else if (name === 'CdtDbtInd' && parent === 'Bal') {
      balance.direction = this.#direction(text);
    } else if (name === 'Bal') {
      this.#endBalance(balance);
      this.#balance = undefined;
    }
  }

  #endBalance({ code = '', amount, direction = 'in' }: Balance): void {
    const statement = this.#statement;
    if (statement === undefined || amount === undefined) return;
    statement.currency ??= amount.currency;
    const value = amount.value * (direction === 'in' ? 1 : -1);
    if (code === 'OPBD' || code === 'PRCD') statement.opening ??= value;
    if (code === 'CLBD') statement.closing = value;
  }

  #closeInEntry(entry: Entry, name: string, text: string): void {
    const line = this.#xml.line;
    const parent = this.#parent;
    if (parent === 'Ntry') {
      if (name === 'Amt') entry.amount = this.#money(text);
      else if (name === 'CdtDbtInd') entry.direction = this.#direction(text);
      else if (name === 'AcctSvcrRef') entry.bankReference = text;
      else if (name === 'Sts' && text !== '') entry.status = this.#status(text);
      else if (name === 'NtryRef' || name === 'AddtlNtryInf') addReference(entry, text);
    } else if (parent === 'Sts') {
      entry.status = this.#status(text);
    } else if (parent === 'BookgDt' && text !== '') {
      entry.day = isoDay(text, line);
    } else if (parent === 'ValDt' && text !== '') {
      entry.valueDay = isoDay(text, line);
    } else if (name === 'Ntry') {
      this.#endEntry(entry);
      this.#entry = undefined;
    }
  }

  #closeInPayment(payment: Details, name: string, text: string): void {
    const parent = this.#parent;
    if (referenceElements.has(name)) {
      addReference(payment, text);
    } else if (name === 'Ref' && parent === 'CdtrRefInf') {
      addReference(payment, text);
    } else if (name === 'AcctSvcrRef' && parent === 'Refs') {
      payment.bankReference = text;
    } else if (name === 'Amt' && parent === 'TxDtls') {
      payment.amount = this.#money(text);
    } else if (name === 'Amt' && parent === 'TxAmt') {
      payment.otherAmount = this.#money(text);
    } else if (name === 'CdtDbtInd' && parent === 'TxDtls') {
      payment.direction = this.#direction(text);
    } else if (name === 'TxDtls') {
      this.#payment = undefined;
      if (this.#entry) this.#endPayment(this.#entry, payment);
    }
  }

  #direction(text: string): BankLine['direction'] {
    if (text === 'DBIT') return 'out';
    if (text === 'CRDT') return 'in';
    return this.#fail('bad_direction', `"${quoted(text)}" is neither DBIT nor CRDT`);
  }

  #status(text: string): BankLine['status'] {
    const status = Object.hasOwn(statuses, text) ? statuses[text] : undefined;
    return status ?? this.#fail('bad_status', `"${quoted(text)}" is no status of an entry`);
  }

  #money(text: string): Money {
    const line = this.#xml.line;
    const currency = currencyIn(this.#currencyOfAmount, line);
    return { value: amountIn(text, { currency, mark: '.' }, line), currency };
  }

  /** Emits the payment before this one, which has one after it. */
  #endPayment(entry: Entry, payment: Details): void {
    const { waiting } = entry;
    entry.waiting = payment;
    if (waiting) this.#emitPayment(entry, waiting);
  }

  #emitPayment(entry: Entry, payment: Details): void {
    const amount = payment.amount ?? payment.otherAmount;
    if (amount === undefined) this.#fail('missing_member', 'a payment of an entry with many has no amount');
    const direction = payment.direction ?? entry.direction;
    entry.payments++;
    if (amount.currency !== entry.amount?.currency) entry.sum = NaN;
    entry.sum += direction === 'in' ? amount.value : -amount.value;
    this.#emit(entry, { ...payment, amount, ...(direction && { direction }) });
  }

  #endEntry(entry: Entry): void {
    const { amount, direction, waiting } = entry;
    if (amount === undefined || direction === undefined || entry.status === undefined) {
      this.#fail('missing_member', 'an entry lacks its amount, direction or status');
    }
    if (waiting === undefined || entry.payments === 0) {
      const details = waiting ?? entry;
      // Its one payment may be in another currency. The entry says what left the account.
      this.#emit(entry, {
        ...details,
        references: [...details.references, ...(waiting ? entry.references : [])],
        bankReference: details.bankReference ?? entry.bankReference ?? '',
        ...{ amount, direction },
      });
    } else {
      this.#emitPayment(entry, waiting);
      const whole = amount.value * (direction === 'in' ? 1 : -1);
      if (!Number.isNaN(entry.sum) && entry.sum !== whole) {
        const detail = `its ${entry.payments} payments add up to ${entry.sum}, and the entry is ${whole}`;
        this.#sink.differs({ code: 'batch_sum_differs', line: entry.line, detail });
      }
    }
    const statement = this.#statement;
    if (statement && entry.status === 'booked') statement.sum += direction === 'in' ? amount.value : -amount.value;
  }

  #emit(entry: Entry, details: Details): void {
    const { amount, direction = entry.direction, bankReference = '' } = details;
    const day = entry.day ?? entry.valueDay;
    if (amount === undefined || direction === undefined || entry.status === undefined || day === undefined) {
      this.#fail('missing_member', 'an entry lacks its amount, direction, status or date before its payments');
    }
    const statement = this.#statement;
    if (statement && entry.status === 'booked') {
      statement.firstDay = Math.min(statement.firstDay ?? day, day);
      statement.lastDay = Math.max(statement.lastDay ?? day, day);
    }
    this.#sink.line({
      ...{ line: details.line, direction, status: entry.status, references: details.references, day },
      bankReference: bankReference === '' ? undefined : bankReference,
      amount: amount.value,
      currency: amount.currency,
    });
  }

  #endStatement({ line, from, to, firstDay, lastDay, currency, opening, closing, sum }: Statement): void {
    const [first, last] = [from ?? firstDay, to ?? lastDay];
    if (currency !== undefined && first !== undefined && last !== undefined) {
      this.#sink.statement({ line, currency, from: first, to: last });
    }
    if (opening === undefined || closing === undefined || opening + sum === closing) return;
    const detail = `it opens with ${opening}, its entries add up to ${sum}, and it closes with ${closing}`;
    this.#sink.differs({ code: 'balance_differs', line, detail });
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function addReference(to: Details, text: string): void {
  if (text !== '' && text !== noReference && to.references.length < limits.references) to.references.push(text);
}
