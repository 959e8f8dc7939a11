/**
 * The published schemas of the routes' answers; answers.ts says which route has which. docs/openapi.json is generated from
 * both (`npm run schemas`). Tests hold every answer of the running service against it. No function loads this file. A
 * member may be added; an existing one is neither removed nor changed.
 */
import * as z from 'zod';
import { shownStatuses } from '../domain/approval.ts';
import { batchStatuses } from '../domain/batch.ts';
import { errorTitles } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { feeCommands } from '../domain/fee.ts';
import type { LimitName } from '../domain/limits.ts';
import { channelNames } from '../domain/preferences.ts';
import { transactionStatuses } from '../domain/transaction.ts';
import {
  actor,
  approval as eventApproval,
  details as eventDetails,
  standingOrder as eventOrder,
  transaction as eventTransaction,
  wallet as eventWallet,
} from './event-records.ts';
import { delivery, health, integrity, pass, unavailable, webhook } from './operation-schemas.ts';
import { entry, statement, statementFile, totals } from './statement-schemas.ts';

const time = eventWallet.shape.createdAt;
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
  alias: eventDetails.shape.alias,
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
        used: eventWallet.shape.balance.shape.held.describe(
          'What counts against it since the window began, in minor units',
        ),
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
  importedAt: time
    .optional()
    .describe('When it was imported from another system; its other times are those that it had there'),
  opening: z.literal(true).optional().describe('It is the balance that the wallet brought along from another system'),
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
        toWalletId: z.string().optional(),
        to: z.string().optional().describe('The alias of the receiver, where the request names it so'),
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

const preferences = z.object({
  ownerId: z.string(),
  channels: z.object(Object.fromEntries(channelNames.map((channel) => [channel, z.boolean()]))),
  mutedEvents: z.array(z.string()).describe('Types of events for which the owner gets no notification'),
});

const description = z.looseObject({ openapi: z.string().describe('The version of OpenAPI that it is written in') });

const notified = z.object({ reference: z.string() });

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
  StatementFile: statementFile,
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
