/**
 * The view of each audience. A view is a table with a decision for each field and audience. So a new field of a
 * transaction, wallet or entry does not compile until each audience has a decision. Answers list fields in the tables'
 * order.
 */
import type * as z from 'zod';
import { receiptCodeOf } from '../domain/ids.ts';
import type { namedSchemas } from './answer-schemas.ts';
import type { Actor } from '../domain/actor.ts';
import type { ChainedEntry } from '../domain/entries.ts';
import { errorTitles } from '../domain/errors.ts';
import { windowsOf } from '../domain/limits.ts';
import type { LimitedWindow, WalletLimits } from '../domain/limits.ts';
import type { ApprovalEvent, EventType, OrderEvent } from '../domain/events.ts';
import { accounts, walletOfAccount } from '../domain/postings.ts';
import type { Posting } from '../domain/postings.ts';
import { maskAccount, requesterOf } from '../domain/transaction.ts';
import type { Attempt, Cancellation, Destination, Failure, Resolution, Transaction } from '../domain/transaction.ts';
import { hidesFromPayers } from '../domain/wallet.ts';
import type { LimitsChange, Wallet } from '../domain/wallet.ts';
import type { StoredDetails, WalletDetails } from '../domain/wallet-details.ts';
import type { EventOf, ServiceEvent } from './event-schemas.ts';

/**
 * The audiences of views.
 *
 * - `operator`: sees everything except the service's own bookkeeping; account numbers are masked.
 * - `owner`: the owner of the wallet that a transaction acts on, or of the wallet itself.
 * - `counterparty`: the owner of the wallet that receives a transfer, capture or refund, or that a hold names.
 * - `subscriber`: every consumer of the bus: the audit, notifications, consumers of yours. The archive cannot delete
 *   from events, so they hold no evidence and no holder of an account. The event itself names the actor.
 */
export const audiences = ['operator', 'owner', 'counterparty', 'subscriber'] as const;
export type Audience = (typeof audiences)[number];

/** A field is shown (true), hidden (false), or shown as the function's result; undefined hides it. */
type Decision<Value, Source> = boolean | ((value: Value, source: Partial<Source>) => unknown);

/** A decision for each field of `Source` and each audience. */
export type View<Source, A extends Audience> = {
  readonly [Field in keyof Required<Source>]: Readonly<Record<A, Decision<NonNullable<Source[Field]>, Source>>>;
};

const everyAudience = { operator: true, owner: true, counterparty: true, subscriber: true } as const;
const exceptCounterparty = { ...everyAudience, counterparty: false } as const;
const exceptSubscriber = { ...everyAudience, subscriber: false } as const;
const operatorOnly = { operator: true, owner: false, counterparty: false, subscriber: false } as const;
/** Only the service's own code uses it. */
const internal = { ...operatorOnly, operator: false } as const;

/** The fields of all kinds of transactions. A view decides about a field, whichever kinds have it. */
export type TransactionFields = FieldsOf<Transaction>;
/** The fields of all members of a union. */
export type FieldsOf<Kind> = { readonly [Field in FieldOf<Kind>]?: ValueOf<Kind, Field> };
type FieldOf<Kind> = Kind extends unknown ? keyof Kind : never;
type ValueOf<Kind, Field> = Kind extends unknown ? (Field extends keyof Kind ? Kind[Field] : never) : never;

