/**
 * The published contract of the routes' answers. docs/openapi.json is generated from this file (`npm run schemas`).
 * Tests hold every answer of the running service against it. No function loads this file. A member may be added; an
 * existing one is neither removed nor changed.
 */
import * as z from 'zod';
import { longestWaitSeconds } from '../contract.ts';
import type { RouteName } from '../contract.ts';
import { shownStatuses } from '../domain/approval.ts';
import { batchStatuses } from '../domain/batch.ts';
import { errorTitles } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { feeCommands } from '../domain/fee.ts';
import type { LimitName } from '../domain/limits.ts';
import { channelNames } from '../domain/preferences.ts';
import { transactionStatuses, transactionTypes } from '../domain/transaction.ts';
import { eventTypes } from '../domain/events.ts';
import { deliveryStatuses, webhookStatuses } from '../domain/webhook.ts';
import {
  actor,
  approval as eventApproval,
  details as eventDetails,
  discrepancy,
  standingOrder as eventOrder,
  transaction as eventTransaction,
  wallet as eventWallet,
} from './event-schemas.ts';

const time = eventWallet.shape.createdAt;
const { available, held } = eventWallet.shape.balance.shape;
const count = z.int().min(0);

const forOperators = 'For operators';
/** An actor as records have it. */
const recordedActor = actor.extend({
  issuer: z
    .string()
    .optional()
    .describe(
      "The first six characters of the SHA-256 of that token's issuer, in base64url; events have the issuer itself",
    ),
});

const limitsChange = eventWallet.shape.lastLimitsChange.unwrap().shape;
const wallet = eventWallet.extend({
  name: eventDetails.shape.name,
  metadata: eventDetails.shape.metadata,
  createdBy: recordedActor.optional().describe(forOperators),
  lastStatusChange: z
    .object({
      ...eventWallet.shape.lastStatusChange.unwrap().shape,
      actor: recordedActor.optional().describe(forOperators),
      reason: z.string().optional().describe(forOperators),
      approvedBy: recordedActor.optional().describe(forOperators),
    })
    .optional()
    .describe('The latest command that set the status'),
  // Generators of clients would name it WalletLimits, as another schema is.
  limits: eventWallet.shape.limits.meta({
    title: 'LimitValues',
    description: 'In minor units; absent when the wallet has none',
  }),
  limitWindows: z
    .array(
      z.object({
        limit: z.enum(['out.perMonth', 'out.perDay', 'in.perMonth', 'in.perDay']).describe('The limit'),
        most: count.describe('Its amount, in minor units'),
        used: held.describe('What counts against it since the window began, in minor units'),
        left: count.describe('What it still allows, in minor units'),
        resetsAt: time.describe('When the next window begins, with nothing used'),
      }),
    )
    .optional()
    .describe('The days and months with a limit'),
  lastLimitsChange: z
    .object({
      ...limitsChange,
      actor: recordedActor.optional().describe(forOperators),
      reason: z.string().optional().describe(forOperators),
      approvedBy: recordedActor.optional().describe(forOperators),
    })
    .optional()
    .describe('The latest command that set the limits'),
});

const walletLimits = z.object({
  walletId: z.string(),
  limits: eventWallet.shape.limits.unwrap().describe('In minor units; empty when there are none'),
  tier: limitsChange.tier,
  version: limitsChange.version,
  setAt: time.optional().describe('When they were set'),
  setBy: recordedActor.optional().describe('By whom'),
  reason: z.string().optional().describe('Why, in the words of the operator'),
  approvedBy: recordedActor.optional().describe('The second operator, where one had to approve it'),
});

/** The members of all audiences; each audience sees its own part. */
const transaction = eventTransaction.extend({
  destination: z
    .object({ account: z.string().describe('All but the last four characters hidden'), name: z.string().optional() })
    .optional(),
  resolution: z
    .object({
      outcome: z.enum(['completed', 'failed']),
      evidence: z.string().optional().describe(forOperators),
      principal: z.string().optional().describe(forOperators),
      at: time,
      approvedBy: recordedActor.optional().describe(forOperators),
    })
    .optional()
    .describe('How an operator ended a withdrawal in review'),
  cancellation: z
    .object({
      ...eventTransaction.shape.cancellation.unwrap().shape,
      actor: recordedActor.optional().describe(forOperators),
    })
    .optional()
    .describe('How a withdrawal was ended before it left for the bank, or a scheduled payment before it was executed'),
  releaseReason: z
    .string()
    .optional()
    .describe("Why the hold was released; an operator's reason is shown to operators only"),
  refunded: eventTransaction.shape.amount
    .optional()
    .describe('The sum of the refunds of the transaction, in minor units; absent while there is none'),
  refunds: z.array(z.string()).optional().describe('The ids of these refunds, in their order'),
  requestedBy: recordedActor.optional().describe(forOperators),
  endedBy: recordedActor.optional().describe(forOperators),
  approvedBy: recordedActor.optional().describe(forOperators),
});

