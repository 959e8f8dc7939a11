import type { ChainedEntry } from '../domain/entries.ts';

/** Wallets whose last entries one container keeps, about 1 KB each. */
const mostHeads = 10_000;

/**
 * The last entries that one container has stored or read, of the wallets that it saw last. An entry that is stored never
 * changes, so a kept one is right for ever. It need not be the last one any more: another container may have stored the
 * next. Then the condition of the next insert fails, and the ledger is read.
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
    // A map has the order of its insertions, so the first one is the one that was kept longest ago.
    this.#entries.delete(entry.walletId);
    this.#entries.set(entry.walletId, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#most && oldest !== undefined) this.#entries.delete(oldest);
  }
}
