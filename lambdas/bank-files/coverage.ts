import { dayText } from './format.ts';
import type { BankStatement } from './format.ts';

interface Days {
  readonly from: number;
  readonly to: number;
}

/** The days that the statements of the files cover, by currency. */
export class Coverage {
  readonly #days = new Map<string, Days[]>();
  readonly #graceDays: number;
  readonly #only: Partial<Days>;

  /**
   * @param graceDays a payment of so many last days may be in the next file
   * @param only the days that the caller wants compared, in place of those of the files
   */
  constructor(graceDays: number, only: Partial<Days>) {
    this.#graceDays = graceDays;
    this.#only = only;
  }

  add({ currency, from, to }: BankStatement): void {
    const { from: first = from, to: last = to } = this.#only;
    const days = this.#days.get(currency) ?? [];
    const added = { from: first, to: Math.max(first, last) };
    // Statements of days in a row are one stretch.
    const near = days.find((each) => added.from <= each.to + 1 && each.from <= added.to + 1);
    const merged = near ? { from: Math.min(near.from, added.from), to: Math.max(near.to, added.to) } : added;
    this.#days.set(currency, [...days.filter((each) => each !== near), merged]);
  }

  covers(currency: string, day: number): 'yes' | 'later' | 'no' {
    const found = this.#days.get(currency)?.find(({ from, to }) => from <= day && day <= to);
    if (found === undefined) return 'no';
    return day > found.to - this.#graceDays ? 'later' : 'yes';
  }

  /** Returns the first day; undefined when nothing is covered. */
  get first(): number | undefined {
    const days = [...this.#days.values()].flat().map(({ from }) => from);
    return days.length === 0 ? undefined : Math.min(...days);
  }

  list(): { currency: string; from: string; to: string }[] {
    return [...this.#days].flatMap(([currency, stretches]) =>
      stretches
        .toSorted((a, b) => a.from - b.from)
        .map(({ from, to }) => ({ currency, from: dayText(from), to: dayText(to) })),
    );
  }
}