const split = z.object({
  splitId: z.string().describe('The id of the split, which each leg has'),
  amount: eventTransaction.shape.amount.describe('The sum of the legs, in minor units'),
  currency: z.string(),
  legs: z.array(transaction).describe('The transfer of each leg, in the order of the request'),
  createdAt: time,
});

const dryRun = z.object({
  dryRun: z.literal(true),
  type: z.enum(feeCommands).describe('The kind of the transaction that the command would make'),
  amount: eventTransaction.shape.amount,
  currency: z.string(),
  fee: count.describe('In minor units; 0 when there is none'),
  paid: count.describe('What the paying side gives, in minor units: of a transfer or withdrawal with the fee'),
  received: count.describe('What the receiving side gets, in minor units: of a charge or capture less the fee'),
});

const standingOrder = eventOrder.extend({
  destination: transaction.shape.destination,
  requestedBy: recordedActor.optional().describe(forOperators),
  endedBy: recordedActor.optional().describe(forOperators),
});

const splitDryRun = z.object({
  dryRun: z.literal(true),
  amount: eventTransaction.shape.amount.describe('The sum of the legs, in minor units'),
  currency: z.string(),
  fee: count.describe('The sum of the fees, in minor units; 0 when there is none'),
  paid: count.describe('What the senders of all legs give, in minor units'),
  legs: z
    .array(
      z.object({
        fromWalletId: z.string(),
        toWalletId: z.string(),
        amount: eventTransaction.shape.amount,
        fee: count.describe('In minor units; its sender pays it beside the amount'),
      }),
    )
    .describe('The legs, in the order of the request'),
});

const approval = eventApproval.extend({
  status: z.enum(shownStatuses).describe('`asked` until an operator decides or it expires'),
  body: z.record(z.string(), z.unknown()).describe('The body of the request'),
  path: z.record(z.string(), z.string()).describe('The parameters in the path of the request'),
  askedBy: recordedActor,
  endedBy: recordedActor.optional().describe('The operator who decided'),
});

const batch = z.object({
  batchId: z.string(),
  status: z.enum(batchStatuses).describe('`completed` when each line is accepted or refused'),
  count: count.describe('The number of lines'),
  waiting: count.describe('Lines that are neither accepted nor refused yet'),
  accepted: count.describe('Lines whose transactions were accepted; these end on their own'),
  refused: count.describe('Lines that were refused; nothing of them moved'),
  requestedBy: recordedActor.describe('The operator who sent it'),
  createdAt: time,
  updatedAt: time,
  completedAt: time.optional().describe('When the last line was accepted or refused'),
});
const batchItem = z.object({
  key: z.string().describe('The key of the line'),
  transactionId: z.string().describe('The id of its transaction, also before there is one'),
  status: z
    .enum(['waiting', 'refused', ...transactionStatuses])
    .describe('`waiting`, `refused`, or the status of its transaction now'),
  failure: z.object({ code: z.string(), message: z.string() }).optional().describe('Why it was refused, or has failed'),
});

const balance = eventWallet.shape.balance.extend({
  at: time.optional().describe('The moment in the parameter `at`'),
  final: z
    .boolean()
    .optional()
    .describe(
      'With `at`: `false` within a minute of the moment, while a command that began before it may still be booked',
    ),
});

const entry = z.object({
  walletId: z.string(),
  version: count.describe('Counts the changes of the wallet; 0 is its opening'),
  at: time.describe('Time from which this version holds, never earlier than that of the one before it; ISO 8601, UTC'),
  bookedAt: time
    .optional()
    .describe('When the change was booked, as its transaction says; absent in the oldest entries, where it is `at`'),
  changes: z
    .array(
      z.object({
        account: z.enum(['available', 'held']),
        amount: z.number().meta({ type: 'integer', description: 'Signed, in minor units' }),
      }),
    )
    .describe('Empty where only the status changed'),
  balanceAfter: z.object({ available, held }),
  statusAfter: wallet.shape.status,
  transactionId: z.string().optional(),
  hash: z.string().describe('SHA-256 over the entry and the hash of the one before it, base64url'),
});

