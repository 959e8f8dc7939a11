/** Puts back the transactions that a restore forgot, and that the archive of events has. */
import { forEachOf } from '../../lambdas/aws/parallel.ts';
import { bookingsOf, hasWholeBookings, problemOf } from '../../lambdas/domain/bookings.ts';
import { currencyOfWalletId, legIdOf } from '../../lambdas/domain/ids.ts';
import { service } from '../../lambdas/domain/actor.ts';
import { mostLegs } from '../../lambdas/domain/split.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import type { CommandFacts } from '../../lambdas/domain/transaction-record.ts';
import { withdrawal } from '../../lambdas/domain/withdrawal.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { reviewShard } from '../../lambdas/store/due-keys.ts';
import { historyKeyOf } from '../../lambdas/store/history-keys.ts';
import { restoredFingerprint } from '../../lambdas/store/operations.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { parsed, UnreadableItem, versionOf } from '../../lambdas/store/unreadable.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { rankOfStatus, ranks, transactionEventOf } from './archive.ts';
import type { Maker, TransactionEvent } from './archive.ts';
import { changesOf } from './copy.ts';
import { advancedRecord, recordOf, restoredVisit } from './records.ts';
import { changedByOthers } from './recovery.ts';
import type { Recovery } from './recovery.ts';
import { exceededBy, leastOf } from './room.ts';
import { creditedTwice, standInRemedy } from './stand-ins.ts';

/** Records that are read from the copy, and written, together. */
const pageSize = 500;
const writesAtATime = 16;

/** Brings records forward that ended, or went to review, after the restored moment. */
export async function advanceRecords(recovery: Recovery): Promise<void> {
  const { copy, report, table } = recovery;
  const ahead = copy.query(
    { id: 'text', event: 'text', status: 'text' },
    `SELECT records.id, event, status FROM transaction_events JOIN records ON records.id = transaction_events.id
      WHERE rank >= ${ranks.review} AND rank > ${rankOfStatus}`,
  );
  const found = ahead.all();
  await forEachOf(found, writesAtATime, async ({ id, event: text, status }) => {
    const event = transactionEventOf(text);
    // Its captures end it, when their records are there: `linkCaptures`.
    if (event.transaction.end === 'captured') return;
    const seen = await recovery.read(transactionKey(id));
    if (seen === undefined) throw changedByOthers(transactionKey(id));
    const record = advancedRecord(seen, event, factsOf(recovery));
    const transaction = parsed(() => toTransaction(record));
    if (transaction === undefined || transaction instanceof UnreadableItem) return;
    if (problemOf(transaction) !== undefined) return;
    const credited = creditedTwice(recovery, transaction);
    if (credited !== undefined) {
      report.differs({
        kind: 'end_forgotten',
        subject: id,
        detail: `${status} in the table, ${event.transaction.status} by its event: ${credited}`,
        remedy: standInRemedy,
      });
      return;
    }
    report.repairs('transaction', id, `${status} in the table, ${event.transaction.status} by its event`);
    copy.putTransaction(transaction);
    await recovery.put(table, record, seen);
  });
}

/** Returns what records need besides their events. */
export function factsOf({ at, bank, table: { dueShards } }: Recovery) {
  return { at, bankId: bank?.bankId, dueShards };
}

/** A record that may be put back, or the reason why it may not. */
type Candidate = Fitting | { readonly reason: string; readonly remedy?: string };
interface Fitting {
  readonly item: Item;
  readonly transaction: Transaction;
}

/**
 * Puts transactions back, the oldest first, as long as no wallet gets a balance below its least. Goes over the rest again after
 * each round: a later credit may make an earlier debit possible. Legs of a split go back together, as some may have had their
 * money from others only. At last they go back one by one.
 */
export async function putBackTransactions(recovery: Recovery): Promise<void> {
  for (const areApart of [false, true]) {
    for (let count = -1; count !== 0;) {
      count = await putBackRound(recovery, forgottenByEvents(recovery), (id) => {
        const together = areApart ? [id] : forgottenWith(recovery, id);
        return fittingOf(recovery, together);
      });
      count += await putBackRound(recovery, forgottenByPayments(recovery), (id) => {
        const found = paidCandidate(recovery, id);
        return 'reason' in found ? [] : [found];
      });
    }
  }
}

