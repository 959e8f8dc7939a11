import type { Discrepancy, DiscrepancyKind } from '../domain/discrepancy.ts';

/** A discrepancy that was reported, and still exists. */
export interface KnownDiscrepancy extends Discrepancy {
  /** The hour whose sums are wrong; absent for other discrepancies. */
  readonly hour?: string | undefined;
  /** The times (ISO 8601) of its first and its last finding. */
  readonly since: string;
  seenAt: string;
}

/** The kinds that only a bank's statement shows. */
const paymentKinds: readonly DiscrepancyKind[] = ['payment_missing', 'payment_differs'];

/** How many discrepancies are known at most. Further ones are reported each time. */
const mostKnown = 500;
/** How many characters of a detail are kept, so that all fit into one item. */
const mostDetail = 300;

/**
 * The discrepancies that were reported. Those of the same kind, subject and hour are one, which is reported once and
 * not by each pass.
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

  /** Notes a finding. Returns whether it is new. */
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

  /**
   * Drops discrepancies that a whole pass, begun at this time (ISO 8601), has not found again.
   *
   * @param compared `payments`: whether the pass compared the bank's payments. If not, it says nothing about them
   */
  dropNotSeenSince(passStartedAt: string, { payments }: { readonly payments: boolean }): void {
    this.#list = this.#list.filter(
      ({ kind, seenAt }) => seenAt >= passStartedAt || (!payments && paymentKinds.includes(kind)),
    );
  }

  text(): string {
    return JSON.stringify(this.#list);
  }
}
