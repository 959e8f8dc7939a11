/** The counts of a wallet, of scheduled payments and standing orders, as items of a write. */
import { caps, orderRefusal, scheduleRefusal, useRefusal } from '../domain/wallet.ts';
import { walletKey } from './keys.ts';
import type { Table } from './table.ts';
import { ofThisVersion } from './unreadable.ts';
import { toWallet } from './wallets.ts';
import { denied, update } from './write.ts';
import type { Item, WriteItem } from './write.ts';
import type { Movement, WalletUse } from './movements.ts';

const endsOrder = ', orders = if_not_exists(orders, :one) - :one';

/**
 * Counts a payment that is scheduled from a wallet. The wallet cannot be closed while it counts one. No money moves, so the
 * ledger gets an entry without a change.
 *
 * @param ofOrder the standing order that makes it. A frozen wallet takes such a payment, too, as its time decides. So does one
 * with as many payments as it can have: what an order has promised is neither lost nor late, and a wallet has few orders
 */
export function schedule(table: Table, movement: Movement, ofOrder?: { readonly ends: boolean }): WriteItem {
  const { caps: most = caps } = table;
  return countInWallet(table, movement, {
    label: 'wallet of a scheduled payment',
    set: `scheduled = if_not_exists(scheduled, :zero) + :one${ofOrder?.ends ? endsOrder : ''}`,
    if: ofOrder
      ? '#status IN (:active, :frozen)'
      : '#status = :active AND (attribute_not_exists(scheduled) OR scheduled < :most)',
    values: { zero: 0, ...(ofOrder ? { frozen: 'frozen' } : { most: most.scheduled }) },
    refused: (wallet) => (ofOrder ? useRefusal(wallet, movement) : scheduleRefusal(wallet, movement, most)),
  });
}

/** Counts a standing order that is opened for a wallet. The count is no reason to keep the wallet open. */
export function countOrder(table: Table, order: Omit<Movement, 'amount' | 'transactionId'>): WriteItem {
  const { caps: most = caps } = table;
  return countInWallet(table, order, {
    label: 'wallet of a standing order',
    set: 'orders = if_not_exists(orders, :zero) + :one',
    if:
      '#status = :active AND (attribute_not_exists(orders) OR orders < :most) ' +
      'AND (attribute_not_exists(scheduled) OR scheduled < :mostScheduled)',
    values: { zero: 0, most: most.orders, mostScheduled: most.scheduled },
    refused: (wallet) => orderRefusal(wallet, order, most),
  });
}

/**
 * Counts what has ended no more: payments as scheduled that were not executed, and a standing order as active. Works in every
 * status of the wallet.
 *
 * @param ended `payments`: their number; `order`: whether an order has ended
 */
export function unschedule(
  table: Table,
  { walletId, at }: Pick<Movement, 'walletId' | 'at'>,
  { payments = 0, order = false }: { readonly payments?: number; readonly order?: boolean },
): WriteItem {
  const isPaying = payments > 0 ? ', scheduled = if_not_exists(scheduled, :count) - :count' : '';
  return {
    label: `end of a scheduled payment of ${walletId}`,
    request: {
      Update: update(table, walletKey(walletId), {
        set: `version = version + :one, updatedAt = :at${isPaying}${order ? endsOrder : ''}`,
        if: 'attribute_exists(pk)',
        values: { at, one: 1, ...(payments > 0 && { count: payments }) },
      }),
    },
    // Wallets are never deleted.
    refused: () => undefined,
  };
}

/** Changes a count of a wallet, which is the caller's own. */
function countInWallet(
  table: Table,
  { walletId, ownerId, currency, at }: Omit<Movement, 'amount' | 'transactionId'>,
  count: WalletUse & { readonly values: Item },
): WriteItem {
  const isOwned = ownerId !== undefined;
  return {
    label: count.label,
    request: {
      Update: update(table, walletKey(walletId), {
        set: `${count.set}, version = version + :one, updatedAt = :at`,
        if: `${ofThisVersion.if} AND ${count.if} AND currency = :currency${isOwned ? ' AND ownerId = :ownerId' : ''}`,
        values: {
          ...ofThisVersion.values,
          ...{ active: 'active', currency, at, one: 1 },
          ...count.values,
          ...(isOwned && { ownerId }),
        },
      }),
    },
    refused: (image) => denied(count.refused(toWallet(image))),
  };
}