const signed = z.number().meta({ type: 'integer' });
const statementBalance = z.object({
  available,
  held,
  total: held.describe('`available` + `held`, in minor units; below zero where `available` is'),
  version: count.optional().describe('The entry that left it; absent before the wallet was opened'),
  hash: entry.shape.hash.optional().describe('The hash of that entry'),
});
const statement = z.object({
  walletId: z.string(),
  currency: z.string(),
  decimals: count.describe('Decimals of the currency: 2 means that 100 minor units are one of it'),
  from: time.describe('The beginning of the period, inclusive'),
  to: time.describe('Its end, exclusive'),
  final: z
    .boolean()
    .describe('`false` within a minute of `to`, while a command that began before it may still be booked'),
  opening: statementBalance.describe('Before the first line of this answer'),
  lines: z
    .array(
      z.object({
        version: count.describe('The entry of the ledger; transactions that were booked together share it'),
        at: time.describe('Time from which the entry holds; ISO 8601, UTC'),
        transactionId: z.string().optional(),
        receiptCode: z.string().optional(),
        type: z
          .enum([...transactionTypes, 'correction'])
          .describe(
            'The type of the transaction; `correction` where no transaction explains the change, as after a recovery',
          ),
        amount: signed.describe('What the total gained, in minor units: below zero for money out. A fee is in it'),
        fee: signed.optional().describe('What of `amount` the wallet paid as a fee; below zero where it came back'),
        reversal: z.literal(true).optional().describe('It gives back what the same transaction took before'),
        counterparty: z
          .object({
            walletId: z.string().optional(),
            account: z.string().optional().describe('All but the last four characters hidden'),
            name: z.string().optional().describe('The holder of the account'),
          })
          .optional()
          .describe('The other side, as the caller may see it; absent where that is the world outside'),
        externalReference: z.string().optional(),
        description: z.string().optional(),
        balance: signed.describe('The total after the line, in minor units'),
      }),
    )
    .describe('The movements of the total, oldest first'),
  closing: statementBalance.describe('After the last line of this answer'),
  sums: z
    .object({
      lines: count.describe('The number of lines'),
      in: count.describe('The sum of the amounts above zero'),
      out: count.describe('The sum of those below zero, without the sign'),
      fees: signed.describe('The sum of the fees'),
    })
    .describe('Of the lines of this answer, in minor units: opening + in - out = closing'),
  nextCursor: z.string().optional().describe('Absent on the last page; send it as `cursor`'),
});

const totals = z.object({
  ownerId: z.string(),
  month: z.string().describe('In UTC, as 2026-03'),
  from: time.describe('The beginning of the month, inclusive'),
  to: time.describe('Its end, exclusive; of a month that is not over the time of the request for its first page'),
  final: statement.shape.final,
  items: z
    .array(
      z.object({
        currency: z.string(),
        type: statement.shape.lines.element.shape.type,
        count: count.describe('The number of lines of the statements'),
        ...statement.shape.sums.omit({ lines: true }).shape,
      }),
    )
    .describe('Sorted by currency and type; of this part of the month, where there are several'),
  nextCursor: z.string().optional().describe('There are more parts: send it as `cursor`, and add up what they have'),
});

const preferences = z.object({
  ownerId: z.string(),
  channels: z.object(Object.fromEntries(channelNames.map((channel) => [channel, z.boolean()]))),
  mutedEvents: z.array(z.string()).describe('Types of events for which the owner gets no notification'),
});

