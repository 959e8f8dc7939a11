/** The payments that the lines of a batch ask for: groups out of one wallet, and refusals. */
import { fittingPayments, paymentRefusal, takenBy } from '../domain/batch.ts';
import type { LineRefusal, LineState, Payment } from '../domain/batch.ts';
import type { WalletError } from '../domain/errors.ts';
import { fingerprintOf } from '../domain/ids.ts';
import { movement, putTransaction } from './commit.ts';
import { transactionKey } from './keys.ts';
import { dueShardOf } from './due-keys.ts';
import { debit, hold } from './movements.ts';
import { putRecord } from './operations.ts';
import { referenceItems } from './references.ts';
import { readParsed } from './read.ts';
import type { Table } from './table.ts';
import { toTransaction } from './transactions.ts';
import type { UnreadableItem } from './unreadable.ts';
import { toWallet } from './wallets.ts';
import { write } from './write.ts';
import type { Item } from './write.ts';

/** The final end of a line at its batch: its transaction was accepted, or it was refused. */
export type LineEnd = 'accepted' | 'refused';

/** A payment that its payer does not take, or whose reference another command has, and why. */
export interface RefusedPayment {
  readonly payment: Payment;
  readonly refusal: WalletError;
}

/** No item was written unless `written`. */
export type GroupOutcome =
  | { readonly written: true }
  | {
      readonly written: false;
      /** Those that an earlier try has ended, by the transaction's id. */
      readonly ended: ReadonlyMap<string, LineEnd>;
      /** Those that the payer takes together; undefined when the payer has refused nothing. */
      readonly fitting: readonly Payment[] | undefined;
      /** When none fits: the refusal of each. When `fitting` is undefined: of those whose references are taken. */
      readonly refused: readonly RefusedPayment[];
    };

/**
 * Accepts a group of payments out of one wallet, in one write: the records, which make the work due, and one debit or
 * hold of the sum. 2 + 4 n write units, 2 more for each unique reference, and more where the records are longer than a kilobyte.
 *
 * @param group payments of one wallet and one type, as `groupByPayer` returns them
 * @throws WalletError `busy`; UnreadableItem for a wallet of a newer version
 */
export async function acceptPayments(
  table: Table,
  group: readonly [Payment, ...Payment[]],
  at: string,
): Promise<GroupOutcome> {
  const [first] = group;
  const amounts = group.map(takenBy);
  const together = {
    ...movement(first),
    amount: amounts.reduce((sum, amount) => sum + amount, 0),
    largest: Math.max(...amounts),
  };
  // The wallet's ledger has one entry for the whole group, under the first one's id.
  const named = group.length === 1 ? group : group.map((payment) => ({ ...payment, sentWith: first.transactionId }));
  const references = group.flatMap((payment) => referenceItems(table, payment).map((item) => ({ payment, item })));
  const result = await write(table, [
    ...named.map((payment) =>
      putTransaction(table, payment, fingerprintOfPayment(payment), {
        dueShard: dueShardOf(payment.type, payment.transactionId, table.dueShards),
      }),
    ),
    // The records come first: a repetition is decided by them, whatever the wallet holds now.
    first.type === 'transfer' ? debit(table, together) : hold(table, together),
    ...references.map(({ item }) => item),
  ]);
  if (result.written) return { written: true };
  const ended = new Map<string, LineEnd>();
  for (const refusal of result.refusals) {
    const payment = group[refusal.item];
    if (payment !== undefined) ended.set(payment.transactionId, endIn(refusal.kind === 'replay' ? refusal.record : {}));
  }
  const taken = result.refusals.flatMap((refusal): RefusedPayment[] => {
    const of = references[refusal.item - group.length - 1];
    return of === undefined || refusal.kind !== 'denied' ? [] : [{ payment: of.payment, refusal: refusal.error }];
  });
  // What the payer takes together is decided among the others.
  if (taken.length > 0 && ended.size === 0) return { written: false, ended, fitting: undefined, refused: taken };
  const ofPayer = result.refusals.find(({ item }) => item === group.length);
  if (ended.size > 0 || ofPayer?.kind !== 'denied') return { written: false, ended, fitting: undefined, refused: [] };
  const payer = toWallet(ofPayer.image);
  const fitting = fittingPayments(payer, group, at);
  if (fitting.length > 0) return { written: false, ended, fitting, refused: [] };
  const refused = group.map((payment) => ({
    payment,
    refusal: paymentRefusal(payer, payment, at) ?? ofPayer.error,
  }));
  return { written: false, ended, fitting, refused };
}

/** Returns how the line ended whose id this record has. The record of another request has taken the id for good. */
function endIn({ type }: Item): LineEnd {
  return type === undefined || type === 'operation' ? 'refused' : 'accepted';
}

/** Returns a hash of the line that a payment is made from: the same for every try. */
function fingerprintOfPayment(payment: Payment): string {
  const { transactionId, type, walletId, amount, externalReference, uniqueReference, description, metadata } = payment;
  // An alias may have another wallet of its owner at a later try.
  const to = payment.type === 'transfer' ? (payment.to ?? payment.counterpartyWalletId) : payment.destination;
  return fingerprintOf([
    'line',
    { transactionId, type, walletId, to, amount, externalReference, uniqueReference, description, metadata },
  ]);
}

/**
 * Records the refusals of payments under their ids, so that no later try makes them: 2 write units each, in one write.
 *
 * @param refused 1 to 100
 * @returns the number that an earlier try had accepted; the others are refused
 * @throws WalletError `busy`
 */
export async function refusePayments(table: Table, refused: readonly RefusedPayment[], at: string): Promise<number> {
  const result = await write(
    table,
    refused.map(({ payment, refusal: { code, title: message } }) =>
      putRecord(table, {
        ...transactionKey(payment.transactionId),
        type: 'operation',
        fingerprint: fingerprintOfPayment(payment),
        principal: payment.principal,
        createdAt: at,
        batchId: payment.batchId,
        refusal: { code, message },
      }),
    ),
  );
  if (result.written) return 0;
  const known = new Set(result.refusals.map(({ item }) => item));
  const accepted = result.refusals.filter((one) => one.kind === 'replay' && endIn(one.record) === 'accepted').length;
  const others = refused.filter((_, index) => !known.has(index));
  return accepted + (others.length === 0 ? 0 : await refusePayments(table, others, at));
}

/** Reads the states of up to 100 lines, by the ids of their transactions. Leaves out those that wait. */
export function readLines(
  table: Table,
  transactionIds: readonly string[],
): Promise<Map<string, LineState | UnreadableItem>> {
  return readParsed(table, transactionIds, transactionKey, (item): LineState | undefined => {
    const transaction = toTransaction(item);
    if (transaction !== undefined) return { transaction };
    const refusal = item['refusal'] as LineRefusal | undefined;
    return refusal && { refusal: { code: refusal.code, message: refusal.message } };
  });
}
