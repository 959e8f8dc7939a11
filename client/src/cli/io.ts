/** What the command reads and writes, so that a test can have its own. */
export interface Io {
  /** Prints a line of the result. */
  readonly print: (line: string) => void;
  /** Prints a line about an error or about progress. */
  readonly note: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Returns all that comes in. */
  readonly readInput: () => Promise<string>;
  readonly fetch: typeof fetch;
  /** Aborted when the user interrupts the command. */
  readonly signal: AbortSignal;
}
