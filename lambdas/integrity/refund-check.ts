import type { Discrepancy } from '../domain/discrepancy.ts';
import { isRefundable, refundedWallet, refundingWallet } from '../domain/refund.ts';
import type { Refund, Refundable, Transaction } from '../domain/transaction.ts';
import type { Sum } from '../domain/money.ts';
import type { IndexedTransaction } from '../store/books.ts';
import type { Table } from '../store/table.ts';
import { clockMs, readTransactions } from './originals.ts';

/** The chargebacks of a wallet: those that its item has for certain, and all. One may come after the item was read. */
export interface ChargebackSums {
  certain: bigint;
  all: bigint;
}

/**
 * Compares the refunds and the refunded transactions among a wallet's transactions as sender with their counterparts.
 * Each write of a refund changes both records, so they agree whenever they are read in this order.
 *
 * @returns the discrepancies of single transactions, and the read units
 */
export async function checkRefunds(
  table: Table,
  transactions: readonly IndexedTransaction[],
  consistent: boolean,
): Promise<{ found: Discrepancy[]; readUnits: number }> {
  const ids = transactions.filter(({ type, refunded }) => type === 'refund' || refunded !== undefined);
  if (ids.length === 0) return { found: [], readUnits: 0 };
  const own = await readTransactions(
    table,
    ids.map(({ transactionId }) => transactionId),
    consistent,
  );
  const counterparts = await readTransactions(
    table,
    [...own.transactions.values()].flatMap(counterpartsOf),
    consistent,
  );
  const found = [...own.transactions.values()].flatMap((one) =>
    one.type === 'refund'
      ? refundFindings(one, counterparts.transactions.get(one.originalTransactionId))
      : originalFindings(one, counterparts.transactions),
  );
  return { found, readUnits: own.readUnits + counterparts.readUnits };
}

function counterpartsOf(transaction: Transaction): readonly string[] {
  if (transaction.type === 'refund') return [transaction.originalTransactionId];
  return isRefundable(transaction) ? (transaction.refunds ?? []) : [];
}

/** Returns how a refund contradicts its original. */
export function refundFindings(refund: Refund, original: Transaction | undefined): Discrepancy[] {
  return differs(refund, problemOfRefund(refund, original));
}

function problemOfRefund(refund: Refund, original: Transaction | undefined): string | undefined {
  const { transactionId, originalTransactionId, amount, currency, walletId, counterpartyWalletId, chargeback } = refund;
  const name = `its original ${originalTransactionId}`;
  if (original === undefined) return `${name} does not exist, or cannot be read`;
  if (!isRefundable(original)) return `${name} is a ${original.type} that cannot be refunded`;
  const isOfWallets = walletId === refundingWallet(original) && counterpartyWalletId === refundedWallet(original);
  if (!isOfWallets || currency !== original.currency) return `its wallets or its currency are not those of ${name}`;
  if (chargeback && original.type !== 'charge') return `it is a chargeback, and ${name} is a ${original.type}`;
  const { refunded = 0, refunds = [] } = original;
  if (!refunds.includes(transactionId)) return `${name} does not name it`;
  return amount > refunded ? `it gave back ${amount}, and ${name} says ${refunded}` : undefined;
}

/** Returns how a refunded transaction contradicts the refunds that it names. */
function originalFindings(original: Transaction, refunds: ReadonlyMap<string, Transaction>): Discrepancy[] {
  return isRefundable(original) ? differs(original, problemOfOriginal(original, refunds)) : [];
}

function problemOfOriginal(
  { transactionId, refunded = 0, refunds: ids = [] }: Refundable,
  refunds: ReadonlyMap<string, Transaction>,
): string | undefined {
  let sum = 0n;
  for (const id of ids) {
    const refund = refunds.get(id);
    if (refund?.type !== 'refund') return `its refund ${id} does not exist, or cannot be read`;
    if (refund.originalTransactionId !== transactionId) return `its refund ${id} is of another transaction`;
    sum += BigInt(refund.amount);
  }
  return sum === BigInt(refunded) ? undefined : `its refunds add up to ${String(sum)}, and it says ${refunded}`;
}

function differs({ transactionId }: Transaction, detail: string | undefined): Discrepancy[] {
  return detail === undefined ? [] : [{ kind: 'refund_differs', subject: transactionId, detail }];
}

/**
 * Adds the chargebacks among a wallet's transactions as sender.
 *
 * @param walletAt the last change of the wallet when its check began; undefined when no money moves
 */
export function addChargebacks(
  sums: ChargebackSums,
  transactions: readonly IndexedTransaction[],
  walletAt: string | undefined,
): void {
  for (const { chargeback, postings, createdAt } of transactions) {
    const amount = postings.at(-1)?.amount;
    // The check of its item reports an amount that is not whole.
    if (chargeback !== true || !Number.isSafeInteger(amount)) continue;
    sums.all += BigInt(Number(amount));
    if (walletAt === undefined || Date.parse(createdAt) < Date.parse(walletAt) - clockMs) {
      sums.certain += BigInt(Number(amount));
    }
  }
}

/** Returns how a wallet contradicts its chargebacks; undefined when it does not. */
export function problemOfChargebacks({ certain, all }: ChargebackSums, chargedBack: Sum): string | undefined {
  if (certain <= BigInt(chargedBack) && BigInt(chargedBack) <= all) return undefined;
  return `its chargebacks add up to ${String(all)}, and it says ${String(chargedBack)}`;
}
