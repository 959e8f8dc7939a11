import type { Alias } from '../domain/alias.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { emptySketch, sketchFromText, sketchToText } from '../domain/sketch.ts';
import type { Sketch } from '../domain/sketch.ts';
import type { ItemKey } from '../store/books.ts';
import type { Table } from '../store/table.ts';
import type { LastCollections } from './fee-check.ts';
import type { NamedReference } from './reference-check.ts';
import type { Statement } from './statement.ts';
import type { AllSums } from './sums.ts';
import { stateFromText, stateToText } from './text.ts';
import type { WalletCheck } from './wallet-check-state.ts';

/** The tables of the books, and the bank's statement. */
export interface Books {
  /** Wallets and transactions. */
  readonly table: Table;
  /** Entries and totals. */
  readonly entries: Table;
  /** The bank's statement; undefined leaves the comparison with the bank out. */
  readonly statement: Statement | undefined;
}

/** One segment of the scan: its position, and the open checks of wallets before it. */
export interface Segment {
  after?: ItemKey | undefined;
  done: boolean;
  open: WalletCheck[];
  /** References to check; absent from a pass that an earlier release began, and while there is none. */
  references?: NamedReference[];
  /** Aliases to check; absent in the same cases. */
  aliases?: Pick<Alias, 'alias' | 'ownerId' | 'wallets'>[];
}

/** A wallet that seemed wrong, and the time (epoch ms) of that look. */
interface Suspect {
  readonly walletId: string;
  /** The wallet's version then. */
  readonly version: number;
  readonly seenAt: number;
}

/**
 * One pass over all books: its findings and its position. Its size does not grow with the books, so it can be stored
 * between runs (`passToText`).
 */
export interface Pass {
  readonly passId: string;
  readonly startedAt: string;
  /** When the pass before it ended (ISO 8601); undefined for the first pass. */
  readonly lastEndedAt?: string | undefined;
  /** The moment (ISO 8601), a full hour, as of which sums are compared; undefined: now, for books that stand still. */
  readonly asOf: string | undefined;
  /** The bank whose statement is compared; undefined: none. */
  readonly bankId: string | undefined;
  /** About how many items the table had when the pass began; undefined: not known. */
  readonly items?: number | undefined;
  /** How many items were scanned. */
  scanned: number;
  stage: 'books' | 'sums' | 'bank' | 'done';
  /** Whether the sums were compared; undefined in a pass that an earlier release took to its bank. */
  sumsCompared?: boolean | undefined;
  /** Whether the bank's part has ended. */
  bankCompared?: boolean | undefined;
  readonly segments: Segment[];
  readonly sums: AllSums;
  /** The last collections of fees before `asOf`. Absent from a pass that an earlier release began. */
  readonly collections?: LastCollections;
  readonly counts: { wallets: number; transactions: number; entries: number; payments: number };
  /** The bank's payments minus its completed withdrawals. */
  readonly paid: Sketch;
  /** Completed withdrawals of other banks, by bank. The pass does not compare them. */
  readonly otherBanks: Record<string, number>;
  /** The cursor of the statement's next page. */
  statementAfter?: string | undefined;
  /** Wallets to look at again, after the changes under way have arrived. */
  suspects: Suspect[];
  /** The time (epoch ms) since which the bank has given no statement. */
  noStatementSince?: number | undefined;
  /** The time (epoch ms) at which the totals first differed. They are compared once more. */
  totalsSuspectAt?: number | undefined;
  /** The first discrepancies; `found` counts all. */
  readonly discrepancies: Discrepancy[];
  found: number;
  runs: number;
  readUnits: number;
  finishedAt?: string;
}

/** The callbacks and limits of a run of a pass. Times in milliseconds. */
export interface RunControl {
  readonly now: () => number;
  /** Returns whether the run must stop. Called between pages, where the pass can go on later. */
  readonly stop: () => boolean;
  /** How long after its first look a suspect is looked at again. Longer than any change takes to arrive. */
  readonly secondLookMs: number;
  /**
   * Reports a discrepancy.
   *
   * @param hour given when the sums of one hour are wrong
   */
  readonly report: (discrepancy: Discrepancy, hour?: string) => void;
  /**
   * How long a pass waits for the bank's statement before it reports that there is none.
   *
   * @default an hour
   */
  readonly statementPatienceMs?: number;
  /** Receives the pass after each page. */
  readonly progress?: (pass: Pass) => void;
}

/** The end of a run: the pass is over, was stopped, or waits until (epoch ms) a second look is due. */
export type RunOutcome = 'done' | 'stopped' | { readonly waitUntil: number };
const hourMs = 3_600_000;
/** After this long, a change that is not there is missing: retries end within seconds. */
export const settledMs = 300_000;

/**
 * Returns a new pass over the books.
 *
 * @param options `standStill` says that no money moves, so that sums are compared as of now
 */
export function beginPass(options: {
  passId: string;
  now: number;
  segments: number;
  standStill: boolean;
  bankId: string | undefined;
  /** The number of items in the table, when known. */
  items?: number | undefined;
  /** When the pass before this one ended (ISO 8601). */
  lastEndedAt?: string | undefined;
}): Pass {
  const { passId, now, standStill, bankId, items, lastEndedAt } = options;
  const lastHour = Math.floor((now - settledMs) / hourMs) * hourMs;
  return {
    passId,
    startedAt: new Date(now).toISOString(),
    lastEndedAt,
    asOf: standStill ? undefined : new Date(lastHour).toISOString(),
    bankId,
    items,
    scanned: 0,
    stage: 'books',
    segments: Array.from({ length: options.segments }, (): Segment => ({ done: false, open: [] })),
    sums: {},
    collections: {},
    counts: { wallets: 0, transactions: 0, entries: 0, payments: 0 },
    paid: emptySketch(),
    otherBanks: {},
    suspects: [],
    discrepancies: [],
    found: 0,
    runs: 0,
    readUnits: 0,
  };
}
/** Returns a pass as text, some ten kilobytes. */
export function passToText(pass: Pass): string {
  return stateToText({ ...pass, paid: sketchToText(pass.paid) });
}

/**
 * Parses a pass.
 *
 * @param text as `passToText` returns it
 */
export function passFromText(text: string): Pass {
  const pass = stateFromText(text) as Omit<Pass, 'paid' | 'otherBanks' | 'scanned'> & {
    paid: string;
    otherBanks?: Pass['otherBanks'];
    scanned?: number;
  };
  // A pass that an earlier release stored has not these members.
  return { ...pass, paid: sketchFromText(pass.paid), otherBanks: pass.otherBanks ?? {}, scanned: pass.scanned ?? 0 };
}
