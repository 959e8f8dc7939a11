import type { Actor } from '../domain/actor.ts';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { feeRefusal, withoutFee } from '../domain/fee.ts';
import {
  capture as newCapture,
  captureRefusal,
  endPostings,
  endsHold,
  leftOf,
  releaseRefusal,
} from '../domain/hold.ts';
import type { CaptureFacts } from '../domain/hold.ts';
import { requesterOf } from '../domain/transaction.ts';
import type { Capture, Hold, HoldEnd, OpenHold } from '../domain/transaction.ts';
import { accept, commit, committed, movement, putTransaction } from './commit.ts';
import type { Committed } from './commit.ts';
import type { DueWork } from './due.ts';
import { transactionKey } from './keys.ts';
import { captureHeld, creditCapture, hold as holdMoney, releaseHold } from './movements.ts';
import { putOperation, refuseKeyOf, replayedRecord } from './operations.ts';
import type { Operation } from './operations.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import { referenceItems } from './references.ts';
import { changedRecord, retryChanged } from './retry-changed.ts';
import type { Table } from './table.ts';
import { getTransaction, toTransaction } from './transactions.ts';
import { ofTransactionVersion } from './unreadable.ts';
import { changed, denied, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/**
 * Opens a hold: holds the money until a capture, a release or its expiry, in one write of 6 write units.
 *
 * @param overLimit as for `commitCharge`
 * @throws WalletError as `acceptWithdrawal`. The receiver is checked when money is captured: a condition on its wallet here
 * would make one receiver's wallet an item that all its payers write
 */
export function commitHold(
  table: Table,
  hold: OpenHold,
  fingerprint: string,
  rate: RateLimit | undefined,
  overLimit?: WalletError,
): Promise<Committed> {
  return accept(table, hold, fingerprint, holdMoney(table, movement(hold)), rate, overLimit);
}

/** Reads a hold, consistently; undefined when there is no hold of this id. */
export async function getHold(table: Table, transactionId: string): Promise<Hold | undefined> {
  const transaction = await getTransaction(table, transactionId);
  return transaction?.type === 'hold' ? transaction : undefined;
}

/**
 * Captures held money: its record, the hold, the payer's wallet and the receiver's, in one write of 12 write units (9
 * to the world outside). When another command has changed the hold meanwhile, the write is made again from what it left.
 *
 * @param hold as it was read; `facts.amount` absent: all that is left when it is written
 * @param limits `overLimitOf`: the refusal of an amount over the operator's limit
 * @throws WalletError of `captureRefusal` and `feeRefusal`, `wallet_frozen`, `receiver_unavailable`, `forbidden` for an
 * operator who owns the payer's wallet, `reference_taken`, `rate_limited`, `idempotency_key_reused`, `busy`, or of `overLimitOf`
 */
export async function captureHold(
  table: Table,
  hold: Hold,
  facts: CaptureFacts,
  fingerprint: string,
  {
    rate,
    overLimitOf = () => undefined,
  }: {
    readonly rate?: RateLimit | undefined;
    readonly overLimitOf?: ((amount: number) => WalletError | undefined) | undefined;
  } = {},
): Promise<Committed> {
  if (facts.transactionId === hold.transactionId) throw new WalletError('idempotency_key_reused');
  const limited = limitedBy(table, rate, facts.at);
  const namesNoAmount = facts.amount === undefined;
  return retryChanged(table, hold, async (seen, within) => {
    const capture = newCapture(seen, facts);
    const { amount, fee = 0, currency } = capture;
    const refusal =
      captureRefusal(seen, facts) ?? overLimitOf(amount) ?? feeRefusal('capture', { amount, fee, currency });
    if (refusal !== undefined) {
      return commit(within, capture, fingerprint, [], limited, { overLimit: refusal, namesNoAmount });
    }
    const record = putTransaction(table, capture, fingerprint, { namesNoAmount });
    const items = [record, ...captureItems(table, seen, facts, capture), ...referenceItems(table, capture)];
    const result = await write(within, [...items, ...limited.items], limited.reads);
    return changedRecord(result, toHold) ?? committed(capture, result);
  });
}

/** Returns the changes of a capture: of the hold, of the payer's wallet, and of the receiver's when there is one. */
function captureItems(table: Table, hold: Hold, facts: CaptureFacts, capture: Capture): WriteItem[] {
  const { walletId, currency, transactionId, amount, counterpartyWalletId } = capture;
  const payment = { walletId, ownerId: undefined, amount, currency, transactionId, at: facts.at };
  // An operator who owns the wallet is its payer, who may not end the hold.
  const decidedBy = facts.capturedBy === 'operator' ? facts.principal : undefined;
  const left = leftOf(hold);
  const isEnd = endsHold(hold, facts);
  const end = isEnd ? endOf('captured', requesterOf(capture)) : undefined;
  return [
    holdUpdate(table, hold, {
      set: `captured = captured + :amount${end === undefined ? '' : `, ${end.set}`}`,
      ...(isEnd && { remove: endOfWork }),
      // A capture that leaves money needs a hold that has more; what it leaves does not matter.
      if: `expiresAt > :at AND ${isEnd ? 'captured = :seen' : 'captured < :most'}`,
      values: {
        amount,
        at: facts.at,
        ...(isEnd ? { seen: hold.captured } : { most: hold.amount - amount }),
        ...end?.values,
      },
      refused: (current) => captureRefusal(current, facts),
      isCurrent: ({ captured }) => (isEnd ? captured === hold.captured : captured < hold.amount - amount),
    }),
    captureHeld(table, { ...payment, decidedBy }, isEnd ? left - amount : 0),
    ...(counterpartyWalletId === undefined
      ? []
      : [creditCapture(table, { ...payment, amount: withoutFee(capture), walletId: counterpartyWalletId })]),
  ];
}

/**
 * Releases a hold: what is left is available again, in one write of 8 write units with the record of the caller's key.
 *
 * @param hold as it was read
 * @returns `replayed`: the caller's key was used before for the same request
 * @throws WalletError `hold_ended`, `forbidden` for an operator who owns the payer's wallet, `idempotency_key_reused`, `busy`
 */
export async function releaseOpenHold(
  table: Table,
  operation: Operation,
  { hold, reason }: { readonly hold: Hold; readonly reason?: string | undefined },
): Promise<{ replayed: boolean }> {
  refuseKeyOf(hold, operation);
  return retryChanged(table, hold, async (seen, within) => {
    const result = await write(within, [
      putOperation(table, operation),
      ...giveBackItems(table, seen, operation.at, {
        ...endOf('released', actorOf(operation), reason),
        refused: releaseRefusal,
        // An operator who owns the wallet is its payer, who may not end the hold.
        decidedBy: operation.kind === 'operator' ? operation.principal : undefined,
      }),
    ]);
    return changedRecord(result, toHold) ?? { replayed: replayedRecord(result) !== undefined };
  });
}

/**
 * Ends a hold whose time is over: what is left is available again, in one write of 6 write units.
 *
 * @param at the time by the database's clock, ISO 8601 UTC
 * @returns false when it had ended before, or has not expired
 * @throws WalletError `busy`
 */
export async function expireHold(
  table: Table,
  { transactionId }: Pick<DueWork, 'transactionId'>,
  at: string,
): Promise<boolean> {
  const hold = await getHold(table, transactionId);
  if (hold === undefined) return false;
  return retryChanged(table, hold, async (seen, within) => {
    if (seen.status === 'ended' || seen.expiresAt > at) return false;
    const { set, values } = endOf('expired');
    const result = await write(
      within,
      giveBackItems(table, seen, at, { set, values, if: ' AND expiresAt <= :at', refused: () => undefined }),
    );
    return changedRecord(result, toHold) ?? result.written;
  });
}

/** Returns the changes of an end without a capture: of the hold, and of the wallet that gets back what is left. */
function giveBackItems(
  table: Table,
  hold: Hold,
  at: string,
  end: {
    set: string;
    if?: string;
    values: Item;
    refused: (current: Hold | undefined) => WalletError | undefined;
    decidedBy?: string | undefined;
  },
): WriteItem[] {
  return [
    holdUpdate(table, hold, {
      set: `${end.set}, postings = list_append(postings, :postings)`,
      remove: endOfWork,
      if: `captured = :seen${end.if ?? ''}`,
      values: { ...end.values, at, seen: hold.captured, postings: endPostings(hold) },
      refused: end.refused,
      isCurrent: ({ status, captured }) => status === 'open' && captured === hold.captured,
    }),
    releaseHold(table, {
      ...{ walletId: hold.walletId, amount: leftOf(hold), transactionId: hold.transactionId, at },
      decidedBy: end.decidedBy,
    }),
  ];
}

const endOfWork = 'dueShard, dueAt';

/** Returns the parts of the update that ends a hold. */
function endOf(end: HoldEnd, endedBy?: Actor, releaseReason?: string): { set: string; values: Item } {
  const by = { ...(endedBy && { endedBy }), ...(releaseReason !== undefined && { releaseReason }) };
  const more = Object.keys(by).map((name) => `, ${name} = :${name}`);
  return {
    set: `#status = :ended, #end = :end, completedAt = :at${more.join('')}`,
    values: { ended: 'ended', end, ...by },
  };
}

/**
 * Returns the update of a hold, on condition that it is open.
 *
 * @param change `refused`: the refusal that an image explains. `isCurrent`: whether an image allows the change; another
 *   one asks for a new try from that image
 */
function holdUpdate(
  table: Table,
  { transactionId }: Hold,
  change: {
    set: string;
    remove?: string;
    if: string;
    values: Item;
    refused: (current: Hold | undefined) => WalletError | undefined;
    isCurrent: (current: Hold) => boolean;
  },
): WriteItem {
  return {
    label: 'hold',
    request: {
      Update: update(table, transactionKey(transactionId), {
        set: `${change.set}, updatedAt = :at`,
        ...(change.remove !== undefined && { remove: change.remove }),
        if: `#type = :hold AND ${ofTransactionVersion.if} AND #status = :open AND ${change.if}`,
        values: { ...change.values, ...ofTransactionVersion.values, hold: 'hold', open: 'open' },
      }),
    },
    refused: (image) => {
      const current = toHold(image);
      const refusal = denied(change.refused(current));
      return refusal ?? (current === undefined || change.isCurrent(current) ? undefined : changed(image));
    },
  };
}

function toHold(image: Item | undefined): Hold | undefined {
  const transaction = image && toTransaction(image);
  return transaction?.type === 'hold' ? transaction : undefined;
}