/** Returns the forgotten legs of the same split, or the transaction alone; none when it is put back. */
function forgottenWith({ copy }: Recovery, id: string): string[] {
  if (copy.knows(id)) return [];
  const splitId = copy
    .query(
      { split: 'text' },
      "SELECT COALESCE(json_extract(event, '$.transaction.splitId'), '') AS split FROM transaction_events WHERE id = ?",
    )
    .first(id)?.split;
  if (splitId === undefined || splitId === '') return [id];
  const legs = Array.from({ length: mostLegs }, (_, leg) => legIdOf(splitId, leg));
  return legs.filter((leg) => !copy.knows(leg) && copy.has('SELECT 1 FROM transaction_events WHERE id = ?', leg));
}

/** Returns the records of these transactions; none when one of them is not sound, or when they do not fit together. */
function fittingOf(recovery: Recovery, ids: readonly string[]): Fitting[] {
  const found = ids.map((id) => soundByEvent(recovery, id)).filter((one) => 'item' in one);
  const transactions = found.map(({ transaction }) => transaction);
  return found.length === ids.length && unfitFor(recovery, transactions) === undefined ? found : [];
}

const idColumns = { id: 'text', at: 'text' } as const;

function forgottenByEvents({ copy }: Recovery) {
  return copy.query(
    idColumns,
    `SELECT id, created_at AS at FROM transaction_events WHERE (created_at, id) > (?, ?)
      AND id NOT IN (SELECT id FROM records) AND id NOT IN (SELECT id FROM operations) AND id NOT IN (SELECT id FROM unreadable)
      ORDER BY created_at, id LIMIT ${pageSize}`,
  );
}

function forgottenByPayments({ copy }: Recovery) {
  return copy.query(
    idColumns,
    `SELECT reference AS id, MIN(paid_at) AS at FROM payments
      WHERE reference NOT IN (SELECT id FROM records) AND reference NOT IN (SELECT id FROM transaction_events)
      AND reference NOT IN (SELECT id FROM operations) AND reference NOT IN (SELECT id FROM unreadable)
      GROUP BY reference HAVING (MIN(paid_at), reference) > (?, ?) ORDER BY at, id LIMIT ${pageSize}`,
  );
}

async function putBackRound(
  recovery: Recovery,
  pages: ReturnType<typeof forgottenByEvents>,
  fitting: (id: string) => readonly Fitting[],
): Promise<number> {
  const { copy, report, table } = recovery;
  let count = 0;
  let last = { at: '', id: '' };
  for (let page = pages.all('', ''); page.length > 0; page = pages.all(last.at, last.id)) {
    const records: Item[] = [];
    for (const row of page) {
      last = row;
      for (const { item, transaction } of fitting(row.id)) {
        const { transactionId, status, type, amount, currency } = transaction;
        report.repairs('transaction', transactionId, `put back: a ${status} ${type} of ${amount} ${currency}`);
        copy.putTransaction(transaction);
        records.push(item);
      }
    }
    await forEachOf(records, writesAtATime, (item) => recovery.put(table, item, undefined));
    count += records.length;
  }
  return count;
}

/** Returns the record that the events of a forgotten transaction make, if no wallet gets a balance below its least by it. */
export function candidateOf(recovery: Recovery, id: string): Candidate {
  return fitting(recovery, soundByEvent(recovery, id));
}

function soundByEvent(recovery: Recovery, id: string): Candidate {
  const { copy } = recovery;
  const known = copy
    .query({ event: 'text', maker: 'text' }, 'SELECT event, maker FROM transaction_events WHERE id = ?')
    .first(id);
  if (known === undefined) return { reason: 'no event names it' };
  const event = transactionEventOf(known.event);
  const maker = known.maker === '' ? undefined : (JSON.parse(known.maker) as Maker);
  if (maker === undefined && !isPaid(recovery, event)) {
    return { reason: 'the archive lacks the event of its acceptance, which names its author' };
  }
  // Money that the bank has paid must not stay available, so the service stands in for an author that is not known.
  const item = recordOf(event, maker ?? service, factsOf(recovery));
  const { originalTransactionId, type, status, walletId } = event.transaction;
  if (status === 'scheduled' && type === 'withdrawal') {
    return { reason: 'it was scheduled, and its event hides the account' };
  }
  if (status === 'scheduled' && copy.wallet(walletId) === undefined) {
    return { reason: `its wallet ${walletId} is forgotten, too` };
  }
  if (originalTransactionId !== undefined && copy.record(originalTransactionId) === undefined) {
    return { reason: `${originalTransactionId}, the transaction that it follows, is forgotten, too` };
  }
  return soundRecord(recovery, item);
}

