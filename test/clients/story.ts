/**
 * The story that each client tells against a running service: two owners, money in, a payment, a payout, a part of the
 * payment given back, and a refusal by its code.
 */
import { randomUUID } from 'node:crypto';

/** The surroundings of the story. */
export interface Stage {
  readonly url: string;
  /** Returns a token of this client with these scopes. */
  readonly token: (clientId: string, scope: string) => Promise<string>;
}

/** What a client found. Every client must find the same. */
export interface Facts {
  /** Available money of the two owners at the end, in minor units. */
  readonly ada: number;
  readonly ben: number;
  /** Whether a repeated charge was the same transaction. */
  readonly sameCharge: boolean;
  /** The end of the withdrawal, whose bank fails twice. */
  readonly withdrawal: string;
  /** The code of a withdrawal of more than there is. */
  readonly code: string;
  /** The types of Ada's transactions, the newest first. */
  readonly history: readonly string[];
}

export const facts: Facts = {
  ada: 6_000,
  ben: 2_000,
  sameCharge: true,
  withdrawal: 'completed',
  code: 'insufficient_funds',
  history: ['refund', 'withdrawal', 'transfer', 'charge'],
};

/** The people of a story. Each story has its own. */
export interface Cast {
  readonly ada: string;
  readonly ben: string;
  readonly operator: string;
}

/** Returns a token for each of the people, who are new. */
export async function castOf({ token }: Stage): Promise<Cast> {
  const own = 'wallet:read wallet:write';
  return {
    ada: await token(`ada-${randomUUID()}`, own),
    ben: await token(`ben-${randomUUID()}`, own),
    operator: await token('operator', 'wallet:operate'),
  };
}
