/**
 * States that each campaign must reach in some history: a campaign that misses one proves nothing about it. A state is
 * recognised from the remains of a history.
 */
import { epoch } from '../engine.ts';
import { codeOf } from './asks.ts';
import type { Ask } from './asks.ts';
import { aliasStates } from './alias-states.ts';
import { isOfAnotherBank } from './checks.ts';
import { isForged, walletIdOfName } from './history.ts';
import type { History, Step } from './history.ts';
import type { Item, TransactionState } from './items.ts';
import type { Ledger } from './ledger.ts';
import type { FaultKind } from './plan.ts';
import { webhookStates } from './webhook-states.ts';
import type { Webhooks } from './webhooks.ts';

/** The remains of a history. */
export interface Remains {
  readonly history: History;
  readonly asks: readonly Ask[];
  readonly transactions: readonly TransactionState[];
  /** The states of each item in the order of time. */
  readonly lives: readonly (readonly Item[])[];
  readonly struck: ReadonlySet<FaultKind>;
  /** Messages that became dead letters. */
  readonly deadLetters: number;
  /** Requests with a key that the bank does not accept. */
  readonly refusedSignatures: number;
  /** Records that the projector has set aside. */
  readonly setAside: number;
  /** The number of times that a worker could not prove its clock right. */
  readonly clockDoubts: number;
  readonly webhooks: Webhooks | undefined;
  readonly ledger: Ledger;
}

const unreported = 'the worker reported no result';

