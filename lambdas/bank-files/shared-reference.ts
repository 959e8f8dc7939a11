import type { BankMovement } from '../store/bank-movements.ts';
import { judgeCharge } from './findings.ts';
import type { Rules } from './findings.ts';
import type { KeptLine, KeptLines } from './lines.ts';

/** Indexes of lines, in their order. Those before `next` are compared. */
interface Queue {
  readonly indexes: number[];
  next: number;
}

/**
 * The booked lines that charges with one reference may belong to. A million charges may share a reference, so none of them looks
 * at all lines.
 */
export class SharedReference {
  readonly #lines: KeptLines;
  readonly #credits: Queue = { indexes: [], next: 0 };
  readonly #debits: Queue = { indexes: [], next: 0 };
  /** The credits by amount and currency, and then by day. */
  readonly #bySum = new Map<string, Map<number, Queue>>();

  constructor(lines: KeptLines, indexes: Iterable<number>) {
    this.#lines = lines;
    for (const index of indexes) {
      const { status, direction, amount, currency, day } = lines.get(index);
      if (status !== 'booked') continue;
      if (direction === 'out') {
        this.#debits.indexes.push(index);
        continue;
      }
      this.#credits.indexes.push(index);
      const days = madeIn(this.#bySum, `${amount} ${currency}`, () => new Map<number, Queue>());
      madeIn(days, day, (): Queue => ({ indexes: [], next: 0 })).indexes.push(index);
    }
  }

  /** The number of credits. */
  get credits(): number {
    return this.#credits.indexes.length;
  }

  get firstCredit(): KeptLine | undefined {
    return this.#lineOf(this.#credits.indexes[0]);
  }

  /** Returns the first credit that is not compared. */
  freeCredit(): KeptLine | undefined {
    return this.#free(this.#credits);
  }

  /** Returns the first debit that is not compared. */
  freeDebit(): KeptLine | undefined {
    return this.#free(this.#debits);
  }

  /** Returns a credit that is not compared and agrees with a charge. */
  agreeing(movement: BankMovement, rules: Rules): KeptLine | undefined {
    let first: KeptLine | undefined;
    for (const queue of this.#bySum.get(`${movement.amount} ${movement.currency}`)?.values() ?? []) {
      const line = this.#free(queue);
      if (line === undefined || (first !== undefined && first.index < line.index)) continue;
      if (judgeCharge(movement, line, rules).length === 0) first = line;
    }
    return first;
  }

  #free(queue: Queue): KeptLine | undefined {
    for (; queue.next < queue.indexes.length; queue.next++) {
      const index = queue.indexes[queue.next] ?? 0;
      if (!this.#lines.isCompared(index)) return this.#lineOf(index);
    }
    return undefined;
  }

  #lineOf(index: number | undefined): KeptLine | undefined {
    return index === undefined ? undefined : this.#lines.get(index);
  }
}

/** Returns the value of a key, which is made when there is none. */
function madeIn<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