const sum = z.string().regex(/^-?\d+$/);
const pass = z.object({
  passId: z.string(),
  status: z.enum(['running', 'sound', 'discrepancies']),
  stage: z.enum(['books', 'bank', 'sums', 'done']),
  startedAt: time,
  finishedAt: time.optional(),
  asOf: time.optional().describe('The moment as of which sums are compared'),
  withBank: z.boolean().describe("Whether the bank's statement is compared"),
  runs: count,
  counts: z.object({ wallets: count, transactions: count, entries: count, payments: count }),
  otherBanks: z
    .array(z.object({ bankId: z.string(), withdrawals: count }))
    .describe('Completed withdrawals that went to another bank: they are compared with nothing'),
  scanned: count.describe('Items of the table that the pass has read'),
  items: count.optional().describe('Approximate items of the table when the pass began'),
  readUnits: z.number().min(0).describe('Read units of DynamoDB that it has cost'),
  dollars: z.number().min(0).describe('The same in dollars, at the list price of us-east-1'),
  expectedReadUnits: z.number().min(0).optional().describe('Read units of the whole pass, at the rate so far'),
  expectedDollars: z.number().min(0).optional().describe('The same in dollars'),
  sums: z
    .array(
      z.object({
        ...{ currency: z.string(), wallets: sum, external: sum, transit: sum },
        fees: sum.optional().describe('What was paid as fees; absent when there was none'),
        collected: sum.optional().describe('Minus what of it went to revenue wallets; absent when nothing was paid'),
        sum,
      }),
    )
    .describe('In minor units, as texts, because they may be larger than the numbers that JSON readers agree on'),
  suspects: z.array(z.string()).describe('Wallets that will be checked again'),
  found: count.describe('The number of discrepancies'),
  discrepancies: z.array(discrepancy).describe('The first hundred of them'),
});
const hours = z.object({
  next: z.string().describe('The hour (UTC) that is checked now, or when it is closed: all before it are checked'),
  nextOfBank: z.string().describe('The same for its payments: all before it are compared with the statement'),
  uncheckedSeconds: count.describe('Time since the end of the oldest unchecked hour; 0 when there is none'),
  suspects: z.array(z.string()).describe('Wallets that will be checked again'),
  last: z
    .object({
      hour: z.string().describe('Its beginning, in UTC'),
      checkedAt: time.describe('When it was'),
      counts: z
        .object({
          wallets: count.describe('Wallets that changed'),
          entries: count.describe('Entries of these changes'),
          bookings: count.describe('Bookings of transactions'),
        })
        .describe('What was compared'),
      readUnits: z.number().min(0).describe('Read units of DynamoDB that it has cost'),
    })
    .nullable()
    .describe('The last hour that was checked'),
});
const integrity = z.object({
  hours: hours.nullable().describe('The check of closed hours'),
  discrepancies: z
    .array(
      discrepancy.extend({
        hour: z.string().optional().describe('The hour whose sums are wrong; absent: it is about its subject'),
        since: time.describe('When it was found first'),
        seenAt: time.describe('When it was found last; it is removed when a whole pass has not found it again'),
        bankId: z.string().optional().describe('The bank whose payments were compared'),
        acknowledged: z
          .object({ by: z.string(), evidence: z.string(), at: time })
          .optional()
          .describe('Who has acknowledged it, and why; the alarm does not count it'),
      }),
    )
    .describe('Reported discrepancies that are not removed, up to five hundred'),
  last: pass.nullable().describe('The last complete pass'),
  running: pass.nullable().describe('The current pass; it stays here, with its end, until the next one'),
});

const description = z.looseObject({ openapi: z.string().describe('The version of OpenAPI that it is written in') });

const queue = z.object({ depth: count, deadLetters: count });
const health = z.object({
  status: z.literal('ok'),
  queues: z
    .object({ withdrawals: queue, transfers: queue })
    .optional()
    .describe('This and the following members: with a token that has the scope wallet:support'),
  oldestDueAgeSeconds: count.optional().describe('Delay of the work that has been due the longest'),
  inReview: z
    .array(z.object({ transactionId: z.string(), since: time }))
    .optional()
    .describe('The withdrawals that wait for an operator, the oldest first, up to 100'),
  bank: z
    .object({
      breaker: z
        .enum(['closed', 'open', 'half-open', 'unknown'])
        .describe('The state in the last report of a worker; unknown ten minutes after a report that it is not closed'),
      since: time.optional(),
    })
    .optional(),
});
const unavailable = z.object({ status: z.literal('unavailable') });

const notified = z.object({ reference: z.string() });

