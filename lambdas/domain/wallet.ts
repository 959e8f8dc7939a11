import type { Actor } from './actor.ts';
import { WalletError } from './errors.ts';
import { limitRefusal } from './limits.ts';
import type { LimitedMovement, UsedLimits, WalletLimits } from './limits.ts';
import { maxAmount, minus, plus } from './money.ts';
import type { Sum } from './money.ts';

export const walletStatuses = ['active', 'frozen', 'closed'] as const;
export type WalletStatus = (typeof walletStatuses)[number];

/** The money of one owner in one currency. Amounts are integers in minor units; `total` is `available` + `held`. */
export interface Wallet {
  readonly walletId: string;
  readonly ownerId: string;
  readonly currency: string;
  readonly status: WalletStatus;
  readonly available: Sum;
  readonly held: Sum;
  /**
   * Stored beside its summands because a DynamoDB condition cannot add: the condition for the balance limit reads it.
   */
  readonly total: Sum;
  /** Counts the changes of the wallet: its Nth change made version N. */
  readonly version: number;
  /**
   * Whether transfers have arrived in crowds. Those are in several partitions of the receivers' index, so its history
   * is read from all of them.
   */
  readonly isCrowded?: boolean;
  /** The sum of its chargebacks; absent while there is none. */
  readonly chargedBack?: Sum;
  /** Its limits; absent when it has none. */
  readonly limits?: WalletLimits;
  /** What counts against the windows of its limits; absent when it has none. */
  readonly used?: UsedLimits;
  /** Counts the commands that set its limits; absent while there was none. */
  readonly limitsVersion?: number;
  /** The latest command that set its limits; absent while there was none. */
  readonly lastLimitsChange?: LimitsChange;
  /** The largest credit line that it ever had; absent while there was none. */
  readonly mostCredit?: Sum;
  /** Whether it has a name or metadata, or had some: they are an item of their own. */
  readonly hasDetails?: boolean;
  /** The number of payments from it that are scheduled; absent while there was none. */
  readonly scheduled?: number;
  /** The number of its standing orders that are active; absent while there was none. */
  readonly orders?: number;
  /** The version that an import has left. It goes on only while this is the wallet's version, so that no command has come between. */
  readonly importedVersion?: number;
  /** The transaction behind the latest change of the balance. */
  readonly lastTransactionId?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** The actor that opened it; absent from wallets of earlier releases. */
  readonly createdBy?: Actor;
  /** The latest command that set the status; absent when there was none, or none since earlier releases. */
  readonly lastStatusChange?: StatusChange;
}

/** A command that set a wallet's status. */
export interface StatusChange {
  readonly status: WalletStatus;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly actor: Actor;
  /** The reason, in the words of the actor. */
  readonly reason?: string | undefined;
  /** The second operator, where one had to approve it. */
  readonly approvedBy?: Actor | undefined;
}

/** The status of a wallet, as the request for an approval saw it. */
export interface SeenStatus {
  /** The time of the latest change of the status, ISO 8601 UTC; absent: there was none. */
  readonly statusChangedAt?: string | undefined;
}

/** A command that set a wallet's limits. */
export interface LimitsChange {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly actor: Actor;
  /** The reason, in the words of the actor. */
  readonly reason: string;
  /** The name of the tier that the limits were copied from. */
  readonly tier?: string | undefined;
  /** The second operator, where one had to approve it. */
  readonly approvedBy?: Actor | undefined;
}

/**
 * The caller's access to wallets: an end user reaches its own wallets, an operator (`ownerId` undefined) every wallet.
 */
export interface Reach {
  readonly ownerId: string | undefined;
}

/** Returns whether a caller with this reach may see the wallet. */
export function reaches(reach: Reach, wallet: Wallet): boolean {
  return reach.ownerId === undefined || reach.ownerId === wallet.ownerId;
}

/** Returns the least available money that a wallet can have. Only chargebacks and credit lines go below zero. */
export function leastAvailable({ chargedBack = 0, mostCredit = 0 }: Pick<Wallet, 'chargedBack' | 'mostCredit'>): Sum {
  return minus(0, plus(chargedBack, mostCredit));
}

/** The most that a wallet can have of what pays later. */
export interface Caps {
  /** Scheduled payments. Those of its standing orders count, and are made also when it has so many. */
  readonly scheduled: number;
  /** Standing orders that are active. */
  readonly orders: number;
}

/**
 * Workers make a thousand payments within seconds, so those of one wallet delay no others for long. Each active order has
 * about one payment that is scheduled.
 */
export const caps: Caps = { scheduled: 1_000, orders: 100 };

/** Returns a newly opened wallet: empty, active, version 0. */
export function openWallet(opening: {
  walletId: string;
  ownerId: string;
  currency: string;
  at: string;
  createdBy?: Actor | undefined;
}): Wallet {
  return {
    walletId: opening.walletId,
    ownerId: opening.ownerId,
    currency: opening.currency,
    status: 'active',
    available: 0,
    held: 0,
    total: 0,
    version: 0,
    createdAt: opening.at,
    updatedAt: opening.at,
    ...(opening.createdBy && { createdBy: opening.createdBy }),
  };
}

