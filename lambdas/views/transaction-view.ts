import type * as z from 'zod';
import type { Actor } from '../domain/actor.ts';
import { errorTitles } from '../domain/errors.ts';
import { receiptCodeOf } from '../domain/ids.ts';
import { accounts, walletOfAccount } from '../domain/postings.ts';
import type { Posting } from '../domain/postings.ts';
import { maskAccount, requesterOf } from '../domain/transaction.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Attempt, Cancellation, Destination, Failure, Resolution } from '../domain/transaction-record.ts';
import { hidesFromPayers } from '../domain/wallet.ts';
import type { namedSchemas } from './answer-schemas.ts';
import type { EventOf } from './event-schemas.ts';
import { everyAudience, exceptCounterparty, exceptSubscriber, internal, operatorOnly, shown, sorted } from './view.ts';
import type { Audience, FieldsOf, View } from './view.ts';

/** The fields of all kinds of transactions. A view decides about a field, whichever kinds have it. */
export type TransactionFields = FieldsOf<Transaction>;

/** A transaction with the fields that are computed for its views. */
export interface ShownTransaction extends Omit<TransactionFields, 'resolution'> {
  /** Whole on a record. An event lacks its texts and the operator. */
  readonly resolution?: Partial<Resolution> | undefined;
  readonly receiptCode: string;
  /** The actor behind the command. */
  readonly requestedBy: Actor;
  /** Stands for the destination's account on the bus. */
  readonly destinationFingerprint?: string | undefined;
}

/** Returns a destination without the middle of its account. */
export const masked = ({ account, name }: Destination) => ({
  account: maskAccount(account),
  name,
});

/** Shown to the side that gave it. */
const ofItsSide = {
  operator: true,
  owner: <V>(value: V, source: Partial<ShownTransaction>) => (isOfReceiver(source) ? undefined : value),
  counterparty: <V>(value: V, source: Partial<ShownTransaction>) => (isOfReceiver(source) ? value : undefined),
  subscriber: true,
} as const;

/** The view of a transaction. */
export const transactionFields: View<ShownTransaction, Audience> = {
  transactionId: everyAudience,
  receiptCode: everyAudience,
  type: everyAudience,
  status: everyAudience,
  amount: everyAudience,
  // Shown to the side that pays it.
  fee: {
    operator: true,
    owner: (fee, source) => (isOfReceiver(source) ? undefined : fee),
    counterparty: (fee, source) => (isOfReceiver(source) ? fee : undefined),
    subscriber: true,
  },
  currency: everyAudience,
  // Shown to the receiver too, so that it can pay back.
  walletId: everyAudience,
  to: everyAudience,
  // A payer who paid by an alias does not see which wallet is behind it.
  counterpartyWalletId: {
    ...everyAudience,
    owner: (walletId, { to }) => (to === undefined ? walletId : undefined),
  },
  destination: {
    operator: masked,
    owner: masked,
    counterparty: false,
    subscriber: ({ account }, { destinationFingerprint: fingerprint }) => ({
      account: maskAccount(account),
      fingerprint,
    }),
  },
  postings: {
    operator: postingsOf,
    owner: ownPostingsOf,
    counterparty: (postings, { counterpartyWalletId }) =>
      postingsOf(
        postings.filter(
          ({ account }) => counterpartyWalletId !== undefined && account === accounts.available(counterpartyWalletId),
        ),
      ),
    subscriber: postingsOf,
  },
  failure: {
    operator: failureOf,
    owner: (failure, transfer) =>
      transfer.type === 'transfer' &&
      !isOfPayer(transfer) &&
      // A payer by an alias does not learn whether it exists.
      (hidesFromPayers(failure.code) || (transfer.to !== undefined && failure.code === 'wallet_not_found'))
        ? { code: 'receiver_unavailable', message: errorTitles.receiver_unavailable }
        : failureOf(failure),
    counterparty: false,
    subscriber: failureOf,
  },
  attempts: { operator: attemptsOf, owner: attemptsOf, counterparty: false, subscriber: attemptsOf },
  resolution: {
    operator: ({ outcome, evidence, principal, at, approvedBy }) => ({ outcome, evidence, principal, at, approvedBy }),
    owner: ({ outcome, at }) => ({ outcome, at }),
    counterparty: false,
    subscriber: ({ outcome, at }) => ({ outcome, at }),
  },
  cancellation: {
    operator: ({ actor, reason, at }) => ({ by: actor.kind, reason, at, actor }),
    owner: cancellationOf,
    counterparty: false,
    subscriber: cancellationOf,
  },
  waitingFor: exceptCounterparty,
  executeAt: exceptCounterparty,
  // The receiver sees why the transfer is listed at this time.
  executedAt: everyAudience,
  standingOrderId: exceptCounterparty,
  // Of a capture or refund: both parties know the transaction that it follows. A return has no counterparty.
  originalTransactionId: everyAudience,
  returnTransactionId: exceptCounterparty,
  splitId: everyAudience,
  // The payer finds its ledger's entry by it, and the receiver by the next one: each may be the transfer of others.
  sentWith: exceptCounterparty,
  settledWith: { ...everyAudience, owner: false },
  // Receivers do not see who else was paid with them.
  batchId: exceptCounterparty,
  expiresAt: everyAudience,
  captured: everyAudience,
  end: everyAudience,
  // Both parties of a refund see why it was made, also an operator's words.
  reason: everyAudience,
  chargeback: everyAudience,
  releaseReason: { operator: true, owner: releaseReasonOf, counterparty: releaseReasonOf, subscriber: releaseReasonOf },
  externalReference: ofItsSide,
  uniqueReference: ofItsSide,
  description: everyAudience,
  metadata: {
    operator: sorted,
    owner: (metadata, source) => (isOfReceiver(source) ? undefined : sorted(metadata)),
    counterparty: (metadata, source) => (isOfReceiver(source) ? sorted(metadata) : undefined),
    subscriber: sorted,
  },
  createdAt: everyAudience,
  updatedAt: everyAudience,
  completedAt: everyAudience,
  // A recovery puts a collection back from its event.
  sequence: { ...operatorOnly, subscriber: true },
  collected: { ...operatorOnly, subscriber: true },
  // Events of their own report the refunds.
  refunded: exceptSubscriber,
  refunds: exceptSubscriber,
  // What was imported is never published.
  importedAt: exceptSubscriber,
  opening: exceptSubscriber,
  requestedBy: operatorOnly,
  endedBy: operatorOnly,
  approvedBy: operatorOnly,
  principal: internal,
  issuer: internal,
  ownerId: internal,
  // In `requestedBy`.
  capturedBy: internal,
  refundedBy: internal,
  queued: internal,
  dueAt: internal,
  claimId: internal,
  submitBy: internal,
  refusedSince: internal,
  bankId: internal,
  destinationFingerprint: internal,
};

