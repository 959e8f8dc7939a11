import { currencyOfWalletId, feeCommands } from '../lambdas/contract.ts';
import type { FeeRule, Fees } from '../lambdas/contract.ts';
import { checkCurrency, checkWhole } from './check-values.ts';

/** Fees by command, and the wallets that they are collected into: docs/fees.md. */
export interface FeesOptions extends Fees {
  /**
   * The wallet that the fees of a currency are collected into, by ISO code. It must exist when the first fee is collected.
   *
   * @default - no fees are collected; they stay on the account of fees
   */
  readonly revenueWallets?: Readonly<Record<string, string>>;
}

/** The fees as the functions read them. */
export interface FeesTexts {
  /** `Fees` as JSON. */
  readonly fees: string;
  /** The revenue wallets by currency, as JSON. */
  readonly revenueWallets: string;
}

/** The most bytes of these props as JSON. All variables of a function have 4 KB together. */
const mostBytes = 3_000;
const ruleMembers: readonly string[] = ['flat', 'basisPoints', 'minimum', 'maximum'] satisfies (keyof FeeRule)[];
/** Less than the whole amount. */
const mostBasisPoints = 9_999;

/**
 * Returns the options as the functions read them.
 *
 * @param others the other long variables of the functions that take fees
 * @throws Error for a command that has no fees, a member that is no part of a fee, a number out of its bounds, a minimum
 * above its maximum, and a bound without basis points. Also for a currency that is no ISO code, a wallet that is none of
 * its currency, and too many of them
 */
export function feesTexts({ revenueWallets = {}, ...fees }: FeesOptions, others: readonly string[]): FeesTexts {
  checkMembers('fees', fees, [...feeCommands, 'revenueWallets']);
  for (const command of feeCommands) {
    const { byCurrency = {}, ...general } = fees[command] ?? {};
    checkRule(`fees.${command}`, general);
    for (const [currency, own] of Object.entries(byCurrency)) {
      checkCurrency(`fees.${command}.byCurrency`, currency);
      checkRule(`fees.${command}.byCurrency.${currency}`, own);
    }
  }
  for (const [currency, walletId] of Object.entries(revenueWallets)) {
    checkCurrency('fees.revenueWallets', currency);
    if (currencyOfWalletId(walletId) !== currency) {
      throw new Error(
        `fees.revenueWallets.${currency} must be the id of a wallet in ${currency}, received "${walletId}"`,
      );
    }
  }
  const texts = { fees: JSON.stringify(fees), revenueWallets: JSON.stringify(revenueWallets) };
  checkBytes('fees, operatorLimits and fourEyes', [texts.fees, ...others]);
  checkBytes('fees.revenueWallets', [texts.revenueWallets]);
  return texts;
}

function checkRule(name: string, rule: FeeRule): void {
  checkMembers(name, rule, ruleMembers);
  const { flat, basisPoints, minimum, maximum } = rule;
  checkWhole(`${name}.flat`, flat, 0);
  checkWhole(`${name}.basisPoints`, basisPoints, 0, mostBasisPoints);
  checkWhole(`${name}.minimum`, minimum, 0);
  checkWhole(`${name}.maximum`, maximum, 0);
  const bound = minimum ?? maximum;
  if (bound !== undefined && basisPoints === undefined) {
    throw new Error(`${name} takes minimum and maximum only with basisPoints, received ${bound}`);
  }
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    throw new Error(`${name}.minimum must be at most its maximum, ${maximum}, received ${minimum}`);
  }
}

/** Throws for a member that is not known. A function would refuse it at its start. */
function checkMembers(name: string, members: object, known: readonly string[]): void {
  const unknown = Object.keys(members).find((member) => !known.includes(member));
  if (unknown !== undefined) throw new Error(`${name} takes ${known.join(', ')}, received "${unknown}"`);
}

function checkBytes(names: string, texts: readonly string[]): void {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= mostBytes) return;
  throw new Error(`${names} must have at most ${mostBytes} bytes together as JSON, received ${bytes}`);
}