/** Returns whether the bank lists the payment of this withdrawal, and its event does not say that it failed. */
function isPaid({ copy }: Recovery, { transaction }: TransactionEvent): boolean {
  const { transactionId, type, status, amount, currency } = transaction;
  return (
    type === 'withdrawal' &&
    status !== 'failed' &&
    copy.has(
      'SELECT 1 FROM payments WHERE reference = ? AND amount = ? AND currency = ?',
      ...[transactionId, amount, currency],
    )
  );
}

/**
 * Returns the record of a payment whose withdrawal only its hold in the ledger shows: the wallet and the amount are
 * certain, the caller and the account are not known. What is held beside the amount is the fee, where the same sum has left
 * the wallet. Otherwise it may be other withdrawals that share the entry, also where an earlier recovery took the entry back.
 */
export function paidCandidate(recovery: Recovery, id: string): Candidate {
  const { copy, at } = recovery;
  const hold = copy
    .query(
      { wallet_id: 'text', at: 'text', amount: 'number', currency: 'text', fee: 'number' },
      `SELECT wallet_id, entries.at, amount, currency, held - amount AS fee FROM entries JOIN payments ON reference = name
        WHERE name = ? AND available = -held AND (held = amount OR held > amount AND EXISTS (SELECT 1 FROM entries AS ends
          WHERE ends.wallet_id = entries.wallet_id AND ends.name = entries.name AND ends.held = -entries.held
            AND ends.available = 0))`,
    )
    .all(id)
    .find(({ wallet_id: walletId, currency }) => currencyOfWalletId(walletId) === currency);
  if (hold === undefined) return { reason: 'neither the archive nor the ledger names its wallet' };
  const { wallet_id: walletId, at: createdAt, amount, currency, fee } = hold;
  const facts: CommandFacts = {
    ...{
      transactionId: id,
      principal: service.principal,
      ownerId: undefined,
      walletId,
      amount,
      currency,
      fee,
      at: createdAt,
    },
    description: 'made by a recovery from its payment and its hold',
  };
  const review = {
    ...{ status: 'review', dueAt: at, dueShard: reviewShard, updatedAt: at, bankId: recovery.bank?.bankId },
    attempts: [restoredVisit(at)],
  };
  const item = itemOf({ ...withdrawal({ ...facts, destination: { account: 'not known' } }), ...review });
  return fitting(recovery, soundRecord(recovery, item));
}

/** Returns the item of a record that the recovery makes. */
export function itemOf(transaction: Item & Pick<Transaction, 'transactionId' | 'createdAt'>): Item {
  return {
    ...transactionKey(transaction.transactionId),
    historyKey: historyKeyOf(transaction),
    ...versionOf(transaction),
    fingerprint: restoredFingerprint,
    ...transaction,
  };
}

/** Returns a record as a candidate if it is sound. */
function soundRecord(recovery: Recovery, item: Item): Candidate {
  const { copy } = recovery;
  const transaction = parsed(() => toTransaction(item));
  if (transaction === undefined) return { reason: 'it moves no money' };
  if (transaction instanceof UnreadableItem) return { reason: transaction.problem };
  const problem = problemOf(transaction);
  if (problem !== undefined || !hasWholeBookings(transaction)) return { reason: problem ?? 'it has no bookings' };
  const credited = creditedTwice(recovery, transaction);
  if (credited !== undefined) return { reason: credited, remedy: standInRemedy };
  const exceeded = exceededBy(copy, transaction);
  return exceeded === undefined ? { item, transaction } : { reason: exceeded };
}

/** Returns a record as a candidate if it is sound, and no wallet gets a balance below its least by it. */
export function soundCandidate(recovery: Recovery, item: Item): Candidate {
  return fitting(recovery, soundRecord(recovery, item));
}

function fitting(recovery: Recovery, candidate: Candidate): Candidate {
  const reason = 'reason' in candidate ? undefined : unfitFor(recovery, [candidate.transaction]);
  return reason === undefined ? candidate : { reason };
}

/** Returns why a wallet would get a balance below its least by these transactions; undefined when none would. */
function unfitFor({ copy }: Recovery, transactions: readonly Transaction[]): string | undefined {
  const bookings = transactions.flatMap((transaction) => bookingsOf(transaction));
  for (const [account, { available, held }] of changesOf(bookings.flatMap(({ postings }) => postings))) {
    if (account.includes(':')) continue;
    const wallet = copy.wallet(account);
    if (wallet === undefined) return `its wallet ${account} is forgotten, too`;
    const balance = copy.balanceOf(account);
    if (balance.available + available < leastOf(copy, wallet, transactions[0]) || balance.held + held < 0n) {
      return `${account} has only ${String(balance.available)} available: a credit is forgotten, too`;
    }
  }
  return undefined;
}
