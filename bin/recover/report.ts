/** What a recovery has found and done. */

/** A difference that the recovery leaves, and what a person must do about it. */
export interface Difference {
  readonly kind: string;
  /** The wallet, transaction, payment or table. */
  readonly subject: string;
  readonly detail: string;
  readonly remedy: string;
}

/** The receiver of findings. Each is reported before it is acted on, so a crash hides none. */
export interface Report {
  /** Reports a repair. */
  readonly repairs: (what: string, subject: string, detail: string) => void;
  /** Reports a difference that stays. */
  readonly differs: (difference: Difference) => void;
}

/** The error of a recovery that must not go on. Its message is for the person at the shell. */
export class CannotRecover extends Error {
  override readonly name = 'CannotRecover';
}

/** A report on the screen. */
export interface PrintingReport extends Report {
  /** Returns the number of differences, each counted once. */
  readonly differences: () => number;
  /** Returns whether a difference of this kind and subject was reported. */
  readonly hasNamed: (kind: string, subject: string) => boolean;
  /** Prints the number of repairs of each kind. */
  readonly summarize: () => void;
}

/** Returns a report that prints each finding on a line of its own. */
export function printingReport(): PrintingReport {
  const repairs = new Map<string, number>();
  const differences = new Set<string>();
  return {
    repairs(what, subject, detail) {
      repairs.set(what, (repairs.get(what) ?? 0) + 1);
      console.log(`REPAIR ${what} ${subject}: ${detail}`);
    },
    differs({ kind, subject, detail, remedy }) {
      differences.add(`${kind} ${subject}`);
      console.log(`DIFFERENCE ${kind} ${subject}: ${detail}. Do: ${remedy}`);
    },
    differences: () => differences.size,
    hasNamed: (kind, subject) => differences.has(`${kind} ${subject}`),
    summarize() {
      const counts = [...repairs].map(([what, count]) => `${count} of kind ${what}`);
      console.log(`Repairs: ${counts.length === 0 ? 'none' : counts.join(', ')}`);
    },
  };
}
