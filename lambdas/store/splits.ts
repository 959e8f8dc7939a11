import { WalletError } from '../domain/errors.ts';
import { netChanges, ofLeg } from '../domain/split.ts';
import type { Leg, NetChange, Split } from '../domain/split.ts';
import type { Transaction } from '../domain/transaction.ts';
import { putTransaction } from './commit.ts';
import { transactionKey } from './keys.ts';
import { checkWallet, credit, creditReceiver, debit } from './movements.ts';
import { putRecord, replayedRecord, replayOnly } from './operations.ts';
import { referenceItems } from './references.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import type { Table } from './table.ts';
import { asUnavailable } from './transfers.ts';
import { getTransactions } from './transactions.ts';
import { readable } from './unreadable.ts';
import { write } from './write.ts';
import type { Refusal, WriteItem, Written } from './write.ts';

/** The result of a split: its legs as they are now, and whether its key had been used before. */
export interface CommittedSplit {
  readonly split: Split;
  readonly replayed: boolean;
}

/**
 * Books the legs of a split, all or none, in one write of 2 + 4 n + 2 w write units for n legs and w wallets, and 2 more for
 * an end user, and for each unique reference. Each wallet has one update, with its net change; one whose legs cancel out is only checked. A replay reads the
 * legs: one more round trip.
 *
 * @param rate counts each leg
 * @param overLimit as for `commitCharge`
 * @throws WalletError as `commitTransfer`; that of a wallet names the first leg that touches it, except `receiver_unavailable` for
 * an end user who pays several wallets. `idempotency_key_reused` also for a repetition whose legs a restore of the table has lost
 */
export async function commitSplit(
  table: Table,
  split: Split,
  fingerprint: string,
  rate: RateLimit | undefined,
  overLimit?: WalletError,
): Promise<CommittedSplit> {
  const put = putSplit(table, split, fingerprint);
  const refusal = overLimit ?? neverAllowed(rate);
  const limited = limitedBy(table, rate, split.createdAt);
  const items = [
    put,
    ...split.legs.map((leg) => putLeg(table, leg, fingerprint)),
    ...changesOf(table, split),
    ...split.legs.flatMap((leg, index) => referenceItems(table, leg).map((item) => namingLeg(index, item, undefined))),
  ];
  const result = await write(
    table,
    refusal === undefined ? [...items, ...limited.items] : [replayOnly(put, refusal)],
    limited.reads,
  );
  if (replayedRecord(ofMissingFirst(result)) === undefined) return { split, replayed: false };
  return { split: await readSplit(table, split), replayed: true };
}

/** Returns the refusal of more legs than an hour allows: a new window would take them. */
function neverAllowed(rate: RateLimit | undefined): WalletError | undefined {
  if (rate?.count === undefined || rate.count <= rate.perHour) return undefined;
  const detail = `the request has ${rate.count} legs, and an hour takes ${rate.perHour}`;
  return new WalletError('rate_limited', { detail, limit: rate.perHour, retryAfterSeconds: 3_600 });
}

/** Puts the record of the command. The ids of the legs follow from its own. */
function putSplit(table: Table, { splitId, legs, createdAt }: Split, fingerprint: string): WriteItem {
  const principal = legs[0]?.principal;
  const record = { type: 'operation', fingerprint, principal, createdAt, legs: legs.length };
  return putRecord(table, { ...transactionKey(splitId), ...record });
}

/**
 * Puts the record of a leg. One that is there is of the same key: a restore has lost the record of the command, and a recovery
 * has put the leg back. `readSplit` decides then.
 */
function putLeg(table: Table, leg: Leg, fingerprint: string): WriteItem {
  return {
    ...putTransaction(table, leg, fingerprint),
    label: `leg ${leg.transactionId}`,
    refused: (image) => image && { kind: 'replay', record: image },
  };
}

/**
 * Returns a result whose first refusal, of a receiver that takes no money, gives way to that of a wallet that does not exist.
 * An end user who names such a wallet learns nothing about the other receivers.
 */
