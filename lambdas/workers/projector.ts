import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { newBooking } from '../domain/bookings.ts';
import { BrokenChain, entriesAfter } from '../domain/entries.ts';
import type { ChainedEntry, Entry } from '../domain/entries.ts';
import { dynamodbClient, sqsClient } from '../runtime/clients.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { forEachOf } from '../runtime/parallel.ts';
import { openQueue } from '../runtime/queue.ts';
import type { Queue } from '../runtime/queue.ts';
import { describe, logger } from '../runtime/telemetry.ts';
import { appendEntry, entriesBetween, lastEntry } from '../store/entries.ts';
import { changeOf } from '../store/stream.ts';
import type { Change } from '../store/stream.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { addToTotals } from '../store/totals.ts';
import type { CountedBooking } from '../store/totals.ts';

/** A record that no further try would project, as the projector's own input: see docs/runbook.md. */
export type UnprojectedRecord = Pick<DynamoDBStreamEvent, 'Records'>;

export interface ProjectorServices {
  /** The table of entries and totals. */
  readonly entries: Table;
  readonly setAside: Pick<Queue<UnprojectedRecord>, 'send'>;
}

type WalletChange = Extract<Change, { kind: 'wallet' }>;
type TransactionChange = Extract<Change, { kind: 'transaction' }>;

/** Wallets whose entries are put at the same time; within a wallet, one after the other. */
const walletsAtATime = 16;

/**
 * Writes the ledger's entries from changes of wallets, and the totals of the accounts outside from changes of
 * transactions. What is there already stays as it is, so that batches may repeat and overlap. A record that does not
 * fit the chain never will, as the stream keeps the order of a wallet: it is set aside, so that it does not hold up the
 * other wallets. What cannot be written now holds up those behind it, so that none is missing.
 *
 * @returns the first record that is to be delivered again, with all behind it; undefined when all have been dealt with
 */
export async function project(
  records: readonly DynamoDBRecord[],
  services: ProjectorServices,
): Promise<DynamoDBRecord | undefined> {
  const again = new Set<DynamoDBRecord>();
  /** Does the work of a record; gives whether the work of those behind it may go on. */
  const attempt = async (record: DynamoDBRecord, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      const sequenceNumber = record.dynamodb?.SequenceNumber;
      if (isDefinite(error) && (await isSetAside(services, record, error))) return true;
      logger.warn('to be projected again', { sequenceNumber, error: describe(error) });
      again.add(record);
      return false;
    }
  };

  const wallets = new Map<string, { record: DynamoDBRecord; change: WalletChange }[]>();
  const transactions: { record: DynamoDBRecord; change: TransactionChange }[] = [];
  for (const record of records) {
    await attempt(record, () => {
      const change = readChange(record);
      if (change?.kind === 'transaction') transactions.push({ record, change });
      if (change?.kind !== 'wallet') return Promise.resolve();
      const { walletId } = change.after;
      wallets.set(walletId, [...(wallets.get(walletId) ?? []), { record, change }]);
      return Promise.resolve();
    });
  }

  await forEachOf(wallets, walletsAtATime, async ([walletId, changes]) => {
    let last: ChainedEntry | undefined;
    let stored: Map<number, Entry> | undefined;
    for (const { record, change } of changes) {
      const goOn = await attempt(record, async () => {
        if (stored === undefined) {
          last = await lastEntry(services.entries, walletId);
          stored = await readKnown(services.entries, changes, last);
        }
        for (const entry of entriesAfter(last, change, stored.get(change.after.version))) {
          last = await appendEntry(services.entries, entry, last?.hash ?? '');
          stored.set(entry.version, last);
        }
      });
      if (!goOn) break;
    }
  });

  const bookings = transactions.flatMap(({ change }): CountedBooking[] => {
    const booking = newBooking(change.before, change.after);
    return booking ? [{ ...booking, transactionId: change.after.transactionId }] : [];
  });
  const [first] = transactions;
  let contradicted: CountedBooking[] = [];
  // One failure delivers all of them again, and those that were counted are known then.
  if (first)
    await attempt(first.record, async () => {
      contradicted = await addToTotals(services.entries, bookings);
    });
  for (const { transactionId, count } of contradicted) {
    const told = transactions.find(
      ({ change: { after } }) => after.transactionId === transactionId && after.postings.length === count,
    );
    const error = new OtherBooking(`${transactionId} was counted in the totals with another content`);
    if (told) await attempt(told.record, () => Promise.reject(error));
  }

  return records.find((record) => again.has(record));
}

/** Reads the entries that the ledger has of the versions of these changes, in order to compare them; none as a rule. */
async function readKnown(
  entries: Table,
  changes: readonly { readonly change: WalletChange }[],
  last: Entry | undefined,
): Promise<Map<number, Entry>> {
  const versions = changes
    .map(({ change }) => change.after.version)
    .filter((version) => version < (last?.version ?? 0));
  if (last === undefined || versions.length === 0) return new Map();
  const range = { first: Math.min(...versions), last: Math.max(...versions) };
  const known = await entriesBetween(entries, last.walletId, range);
  return new Map(known.map((entry) => [entry.version, entry]));
}

/** Nothing that is stored in the image can be read another way the next time. */
class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** The totals have another booking of this transaction: the table was put back to an earlier state. */
class OtherBooking extends Error {
  override readonly name = 'OtherBooking';
}

function readChange(record: DynamoDBRecord): Change | undefined {
  try {
    return changeOf(record);
  } catch (cause) {
    throw new Unreadable('the image is none of a wallet or transaction', { cause });
  }
}

function isDefinite(error: unknown): error is Error {
  return error instanceof BrokenChain || error instanceof OtherBooking || error instanceof Unreadable;
}

async function isSetAside({ setAside }: ProjectorServices, record: DynamoDBRecord, error: Error): Promise<boolean> {
  logger.error('record set aside', {
    sequenceNumber: record.dynamodb?.SequenceNumber,
    walletId: error instanceof BrokenChain ? error.walletId : undefined,
    error: describe(error),
  });
  try {
    await setAside.send({ Records: [record] });
    return true;
  } catch (failure) {
    logger.error('record not set aside', { error: describe(failure) });
    return false;
  }
}

const env = readEnvironment('projector');
const services: ProjectorServices = {
  entries: openTable(dynamodbClient(), env.ENTRIES_TABLE_NAME),
  setAside: openQueue<UnprojectedRecord>(sqsClient(), env.SET_ASIDE_QUEUE_URL),
};

/** Consumes the table's stream. A failure names the record from which Lambda delivers again. */
export async function handler(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const again = await project(event.Records, services);
  return { batchItemFailures: again === undefined ? [] : [{ itemIdentifier: again.dynamodb?.SequenceNumber ?? '' }] };
}