const webhook = z.object({
  webhookId: z.string(),
  url: z.string().describe('Where its deliveries are sent'),
  eventTypes: z.array(z.enum(eventTypes)).describe('The types of events that it gets'),
  description: z.string().optional(),
  status: z.enum(webhookStatuses),
  disabledBecause: z
    .enum(['operator', 'failing', 'stack'])
    .optional()
    .describe('Why it is disabled; `stack`: the stack does not name it any more'),
  failingSince: time.optional().describe('Since when it has taken nothing; absent when it takes what it gets'),
  secret: z
    .string()
    .optional()
    .describe('The key of its signatures: only in the answer that made it, and in repetitions within an hour'),
  previousSecretUntil: time.optional().describe('Until when the secret before the last rotation signs, too'),
  replay: z
    .object({
      from: time.describe('The moment of the first event'),
      to: time.describe('The moment of the last event'),
      parkedOnly: z.boolean().describe('Whether it sends only parked deliveries again'),
      status: z.enum(['running', 'completed']),
      resent: count.describe('Deliveries that wait again'),
    })
    .optional()
    .describe('The last replay'),
  eventId: z.string().optional().describe('Of a ping: the id of its delivery'),
  createdBy: z.string().describe('The `sub` of the operator who made it'),
  createdAt: time,
  updatedAt: time,
});
const delivery = z.object({
  eventId: z.string().describe('The id of the event, and the `webhook-id` of its delivery'),
  type: z.string().describe('The type of the event; `webhook.ping` of a ping'),
  occurredAt: time.describe('When the event happened'),
  status: z.enum(deliveryStatuses),
  attempts: count.describe('Attempts since the event, or since the last replay'),
  lastAttempt: z
    .object({ at: time, outcome: z.string().describe('The status of the answer, or why there was none') })
    .optional(),
  nextAttemptAt: time.optional().describe('When it is tried again; absent unless it waits'),
  createdAt: time,
});

const limitNames = [
  ...['out.perTransaction', 'out.perDay', 'out.perMonth', 'in.perTransaction', 'in.perDay', 'in.perMonth'],
  ...['minimumBalance', 'creditLine', 'maximumBalance'],
] as const satisfies readonly LimitName[];

const nextCursor = z.string().optional().describe('Absent on the last page; send it as `cursor`');
const walletPage = z.object({ items: z.array(wallet), nextCursor });
const transactionPage = z.object({
  items: z.array(transaction).describe('May be fewer than asked for, or none, while there is more'),
  nextCursor,
});
const standingOrderPage = z.object({ items: z.array(standingOrder), nextCursor });
const approvalPage = z.object({ items: z.array(approval), nextCursor });
const batchItemPage = z.object({
  items: z.array(batchItem).describe('May be fewer than asked for while there is more'),
  nextCursor,
});
const webhookList = z.object({ items: z.array(webhook) });
const deliveryPage = z.object({ items: z.array(delivery), nextCursor });
const entryPage = z.object({ items: z.array(entry), nextCursor });

const problem = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int().min(400).max(599),
  code: z.enum(Object.keys(errorTitles) as ErrorCode[]).describe('Distinguishes refusals'),
  detail: z.string().optional().describe('About this case, for people'),
  errors: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('For `invalid_request`: the field, parameter or header, and its defect'),
  leg: count
    .optional()
    .describe(
      'Of a split: the index of the leg that is refused, or that first names the wallet which refuses. Absent for an end user ' +
        'who pays several wallets, of which one is `receiver_unavailable`',
    ),
  transactionId: z
    .string()
    .optional()
    .describe('For `reference_taken`: the transaction that has the reference, where the caller may see it'),
  limit: z.enum(limitNames).optional().describe('For `limit_exceeded`: the limit of the wallet'),
  left: count.optional().describe('For `limit_exceeded`: the most that this limit allows now, in minor units'),
  resetsAt: time.optional().describe('For `limit_exceeded`: when it allows more; absent when time alone does not'),
  requestId: z.string().describe("The gateway's id of the request, also in its logs: quote it when you ask for help"),
});

/** The schemas with a name, by name. */
export const namedSchemas = {
  Wallet: wallet,
  WalletLimits: walletLimits,
  WalletPage: walletPage,
  Balance: balance,
  Transaction: transaction,
  TransactionPage: transactionPage,
  Split: split,
  DryRun: dryRun,
  StandingOrder: standingOrder,
  StandingOrderPage: standingOrderPage,
  SplitDryRun: splitDryRun,
  Approval: approval,
  ApprovalPage: approvalPage,
  Batch: batch,
  BatchItem: batchItem,
  BatchItemPage: batchItemPage,
  Webhook: webhook,
  WebhookList: webhookList,
  Delivery: delivery,
  DeliveryPage: deliveryPage,
  Entry: entry,
  EntryPage: entryPage,
  Statement: statement,
  Totals: totals,
  NotificationPreferences: preferences,
  Pass: pass,
  Integrity: integrity,
  Health: health,
  Unavailable: unavailable,
  Notified: notified,
  Description: description,
  Problem: problem,
} as const satisfies Record<string, z.ZodType>;

