/** The members that several kinds of transactions have. The kinds are transaction.ts. */
import type { Actor } from './actor.ts';
import type { Posting } from './postings.ts';

/**
 * The destination of a withdrawal: an account at a bank, and its holder's name. Personal data: masked in every answer.
 */
export interface Destination {
  readonly account: string;
  readonly name?: string | undefined;
}

/** The result of a visit to the bank. `not_accepted`: the bank has done no work for it. `unknown`: it may have paid. */
export type AttemptOutcome = (typeof attemptOutcomes)[number];
export const attemptOutcomes = ['accepted', 'rejected', 'not_accepted', 'unknown'] as const;

/** One visit to the bank: the request, and its result. */
export interface Attempt {
  readonly at: string;
  /** Whether the payment was submitted on this visit; otherwise the worker only asked about an earlier submit. */
  readonly submitted: boolean;
  readonly outcome: AttemptOutcome;
  readonly reason?: string;
}

/** An operator's end of a withdrawal in review, with its reason. */
export interface Resolution {
  readonly outcome: 'completed' | 'failed';
  readonly evidence: string;
  readonly principal: string;
  readonly at: string;
  /** The second operator, where one had to approve it. */
  readonly approvedBy?: Actor | undefined;
}

/** The end of a payment by its owner or an operator: before it left for the bank, or before it was executed. */
export interface Cancellation {
  readonly actor: Actor;
  /** The reason, in the words of the actor. */
  readonly reason?: string | undefined;
  readonly at: string;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Members that the caller may add to any transaction. They are stored and returned unchanged. */
export interface Annotations {
  readonly externalReference?: string | undefined;
  readonly description?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Members of every kind of transaction. Its one record is journal, idempotency record, status and receipt. `amount` is
 * an integer in minor units; times are ISO 8601 UTC.
 */
export interface TransactionRecord extends Annotations {
  /** Whether its command has taken the reference for itself alone. */
  readonly uniqueReference?: true | undefined;
  readonly transactionId: string;
  readonly amount: number;
  readonly currency: string;
  readonly walletId: string;
  /** All postings so far, in order. They sum to zero at every moment. */
  readonly postings: readonly Posting[];
  /**
   * The token's `sub` behind the command. An operator's command also has the mark of the token's issuer; an owner's
   * command has the owner of `walletId`.
   */
  readonly principal: string;
  readonly issuer?: string | undefined;
  readonly ownerId?: string | undefined;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When an import wrote it, which is later than its other times. Absent from all that a command made. */
  readonly importedAt?: string;
}

/** The fee of a transaction. */
export interface Fee {
  /**
   * In minor units, as it was at the acceptance; absent when there is none. Of a transfer and a withdrawal the sender pays it
   * beside the amount. Of a charge and a capture the receiver pays it out of the amount.
   */
  readonly fee?: number;
}

/** The refunds of a transaction. Both members are absent while there is none. */
export interface Refunds {
  /** The sum of its refunds, in minor units. */
  readonly refunded?: number;
  /** The ids of its refunds, in the order of their writes. */
  readonly refunds?: readonly string[];
}

/** The member of a transaction whose sender was changed by several in one write. */
export interface SentTogether {
  /** The first of the transactions that were booked together in the wallet `walletId`, perhaps itself. */
  readonly sentWith?: string;
}

/** Members of the transactions that a line of a batch can make. */
export interface OfBatch {
  /** The batch; absent when none made the transaction. */
  readonly batchId?: string;
}

/** Members of a payment that was scheduled: the service executes it at a time. Absent from all others. */
export interface Schedule {
  /** From when on the service executes it, ISO 8601 UTC. */
  readonly executeAt?: string | undefined;
  /** When it was executed, which is the time of its first booking. Absent while it is scheduled, or when it never was executed. */
  readonly executedAt?: string;
  /** The standing order that made it; absent when a request did. */
  readonly standingOrderId?: string | undefined;
}

/** The alias by which a payer named the receiver, such as `@alice`. The payer does not see the wallet behind it. */
export interface ByAlias {
  readonly to?: string | undefined;
}

/** The facts that every command needs to make its transaction. */
export interface CommandFacts extends Annotations {
  readonly uniqueReference?: true | undefined;
  readonly transactionId: string;
  readonly principal: string;
  readonly issuer?: string | undefined;
  readonly ownerId: string | undefined;
  readonly walletId: string;
  readonly amount: number;
  readonly currency: string;
  readonly at: string;
  /** Absent or 0: there is none. */
  readonly fee?: number | undefined;
}

/** Returns the members of every kind of transaction at its acceptance, but for the postings. */
export function recordOfCommand(facts: CommandFacts) {
  const { at, ...known } = facts;
  return {
    transactionId: known.transactionId,
    principal: known.principal,
    // The record of an owner's withdrawal fills its kilobyte, so the relay adds the issuer to events of owners.
    issuer: known.ownerId === undefined ? known.issuer : undefined,
    ownerId: known.ownerId,
    walletId: known.walletId,
    amount: known.amount,
    currency: known.currency,
    ...(known.fee && { fee: known.fee }),
    externalReference: known.externalReference,
    uniqueReference: known.uniqueReference,
    description: known.description,
    metadata: known.metadata,
    createdAt: at,
    updatedAt: at,
  };
}

/**
 * Returns the first part of a request that asks for the unique reference of an earlier part, with the indexes of both;
 * undefined when there is none.
 */
export function referenceTwiceIn(
  parts: readonly Pick<CommandFacts, 'uniqueReference' | 'externalReference'>[],
): { readonly first: number; readonly at: number } | undefined {
  const seen = new Map<string, number>();
  for (const [at, { uniqueReference, externalReference }] of parts.entries()) {
    if (uniqueReference === undefined || externalReference === undefined) continue;
    const first = seen.get(externalReference);
    if (first !== undefined) return { first, at };
    seen.set(externalReference, at);
  }
  return undefined;
}
