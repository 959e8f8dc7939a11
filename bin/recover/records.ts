/** Records of transactions and wallets, made from their events. */
import type { Actor } from '../../lambdas/domain/actor.ts';
import { actorOf } from '../../lambdas/domain/actor.ts';
import { fingerprintOf, issuerMarkOf } from '../../lambdas/domain/ids.ts';
import type { Attempt } from '../../lambdas/domain/transaction-record.ts';
import { openWallet } from '../../lambdas/domain/wallet.ts';
import type { LimitsChange, StatusChange, Wallet } from '../../lambdas/domain/wallet.ts';
import { ownedWalletKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { dueShardOf, reviewShard, scheduleShardOf } from '../../lambdas/store/due-keys.ts';
import { historyKeyOf } from '../../lambdas/store/history-keys.ts';
import { restoredFingerprint } from '../../lambdas/store/operations.ts';
import { itemVersion, versionOf } from '../../lambdas/store/unreadable.ts';
import type { Item } from '../../lambdas/store/write.ts';
import type { Maker, TransactionEvent, WalletEvent } from './archive.ts';
import { restoredReason } from './copy.ts';

/** What a record needs besides its event. */
export interface RecordFacts {
  /** The time of the repair, ISO 8601. */
  readonly at: string;
  readonly bankId: string | undefined;
  readonly dueShards: number | undefined;
}

/** Returns the visit that a restored record of an open withdrawal shows: a submit may have left until `at`. */
export function restoredVisit(at: string): Attempt {
  return { at, submitted: false, outcome: 'unknown', reason: restoredReason };
}

/** Returns the time just before another one: the ledger shows a transaction before those that follow it. */
export function justBefore(time: string): string {
  return new Date(Date.parse(time) - 1).toISOString();
}

/** Returns an actor as records have it: with the mark of its issuer. Owners' records have none. */
export function storedActor({ kind, principal, issuer }: Maker | Actor): Actor {
  const mark = issuer?.includes(':') === true ? issuerMarkOf(issuer) : issuer;
  return actorOf({ kind, principal, issuer: mark });
}

/**
 * Returns the record of a transaction that the restore forgot. An open withdrawal becomes one in review: its event hides
 * the account, so no worker can pay it.
 */
export function recordOf(event: TransactionEvent, maker: Maker, facts: RecordFacts): Item {
  const { transaction } = event;
  const { receiptCode, counterpartyWalletId, destination, cancellation, resolution, waitingFor, ...same } = transaction;
  const { transactionId, type, originalTransactionId = '' } = transaction;
  const { kind, principal, issuer } = storedActor(maker);
  return withState(event, facts, {
    ...transactionKey(transactionId),
    historyKey: historyKeyOf(transaction),
    ...versionOf(transaction),
    fingerprint: type === 'return' ? fingerprintOf(['return', originalTransactionId]) : restoredFingerprint,
    principal,
    ...(maker.ownerId === undefined || kind === 'operator' ? { issuer } : {}),
    ...(maker.ownerId !== undefined && { ownerId: maker.ownerId }),
    ...same,
    ...(destination && { destination: { account: destination.account } }),
    ...(type === 'transfer' && {
      [isOpenTransfer(event) ? 'toWalletId' : 'counterpartyWalletId']: counterpartyWalletId,
    }),
    ...(type === 'hold' && { toWalletId: counterpartyWalletId }),
    ...(type === 'capture' && { counterpartyWalletId, capturedBy: kind }),
    ...(type === 'refund' && { counterpartyWalletId, refundedBy: kind }),
    ...((type === 'refund' || type === 'charge') && approvedBy(event)),
    ...(isQueued(event) && { queued: true }),
  });
}

/** Returns a record whose transaction ended, or went to review, after the restored moment. */
export function advancedRecord(record: Item, event: TransactionEvent, facts: RecordFacts): Item {
  const { dueAt, dueShard, queuedAt, claimId, submitBy, refusedSince, waitingFor, toWalletId, ...lasting } = record;
  const { status, postings, updatedAt, completedAt, attempts, failure, settledWith, counterpartyWalletId } =
    event.transaction;
  const { type, captured, end, releaseReason, executedAt } = event.transaction;
  const receiver = status === 'completed' ? { counterpartyWalletId } : { toWalletId };
  return withState(event, facts, {
    ...lasting,
    ...((type === 'transfer' || type === 'hold') && receiver),
    ...(executedAt !== undefined && { executedAt, historyKey: historyKeyOf(event.transaction) }),
    ...{ status, postings, updatedAt, completedAt, attempts, failure, settledWith, captured, end, releaseReason },
  });
}

/** Returns the record with the members that its state needs and its event does not have. */
function withState(event: TransactionEvent, { at, bankId, dueShards }: RecordFacts, record: Item): Item {
  const { transactionId, walletId, type, status, attempts = [], updatedAt, resolution } = event.transaction;
  if (type === 'transfer' && status === 'scheduled') {
    const ownerId = typeof record['ownerId'] === 'string' ? record['ownerId'] : undefined;
    return { ...record, dueAt: record['executeAt'], dueShard: scheduleShardOf({ walletId, ownerId }) };
  }
  if (type === 'transfer' && status === 'failed') return { ...record, ...cancelledBy(event) };
  if (type === 'transfer' && status === 'pending') {
    return { ...record, dueAt: at, dueShard: dueShardOf('transfer', transactionId, dueShards) };
  }
  if (type === 'hold' && status === 'open') {
    return { ...record, dueAt: record['expiresAt'], dueShard: dueShardOf('hold', transactionId) };
  }
  if (type === 'hold' && event.actor && event.actor.kind !== 'service') {
    return { ...record, endedBy: storedActor(event.actor) };
  }
  if (type !== 'withdrawal') return record;
  const { bankId: known = bankId, ...others } = record;
  const actor = storedActor(event.actor ?? { kind: 'operator', principal: 'unknown' });
  switch (status) {
    case 'pending':
    case 'executing':
      return {
        ...{ ...others, bankId: known, status: 'review', dueShard: reviewShard, dueAt: at, updatedAt: at },
        attempts: [...attempts, restoredVisit(at)],
      };
    case 'scheduled':
    case 'open':
    case 'ended':
      return record;
    case 'review':
      return { ...others, bankId: known, dueShard: reviewShard, dueAt: updatedAt };
    case 'completed':
    case 'failed': {
      const evidence = 'in the record that was lost; the event archive has the decision';
      return {
        ...others,
        ...(status === 'completed' && { bankId: known }),
        ...(resolution && {
          resolution: { ...resolution, evidence, principal: actor.principal, ...approvedBy(event) },
          endedBy: actor,
        }),
        ...cancelledBy(event),
      };
    }
  }
}

/** Returns the second operator of a command, as records have it; nothing where there was none. */
function approvedBy(event: TransactionEvent | CommandEvent): { approvedBy?: Actor } {
  const approver = 'approvedBy' in event ? event.approvedBy : undefined;
  return approver === undefined ? {} : { approvedBy: storedActor(approver) };
}

/** Returns the cancellation of a payment as its record has it. */
function cancelledBy({ actor, transaction: { cancellation } }: TransactionEvent): Item {
  if (cancellation === undefined) return {};
  const { reason, at } = cancellation;
  return { cancellation: { actor: storedActor(actor ?? { kind: 'operator', principal: 'unknown' }), reason, at } };
}

function isQueued({ transaction: { type, postings, executeAt } }: TransactionEvent): boolean {
  if (type !== 'transfer') return false;
  return executeAt !== undefined || postings.some(({ account }) => account.startsWith('transit:'));
}

function isOpenTransfer(event: TransactionEvent): boolean {
  return isQueued(event) && event.transaction.status !== 'completed';
}

/** Returns the items of a wallet that was opened: the wallet as it was then, and its line under its owner. */
export function walletItems(opening: Parameters<typeof openWallet>[0]): { wallet: Wallet; items: Item[] } {
  const createdBy = opening.createdBy && storedActor(opening.createdBy);
  const wallet = openWallet({ ...opening, createdBy });
  const { walletId, ownerId } = wallet;
  return {
    wallet,
    items: [
      { ...walletKey(walletId), v: itemVersion, ...wallet },
      { ...ownedWalletKey(ownerId, walletId), walletId },
    ],
  };
}

/** Returns the id of the record of the command that opened a wallet: both ids are the same hash. */
export function openingIdOf(walletId: string): string {
  return `tx_${walletId.slice(-26)}`;
}

/** Returns the record of the command that opened a wallet. Without it, a repetition of the command would fail. */
export function openingRecord({ walletId, ownerId, currency, createdAt, createdBy }: Wallet): Item | undefined {
  if (createdBy === undefined) return undefined;
  const body = { currency, ...(createdBy.kind === 'operator' && { ownerId }) };
  return {
    ...transactionKey(openingIdOf(walletId)),
    type: 'operation',
    fingerprint: fingerprintOf(['create-wallet', {}, body]),
    principal: createdBy.principal,
    createdAt,
  };
}

/** The event of a command of an operator about a wallet. */
type CommandEvent = WalletEvent & { readonly reason?: string | undefined; readonly approvedBy?: Actor | undefined };

/** Returns the change of a wallet's status in its event. */
export function statusChangeOf(event: CommandEvent): StatusChange {
  const { actor, reason, wallet, occurredAt } = event;
  const { status, lastStatusChange } = wallet;
  return { status, at: lastStatusChange?.at ?? occurredAt, actor: authorOf(actor), reason, ...approvedBy(event) };
}

/** Returns the change of a wallet's limits in its event. */
export function limitsChangeOf(event: CommandEvent): LimitsChange {
  const { actor, reason = '', wallet, occurredAt } = event;
  const { at = occurredAt, tier } = wallet.lastLimitsChange ?? {};
  return { at, actor: authorOf(actor), reason, ...(tier !== undefined && { tier }), ...approvedBy(event) };
}

function authorOf(actor: WalletEvent['actor']): Actor {
  return storedActor(actor ?? { kind: 'operator', principal: 'unknown' });
}
