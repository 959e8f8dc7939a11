import type { FlowLimits, UsedLimits, WalletLimits } from '../domain/limits.ts';
import { isSum } from '../domain/money.ts';
import { InvalidItem, UnreadableItem } from './unreadable.ts';
import type { Item } from './write.ts';

/**
 * Returns the limits of a wallet's item and what is used of them. Their members have a fixed order, so that equal limits
 * have equal texts.
 *
 * @throws UnreadableItem for a limit that this release does not know: a command must not ignore one
 */
export function parseLimits(item: Item): { readonly limits?: WalletLimits; readonly used?: UsedLimits } {
  const { limits, used } = item;
  if (limits === undefined && used === undefined) return {};
  return { limits: limitsIn(item, limits), used: usedIn(item, used) };
}

const flowNames = ['perTransaction', 'perDay', 'perMonth'] as const;
const balanceNames = ['minimumBalance', 'creditLine', 'maximumBalance'] as const;

function limitsIn(item: Item, value: unknown): WalletLimits {
  const limits = membersOf(item, 'limits', value, ['out', 'in', ...balanceNames]);
  const flow = (name: 'out' | 'in'): { readonly [Name in typeof name]?: FlowLimits } =>
    limits[name] === undefined
      ? {}
      : {
          [name]: amounts(
            item,
            `limits.${name}`,
            membersOf(item, `limits.${name}`, limits[name], flowNames),
            flowNames,
          ),
        };
  return { ...flow('out'), ...flow('in'), ...amounts(item, 'limits', limits, balanceNames) };
}

function usedIn(item: Item, value: unknown): UsedLimits {
  const { day, outDay, outMonth, inDay, inMonth } = membersOf(item, 'used', value, [
    'day',
    'outDay',
    'outMonth',
    'inDay',
    'inMonth',
  ]);
  if (typeof day !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new InvalidItem(item, 'used.day is no day');
  if (isUsed(outDay) && isUsed(outMonth) && isUsed(inDay) && isUsed(inMonth)) {
    return { day, outDay, outMonth, inDay, inMonth };
  }
  throw new InvalidItem(item, 'a sum in used is no amount');
}

function isUsed(value: unknown): value is UsedLimits['outDay'] {
  return isSum(value) && value >= 0;
}

/** Returns a map's members. Throws for one with other names. */
function membersOf(item: Item, name: string, value: unknown, names: readonly string[]): Item {
  if (typeof value !== 'object' || value === null) throw new InvalidItem(item, `${name} is no map`);
  const unknown = Object.keys(value).find((member) => !names.includes(member));
  if (unknown !== undefined) throw new UnreadableItem(item, `${name} has ${unknown}, which this release does not know`);
  return { ...value };
}

/** Returns the members of these names, which are amounts. */
function amounts<Name extends string>(
  item: Item,
  of: string,
  members: Item,
  names: readonly Name[],
): { readonly [N in Name]?: number } {
  const found: { [N in Name]?: number } = {};
  for (const name of names) {
    const value = members[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw new InvalidItem(item, `${of}.${name} is no amount`);
    }
    found[name] = value;
  }
  return found;
}
