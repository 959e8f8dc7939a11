import type { Actor } from './actor.ts';
import { bank } from './actor.ts';
import { accounts, move } from './postings.ts';
import type { Posting } from './postings.ts';

/** A `return` is a payment of the bank that came back: the completed withdrawal stays, and this undoes it. */
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

/** Where a withdrawal goes: an account at a bank, and its holder's name. Personal data: masked wherever it is shown. */
export interface Destination {
  readonly account: string;
  readonly name?: string | undefined;
}

/**
 * The result of a visit to the bank. `not_accepted`: the bank has done no work for it. `unknown`: it may have paid.
 */
export type AttemptOutcome = (typeof attemptOutcomes)[number];
export const attemptOutcomes = ['accepted', 'rejected', 'not_accepted', 'unknown'] as const;

/** One visit to the bank: what was asked, and what is known after it. */
export interface Attempt {
  readonly at: string;
  /** Whether the payment was submitted on this visit; otherwise the bank was only asked about an earlier submit. */
  readonly submitted: boolean;
  readonly outcome: AttemptOutcome;
  readonly reason?: string;
}

/** How an operator ended a withdrawal that was in review, and why. */
export interface Resolution {
  readonly outcome: 'completed' | 'failed';
  readonly evidence: string;
  readonly principal: string;
  readonly at: string;
}

/** How its owner or an operator ended a withdrawal that had not left for the bank. */
export interface Cancellation {
  readonly actor: Actor;
  /** Why, in the words of the actor. */
  readonly reason?: string | undefined;
  readonly at: string;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What the caller may add to any transaction; stored and returned as given. */
export interface Annotations {
  readonly externalReference?: string | undefined;
  readonly description?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * The one record of a charge, withdrawal or transfer: journal, idempotency record, status and receipt.
 * `amount` is an integer in minor units; times are ISO 8601 UTC.
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
  /** Everything that was booked so far, in order; sums to zero at every moment. */
  readonly postings: readonly Posting[];
  readonly failure?: Failure;
  readonly attempts?: readonly Attempt[];
  /** Of a withdrawal: the bank that has, or may have, the payment. Present as long as there is one. */
  readonly bankId?: string;
  readonly resolution?: Resolution;
  readonly cancellation?: Cancellation;
  /** What keeps a worker from submitting the withdrawal; absent while nothing does. */
  readonly waitingFor?: 'wallet_frozen';
  /** The operator who resolved it. */
  readonly endedBy?: Actor;
  /** Of a return: the withdrawal that came back; and of that withdrawal: its return. */
  readonly originalTransactionId?: string;
  readonly returnTransactionId?: string;
  /** Whether a transfer was queued at acceptance, and so answered with 202. */
  readonly queued?: true;
  /** Of a queued transfer that has arrived: the first of those that were credited together, itself perhaps. */
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

/** What every command has in common when its transaction is made. */
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

/** Money in from outside; completed at once. */
export function charge(facts: CommandFacts): Transaction {
  return {
    ...common(facts),
    type: 'charge',
    status: 'completed',
    postings: move(facts.amount, accounts.external(facts.currency), accounts.available(facts.walletId)),
    completedAt: facts.at,
  };
}

/** Money on its way out: held in the wallet until the bank has answered. */
export function withdrawal(facts: CommandFacts & { destination: Destination }): Transaction {
  return {
    ...common(facts),
    type: 'withdrawal',
    status: 'pending',
    destination: facts.destination,
    postings: move(facts.amount, accounts.available(facts.walletId), accounts.held(facts.walletId)),
  };
}

/** Money from one wallet to another; completed at once. */
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

/** Money from one wallet to another whose arrival is left to a worker: the sender is debited at once. */
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

/** What the arrival of a queued transfer books. */
export function arrivalPostings(of: Transaction & { counterpartyWalletId: string }): Posting[] {
  return move(of.amount, accounts.transit(of.currency), accounts.available(of.counterpartyWalletId));
}

/** What the failure of a queued transfer books: the sender is whole again. */
export function refundPostings(of: Transaction): Posting[] {
  return move(of.amount, accounts.transit(of.currency), accounts.available(of.walletId));
}

/** A payment that the bank made and got back: the money enters the wallet again as a transaction of its own. */
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

/** What settling a withdrawal books: the held money has left for the bank. */
export function settlePostings(of: Transaction): Posting[] {
  return move(of.amount, accounts.held(of.walletId), accounts.external(of.currency));
}

/** What releasing a withdrawal books: the held money is available again. */
export function releasePostings(of: Transaction): Posting[] {
  return move(of.amount, accounts.held(of.walletId), accounts.available(of.walletId));
}

/** Returns the actor behind the command. The record of an owner's command has `ownerId`, an operator's has none. */
export function requesterOf({ type, principal, issuer, ownerId }: Transaction): Actor {
  if (type === 'return') return bank;
  return { kind: ownerId === undefined ? 'operator' : 'owner', principal, ...(issuer !== undefined && { issuer }) };
}

/** The account with all but its last four characters hidden; short ones are hidden whole. */
export function maskAccount(account: string): string {
  const shown = account.length > 8 ? account.slice(-4) : '';
  return `****${shown}`;
}

function common(facts: CommandFacts) {
  const { at, ...known } = facts;
  return {
    transactionId: known.transactionId,
    principal: known.principal,
    // The record of an owner's withdrawal fills its kilobyte: the relay adds the issuer to events of owners.
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
