/** Aliases, and the record of those that an owner took. Commands without an alias neither read nor write them. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import {
  aliasIn,
  aliasNameOf,
  aliasRefusal,
  mostAliases,
  walletPaidBy,
  withoutWallet,
  withWallet,
} from '../domain/alias.ts';
import type { Alias } from '../domain/alias.ts';
import { WalletError } from '../domain/errors.ts';
import { isWalletId } from '../domain/ids.ts';
import type { Wallet } from '../domain/wallet.ts';
import { aliasKey, takenAliasesKey } from './keys.ts';
import { readItems } from './read.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, requireVersion } from './unreadable.ts';
import { denied } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/**
 * Reads an alias, consistently; undefined when it was never taken. One read unit.
 *
 * @throws WalletError `busy`
 */
export async function getAlias(table: Table, alias: string): Promise<Alias | undefined> {
  const command = new GetCommand({ TableName: table.name, Key: aliasKey(aliasNameOf(alias)), ConsistentRead: true });
  const { Item } = await withRetries(table, () => table.client.send(command));
  return Item && parseAlias(Item);
}

/** A payment that names its receiver by its wallet or by its alias, `to`. */
interface Named {
  readonly toWalletId?: string | undefined;
  readonly to?: string | undefined;
}

/** Most items that one call reads. */
const mostRead = 100;

/**
 * Reads the aliases of payments, each once and consistently: one read unit each, and one round trip for a hundred. Without
 * an alias it reads nothing.
 *
 * @returns a function that returns the wallet that one of them goes to: of an alias as `walletPaidBy`, with the alias as
 * it is stored
 * @throws WalletError `busy`
 */
export async function receiversOf(
  table: Table,
  payments: readonly Named[],
): Promise<(payment: Named, currency: string) => { readonly toWalletId: string; readonly to?: string }> {
  const names = [...new Set(payments.flatMap(({ to }) => (to === undefined ? [] : [aliasNameOf(aliasIn(to))])))];
  const stored = new Map<string, Alias>();
  for (let start = 0; start < names.length; start += mostRead) {
    for (const item of await readItems(table, names.slice(start, start + mostRead).map(aliasKey))) {
      const alias = parseAlias(item);
      stored.set(aliasNameOf(alias.alias), alias);
    }
  }
  return ({ to, toWalletId }, currency) => {
    if (to === undefined) {
      if (toWalletId === undefined) throw new Error('the payment names no receiver');
      return { toWalletId };
    }
    const alias = aliasIn(to);
    return { to: `@${alias}`, toWalletId: walletPaidBy(alias, stored.get(aliasNameOf(alias)), currency) };
  };
}