type TransactionView = z.output<(typeof namedSchemas)['Transaction']>;

/** Returns a transaction as an audience sees it. */
export function transactionView(transaction: Transaction, audience: Audience): TransactionView {
  return shown(transactionFields, shownTransaction(transaction), audience) as TransactionView;
}

/** Returns a transaction as events carry it, with the fingerprint that stands for its destination's account. */
export function publishedTransaction(
  transaction: Transaction,
  destinationFingerprint: string | undefined,
): EventOf<'wallet.funded'>['transaction'] {
  const source = { ...shownTransaction(transaction), destinationFingerprint };
  return shown(transactionFields, source, 'subscriber') as EventOf<'wallet.funded'>['transaction'];
}

function shownTransaction(transaction: Transaction): ShownTransaction {
  return { ...transaction, receiptCode: receiptCodeOf(transaction), requestedBy: requesterOf(transaction) };
}

// DynamoDB gives the members of a map in any order; answers have a fixed one.
function postingsOf(postings: Transaction['postings']) {
  return postings.map(({ account, amount }) => ({ account, amount }));
}

/**
 * Returns the postings that a payer sees: not those of a fee that the receiver pays, which would show it, and not those of
 * a wallet that it knows by an alias only.
 */
function ownPostingsOf(postings: Transaction['postings'], source: Partial<ShownTransaction>) {
  const isOthersFee = source.fee !== undefined && isOfReceiver(source);
  const isSeen = ({ account }: Posting) => {
    const walletId = walletOfAccount(account);
    if (walletId === source.walletId) return true;
    return !isOthersFee && (walletId === undefined || source.to === undefined);
  };
  return postingsOf(postings.filter(isSeen));
}

/** Returns a cancellation as its owner may see it: without an operator's reason and identity. */
function cancellationOf({ actor, reason, at }: Cancellation) {
  return { by: actor.kind, ...(actor.kind === 'owner' && { reason }), at };
}

/** Returns the reason for a release as others than operators may see it: without that of an operator. */
function releaseReasonOf(reason: string, { endedBy }: Partial<ShownTransaction>): string | undefined {
  return endedBy?.kind === 'owner' ? reason : undefined;
}

/** Returns whether reference, metadata and fee are the receiver's and not the payer's: those of a capture into a wallet. */
function isOfReceiver({ type, counterpartyWalletId }: Partial<ShownTransaction>): boolean {
  return type === 'capture' && counterpartyWalletId !== undefined;
}

/** Returns whether the payer's own wallet refused a transfer: at its time, before any money moved. */
function isOfPayer({ executeAt, executedAt }: Partial<ShownTransaction>): boolean {
  return executeAt !== undefined && executedAt === undefined;
}

function failureOf({ code, message }: Failure): Failure {
  return { code, message };
}

function attemptsOf(attempts: readonly Attempt[]) {
  return attempts.map(({ at, submitted, outcome, reason }) => ({ at, submitted, outcome, reason }));
}