function ofMissingFirst(result: Written): Written {
  if (result.written) return result;
  const { refusals } = result;
  const isDenied = (refusal: Refusal, code: WalletError['code']) =>
    refusal.kind === 'denied' && refusal.error.code === code;
  const missing = refusals.find((refusal) => isDenied(refusal, 'wallet_not_found'));
  return missing !== undefined && isDenied(refusals[0], 'receiver_unavailable')
    ? { written: false, refusals: [missing, ...refusals] }
    : result;
}

/**
 * Returns the changes of the wallets. Those that pay come first, as their refusals concern the caller. An end user does not
 * learn which of several receivers takes no money: together with one that never does, it would try for free what the others
 * take.
 */
function changesOf(table: Table, split: Split): WriteItem[] {
  const changes = netChanges(split);
  const isOfOwner = split.legs[0]?.ownerId !== undefined;
  const payers = new Set(split.legs.map(({ walletId }) => walletId));
  const received = split.legs.filter(({ counterpartyWalletId: walletId }) => !payers.has(walletId));
  // By their names: that an alias has the wallet of another leg is not shown.
  const receivers = new Set(received.map(({ to, counterpartyWalletId: walletId }) => to ?? walletId));
  const hidden = isOfOwner && receivers.size > 1 ? 'receiver_unavailable' : undefined;
  return changes.map((change) => namingLeg(change.leg, changeOf(table, split, change), hidden));
}

function changeOf(table: Table, { legs, currency, createdAt: at }: Split, change: NetChange): WriteItem {
  const { walletId, net, pays, isByAlias, largest, transactionId } = change;
  const ownerId = pays ? legs[0]?.ownerId : undefined;
  if (net === 0) return checkWallet(table, { walletId, ownerId, currency });
  const movement = { walletId, ownerId, currency, transactionId, at, amount: Math.abs(net), largest };
  if (net < 0) return debit(table, movement);
  return pays ? credit(table, movement) : asUnavailable(isByAlias, creditReceiver(table, movement));
}

/** Returns an item whose refusal names a leg, unless it has the code `hidden`. */
function namingLeg(leg: number, item: WriteItem, hidden: WalletError['code'] | undefined): WriteItem {
  return {
    ...item,
    refused: (image) => {
      const refusal = item.refused(image);
      if (refusal?.kind === 'outdated') return { ...refusal, again: namingLeg(leg, refusal.again, hidden) };
      const isNamed = refusal?.kind === 'denied' && refusal.error.code !== hidden;
      return isNamed ? { ...refusal, error: ofLeg(leg, refusal.error) } : refusal;
    },
  };
}

/** Reads the legs of a split that was committed before. Each must be there, and move the money that was asked for. */
async function readSplit(table: Table, split: Split): Promise<Split> {
  const ids = split.legs.map(({ transactionId }) => transactionId);
  const found = await getTransactions(table, ids);
  const legs = split.legs.map((leg, index): Leg => {
    const stored = found.get(leg.transactionId);
    const transaction = stored && readable(stored);
    if (transaction !== undefined && isSameLeg(transaction, leg)) return transaction;
    const detail =
      'it is not as the key has booked it, and nothing was booked now; use another key for what is missing';
    throw ofLeg(index, new WalletError('idempotency_key_reused', { detail }));
  });
  return { ...split, legs, createdAt: legs[0]?.createdAt ?? split.createdAt };
}

function isSameLeg(transaction: Transaction, leg: Leg): transaction is Leg {
  const stored: Partial<Leg> = transaction.type === 'transfer' && !transaction.queued ? transaction : {};
  // An alias may have another wallet of its owner by now.
  const receiver = leg.to === undefined ? 'counterpartyWalletId' : 'to';
  const members = ['type', 'splitId', 'walletId', receiver, 'amount', 'currency'] as const;
  return members.every((name) => stored[name] === leg[name]);
}
