/** The archive of events, as the audit bucket has it: gzipped objects by day of arrival, one event a line. */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import type { Actor } from '../../lambdas/domain/actor.ts';
import { hourMs } from '../../lambdas/domain/hours.ts';
import type { TransactionStatus } from '../../lambdas/domain/transaction.ts';
import { eventSchemas } from '../../lambdas/views/event-schemas.ts';
import type { EventOf, ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import type { BooksCopy } from './copy.ts';
import type { Report } from './report.ts';
import { CannotRecover } from './report.ts';

/** An event about a transaction, and one about a wallet. */
export type TransactionEvent = Extract<ServiceEvent, { transaction: unknown }>;
export type WalletEvent = Extract<ServiceEvent, { wallet: unknown }>;
/** The end of a transaction is its highest state: no event of it follows. */
const ranks: Readonly<Record<TransactionStatus, number>> = {
  pending: 0,
  executing: 1,
  review: 2,
  completed: 3,
  failed: 3,
};

/** The actor of the first event of a transaction or wallet, who gave the command. */
export interface Maker extends Pick<Actor, 'kind' | 'principal' | 'issuer'> {
  readonly ownerId?: string | undefined;
}

const dayMs = 24 * hourMs;

/**
 * Copies the objects of an S3 location with the AWS CLI, for the days from `since` (epoch ms) until now.
 *
 * @param folder an empty folder
 */
export async function fetchArchive(location: string, folder: string, since: number, now: number): Promise<void> {
  const days: string[] = [];
  for (let time = since; time < now + dayMs; time += dayMs) days.push(new Date(time).toISOString().slice(0, 10));
  const wanted = days.flatMap((day) => ['--include', `*day=${day}/*`]);
  const args = ['s3', 'sync', location, folder, '--only-show-errors', '--exclude', '*', ...wanted];
  await promisify(execFile)('aws', args).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CannotRecover(`cannot copy ${location} with the AWS CLI: ${reason}`);
  });
}

/** Copies the events since `since` (epoch ms) from the objects in a folder. Returns their number. */
export async function loadArchive(copy: BooksCopy, folder: string, since: number, report: Report): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new CannotRecover(
      `cannot read --events ${folder}: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  // An event arrives after it occurs, so an earlier day of arrival has none of them.
  const firstDay = new Date(since).toISOString().slice(0, 10);
  let events = 0;
  for (const name of names.sort()) {
    const day = /day=(\d{4}-\d\d-\d\d)/.exec(name)?.[1];
    if (!name.endsWith('.gz') || (day !== undefined && day < firstDay)) continue;
    const lines = createInterface({
      input: createReadStream(join(folder, name)).pipe(createGunzip()),
      crlfDelay: Infinity,
    });
    for await (const line of lines) {
      const event = parseEvent(line);
      if (event === undefined) {
        const detail = 'a line is no event of this service';
        report.differs({ kind: 'event_unreadable', subject: name, detail, remedy: 'read the line' });
        continue;
      }
      throwIfOfAnotherService(copy, event, new Date(since).toISOString());
      if (Date.parse(event.occurredAt) < since) continue;
      loadEvent(copy, event);
      events++;
    }
  }
  return events;
}

/**
 * Throws when an event is of a wallet or transaction that is older than `since`, and that the table does not have: the
 * restored table has all of these.
 *
 * @throws CannotRecover
 */
function throwIfOfAnotherService(copy: BooksCopy, event: ServiceEvent, since: string): void {
  if (!('transaction' in event) && !('wallet' in event)) return;
  const { id, createdAt } =
    'transaction' in event
      ? { id: event.transaction.transactionId, createdAt: event.transaction.createdAt }
      : { id: event.wallet.walletId, createdAt: event.wallet.createdAt };
  if (createdAt >= since || copy.knows(id)) return;
  throw new CannotRecover(
    `--events has the event ${event.type} of ${id}, made at ${createdAt}, which the restored table does not have: the ` +
      'archive or the table is of another service. Give the objects of this service alone',
  );
}

function parseEvent(line: string): ServiceEvent | undefined {
  try {
    const detail = JSON.parse(line) as { type?: unknown };
    const type = Object.keys(eventSchemas).find((one) => one === detail.type);
    return type === undefined ? undefined : eventSchemas[type as keyof typeof eventSchemas].parse(detail);
  } catch {
    return undefined;
  }
}

/** Copies an event. Of the events of a transaction or wallet, the copy keeps the last one and the maker. */
export function loadEvent(copy: BooksCopy, event: ServiceEvent): void {
  if ('transaction' in event) loadTransactionEvent(copy, event);
  else if ('wallet' in event) loadWalletEvent(copy, event);
}

function loadTransactionEvent(copy: BooksCopy, event: TransactionEvent): void {
  const { transactionId, status, createdAt, updatedAt } = event.transaction;
  const made = makesTransaction(event) ? makerOf(event) : '';
  copy.run(
    `INSERT INTO transaction_events VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      made = CASE excluded.made WHEN '' THEN made ELSE excluded.made END,
      event = CASE WHEN (excluded.rank, excluded.at) > (rank, at) THEN excluded.event ELSE event END,
      at = CASE WHEN (excluded.rank, excluded.at) > (rank, at) THEN excluded.at ELSE at END,
      rank = MAX(excluded.rank, rank)`,
    ...[transactionId, ranks[status], updatedAt, createdAt, JSON.stringify(event), made],
  );
}

/** Returns whether the event's actor gave the command. Later events of queued work have other actors. */
function makesTransaction({ type, transaction: { postings } }: TransactionEvent): boolean {
  switch (type) {
    case 'wallet.funded':
    case 'withdrawal.accepted':
    case 'withdrawal.returned':
    case 'transfer.accepted':
      return true;
    case 'transfer.completed':
      // A queued transfer has two more postings when it has arrived.
      return postings.length === 2;
    default:
      return false;
  }
}

function loadWalletEvent(copy: BooksCopy, event: WalletEvent): void {
  const { walletId, balance } = event.wallet;
  copy.run(
    `INSERT INTO wallet_events VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      made = CASE excluded.made WHEN '' THEN made ELSE excluded.made END,
      event = CASE WHEN excluded.version > version THEN excluded.event ELSE event END,
      version = MAX(excluded.version, version)`,
    ...[walletId, balance.version, JSON.stringify(event), event.type === 'wallet.created' ? makerOf(event) : ''],
  );
}

function makerOf({ actor, ownerId }: TransactionEvent | WalletEvent): string {
  if (actor === undefined) return '';
  const { kind, principal, issuer } = actor;
  return JSON.stringify({ kind, principal, issuer, ownerId } satisfies Maker);
}

/** Returns the event that the copy keeps as text. */
export function transactionEventOf(text: string): TransactionEvent {
  return JSON.parse(text) as EventOf<'wallet.funded'>;
}
