import type { BankMovement } from '../store/bank-movements.ts';
import { dayOfMs, dayText } from './format.ts';
import type { KeptLine } from './lines.ts';

/** Every kind of difference between a bank's file and the books. docs/bank-files.md says what to do about each. */
export const findingCodes = [
  'missing_in_file',
  'return_missing_in_file',
  'unknown_payment',
  'no_reference',
  'unknown_credit',
  'not_a_bank_payment',
  'amount_differs',
  'currency_differs',
  'wrong_direction',
  'paid_but_failed',
  'paid_but_open',
  'failed_but_completed',
  'returned_by_bank',
  'duplicate_line',
  'paid_twice',
  'charged_twice',
  'date_differs',
  'other_bank',
  'unreadable',
  'batch_sum_differs',
  'balance_differs',
  'file_twice',
] as const;
export type FindingCode = (typeof findingCodes)[number];

/** A difference between a line, a transaction, or both. */
export interface Finding {
  readonly code: FindingCode;
  readonly line?: KeptLine | undefined;
  readonly movement?: BankMovement | undefined;
  readonly detail: string;
}

/** How a transaction is compared with the lines that name it. */
export interface Rules {
  /** The bank of the file; absent: withdrawals of every bank are compared. */
  readonly bankId: string | undefined;
  /** Days by which a line may be dated apart from our booking. */
  readonly days: number;
  /** Whether each charge with a reference must be in the file. */
  readonly charges: boolean;
  /**
   * Returns whether the files must have a payment of this day. `later`: the bank may book it after the end of the files.
   */
  readonly covers: (currency: string, day: number) => 'yes' | 'later' | 'no';
}

/** The comparison of a transaction: its differences, and whether a later file is awaited to have it. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly isAwaited?: boolean;
}

const fine: Verdict = { findings: [] };

/** Compares a withdrawal with the lines that name it. */
export function judgeWithdrawal(movement: BankMovement, lines: readonly KeptLine[], rules: Rules): Verdict {
  const paid = lines.filter(({ status, direction }) => status === 'booked' && direction === 'out');
  const back = lines.filter(({ status, direction }) => status === 'booked' && direction === 'in');
  const failed = lines.filter(({ status }) => status === 'failed');
  const [first] = [...paid, ...back, ...failed];
  if (isOfOtherBank(movement, rules)) {
    if (first === undefined) return fine;
    const detail = `the withdrawal went to bank ${movement.bankId ?? ''}: both may have paid it`;
    return { findings: [{ code: 'other_bank', line: first, movement, detail }] };
  }
  if (paid.length === 0 && failed.length === 0) {
    const isPending = lines.some(({ status }) => status === 'pending');
    const missing = missingOf(movement, rules, isPending);
    return { ...missing, findings: [...missing.findings, ...judgeBack(movement, back)] };
  }
  const [line] = paid;
  return {
    findings: [
      ...(line === undefined ? judgeFailed(movement, failed) : judgePaid(movement, line, rules)),
      ...repetitionsOf(movement, paid),
      ...judgeBack(movement, back),
    ],
  };
}

function isOfOtherBank({ bankId }: BankMovement, rules: Rules): boolean {
  return rules.bankId !== undefined && bankId !== undefined && bankId !== rules.bankId;
}

function missingOf(movement: BankMovement, rules: Rules, isPending: boolean): Verdict {
  const day = completedDay(movement);
  if (movement.status !== 'completed' || day === undefined) return fine;
  const covered = rules.covers(movement.currency, day);
  if (covered === 'no') return fine;
  if (covered === 'later' || isPending) return { findings: [], isAwaited: true };
  const detail = `we completed it on ${dayText(day)}, and no line names it`;
  return { findings: [{ code: 'missing_in_file', movement, detail }] };
}

function judgePaid(movement: BankMovement, line: KeptLine, rules: Rules): Finding[] {
  const differing = sumsDiffer(movement, line);
  if (differing) return [differing];
  const { status } = movement;
  if (status === 'failed') {
    const detail = 'the bank has paid it, and we gave the money back to the wallet';
    return [{ code: 'paid_but_failed', line, movement, detail }];
  }
  if (status !== 'completed') {
    return [{ code: 'paid_but_open', line, movement, detail: `the bank has paid it, and it is ${status} here` }];
  }
  return datesDiffer(movement, line, rules);
}

function judgeFailed(movement: BankMovement, failed: readonly KeptLine[]): Finding[] {
  if (movement.status !== 'completed' || movement.returnTransactionId !== undefined) return [];
  const detail = 'the bank says that it was not paid, and it is completed here';
  return [{ code: 'failed_but_completed', line: failed[0], movement, detail }];
}

