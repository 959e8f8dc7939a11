import { amountIn, BankFileError, currencyIn, dayOf, limits, quoted } from './format.ts';
import type { BankFileErrorCode, BankFileParser, BankFileSink, BankLine } from './format.ts';

/**
 * Field 61: value date, booking date, mark, letter of funds, amount, type, reference for the owner, reference of the
 * bank.
 */
const lineField =
  /^(\d{2})(\d{2})(\d{2})(\d{4})?(RC|RD|EC|ED|C|D)([A-Z])?(\d[\d,]*)([A-Z][A-Z0-9]{3})([^\n]*?)(?:\/\/([^\n]*))?(?:\n([\s\S]*))?$/;
/** Fields 60 and 62: mark, date, currency, amount. */
const balanceField = /^([CD])(\d{2})(\d{2})(\d{2})([A-Z]{3})(\d[\d,]*)$/;
/** The parts of a field 86 with structure that have the purpose. Others have names and accounts. */
const purposes = /^(?:2\d|6[0-3])$/;

interface Statement {
  readonly line: number;
  currency: string;
  opening: number;
  sum: number;
  firstDay: number | undefined;
}

/** Returns a parser of MT940: statements one after the other, with or without the blocks of SWIFT. */
export function mt940Parser(sink: BankFileSink): BankFileParser {
  return new Mt940Parser(sink);
}

class Mt940Parser implements BankFileParser {
  readonly #sink: BankFileSink;
  #rest = '';
  #line = 0;
  #field: { readonly tag: string; readonly line: number; text: string } | undefined;
  #statement: Statement | undefined;
  #statements = 0;
  /** The line that waits for its field 86. */
  #waiting: Omit<BankLine, 'references'> | undefined;
  #references: string[] = [];

  constructor(sink: BankFileSink) {
    this.#sink = sink;
  }

