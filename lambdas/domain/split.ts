import { WalletError } from './errors.ts';
import { feeOf, withFee } from './fee.ts';
import type { Fees } from './fee.ts';
import { currencyOfWalletId, legIdOf } from './ids.ts';
import { maxAmount } from './money.ts';
import { referenceTwiceIn } from './transaction-record.ts';
import type { Annotations, CommandFacts } from './transaction-record.ts';
import type { DirectTransfer } from './transaction.ts';
import { transfer } from './transfer.ts';
import { walletNotFound } from './wallet.ts';

/** Most legs of one split. With the wallets, the record and the rate window they fit into one write of 100 items. */
export const mostLegs = 50;
/** Most wallets of one split. */
export const mostWallets = 40;
/** Most legs, wallets and unique references of one split together: one write has 100 items. */
const mostItems = 98;

/** One payment of a split, as the caller asks for it. `amount` is in minor units. */
export interface SplitLeg extends Annotations {
  readonly fromWalletId: string;
  /** The receiver: its wallet, or its alias `to`. */
  readonly toWalletId?: string | undefined;
  readonly to?: string | undefined;
  readonly amount: number;
  readonly uniqueReference?: true | undefined;
}

/** A transfer that is a leg of a split. */
export type Leg = DirectTransfer & { readonly splitId: string };

