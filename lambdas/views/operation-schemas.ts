/** What operators are answered: checks of the books, health, webhooks and their deliveries. No function loads this file. */
import * as z from 'zod';
import { eventTypes } from '../domain/events.ts';
import { deliveryStatuses, webhookStatuses } from '../domain/webhook.ts';
import { discrepancy, wallet as eventWallet } from './event-records.ts';

const time = eventWallet.shape.createdAt;
const count = z.int().min(0);

const sum = z.string().regex(/^-?\d+$/);
export const pass = z.object({
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
        opening: sum
          .optional()
          .describe('Minus what wallets brought along from another system; absent without an import'),
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
export const integrity = z.object({
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

const queue = z.object({ depth: count, deadLetters: count });
export const health = z.object({
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
export const unavailable = z.object({ status: z.literal('unavailable') });

export const webhook = z.object({
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
export const delivery = z.object({
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