  write(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > limits.text) this.#fail('text_too_long', 'a line has too many characters');
    for (const line of lines) this.#take(line.replace(/\r$/, ''));
  }

  end(): void {
    if (this.#rest !== '') this.#take(this.#rest.replace(/\r$/, ''));
    this.#endField();
    if (this.#statement) this.#fail('incomplete_file', 'its last statement has no closing balance');
    if (this.#statements === 0) this.#fail('not_a_statement', 'there is no closing balance in it');
  }

  #fail(code: BankFileErrorCode, message: string, line = this.#line): never {
    throw new BankFileError(code, Math.max(line, 1), message);
  }

  #take(text: string): void {
    this.#line++;
    const [, tag, rest = ''] = /^(?:\{1:.*\{4:)?:(\d\d[A-Z]?):(.*)$/.exec(text) ?? [];
    if (tag !== undefined) {
      this.#endField();
      this.#field = { tag, line: this.#line, text: rest };
      return;
    }
    if (text.startsWith('{') || /^-\}?/.test(text) || text.trim() === '') {
      // A block of SWIFT, the end of one, or nothing.
      if (text.trim() !== '') this.#endField();
      return;
    }
    if (this.#field === undefined) this.#fail('bad_record', `"${quoted(text)}" belongs to no field`);
    this.#field.text += `\n${text}`;
    if (this.#field.text.length > limits.text) this.#fail('text_too_long', 'a field has too many characters');
  }

  #endField(): void {
    const field = this.#field;
    this.#field = undefined;
    if (field === undefined) {
      this.#endLine();
      return;
    }
    const { tag, text, line } = field;
    if (tag !== '86') this.#endLine();
    if (tag === '60F' || tag === '60M') this.#begin(text, line);
    else if (tag === '61') this.#beginLine(text, line);
    else if (tag === '86') this.#addInformation(text);
    else if (tag === '62F' || tag === '62M') this.#endStatement(text, line);
  }

  #begin(text: string, line: number): void {
    if (this.#statement) this.#fail('incomplete_file', 'a statement begins before the one before has ended', line);
    const { value, currency } = this.#balance(text, line);
    this.#statement = { line, currency, opening: value, sum: 0, firstDay: undefined };
  }

  #balance(text: string, line: number) {
    const [, mark, yy, mm, dd, code = '', amount = ''] = balanceField.exec(text.trim()) ?? [];
    if (mark === undefined) this.#fail('bad_record', `"${quoted(text)}" is no balance`, line);
    const currency = currencyIn(code, line);
    const value = amountIn(amount, { currency, mark: ',' }, line) * (mark === 'C' ? 1 : -1);
    return { value, currency, day: dayOf(2000 + Number(yy), Number(mm), Number(dd), line) };
  }

  #beginLine(text: string, line: number): void {
    const statement = this.#statement;
    if (statement === undefined) this.#fail('bad_record', 'a line comes before the opening balance', line);
    const [, yy, mm, dd, booked, mark = '', , amountText = '', , ownReference = '', bankReference, more = ''] =
      lineField.exec(text) ?? [];
    if (yy === undefined) this.#fail('bad_record', `"${quoted(text)}" is no line of a statement`, line);
    const { currency } = statement;
    const amount = amountIn(amountText, { currency, mark: ',' }, line);
    // RC takes a credit back, so money leaves. E marks what is only expected.
    const direction = mark === 'D' || mark === 'RC' || mark === 'ED' ? 'out' : 'in';
    const isBooked = !mark.startsWith('E');
    const day = bookingDay([Number(yy), Number(mm), Number(dd)], booked, line);
    if (isBooked) {
      statement.sum += direction === 'in' ? amount : -amount;
      statement.firstDay = Math.min(statement.firstDay ?? day, day);
    }
    this.#waiting = {
      ...{ line, direction, amount, currency, day },
      status: isBooked ? 'booked' : 'pending',
      bankReference: bankReference === undefined || bankReference.trim() === '' ? undefined : bankReference.trim(),
    };
    this.#references = [ownReference, more].map((each) => each.trim()).filter(isReference);
  }

  /** A text is broken where its line is full, also inside a word. */
  #addInformation(text: string): void {
    if (this.#waiting === undefined) return;
    const whole = purposeIn(text.replaceAll('\n', ''));
    const named = /(?:EREF\+|\/EREF\/|\/REMI\/|SVWZ\+)([^/+?]+?)(?=(?:[A-Z]{4}\+|\/)|$)/g;
    const parts = [...whole.matchAll(named)].map(([, part = '']) => part.trim());
    this.#references.push(...[...parts, whole.trim()].filter(isReference).slice(0, limits.references - 2));
  }

  #endLine(): void {
    if (this.#waiting) this.#sink.line({ ...this.#waiting, references: this.#references });
    this.#waiting = undefined;
    this.#references = [];
  }

  #endStatement(text: string, line: number): void {
    const statement = this.#statement;
    if (statement === undefined) this.#fail('bad_record', 'a closing balance comes before the opening one', line);
    if (++this.#statements > limits.statements) this.#fail('too_many_lines', 'there are too many statements', line);
    this.#statement = undefined;
    const { value, currency, day } = this.#balance(text, line);
    this.#sink.statement({
      ...{ line: statement.line, currency },
      from: Math.min(statement.firstDay ?? day, day),
      to: Math.max(statement.firstDay ?? day, day),
    });
    const { opening, sum } = statement;
    if (opening + sum === value && currency === statement.currency) return;
    const detail = `it opens with ${opening}, its lines add up to ${sum}, and it closes with ${value}`;
    this.#sink.differs({ code: 'balance_differs', line: statement.line, detail });
  }
}

/** Returns the purpose of a payment: of a field with structure the parts `?20` to `?29` and `?60` to `?63`. */
function purposeIn(text: string): string {
  if (!/^\d{3}\?/.test(text)) return text;
  const [, ...parts] = text.split(/\?(?=\d{2})/);
  return parts.map((part) => (purposes.test(part.slice(0, 2)) ? part.slice(2) : '')).join('');
}

function isReference(text: string): boolean {
  return text !== '' && text !== 'NONREF' && text !== 'NOTPROVIDED';
}

/** Returns the day of a booking. Only its month and day are there; it may be in the year before or after. */
function bookingDay(
  [year, month, day]: readonly [number, number, number],
  booked: string | undefined,
  line: number,
): number {
  const valueDay = dayOf(2000 + year, month, day, line);
  if (booked === undefined) return valueDay;
  const [bookedMonth, bookedDay] = [Number(booked.slice(0, 2)), Number(booked.slice(2))];
  const shift = bookedMonth - month > 6 ? -1 : month - bookedMonth > 6 ? 1 : 0;
  return dayOf(2000 + year + shift, bookedMonth, bookedDay, line);
}
