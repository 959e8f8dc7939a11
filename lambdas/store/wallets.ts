import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { walletIdOf } from '../domain/ids.ts';
import { maxAmount } from '../domain/money.ts';
import {
  chargebackRefusal,
  creditRefusal,
  debitRefusal,
  openWallet,
  ownDecision,
  receiverRefusal,
  statusRefusal,
  useRefusal,
  walletStatuses,
} from '../domain/wallet.ts';
import type { Reach, StatusChange, Wallet, WalletStatus } from '../domain/wallet.ts';
import type { ClockReading } from '../domain/withdrawal.ts';
import { watchClock } from './database-clock.ts';
import { ownedWalletKey, ownerPartition, walletKey } from './keys.ts';
import { putOperation, replayedRecord } from './operations.ts';
import type { Operation } from './operations.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import { readParsed } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, ofThisVersion, readable, requireVersion, UnreadableItem } from './unreadable.ts';
import { denied, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/**
 * Opens an empty wallet: the wallet, its line under its owner and the record of the key, in one write.
 *
 * @throws WalletError `idempotency_key_reused`, `rate_limited`, `busy`
 */
export async function createWallet(
  table: Table,
  operation: Operation,
  request: { ownerId: string; currency: string; rate: RateLimit | undefined },
): Promise<{ wallet: Wallet; replayed: boolean }> {
  const walletId = walletIdOf(operation.principal, operation.idempotencyKey, request.currency);
  const { ownerId, currency } = request;
  const wallet = openWallet({ walletId, ownerId, currency, at: operation.at, createdBy: actorOf(operation) });
  const limited = limitedBy(table, request.rate, operation.at);
  const items = [
    putOperation(table, operation),
    {
      label: 'wallet',
      request: {
        Put: {
          TableName: table.name,
          Item: { ...walletKey(walletId), v: itemVersion, ...wallet },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      refused: () => undefined,
    },
    {
      label: "owner's line",
      request: {
        Put: { TableName: table.name, Item: { ...ownedWalletKey(request.ownerId, walletId), walletId } },
      },
      refused: () => undefined,
    },
    ...limited.items,
  ];
  const replayed = replayedRecord(await write(table, items, limited.reads)) !== undefined;
  return { wallet: replayed ? await existingWallet(table, walletId) : wallet, replayed };
}

/**
 * Sets a wallet's status. Setting the status that it has already changes nothing but the version.
 *
 * @throws WalletError `wallet_not_found`, `wallet_closed`, `wallet_not_empty`, `forbidden`, `idempotency_key_reused`,
 * `busy`
 * @throws UnreadableItem for a wallet of a newer version; nothing is written then
 */
export async function setWalletStatus(
  table: Table,
  operation: Operation,
  change: { walletId: string; status: WalletStatus; reason?: string | undefined },
): Promise<{ wallet: Wallet; replayed: boolean }> {
  const { status, reason } = change;
  const condition = statusCondition(status, operation.principal);
  const lastStatusChange: StatusChange = { status, at: operation.at, actor: actorOf(operation), reason };
  const result = await write(table, [
    putOperation(table, operation),
    {
      label: 'wallet status',
      request: {
        Update: update(table, walletKey(change.walletId), {
          set: '#status = :status, version = version + :one, updatedAt = :at, lastStatusChange = :change',
          if: `attribute_exists(pk) AND ${ofThisVersion.if} AND ${condition.if}`,
          values: {
            status,
            one: 1,
            at: operation.at,
            change: lastStatusChange,
            ...ofThisVersion.values,
            ...condition.values,
          },
        }),
      },
      refused: (image) => denied(statusRefusal(toWallet(image), status, operation.principal)),
    },
  ]);
  const replayed = replayedRecord(result) !== undefined;
  return { wallet: await existingWallet(table, change.walletId), replayed };
}

/** Returns the condition that lets `principal` give a wallet a status: see `statusRefusal`. */
function statusCondition(to: WalletStatus, principal: string): { readonly if: string; readonly values: Item } {
  switch (to) {
    case 'active':
      return {
        if: '(#status <> :closed OR #total <> :zero) AND ownerId <> :principal',
        values: { closed: 'closed', zero: 0, principal },
      };
    case 'frozen':
      return { if: '#status <> :closed', values: { closed: 'closed' } };
    case 'closed':
      // Held money can make up for available money below zero.
      return { if: '#total = :zero AND held = :zero', values: { zero: 0 } };
  }
}

/** Reads a wallet: half a read unit, or a whole one when it must show every write that was answered before. */
export async function getWallet(
  table: Table,
  walletId: string,
  options: { consistent: boolean } = { consistent: false },
): Promise<Wallet | undefined> {
  const { Item } = await withRetries(table, () => table.client.send(readWallet(table, walletId, options)));
  return Item && parseWallet(Item);
}

/**
 * Reads a wallet, consistently: one read unit.
 *
 * @returns also the clock reading of the answer; undefined when the answer names no time
 * @throws WalletError `busy`
 */
export async function getWalletWithClock(
  table: Table,
  walletId: string,
): Promise<{ wallet: Wallet | undefined; clock: ClockReading | undefined }> {
  const command = readWallet(table, walletId, { consistent: true });
  const clock = watchClock(command, table.now);
  const { Item } = await withRetries(table, () => table.client.send(command));
  return { wallet: Item && parseWallet(Item), clock: clock() };
}

function readWallet({ name }: Table, walletId: string, { consistent }: { consistent: boolean }): GetCommand {
  return new GetCommand({ TableName: name, Key: walletKey(walletId), ConsistentRead: consistent });
}

/**
 * Lists the wallets of an owner, by id.
 *
 * @param page `limit` wallets after the wallet `after`; at most 100, the limit of one batch read
 */
export async function listWallets(
  table: Table,
  ownerId: string,
  page: { limit: number; after: string | undefined },
): Promise<{ items: Wallet[]; next?: string }> {
  const owned = await withRetries(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        KeyConditionExpression: 'pk = :owner AND sk > :after',
        ExpressionAttributeValues: {
          ':owner': ownerPartition(ownerId),
          ':after': ownedWalletKey(ownerId, page.after ?? '').sk,
        },
        Limit: page.limit,
        // A wallet is on its owner's list as soon as its creation was answered.
        ConsistentRead: true,
      }),
    ),
  );
  const walletIds = (owned.Items ?? []).map((item) => item['walletId'] as string);
  const wallets = await getWallets(table, walletIds);
  const last = owned.LastEvaluatedKey && walletIds.at(-1);
  const items = walletIds.flatMap((walletId) => readable(wallets.get(walletId)) ?? []);
  return last === undefined ? { items } : { items, next: last };
}