/** A change of the alias of a wallet. */
export interface AliasChange {
  readonly wallet: Pick<Wallet, 'walletId' | 'ownerId' | 'currency'>;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/**
 * Returns what a change of a wallet's alias adds to its write, and why it cannot be made. It reads both aliases first; a
 * change of them meanwhile is `busy`, as a repetition then finds it.
 */
export async function aliasItems(
  table: Table,
  { wallet, before, after, at }: AliasChange,
): Promise<{ readonly items: WriteItem[]; readonly refusal?: WalletError | undefined }> {
  const items: WriteItem[] = [];
  if (before !== undefined && (after === undefined || aliasNameOf(before) !== aliasNameOf(after))) {
    const left = withoutWallet(await getAlias(table, before), wallet, at);
    if (left !== undefined) items.push(putAlias(table, left));
  }
  if (after === undefined) return { items };
  const stored = await getAlias(table, after);
  // Refused before the name is looked at: an owner who can take no more would learn for free which names are taken.
  const { ownerId } = wallet;
  const isTooMany = stored?.ownerId !== ownerId && (await hasTakenOthers(table, ownerId, aliasNameOf(after)));
  const refusal = isTooMany ? new WalletError('too_many_aliases') : aliasRefusal(after, stored, wallet);
  if (refusal !== undefined) return { items: [], refusal };
  items.push(putAlias(table, withWallet(after, stored, wallet, at)));
  if (stored === undefined) items.push(countAlias(table, ownerId, aliasNameOf(after)));
  return { items };
}

/**
 * Returns whether an owner has taken as many aliases as it ever can, and this is none of them. A restore may have forgotten the
 * alias of a name that counts. One read unit.
 */
async function hasTakenOthers(table: Table, ownerId: string, name: string): Promise<boolean> {
  const command = new GetCommand({ TableName: table.name, Key: takenAliasesKey(ownerId), ConsistentRead: true });
  const { Item } = await withRetries(table, () => table.client.send(command));
  const names: unknown = Item?.['aliases'];
  return isFull(names, name);
}

/** Puts an alias on condition that it is as it was before this change. So one of several owners takes it. */
function putAlias(table: Table, alias: Alias): WriteItem {
  const seen = alias.version - 1;
  return {
    label: 'alias',
    request: {
      Put: {
        TableName: table.name,
        Item: aliasItem(alias),
        ...(seen === 0
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'ownerId = :owner AND version = :seen',
              ExpressionAttributeValues: { ':owner': alias.ownerId, ':seen': seen },
            }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused: (image) => {
      const stored = image && parseAlias(image);
      if (stored !== undefined && stored.ownerId !== alias.ownerId) return denied(new WalletError('alias_unavailable'));
      return (stored?.version ?? 0) === seen ? undefined : denied(changedMeanwhile());
    },
  };
}

/** Adds a name to those that its owner took. */
function countAlias(table: Table, ownerId: string, name: string): WriteItem {
  return {
    label: 'aliases of an owner',
    request: {
      Update: {
        TableName: table.name,
        Key: takenAliasesKey(ownerId),
        UpdateExpression: 'ADD aliases :names',
        ConditionExpression: 'attribute_not_exists(pk) OR size(aliases) < :most OR contains(aliases, :name)',
        ExpressionAttributeValues: { ':names': new Set([name]), ':name': name, ':most': mostAliases },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused: (image) => {
      return isFull(image?.['aliases'], name) ? denied(new WalletError('too_many_aliases')) : undefined;
    },
  };
}

/** Returns whether these are all names that an owner can take, without this one. */
function isFull(names: unknown, name: string): boolean {
  return names instanceof Set && names.size >= mostAliases && !names.has(name);
}

/** Returns the error of a change that another change of the same wallet or alias was faster than. */
export function changedMeanwhile(): WalletError {
  return new WalletError('busy', { retryAfterSeconds: 1 });
}

/** Returns the stored item of an alias. */
export function aliasItem(alias: Alias): Item {
  return { ...aliasKey(aliasNameOf(alias.alias)), v: itemVersion, ...alias };
}

/**
 * Returns the alias in a stored item.
 *
 * @throws UnreadableItem for a newer version; InvalidItem for an item that lacks a member
 */
export function parseAlias(item: Item): Alias {
  requireVersion(item);
  const { pk, alias, ownerId, wallets, version, updatedAt } = item;
  if (typeof alias !== 'string' || typeof ownerId !== 'string' || typeof updatedAt !== 'string') {
    throw new InvalidItem(item, 'it lacks a text');
  }
  if (aliasKey(aliasNameOf(alias)).pk !== pk) throw new InvalidItem(item, `its alias is ${alias}`);
  if (typeof version !== 'number') throw new InvalidItem(item, 'it has no version');
  return { alias, ownerId, wallets: walletsIn(item, wallets), version, updatedAt };
}

function walletsIn(item: Item, wallets: unknown): Alias['wallets'] {
  const found: Record<string, string> = {};
  for (const [currency, walletId] of Object.entries(wallets ?? {})) {
    if (typeof walletId !== 'string' || !isWalletId(walletId)) throw new InvalidItem(item, `${currency} has no wallet`);
    found[currency] = walletId;
  }
  return found;
}
