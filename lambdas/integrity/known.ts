import type { Discrepancy, DiscrepancyKind } from '../domain/discrepancy.ts';

/** A discrepancy that was reported, and still exists. */
export interface KnownDiscrepancy extends Discrepancy {
  /** The hour whose sums are wrong; absent for other discrepancies. */
  readonly hour?: string | undefined;
  /** The times (ISO 8601) of its first and its last finding. */
  readonly since: string;
  seenAt: string;
  /** The bank whose payments were compared; absent for discrepancies that no statement shows. */
  readonly bankId?: string | undefined;
  acknowledged?: Acknowledgement;
}

/** An operator's statement that a discrepancy is understood. The alarm no longer counts it; it stays on the list. */
export interface Acknowledgement {
  readonly by: string;
  readonly evidence: string;
  /** ISO 8601. */
  readonly at: string;
}

/** The place of a finding: the hour whose sums are wrong, the bank that was asked, and the time (ISO 8601). */
export interface Sighting {
  readonly hour: string | undefined;
  readonly bankId: string | undefined;
  readonly at: string;
}

/** The kinds that only a bank's statement shows. */
const paymentKinds: readonly DiscrepancyKind[] = ['payment_missing', 'payment_differs'];

/** How many discrepancies are known at most. Further ones are reported each time. */
const mostKnown = 500;
/** How many characters of a detail are kept. */
const mostDetail = 300;
/** How many bytes all of them take at most, with room for what a run adds: an item of DynamoDB has 400 KB. */
const mostBytes = 300_000;
/** How many are acknowledged at most, and up to how many bytes of the list: an open one must always have room. */
const mostAcknowledged = { count: 400, bytes: 200_000 };

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

  get all(): readonly KnownDiscrepancy[] {
    return this.#list;
  }

  /** Notes a finding. Returns whether it is new. */
  note({ kind, subject, detail }: Discrepancy, { hour, bankId, at }: Sighting): boolean {
    const ofBank = paymentKinds.includes(kind) ? bankId : undefined;
    const known = this.find(subject, kind).find((one) => one.hour === hour && (one.bankId ?? ofBank) === ofBank);
    const seen = { detail: detail.slice(0, mostDetail), seenAt: at };
    if (known !== undefined) {
      // An acknowledgement is of one difference. With another amount it is another one.
      const isChanged = known.acknowledged !== undefined && known.detail !== seen.detail;
      if (isChanged) delete known.acknowledged;
      // A discrepancy that an earlier release stored names no bank.
      Object.assign(known, seen, ofBank !== undefined && { bankId: ofBank });
      return isChanged;
    }
    if (!this.isFull) {
      this.#list.push({ kind, subject, hour, since: at, ...seen, ...(ofBank !== undefined && { bankId: ofBank }) });
    }
    return true;
  }

  /** Whether there is no room for another one. */
  get isFull(): boolean {
    return this.#list.length >= mostKnown || Buffer.byteLength(this.text()) > mostBytes;
  }

  /** Whether one more may be acknowledged. */
  get hasRoomToAcknowledge(): boolean {
    const { length } = this.#list.filter(({ acknowledged }) => acknowledged !== undefined);
    return length < mostAcknowledged.count && Buffer.byteLength(this.text()) < mostAcknowledged.bytes;
  }

  /**
   * Adds what another writer has stored meanwhile: discrepancies, and acknowledgements of operators. What is stored keeps
   * its room.
   *
   * @returns the discrepancies of this list that have no room beside the stored ones, and are dropped: the next pass
   *   reports them again
   */
  merge({ all: stored }: KnownDiscrepancies): readonly KnownDiscrepancy[] {
    const others = new Set(this.#list);
    this.#list = stored.map((theirs) => {
      const ours = this.find(theirs.subject, theirs.kind).find((one) => isSamePlace(one, theirs));
      if (ours === undefined) return theirs;
      others.delete(ours);
      if (theirs.seenAt > ours.seenAt) Object.assign(ours, { detail: theirs.detail, seenAt: theirs.seenAt });
      if (theirs.acknowledged !== undefined && theirs.detail === ours.detail) ours.acknowledged = theirs.acknowledged;
      return ours;
    });
    const dropped: KnownDiscrepancy[] = [];
    for (const one of others) (this.isFull ? dropped : this.#list).push(one);
    return dropped;
  }

  /** Returns those of a subject, of one kind, hour and bank where these are given. `none` is that of no hour or bank. */
  find(subject: string, kind?: string, hour?: string, bankId?: string): readonly KnownDiscrepancy[] {
    return this.#list.filter(
      (one) =>
        one.subject === subject &&
        (kind === undefined || one.kind === kind) &&
        (hour === undefined || hour === (one.hour ?? 'none')) &&
        (bankId === undefined || bankId === (one.bankId ?? 'none')),
    );
  }

  /** Returns those that are wrong and not acknowledged. A missing statement is not among them: it shows nothing wrong. */
  get open(): readonly KnownDiscrepancy[] {
    return this.#list.filter(({ kind, acknowledged }) => kind !== 'statement_missing' && acknowledged === undefined);
  }

  /**
   * Drops discrepancies that a whole pass, begun at this time (ISO 8601), has not found again. Payments of another bank
   * stay until an operator has acknowledged them and a pass has compared a bank: this pass says nothing about them.
   *
   * @param comparedBank the bank whose payments the pass compared; undefined: it compared none
   */
  dropNotSeenSince(passStartedAt: string, comparedBank: string | undefined): void {
    const mayDrop = ({ kind, bankId = comparedBank, acknowledged }: KnownDiscrepancy): boolean => {
      if (!paymentKinds.includes(kind)) return true;
      return comparedBank !== undefined && (bankId === comparedBank || acknowledged !== undefined);
    };
    this.#list = this.#list.filter((one) => one.seenAt >= passStartedAt || !mayDrop(one));
  }

  text(): string {
    return JSON.stringify(this.#list);
  }
}

/** Returns whether two discrepancies of a subject and kind are the same one. Those of an earlier release name no bank. */
function isSamePlace(one: KnownDiscrepancy, other: KnownDiscrepancy): boolean {
  return one.hour === other.hour && (one.bankId ?? other.bankId) === (other.bankId ?? one.bankId);
}