/** A transaction with the fields that are computed for its views. */
interface ShownTransaction extends Omit<TransactionFields, 'resolution'> {
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
  counterpartyWalletId: everyAudience,
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
    // The postings of a fee that the receiver pays would show it.
    owner: (postings, source) => {
      const isOthersFee = source.fee !== undefined && isOfReceiver(source);
      const own = ({ account }: Posting) => !isOthersFee || walletOfAccount(account) === source.walletId;
      return postingsOf(postings.filter(own));
    },
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
      transfer.type === 'transfer' && !isOfPayer(transfer) && hidesFromPayers(failure.code)
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

/** Returns the same members, sorted by name. */
export function sorted(members: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
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

/** The audiences of a wallet: a counterparty never sees it. */
export type WalletAudience = Exclude<Audience, 'counterparty'>;

/** A wallet with the fields that are computed for its views, and its details. */
interface ShownWallet extends Omit<Wallet, 'lastLimitsChange'>, WalletDetails {
  readonly balance: z.output<(typeof namedSchemas)['Balance']>;
  /** Events lack it: it is the state at a time. */
  readonly limitWindows?: readonly LimitedWindow[] | undefined;
  /** The change with the version of the limits that it made. An event lacks the actor and the reason. */
  readonly lastLimitsChange?: (ShownChange & Partial<LimitsChange>) | undefined;
}
type ShownChange = Pick<LimitsChange, 'at' | 'tier'> & { readonly version: number };

/** The view of a wallet. */
export const walletFields: View<ShownWallet, WalletAudience> = {
  walletId: everyAudience,
  ownerId: everyAudience,
  currency: everyAudience,
  status: everyAudience,
  balance: everyAudience,
  chargedBack: everyAudience,
  createdAt: everyAudience,
  updatedAt: everyAudience,
  lastStatusChange: {
    operator: ({ status, at, actor, reason, approvedBy }) => ({ status, at, actor, reason, approvedBy }),
    // Without the operator and the reason, which may be a suspicion.
    owner: ({ status, at }) => ({ status, at }),
    // The event names the actor and the reason itself.
    subscriber: ({ status, at }) => ({ status, at }),
  },
  limits: { operator: limitsOf, owner: limitsOf, subscriber: limitsOf },
  lastLimitsChange: {
    operator: ({ version, at, tier, actor, reason, approvedBy }) => ({ version, at, tier, actor, reason, approvedBy }),
    // As for the status, without the operator and the reason.
    owner: limitsChangeOf,
    subscriber: limitsChangeOf,
  },
  // The event of their change has them.
  name: { operator: true, owner: true, subscriber: false },
  metadata: { operator: sorted, owner: sorted, subscriber: false },
  createdBy: operatorOnly,
  limitWindows: { operator: true, owner: true, subscriber: false },
  // In `lastLimitsChange`.
  limitsVersion: internal,
  // In `limitWindows`.
  used: internal,
  // In `balance`.
  available: internal,
  held: internal,
  total: internal,
  version: internal,
  isCrowded: internal,
  mostCredit: internal,
  hasDetails: internal,
  // The history shows them.
  scheduled: internal,
  orders: internal,
  lastTransactionId: internal,
};

type WalletView = z.output<(typeof namedSchemas)['Wallet']>;

/** Returns a wallet with its details, where it has some, as an audience sees it at a time, epoch ms. */
export function walletView(
  wallet: Wallet,
  audience: 'operator' | 'owner',
  now: number,
  { name, metadata }: WalletDetails = {},
): WalletView {
  const windows = windowsOf(wallet, new Date(now).toISOString());
  const source = { ...shownWallet(wallet), name, metadata, ...(windows.length > 0 && { limitWindows: windows }) };
  return shown(walletFields, source, audience) as WalletView;
}

/** Returns a wallet as events carry it. */
export function publishedWallet(wallet: Wallet): EventOf<'wallet.created'>['wallet'] {
  return shown(walletFields, shownWallet(wallet), 'subscriber') as EventOf<'wallet.created'>['wallet'];
}

/** The view of the details of a wallet on the bus. */
const detailsFields: View<StoredDetails, 'subscriber'> = {
  walletId: everyAudience,
  name: everyAudience,
  metadata: { subscriber: sorted },
  version: everyAudience,
  updatedAt: everyAudience,
  // The event names the owner and the actor itself.
  ownerId: internal,
  changedBy: internal,
};

/** Returns the details of a wallet as events carry them. */
export function publishedDetails(details: StoredDetails): EventOf<'wallet.changed'>['details'] {
  return shown(detailsFields, details, 'subscriber') as EventOf<'wallet.changed'>['details'];
}

function shownWallet({ lastLimitsChange: change, ...wallet }: Wallet): ShownWallet {
  const { limitsVersion: version = 0 } = wallet;
  return { ...wallet, balance: balanceView(wallet), ...(change && { lastLimitsChange: { version, ...change } }) };
}

function limitsChangeOf({ version, at, tier }: ShownChange): ShownChange {
  return { version, at, tier };
}

/** Returns limits with their members in order: the database keeps none. */
export function limitsOf({ out, in: into, minimumBalance, creditLine, maximumBalance }: WalletLimits): WalletLimits {
  const flow = ({ perTransaction, perDay, perMonth }: NonNullable<WalletLimits['out']>) => ({
    perTransaction,
    perDay,
    perMonth,
  });
  return { out: out && flow(out), in: into && flow(into), minimumBalance, creditLine, maximumBalance };
}

/** Returns the limits of a wallet, as an operator sees them. */
export function walletLimitsView({
  walletId,
  limits = {},
  limitsVersion: version = 0,
  lastLimitsChange: change,
}: Wallet): z.output<(typeof namedSchemas)['WalletLimits']> {
  const { tier, at: setAt, actor: setBy, reason, approvedBy } = change ?? {};
  return { walletId, limits: limitsOf(limits), tier, version, setAt, setBy, reason, approvedBy };
}

/** Returns a wallet's balance: amounts in minor units, `version` counting the changes of the wallet. */
export function balanceView({ walletId, currency, available, held, total, version }: Wallet) {
  return { walletId, currency, available, held, total, version };
}

/** The view of an entry of a wallet's ledger. */
export const entryFields: View<ChainedEntry, 'operator' | 'owner'> = {
  walletId: everyAudience,
  version: everyAudience,
  at: everyAudience,
  bookedAt: everyAudience,
  changes: { operator: changesOf, owner: changesOf },
  balanceAfter: { operator: balanceAfterOf, owner: balanceAfterOf },
  statusAfter: everyAudience,
  transactionId: everyAudience,
  hash: everyAudience,
};

/** Returns an entry of a wallet's ledger as an audience sees it. */
export function entryView(entry: ChainedEntry, audience: 'operator' | 'owner') {
  return shown(entryFields, entry, audience);
}

function changesOf(changes: ChainedEntry['changes']) {
  return changes.map(({ account, amount }) => ({ account, amount }));
}

function balanceAfterOf({ available, held }: ChainedEntry['balanceAfter']) {
  return { available, held };
}

/** Returns the fields of a value that an audience sees, in the order of the view. */
export function shown<Source extends object, A extends Audience>(
  view: View<Source, A>,
  source: Partial<Source>,
  audience: A,
): Record<string, unknown> {
  const fields = Object.keys(view) as (keyof Source & string)[];
  return Object.fromEntries(
    fields.flatMap((field) => {
      const decision: Decision<NonNullable<Source[typeof field]>, Source> = view[field][audience];
      const value = source[field];
      if (decision === false || value === undefined || value === null) return [];
      const result = decision === true ? value : decision(value, source);
      return result === undefined ? [] : [[field, result]];
    }),
  );
}

/** The content of a notification to one owner. */
export interface Notice {
  readonly eventId: string;
  readonly type: EventType;
  readonly version: 1;
  readonly occurredAt: string;
  readonly walletIds: readonly string[];
  readonly wallet?: object;
  readonly transaction?: object;
  readonly activity?: object;
}

/** Events that owners are notified of, as `notifiedEvents` of the contract lists them. */
type Notified = Exclude<
  ServiceEvent,
  EventOf<
    'ledger.discrepancy' | 'bank_file.reconciled' | 'wallet.changed' | 'webhook.disabled' | ApprovalEvent | OrderEvent
  >
>;

/**
 * Returns an event cut to the fields that one owner may see, without the actor, the reason and the limits of the
 * screening.
 */
export function noticeOf(event: Notified, audience: 'owner' | 'counterparty'): Notice {
  const { eventId, type, version, occurredAt, walletIds } = event;
  return { eventId, type, version, occurredAt, walletIds, ...subjectOf(event, audience) };
}

function subjectOf(
  event: Notified,
  audience: 'owner' | 'counterparty',
): Pick<Notice, 'wallet' | 'transaction' | 'activity'> {
  if ('wallet' in event) return { wallet: shown(walletFields, event.wallet as Partial<ShownWallet>, 'owner') };
  if ('activity' in event) {
    const { rule, walletId, transactionId, currency } = event.activity;
    return { activity: { rule, walletId, transactionId, currency } };
  }
  // The event has the masked account, the cut cancellation, and the reason for a release only where owners may see it.
  // The fingerprint is for consumers that compare events.
  const { destination, cancellation, releaseReason, ...transaction } = event.transaction;
  return {
    transaction: {
      ...shown(transactionFields, transaction as Partial<ShownTransaction>, audience),
      ...(audience === 'owner' && destination && { destination: { account: destination.account } }),
      ...(audience === 'owner' && cancellation && { cancellation }),
      ...(releaseReason !== undefined && { releaseReason }),
    },
  };
}
