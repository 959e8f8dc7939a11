/** Amounts as people read and write them. All of it is text and integers: no amount is ever a fraction. */

const digitsOf = new Map<string, number>();

/** Returns the decimals of a currency: 2 for USD, 0 for JPY. */
export function decimalsOf(currency: string): number {
  let digits = digitsOf.get(currency);
  if (digits === undefined) {
    try {
      const options = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
      digits = options.maximumFractionDigits ?? 2;
    } catch {
      digits = 2;
    }
    digitsOf.set(currency, digits);
  }
  return digits;
}

/**
 * Returns an amount of minor units as `-1,234.50 USD`. A number beyond 2^53 has lost its last digits on the way here,
 * and is marked with `≈`.
 */
export function amountText(amount: number | bigint, currency: string): string {
  const decimals = decimalsOf(currency);
  const exact = typeof amount === 'bigint' ? amount : BigInt(Math.trunc(amount));
  const digits = String(exact < 0n ? -exact : exact).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ',');
  const fraction = decimals === 0 ? '' : `.${digits.slice(-decimals)}`;
  const sign = amount < 0 ? '-' : '';
  const mark = typeof amount === 'bigint' || Number.isSafeInteger(amount) ? '' : '≈ ';
  return `${mark}${sign}${whole}${fraction} ${currency}`;
}

/** Returns the minor units of `1234.5` or `1,234.50`; undefined for a text that is no amount above zero. */
export function amountIn(text: string, currency: string): number | undefined {
  const decimals = decimalsOf(currency);
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, whole = '', fraction = ''] = match;
  if (fraction.length > decimals) return undefined;
  const amount = Number(whole.replaceAll(',', '') + fraction.padEnd(decimals, '0'));
  return Number.isSafeInteger(amount) && amount >= 1 ? amount : undefined;
}
