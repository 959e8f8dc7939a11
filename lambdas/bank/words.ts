/** What the bank says of a payment in words, before it is stored or shown to anybody. */

/** Codes are words, so that nothing like an account can pass for one. */
export function isCode(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z]+(?:_[a-z]+)*$/.test(value) && value.length <= 64;
}

/**
 * The bank's words go to the wallet's owner and into logs: at most 200 characters, nothing like an account, and Unicode,
 * as nothing else can be stored.
 */
export function withoutAccounts(message: string, account?: string): string {
  const masked = account === undefined ? message : message.replaceAll(account, '****');
  return masked
    .slice(0, 200)
    .toWellFormed()
    .replace(/(?:[A-Z]*\d(?:[ -](?=[A-Z]*\d))?){6,}[A-Z0-9]*/gi, '****');
}