/** Returns a wallet as it was when it was opened. */
export function asOpened({ walletId, ownerId, currency, createdAt: at, createdBy }: Wallet): Wallet {
  return openWallet({ walletId, ownerId, currency, at, createdBy });
}

/** The conditions that a command sets for a wallet. */
interface Use extends Reach {
  readonly walletId: string;
  readonly currency: string;
}

/**
 * Returns the refusal that names the wallet; a command may have two. A stranger's wallet gets the same answer as none.
 */
export function walletNotFound(walletId: string): WalletError {
  return new WalletError('wallet_not_found', { detail: `there is no wallet ${walletId}` });
}

/**
 * Returns why money may not leave this wallet, from the image that the failed write returned. `undefined` means that
 * the image explains nothing, so the caller must not be blamed for the failure.
 */
export function debitRefusal(wallet: Wallet | undefined, debit: Use & LimitedMovement): WalletError | undefined {
  return (
    useRefusal(wallet, debit) ?? (wallet && (fundsRefusal(wallet, debit.amount) ?? limitRefusal(wallet, 'out', debit)))
  );
}

/** Returns the wallet as one without limits, for movements that are not limited. */
export function withoutLimits(wallet: Wallet | undefined): Wallet | undefined {
  if (wallet === undefined) return undefined;
  const { limits, used, ...unlimited } = wallet;
  return unlimited;
}

/** Returns a refusal that names the balance, which this caller may read. A credit line is a limit, with its own refusal. */
function fundsRefusal({ available, currency, limits }: Wallet, amount: number): WalletError | undefined {
  if (available >= amount || limits?.creditLine !== undefined) return undefined;
  const detail = `available ${String(available)}, requested ${amount}, in minor units of ${currency}`;
  return new WalletError('insufficient_funds', { detail });
}

/** Returns why money that the world outside has taken cannot be booked; neither balance nor status is a reason. */
export function chargebackRefusal(wallet: Wallet | undefined, { walletId, currency }: Use): WalletError | undefined {
  if (wallet === undefined) return walletNotFound(walletId);
  return wallet.currency === currency ? undefined : new WalletError('currency_mismatch');
}

/** Returns why money may not enter this wallet: as `debitRefusal`, with the balance limit in place of the funds. */
export function creditRefusal(wallet: Wallet | undefined, credit: Use & LimitedMovement): WalletError | undefined {
  return (
    useRefusal(wallet, credit) ??
    (wallet && (balanceRefusal(wallet, credit.amount) ?? limitRefusal(wallet, 'in', credit)))
  );
}

function balanceRefusal({ total }: Wallet, amount: number): WalletError | undefined {
  return total > maxAmount - amount ? new WalletError('balance_limit_exceeded') : undefined;
}

const hiddenFromPayers: readonly string[] = [
  'wallet_frozen',
  'wallet_closed',
  'balance_limit_exceeded',
  'limit_exceeded',
];

/** Returns whether payers must not see this refusal, because it shows the state of the receiver's wallet. */
export function hidesFromPayers(code: string): boolean {
  return hiddenFromPayers.includes(code);
}

/** Returns why this receiver cannot be paid, as `creditRefusal`, without the facts that payers must not see. */
export function receiverRefusal(wallet: Wallet | undefined, credit: Use & LimitedMovement): WalletError | undefined {
  const refusal = creditRefusal(wallet, credit);
  return refusal !== undefined && hidesFromPayers(refusal.code) ? new WalletError('receiver_unavailable') : refusal;
}

/** Returns why held money cannot be paid to this receiver, as `receiverRefusal`. The receiver asks, and sees its limits. */
export function captureReceiverRefusal(
  wallet: Wallet | undefined,
  credit: Use & LimitedMovement,
): WalletError | undefined {
  const refusal = creditRefusal(wallet, credit);
  return refusal?.code === 'limit_exceeded' ? refusal : receiverRefusal(wallet, credit);
}

/**
 * Returns the refusal of a decision from which the caller would profit. Operators decide only about the money of
 * others.
 */
export function ownDecision(about: 'wallet' | 'withdrawal'): WalletError {
  const own = about === 'wallet' ? 'the wallet is its own' : 'it asked for this withdrawal';
  return new WalletError('forbidden', { detail: `the caller may not decide this, as ${own}; another operator may` });
}

/**
 * Returns why `principal` may not give this wallet the status `to`. A wallet already in that status is no refusal. A
 * closed wallet stays closed, unless money has come back to it since, or was charged back. Active again, it can pay that
 * out, or be charged what it lacks. Owners do not unfreeze their own wallets.
 */
