import type { Discrepancy } from '../domain/discrepancy.ts';

/** A discrepancy that was reported, and is not gone. */
export interface KnownDiscrepancy extends Discrepancy {
  /** The hour whose sums it is about; absent: it is about its subject. */
  readonly hour?: string | undefined;
  /** When it was found first, and last (ISO 8601). */
  readonly since: string;
  seenAt: string;
}

/** What is known at most. What does not fit in is reported each time. */
const mostKnown = 500;
/** Characters of a detail that are kept, so that all fits into one item. */
const mostDetail = 300;

/**
 * The discrepancies that were reported. One is the same as long as kind, subject and hour are, so that it is reported once
 * and not by each pass.
 */
export class KnownDiscrepancies {
  #list: KnownDiscrepancy[];

  /** @param text as `text` returned it; undefined: none are known */
  constructor(text?: string) {
    this.#list = text === undefined ? [] : (JSON.parse(text) as KnownDiscrepancy[]);
  }

  get list(): readonly KnownDiscrepancy[] {
    return this.#list;
  }

  /** Notes a discrepancy that was found; returns whether it is a new one. */
  note({ kind, subject, detail }: Discrepancy, hour: string | undefined, at: string): boolean {
    const known = this.#list.find((one) => one.kind === kind && one.subject === subject && one.hour === hour);
    if (known !== undefined) {
      known.seenAt = at;
      return false;
    }
    if (this.#list.length < mostKnown) {
      this.#list.push({ kind, subject, detail: detail.slice(0, mostDetail), hour, since: at, seenAt: at });
    }
    return true;
  }

  /** Drops what a whole pass over the books that began then (ISO 8601) has not found again. */
  dropNotSeenSince(passStartedAt: string): void {
    this.#list = this.#list.filter(({ seenAt }) => seenAt >= passStartedAt);
  }

  text(): string {
    return JSON.stringify(this.#list);
  }
}
