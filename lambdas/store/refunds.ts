import { WalletError } from '../domain/errors.ts';
import { isRefundable, leftToRefund, mostRefundsFor, refund as newRefund, refundRefusal } from '../domain/refund.ts';
import type { RefundFacts } from '../domain/refund.ts';
import type { Refund, Refundable } from '../domain/transaction.ts';
import { commit, committed, movement, putTransaction } from './commit.ts';
import type { Committed } from './commit.ts';
import { transactionKey } from './keys.ts';
import { chargeBack, creditRefund, debitRefund } from './movements.ts';
import { inPlaceOfRequest } from './operations.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import { referenceItems } from './references.ts';
import { changedRecord, retryChanged } from './retry-changed.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import { ofTransactionVersion } from './unreadable.ts';
import { changed, denied, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/**
 * Refunds a transaction, all that is left or a part. One write of 12 write units (8 for a charge) has the refund's record,
 * the original, the wallet that gives the money back and the one that gets it. The ids on an original make it larger: see
 * performance.md. When another refund was faster, one of all that is left is made again from what it left.
 *
 * @param original as it was read
 * @param facts `amount` absent: all that is left when it is written
 * @param options `overLimitOf`: the refusal of an amount over the operator's limit; `approval`: the items that end the refund's
 *   approval, where it has one
 * @throws WalletError of `refundRefusal`, as `debitRefund` of the wallet that gives, `receiver_unavailable`, `forbidden` for an
 * operator who owns the wallet that gets the money, `rate_limited`, `idempotency_key_reused`, `busy`, or of `overLimitOf`
 */
export async function refundTransaction(
  table: Table,
  original: Refundable,
  facts: RefundFacts,
  fingerprint: string,
  {
    rate,
    overLimitOf = () => undefined,
    approval = [],
  }: {
    readonly rate?: RateLimit | undefined;
    readonly overLimitOf?: ((amount: number) => WalletError | undefined) | undefined;
    readonly approval?: readonly WriteItem[] | undefined;
  } = {},
): Promise<Committed> {
  // One write cannot hold a record twice.
  if (facts.transactionId === original.transactionId) throw new WalletError('idempotency_key_reused');
  const limited = limitedBy(table, rate, facts.at);
  const isApproved = approval.length > 0;
  const namesNoAmount = facts.amount === undefined;
  return retryChanged(table, original, async (seen, within) => {
    const refund = newRefund(seen, facts);
    const refusal = refundRefusal(seen, facts) ?? overLimitOf(refund.amount);
    if (refusal !== undefined) {
      return commit(within, refund, fingerprint, [], limited, { overLimit: refusal, isApproved, namesNoAmount });
    }
    const record = putTransaction(table, refund, fingerprint, { namesNoAmount });
    const items = [
      isApproved ? inPlaceOfRequest(record, fingerprint) : record,
      ...approval,
      originalUpdate(table, seen, facts, refund),
      ...walletItems(table, refund),
      ...referenceItems(table, refund),
      ...limited.items,
    ];
    const result = await write(within, items, limited.reads);
    return changedRecord(result, toRefundable) ?? committed(refund, result);
  });
}

/** Returns the update of the original: its sum and its list of refunds. Its postings stay. */
function originalUpdate(table: Table, original: Refundable, facts: RefundFacts, refund: Refund): WriteItem {
  const { transactionId, type, amount } = original;
  return {
    label: 'original',
    request: {
      Update: update(table, transactionKey(transactionId), {
        set:
          'refunded = if_not_exists(refunded, :zero) + :amount, ' +
          'refunds = list_append(if_not_exists(refunds, :none), :refund), updatedAt = :at',
        if:
          `#type = :type AND ${ofTransactionVersion.if} AND #status = :completed AND ` +
          '(attribute_not_exists(refunded) OR refunded <= :room) AND ' +
          '(attribute_not_exists(refunds) OR size(refunds) < :most)',
        values: {
          ...ofTransactionVersion.values,
          ...{
            zero: 0,
            none: [],
            type,
            completed: 'completed',
            most: mostRefundsFor(facts),
            room: amount - refund.amount,
          },
          ...{ amount: refund.amount, refund: [refund.transactionId], at: facts.at },
        },
      }),
    },
    refused: (image) => {
      const current = toRefundable(image);
      if (current === undefined) return undefined;
      const refusal = denied(refundRefusal(current, facts));
      // Another refund has left something, but not all that this one wanted to take.
      return refusal ?? (leftToRefund(current) < refund.amount ? changed(image) : undefined);
    },
  };
}

/** Returns the changes of the wallets: of the one that gives the money back, and of the one that gets it. */
function walletItems(table: Table, refund: Refund): WriteItem[] {
  const { counterpartyWalletId: receiver, refundedBy, principal } = refund;
  const payment = movement(refund);
  // Operators decide only about the money of others.
  const decidedBy = refundedBy === 'operator' ? principal : undefined;
  return [
    refund.chargeback ? chargeBack(table, payment) : debitRefund(table, payment),
    ...(receiver === undefined
      ? []
      : [creditRefund(table, { ...payment, walletId: receiver, ownerId: undefined, decidedBy })]),
  ];
}

function toRefundable(image: Item | undefined): Refundable | undefined {
  const transaction = image && toTransaction(image);
  return transaction !== undefined && isRefundable(transaction) ? transaction : undefined;
}
