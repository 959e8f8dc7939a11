import type { Sum } from './money.ts';

/**
 * Decimals of the currencies that have not two, as ISO 4217 lists them. The tables of `Intl` differ from ISO 4217: they
 * follow the use in shops. A currency that ISO 4217 gives no minor unit counts whole units.
 */
const decimals: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XDR XOF XPF XSU XUA'
      .split(' ')
      .map((code) => [code, 0]),
  ),
  ...Object.fromEntries('BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3])),
  ...{ CLF: 4, UYW: 4 },
};

/** Returns how many decimals the amounts of a currency have: 2 for EUR, as its minor unit is a cent. */
export function decimalsOf(currency: string): number {
  return decimals[currency] ?? 2;
}

/** Returns an amount in minor units as an exact decimal text: -1234 of EUR is `-12.34`. */
export function decimalText(amount: Sum, currency: string): string {
  const places = decimalsOf(currency);
  const exact = BigInt(amount);
  const digits = String(exact < 0n ? -exact : exact).padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  return `${exact < 0n ? '-' : ''}${whole}${places === 0 ? '' : `.${digits.slice(-places)}`}`;
}
