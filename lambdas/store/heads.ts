import type { ChainedEntry } from '../domain/entries.ts';

/** Wallets whose last entries one container keeps, about 1 KB each. */
const mostHeads = 10_000;

/**
 * The last entries that one container has stored or read, of its latest wallets. Stored entries never change. Another
 * container may have stored a later one: then the condition of the next insert fails, and the caller reads the ledger.
 */
export class Heads {
  readonly #most: number;
  readonly #entries = new Map<string, ChainedEntry>();

  constructor(most = mostHeads) {
    this.#most = most;
  }

  get(walletId: string): ChainedEntry | undefined {
    return this.#entries.get(walletId);
  }

  keep(entry: ChainedEntry): void {
    // A map keeps the order of its insertions, so its first entry is the oldest.
    this.#entries.delete(entry.walletId);
    this.#entries.set(entry.walletId, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#most && oldest !== undefined) this.#entries.delete(oldest);
  }
}
