import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Payment } from '../../lambdas/bank/answers.ts';

/** The simulated bank's record of one reference, which shows the payments that it really made. Times are ISO 8601. */
export interface BookEntry extends Payment {
  /** When the first submission arrived. */
  readonly submittedAt: string;
  /** Submissions of the reference that arrived, whatever was answered. */
  readonly submissions: number;
  /** How many times money left the bank for this reference; more than 1 is a bank's bug. */
  readonly timesPaid: number;
  readonly paidAt?: string;
  readonly rejection?: Rejection;
}

interface Rejection {
  readonly code: string;
  readonly message: string;
}

export interface BankBook {
  get(reference: string): BookEntry | undefined;
  /** Notes a submission. Returns undefined when the reference belongs to a payment with other content. */
  submit(payment: Payment): BookEntry | undefined;
  pay(reference: string): BookEntry;
  reject(reference: string, rejection: Rejection): BookEntry;
  /** Returns every entry, in the order of the first submissions. */
  list(): BookEntry[];
  /** Returns `count` payments from `start` on, the oldest first. A reference that was paid twice is in it twice. */
  paid(start: number, count: number): { readonly reference: string; readonly at: string }[];
  close(): void;
}

type Line =
  | { readonly type: 'submitted'; readonly at: string; readonly payment: Payment }
  | { readonly type: 'paid'; readonly at: string; readonly reference: string }
  | { readonly type: 'rejected'; readonly reference: string; readonly rejection: Rejection };

/**
 * Opens the book: in memory, and in `dataFile` (JSON lines, only ever appended to) when one is given. A line is written
 * before the call that wrote it returns. So the book is right, whenever the process is killed.
 */
export function openBankBook(dataFile?: string): BankBook {
  const entries = new Map<string, BookEntry>();
  const payments: { reference: string; at: string }[] = [];
  const take = (line: Line): BookEntry => {
    if (line.type === 'paid') payments.push({ reference: line.reference, at: line.at });
    return apply(entries, line);
  };
  const file = dataFile === undefined ? undefined : openFile(dataFile, take);

  function record(line: Line): BookEntry {
    if (file !== undefined) {
      writeSync(file, `${JSON.stringify(line)}\n`);
      // A submission without a decision moves no money, so that it need not outlive a power cut.
      if (line.type !== 'submitted') fsyncSync(file);
    }
    return take(line);
  }

  return {
    get: (reference) => entries.get(reference),
    submit(payment) {
      const known = entries.get(payment.reference);
      if (known && !isSamePayment(known, payment)) return undefined;
      return record({ type: 'submitted', at: new Date().toISOString(), payment });
    },
    pay: (reference) => record({ type: 'paid', at: new Date().toISOString(), reference }),
    reject: (reference, rejection) => record({ type: 'rejected', reference, rejection }),
    list: () => [...entries.values()],
    paid: (start, count) => payments.slice(start, start + count),
    close() {
      if (file !== undefined) closeSync(file);
    },
  };
}

function isSamePayment(known: Payment, { amount, currency, destination }: Payment): boolean {
  return known.amount === amount && known.currency === currency && isDeepStrictEqual(known.destination, destination);
}

function apply(entries: Map<string, BookEntry>, line: Line): BookEntry {
  const reference = line.type === 'submitted' ? line.payment.reference : line.reference;
  const known = entries.get(reference);
  const entry = known ? changed(known, line) : first(line);
  entries.set(reference, entry);
  return entry;
}

function first(line: Line): BookEntry {
  if (line.type !== 'submitted') throw new Error('the bank decided on a payment that was never submitted');
  return { ...line.payment, submittedAt: line.at, submissions: 1, timesPaid: 0 };
}

function changed(entry: BookEntry, line: Line): BookEntry {
  switch (line.type) {
    case 'submitted':
      return { ...entry, submissions: entry.submissions + 1 };
    case 'paid':
      return { ...entry, timesPaid: entry.timesPaid + 1, paidAt: line.at };
    case 'rejected':
      return { ...entry, rejection: line.rejection };
  }
}

/** Reads the lines of the file, and opens it for appending. Returns its descriptor. */
function openFile(path: string, read: (line: Line) => void): number {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'a+');
  const content = readFileSync(path);
  // A last line without its end was cut off while being written; no answer was sent after it.
  const end = content.lastIndexOf('\n') + 1;
  if (end < content.byteLength) truncateSync(path, end);
  for (const line of content.toString('utf8', 0, end).split('\n')) {
    if (line !== '') read(JSON.parse(line) as Line);
  }
  return file;
}
