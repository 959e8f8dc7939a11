/** What the bank says of a payment in words, before it is stored or shown to anybody. */

/** Codes are words, so that nothing like an account can pass for one. */
export function isCode(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z]+(?:_[a-z]+)*$/.test(value) && value.length <= 64;
}

/**
 * Returns the bank's words as the wallet's owner and logs may have them: at most 200 characters and no account. Text that
 * is not Unicode is replaced, because the database cannot store it.
 */
export function withoutAccounts(message: string, account?: string): string {
  const masked = account === undefined ? message : message.replaceAll(account, '****');
  return masked
    .slice(0, 200)
    .toWellFormed()
    .replace(/(?:[A-Z]*\d(?:[ -](?=[A-Z]*\d))?){6,}[A-Z0-9]*/gi, '****');
}
