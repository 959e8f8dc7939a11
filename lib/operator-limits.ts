import type { OperatorLimits } from '../lambdas/contract.ts';

/**
 * Returns the limits as the functions read them.
 *
 * @throws Error for a currency that is no ISO code, and a limit that is no whole number of minor units, at least 1
 */
export function operatorLimitsText(limits: OperatorLimits): string {
  const { byCurrency = {}, ...general } = limits;
  for (const [currency, own] of Object.entries({ '': general, ...byCurrency })) {
    if (currency !== '' && !/^[A-Z]{3}$/.test(currency)) {
      throw new Error(`operatorLimits.byCurrency takes currencies as three capital letters, received "${currency}"`);
    }
    for (const [command, limit] of Object.entries(own)) {
      if (Number.isSafeInteger(limit) && limit >= 1) continue;
      const name = currency === '' ? command : `byCurrency.${currency}.${command}`;
      throw new Error(`operatorLimits.${name} must be a whole number of at least 1, received ${String(limit)}`);
    }
  }
  return JSON.stringify(limits);
}
