import { check } from './tlc.ts';
import type { Run } from './tlc.ts';

/** A model whose protection is broken, and the invariant that it must violate. */
interface BrokenVariant {
  readonly name: string;
  readonly constants: NonNullable<Run['constants']>;
  readonly invariant: string;
}

/** A model, and its broken variants. An invariant that no variant violates may be one that cannot fail. */
export interface Model {
  readonly name: string;
  readonly variants: readonly BrokenVariant[];
}

const withdrawal: Model = {
  name: 'withdrawal',
  variants: [
    {
      name: 'a claim does not store that a submit may leave',
      constants: { ClaimAnnouncesSubmit: 'FALSE' },
      invariant: 'PaidOnce',
    },
    {
      name: '"not found" counts before the bank has processed the submit',
      constants: { NotFoundWindow: 1 },
      invariant: 'PaidOnce',
    },
    {
      name: 'a lost answer of the bank is taken for a rejection',
      constants: { UnknownKeepsHold: 'FALSE' },
      invariant: 'FailedOnlyIfRejected',
    },
    {
      name: 'a lost answer of the bank is taken for a payment',
      constants: { UnknownKeepsHold: 'FALSE' },
      invariant: 'CompletedOnlyIfPaid',
    },
    {
      name: 'a withdrawal is cancelled that may be out',
      constants: { CancelNeedsNoSubmit: 'FALSE' },
      invariant: 'CancelledNeverPaid',
    },
    {
      name: 'a worker ends the withdrawal without its claim',
      constants: { EndNeedsClaim: 'FALSE' },
      invariant: 'HoldEndsOnce',
    },
  ],
};

export const hold: Model = {
  name: 'hold',
  variants: [
    {
      // An ended hold has nothing left, so the amount alone would refuse the write, too.
      name: 'the write needs neither an open hold nor the amount that was read',
      constants: { WriteChecksStatus: 'FALSE', WriteChecksRemaining: 'FALSE' },
      invariant: 'NoMoveAfterEnd',
    },
    {
      name: 'the rest is given back as it was read',
      constants: { WriteChecksRemaining: 'FALSE' },
      invariant: 'HeldIsOpen',
    },
    {
      name: 'the amount is compared with the hold as it was read',
      constants: { WriteChecksRemaining: 'FALSE' },
      invariant: 'CapturedWithinHold',
    },
    {
      name: 'the write of a capture does not compare its time with the expiry',
      constants: { WriteChecksExpiry: 'FALSE' },
      invariant: 'NoCaptureAfterExpiry',
    },
    {
      name: "the sweeper's write does not compare its time with the expiry",
      constants: { SweepChecksExpiry: 'FALSE' },
      invariant: 'NoEarlyExpiry',
    },
    {
      name: 'the record of the key is not part of the write',
      constants: { WriteRecordsKey: 'FALSE' },
      invariant: 'KeyMovesOnce',
    },
    {
      name: 'the credit of what is captured is not part of the write',
      constants: { WriteCredits: 'FALSE' },
      invariant: 'NothingIsLost',
    },
  ],
};

const refund: Model = {
  name: 'refund',
  variants: [
    {
      name: 'the amount is compared with the original as it was read',
      constants: { WriteChecksSum: 'FALSE' },
      invariant: 'RefundedWithinAmount',
    },
    {
      name: 'the sum of the original is not part of the write',
      constants: { WriteUpdatesSum: 'FALSE' },
      invariant: 'SumIsOfRefunds',
    },
    {
      name: 'a transfer is refunded that is on its way or has failed',
      constants: { StatusIsChecked: 'FALSE' },
      invariant: 'OnlyArrivedIsRefunded',
    },
    {
      name: "the write does not need the money in the receiver's wallet",
      constants: { WriteChecksFunds: 'FALSE' },
      invariant: 'OnlyChargebacksGoBelowZero',
    },
    {
      name: "the wallet's sum of chargebacks is not part of the write",
      constants: { WriteCountsChargeback: 'FALSE' },
      invariant: 'OnlyChargebacksGoBelowZero',
    },
    {
      name: 'the record of the key is not part of the write',
      constants: { WriteRecordsKey: 'FALSE' },
      invariant: 'KeyMovesOnce',
    },
    {
      name: 'the credit of what is refunded is not part of the write',
      constants: { WriteCredits: 'FALSE' },
      invariant: 'NothingIsLost',
    },
  ],
};

const schedule: Model = {
  name: 'schedule',
  variants: [
    {
      name: 'the write of an execution does not need a scheduled payment',
      constants: { ExecuteChecksStatus: 'FALSE' },
      invariant: 'ExecutedOnce',
    },
    {
      name: 'a worker whose clock is right executes a payment whenever its message comes',
      constants: { ExecuteChecksTime: 'FALSE', Skew: 0 },
      invariant: 'NoEarlyExecution',
    },
    {
      name: 'the debit is not part of the write of an execution',
      constants: { ExecuteDebits: 'FALSE' },
      invariant: 'NothingIsLost',
    },
    {
      name: "the wallet's count is not part of the write of an execution",
      constants: { ExecuteCounts: 'FALSE' },
      invariant: 'ScheduledIsCounted',
    },
    {
      name: 'a payment is cancelled as it was read',
      constants: { CancelChecksStatus: 'FALSE' },
      invariant: 'FailedMovedNothing',
    },
    {
      name: 'the cap is compared with the wallet as it was read',
      constants: { ScheduleChecksCap: 'FALSE' },
      invariant: 'WithinCap',
    },
    {
      name: 'the advance of an order is not part of the write of its payment',
      constants: { MakeAdvances: 'FALSE' },
      invariant: 'OrderCountsPayments',
    },
    {
      name: 'an order is cancelled with the payments that it had when it was read',
      constants: { CancelChecksMade: 'FALSE' },
      invariant: 'CancelledOrderPaysNoMore',
    },
    {
      name: 'the end of an order is not counted in its wallet',
      constants: { EndCountsOrder: 'FALSE' },
      invariant: 'OrdersAreCounted',
    },
  ],
};

export const models: readonly Model[] = [withdrawal, hold, refund, schedule];

/** The verdict on a model or a broken variant, as a line of text. */
export interface Verdict {
  readonly isRight: boolean;
  readonly text: string;
}

/** Checks a model: all its invariants must hold. */
export async function checkSound({ name }: Model, constants: NonNullable<Run['constants']> = {}): Promise<Verdict> {
  const result = await check({ model: name, constants });
  return 'states' in result
    ? { isRight: true, text: `${name}: all invariants hold in ${result.states.toLocaleString('en')} states` }
    : { isRight: false, text: `${name}: ${result.violated} IS VIOLATED` };
}

/** Checks a broken variant of a model: it must violate its invariant. */
export async function checkBroken(
  { name: model }: Model,
  { name, constants, invariant }: BrokenVariant,
): Promise<Verdict> {
  const result = await check({ model, constants, invariant });
  return 'violated' in result
    ? { isRight: true, text: `${model}, ${name}: violates ${result.violated}` }
    : { isRight: false, text: `${model}, ${name}: ${invariant} NOT VIOLATED` };
}