/**
 * Reads up to 100 wallets in one call, by id; those that do not exist are left out. One that cannot be read does not
 * fail the others.
 */
export async function getWallets(
  table: Table,
  walletIds: readonly string[],
): Promise<Map<string, Wallet | UnreadableItem>> {
  return readParsed(table, walletIds, walletKey, parseWallet);
}

/** A change of a wallet's money by a command: its owner, its amount in minor units, and its transaction. */
export interface Movement extends Reach {
  readonly walletId: string;
  readonly amount: number;
  readonly currency: string;
  readonly transactionId: string;
  readonly at: string;
}

/** Takes available money out of the wallet. */
export function debit(table: Table, movement: Movement): WriteItem {
  return useWallet(table, movement, {
    label: 'debit',
    set: 'available = available - :amount, #total = #total - :amount',
    if: 'available >= :amount',
    refused: (wallet) => debitRefusal(wallet, movement),
  });
}

/**
 * Takes money out that the world outside has taken already: whatever the wallet's balance and status, so `available` may
 * go below zero. `chargedBack` shows by how much it may.
 */
export function chargeBack(table: Table, movement: Movement): WriteItem {
  const { walletId, currency } = movement;
  return {
    label: 'chargeback',
    request: {
      Update: update(table, walletKey(walletId), {
        set:
          'available = available - :amount, #total = #total - :amount, ' +
          `chargedBack = if_not_exists(chargedBack, :zero) + :amount, ${stamp}`,
        if: `${ofThisVersion.if} AND currency = :currency`,
        values: { ...stampValues(movement), ...ofThisVersion.values, currency, zero: 0 },
      }),
    },
    refused: (image) => denied(chargebackRefusal(toWallet(image), movement)),
  };
}

