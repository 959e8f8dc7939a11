import { WalletError } from '../domain/errors.ts';
import { withFee } from '../domain/fee.ts';
import type { DirectTransfer, PendingTransfer } from '../domain/transaction.ts';
import type { Failure } from '../domain/transaction-record.ts';
import { arrivalPostings, failurePostings, fittingTransfers } from '../domain/transfer.ts';
import { accept, commit, movement } from './commit.ts';
import type { Committed } from './commit.ts';
import { transactionKey } from './keys.ts';
import { crowdPartition } from './history-keys.ts';
import { credit, creditCrowd, creditReceiver, debit, giveBack } from './movements.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import type { Table } from './table.ts';
import { toWallet } from './wallets.ts';
import { changed, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/**
 * Books a transfer between two wallets: one write, 8 write units. Only the sender must be the caller's. It pays the fee.
 *
 * @param overLimit as for `commitCharge`
 * @param contendedMs time after which it gives up when others keep paying the receiver; absent: the whole budget
 * @throws Contended as `contendedMs` says
 * @throws WalletError as `commitCharge`, for the sender; `receiver_unavailable`, `insufficient_funds` and
 * `rate_limited`
 */
export function commitTransfer(
  table: Table,
  transaction: DirectTransfer,
  fingerprint: string,
  rate: RateLimit | undefined,
  overLimit?: WalletError,
  contendedMs?: number,
): Promise<Committed> {
  const sender = movement(transaction, withFee(transaction));
  const receiver = { ...movement(transaction), walletId: transaction.counterpartyWalletId, ownerId: undefined };
  return commit(
    table,
    transaction,
    fingerprint,
    [debit(table, sender), asUnavailable(transaction.to !== undefined, creditReceiver(table, receiver))],
    limitedBy(table, rate, transaction.createdAt),
    { overLimit, ...(contendedMs !== undefined && { contention: { item: receiverAt, afterMs: contendedMs } }) },
  );
}

/**
 * Returns an item of a receiver whose refusals are all alike where the payer named it by an alias: one that does not exist and
 * one that takes no money.
 */
export function asUnavailable(isByAlias: boolean, item: WriteItem): WriteItem {
  if (!isByAlias) return item;
  return {
    ...item,
    refused: (image) => {
      const refusal = item.refused(image);
      if (refusal?.kind === 'outdated') return { ...refusal, again: asUnavailable(true, refusal.again) };
      return refusal?.kind === 'denied' ? { ...refusal, error: new WalletError('receiver_unavailable') } : refusal;
    },
  };
}

/** Index of the receiver's item in the write of `commitTransfer`: after the record and the sender. */
const receiverAt = 2;

/**
 * Accepts a transfer for later: debits the sender, with the fee, and makes the work due, in one write of 6 write units.
 *
 * @param overLimit as for `commitCharge`
 * @throws WalletError as `acceptWithdrawal`, for the sender; the receiver is checked when the money arrives
 */
export function acceptTransfer(
  table: Table,
  transaction: PendingTransfer,
  fingerprint: string,
  rate: RateLimit | undefined,
  overLimit?: WalletError,
): Promise<Committed> {
  const sent = movement(transaction, withFee(transaction));
  return accept(table, transaction, fingerprint, debit(table, sent), rate, overLimit);
}

/** Most transfers that one write settles: DynamoDB takes 100 items, and the wallet is one of them. */
export const mostTransfersPerWrite = 99;

/** Size from which a group is a crowd: its transfers are spread over partitions of the receivers' index. */
export const crowdFrom = 50;

/** No item was written unless `settled`. */
export type GroupOutcome =
  | { readonly settled: true }
  | {
      readonly settled: false;
      readonly ended: ReadonlySet<string>;
      readonly refusal: WalletError | undefined;
      /** Those that a receiver which refused all together takes: none when it takes no one of them. */
      readonly fitting: readonly PendingTransfer[];
    };

/**
 * Credits one wallet with a group of transfers and completes them, in one write of 2 + 5 n write units.
 *
 * @param group 1 to 99 transfers to the same wallet, whose amounts add up to at most 2^53-1
 * @param crowd number of transfers from which a group is a crowd
 * @returns when nothing was written: the transfers that had ended before, and the receiver's refusal, if there was one, with
 * the transfers that fit
 */
export async function settleTransfers(
  table: Table,
  group: readonly [PendingTransfer, ...PendingTransfer[]],
  at: string,
  crowd = crowdFrom,
): Promise<GroupOutcome> {
  const [{ counterpartyWalletId: receiver, currency, transactionId }] = group;
  const isCrowd = group.length >= crowd;
  const result = await write(table, [
    (isCrowd ? creditCrowd : credit)(table, {
      walletId: receiver,
      ownerId: undefined,
      amount: group.reduce((sum, { amount }) => sum + amount, 0),
      largest: Math.max(...group.map(({ amount }) => amount)),
      currency,
      transactionId,
      at,
    }),
    ...group.map((transfer) =>
      endTransfer(table, transfer, {
        // The wallet's ledger has one entry for the whole group, under the first one's id.
        set: '#status = :completed, settledWith = :first, counterpartyWalletId = :receiver',
        remove: ', toWalletId',
        values: {
          completed: 'completed',
          postings: arrivalPostings(transfer),
          first: transactionId,
          receiver: isCrowd ? crowdPartition(receiver, transactionId) : receiver,
          at,
        },
      }),
    ),
  ]);
  if (result.written) return { settled: true };
  // The wallet is the write's first item, and the transfers follow in their order.
  const ended = result.refusals.flatMap(({ kind, item }) => (kind === 'changed' ? [group[item - 1]] : []));
  const [first] = result.refusals;
  return {
    settled: false,
    ended: new Set(ended.flatMap((transfer) => transfer?.transactionId ?? [])),
    ...(first.kind === 'denied'
      ? { refusal: first.error, fitting: fittingTransfers(toWallet(first.image), group, at) }
      : { refusal: undefined, fitting: [] }),
  };
}

/**
 * Ends a transfer that cannot arrive, in one write: it fails, and the sender gets the money back, with its fee.
 *
 * @returns false when it had ended before
 */
export async function failTransfer(
  table: Table,
  transfer: PendingTransfer,
  failure: Failure,
  at: string,
): Promise<boolean> {
  const result = await write(table, [
    endTransfer(table, transfer, {
      set: '#status = :failed, failure = :failure',
      values: { failed: 'failed', failure, postings: failurePostings(transfer), at },
    }),
    giveBack(table, { ...transfer, amount: withFee(transfer), at }),
  ]);
  return result.written;
}

function endTransfer(
  table: Table,
  transfer: PendingTransfer,
  end: { set: string; remove?: string; values: Item },
): WriteItem {
  return {
    label: `transfer ${transfer.transactionId}`,
    request: {
      Update: update(table, transactionKey(transfer.transactionId), {
        set: `${end.set}, postings = list_append(postings, :postings), updatedAt = :at, completedAt = :at`,
        remove: `dueShard, dueAt${end.remove ?? ''}`,
        if: '#type = :transfer AND #status = :pending',
        values: { ...end.values, transfer: 'transfer', pending: 'pending' },
      }),
    },
    refused: changed,
  };
}