type SchemaName = keyof typeof namedSchemas;

/** The answers of one route. */
interface Answers {
  /** By status: its meaning, and the body, if there is one. */
  readonly successes: Readonly<
    Record<
      number,
      {
        readonly meaning: string;
        readonly schema?: SchemaName;
        /** Other media types of the body, with what they are. */
        readonly mediaTypes?: Readonly<Record<string, string>>;
      }
    >
  >;
  /** The answer with 200 to a body with `dryRun`; absent where the body has no such member. */
  readonly dryRun?: SchemaName;
  /** Codes of refusals that only this route has. The codes that follow from the route's inputs are not listed. */
  readonly codes?: readonly ErrorCode[];
  /** The preferences that the client may send (RFC 7240). */
  readonly prefer?: readonly string[];
}

const use: readonly ErrorCode[] = ['wallet_frozen', 'wallet_closed', 'currency_mismatch'];
const spend: readonly ErrorCode[] = [
  ...use,
  'insufficient_funds',
  'limit_exceeded',
  'operator_limit_exceeded',
  'overloaded',
  'reference_taken',
];
const ofHold: readonly ErrorCode[] = ['not_a_hold', 'hold_ended'];
const wait = `\`wait=N\`: wait up to N seconds, at most ${longestWaitSeconds}, for the end of the transaction`;

const waiting = {
  202: { meaning: 'Nothing has moved: a second operator must approve it', schema: 'Approval' },
} as const;
const ofApproval: readonly ErrorCode[] = ['approval_not_found', 'approval_ended', 'approval_expired'];

const unchanged = { 304: { meaning: 'It has not changed since the version in If-None-Match' } };