/** Reserves available money. */
export function hold(table: Table, movement: Movement): WriteItem {
  return useWallet(table, movement, {
    label: 'hold',
    set: 'available = available - :amount, held = held + :amount',
    if: 'available >= :amount',
    refused: (wallet) => debitRefusal(wallet, movement),
  });
}

/** Puts money into the wallet. */
export function credit(table: Table, movement: Movement): WriteItem {
  return creditOf(table, movement, { refusalOf: creditRefusal });
}

/** Does as `credit`, and marks the wallet as crowded. */
export function creditCrowd(table: Table, movement: Movement): WriteItem {
  return creditOf(table, movement, { refusalOf: creditRefusal, isCrowd: true });
}

/** Does as `credit`, for a receiver whose state the payer must not see. */
export function creditReceiver(table: Table, movement: Movement & Decision): WriteItem {
  const { decidedBy } = movement;
  return creditOf(table, movement, { refusalOf: receiverRefusal, decidedBy });
}

function creditOf(
  table: Table,
  movement: Movement,
  { refusalOf, isCrowd = false, decidedBy }: { refusalOf: typeof creditRefusal; isCrowd?: boolean } & Decision,
): WriteItem {
  return useWallet(table, movement, {
    label: 'credit',
    set: `available = available + :amount, #total = #total + :amount${isCrowd ? ', isCrowded = :crowded' : ''}`,
    if: `#total <= :room${othersMoney(decidedBy)}`,
    values: { room: maxAmount - movement.amount, ...(isCrowd && { crowded: true }), decidedBy },
    refused: (wallet) => refusalOf(wallet, movement) ?? ownMoneyRefusal(wallet, decidedBy),
  });
}

/** Gives money back that had left. Works in every status and beyond the balance limit, as the money is the owner's. */
export function giveBack(table: Table, movement: PromisedMovement): WriteItem {
  return {
    label: 'give back',
    request: {
      Update: update(table, walletKey(movement.walletId), {
        set: `available = available + :amount, #total = #total + :amount, ${stamp}`,
        if: 'attribute_exists(pk)',
        values: stampValues(movement),
      }),
    },
    // Wallets are never deleted.
    refused: () => undefined,
  };
}

/**
 * A movement of an earlier decision: neither owner nor currency is checked again. The wallet may be of a newer version,
 * because promised money must move in every release.
 */
type PromisedMovement = Omit<Movement, 'ownerId' | 'currency'>;

/** The operator who decides about the money of a wallet, and so must not own it. */
interface Decision {
  readonly decidedBy?: string | undefined;
}

/** Returns the condition that the operator who decides does not own the wallet. */
function othersMoney(decidedBy: string | undefined): string {
  return decidedBy === undefined ? '' : ' AND ownerId <> :decidedBy';
}

/** Returns the refusal of an operator who decides about money of its own. */
function ownMoneyRefusal(
  wallet: { readonly ownerId?: unknown } | undefined,
  decidedBy: string | undefined,
): WalletError | undefined {
  return decidedBy !== undefined && wallet?.ownerId === decidedBy ? ownDecision('wallet') : undefined;
}

/** A movement of held money. */
type HeldMovement = PromisedMovement & Decision;

/** Removes held money, which has left. Works in every status of the wallet, as the money was promised before. */
export function settleHold(table: Table, movement: HeldMovement): WriteItem {
  return consumeHold(table, movement, 'held = held - :amount, #total = #total - :amount');
}

