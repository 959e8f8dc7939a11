import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { isBeingImported, reaches } from '../domain/wallet.ts';
import type { Reach, Wallet } from '../domain/wallet.ts';
import { patchedDetails } from '../domain/wallet-details.ts';
import type { DetailsPatch, StoredDetails, WalletDetails } from '../domain/wallet-details.ts';
import { aliasItems, changedMeanwhile } from './aliases.ts';
import { detailsKey, walletKey } from './keys.ts';
import { putOperation, replayedRecord, replayOnly } from './operations.ts';
import type { Operation } from './operations.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import { readParsed } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, ofThisVersion, readable, requireVersion } from './unreadable.ts';
import { existingWallet, getWallet, toWallet } from './wallets.ts';
import { denied, namedValues, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/**
 * The details of wallets are items of their own, so that no movement of money pays for their size. A wallet says whether it
 * has such an item.
 */

/** A change of a wallet's details. */
export interface DetailsChange extends Reach {
  readonly walletId: string;
  readonly patch: DetailsPatch;
  readonly rate: RateLimit | undefined;
  /** Returns why a wallet may not have these details. */
  readonly refusalOf: (details: WalletDetails) => WalletError | undefined;
}

/**
 * Changes the details of a wallet in any status, unless it is being imported, as the import would not go on: the record of the key, the details, and the first time the wallet, whose
 * ledger gets an entry without a change. Later the wallet is only checked. A change of the alias also writes the alias, the one
 * before, and the first time the record of those that the owner took.
 *
 * @throws WalletError `wallet_not_found`, `wallet_frozen`, that of `refusalOf`, `alias_unavailable`, `too_many_aliases`, `idempotency_key_reused`,
 * `rate_limited`, `busy`
 */
export async function changeDetails(
  table: Table,
  operation: Operation,
  change: DetailsChange,
): Promise<{ wallet: Wallet; details: WalletDetails; replayed: boolean }> {
  const { walletId, rate } = change;
  const record = putOperation(table, operation);
  const found = await getWallet(table, walletId, { consistent: true });
  const wallet = found && reaches(change, found) ? found : undefined;
  const details = wallet && (await getDetails(table, wallet));
  const patched = patchedDetails(details ?? {}, change.patch);
  const aliases =
    wallet === undefined || change.patch.alias === undefined
      ? { items: [] }
      : await aliasItems(table, { wallet, before: details?.alias, after: patched.alias, at: operation.at });
  const refusal =
    wallet === undefined
      ? new WalletError('wallet_not_found')
      : (importRefusal(wallet) ?? change.refusalOf(patched) ?? aliases.refusal);
  const limited = limitedBy(table, rate, operation.at);
  const items =
    wallet === undefined || refusal !== undefined
      ? [replayOnly(record, refusal ?? new WalletError('wallet_not_found'))]
      : [
          record,
          walletItem(table, wallet, operation),
          detailsItem(table, { operation, wallet, change }, details),
          ...aliases.items,
          ...limited.items,
        ];
  const replayed = replayedRecord(await write(table, items, limited.reads)) !== undefined;
  const after = await existingWallet(table, walletId);
  return { wallet: after, details: (await getDetails(table, after)) ?? {}, replayed };
}

function importRefusal(wallet: Wallet): WalletError | undefined {
  if (!isBeingImported(wallet)) return undefined;
  return new WalletError('wallet_frozen', { detail: `wallet ${wallet.walletId} is being imported` });
}

/** Marks the wallet as one with details, or checks that it is still there. Its owner never changes. */
function walletItem(table: Table, { walletId, hasDetails }: Wallet, { at }: Operation): WriteItem {
  const refused = (image: Item | undefined) =>
    denied(toWallet(image) === undefined ? new WalletError('wallet_not_found') : undefined);
  const condition = `attribute_exists(pk) AND ${ofThisVersion.if}`;
  if (hasDetails !== true) {
    return {
      label: 'wallet of details',
      request: {
        Update: update(table, walletKey(walletId), {
          set: 'hasDetails = :true, version = version + :one, updatedAt = :at',
          if: condition,
          values: { ...ofThisVersion.values, true: true, one: 1, at },
        }),
      },
      refused,
    };
  }
  return {
    label: 'wallet of details',
    request: {
      ConditionCheck: {
        TableName: table.name,
        Key: walletKey(walletId),
        ConditionExpression: condition,
        ExpressionAttributeValues: namedValues(ofThisVersion.values),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused,
  };
}

interface Changing {
  readonly operation: Operation;
  readonly wallet: Pick<Wallet, 'walletId' | 'ownerId'>;
  readonly change: Pick<DetailsChange, 'patch' | 'refusalOf'>;
}

/** Puts the details that a patch makes of `before`. Made again from the stored ones when another change was faster. */
function detailsItem(table: Table, changing: Changing, before: StoredDetails | undefined): WriteItem {
  const { operation, wallet, change } = changing;
  const details = newDetails(wallet, patchedDetails(before ?? {}, change.patch), operation, before);
  return {
    ...putDetails(table, details, before),
    refused: (image) => {
      const stored = image && parseDetails(image);
      const refusal = change.refusalOf(patchedDetails(stored ?? {}, change.patch));
      // The write was made for the alias before, which another change may have removed.
      if (change.patch.alias !== undefined && refusal === undefined) {
        return stored?.version === before?.version ? undefined : denied(changedMeanwhile());
      }
      return denied(refusal) ?? { kind: 'outdated', again: detailsItem(table, changing, stored) };
    },
  };
}

/** Puts the first details of a wallet that is opened in the same write. */
export function putFirstDetails(
  table: Table,
  wallet: Pick<Wallet, 'walletId' | 'ownerId'>,
  details: WalletDetails,
  operation: Operation,
): WriteItem {
  return { ...putDetails(table, newDetails(wallet, details, operation), undefined), refused: () => undefined };
}

function newDetails(
  { walletId, ownerId }: Pick<Wallet, 'walletId' | 'ownerId'>,
  details: WalletDetails,
  operation: Operation,
  before?: StoredDetails,
): StoredDetails {
  const { version = 0 } = before ?? {};
  const { at } = operation;
  return { walletId, ownerId, ...details, version: version + 1, updatedAt: at, changedBy: actorOf(operation) };
}

function putDetails(
  table: Table,
  details: StoredDetails,
  before: StoredDetails | undefined,
): Omit<WriteItem, 'refused'> {
  return {
    label: 'details',
    request: {
      Put: {
        TableName: table.name,
        Item: { ...detailsKey(details.walletId), v: itemVersion, ...details },
        ...(before === undefined
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'version = :seen',
              ExpressionAttributeValues: { ':seen': before.version },
            }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
  };
}

/** Reads the details of a wallet, consistently. Reads nothing for a wallet that says that it has none. */
export async function getDetails(
  table: Table,
  { walletId, hasDetails }: Pick<Wallet, 'walletId' | 'hasDetails'>,
): Promise<StoredDetails | undefined> {
  if (hasDetails !== true) return undefined;
  const command = new GetCommand({ TableName: table.name, Key: detailsKey(walletId), ConsistentRead: true });
  const { Item } = await withRetries(table, () => table.client.send(command));
  return Item && parseDetails(Item);
}

/** Reads the details of up to 100 wallets in one call, by wallet. Reads nothing for those that say that they have none. */
export async function listDetails(table: Table, wallets: readonly Wallet[]): Promise<Map<string, StoredDetails>> {
  const ids = wallets.flatMap(({ walletId, hasDetails }) => (hasDetails === true ? walletId : []));
  const found = await readParsed(table, ids, detailsKey, parseDetails);
  return new Map([...found].map(([walletId, details]) => [walletId, readable(details)]));
}

/**
 * Returns the details in a stored item.
 *
 * @throws UnreadableItem for a newer version; InvalidItem for those of another wallet, and for an item that lacks a member
 */
export function parseDetails(item: Item): StoredDetails {
  requireVersion(item);
  const { pk, sk, v, ...details } = item;
  const { walletId, ownerId, version } = details;
  if (detailsKey(String(walletId)).pk !== pk) throw new InvalidItem(item, `its id is ${String(walletId)}`);
  if (typeof ownerId !== 'string' || typeof version !== 'number') throw new InvalidItem(item, 'it lacks a member');
  return details as unknown as StoredDetails;
}
