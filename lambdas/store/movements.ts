/** Changes of the money of wallets, as items of a write. */
import type { WalletError } from '../domain/errors.ts';
import { countingDay, limitStateOf } from '../domain/limits.ts';
import type { Direction, LimitState } from '../domain/limits.ts';
import { maxAmount } from '../domain/money.ts';
import {
  captureReceiverRefusal,
  chargebackRefusal,
  creditRefusal,
  debitRefusal,
  ownDecision,
  receiverRefusal,
  useRefusal,
  withoutLimits,
} from '../domain/wallet.ts';
import type { Reach, Wallet } from '../domain/wallet.ts';
import { walletKey } from './keys.ts';
import { limitTerms } from './limit-terms.ts';
import type { Table } from './table.ts';
import { ofThisVersion } from './unreadable.ts';
import { toWallet } from './wallets.ts';
import { denied, namedValues, update } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/** A change of a wallet's money by a command: its owner, its amount in minor units, and its transaction. */
export interface Movement extends Reach {
  readonly walletId: string;
  readonly amount: number;
  readonly currency: string;
  readonly transactionId: string;
  readonly at: string;
  /** The largest of the transactions that it moves together; absent when it is one. */
  readonly largest?: number;
  /** Whether it executes a payment that the wallet counts as scheduled. */
  readonly isScheduled?: boolean;
}

/** Takes available money out of the wallet. */
export function debit(table: Table, movement: Movement): WriteItem {
  return moveLimited(table, movement, {
    label: 'debit',
    direction: 'out',
    set: `available = available - :amount, #total = #total - :amount${executes(movement)}`,
    refused: (wallet) => debitRefusal(wallet, movement),
  });
}

/**
 * Takes money out that the world outside has taken already: whatever the wallet's balance and status, so `available` may
 * go below zero. `chargedBack` shows by how much it may.
 */
export function chargeBack(table: Table, movement: Movement): WriteItem {
  const { walletId, currency } = movement;
  return {
    label: 'chargeback',
    request: {
      Update: update(table, walletKey(walletId), {
        set:
          'available = available - :amount, #total = #total - :amount, ' +
          `chargedBack = if_not_exists(chargedBack, :zero) + :amount, ${stamp}`,
        if: `${ofThisVersion.if} AND currency = :currency`,
        values: { ...stampValues(movement), ...ofThisVersion.values, currency, zero: 0 },
      }),
    },
    refused: (image) => denied(chargebackRefusal(toWallet(image), movement)),
  };
}

/** Reserves available money. */
export function hold(table: Table, movement: Movement): WriteItem {
  return moveLimited(table, movement, {
    label: 'hold',
    direction: 'out',
    set: `available = available - :amount, held = held + :amount${executes(movement)}`,
    refused: (wallet) => debitRefusal(wallet, movement),
  });
}

/** Returns the count of a payment that is executed. A wallet without the count must not keep a payment from its end. */
function executes({ isScheduled = false }: Movement): string {
  return isScheduled ? ', scheduled = if_not_exists(scheduled, :one) - :one' : '';
}

/** Puts money into the wallet. */
export function credit(table: Table, movement: Movement): WriteItem {
  return creditOf(table, movement, { refusalOf: creditRefusal });
}

/** Does as `credit`, and marks the wallet as crowded. */
export function creditCrowd(table: Table, movement: Movement): WriteItem {
  return creditOf(table, movement, { refusalOf: creditRefusal, isCrowd: true });
}

/** Does as `credit`, for a receiver whose state the payer must not see. */
export function creditReceiver(table: Table, movement: Movement): WriteItem {
  return creditOf(table, movement, { refusalOf: receiverRefusal });
}

/** Does as `creditReceiver`, for a capture: the receiver itself asks for it. */
export function creditCapture(table: Table, movement: Movement): WriteItem {
  return creditOf(table, movement, { refusalOf: captureReceiverRefusal });
}

