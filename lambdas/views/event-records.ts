/** The schemas of the records in events: transactions, wallets, approvals, orders and the like. */
import * as z from 'zod';
import { actorKinds } from '../domain/actor.ts';
import { approvalStatuses, guardedCommands } from '../domain/approval.ts';
import { discrepancyKinds } from '../domain/discrepancy.ts';
import { maxAmount } from '../domain/money.ts';
import type { Sum } from '../domain/money.ts';
import { intervals, orderEnds, orderStatuses } from '../domain/standing-order.ts';
import { holdEnds, transactionStatuses, transactionTypes, waitReasons } from '../domain/transaction.ts';
import { attemptOutcomes } from '../domain/transaction-record.ts';

export const time = z.iso.datetime().describe('ISO 8601, UTC');
const amount = z.int().min(1).max(maxAmount).describe('In minor units');
/** No `z.int()`, which ends at 2^53-1: money that comes back may raise a balance beyond it. */
const whole = z.number().refine(Number.isInteger);
const beyond = 'money that came back may raise it beyond 2^53-1';
const sum: z.ZodType<Sum> = whole.min(0).meta({ type: 'integer', description: `In minor units; ${beyond}` });
const balance: z.ZodType<Sum> = whole.meta({
  type: 'integer',
  description: `In minor units; a chargeback or a credit line may bring it below zero, and ${beyond}`,
});

const limit = z.int().min(0).max(maxAmount).optional();
const flow = z.object({
  perTransaction: limit.describe('The most that one of them may move'),
  perDay: limit.describe('The most that they may move together in a day (UTC)'),
  perMonth: limit.describe('The most that they may move together in a month (UTC)'),
});
const limits = z.object({
  out: flow.optional().describe('Limits of transfers sent, withdrawals, and holds when they are opened'),
  in: flow.optional().describe('Limits of charges, and of transfers and captures received'),
  minimumBalance: limit.describe('The least that money out may leave available'),
  creditLine: limit.describe('How far below zero money out may take the available money'),
  maximumBalance: limit.describe('The most that money in may bring the total to'),
});

const alias = z.string().regex(/^@[a-z0-9._]+$/);

export const transaction = z.object({
  transactionId: z.string(),
  receiptCode: z.string(),
  type: z.enum(transactionTypes),
  status: z.enum(transactionStatuses),
  amount,
  fee: amount
    .optional()
    .describe(
      'In minor units. Of a transfer or withdrawal: the wallet pays it on top of the amount. Of a charge or capture: the ' +
        'receiving wallet gets the amount less the fee. Absent when there is none',
    ),
  currency: z.string(),
  walletId: z.string(),
  to: alias.optional().describe('The alias by which the payer named the receiver'),
  counterpartyWalletId: z.string().optional(),
  destination: z
    .object({
      account: z.string().describe('All but the last four characters hidden'),
      fingerprint: z
        .string()
        .describe('The same for the same account of the same wallet; the account cannot be found from it'),
    })
    .optional(),
  postings: z.array(
    z.object({ account: z.string(), amount: z.int().describe('Signed, in minor units; all of them sum to zero') }),
  ),
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
  attempts: z
    .array(
      z.object({
        at: time,
        submitted: z.boolean(),
        outcome: z.enum(attemptOutcomes),
        reason: z.string().optional(),
      }),
    )
    .optional(),
  resolution: z.object({ outcome: z.enum(['completed', 'failed']), at: time }).optional(),
  cancellation: z
    .object({
      by: z.enum(actorKinds),
      reason: z.string().optional().describe("The owner's words, where the owner cancelled"),
      at: time,
    })
    .optional()
    .describe('How a withdrawal was ended before it left for the bank, or a scheduled payment before it was executed'),
  waitingFor: z
    .enum(waitReasons)
    .optional()
    .describe(
      'Why an open withdrawal is not submitted: it goes on by itself when its wallet is unfrozen, or the bank opens',
    ),
  executeAt: time.optional().describe('When a scheduled payment is executed, or was to be; ISO 8601, UTC'),
  executedAt: time.optional().describe('When a scheduled payment was executed: its money moves from then on'),
  standingOrderId: z.string().optional().describe('The standing order that made the payment'),
  originalTransactionId: z.string().optional(),
  returnTransactionId: z.string().optional(),
  splitId: z.string().optional().describe('The split that a transfer is a leg of'),
  sentWith: z.string().optional().describe('The first of the transactions that were booked together in the wallet'),
  settledWith: z.string().optional().describe('The first of the transfers that were credited together'),
  batchId: z.string().optional().describe('The batch whose line asked for the transaction'),
  expiresAt: time.optional().describe('From when on nothing of the hold can be captured; ISO 8601, UTC'),
  captured: z.int().min(0).max(maxAmount).optional().describe('The sum of the captures of the hold, in minor units'),
  end: z
    .enum(holdEnds)
    .optional()
    .describe('How the hold ended: a capture took or gave back what was left, it was released, or it expired'),
  reason: z.string().optional().describe('Why the refund was made, in the words of the actor'),
  chargeback: z
    .literal(true)
    .optional()
    .describe('The world outside had taken the money already, so that its refund was booked whatever the balance'),
  releaseReason: z.string().optional().describe("Why the hold was released, in the words of its receiver's owner"),
  externalReference: z.string().optional(),
  uniqueReference: z.literal(true).optional().describe('No other command may have its reference'),
  description: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  createdAt: time,
  updatedAt: time,
  completedAt: time.optional(),
  sequence: z.int().min(1).optional().describe('Counts the collections of fees in this currency'),
  collected: whole
    .min(1)
    .meta({ type: 'integer', description: 'The sum of these collections up to and with this one, in minor units' })
    .optional(),
});

