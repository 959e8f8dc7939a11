/**
 * Returns the wallets in the variable `REVENUE_WALLETS`, by currency. Throws, so that the cold start fails.
 *
 * @throws SyntaxError for a text that is not JSON, Error for a value that is no such record
 */
export function readRevenueWallets(variable: string): Readonly<Record<string, string>> {
  const value: unknown = JSON.parse(variable);
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isRecord && Object.values(value).every((walletId) => typeof walletId === 'string')) {
    return value as Readonly<Record<string, string>>;
  }
  throw new Error(`environment variable REVENUE_WALLETS must be wallets by currency, received ${variable}`);
}
