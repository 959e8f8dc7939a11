import { text } from 'node:stream/consumers';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { z } from 'zod';
import { metrics as names } from '../contract.ts';
import type { Environment } from '../contract.ts';
import { dynamodbClient, eventBridgeClient, sqsClient } from '../aws/clients.ts';
import { putBackAfterError } from '../aws/consumer.ts';
import { openObjects } from '../aws/objects.ts';
import type { Objects } from '../aws/objects.ts';
import { openQueue } from '../aws/queue.ts';
import type { Queue } from '../aws/queue.ts';
import { logger, metrics } from '../aws/telemetry.ts';
import { csvMappingIn } from '../bank-files/csv.ts';
import { UnreadableFile } from '../bank-files/read-files.ts';
import { reconcile } from '../bank-files/reconcile.ts';
import type { ReconcileOptions } from '../bank-files/reconcile.ts';
import type { ReconcileReport } from '../bank-files/report.ts';
import { bankIdOf } from '../bank/identity.ts';
import { bankFileEvent } from '../events/events.ts';
import { openPublisher, publishEvents } from '../events/bus.ts';
import type { Publisher } from '../events/bus.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';

/** The folders of the bucket, and the object with the columns of CSV files. */
const arrivals = 'incoming/';
const reports = 'reports/';
const columnsKey = 'columns.json';

/** What a file needs. */
export interface BankFileServices {
  readonly table: Table;
  readonly objects: Objects;
  readonly publisher: Publisher;
  readonly queue: Pick<Queue<never>, 'delay'>;
  readonly options: Pick<ReconcileOptions, 'bankId' | 'days' | 'charges'>;
}

/** A report beside a file. `parked`: there was no time to compare it. `unreadable`: it is broken at this line. */
export type StoredReport = { readonly object: string; readonly etag: string } & (
  | ReconcileReport
  | { readonly version: 1; readonly outcome: 'parked'; readonly detail: string }
  | {
      readonly version: 1;
      readonly outcome: 'unreadable';
      readonly code: string;
      readonly line: number;
      readonly detail: string;
    }
);

/** The event of S3 about an object that was created. */
const arrivalSchema = z.object({
  detail: z.object({ object: z.object({ key: z.string(), size: z.number(), etag: z.string() }) }),
});

/** A larger file is parked at once: its lines would not fit into the memory. */
const mostBytes = 1_000_000_000;
/** Time that is left for the report when the comparison stops, ms. */
const reserveMs = 60_000;
const segments = 8;
const publishMs = 30_000;

class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/**
 * Compares the file of a message with the books, once: its report is stored under a key made from the file's own key and
 * entity tag. A redelivered message finds the report, and publishes the same event again.
 *
 * @param leftMs returns the time that is left, ms
 */
export async function compareArrival(
  services: BankFileServices,
  record: SQSRecord,
  leftMs: () => number,
): Promise<void> {
  const arrival = arrivalIn(record);
  if (arrival === undefined) return;
  const { key, etag } = arrival;
  const reportKey = `${reports}${key.slice(arrivals.length)}.${etag}.json`;
  const known = await storedReport(services.objects, reportKey);
  if (known) {
    await report(services, known, reportKey);
    return;
  }
  const found = await compare(services, arrival, leftMs);
  if (found === undefined) {
    logger.warn('a bank file is not there any more', { key });
    return;
  }
  const made: StoredReport = { object: key, etag, ...found };
  const isFirst = await services.objects.add(reportKey, `${JSON.stringify(made, undefined, 2)}\n`);
  // Of two runs, the report that is stored counts for both.
  const kept = isFirst ? made : await storedReport(services.objects, reportKey);
  await report(services, kept ?? made, reportKey);
}

/** Returns the object that a message names; undefined for a message of another kind, which no retry would change. */
function arrivalIn(record: SQSRecord) {
  let body: unknown;
  try {
    body = JSON.parse(record.body);
  } catch {
    body = undefined;
  }
  const { data } = arrivalSchema.safeParse(body);
  if (data && data.detail.object.key.startsWith(arrivals)) return data.detail.object;
  logger.error('message dropped: it names no bank file', { messageId: record.messageId });
  return undefined;
}

