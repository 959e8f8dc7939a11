import { longestTierName, tierName } from '../lambdas/contract.ts';
import type { Tiers, WalletLimits } from '../lambdas/contract.ts';
import { checkCurrency, checkWhole } from './check-values.ts';

/** The most bytes of all tiers and operator limits as JSON. All variables of a function have 4 KB together. */
const mostBytes = 3_000;

const flowLimitNames = ['perTransaction', 'perDay', 'perMonth'] as const;
const walletLimitNames: readonly string[] = ['out', 'in', 'minimumBalance', 'creditLine', 'maximumBalance'];
type FlowLimits = NonNullable<WalletLimits['out']>;

/**
 * Returns the tiers as the functions read them.
 *
 * @param operatorLimits the other variable of their function
 * @throws Error for a name out of its form, a limit that is no whole number of minor units, and a member that is no limit.
 * Also for a currency that is no ISO code, and too many tiers
 */
export function tiersText(tiers: Tiers, operatorLimits: string): string {
  for (const [name, { byCurrency = {}, ...general }] of Object.entries(tiers)) {
    if (!tierName.test(name) || name.length > longestTierName) {
      throw new Error(
        `tiers takes names of 1 to ${longestTierName} small letters, digits and hyphens, received "${name}"`,
      );
    }
    checkLimits(`tiers.${name}`, general);
    for (const [currency, own] of Object.entries(byCurrency)) {
      checkCurrency(`tiers.${name}.byCurrency`, currency);
      checkLimits(`tiers.${name}.byCurrency.${currency}`, own);
    }
  }
  const text = JSON.stringify(tiers);
  const bytes = Buffer.byteLength(text) + Buffer.byteLength(operatorLimits);
  if (bytes > mostBytes) {
    throw new Error(
      `tiers and operatorLimits must have at most ${mostBytes} bytes together as JSON, received ${bytes}`,
    );
  }
  return text;
}

function checkLimits(name: string, limits: WalletLimits): void {
  checkMembers(name, limits, walletLimitNames);
  for (const flow of ['out', 'in'] as const) {
    const amounts: FlowLimits = limits[flow] ?? {};
    checkMembers(`${name}.${flow}`, amounts, flowLimitNames);
    for (const limit of flowLimitNames) checkWhole(`${name}.${flow}.${limit}`, amounts[limit], 0);
  }
  for (const balanceLimit of ['minimumBalance', 'creditLine', 'maximumBalance'] as const) {
    checkWhole(`${name}.${balanceLimit}`, limits[balanceLimit], 0);
  }
  if (limits.minimumBalance !== undefined && limits.creditLine !== undefined) {
    const received = `${limits.minimumBalance} and ${limits.creditLine}`;
    throw new Error(`${name} takes minimumBalance or creditLine, received both, ${received}`);
  }
}

/** Throws for a member that is no limit. A function would refuse it at its start. */
function checkMembers(name: string, members: object, known: readonly string[]): void {
  const unknown = Object.keys(members).find((member) => !known.includes(member));
  if (unknown !== undefined) throw new Error(`${name} takes ${known.join(', ')}, received "${unknown}"`);
}
