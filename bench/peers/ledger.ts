import { Agent } from 'node:http';
import { exchange } from '../exchange.ts';

/** One transfer, the same for every ledger. */
export interface Move {
  /** Unique: the idempotency key where the ledger has one. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** Minor units. */
  readonly amount: number;
}

/** The answer of a ledger to a transfer: applied, accepted for later, or a refusal in its own words. */
export type Answer = { readonly kind: 'applied' | 'queued' } | { readonly kind: 'refused'; readonly reason: string };

/** A ledger that is measured over its own API. */
export interface Ledger {
  /** The processes whose trees do its work, the database included. */
  readonly processIds: readonly number[];
  /** Whether its API can queue a transfer. */
  readonly canQueue: boolean;
  /** Opens accounts with this much money each, minor units. Returns their ids. */
  open(count: number, money: number): Promise<string[]>;
  /**
   * Sends a transfer; `queued` asks the ledger to queue it. A repetition with the same key has no second effect.
   *
   * @throws Error when the answer is lost and the ledger has no keys
   */
  transfer(move: Move, queued: boolean): Promise<Answer>;
  /** Reads an account's balance, minor units. */
  balance(account: string): Promise<number>;
  /** Waits until the ledger has done the work that follows its answers. */
  rest(): Promise<void>;
  /** Ends the processes that `open` or its caller started. */
  stop(): Promise<void>;
}

export const currency = 'EUR';

/** Minor units of one unit of the currency. */
export const precision = 100;

/** Returns a caller of a JSON API over kept connections. */
export function jsonClient(baseUrl: string, headers: Readonly<Record<string, string>> = {}) {
  const agent = new Agent({ keepAlive: true });

  /** Sends a request; a POST when it has a body. */
  async function send(path: string, body?: object, more: Readonly<Record<string, string>> = {}) {
    const { status, text } = await exchange(agent, new URL(baseUrl + path), {
      method: body ? 'POST' : 'GET',
      headers: { ...headers, ...more, ...(body && { 'Content-Type': 'application/json' }) },
      body: body ? JSON.stringify(body) : '',
    });
    return { status, text };
  }

  return {
    /** Sends a command that has a key: a lost answer is status 0, and the caller sends the command again. */
    sendKeyed(...command: Parameters<typeof send>): ReturnType<typeof send> {
      return send(...command).catch((error: unknown) => ({ status: 0, text: String(error) }));
    },
    /**
     * Returns the body of an answer that must be a 2xx.
     *
     * @throws Error with the answer when it is anything else
     */
    async ask<T>(path: string, body?: object, more?: Readonly<Record<string, string>>): Promise<T> {
      const { status, text } = await send(path, body, more);
      if (status < 200 || status >= 300) throw new Error(`${path} answered ${status}: ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    close() {
      agent.destroy();
    },
  };
}