function creditOf(
  table: Table,
  movement: Movement,
  { refusalOf, isCrowd = false }: { refusalOf: typeof creditRefusal; isCrowd?: boolean },
): WriteItem {
  return moveLimited(table, movement, {
    label: 'credit',
    direction: 'in',
    set: `available = available + :amount, #total = #total + :amount${isCrowd ? ', isCrowded = :crowded' : ''}`,
    values: isCrowd ? { crowded: true } : {},
    refused: (wallet) => refusalOf(wallet, movement),
  });
}

/** Takes available money out for a refund. What goes back is not limited, and no credit line pays it. */
export function debitRefund(table: Table, movement: Movement): WriteItem {
  return useWallet(table, movement, {
    label: 'debit of a refund',
    set: 'available = available - :amount, #total = #total - :amount',
    if: 'available >= :amount',
    refused: (wallet) => debitRefusal(withoutLimits(wallet), movement),
  });
}

/** Puts money of a refund into the wallet that had paid it. What comes back is not limited. */
export function creditRefund(table: Table, movement: Movement & Decision): WriteItem {
  const { amount, decidedBy } = movement;
  return useWallet(table, movement, {
    label: 'credit of a refund',
    set: 'available = available + :amount, #total = #total + :amount',
    if: `#total <= :room${othersMoney(decidedBy)}`,
    values: { room: maxAmount - amount, decidedBy },
    refused: (wallet) => receiverRefusal(withoutLimits(wallet), movement) ?? ownMoneyRefusal(wallet, decidedBy),
  });
}

/** Gives money back that had left. Works in every status and beyond the balance limit, as the money is the owner's. */
export function giveBack(table: Table, movement: PromisedMovement): WriteItem {
  return {
    label: 'give back',
    request: {
      Update: update(table, walletKey(movement.walletId), {
        set: `available = available + :amount, #total = #total + :amount, ${stamp}`,
        if: 'attribute_exists(pk)',
        values: stampValues(movement),
      }),
    },
    // Wallets are never deleted.
    refused: () => undefined,
  };
}

/**
 * A movement of an earlier decision: neither owner nor currency is checked again. The wallet may be of a newer version,
 * because promised money must move in every release.
 */
type PromisedMovement = Omit<Movement, 'ownerId' | 'currency'>;

/** The operator who decides about the money of a wallet, and so must not own it. */
interface Decision {
  readonly decidedBy?: string | undefined;
}

/** Returns the condition that the operator who decides does not own the wallet. */
function othersMoney(decidedBy: string | undefined): string {
  return decidedBy === undefined ? '' : ' AND ownerId <> :decidedBy';
}

/** Returns the refusal of an operator who decides about money of its own. */
function ownMoneyRefusal(
  wallet: { readonly ownerId?: unknown } | undefined,
  decidedBy: string | undefined,
): WalletError | undefined {
  return decidedBy !== undefined && wallet?.ownerId === decidedBy ? ownDecision('wallet') : undefined;
}

/** A movement of held money. */
type HeldMovement = PromisedMovement & Decision;

/** Removes held money, which has left. Works in every status of the wallet, as the money was promised before. */
export function settleHold(table: Table, movement: HeldMovement): WriteItem {
  return consumeHold(table, movement, 'held = held - :amount, #total = #total - :amount');
}

/** Makes held money available again. Works in every status of the wallet. */
export function releaseHold(table: Table, movement: HeldMovement): WriteItem {
  return consumeHold(table, movement, 'held = held - :amount, available = available + :amount');
}

/**
 * Takes `amount` of held money out of the wallet for good, and makes `rest` of it available again. Unlike `settleHold`, it
 * needs an active wallet: nothing leaves a frozen one.
 */
export function captureHeld(table: Table, movement: Movement & Decision, rest: number): WriteItem {
  const { walletId, transactionId, amount, decidedBy } = movement;
  return useWallet(table, movement, {
    label: `capture ${transactionId} of money held in ${walletId}`,
    set: 'held = held - :taken, available = available + :rest, #total = #total - :amount',
    if: `held >= :taken${othersMoney(decidedBy)}`,
    values: { taken: amount + rest, rest, decidedBy },
    // An open hold whose money is not held breaks an invariant. So `refused` has no reading for it, and the write throws.
    refused: (wallet) => useRefusal(wallet, movement) ?? ownMoneyRefusal(wallet, decidedBy),
  });
}

