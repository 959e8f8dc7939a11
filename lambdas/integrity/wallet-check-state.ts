/** The state of the check of one wallet: how it begins, and what it has found. */
import type { Discrepancy, DiscrepancyKind } from '../domain/discrepancy.ts';
import type { Balance } from '../domain/entries.ts';
import { isSum, plus } from '../domain/money.ts';
import { noHolds } from './hold-check.ts';
import type { HoldSums } from './hold-check.ts';
import type { ChargebackSums } from './refund-check.ts';
import { leastAvailable } from '../domain/wallet.ts';
import type { Wallet } from '../domain/wallet.ts';

/**
 * The check of one wallet, page by page. It can stop and go on at any page: first the wallet's transactions as sender,
 * then as receiver, then its entries. Sums are exact (bigint), everything else is JSON.
 */
export interface WalletCheck {
  readonly wallet: Pick<
    Wallet,
    | 'walletId'
    | 'isCrowded'
    | 'currency'
    | 'version'
    | 'available'
    | 'held'
    | 'status'
    | 'updatedAt'
    | 'chargedBack'
    | 'scheduled'
    | 'orders'
  >;
  /**
   * The version up to which the ledger must have come. A busy wallet is always some versions ahead of its ledger, so a
   * second look asks only for those that the first look missed.
   */
  readonly enteredUpTo: number;
  /** Whether entries are read consistently, at twice the price: for wallets that seemed wrong before. */
  readonly consistent: boolean;
  stage: 'sender' | 'receiver' | 'entries' | 'done';
  /** The cursor of the next page of transactions, from `readBookings`. */
  after?: string | undefined;
  /** The state after the last entry; version -1 before the first. */
  last: { version: number; hash: string; balance: Balance };
  /** The wallet's sums before the moment of the check, by postings and by entries. */
  booked: Record<keyof Balance, bigint>;
  entered: Record<keyof Balance, bigint>;
  /** Absent from a check that an earlier release began. */
  readonly holds?: HoldSums;
  readonly chargebacks?: ChargebackSums;
  /** The number of its payments that are scheduled. */
  scheduled?: number;
  readonly found: Discrepancy[];
}

export const bothAccounts = ['available', 'held'] as const;
/** How many findings of one wallet are reported. A chain that is broken everywhere needs no more. */
const mostFound = 20;

/**
 * Begins a check of the wallet as it was read. Its first findings concern the wallet item alone.
 *
 * @param secondLook given when an earlier look found a problem: the version that the wallet had then
 */
export function beginWalletCheck(wallet: Wallet, secondLook?: { readonly version: number }): WalletCheck {
  const { walletId, isCrowded = false, currency, version, available, held, status, updatedAt, total } = wallet;
  const { chargedBack = 0, mostCredit = 0, limits, scheduled = 0, orders } = wallet;
  // The stored item may have any shape.
  const areSums = [available, held, total, chargedBack, mostCredit].every(isSum);
  const check: WalletCheck = {
    wallet: {
      walletId,
      isCrowded,
      currency,
      version,
      available,
      held,
      status,
      updatedAt,
      chargedBack: areSums ? chargedBack : 0,
      scheduled,
      ...(orders !== undefined && { orders }),
    },
    enteredUpTo: secondLook?.version ?? version,
    consistent: secondLook !== undefined,
    stage: 'sender',
    last: { version: -1, hash: '', balance: { available: 0, held: 0 } },
    booked: { available: 0n, held: 0n },
    entered: { available: 0n, held: 0n },
    holds: noHolds(),
    chargebacks: { certain: 0n, all: 0n },
    scheduled: 0,
    found: [],
  };
  const areSound = areSums && [held, chargedBack, mostCredit].every((amount) => amount >= 0);
  if (!areSound || available < leastAvailable(wallet) || plus(available, held) !== total) {
    addFinding(
      check,
      'balance_differs',
      `it has ${String(available)} available, ${String(held)} held and ${String(total)} in total` +
        (chargedBack === 0 ? '' : `, and ${String(chargedBack)} was charged back`) +
        (mostCredit === 0 ? '' : `, and had ${String(mostCredit)} of credit`),
    );
  } else if ((limits?.creditLine ?? 0) > mostCredit) {
    const detail = `it has a credit line of ${String(limits?.creditLine)}, and had ${String(mostCredit)} at most`;
    addFinding(check, 'balance_differs', detail);
  }
  return check;
}

/** Adds a finding about the wallet. */
export function addFinding(check: WalletCheck, kind: DiscrepancyKind, detail: string): void {
  report(check, { kind, subject: check.wallet.walletId, detail });
}

/** Adds a finding, as long as there are few. */
export function report({ found }: WalletCheck, finding: Discrepancy): void {
  if (found.length < mostFound) found.push(finding);
}