export const wallet = z.object({
  walletId: z.string(),
  ownerId: z.string(),
  currency: z.string(),
  status: z.enum(['active', 'frozen', 'closed']),
  balance: z.object({
    walletId: z.string(),
    currency: z.string(),
    available: balance,
    held: sum,
    total: balance,
    version: z.int().min(0),
  }),
  chargedBack: sum.optional().describe('The sum of its chargebacks, in minor units; absent while there is none'),
  createdAt: time,
  updatedAt: time,
  lastStatusChange: z
    .object({ status: z.enum(['active', 'frozen', 'closed']), at: time })
    .optional()
    .describe('The latest command that set the status'),
  limits: limits.optional().describe('In minor units; absent when the wallet has none'),
  lastLimitsChange: z
    .object({
      version: z.int().min(0).describe('Counts the commands that set the limits'),
      at: time,
      tier: z.string().optional().describe('The tier that the limits were copied from'),
    })
    .optional()
    .describe('The latest command that set the limits'),
});

export const actor = z.object({
  kind: z.enum(actorKinds).describe('The kind of the actor'),
  principal: z.string().describe("The `sub` of the owner's or operator's token; a fixed name of the others"),
  issuer: z.string().optional().describe('The issuer of that token'),
});

export const approval = z.object({
  approvalId: z.string(),
  command: z.enum(guardedCommands),
  status: z.enum(approvalStatuses),
  walletIds: z.array(z.string()).describe('The wallets that the command is about'),
  amount: amount.optional(),
  fee: amount
    .optional()
    .describe('The fee that the command takes out of its amount, in minor units; absent when there is none'),
  currency: z.string().optional(),
  limits: limits.optional().describe('The limits that the command sets, in minor units'),
  limitsVersion: z.int().min(0).optional().describe('The version of the limits that the command replaces'),
  transactionId: z.string().describe('The record that the command gets: of its transaction, where it makes one'),
  askedBy: z.string().describe("The `sub` of the asker's token"),
  askedAt: time,
  expiresAt: time.describe('From when on it cannot be approved'),
  reason: z.string().optional().describe('The reason for the decision, in the words of the operator'),
  updatedAt: time,
});

export const standingOrder = z.object({
  standingOrderId: z.string(),
  status: z.enum(orderStatuses),
  walletId: z.string(),
  amount,
  fee: amount
    .optional()
    .describe('The fee of each payment beside its amount, in minor units; absent when there is none'),
  currency: z.string(),
  to: alias.optional().describe('The alias by which the payer named that wallet'),
  toWalletId: z.string().optional().describe('The wallet that its payments go to'),
  destination: transaction.shape.destination,
  every: z.enum(intervals),
  firstAt: time.describe('The time of the first payment; the others are at the same time of the day, in UTC'),
  until: time.optional().describe('The latest time at which it pays'),
  count: z.int().min(1).optional().describe('The number of payments that were asked for'),
  made: z.int().min(0).describe('The number of payments that it has scheduled so far'),
  nextAt: time.optional().describe('The time of the next payment that it will schedule, a week ahead'),
  end: z
    .enum(orderEnds)
    .optional()
    .describe('How it ended: it has scheduled its last payment, it was cancelled, or its wallet was closed'),
  endedAt: time.optional(),
  reason: z.string().optional().describe("Why it was cancelled; an operator's reason is shown to operators only"),
  externalReference: z.string().optional(),
  description: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  createdAt: time,
  updatedAt: time,
});

export const discrepancy = z.object({
  kind: z.enum(discrepancyKinds),
  subject: z.string().describe('The wallet, transaction, account or currency with the discrepancy'),
  detail: z.string().describe('A sentence that describes the discrepancy; amounts in minor units'),
});

/** What a wallet is called. */
export const details = z.object({
  walletId: z.string(),
  name: z.string().optional().describe('What the wallet is called; absent where it has no name'),
  alias: z.string().optional().describe('The alias of the wallet, without the @; absent where it has none'),
  metadata: z.record(z.string(), z.string()).optional().describe('Texts about the wallet; absent where it has none'),
  version: z.int().min(1).describe('Counts the changes of name, alias and metadata'),
  updatedAt: time.describe('When they were changed'),
});