const predicates = {
  'a withdrawal in review is resolved': ({ lives }) =>
    lives.some((life) => has(life, 'status', 'review') && life.at(-1)?.['status'] !== 'review'),
  'a withdrawal in review is ended by the bank': ({ lives }) =>
    lives.some((life) => has(life, 'status', 'review') && ends(life) && life.at(-1)?.['resolution'] === undefined),
  'a withdrawal is released after a rejection': ({ transactions }) =>
    transactions.some(
      ({ type, status, attempts }) => type === 'withdrawal' && status === 'failed' && attempts !== undefined,
    ),
  'an unknown payment is found paid': ({ transactions }) =>
    transactions.some(({ attempts = [] }) => {
      const last = attempts.at(-1);
      return last?.outcome === 'accepted' && !last.submitted && attempts.some(({ outcome }) => outcome === 'unknown');
    }),
  'an unknown payment is not found, and submitted again': ({ transactions }) =>
    transactions.some(({ attempts = [] }) => {
      const first = attempts.findIndex(({ submitted, outcome }) => submitted && outcome === 'unknown');
      return first >= 0 && attempts.slice(first + 1).some(({ submitted }) => submitted);
    }),
  'a payment that was not accepted is paid': ({ transactions }) =>
    transactions.some(
      ({ status, attempts = [] }) =>
        status === 'completed' && attempts.some(({ outcome }) => outcome === 'not_accepted'),
    ),
  'a withdrawal may be out at a bank that was replaced': ({ transactions }) =>
    transactions.some(({ attempts = [] }) => attempts.some(isOfAnotherBank)),
  'the bank that replaced another one pays': ({ transactions }) =>
    transactions.some(({ status, bankId }) => status === 'completed' && bankId === 'bank-2'),
  'a lease is taken over': ({ transactions }) =>
    transactions.some(({ attempts = [] }) => attempts.some(({ reason }) => reason === unreported)),
  'a payment is returned': ({ transactions }) => transactions.some(({ type }) => type === 'return'),
  'open work is replayed': ({ asks }) => asks.some((ask) => isReplay(ask) && ask.response?.status === 202),
  'ended work is replayed': ({ asks }) => asks.some((ask) => isReplay(ask) && ask.response?.status !== 202),
  'a queued transfer fails': ({ transactions }) =>
    transactions.some(({ type, status }) => type === 'transfer' && status === 'failed'),
  'a receiver is frozen or closed before its transfer arrives': ({ transactions, lives }) =>
    transactions.some(
      ({ type, status, counterpartyWalletId, createdAt }) =>
        type === 'transfer' &&
        status === 'failed' &&
        lives.some(
          (life) =>
            life[0]?.['walletId'] === counterpartyWalletId &&
            life.some((wallet) => wallet['status'] !== 'active' && String(wallet['updatedAt']) > createdAt),
        ),
    ),
  'a crowd of transfers arrives': ({ lives }) => lives.some((life) => life.at(-1)?.['isCrowded'] === true),
  'a hold is captured in parts': ({ transactions }) =>
    transactions.some(({ type, transactionId, status, end }) => {
      const parts = transactions.filter(({ originalTransactionId }) => originalTransactionId === transactionId);
      return type === 'hold' && status === 'ended' && end === 'captured' && parts.length > 1;
    }),
  'a final capture gives the rest of a hold back': ({ transactions }) =>
    transactions.some(({ type, postings }) => type === 'capture' && postings.length > 2),
  'a hold is captured to the world outside': ({ transactions }) =>
    transactions.some(({ type, counterpartyWalletId }) => type === 'capture' && counterpartyWalletId === undefined),
  'a hold is released after a capture': ({ transactions }) =>
    transactions.some(({ end, captured = 0 }) => end === 'released' && captured > 0),
  'a hold expires after a capture': ({ transactions }) =>
    transactions.some(({ end, captured = 0 }) => end === 'expired' && captured > 0),
  'a hold expires in a frozen wallet': ({ transactions, lives }) =>
    transactions.some(
      ({ end, walletId, transactionId }) =>
        end === 'expired' &&
        lives.some((life) =>
          life.some(
            ({ walletId: id, sk, status, lastTransactionId }, n) =>
              sk === 'WALLET' && id === walletId && status === 'frozen' && lastTransactionId === transactionId && n > 0,
          ),
        ),
    ),
  'a capture is refused as its hold has ended': ({ asks }) => asks.some(isRefusedAs('hold_ended')),
  'a capture is refused as its hold has expired': ({ asks }) => asks.some(isRefusedAs('hold_expired')),
  'a capture is refused as too little is left': ({ asks }) => asks.some(isRefusedAs('exceeds_hold')),
  'a capture is refused as its payer is frozen': ({ asks }) =>
    asks.some((ask) => ask.route === 'capture' && isRefusedAs('wallet_frozen')(ask)),
  'a capture is refused as its receiver takes no money': ({ asks }) =>
    asks.some((ask) => ask.route === 'capture' && isRefusedAs('receiver_unavailable')(ask)),
  'a capture is replayed': ({ asks }) =>
    asks.some(({ route, response }) => route === 'capture' && response?.headers['Idempotency-Replayed'] === 'true'),
  'a transfer is refunded in parts': ({ transactions }) => transactions.some(isRefundedInParts('transfer')),
  'a queued transfer is refunded': ({ transactions }) =>
    transactions.some(({ queued, refunded = 0 }) => queued === true && refunded > 0),
  'a capture is refunded': ({ transactions }) =>
    transactions.some(({ type, refunded = 0 }) => type === 'capture' && refunded > 0),
  'a charge is refunded in parts': ({ transactions }) => transactions.some(isRefundedInParts('charge')),
  'a chargeback leaves less than nothing available': ({ lives }) =>
    lives.some((life) => life.some(({ available }) => Number(available) < 0)),
  'a chargeback is booked in a wallet that is not active': ({ transactions, lives }) =>
    transactions.some(
      ({ chargeback, transactionId }) =>
        chargeback === true &&
        lives.some((life) =>
          life.some(
            ({ sk, status, lastTransactionId }, n) =>
              sk === 'WALLET' &&
              status !== 'active' &&
              lastTransactionId === transactionId &&
              life[n - 1]?.['lastTransactionId'] !== transactionId,
          ),
        ),
    ),
  'a wallet below zero is made even': ({ lives }) =>
    lives.some(
      (life) => life.some(({ available }) => Number(available) < 0) && Number(life.at(-1)?.['available']) >= 0,
    ),
  'a refund is refused as too little is left': ({ asks }) => asks.some(isRefusedAs('exceeds_refundable')),
  'a refund is refused as its original cannot be refunded': ({ asks }) => asks.some(isRefusedAs('not_refundable')),
  'a refund is refused as its wallet has too little': ({ asks }) =>
    asks.some((ask) => ask.route === 'refund' && isRefusedAs('insufficient_funds')(ask)),
  'a refund is refused as the payer takes no money': ({ asks }) =>
    asks.some((ask) => ask.route === 'refund' && isRefusedAs('receiver_unavailable')(ask)),
  'a refund is refused to the payer': ({ asks }) =>
    asks.some((ask) => ask.route === 'refund' && isRefusedAs('forbidden')(ask)),
  'a refund is replayed': ({ asks }) =>
    asks.some(({ route, response }) => route === 'refund' && response?.headers['Idempotency-Replayed'] === 'true'),
  'a split is booked': ({ transactions }) =>
    transactions.some(({ splitId }, _, all) => splitId !== undefined && all.filter(isOfSplit(splitId)).length > 2),
  'a wallet of a split ends as it began': ({ transactions }) =>
    transactions.some(({ splitId, walletId }, _, all) => {
      if (splitId === undefined) return false;
      const own = all.filter(isOfSplit(splitId));
      const net = own.reduce(
        (sum, leg) =>
          sum +
          (leg.counterpartyWalletId === walletId ? leg.amount : 0) -
          (leg.walletId === walletId ? leg.amount + (leg.fee ?? 0) : 0),
        0,
      );
      return net === 0;
    }),
  'a leg of a split is refunded': ({ transactions }) =>
    transactions.some(({ splitId, refunded = 0 }) => splitId !== undefined && refunded > 0),
  'a leg of a split has a fee': ({ transactions }) =>
    transactions.some(({ splitId, fee = 0 }) => splitId !== undefined && fee > 0),
  'a leg with a fee is refunded': ({ transactions }) =>
    transactions.some(({ splitId, fee = 0, refunded = 0 }) => splitId !== undefined && fee > 0 && refunded > 0),
  'a split is refused as a wallet has too little': ({ asks }) =>
    asks.some((ask) => ask.route === 'split' && isRefusedAs('insufficient_funds')(ask)),
  'a split is refused as a receiver takes no money': ({ asks }) =>
    asks.some((ask) => ask.route === 'split' && isRefusedAs('receiver_unavailable')(ask)),
  'a split is refused by a limit of its wallet': ({ asks }) =>
    asks.some((ask) => ask.route === 'split' && isRefusedAs('limit_exceeded')(ask)),
  'a split is replayed': ({ asks }) =>
    asks.some(({ route, response }) => route === 'split' && response?.headers['Idempotency-Replayed'] === 'true'),
  'a command is refused as its reference is taken': ({ asks }) => asks.some(isRefusedAs('reference_taken')),
  'a command is refused by a limit of its wallet': ({ asks }) => asks.some(isRefusedAs('limit_exceeded')),
  'a transfer is refused by a limit of its receiver': ({ asks, lives }) =>
    asks.some(
      ({ step: { action }, response }) =>
        action.do === 'transfer' &&
        action.alias === undefined &&
        response !== undefined &&
        codeOf(response) === 'receiver_unavailable' &&
        lives.some((life) => life[0]?.['walletId'] === walletIdOfName(action.to) && isEver(life, 'limits')),
    ),
  'a queued transfer fails by a limit of its receiver': ({ transactions }) =>
    transactions.some(({ failure }) => failure?.code === 'limit_exceeded'),
  'a capture is refused by a limit of its receiver': ({ asks }) =>
    asks.some((ask) => ask.route === 'capture' && isRefusedAs('limit_exceeded')(ask)),
  'a wallet is below zero, on credit': ({ lives }) =>
    lives.some((life) => life.some(({ available, chargedBack = 0 }) => Number(available) < -Number(chargedBack))),
  'a limited wallet begins a day': ({ lives }) =>
    lives.some(
      (life) => new Set(life.flatMap((wallet) => (wallet['used'] as Item | undefined)?.['day'] ?? [])).size > 1,
    ),
  'limits are removed': ({ lives }) =>
    lives.some((life) => isEver(life, 'limits') && life.at(-1)?.['limits'] === undefined),
  'limits are not set, as others have changed them': ({ asks }) => asks.some(isRefusedAs('limits_changed')),
  'a queued transfer with a fee arrives': ({ transactions }) =>
    transactions.some(({ queued, status, fee = 0 }) => queued === true && status === 'completed' && fee > 0),
  'a queued transfer with a fee fails': ({ transactions }) =>
    transactions.some(({ type, status, fee = 0 }) => type === 'transfer' && status === 'failed' && fee > 0),
  'a withdrawal with a fee is paid': ({ transactions }) =>
    transactions.some(({ type, status, fee = 0 }) => type === 'withdrawal' && status === 'completed' && fee > 0),
  'a withdrawal with a fee fails': ({ transactions }) =>
    transactions.some(({ type, status, fee = 0 }) => type === 'withdrawal' && status === 'failed' && fee > 0),
  'a capture has a fee': ({ transactions }) => transactions.some(({ type, fee = 0 }) => type === 'capture' && fee > 0),
  'a transaction with a fee is refunded': ({ transactions }) =>
    transactions.some(({ refunded = 0, fee = 0 }) => refunded > 0 && fee > 0),
  'a command is refused as its fee would leave nothing': ({ asks }) => asks.some(isRefusedAs('fee_exceeds_amount')),
  'a command has the fee of another schedule than the one before': ({ transactions, history }) => {
    const from = history.service.fees?.later?.from ?? Infinity;
    const times = transactions.filter(({ fee = 0 }) => fee > 0).map(({ createdAt }) => Date.parse(createdAt));
    return times.some((time) => time < from) && times.some((time) => time > from);
  },
  'fees are collected twice': ({ transactions }) => transactions.some(({ sequence = 0 }) => sequence > 1),
  'a payment for later is executed': ({ transactions }) =>
    transactions.some(({ executedAt, standingOrderId }) => executedAt !== undefined && standingOrderId === undefined),
  'a payment for later is not scheduled, as its wallet has as many as it can': ({ asks }) =>
    asks.some(isRefusedAs('too_many_scheduled')),
  'a payment for later is refused at its time': ({ transactions }) =>
    transactions.some((one) => isUnexecuted(one) && one.failure?.code !== 'cancelled'),
  'a payment for later is cancelled': ({ transactions }) =>
    transactions.some((one) => isUnexecuted(one) && one.failure?.code === 'cancelled'),
  'a withdrawal for later is paid': ({ transactions }) =>
    transactions.some(
      ({ type, executedAt, status }) => type === 'withdrawal' && executedAt !== undefined && status === 'completed',
    ),
  'a standing order is not opened, as its wallet has as many as it can': ({ asks }) =>
    asks.some(isRefusedAs('too_many_standing_orders')),
  'a standing order makes its last payment': ({ lives }) => lives.some((life) => has(life, 'end', 'completed')),
  'a standing order makes a second payment': ({ lives }) =>
    lives.some((life) => life.some(({ sk, made }) => sk === 'ORDER' && made === 2)),
  'a payment of a standing order is executed': ({ transactions }) =>
    transactions.some(({ executedAt, standingOrderId }) => executedAt !== undefined && standingOrderId !== undefined),
  'a standing order is cancelled with its scheduled payment': ({ transactions }) =>
    transactions.some((one) => one.standingOrderId !== undefined && one.failure?.code === 'cancelled'),
  'a standing order is cancelled after a payment': ({ lives }) =>
    lives.some((life) => has(life, 'end', 'cancelled') && Number(life.at(-1)?.['made']) > 0),
  'a standing order is not cancelled, as it has ended': ({ asks }) => asks.some(isRefusedAs('standing_order_ended')),
  'a command is approved by a second operator': ({ lives }) => lives.some((life) => has(life, 'status', 'approved')),
  'an approved refund gives money back': ({ transactions }) =>
    transactions.some((one) => one.type === 'refund' && one['approvedBy'] !== undefined),
  'approved limits are higher': ({ lives }) =>
    lives.some((life) =>
      life.some((wallet) => (wallet['lastLimitsChange'] as Item | undefined)?.['approvedBy'] !== undefined),
    ),
  'a command is rejected': ({ lives }) => lives.some((life) => has(life, 'status', 'rejected')),
  'an approval is refused as another operator was faster': ({ asks }) => asks.some(isRefusedAs('approval_ended')),
  'an approval is refused as its time is over': ({ asks }) => asks.some(isRefusedAs('approval_expired')),
  'a command is refused when it is approved': ({ asks }) =>
    asks.some(
      (ask) =>
        ask.route === 'approve' &&
        ['wallet_frozen', 'wallet_closed', 'not_in_review'].some((code) => isRefusedAs(code)(ask)),
    ),
  'a batch has accepted and refused lines': ({ lives }) =>
    lives.some((life) => Number(life.at(-1)?.['accepted']) > 0 && Number(life.at(-1)?.['refused']) > 0),
  'a line of a batch is refused as its payer has too little': ({ lives }) => lives.some(isRefusedLine),
  'payments of a batch are made together': ({ transactions }) =>
    transactions.some(({ sentWith, batchId }) => sentWith !== undefined && batchId !== undefined),
  'lines of a batch are left for a further part': ({ lives }) =>
    lives.some((life) => life.some(({ isRest }) => isRest === true)),
  'a command is refused as too much work waits': ({ asks }) => asks.some(isRefusedAs('overloaded')),
  'a command is refused by the rate limit': ({ asks }) => asks.some(isRefusedAs('rate_limited')),
  'a command gives up as busy': ({ asks }) => asks.some(isRefusedAs('busy')),
  'a balance at a moment is answered': ({ asks }) =>
    asks.some(({ step, response }) => step.action.do === 'balance-at' && response?.status === 200),
  'a balance at a moment is refused as the ledger is behind': ({ asks }) => asks.some(isRefusedAs('ledger_behind')),
  'the wallet table is put back, and the ledger is not': ({ history }) => history.restore !== undefined,
  'a change is set aside': ({ setAside }) => setAside > 0,
  'the breaker opens': ({ lives }) => lives.some((life) => has(life, 'state', 'open')),
  'a message becomes a dead letter': ({ deadLetters }) => deadLetters > 0,
  'a wallet is frozen with open withdrawals': ({ lives }) =>
    lives.some((life) => life.some(({ status, held }) => status === 'frozen' && Number(held) > 0)),
  'an image of the past is read': ({ struck }) => struck.has('stale-read'),
  'the times of a wallet run backwards': ({ lives }) =>
    lives.some(
      (life) =>
        life[0]?.['version'] === 0 &&
        life.some(({ updatedAt }, n) => n > 0 && String(updatedAt) < String(life[n - 1]?.['updatedAt'])),
    ),
  'a key was rotated': ({ history: { rotation }, asks }) =>
    rotation !== undefined &&
    asks.some(
      ({ step, response, startedAt }) =>
        isNotification(step) && response?.status === 200 && startedAt >= epoch + rotation.at + rotation.usedAfter,
    ),
  'a request is signed again, with the other key': ({ refusedSignatures }) => refusedSignatures > 0,
  'a notification with a withdrawn key was refused': ({ asks }) =>
    asks.some((ask) => isForged(ask.step) && isRefusedAs('unauthorized')(ask)),
  'a worker with a wrong clock does not visit the bank': ({ history, clockDoubts }) =>
    history.service.wrongByMs > 0 && clockDoubts > 0,
  ...webhookStates,
  ...aliasStates,
  'clocks differ by seconds': ({ history }) => history.service.clocksDifferMs > 1_000,
} as const satisfies Record<string, (remains: Remains) => boolean>;

