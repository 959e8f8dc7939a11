import { randomUUID } from 'node:crypto';
import { openBank } from '../bank/client.ts';
import { bankIdOf } from '../bank/identity.ts';
import { openRequestKeys } from '../bank/secret.ts';
import { metrics as names } from '../contract.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { beginPass, passFromText, passToText, runPass } from '../integrity/pass.ts';
import type { Books, Pass } from '../integrity/pass.ts';
import { openPublisher, publishEvents } from '../runtime/bus.ts';
import type { Publisher } from '../runtime/bus.ts';
import { dynamodbClient, eventBridgeClient, secretsClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { discrepancyEvent } from '../runtime/events.ts';
import { describe, logger, metrics } from '../runtime/telemetry.ts';
import { getPass, putPass } from '../store/integrity.ts';
import { openTable } from '../store/table.ts';

export interface IntegrityServices {
  readonly books: Books;
  readonly publisher: Publisher;
}

/** How long a run works: well below the function's time limit, so that it ends by itself. */
const runMs = 600_000;
/** How often its progress is stored: what a run that dies has to do again. */
const storeEveryMs = 60_000;
/** How long after the first look a wallet that does not look right is looked at again: in the next run as a rule. */
const secondLookMs = 300_000;
/** Segments of the table that are read side by side. */
const segments = 4;

/**
 * One run: goes on with the pass over the books where the last run stopped, or begins one. A pass that ends is stored
 * as the last one, and the next run begins another.
 *
 * @returns the pass as it is after the run, or undefined when another run was at work at the same time
 */
export async function checkBooks({ books, publisher }: IntegrityServices, limitMs = runMs): Promise<Pass | undefined> {
  const { entries } = books;
  const { now } = entries;
  const startedAt = now();
  const stored = await getPass(entries, 'running');
  let revision = stored?.revision;
  let pass = stored && passFromText(stored.text);
  const bankId = books.statement?.bankId;
  // A pass that was begun with another bank's withdrawals cannot be compared with this bank's statement.
  if (pass === undefined || pass.stage === 'done' || pass.bankId !== bankId) {
    pass = beginPass({
      passId: randomUUID(),
      now: startedAt,
      segments,
      standStill: false,
      bankId,
    });
  }
  pass.runs++;
  for (;;) {
    const found: Discrepancy[] = [];
    const until = Math.min(now() + storeEveryMs, startedAt + limitMs);
    const outcome = await runPass(books, pass, {
      now,
      stop: () => now() >= until,
      secondLookMs,
      report: (discrepancy) => found.push(discrepancy),
    });
    // Told before it is stored: who dies in between tells it again, and nobody is left in the dark.
    await tell(pass, found, publisher);
    revision = await putPass(entries, 'running', passToText(pass), revision);
    if (revision === undefined) return undefined;
    if (outcome === 'stopped' && now() < startedAt + limitMs) continue;
    if (outcome === 'done') await end(pass, books);
    logger.info('books checked', { passId: pass.passId, stage: pass.stage, counts: pass.counts, found: pass.found });
    metrics.addMetric(names.integrityPassHours, 'Count', (now() - Date.parse(pass.startedAt)) / 3_600_000);
    metrics.publishStoredMetrics();
    return pass;
  }
}

async function end(pass: Pass, { entries }: Books): Promise<void> {
  const last = await getPass(entries, 'last');
  await putPass(entries, 'last', passToText(pass), last?.revision);
}

/** Each discrepancy is a line, a metric and an event. */
async function tell(pass: Pass, found: readonly Discrepancy[], publisher: Publisher): Promise<void> {
  if (found.length === 0) return;
  for (const discrepancy of found) logger.error('discrepancy in the books', { passId: pass.passId, ...discrepancy });
  metrics.addMetric(names.discrepancy, 'Count', found.length);
  metrics.publishStoredMetrics();
  const events = found.map((discrepancy) => discrepancyEvent(discrepancy, pass.passId, publisher.now()));
  const failures = await publishEvents(publisher, events, publisher.now() + publishMs);
  // The metric has raised the alarm: the check goes on without the bus.
  for (const [event, { code }] of failures) logger.error('discrepancy not published', { code, eventId: event.eventId });
}

const publishMs = 30_000;
/** Time for a page of a megabyte, and for tries at it: nobody waits for the answer. */
const pageTimeoutMs = 5_000;
const patienceMs = 60_000;

const env = readEnvironment('integrity-job');
const client = dynamodbClient({ requestTimeoutMs: pageTimeoutMs });
const services: IntegrityServices = {
  books: {
    table: openTable(client, env.TABLE_NAME, patienceMs),
    entries: openTable(client, env.ENTRIES_TABLE_NAME, patienceMs),
    statement: {
      ...openBank({
        url: env.BANK_URL,
        keys: openRequestKeys(secretsClient(), env.BANK_REQUEST_SECRET_ARN),
        onBreaker(state) {
          logger.warn('circuit breaker of the bank changed', { state });
        },
      }),
      bankId: bankIdOf(env.BANK_ID),
    },
  },
  publisher: openPublisher(eventBridgeClient(), env.EVENT_BUS_NAME),
};

/** Runs every hour. */
export async function handler(): Promise<void> {
  try {
    await checkBooks(services);
  } catch (error) {
    logger.error('the check of the books failed', { error: describe(error) });
    throw error;
  }
}
