/** Puts back the holds that a restore forgot, and whose captures it has: what they took must not be available. */
import { service } from '../../lambdas/domain/actor.ts';
import { endPostings, longestHoldMs, openHold } from '../../lambdas/domain/hold.ts';
import { problemOf } from '../../lambdas/domain/bookings.ts';
import type { Capture, Hold, Transaction } from '../../lambdas/domain/transaction.ts';
import { transactionKey } from '../../lambdas/store/keys.ts';
import { dueShardOf } from '../../lambdas/store/due-keys.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { parsed, readable, UnreadableItem } from '../../lambdas/store/unreadable.ts';
import type { Item } from '../../lambdas/store/write.ts';
import type { Maker } from './archive.ts';
import { transactionEventOf } from './archive.ts';
import { hiddenDifference } from './hidden.ts';
import { factsOf, itemOf } from './put-back.ts';
import { justBefore, recordOf } from './records.ts';
import type { Recovery } from './recovery.ts';

const description = 'made by a recovery from its captures';

/** What the captures of a forgotten hold show. */
interface Taken {
  readonly id: string;
  /** The sum of the captures, and what they took out of the held money: a final capture also gives back the rest. */
  readonly captured: number;
  readonly taken: number;
  readonly first: string;
  readonly last: string;
  /** One of the captures. */
  readonly capture: Capture;
}

/** A hold that may be put back, and what a person must know of it. */
interface Found {
  readonly item: Item;
  readonly source: string;
  readonly difference?: { readonly kind: string; readonly detail: string; readonly remedy: string };
}

/**
 * Puts back each forgotten hold whose captures have records: from its event, or from its entry in the ledger, or else with
 * the amount that its captures took. The money was there when the hold was opened, so the balance of its wallet does not
 * matter: `bookMissingCredits` follows. Names those that have captures which cannot be read: what is left of them is not known.
 *
 * @returns the number of holds
 */
export async function putBackHolds(recovery: Recovery): Promise<number> {
  const { copy, report, table } = recovery;
  const orphans = copy.query(
    { id: 'text', one: 'text', captured: 'number', taken: 'number', first: 'text', last: 'text' },
    `SELECT counterpart AS id, MIN(captures.id) AS one, SUM(captures.amount) AS captured, -SUM(held) AS taken,
        MIN(created_at) AS first, MAX(created_at) AS last
      FROM records AS captures JOIN bookings ON bookings.id = captures.id AND account = wallet_id
      WHERE type = 'capture' AND counterpart NOT IN (SELECT id FROM records)
        AND counterpart NOT IN (SELECT id FROM operations) AND counterpart NOT IN (SELECT id FROM unreadable)
        AND counterpart NOT IN (SELECT original FROM unreadable)
      GROUP BY counterpart HAVING COUNT(DISTINCT wallet_id) = 1`,
  );
  let count = 0;
  for (const { one, ...sums } of orphans.all()) {
    const item = await recovery.read(transactionKey(one));
    const capture = item && readable(toTransaction(item));
    if (capture?.type !== 'capture') continue;
    const taken = { ...sums, capture };
    const found = byEvent(recovery, taken) ?? byLedger(recovery, taken) ?? byCaptures(taken);
    const hold = soundHold(found.item, taken);
    if (hold === undefined) continue;
    report.repairs(
      'transaction',
      hold.transactionId,
      `put back: a hold of ${hold.amount} ${hold.currency}, ${found.source}`,
    );
    if (found.difference !== undefined) report.differs({ subject: hold.transactionId, ...found.difference });
    copy.putTransaction(hold);
    await recovery.put(table, found.item, undefined);
    count++;
  }
  nameUncertainHolds(recovery);
  return count;
}

/** Names forgotten holds of which a capture cannot be read. */
function nameUncertainHolds({ copy, report }: Recovery): void {
  const uncertain = copy.query(
    { id: 'text', hidden: 'number', firstHidden: 'text' },
    `SELECT original AS id, COUNT(*) AS hidden, MIN(unreadable.id) AS firstHidden FROM unreadable
      WHERE original <> '' AND type NOT IN ('return', 'refund') AND original NOT IN (SELECT id FROM records)
        AND original NOT IN (SELECT id FROM operations) AND original NOT IN (SELECT id FROM unreadable)
      GROUP BY original`,
  );
  for (const hold of uncertain.all()) {
    report.differs(hiddenDifference('capture', hold, 'it is forgotten, and is not put back'));
  }
}

/** Returns the hold that an item is; undefined when it is no sound hold, or not that of the captures. */
function soundHold(item: Item, { taken, last, capture }: Taken): Hold | undefined {
  const hold: Transaction | UnreadableItem | undefined = parsed(() => toTransaction(item));
  if (hold === undefined || hold instanceof UnreadableItem || hold.type !== 'hold') return undefined;
  if (problemOf(hold) !== undefined || hold.amount < taken || hold.expiresAt <= last) return undefined;
  const members = ['walletId', 'counterpartyWalletId', 'currency'] as const;
  return members.every((name) => hold[name] === capture[name]) ? hold : undefined;
}