export type StateName = keyof typeof predicates;
export const stateNames = Object.keys(predicates) as StateName[];

/** Returns the states that a history has reached. */
export function statesIn(remains: Remains): StateName[] {
  return stateNames.filter((name) => predicates[name](remains));
}

/** Returns the states of each item that the ledger has seen. */
export function livesIn(ledger: Ledger): Item[][] {
  return ledger.keys().map(({ pk, sk }) => ledger.looks(pk, sk, 0, Infinity).filter((look) => look !== undefined));
}

/** Returns whether a payment for later has ended before it was executed. */
function isUnexecuted({ executeAt, executedAt, status }: TransactionState): boolean {
  return executeAt !== undefined && executedAt === undefined && status === 'failed';
}

function has(life: readonly Item[], field: string, value: string): boolean {
  return life.some((item) => item[field] === value);
}

function isEver(life: readonly Item[], field: string): boolean {
  return life.some((item) => item[field] !== undefined);
}

function ends(life: readonly Item[]): boolean {
  return ['completed', 'failed'].includes(String(life.at(-1)?.['status']));
}

function isRefundedInParts(wanted: TransactionState['type']) {
  return ({ type, refunds = [] }: TransactionState) => type === wanted && refunds.length > 1;
}

function isOfSplit(wanted: string) {
  return ({ splitId }: TransactionState) => splitId === wanted;
}

function isRefusedLine(life: readonly Item[]): boolean {
  return (life[0]?.['refusal'] as { readonly code?: string } | undefined)?.code === 'insufficient_funds';
}

function isReplay({ route, response }: Ask): boolean {
  return route === 'withdraw' && response?.headers['Idempotency-Replayed'] === 'true';
}

function isNotification({ action }: Step): boolean {
  return action.do === 'bank-notifications' && !isForged({ action });
}

function isRefusedAs(code: string) {
  return ({ response }: Ask) => response !== undefined && codeOf(response) === code;
}