export function statusRefusal(
  wallet: Wallet | undefined,
  to: WalletStatus,
  principal: string,
): WalletError | undefined {
  if (wallet === undefined) return new WalletError('wallet_not_found');
  if (to === 'active' && wallet.ownerId === principal) return ownDecision('wallet');
  const reopened = to === 'active' && wallet.total !== 0;
  if (wallet.status === 'closed' && to !== 'closed' && !reopened) return new WalletError('wallet_closed');
  const { total, available, held, currency, scheduled = 0 } = wallet;
  if (to === 'closed' && (total !== 0 || held !== 0 || scheduled > 0)) {
    const payments = scheduled > 0 ? `; scheduled payments: ${scheduled}` : '';
    const detail = `available ${String(available)}, held ${String(held)}, in minor units of ${currency}${payments}`;
    return new WalletError('wallet_not_empty', { detail });
  }
  return undefined;
}

/** The open transactions that a wallet has made, the newest first. */
export interface OpenOfWallet {
  readonly transactions: readonly { readonly type: string; readonly transactionId: string }[];
  /** Whether the wallet has no further, older ones. */
  readonly isComplete: boolean;
}

/** Most open transactions that a refusal names. */
const mostNamed = 10;

/** Returns the refusal to close a wallet that also names its open transactions. */
export function withOpenTransactions(refusal: WalletError, { transactions, isComplete }: OpenOfWallet): WalletError {
  const { detail = '' } = refusal.details;
  const named = transactions.slice(0, mostNamed).map(({ type, transactionId }) => `${type} ${transactionId}`);
  const more = transactions.length > mostNamed ? `, and ${transactions.length - mostNamed} more` : '';
  const open = named.length === 0 ? 'no transaction' : named.join(', ') + more;
  const among = isComplete ? '' : ' among the newest transactions';
  return new WalletError(refusal.code, { ...refusal.details, detail: `${detail}; open${among}: ${open}` });
}

/** Returns why these limits may not be set. `expectedVersion`: that of the limits in the answer that the caller read. */
export function limitsRefusal(
  wallet: Wallet | undefined,
  { principal, expectedVersion }: { readonly principal: string; readonly expectedVersion?: number | undefined },
): WalletError | undefined {
  if (wallet === undefined) return new WalletError('wallet_not_found');
  if (wallet.ownerId === principal) return ownDecision('wallet');
  const { limitsVersion = 0 } = wallet;
  if (expectedVersion === undefined || expectedVersion === limitsVersion) return undefined;
  return new WalletError('limits_changed', { detail: `version ${limitsVersion}, expected ${expectedVersion}` });
}

/**
 * Returns the refusal of an approved command whose asker saw another change of the wallet's status as the latest one. The
 * clocks of handlers differ, so only the change that was seen decides, and not which of two times is later.
 *
 * @param seen absent: the command has no approval
 */
export function staleRefusal(wallet: Wallet | undefined, seen: SeenStatus | undefined): WalletError | undefined {
  const changedAt = wallet?.lastStatusChange?.at;
  if (seen === undefined || changedAt === seen.statusChangedAt) return undefined;
  const [now, then] = [changedAt, seen.statusChangedAt].map((at) => (at === undefined ? 'never' : `at ${at}`));
  const detail = `the status of the wallet changed ${now}, and ${then} when this was asked for: reject it, and ask again`;
  return new WalletError('approval_expired', { detail });
}

/** Returns why no further payment can be scheduled from this wallet, as `useRefusal`, or because it has as many as it can. */
export function scheduleRefusal(
  wallet: Wallet | undefined,
  use: Use,
  { scheduled: most }: Caps,
): WalletError | undefined {
  const refusal = useRefusal(wallet, use);
  if (refusal !== undefined || wallet === undefined || (wallet.scheduled ?? 0) < most) return refusal;
  return new WalletError('too_many_scheduled', { detail: `a wallet has at most ${most} scheduled payments` });
}

/**
 * Returns why no further standing order can be opened for this wallet, as `scheduleRefusal`: orders of one payment would be
 * a way around the most that it can have scheduled.
 */
export function orderRefusal(wallet: Wallet | undefined, use: Use, most: Caps): WalletError | undefined {
  const refusal = scheduleRefusal(wallet, use, most);
  if (refusal !== undefined || wallet === undefined || (wallet.orders ?? 0) < most.orders) return refusal;
  return new WalletError('too_many_standing_orders', {
    detail: `a wallet has at most ${most.orders} standing orders that are active`,
  });
}

/** Returns whether only imports have written a wallet, and may go on. */
export function isBeingImported({ importedVersion, version }: Pick<Wallet, 'importedVersion' | 'version'>): boolean {
  return importedVersion === version;
}

/** Returns why money of this wallet may not move, whichever way it goes; undefined when it may. */
export function useRefusal(wallet: Wallet | undefined, use: Use): WalletError | undefined {
  // Reach comes first: a stranger learns nothing about the wallet, not even that it exists.
  if (wallet === undefined || !reaches(use, wallet)) return walletNotFound(use.walletId);
  const about = { detail: `wallet ${wallet.walletId} is ${wallet.status}` };
  if (wallet.status === 'frozen') return new WalletError('wallet_frozen', about);
  if (wallet.status === 'closed') return new WalletError('wallet_closed', about);
  if (wallet.currency !== use.currency) return new WalletError('currency_mismatch');
  return undefined;
}