const stamp = 'version = version + :one, lastTransactionId = :transactionId, updatedAt = :at';

function stampValues(movement: PromisedMovement) {
  return { amount: movement.amount, one: 1, transactionId: movement.transactionId, at: movement.at };
}

/** Returns the condition of a wallet whose money may move: active, of this currency, and the caller's own. */
function usableWallet({ ownerId, currency }: Pick<Movement, 'ownerId' | 'currency'>) {
  const owned = ownerId === undefined ? '' : ' AND ownerId = :ownerId';
  return {
    if: `${ofThisVersion.if} AND #status = :active AND currency = :currency${owned}`,
    values: { ...ofThisVersion.values, active: 'active', currency, ...(owned !== '' && { ownerId }) },
  };
}

/** Checks that the money of a wallet may move, and changes nothing. */
export function checkWallet(table: Table, use: Pick<Movement, 'walletId' | 'ownerId' | 'currency'>): WriteItem {
  const usable = usableWallet(use);
  return {
    label: 'check of a wallet',
    request: {
      ConditionCheck: {
        TableName: table.name,
        Key: walletKey(use.walletId),
        ConditionExpression: usable.if,
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: namedValues(usable.values),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused: (image) => denied(useRefusal(toWallet(image), use)),
  };
}

/** The parts of an update of an active wallet. */
export interface WalletUse {
  readonly label: string;
  readonly set: string;
  readonly if: string;
  readonly values?: Item;
  readonly refused: (wallet: Wallet | undefined) => WalletError | undefined;
}

function useWallet(table: Table, movement: Movement, use: WalletUse): WriteItem {
  const usable = usableWallet(movement);
  return {
    label: use.label,
    request: {
      Update: update(table, walletKey(movement.walletId), {
        set: `${use.set}, ${stamp}`,
        if: `${usable.if} AND ${use.if}`,
        values: { ...stampValues(movement), ...usable.values, ...use.values },
      }),
    },
    refused: (image) => denied(use.refused(toWallet(image)), image),
  };
}

/**
 * Moves money that the wallet's limits count. The item is made from the limits that this container last met, and made again
 * when the wallet has others.
 */
function moveLimited(
  table: Table,
  movement: Movement,
  { direction, ...use }: Omit<WalletUse, 'if'> & { readonly direction: Direction },
): WriteItem {
  const { walletId, at } = movement;
  const madeFrom = (state: LimitState | undefined): WriteItem => {
    const terms = limitTerms(direction, state, movement);
    const item = useWallet(table, movement, {
      ...use,
      set: `${use.set}${terms.set}`,
      if: terms.if,
      values: { ...use.values, ...terms.values },
    });
    return {
      ...item,
      refused: (image) => {
        const wallet = toWallet(image);
        const current = wallet && limitStateOf(wallet);
        table.limitHints.set(walletId, current);
        const refusal = item.refused(image);
        // The limits allow the movement. If the item was made from these, the image does not explain its refusal.
        if (refusal !== undefined || JSON.stringify(current) === JSON.stringify(state)) return refusal;
        return { kind: 'outdated', again: madeFrom(current) };
      },
      ...(state && {
        written: () => {
          table.limitHints.set(walletId, { ...state, day: countingDay(state.day, at) });
        },
      }),
    };
  };
  return madeFrom(table.limitHints.get(walletId));
}

function consumeHold(table: Table, movement: HeldMovement, set: string): WriteItem {
  const { decidedBy } = movement;
  return {
    label: `consume hold of ${movement.transactionId} in ${movement.walletId}`,
    request: {
      Update: update(table, walletKey(movement.walletId), {
        set: `${set}, ${stamp}`,
        if: `held >= :amount${othersMoney(decidedBy)}`,
        values: { ...stampValues(movement), decidedBy },
      }),
    },
    // An open withdrawal whose money is not held breaks an invariant. So `refused` has no reading for it, and the write
    // throws.
    refused: (image) => denied(ownMoneyRefusal(image, decidedBy)),
  };
}