/** Makes held money available again. Works in every status of the wallet. */
export function releaseHold(table: Table, movement: HeldMovement): WriteItem {
  return consumeHold(table, movement, 'held = held - :amount, available = available + :amount');
}

/**
 * Takes `amount` of held money out of the wallet for good, and makes `rest` of it available again. Unlike `settleHold`, it
 * needs an active wallet: nothing leaves a frozen one.
 */
export function captureHeld(table: Table, movement: Movement & Decision, rest: number): WriteItem {
  const { walletId, transactionId, amount, decidedBy } = movement;
  return useWallet(table, movement, {
    label: `capture ${transactionId} of money held in ${walletId}`,
    set: 'held = held - :taken, available = available + :rest, #total = #total - :amount',
    if: `held >= :taken${othersMoney(decidedBy)}`,
    values: { taken: amount + rest, rest, decidedBy },
    // An open hold whose money is not held breaks an invariant. So `refused` has no reading for it, and the write throws.
    refused: (wallet) => useRefusal(wallet, movement) ?? ownMoneyRefusal(wallet, decidedBy),
  });
}

const stamp = 'version = version + :one, lastTransactionId = :transactionId, updatedAt = :at';

function stampValues(movement: PromisedMovement) {
  return { amount: movement.amount, one: 1, transactionId: movement.transactionId, at: movement.at };
}

function useWallet(
  table: Table,
  movement: Movement,
  use: {
    label: string;
    set: string;
    if: string;
    values?: Item;
    refused: (wallet: Wallet | undefined) => WalletError | undefined;
  },
): WriteItem {
  const owned = movement.ownerId === undefined ? '' : ' AND ownerId = :ownerId';
  return {
    label: use.label,
    request: {
      Update: update(table, walletKey(movement.walletId), {
        set: `${use.set}, ${stamp}`,
        if: `${ofThisVersion.if} AND #status = :active AND currency = :currency AND ${use.if}${owned}`,
        values: {
          ...stampValues(movement),
          ...ofThisVersion.values,
          active: 'active',
          currency: movement.currency,
          ...use.values,
          ...(owned !== '' && { ownerId: movement.ownerId }),
        },
      }),
    },
    refused: (image) => denied(use.refused(toWallet(image))),
  };
}

function consumeHold(table: Table, movement: HeldMovement, set: string): WriteItem {
  const { decidedBy } = movement;
  return {
    label: `consume hold of ${movement.transactionId} in ${movement.walletId}`,
    request: {
      Update: update(table, walletKey(movement.walletId), {
        set: `${set}, ${stamp}`,
        if: `held >= :amount${othersMoney(decidedBy)}`,
        values: { ...stampValues(movement), decidedBy },
      }),
    },
    // An open withdrawal whose money is not held breaks an invariant. So `refused` has no reading for it, and the write
    // throws.
    refused: (image) => denied(ownMoneyRefusal(image, decidedBy)),
  };
}

async function existingWallet(table: Table, walletId: string): Promise<Wallet> {
  const wallet = await getWallet(table, walletId, { consistent: true });
  if (wallet === undefined) throw new WalletError('wallet_not_found');
  return wallet;
}

/**
 * Returns the wallet in a stored item, without the item's keys. Sums and times are not checked: projector and check of
 * the books judge them.
 *
 * @throws UnreadableItem for a newer version, or a status that no wallet of this version has; InvalidItem for the id of
 * another wallet
 */
export function parseWallet(item: Item): Wallet {
  requireVersion(item);
  const { pk, sk, v, ...wallet } = item;
  const { walletId } = wallet;
  if (typeof walletId !== 'string') throw new UnreadableItem(item, 'it has no id');
  if (walletKey(walletId).pk !== pk) throw new InvalidItem(item, `its id is ${walletId}`);
  if (!walletStatuses.some((status) => status === wallet['status'])) {
    throw new UnreadableItem(item, `status "${String(wallet['status'])}", which this release does not know`);
  }
  return wallet as unknown as Wallet;
}

function toWallet(image: Item | undefined): Wallet | undefined {
  return image && parseWallet(image);
}
