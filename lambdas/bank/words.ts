/** Checks and masks the bank's texts about a payment, before they are stored or shown. */

/** Returns whether the value is a code. Codes are words, so that an account cannot pass for one. */
export function isCode(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z]+(?:_[a-z]+)*$/.test(value) && value.length <= 64;
}

/**
 * Returns the bank's text for the wallet's owner and for logs: at most 200 characters, no account in one of
 * its usual groupings, and no control characters. Text that is not Unicode is replaced, because the database cannot store it.
 */
export function withoutAccounts(message: string, account?: string): string {
  const masked = account === undefined ? message : message.replaceAll(account, '****');
  return masked
    .slice(0, 200)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Z}]+/gu, ' ')
    .replace(/(?:[A-Z]*\d(?:[ .-](?=[A-Z]*\d))?){6,}[A-Z0-9]*/gi, '****');
}
