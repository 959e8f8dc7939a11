import type { Item } from './write.ts';

/** The version of items that this release writes and reads. An item without `v` is of this version. */
export const itemVersion = 1;

/**
 * The version of the record of a transaction with a fee. A release that does not know fees would move the amount alone, so it
 * must leave the record as it is.
 */
export const feeVersion = 2;

/**
 * The condition that a stored item is of this version, with its value. It is for writes that read nothing first: they
 * would change an item that this release does not understand.
 */
export const ofThisVersion = { if: '(attribute_not_exists(v) OR v = :itemVersion)', values: { itemVersion } } as const;

/** Returns the version attribute of a transaction's record; none for version 1. */
export function versionOf(transaction: object): { readonly v?: typeof feeVersion } {
  return 'fee' in transaction ? { v: feeVersion } : {};
}

/** As `ofThisVersion`, for the record of a transaction: also one with a fee. */
export const ofTransactionVersion = {
  if: '(attribute_not_exists(v) OR v = :itemVersion OR (v = :feeVersion AND attribute_exists(fee)))',
  values: { itemVersion, feeVersion },
} as const;

/**
 * The error of a stored item that this release cannot read: of an unknown type or status, of a newer version, or
 * without an id. A newer release may read it, so a consumer keeps the item or its message for later
 * (docs/adr/0021-versions-of-items-and-messages.md). The message holds no personal data.
 */
export class UnreadableItem extends Error {
  override readonly name: string = 'UnreadableItem';
  /** The defect, as a part of a sentence about the item. */
  readonly problem: string;

  constructor({ pk, sk }: Item, problem: string, options?: ErrorOptions) {
    super(`item ${String(pk)} ${String(sk)} cannot be read: ${problem}`, options);
    this.problem = problem;
  }
}

/**
 * The error of an item of a known type and version that lacks a member of its type, or has one that its type cannot
 * have. No release writes such an item.
 */
export class InvalidItem extends UnreadableItem {
  override readonly name = 'InvalidItem';
}

/**
 * Checks the version of an item.
 *
 * @throws UnreadableItem when the version is a newer one
 */
export function requireVersion(item: Item): void {
  const { v = itemVersion, type } = item;
  if (v === itemVersion) return;
  const kind = typeof type === 'string' ? ` of type "${type}"` : '';
  throw new UnreadableItem(item, `version ${String(v)}${kind}, and this release reads version ${itemVersion}`);
}

/** Does as `requireVersion` for the record of a transaction. */
export function requireTransactionVersion(item: Item): void {
  if (item['v'] !== feeVersion || item['fee'] === undefined) requireVersion(item);
}

/** Returns what `parse` returns, or its error about the item, so that one item does not fail those read with it. */
export function parsed<T>(parse: () => T): T | UnreadableItem {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UnreadableItem) return error;
    throw error;
  }
}

/** Returns a parsed item. Throws the error of one that cannot be read. */
export function readable<T>(item: T | UnreadableItem): T {
  if (item instanceof UnreadableItem) throw item;
  return item;
}

/** Returns a parsed item; undefined for one that cannot be read, so that it does not hide the others of a list. */
export function legible<T>(item: T | UnreadableItem): T | undefined {
  return item instanceof UnreadableItem ? undefined : item;
}