/** Returns the hold by its event. The service stands in for an author that the archive does not have. */
function byEvent(recovery: Recovery, taken: Taken): Found | undefined {
  const known = recovery.copy
    .query({ event: 'text', maker: 'text' }, 'SELECT event, maker FROM transaction_events WHERE id = ?')
    .first(taken.id);
  if (known === undefined) return undefined;
  const maker = known.maker === '' ? service : (JSON.parse(known.maker) as Maker);
  const item = recordOf(transactionEventOf(known.event), maker, factsOf(recovery));
  return soundHold(item, taken) && { item, source: 'by its event' };
}

/**
 * Returns the hold by its entries in the ledger, which have its amount and its end. Its expiry is not known: while money is
 * left, the latest one counts, so that no promise ends early.
 */
function byLedger(recovery: Recovery, taken: Taken): Found | undefined {
  const { id, capture, first, captured } = taken;
  const changes = recovery.copy
    .query(
      { at: 'text', available: 'number', held: 'number' },
      `SELECT at, SUM(available) AS available, SUM(held) AS held FROM entries
        WHERE wallet_id = ? AND name = ? AND at <> '' GROUP BY at HAVING SUM(held) <> 0 ORDER BY at`,
    )
    .all(capture.walletId, id);
  const [opening, ending, ...others] = changes;
  if (opening === undefined || others.length > 0 || opening.at > first) return undefined;
  if (opening.held <= 0 || changes.some(({ available, held }) => available !== -held)) return undefined;
  if (ending !== undefined && ending.held > 0) return undefined;
  const item = itemOfHold(taken, { amount: opening.held, at: opening.at, endedAt: ending?.at });
  if (soundHold(item, taken) === undefined) return undefined;
  const left = opening.held - captured;
  const isOpen = ending === undefined && opening.held > taken.taken && captured === taken.taken;
  if (!isOpen) return { item, source: 'by its entries in the ledger' };
  return {
    item,
    source: 'by its entry in the ledger',
    difference: {
      kind: 'hold_forgotten',
      detail: `${left} ${capture.currency} are held by it, and its expiry is not known: it ends at ${String(item['expiresAt'])}`,
      remedy: 'ask its caller for its expiry, and release it then',
    },
  };
}

/** Returns an open hold of the amount that its captures took. `linkCaptures` then ends it, so nothing more is captured. */
function byCaptures(taken: Taken): Found {
  const { first, capture } = taken;
  return {
    item: itemOfHold(taken, { amount: taken.taken, at: justBefore(first) }),
    source: 'by its captures alone',
    difference: {
      kind: 'hold_forgotten',
      detail: `its captures took ${taken.taken} ${capture.currency}, and no source shows what else it held: its payer has the rest`,
      remedy: 'ask its caller for its amount, and open another hold for the rest if it is still wanted',
    },
  };
}

/** Returns the record of a hold. `linkCaptures` ends one whose captures took all. */
function itemOfHold(
  { id, captured, capture }: Taken,
  { amount, at, endedAt }: { readonly amount: number; readonly at: string; readonly endedAt?: string | undefined },
): Item {
  const { walletId, currency, counterpartyWalletId, to } = capture;
  const latest = new Date(Date.parse(at) + longestHoldMs).toISOString();
  const facts = { transactionId: id, principal: service.principal, ownerId: undefined, walletId, amount, currency, at };
  // The sweeper may have ended it later.
  const expiresAt = endedAt !== undefined && endedAt < latest ? endedAt : latest;
  const { dueAt, ...hold } = { ...openHold({ ...facts, description, counterpartyWalletId, expiresAt }), captured };
  const { counterpartyWalletId: toWalletId, ...stored } = itemOf({ ...hold, ...(to !== undefined && { to }) });
  if (endedAt === undefined) return { ...stored, toWalletId, dueAt, dueShard: dueShardOf('hold', id) };
  const ended = { status: 'ended', end: 'expired', completedAt: endedAt, updatedAt: endedAt };
  return { ...stored, toWalletId, ...ended, postings: [...hold.postings, ...endPostings({ ...hold, dueAt })] };
}

/**
 * Names wallets of which more held money was taken than their records hold. A record that cannot be read may have held it.
 */
export function nameMissingHolds({ copy, report }: Recovery): void {
  const missing = copy.query(
    { wallet_id: 'text', missing: 'text' },
    `SELECT account AS wallet_id, CAST(-SUM(held) AS TEXT) AS missing FROM bookings WHERE account NOT LIKE '%:%'
      GROUP BY account HAVING SUM(held) < 0`,
  );
  for (const { wallet_id: walletId, missing: amount } of missing.all()) {
    report.differs({
      kind: 'hold_missing',
      subject: walletId,
      detail: `its records take ${amount} more than they hold: taken from the available money`,
      remedy: 'restore the records of its holds and withdrawals by hand; then run this again',
    });
  }
}
