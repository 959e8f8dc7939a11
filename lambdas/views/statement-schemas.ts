/** What the routes that show the ledger answer: entries, statements and a month's totals. No function loads this file. */
import * as z from 'zod';
import { formatNames, statementFailures, statementFileStatuses } from '../domain/statement-file.ts';
import { transactionTypes } from '../domain/transaction.ts';
import { wallet as eventWallet } from './event-records.ts';

const time = eventWallet.shape.createdAt;
const { available, held } = eventWallet.shape.balance.shape;
const count = z.int().min(0);

export const entry = z.object({
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
  statusAfter: eventWallet.shape.status,
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
export const statement = z.object({
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
            alias: z.string().optional().describe('In place of a wallet that was paid by its alias'),
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

export const statementFile = z.object({
  statementId: z.string(),
  walletId: z.string(),
  format: z.enum(formatNames),
  from: statement.shape.from,
  to: statement.shape.to,
  final: statement.shape.final,
  status: z
    .enum(statementFileStatuses)
    .describe('`pending`: a worker makes the file; ask again. `failed`: repeat the request, and it is tried anew'),
  opening: statementBalance.describe('Before the period'),
  closing: statementBalance.describe('After the last line of the file'),
  sums: statement.shape.sums.optional().describe('Of the lines of the file, in minor units; where it is ready'),
  file: z
    .object({
      bytes: count.describe('The size of the file'),
      url: z.string().describe('A link to the file, for a GET without a token. Whoever has it can read the file'),
      expiresAt: time.describe('Until when the link works; ask again for another one'),
    })
    .optional()
    .describe('Where the file is ready'),
  failure: z
    .object({ code: z.string().describe(`One of: ${Object.keys(statementFailures).join(', ')}`), message: z.string() })
    .optional()
    .describe('Where it has failed'),
  createdAt: time,
  expiresAt: time.describe('From when on there is no such statement, and no file'),
});

export const totals = z.object({
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
