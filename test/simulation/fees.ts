/** Fees as an auditor knows them. It computes them by itself, and shares no code with the service. */
import type { Item, TransactionState, Violate } from './items.ts';

/** How a fee is computed, as the settings of a history have it. */
interface Rule {
  readonly flat?: number;
  readonly basisPoints?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

const commands = ['transfer', 'withdrawal', 'capture', 'charge'] as const;
type Command = (typeof commands)[number];

/** The fees of each command. */
export type Schedule = {
  readonly [Name in Command]?: Rule & { readonly byCurrency?: Readonly<Record<string, Rule>> };
};

/** The fees of a history. `later`: those from a time on, epoch ms. */
export interface FeeSettings {
  readonly first: Schedule;
  readonly later?: { readonly from: number; readonly schedule: Schedule };
  /** The wallet that fees in euros are collected into. */
  readonly revenueWallet?: string;
}

/** Returns the fees in force at a time, epoch ms. */
export function scheduleAt({ first, later }: FeeSettings, time: number): Schedule {
  return later !== undefined && time >= later.from ? later.schedule : first;
}

/** Returns the fee that a schedule has for an amount. */
function feeBy(schedule: Schedule, command: Command, amount: number, currency: string): number {
  const { byCurrency = {}, ...general } = schedule[command] ?? {};
  const { flat = 0, basisPoints = 0, minimum = 0, maximum = Infinity }: Rule = byCurrency[currency] ?? general;
  const parts = BigInt(amount) * BigInt(basisPoints);
  // A half of a minor unit is rounded up.
  const share = parts / 10_000n + (parts % 10_000n >= 5_000n ? 1n : 0n);
  return Math.min(Math.max(flat + Number(share), minimum), maximum);
}

/** Times by which the service's clocks and requests may be earlier or later than the change of the fees, ms. */
const aroundMs = 60_000;

/** A command that may have a fee. */
interface Priced {
  readonly type: string;
  readonly amount: number;
  readonly currency: string;
}

/**
 * Returns how the fees of commands may be computed that were asked for at about a time: two ways around a change.
 *
 * @param time epoch ms
 */
export function pricesAround(fees: FeeSettings | undefined, time: number): ((priced: Priced) => number)[] {
  if (fees === undefined) return [() => 0];
  const schedules = [scheduleAt(fees, time - aroundMs), scheduleAt(fees, time + aroundMs)];
  return schedules.map((schedule) => ({ type, amount, currency }) => {
    const command = commands.find((one) => one === type);
    return command === undefined ? 0 : feeBy(schedule, command, amount, currency);
  });
}

/** Returns the fees that a command may have that was asked for at about a time: two around a change. */
export function feesAround(fees: FeeSettings | undefined, time: number, priced: Priced): number[] {
  return [...new Set(pricesAround(fees, time).map((price) => price(priced)))];
}

/** Returns whether the receiver of the money pays the fee of a command. */
export function isPaidByReceiver(type: string): boolean {
  return type === 'capture' || type === 'charge';
}

/** Checks that a transaction has the fee of the schedule of its time. `now`: the true time of its write, epoch ms. */
export function checkFee(
  transaction: TransactionState,
  fees: FeeSettings | undefined,
  now: number,
  violate: Violate,
): void {
  const { transactionId, type, amount, fee, createdAt, counterpartyWalletId } = transaction;
  const isOutside = type === 'capture' && counterpartyWalletId === undefined;
  // A line of a batch has the fee of the time when the batch was sent, and a payment of an order that of its order. Their
  // `createdAt` is by a worker's clock, which may be wrong by minutes. So each schedule is allowed that has been used by now.
  const isLater = transaction['batchId'] !== undefined || transaction.standingOrderId !== undefined;
  const times = isLater ? [0, now] : [Date.parse(createdAt)];
  const expected = isOutside ? [0] : times.flatMap((time) => feesAround(fees, time, transaction));
  if (!expected.includes(fee ?? 0) || fee === 0) {
    violate(
      'a fee is that of its schedule',
      `${type} ${transactionId} of ${amount}: ${String(fee)}, not ${expected.join()}`,
    );
  }
  if (isPaidByReceiver(type) && (fee ?? 0) >= amount) violate('a fee leaves something', `${type} ${transactionId}`);
}

/** Checks the collections of all currencies against what was paid, and against the record of each currency. */
export function checkCollections(
  transactions: readonly TransactionState[],
  states: readonly Item[],
  balances: ReadonlyMap<string, bigint>,
  violate: Violate,
): void {
  const collections = transactions.filter(({ type }) => type === 'collection');
  for (const [currency, ofCurrency] of Map.groupBy(collections, (one) => one.currency)) {
    const inOrder = ofCurrency.sort((one, other) => Number(one.sequence) - Number(other.sequence));
    let sum = 0;
    for (const [n, { amount, sequence, collected }] of inOrder.entries()) {
      sum += amount;
      if (sequence !== n + 1 || collected !== sum) {
        violate('collections follow each other', `${currency}: ${String(sequence)} of ${amount}, ${String(collected)}`);
      }
    }
    const paid = balances.get(`fees:${currency}`) ?? 0n;
    if (BigInt(sum) > paid) violate('no more is collected than was paid', `${currency}: ${sum} of ${paid}`);
    const state = states.find(({ pk }) => pk === `FEES#${currency}`);
    if (state?.['collected'] !== sum || state['sequence'] !== inOrder.length) {
      violate(
        'the record knows its collections',
        `${currency}: ${JSON.stringify(state)}, not ${inOrder.length} of ${sum}`,
      );
    }
  }
}