/** Transfers that are booked together, all or none. */
export interface Split {
  /** The id of the record of the command. */
  readonly splitId: string;
  /** The sum of the legs, in minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly legs: readonly Leg[];
  readonly createdAt: string;
}

/** A leg with the fee of its transfer, in minor units; 0 when there is none. */
export interface PricedLeg extends SplitLeg {
  readonly fee: number;
}

/** A leg whose receiving wallet is known. */
export interface ReceivedLeg extends PricedLeg {
  readonly toWalletId: string;
}

/** The price of a split: each leg with its fee, and the sums. Minor units. */
export interface SplitPrice {
  readonly legs: readonly PricedLeg[];
  readonly amount: number;
  readonly fee: number;
  /** What the paying sides of all legs give. */
  readonly paid: number;
}

/** The facts that a command needs to make its split. `ownerId`: the caller of an owner's command. */
export interface SplitFacts extends Pick<CommandFacts, 'principal' | 'issuer' | 'ownerId' | 'currency' | 'at'> {
  readonly splitId: string;
  readonly legs: readonly ReceivedLeg[];
}

/**
 * Returns why legs cannot be one split, whatever their wallets hold; undefined when they can.
 *
 * @param currency that of the request; absent: that of the first wallet
 */
export function legsRefusal(legs: readonly SplitLeg[], currency?: string): WalletError | undefined {
  const [first] = legs;
  const expected = currency ?? (first && currencyOfWalletId(first.fromWalletId));
  for (const [leg, { fromWalletId, toWalletId }] of legs.entries()) {
    const at = (refusal: WalletError) => ofLeg(leg, refusal);
    for (const walletId of [fromWalletId, ...(toWalletId === undefined ? [] : [toWalletId])]) {
      const held = currencyOfWalletId(walletId);
      if (held === undefined) return at(walletNotFound(walletId));
      if (held !== expected) return at(currencyMismatch(held, expected));
    }
    if (fromWalletId === toWalletId) return at(new WalletError('same_wallet'));
  }
  // Each alias counts as a wallet, so that the count does not show which of them have one owner.
  const wallets = new Set(legs.flatMap(({ fromWalletId, toWalletId, to }) => [fromWalletId, to ?? toWalletId]));
  if (wallets.size > mostWallets) return invalidLegs(`must have at most ${mostWallets} wallets`);
  const twice = referenceTwiceIn(legs);
  if (twice !== undefined) {
    return invalid(`legs.${twice.at}.externalReference`, `is the unique reference of legs[${twice.first}]`);
  }
  const references = legs.filter(({ uniqueReference }) => uniqueReference).length;
  if (legs.length + wallets.size + references > mostItems) {
    return invalidLegs(`must have at most ${mostItems} legs, wallets and unique references together`);
  }
  return sumsUp(legs) ? undefined : invalidLegs(`must have amounts that add up to at most ${maxAmount}`);
}

/**
 * Returns the refusal of an alias that is of the wallet which pays; undefined when there is none. It is no reason to refuse a
 * repetition: the alias may have had another wallet then.
 */
export function ownAliasRefusal(legs: readonly ReceivedLeg[]): WalletError | undefined {
  const leg = legs.findIndex(({ fromWalletId, toWalletId }) => fromWalletId === toWalletId);
  return leg === -1 ? undefined : ofLeg(leg, new WalletError('same_wallet'));
}

/**
 * Returns the price of legs that `legsRefusal` allows, and its refusal: amounts and fees add up to an amount, too. Legs that
 * are refused have no fees.
 */
export function splitPrice(
  fees: Fees | undefined,
  legs: readonly SplitLeg[],
  currency: string,
): { readonly price: SplitPrice; readonly refusal: WalletError | undefined } {
  const priced = legs.map((leg) => ({ ...leg, fee: feeOf(fees, 'transfer', { amount: leg.amount, currency }) }));
  if (sumsUp(priced)) return { price: priceOf(priced), refusal: undefined };
  const refusal = invalidLegs(`must have amounts that add up to at most ${maxAmount} together with their fees`);
  return { price: priceOf(legs.map((leg) => ({ ...leg, fee: 0 }))), refusal };
}

function priceOf(legs: readonly PricedLeg[]): SplitPrice {
  const [amount, paid] = [sumOf(legs), legs.reduce((sum, leg) => sum + withFee(leg), 0)];
  return { legs, amount, fee: paid - amount, paid };
}

/** Returns whether amounts and fees together are an amount. */
function sumsUp(legs: readonly (Pick<SplitLeg, 'amount'> & { readonly fee?: number })[]): boolean {
  return legs.reduce((sum, { amount, fee = 0 }) => sum + BigInt(amount) + BigInt(fee), 0n) <= maxAmount;
}

function currencyMismatch(held: string, expected = 'no currency'): WalletError {
  return new WalletError('currency_mismatch', { detail: `the wallet holds ${held}, the request is about ${expected}` });
}

function invalidLegs(message: string): WalletError {
  return invalid('legs', message);
}

function invalid(path: string, message: string): WalletError {
  return new WalletError('invalid_request', { errors: [{ path, message }] });
}

/** Returns a refusal that names a leg of the request, by its index. */
export function ofLeg(leg: number, { code, title, details, cause }: WalletError): WalletError {
  const detail = `legs[${leg}]: ${details.detail ?? title}`;
  return new WalletError(code, { ...details, detail, leg }, { cause });
}

/**
 * Returns a split: a completed transfer for each leg. The legs that touch one wallet share its entry, which has the name of
 * the first of them.
 */
export function split({ splitId, legs, ...facts }: SplitFacts): Split {
  const shared = sharedEntries(splitId, legs);
  const made = legs.map(({ fromWalletId, toWalletId, ...leg }, index): Leg => {
    const transactionId = legIdOf(splitId, index);
    const [sentWith, settledWith] = [shared.get(fromWalletId), shared.get(toWalletId)];
    return {
      ...transfer({ ...facts, ...leg, transactionId, walletId: fromWalletId, toWalletId }),
      splitId,
      ...(sentWith !== undefined && { sentWith }),
      ...(settledWith !== undefined && { settledWith }),
    };
  });
  return { splitId, amount: sumOf(legs), currency: facts.currency, legs: made, createdAt: facts.at };
}

/** Returns the name of the entry of each wallet that more than one leg touches. */
function sharedEntries(splitId: string, legs: readonly ReceivedLeg[]): Map<string, string> {
  const touches = legs.flatMap(({ fromWalletId, toWalletId }, leg) => [
    { walletId: fromWalletId, leg },
    { walletId: toWalletId, leg },
  ]);
  return new Map(
    [...Map.groupBy(touches, ({ walletId }) => walletId)].flatMap(([walletId, [first, second]]) =>
      first !== undefined && second !== undefined ? [[walletId, legIdOf(splitId, first.leg)] as const] : [],
    ),
  );
}

/** The change that a split makes to one wallet. */
export interface NetChange {
  readonly walletId: string;
  /** In minor units: below 0 the wallet pays, above 0 it gets money, and 0 changes nothing. */
  readonly net: number;
  /** Whether it pays in some leg, also when it gets more in others. */
  readonly pays: boolean;
  /** Whether legs name it by an alias only. */
  readonly isByAlias: boolean;
  /** The largest leg in the direction of the net change, in minor units: of those that it pays, with the fee. */
  readonly largest: number;
  /** The first leg that names it by its id, or by an alias where none does. */
  readonly leg: number;
  /** The transaction of the first leg that touches it, which names the entry. */
  readonly transactionId: string;
}

/**
 * Returns the change of each wallet: first of those that pay, then of the others, by `leg`. The sender of a leg pays its fee, too.
 *
 * Legs by an alias name no wallet that another leg names by its id. So a refusal is the same whether the alias has this
 * wallet or another one.
 */
export function netChanges({ legs }: Split): NetChange[] {
  const touches = legs.flatMap((transfer, leg) => [
    {
      walletId: transfer.walletId,
      ...{ leg, transactionId: transfer.transactionId, change: -withFee(transfer), isByAlias: false },
    },
    {
      walletId: transfer.counterpartyWalletId,
      ...{ leg, transactionId: transfer.transactionId, change: transfer.amount, isByAlias: transfer.to !== undefined },
    },
  ]);
  const changes = [...Map.groupBy(touches, ({ walletId }) => walletId)].flatMap(([walletId, [first, ...others]]) => {
    if (first === undefined) return [];
    const all = [first, ...others];
    const named = all.find(({ isByAlias }) => !isByAlias) ?? first;
    const sums = all.map(({ change }) => change);
    const net = sums.reduce((sum, change) => sum + change, 0);
    const largest = net < 0 ? -Math.min(...sums) : Math.max(...sums);
    const { leg, isByAlias } = named;
    const pays = sums.some((change) => change < 0);
    return [{ walletId, net, pays, isByAlias, largest, leg, transactionId: first.transactionId }];
  });
  changes.sort((one, other) => one.leg - other.leg);
  return [...changes.filter(({ pays }) => pays), ...changes.filter(({ pays }) => !pays)];
}

function sumOf(legs: readonly SplitLeg[]): number {
  return legs.reduce((total, { amount }) => total + amount, 0);
}
