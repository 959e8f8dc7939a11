/** A way to break the service. */
export interface Mutation {
  readonly name: string;
  /** Texts that stand exactly once in their file, and what they become. */
  readonly edits: readonly Edit[];
  /** The operation of the exhaustive mode that shows it, where no random history can be expected to. */
  readonly operation?: string;
  /** The file with the tests that show it, where the histories do not reach: they end at the stream. */
  readonly test?: string;
}

export interface Edit {
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
}

export function mutation(name: string, file: string, text: string, replacement: string, operation?: string): Mutation {
  return { name, edits: [{ file, text, replacement }], ...(operation !== undefined && { operation }) };
}
