import type { Actor } from './actor.ts';
import { bank } from './actor.ts';
import { accounts, move } from './postings.ts';
import type { Posting } from './postings.ts';

/**
 * The kinds of transactions. A `return` is a payment that the bank sent back: it undoes a completed withdrawal, which
 * stays.
 */
export type TransactionType = 'charge' | 'withdrawal' | 'transfer' | 'return';
export const transactionTypes = [
  'charge',
  'withdrawal',
  'transfer',
  'return',
] as const satisfies readonly TransactionType[];

/** `pending` → `executing` → `completed` | `failed` | `review`; `review` → `completed` | `failed`. */
export type TransactionStatus = 'pending' | 'executing' | 'completed' | 'failed' | 'review';
export const transactionStatuses = [
  'pending',
  'executing',
  'completed',
  'failed',
  'review',
] as const satisfies readonly TransactionStatus[];

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
}

/** The end of a withdrawal by its owner or an operator, before it left for the bank. */
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
 * The one record of a charge, withdrawal or transfer: journal, idempotency record, status and receipt. `amount` is an
 * integer in minor units; times are ISO 8601 UTC.
 */
export interface Transaction extends Annotations {
  readonly transactionId: string;
  readonly type: TransactionType;
  readonly status: TransactionStatus;
  readonly amount: number;
  readonly currency: string;
  readonly walletId: string;
  readonly counterpartyWalletId?: string;
  readonly destination?: Destination;
  /** All postings so far, in order. They sum to zero at every moment. */
  readonly postings: readonly Posting[];
  readonly failure?: Failure;
  readonly attempts?: readonly Attempt[];
  /** For a withdrawal: the bank that has, or may have, the payment. Absent when no bank can have it. */
  readonly bankId?: string;
  readonly resolution?: Resolution;
  readonly cancellation?: Cancellation;
  /** The reason why no worker submits the withdrawal; absent when there is none. */
  readonly waitingFor?: 'wallet_frozen';
  /** The operator who resolved it. */
  readonly endedBy?: Actor;
  /** For a return: the withdrawal that came back. For that withdrawal: its return. */
  readonly originalTransactionId?: string;
  readonly returnTransactionId?: string;
  /** Whether a transfer was queued at acceptance, and so answered with 202. */
  readonly queued?: true;
  /** For a queued transfer that has arrived: the first of those that were credited together, perhaps itself. */
  readonly settledWith?: string;
  /**
   * The token's `sub` behind the command. An operator's command also has the mark of the token's issuer; an owner's
   * command has the owner of `walletId`.
   */
  readonly principal: string;
  readonly issuer?: string | undefined;
  readonly ownerId?: string | undefined;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly completedAt?: string;
}

/** The facts that every command needs to make its transaction. */
export interface CommandFacts extends Annotations {
  readonly transactionId: string;
  readonly principal: string;
  readonly issuer?: string | undefined;
  readonly ownerId: string | undefined;
  readonly walletId: string;
  readonly amount: number;
  readonly currency: string;
  readonly at: string;
}

/** Returns a charge: money in from outside, completed at once. */
export function charge(facts: CommandFacts): Transaction {
  return {
    ...common(facts),
    type: 'charge',
    status: 'completed',
    postings: move(facts.amount, accounts.external(facts.currency), accounts.available(facts.walletId)),
    completedAt: facts.at,
  };
}

/** Returns a withdrawal: money out, held in the wallet until the bank has answered. */
export function withdrawal(facts: CommandFacts & { destination: Destination }): Transaction {
  return {
    ...common(facts),
    type: 'withdrawal',
    status: 'pending',
    destination: facts.destination,
    postings: move(facts.amount, accounts.available(facts.walletId), accounts.held(facts.walletId)),
  };
}

/** Returns a transfer: money from one wallet to another, completed at once. */
export function transfer(facts: CommandFacts & { toWalletId: string }) {
  return {
    ...common(facts),
    type: 'transfer',
    status: 'completed',
    counterpartyWalletId: facts.toWalletId,
    postings: move(facts.amount, accounts.available(facts.walletId), accounts.available(facts.toWalletId)),
    completedAt: facts.at,
  } as const satisfies Transaction;
}

/** Returns a queued transfer: the sender is debited at once, and a worker credits the receiver. */
export function queuedTransfer(facts: CommandFacts & { toWalletId: string }): Transaction {
  return {
    ...common(facts),
    type: 'transfer',
    status: 'pending',
    queued: true,
    counterpartyWalletId: facts.toWalletId,
    postings: move(facts.amount, accounts.available(facts.walletId), accounts.transit(facts.currency)),
  };
}

/** Returns the postings that credit the receiver of a queued transfer. */
export function arrivalPostings(of: Transaction & { counterpartyWalletId: string }): Posting[] {
  return move(of.amount, accounts.transit(of.currency), accounts.available(of.counterpartyWalletId));
}

/** Returns the postings of a failed queued transfer: the sender gets the money back. */
export function refundPostings(of: Transaction): Posting[] {
  return move(of.amount, accounts.transit(of.currency), accounts.available(of.walletId));
}

/** Returns the transaction of a payment that the bank sent back. The money enters the wallet again. */
export function bankReturn(
  original: Transaction,
  facts: Pick<CommandFacts, 'transactionId' | 'principal' | 'at' | 'description'>,
) {
  const { walletId, amount, currency, ownerId, transactionId: originalTransactionId } = original;
  return {
    ...common({ ...facts, ownerId, walletId, amount, currency }),
    type: 'return',
    status: 'completed',
    originalTransactionId,
    postings: move(amount, accounts.external(currency), accounts.available(walletId)),
    completedAt: facts.at,
  } as const satisfies Transaction;
}

/** Returns the postings that settle a withdrawal: the held money has left for the bank. */
export function settlePostings(of: Transaction): Posting[] {
  return move(of.amount, accounts.held(of.walletId), accounts.external(of.currency));
}

/** Returns the postings that release a withdrawal: the held money is available again. */
export function releasePostings(of: Transaction): Posting[] {
  return move(of.amount, accounts.held(of.walletId), accounts.available(of.walletId));
}

/** Returns the actor behind the command. The record of an owner's command has `ownerId`, an operator's has none. */
export function requesterOf({ type, principal, issuer, ownerId }: Transaction): Actor {
  if (type === 'return') return bank;
  return { kind: ownerId === undefined ? 'operator' : 'owner', principal, ...(issuer !== undefined && { issuer }) };
}

/** Returns the account with all but its last four characters hidden. Short accounts are hidden whole. */
export function maskAccount(account: string): string {
  const shown = account.length > 8 ? account.slice(-4) : '';
  return `****${shown}`;
}

function common(facts: CommandFacts) {
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
    externalReference: known.externalReference,
    description: known.description,
    metadata: known.metadata,
    createdAt: at,
    updatedAt: at,
  };
}
