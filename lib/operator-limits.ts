import type { OperatorLimits } from '../lambdas/contract.ts';
import { checkCurrency, checkWhole } from './check-values.ts';

/**
 * Returns the limits as the functions read them.
 *
 * @throws Error for a currency that is no ISO code, and a limit that is no whole number of minor units, at least 1
 */
export function operatorLimitsText(limits: OperatorLimits): string {
  const { byCurrency = {}, ...general } = limits;
  checkLimits('operatorLimits', general);
  for (const [currency, own] of Object.entries(byCurrency)) {
    checkCurrency('operatorLimits.byCurrency', currency);
    checkLimits(`operatorLimits.byCurrency.${currency}`, own);
  }
  return JSON.stringify(limits);
}

function checkLimits(name: string, limits: Omit<OperatorLimits, 'byCurrency'>): void {
  for (const [command, limit] of Object.entries(limits)) checkWhole(`${name}.${command}`, limit, 1);
}
