import { WalletError } from './errors.ts';
import { withoutFee } from './fee.ts';
import { accounts, feePosting, move } from './postings.ts';
import type { Posting } from './postings.ts';
import { recordOfCommand } from './transaction-record.ts';
import type { Capture, Hold, OpenHold } from './transaction.ts';
import type { CommandFacts } from './transaction-record.ts';

/** The shortest and the longest time for which a hold is asked for. */
export const shortestHoldMs = 60_000;
export const longestHoldMs = 31 * 86_400_000;

/** Returns an open hold: the money stays in the payer's wallet, and can only be captured or given back. */
export function openHold(
  facts: CommandFacts & { counterpartyWalletId?: string | undefined; to?: string | undefined; expiresAt: string },
): OpenHold {
  const { counterpartyWalletId, to, expiresAt, walletId } = facts;
  return {
    ...recordOfCommand(facts),
    type: 'hold',
    status: 'open',
    ...(counterpartyWalletId !== undefined && { counterpartyWalletId }),
    ...(to !== undefined && { to }),
    expiresAt,
    captured: 0,
    dueAt: expiresAt,
    postings: move(facts.amount, accounts.available(walletId), accounts.held(walletId)),
  };
}

/** The facts of a capture that its hold does not have. */
export interface CaptureFacts extends Omit<CommandFacts, 'walletId' | 'currency' | 'ownerId' | 'amount' | 'fee'> {
  readonly capturedBy: Capture['capturedBy'];
  /** Absent: all that is left. */
  readonly amount?: number | undefined;
  /** Whether the capture ends the hold, and gives back what is left after it. */
  readonly isFinal: boolean;
  /** Returns the fee of a captured amount. Absent: there is none. */
  readonly feeOf?: ((amount: number) => number) | undefined;
}

/** Returns what the hold still holds, in minor units. */
export function leftOf({ amount, captured }: Hold): number {
  return amount - captured;
}

/** Returns whether a capture ends its hold: it is final, or takes all that is left. */
export function endsHold(hold: Hold, { amount = leftOf(hold), isFinal }: CaptureFacts): boolean {
  return isFinal || amount === leftOf(hold);
}

/**
 * Returns the capture of held money. It also gives back what a final capture leaves, so that one record has all that its
 * write changes in the payer's wallet. A capture to the world outside has no fee: no wallet could pay it.
 */
export function capture(hold: Hold, facts: CaptureFacts): Capture {
  const { walletId, currency, ownerId, counterpartyWalletId, to, transactionId: originalTransactionId } = hold;
  const { capturedBy, isFinal, amount = leftOf(hold), feeOf, ...known } = facts;
  const rest = isFinal ? leftOf(hold) - amount : 0;
  const fee = counterpartyWalletId === undefined ? 0 : feeOf?.(amount);
  return {
    ...recordOfCommand({ ...known, amount, fee, walletId, currency, ownerId }),
    issuer: capturedBy === 'operator' ? facts.issuer : undefined,
    type: 'capture',
    status: 'completed',
    ...(counterpartyWalletId !== undefined && { counterpartyWalletId }),
    ...(to !== undefined && { to }),
    originalTransactionId,
    capturedBy,
    postings: capturePostings(hold, { amount, fee }, rest),
    completedAt: facts.at,
  };
}

/** Returns the postings of a capture: what it pays its receiver, the rest that a final one gives back, and the fee. */
export function capturePostings(
  of: Hold | Capture,
  paid: { readonly amount: number; readonly fee?: number | undefined },
  rest: number,
): Posting[] {
  const held = accounts.held(of.walletId);
  return [
    { account: held, amount: -paid.amount },
    { account: receiverAccount(of), amount: withoutFee(paid) },
    ...(rest > 0 ? move(rest, held, accounts.available(of.walletId)) : []),
    ...feePosting({ ...paid, currency: of.currency }),
  ];
}

/** Returns what a capture gave back to the payer, in minor units. Only a final capture does. */
export function returnedBy({ postings }: Capture): number {
  return postings[3]?.amount ?? 0;
}

/** Returns the command that moves money as the captures of a hold do. */
export function commandLike({ counterpartyWalletId }: Hold): 'transfer' | 'withdraw' {
  return counterpartyWalletId === undefined ? 'withdraw' : 'transfer';
}

/** Returns the account that captures of a hold pay. */
function receiverAccount({ currency, counterpartyWalletId }: Hold | Capture): string {
  return counterpartyWalletId === undefined ? accounts.external(currency) : accounts.available(counterpartyWalletId);
}

/** Returns the postings of a hold that is released or expires: what is left is available again. */
export function endPostings(hold: Hold): Posting[] {
  return move(leftOf(hold), accounts.held(hold.walletId), accounts.available(hold.walletId));
}

/**
 * Returns why this capture cannot be made; undefined when it can. A refusal is final: a hold never opens again, and
 * never holds more than before.
 *
 * @param facts `amount` absent: all that is left
 */
export function captureRefusal(
  hold: Hold | undefined,
  { amount, at }: { readonly amount?: number | undefined; readonly at: string },
): WalletError | undefined {
  const refusal = releaseRefusal(hold);
  if (refusal !== undefined || hold === undefined) return refusal;
  if (hold.expiresAt <= at) return new WalletError('hold_expired', { detail: `it expired at ${hold.expiresAt}` });
  const left = leftOf(hold);
  if (amount === undefined || amount <= left) return undefined;
  const detail = `left ${left}, requested ${amount}, in minor units of ${hold.currency}`;
  return new WalletError('exceeds_hold', { detail });
}

/** Returns why this hold cannot be released; undefined when it can. A hold that has expired can. */
export function releaseRefusal(hold: Hold | undefined): WalletError | undefined {
  if (hold === undefined) return new WalletError('transaction_not_found');
  if (hold.status === 'open') return undefined;
  return new WalletError('hold_ended', { detail: `it ended at ${hold.completedAt}: ${hold.end}` });
}
