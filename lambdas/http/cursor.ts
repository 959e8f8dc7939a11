import { invalid } from './request.ts';

/** Returns the end of a page as an opaque text; absent on the last page. */
export function cursorOf(next: string | undefined): string | undefined {
  return next === undefined ? undefined : Buffer.from(next).toString('base64url');
}

/**
 * Returns the position that a cursor stands for. It is a position in a list that the caller may read, so it needs no
 * signature. But the service must have been able to make it.
 *
 * @throws WalletError `invalid_request`
 */
export function readCursor(cursor: string | undefined, isValid: (position: string) => boolean): string | undefined {
  if (cursor === undefined) return undefined;
  const position = Buffer.from(cursor, 'base64url').toString();
  if (!isValid(position) || cursorOf(position) !== cursor) {
    throw invalid([{ path: 'cursor', message: 'must be the nextCursor of an earlier page of the same list' }]);
  }
  return position;
}

/** Returns whether a position is the version of an entry. */
export function isVersion(position: string): boolean {
  return /^\d{1,16}$/.test(position) && Number.isSafeInteger(Number(position));
}
