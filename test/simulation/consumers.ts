/** Shared parts of the tests of event consumers: a history with every event, calls that crash, and deliveries. */
import { randomUUID } from 'node:crypto';
import type { DynamoDBRecord, SQSEvent } from 'aws-lambda';
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { askedApproval } from '../../lambdas/domain/approval.ts';
import { collection } from '../../lambdas/domain/collection.ts';
import { issuerMarkOf, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { newOrder } from '../../lambdas/domain/standing-order.ts';
import type { PendingTransfer, Transaction } from '../../lambdas/domain/transaction.ts';
import type { Attempt } from '../../lambdas/domain/transaction-record.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import type { Publisher, PutEvents } from '../../lambdas/events/bus.ts';
import { eventOf } from '../../lambdas/events/events.ts';
import { askForApproval, endApproval } from '../../lambdas/store/approvals.ts';
import { commitFees, noFees } from '../../lambdas/store/fees.ts';
import { cancelOrder, openOrder } from '../../lambdas/store/standing-orders.ts';
import { changeOf } from '../../lambdas/store/stream.ts';
import { failTransfer, settleTransfers } from '../../lambdas/store/transfers.ts';
import { returnWithdrawal } from '../../lambdas/store/withdrawals.ts';
import {
  claimWithdrawal,
  putBackWithdrawal,
  releaseWithdrawal,
  reviewWithdrawal,
  settleWithdrawal,
} from '../../lambdas/store/withdrawal-claims.ts';
import type { TestTable } from '../engine.ts';
import { charge, operation, queueTransfer, transfer, withdraw } from '../store/commands.ts';
import { capture, holdOf, openHold, release } from '../store/hold-commands.ts';
import { changeDetails } from '../../lambdas/store/wallet-details.ts';
import { setLimits } from '../store/limit-commands.ts';
import { refund, refundableOf } from '../store/refund-commands.ts';
import { cancel, scheduleTransfer, scheduleWithdrawal } from '../store/schedule-commands.ts';
import { fundedWallet, openWallet, setStatus } from '../store/wallets.ts';

export const fingerprintKey = 'a key that only tests have';
export const issuer = 'https://issuer.example';

/** Runs commands and workers' steps that cause each event of transactions, wallets and approvals at least once. */
export async function liveThrough(table: TestTable): Promise<{ ann: string; bob: string }> {
  const ann = await fundedWallet(table, 'ann', 10_000);
  const bob = await fundedWallet(table, 'bob', 500);
  const rent = { owner: 'ann', amount: 700, description: 'rent', metadata: { month: 'March' } };
  const { transaction: rented } = await transfer(table, ann, bob, rent);
  await refund(table, await refundableOf(table, rented), { amount: 70, operator: 'desk' });

  const paid = await withdraw(table, ann, { owner: 'ann', amount: 1_000 });
  await step(table, paid.transaction, 'unknown');
  const settled = await step(table, paid.transaction, 'accepted');
  await returnWithdrawal(table, settled, { at: iso(table) });
  const refused = await withdraw(table, ann, { owner: 'ann', amount: 200 });
  await step(table, refused.transaction, 'rejected');
  const doubtful = await withdraw(table, bob, { owner: 'bob', amount: 300 });
  await step(table, doubtful.transaction, 'review');

  const queued = await Promise.all(
    [100, 200, 300].map((amount) => queueTransfer(table, ann, bob, { owner: 'ann', amount })),
  );
  const [first, second, third] = queued.map(({ transaction }) => transaction as PendingTransfer);
  if (!first || !second || !third) throw new Error('no queued transfers');
  await settleTransfers(table, [first, second], iso(table));
  await failTransfer(table, third, { code: 'wallet_frozen', message: 'The wallet is frozen' }, iso(table));

  const hold = await openHold(table, ann, { amount: 50, to: bob });
  await capture(table, hold, { amount: 20 });
  await release(table, await holdOf(table, hold));

  await setLimits(table, ann, { out: { perDay: 100_000 } });
  const renamed = { walletId: ann, ownerId: 'ann', patch: { name: 'Household' }, rate: undefined } as const;
  await changeDetails(table, operation(table, 'rename', { owner: 'ann' }), { ...renamed, refusalOf: () => undefined });
  await setStatus(table, bob, 'frozen');
  await setStatus(table, bob, 'frozen');
  await setStatus(table, bob, 'active');
  await setStatus(table, await openWallet(table, 'ann'), 'closed');
  await charge(table, bob, { amount: 1 });
  await decideTogether(table, ann);
  await payLater(table, ann, bob);
  await collectFees(table, await openWallet(table, 'us'));
  return { ann, bob };
}

/** Collects fees into a revenue wallet. */
async function collectFees(table: TestTable, walletId: string): Promise<void> {
  const before = noFees('EUR');
  const collected = collection(before, { walletId, amount: 3, currency: 'EUR', at: iso(table) });
  const { sequence } = collected;
  const countedTo = iso(table).slice(0, 'yyyy-mm-ddThh'.length);
  await commitFees(table, before, { ...before, countedTo, sequence, collected: collected.collected }, collected);
}

/** Schedules payments and opens a standing order of ann's, and cancels them. */
async function payLater(table: TestTable, walletId: string, toWalletId: string): Promise<void> {
  await cancel(table, await scheduleTransfer(table, walletId, toWalletId, { amount: 5 }));
  await cancel(table, await scheduleWithdrawal(table, walletId, { amount: 5 }));
  const ann = { kind: 'owner', principal: 'ann' } as const;
  const order = newOrder({
    ...{ transactionId: transactionIdOf('ann', randomUUID()), principal: 'ann', ownerId: 'ann', walletId, amount: 5 },
    ...{ currency: 'EUR', at: iso(table), receiver: { toWalletId }, every: 'week', firstAt: iso(table, 7_200_000) },
  });
  await openOrder(table, operation(table, 'open', { owner: 'ann' }), order, undefined);
  table.clock.now += 1_000;
  const cancellation = { actor: ann, at: iso(table) };
  await cancelOrder(table, operation(table, 'cancel', { owner: 'ann' }), order, cancellation);
}

/** Asks for two charges. One is approved, the other rejected. */
async function decideTogether(table: TestTable, walletId: string): Promise<void> {
  for (const status of ['approved', 'rejected'] as const) {
    const approval = askedApproval({
      ...{ command: 'charge', path: { walletId }, body: { amount: 5, description: 'private' }, fingerprint: status },
      ...{ askedBy: { kind: 'operator', principal: 'olga', issuer: issuerMarkOf(issuer) }, at: iso(table) },
      ...{ idempotencyKey: randomUUID(), walletIds: [walletId], amount: 5, currency: 'EUR', expiresAfterMs: 600_000 },
    });
    await askForApproval(table, approval);
    table.clock.now += 1_000;
    const by = { kind: 'operator', principal: 'omar' } as const;
    await endApproval(table, approval, operation(table, status), { status, by, reason: 'known', at: iso(table) });
  }
}

async function step(
  table: TestTable,
  { transactionId }: Transaction,
  how: 'accepted' | 'rejected' | 'unknown' | 'review',
) {
  table.clock.now += 60_000;
  const at = iso(table);
  const claim = { claimId: randomUUID(), at, leaseUntil: at, submitBy: at, bankId: 'bank-1' };
  const result = await claimWithdrawal(table, transactionId, claim);
  if (!result.claimed) throw new Error(`not claimed: ${transactionId}`);
  const claimed = { withdrawal: result.before, claimId: claim.claimId, at };
  const attempt: Attempt = { at, submitted: true, outcome: how === 'review' ? 'unknown' : how };
  const code = { code: 'account_closed', message: 'The account is closed' };
  if (how === 'accepted') await settleWithdrawal(table, claimed, attempt);
  else if (how === 'rejected') await releaseWithdrawal(table, claimed, attempt, code);
  else if (how === 'review') await reviewWithdrawal(table, claimed, attempt);
  else await putBackWithdrawal(table, claimed, { dueAt: at, submitBy: at, attempt });
  return result.before;
}

function iso(table: TestTable, laterMs = 0): string {
  return new Date(table.now() + laterMs).toISOString();
}

/** Returns the events of these records, by their ids. */
export function eventsIn(records: readonly DynamoDBRecord[]): Map<string, ServiceEvent> {
  const events = records.flatMap((record) => {
    const change = changeOf(record);
    const event = change && eventOf(change, { fingerprintKey, issuer });
    // As the bus delivers it: through JSON.
    return event ? [JSON.parse(JSON.stringify(event)) as ServiceEvent] : [];
  });
  return new Map(events.map((event) => [event.eventId, event]));
}

/** The error with which the process dies. */
export class Death extends Error {
  override readonly name = 'Death';
}

/** One death, before or after the n-th call (from 0). `struck` is true if the process reached that call. */
export interface Doom {
  readonly call: number;
  readonly moment: 'before' | 'after';
}

/** Passes calls on until the one at which the process dies. Later calls have no effect. */
export function mortal(doom: Doom | undefined) {
  let calls = 0;
  let dead = false;
  return {
    get died() {
      return dead;
    },
    async call<T>(perform: () => Promise<T>): Promise<T> {
      if (dead) throw new Death();
      const strikes = calls++ === doom?.call;
      if (strikes && doom.moment === 'before') {
        dead = true;
        throw new Death();
      }
      const result = await perform();
      if (strikes) {
        dead = true;
        throw new Death();
      }
      return result;
    },
  };
}

/** Runs deaths before and after each call in turn, until one of them strikes no call. */
export async function eachDoom(run: (doom: Doom) => Promise<{ struck: boolean }>): Promise<number> {
  for (let call = 0; ; call++) {
    for (const moment of ['before', 'after'] as const) {
      const { struck } = await run({ call, moment });
      if (!struck) return call;
    }
    if (call > 1_000) throw new Error('there is no end of calls');
  }
}

/** Returns a bus that keeps its entries. `refuse` returns the code of an entry's refusal, or throws. */
export function keepingBus(refuse: (event: ServiceEvent) => string | undefined = () => undefined) {
  const delivered: ServiceEvent[] = [];
  const sizes: number[] = [];
  const put: PutEvents = (entries) => {
    sizes.push(entries.length);
    const codes = entries.map((entry) => {
      const event = eventOfEntry(entry);
      const code = refuse(event);
      if (code === undefined) delivered.push(event);
      return code;
    });
    return Promise.resolve(codes);
  };
  return { delivered, sizes, put };
}

function eventOfEntry({ Detail, DetailType, Source }: PutEventsRequestEntry): ServiceEvent {
  const event = JSON.parse(Detail ?? '') as ServiceEvent;
  if (Source !== 'wallet' || DetailType !== event.type) throw new Error(`wrong envelope for ${event.eventId}`);
  return event;
}

/** Returns a publisher on its own clock, which starts at 0. */
export function publisherTo(put: PutEvents): Publisher & { readonly clock: { now: number } } {
  const clock = { now: 0 };
  return {
    put,
    busName: 'bus',
    clock,
    now: () => clock.now,
    random: () => 0.5,
    sleep(ms) {
      clock.now += ms;
      return Promise.resolve();
    },
  };
}

/** Returns seeded numbers in [0, 1). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An event as a message carries it. An event alone counts as its first message. */
export interface Message {
  readonly event: ServiceEvent;
  /** The id of the event on the bus. */
  readonly id: string;
  readonly replay?: string;
}

/** Returns events in the messages of one batch. The id of a message is its index. */
export function sqsEvent(delivered: readonly (ServiceEvent | Message)[]): SQSEvent {
  return {
    Records: delivered.map((message, index) => {
      const { event, id, replay }: Message =
        'event' in message ? message : { event: message, id: `${message.eventId} first` };
      const body = {
        id,
        ...(replay !== undefined && { 'replay-name': replay }),
        source: 'wallet',
        'detail-type': event.type,
        detail: event,
      };
      return {
        messageId: String(index),
        receiptHandle: String(index),
        body: JSON.stringify(body),
        attributes: { ApproximateReceiveCount: '1' },
      };
    }),
  } as unknown as SQSEvent;
}