/** The answers of each route. */
export const answers: Readonly<Record<RouteName, Answers>> = {
  'create-wallet': { successes: { 201: { meaning: 'The new wallet', schema: 'Wallet' } } },
  'list-wallets': { successes: { 200: { meaning: 'A page of wallets', schema: 'WalletPage' } } },
  'get-wallet': { successes: { 200: { meaning: 'The wallet', schema: 'Wallet' } } },
  'change-wallet': { successes: { 200: { meaning: 'The wallet', schema: 'Wallet' } } },
  'get-balance': {
    successes: {
      200: { meaning: 'The balance', schema: 'Balance' },
      ...unchanged,
    },
    codes: ['ledger_behind'],
  },
  charge: {
    successes: { 201: { meaning: 'Booked: `completed`', schema: 'Transaction' }, ...waiting },
    dryRun: 'DryRun',
    codes: [
      ...use,
      ...(['balance_limit_exceeded', 'limit_exceeded', 'fee_exceeds_amount'] as const),
      ...(['operator_limit_exceeded', 'approval_expired', 'reference_taken'] as const),
    ],
  },
  withdraw: {
    successes: {
      202: { meaning: 'The money is held, and the bank will be asked', schema: 'Transaction' },
      200: { meaning: 'The end came while the client preferred to wait', schema: 'Transaction' },
    },
    dryRun: 'DryRun',
    codes: [...spend, 'too_many_scheduled'],
    prefer: [wait],
  },
  transfer: {
    successes: {
      201: { meaning: 'Booked: `completed`', schema: 'Transaction' },
      202: {
        meaning:
          'Queued: the sender is debited. The receiver is credited, or the transfer fails and the sender has it back',
        schema: 'Transaction',
      },
      200: { meaning: 'Queued, and the end came while the client preferred to wait', schema: 'Transaction' },
    },
    dryRun: 'DryRun',
    codes: [...spend, 'same_wallet', 'receiver_unavailable', 'too_many_scheduled'],
    prefer: ['`respond-async`: queue the transfer', wait],
  },
  'list-transactions': {
    successes: {
      200: {
        meaning:
          'A page of transactions by `createdAt`. A queued transfer comes to its receiver later, among earlier ones',
        schema: 'TransactionPage',
      },
    },
  },
  'find-transactions': {
    successes: {
      200: {
        meaning:
          'A page of transactions, the newest first; of open work without another filter the latest due first. A command shows some milliseconds after its answer',
        schema: 'TransactionPage',
      },
    },
    codes: ['query_too_broad'],
  },
  'get-transaction': { successes: { 200: { meaning: 'The transaction', schema: 'Transaction' }, ...unchanged } },
  'get-receipt': { successes: { 200: { meaning: 'The transaction', schema: 'Transaction' }, ...unchanged } },
  'list-entries': { successes: { 200: { meaning: 'A page of entries', schema: 'EntryPage' } } },
  'get-statement': {
    successes: {
      200: {
        meaning: 'The statement',
        schema: 'Statement',
        mediaTypes: {
          'text/csv': 'A row of names, the opening balance, a row for each line, the closing balance',
          'application/xml': 'The message camt.053.001.08 of ISO 20022',
        },
      },
    },
    codes: ['ledger_behind', 'statement_too_long'],
  },
  'get-totals': {
    successes: { 200: { meaning: 'The totals, or a part of them', schema: 'Totals' } },
    codes: ['ledger_behind'],
  },
  freeze: { successes: { 200: { meaning: 'The wallet', schema: 'Wallet' } }, codes: ['wallet_closed'] },
  unfreeze: {
    successes: { 200: { meaning: 'The wallet', schema: 'Wallet' }, ...waiting },
    codes: ['wallet_closed', 'approval_expired'],
  },
  close: { successes: { 200: { meaning: 'The wallet', schema: 'Wallet' } }, codes: ['wallet_not_empty'] },
  'set-limits': {
    successes: { 200: { meaning: 'The limits that the wallet has now', schema: 'WalletLimits' }, ...waiting },
    codes: ['limits_changed', 'operator_limit_exceeded', 'approval_expired'],
  },
  resolve: {
    successes: { 200: { meaning: 'The transaction at its end', schema: 'Transaction' }, ...waiting },
    codes: ['not_in_review', 'operator_limit_exceeded', 'approval_expired'],
  },
  cancel: {
    successes: { 200: { meaning: 'The transaction, `failed` with the code `cancelled`', schema: 'Transaction' } },
    codes: ['not_cancellable'],
  },
  'open-hold': {
    successes: { 201: { meaning: 'The hold, `open`: its money is held', schema: 'Transaction' } },
    codes: [
      ...use,
      ...([
        'same_wallet',
        'insufficient_funds',
        'limit_exceeded',
        'operator_limit_exceeded',
        'reference_taken',
      ] as const),
    ],
  },
  capture: {
    successes: { 201: { meaning: 'The capture, `completed`; it may have ended the hold', schema: 'Transaction' } },
    dryRun: 'DryRun',
    codes: [
      ...ofHold,
      'hold_expired',
      'exceeds_hold',
      'fee_exceeds_amount',
      'wallet_frozen',
      'wallet_not_found',
      'receiver_unavailable',
      'limit_exceeded',
      'operator_limit_exceeded',
    ],
  },
  release: { successes: { 200: { meaning: 'The hold, `ended`', schema: 'Transaction' } }, codes: ofHold },
  refund: {
    successes: { 201: { meaning: 'The refund, `completed`', schema: 'Transaction' }, ...waiting },
    codes: [
      ...use,
      'not_refundable',
      'exceeds_refundable',
      'too_many_refunds',
      'insufficient_funds',
      'receiver_unavailable',
      'operator_limit_exceeded',
      'approval_expired',
      'reference_taken',
    ],
  },
  split: {
    successes: { 201: { meaning: 'Booked, all legs: each is `completed`', schema: 'Split' } },
    dryRun: 'SplitDryRun',
    codes: [
      ...use,
      'wallet_not_found',
      'same_wallet',
      'insufficient_funds',
      'receiver_unavailable',
      'limit_exceeded',
      'balance_limit_exceeded',
      'operator_limit_exceeded',
    ],
  },
  'open-standing-order': {
    successes: { 201: { meaning: 'The standing order, `active`', schema: 'StandingOrder' } },
    codes: [
      ...use,
      ...(['same_wallet', 'operator_limit_exceeded', 'standing_order_not_found', 'too_many_standing_orders'] as const),
      'too_many_scheduled',
    ],
  },
  'list-standing-orders': {
    successes: { 200: { meaning: 'A page of standing orders, the newest first', schema: 'StandingOrderPage' } },
  },
  'get-standing-order': {
    successes: { 200: { meaning: 'The standing order', schema: 'StandingOrder' }, ...unchanged },
    codes: ['standing_order_not_found'],
  },
  'cancel-standing-order': {
    successes: { 200: { meaning: 'The standing order, `ended`', schema: 'StandingOrder' } },
    codes: ['standing_order_not_found', 'standing_order_ended'],
  },
  approve: {
    successes: { 200: { meaning: 'The approval, `approved`: its command was executed', schema: 'Approval' } },
    codes: [
      ...ofApproval,
      ...use,
      ...(['wallet_not_found', 'balance_limit_exceeded', 'limit_exceeded', 'fee_exceeds_amount'] as const),
      ...(['transaction_not_found', 'not_in_review', 'limits_changed'] as const),
      ...(['not_refundable', 'exceeds_refundable', 'too_many_refunds'] as const),
      ...(['insufficient_funds', 'receiver_unavailable', 'reference_taken'] as const),
      'operator_limit_exceeded',
    ],
  },
  reject: {
    successes: { 200: { meaning: 'The approval, `rejected`', schema: 'Approval' } },
    codes: ofApproval,
  },
  'get-approval': {
    successes: { 200: { meaning: 'The approval', schema: 'Approval' } },
    codes: ['approval_not_found'],
  },
  'list-approvals': { successes: { 200: { meaning: 'A page of approvals', schema: 'ApprovalPage' } } },
  'create-batch': {
    successes: { 202: { meaning: 'Stored: a worker makes the payments', schema: 'Batch' } },
    codes: ['operator_limit_exceeded'],
  },
  'get-batch': {
    successes: { 200: { meaning: 'The batch', schema: 'Batch' } },
    codes: ['batch_not_found'],
  },
  'list-batch-items': {
    successes: { 200: { meaning: 'A page of the lines, in the order of the file', schema: 'BatchItemPage' } },
    codes: ['batch_not_found'],
  },
  'get-notification-preferences': {
    successes: {
      200: {
        meaning: "The owner's preferences; no channel is on until the owner turns it on",
        schema: 'NotificationPreferences',
      },
    },
  },
  'put-notification-preferences': {
    successes: { 200: { meaning: "The owner's new preferences", schema: 'NotificationPreferences' } },
  },
  'create-webhook': {
    successes: { 201: { meaning: 'The endpoint, with its secret', schema: 'Webhook' } },
    codes: ['webhook_limit_reached'],
  },
  'list-webhooks': { successes: { 200: { meaning: 'All endpoints, the oldest first', schema: 'WebhookList' } } },
  'get-webhook': {
    successes: { 200: { meaning: 'The endpoint', schema: 'Webhook' } },
    codes: ['webhook_not_found'],
  },
  'put-webhook': {
    successes: { 200: { meaning: 'The endpoint as it is now', schema: 'Webhook' } },
    codes: ['webhook_not_found'],
  },
  'rotate-webhook-secret': {
    successes: { 200: { meaning: 'The endpoint, with its new secret', schema: 'Webhook' } },
    codes: ['webhook_not_found'],
  },
  'ping-webhook': {
    successes: { 202: { meaning: 'The ping is sent like an event', schema: 'Webhook' } },
    codes: ['webhook_not_found', 'webhook_disabled'],
  },
  'replay-webhook': {
    successes: { 202: { meaning: 'The replay runs', schema: 'Webhook' } },
    codes: ['webhook_not_found', 'webhook_disabled', 'webhook_replay_running'],
  },
  'list-webhook-deliveries': {
    successes: { 200: { meaning: 'A page of deliveries, those of the newest events first', schema: 'DeliveryPage' } },
    codes: ['webhook_not_found'],
  },
  integrity: {
    successes: { 200: { meaning: 'Discrepancies in the books, and the progress of their check', schema: 'Integrity' } },
  },
  'bank-notifications': {
    successes: { 200: { meaning: 'Known and booked, now or before', schema: 'Notified' } },
    codes: ['unauthorized', 'transaction_not_found', 'another_bank'],
  },
  health: {
    successes: {
      200: { meaning: 'The service can do its work', schema: 'Health' },
      503: { meaning: 'It cannot', schema: 'Unavailable' },
    },
  },
  'get-description': {
    successes: {
      200: { meaning: 'The description', schema: 'Description' },
      304: { meaning: 'It has not changed since the version in If-None-Match' },
    },
  },
  'get-reference': {
    successes: {
      200: { meaning: 'The page', mediaTypes: { 'text/html': 'A page without scripts' } },
      304: { meaning: 'It has not changed since the version in If-None-Match' },
    },
  },
};
