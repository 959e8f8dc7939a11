import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { staleRefusal, statusRefusal, walletStatuses } from '../domain/wallet.ts';
import type { SeenStatus, StatusChange, Wallet, WalletStatus } from '../domain/wallet.ts';
import type { ClockReading } from '../domain/withdrawal.ts';
import { watchClock } from './database-clock.ts';
import { ownedWalletKey, ownerPartition, walletKey } from './keys.ts';
import { parseLimits } from './limit-items.ts';
import { putOperation, replayedRecord, replayOnly } from './operations.ts';
import type { Operation } from './operations.ts';
import { readParsed } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, ofThisVersion, readable, requireVersion, UnreadableItem } from './unreadable.ts';
import { denied, update, write } from './write.ts';
import type { Item } from './write.ts';

/**
 * Sets a wallet's status. Setting the status that it has already changes nothing but the version.
 *
 * @param refusal why the command is refused; when given, only a replay is answered
 * @throws WalletError `wallet_not_found`, `wallet_closed`, `wallet_not_empty`, `forbidden`, `idempotency_key_reused`,
 * `busy`
 * @throws UnreadableItem for a wallet of a newer version; nothing is written then
 */
export async function setWalletStatus(
  table: Table,
  operation: Operation,
  change: { walletId: string; status: WalletStatus; reason?: string | undefined },
  refusal?: WalletError,
): Promise<{ wallet: Wallet; replayed: boolean }> {
  const { status, reason } = change;
  const condition = statusCondition(status, operation.principal);
  const { at, approval } = operation;
  const lastStatusChange: StatusChange = { status, at, actor: actorOf(operation), reason, approvedBy: approval?.by };
  const record = putOperation(table, operation);
  const seen = seenCondition(approval?.asked);
  const items = [
    ...(approval?.items ?? []),
    {
      label: 'wallet status',
      request: {
        Update: update(table, walletKey(change.walletId), {
          set: '#status = :status, version = version + :one, updatedAt = :at, lastStatusChange = :change',
          if: `attribute_exists(pk) AND ${ofThisVersion.if} AND ${condition.if}${seen.if}`,
          values: {
            status,
            one: 1,
            at,
            change: lastStatusChange,
            ...ofThisVersion.values,
            ...condition.values,
            ...seen.values,
          },
        }),
      },
      refused: (image: Item | undefined) => {
        const wallet = toWallet(image);
        return denied(statusRefusal(wallet, status, operation.principal) ?? staleRefusal(wallet, approval?.asked));
      },
    },
  ];
  const result = await write(table, refusal === undefined ? [record, ...items] : [replayOnly(record, refusal)]);
  const replayed = replayedRecord(result) !== undefined;
  return { wallet: await existingWallet(table, change.walletId), replayed };
}

/**
 * Returns the condition that the status did not change after an approval was asked for: see `staleRefusal`. A later change
 * has another reason, which the approver may not know.
 */
function seenCondition(seen: SeenStatus | undefined): { readonly if: string; readonly values: Item } {
  if (seen === undefined) return { if: '', values: {} };
  const { statusChangedAt } = seen;
  return statusChangedAt === undefined
    ? { if: ' AND attribute_not_exists(lastStatusChange)', values: {} }
    : { if: ' AND lastStatusChange.#at = :changedAt', values: { changedAt: statusChangedAt } };
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
      return {
        if: '#total = :zero AND held = :zero AND (attribute_not_exists(scheduled) OR scheduled <= :zero)',
        values: { zero: 0 },
      };
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

/**
 * Reads a wallet that must exist, consistently.
 *
 * @throws WalletError `wallet_not_found`, `busy`
 */
export async function existingWallet(table: Table, walletId: string): Promise<Wallet> {
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
  return { ...(wallet as unknown as Wallet), ...parseLimits(item) };
}

/** Returns the wallet in an image; undefined when there was no item. */
export function toWallet(image: Item | undefined): Wallet | undefined {
  return image && parseWallet(image);
}