/** Compares money that came back for a withdrawal. Its day is compared with that of the return. */
function judgeBack(movement: BankMovement, back: readonly KeptLine[]): Finding[] {
  const [line] = back;
  if (line === undefined) return [];
  if (movement.status !== 'completed') {
    const detail = `money came in for it, and it is ${movement.status} here: no payment has left`;
    return [{ code: 'wrong_direction', line, movement, detail }];
  }
  const differing = sumsDiffer(movement, line);
  if (differing) return [differing];
  const isUnknown = movement.returnTransactionId === undefined;
  const detail = 'the bank sent the money back, and no return is booked here';
  return [
    ...(isUnknown ? [{ code: 'returned_by_bank', line, movement, detail } as const] : []),
    ...repetitionsOf(movement, back),
  ];
}

/** Names the lines, but the first, that repeat an earlier line of a transaction. A file may name one a million times. */
function repetitionsOf(movement: BankMovement, lines: readonly KeptLine[]): Finding[] {
  const bookings = new Bookings();
  return lines.flatMap((line): Finding[] => {
    const same = bookings.add(line);
    if (line === lines[0]) return [];
    return [
      same === undefined
        ? {
            code: 'paid_twice',
            line,
            movement,
            detail: 'the bank has another booking of it, with a reference of its own',
          }
        : {
            code: 'duplicate_line',
            line,
            movement,
            detail: `line ${same.line} of file ${same.file + 1} says the same`,
          },
    ];
  });
}

/** The bookings that lines are. Two lines are one booking when their references of the bank are equal, or one has none. */
class Bookings {
  readonly #byReference = new Map<number, KeptLine>();
  /** Lines by amount, currency and day: the first of all, and the first without a reference of the bank. */
  readonly #byFacts = new Map<string, KeptLine>();
  readonly #byFactsAlone = new Map<string, KeptLine>();

  /** Adds a line. Returns the first line before it that may be the same booking. */
  add(line: KeptLine): KeptLine | undefined {
    const { bankReferenceHash: reference, amount, currency, day } = line;
    const facts = `${amount} ${currency} ${day}`;
    const alike = (reference === 0 ? this.#byFacts : this.#byFactsAlone).get(facts);
    const named = reference === 0 ? undefined : this.#byReference.get(reference);
    if (!this.#byFacts.has(facts)) this.#byFacts.set(facts, line);
    if (reference === 0 && !this.#byFactsAlone.has(facts)) this.#byFactsAlone.set(facts, line);
    if (reference !== 0 && named === undefined) this.#byReference.set(reference, line);
    return named !== undefined && (alike === undefined || named.index < alike.index) ? named : alike;
  }
}

/** Compares a charge with a line that names it. */
export function judgeCharge(movement: BankMovement, line: KeptLine, rules: Rules): Finding[] {
  const differing = sumsDiffer(movement, line);
  return differing ? [differing] : datesDiffer(movement, line, rules);
}

/** Compares a charge that no line names. */
export function judgeMissingCharge(movement: BankMovement, rules: Rules): Verdict {
  return rules.charges && movement.externalReference !== undefined ? missingOf(movement, rules, false) : fine;
}

/** Compares a return with the lines that name its withdrawal. */
export function judgeReturn(movement: BankMovement, lines: readonly KeptLine[], rules: Rules): Verdict {
  const [line] = lines.filter(({ status, direction }) => status === 'booked' && direction === 'in');
  if (line !== undefined) return { findings: datesDiffer(movement, line, rules) };
  const missing = missingOf(movement, rules, false);
  return {
    ...missing,
    findings: missing.findings.map((finding) => ({
      ...finding,
      code: 'return_missing_in_file',
      detail: `the return of ${movement.originalTransactionId ?? 'a withdrawal'} is booked here, and no line has it`,
    })),
  };
}

function sumsDiffer(movement: BankMovement, line: KeptLine): Finding | undefined {
  const ours = `${movement.amount} ${movement.currency}`;
  const detail = `the bank says ${line.amount} ${line.currency}, and we say ${ours}`;
  if (line.currency !== movement.currency) return { code: 'currency_differs', line, movement, detail };
  return line.amount === movement.amount ? undefined : { code: 'amount_differs', line, movement, detail };
}

function datesDiffer(movement: BankMovement, line: KeptLine, { days }: Rules): Finding[] {
  const day = completedDay(movement);
  if (day === undefined || Math.abs(line.day - day) <= days) return [];
  const detail = `the bank booked it on ${dayText(line.day)}, and we on ${dayText(day)}`;
  return [{ code: 'date_differs', line, movement, detail }];
}

/** Returns the day on which a transaction was completed, in days since 1970. */
function completedDay({ completedAt = '' }: BankMovement): number | undefined {
  const ms = Date.parse(completedAt);
  return Number.isNaN(ms) ? undefined : dayOfMs(ms);
}
