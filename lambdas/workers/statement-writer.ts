import { randomUUID } from 'node:crypto';
import { metrics as metricNames, workMessage } from '../contract.ts';
import type { Environment, WorkMessage } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { statementIdOf } from '../domain/ids.ts';
import type { PendingFile, StatementFailure } from '../domain/statement-file.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { consume } from '../aws/consumer.ts';
import { openObjects } from '../aws/objects.ts';
import { openQueue } from '../aws/queue.ts';
import type { Queue } from '../aws/queue.ts';
import { describe, logger, metrics } from '../aws/telemetry.ts';
import { entriesAt } from '../store/entries.ts';
import { failStatementFile, giveBack, takeStatementFile } from '../store/statement-files.ts';
import type { TakenFile } from '../store/statement-files.ts';
import { readStretches } from '../store/statements.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { existingWallet } from '../store/wallets.ts';
import { StatementOutput } from './statement-output.ts';
import type { OutputServices } from './statement-output.ts';

/** The services of the worker. */
export interface StatementWriterServices extends OutputServices {
  readonly table: Table;
  /** The table of entries. */
  readonly entries: Table;
  readonly queue: Pick<Queue<WorkMessage>, 'send'>;
  /** Most entries that are read at a time; absent: as for a statement in one answer. */
  readonly entriesAtATime?: number;
}

/** Time after which a turn ends behind its next part, ms. Then the other statements in the queue have theirs. */
const turnMs = 60_000;

/**
 * Makes the file of a statement, or goes on with it where an earlier turn ended or died.
 *
 * @param transactionId of the command that asked for it
 * @returns when the message must be redelivered, as another worker has the statement; undefined: it is done
 */
export async function writeStatement(
  services: StatementWriterServices,
  transactionId: string,
): Promise<number | undefined> {
  const { statements, queue } = services;
  const turn = await takeStatementFile(statements, statementIdOf(transactionId), randomUUID());
  switch (turn.kind) {
    case 'over':
      return undefined;
    case 'held':
      return turn.until;
    case 'used up':
      await fail(statements, turn.file);
      return undefined;
    case 'taken': {
      const isDone = await tryTurn(services, turn.taken);
      // The next turn gets a new message, behind those of other statements. A redelivery would count as a failure.
      if (!isDone) await queue.send(workMessage(transactionId));
      return undefined;
    }
  }
}

/** Ends a statement whose tries are used up. Reported before it is stored: a crash in between reports twice, but never loses it. */
async function fail(statements: Table, file: PendingFile): Promise<void> {
  const { statementId, problem, tries } = file;
  logger.error('statement failed: its tries are used up', { statementId, problem, tries });
  metrics.addMetric(metricNames.statementsFailed, 'Count', 1);
  await failStatementFile(statements, file);
}

/** Takes a turn, and gives the statement back unless it is complete. Returns whether it is. */
async function tryTurn(services: StatementWriterServices, taken: TakenFile): Promise<boolean> {
  const { statements } = services;
  try {
    const isDone = await takeTurn(services, taken);
    if (!isDone) await returnLease(statements, taken, undefined);
    return isDone;
  } catch (error) {
    const isBehind = error instanceof WalletError && error.code === 'ledger_behind';
    await returnLease(statements, taken, isBehind ? 'ledger_behind' : 'not_made');
    throw error;
  }
}

/** Gives a statement back. After an error its message is redelivered sooner than the lease ends. */
async function returnLease(statements: Table, taken: TakenFile, problem: StatementFailure | undefined): Promise<void> {
  try {
    await giveBack(statements, taken, problem);
  } catch (error) {
    logger.warn('statement not given back: its lease must end', { error: describe(error) });
  }
}

/** Writes parts until the file is complete or the time is over. Returns whether it is complete. */
async function takeTurn(services: StatementWriterServices, taken: TakenFile): Promise<boolean> {
  const { table, entries } = services;
  const { walletId, opening, closing, progress } = taken.file;
  const endsAt = table.now() + turnMs;
  const wallet = await existingWallet(table, walletId);
  const output = new StatementOutput(services, taken, wallet);
  const [start] = progress ? await entriesAt(entries, [{ walletId, version: progress.version }]) : [opening];
  if (progress && start === undefined) throw new Error(`the ledger of ${walletId} has lost entry ${progress.version}`);
  let last = start;
  const stretches = { opening: start, last: closing.version, most: services.entriesAtATime };
  for await (const { lines, end } of readStretches(services, wallet, stretches)) {
    output.add(lines);
    last = end;
    if (!output.isFull) continue;
    await output.storePart(end.version);
    if (table.now() >= endsAt && end.version < closing.version) return false;
  }
  if (last?.hash !== closing.hash) {
    throw new Error(`entry ${closing.version} of ${walletId} is another one than before`);
  }
  await output.finish();
  return true;
}

/** Time limits for a page of a megabyte and its retries. No caller waits for the answer. */
const pageTimeoutMs = 5_000;
const patienceMs = 60_000;

/** Opens the worker of statement files. */
export function open(environment: Environment<'statement-writer'>) {
  const client = dynamodbClient({ requestTimeoutMs: pageTimeoutMs });
  const queue = openQueue<WorkMessage>(sqsClient(), environment.STATEMENT_QUEUE_URL);
  const services: StatementWriterServices = {
    table: openTable(client, environment.TABLE_NAME, patienceMs),
    entries: openTable(client, environment.ENTRIES_TABLE_NAME, patienceMs),
    statements: openTable(client, environment.STATEMENT_TABLE_NAME, patienceMs),
    files: openObjects(environment.STATEMENT_BUCKET),
    queue,
  };
  return consume({ queue, handle: (id) => writeStatement(services, id), now: services.table.now });
}