async function storedReport(objects: Objects, key: string): Promise<StoredReport | undefined> {
  const stored = await objects.get(key);
  return stored && (JSON.parse(await text(stored.content)) as StoredReport);
}

/** Compares a file; undefined when the object has been replaced or deleted meanwhile. */
async function compare(
  { table, objects, options }: BankFileServices,
  { key, size, etag }: { readonly key: string; readonly size: number; readonly etag: string },
  leftMs: () => number,
) {
  const parked = (why: string) => ({ version: 1, outcome: 'parked', detail: `${why}: use npm run reconcile` }) as const;
  if (size > mostBytes) return parked(`it has ${size} bytes, and more than ${mostBytes} are not compared here`);
  const content = await objects.get(key, `"${etag}"`);
  if (content === undefined) return undefined;
  try {
    const csv = /\.csv$/i.test(key) ? await mappingOf(objects) : undefined;
    return await reconcile(table, [{ name: key, size, open: () => content.content }], {
      ...options,
      ...{ scan: true, segments, csv },
      check: () => {
        if (leftMs() < reserveMs) throw new OutOfTime();
      },
    });
  } catch (error) {
    if (error instanceof OutOfTime) return parked('there was no time to compare it');
    if (!(error instanceof UnreadableFile)) throw error;
    const { code, line, message: detail } = error.cause;
    return { version: 1, outcome: 'unreadable', code, line, detail } as const;
  }
}

async function mappingOf(objects: Objects) {
  const stored = await objects.get(columnsKey);
  return stored && csvMappingIn(await text(stored.content));
}

/** Publishes a report: a log line, a metric and an event, which have the same content for each delivery. */
async function report({ publisher }: BankFileServices, stored: StoredReport, reportKey: string): Promise<void> {
  const { object, etag, outcome } = stored;
  const differences = 'counts' in stored ? stored.counts.differences : 1;
  logger.info('bank file compared', { object, outcome, differences, report: reportKey });
  metrics.addMetric(names.bankFileDifferences, 'Count', differences);
  metrics.publishStoredMetrics();
  const event = bankFileEvent(
    {
      ...{ object, outcome, differences, report: reportKey },
      ...('counts' in stored && {
        lines: stored.counts.lines,
        matched: stored.counts.matched,
        byCode: stored.counts.byCode,
      }),
    },
    etag,
    publisher.now(),
  );
  const failures = await publishEvents(publisher, [event], publisher.now() + publishMs);
  for (const { code, definite } of failures.values()) {
    if (!definite) throw new Error(`the event about ${object} is not published: ${code}`);
    logger.error('bank file not published', { code, eventId: event.eventId });
  }
}

/** Time limits for a page of a megabyte and its retries. No caller waits for the answer. */
const pageTimeoutMs = 5_000;
const patienceMs = 60_000;

/** Opens the worker of the files that a bank puts into the bucket. */
export function open(environment: Environment<'bank-files'>) {
  const services: BankFileServices = {
    table: openTable(dynamodbClient({ requestTimeoutMs: pageTimeoutMs }), environment.TABLE_NAME, patienceMs),
    objects: openObjects(environment.BANK_FILES_BUCKET),
    publisher: openPublisher(eventBridgeClient(), environment.EVENT_BUS_NAME),
    queue: openQueue(sqsClient(), environment.RECONCILIATION_QUEUE_URL),
    options: {
      bankId: bankIdOf(environment.BANK_ID),
      days: Number(environment.BANK_FILES_DAYS),
      charges: environment.BANK_FILES_CHARGES === 'true',
    },
  };
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const failed: { itemIdentifier: string }[] = [];
    for (const record of event.Records) {
      try {
        await compareArrival(services, record, () => context.getRemainingTimeInMillis());
      } catch (error) {
        await putBackAfterError(services.queue, record, error);
        failed.push({ itemIdentifier: record.messageId });
      }
    }
    return { batchItemFailures: failed };
  };
}
