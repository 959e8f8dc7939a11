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
/** An event about a standing order. */
export type StandingOrderEvent = Extract<ServiceEvent, { standingOrder: unknown }>;
/** An event about an approval. */
export type ApprovalEvent = Extract<ServiceEvent, { approval: unknown }>;
/** The end of a transaction is its highest state: no event of it follows. */
export const ranks: Readonly<Record<TransactionStatus, number>> = {
  scheduled: 0,
  open: 0,
  pending: 0,
  executing: 1,
  review: 2,
  completed: 3,
  failed: 3,
  ended: 3,
};
/** SQL that gives the rank of a record's `status`. */
export const rankOfStatus = `CASE status ${Object.entries(ranks)
  .map(([status, rank]) => `WHEN '${status}' THEN ${rank}`)
  .join(' ')} END`;

/** The actor of the first event of a transaction or wallet, who gave the command. */
export interface Maker extends Pick<Actor, 'kind' | 'principal' | 'issuer'> {
  readonly ownerId?: string | undefined;
}

const dayMs = 24 * hourMs;

/**
 * Copies the objects of an S3 location with the AWS CLI, for the days from `comparedFrom` (epoch ms) until now.
 *
 * @param folder an empty folder
 */
export async function fetchArchive(location: string, folder: string, comparedFrom: number, now: number): Promise<void> {
  const days: string[] = [];
  for (let time = comparedFrom; time < now + dayMs; time += dayMs) days.push(new Date(time).toISOString().slice(0, 10));
  const wanted = days.flatMap((day) => ['--include', `*day=${day}/*`]);
  const args = ['s3', 'sync', location, folder, '--only-show-errors', '--exclude', '*', ...wanted];
  await promisify(execFile)('aws', args).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CannotRecover(`cannot copy ${location} with the AWS CLI: ${reason}`);
  });
}

/** Copies the events since `comparedFrom` (epoch ms) from the objects in a folder. Returns their number. */
export async function loadArchive(
  copy: BooksCopy,
  folder: string,
  comparedFrom: number,
  report: Report,
): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new CannotRecover(
      `cannot read --events ${folder}: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  // An event arrives after it occurs, so an earlier day of arrival has none of them.
  const firstDay = new Date(comparedFrom).toISOString().slice(0, 10);
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
      throwIfOfAnotherService(copy, event, new Date(comparedFrom).toISOString());
      if (Date.parse(event.occurredAt) < comparedFrom) continue;
      loadEvent(copy, event);
      events++;
    }
  }
  return events;
}

/**
 * Throws when an event is of a wallet or transaction that is older than `comparedFrom`, and that the table does not have:
 * the restored table has all of these.
 *
 * @throws CannotRecover
 */
function throwIfOfAnotherService(copy: BooksCopy, event: ServiceEvent, comparedFrom: string): void {
  if (!('transaction' in event) && !('wallet' in event)) return;
  const { id, createdAt } =
    'transaction' in event
      ? { id: event.transaction.transactionId, createdAt: event.transaction.createdAt }
      : { id: event.wallet.walletId, createdAt: event.wallet.createdAt };
  if (createdAt >= comparedFrom || copy.knows(id)) return;
  throw new CannotRecover(
    `--events has the event ${event.type} of ${id}, made at ${createdAt}, which the restored table does not have: the ` +
      'archive or the table is of another service, or an earlier restore forgot it. Give the objects of this service alone, or ' +
      'a folder with the objects that arrived since that restore',
  );
}

/**
 * Returns the number of wallets that the events name and that the restored table does not have. A high number shows that
 * the archive is of another service: each event of a young wallet is put back.
 */
export function countUnknownWallets(copy: BooksCopy): number {
  const unknown = copy.query(
    { count: 'number' },
    `SELECT COUNT(*) AS count FROM (SELECT wallet_id FROM wallet_events
        UNION SELECT wallet_id FROM limit_events
        UNION SELECT json_extract(event, '$.transaction.walletId') FROM transaction_events)
      WHERE wallet_id NOT IN (SELECT wallet_id FROM wallets) AND wallet_id NOT IN (SELECT id FROM unreadable)`,
  );
  return unknown.first()?.count ?? 0;
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
  else if ('details' in event) loadDetailsEvent(copy, event);
  else if ('standingOrder' in event) loadOrderEvent(copy, event);
  else if ('approval' in event) loadApprovalEvent(copy, event);
}

function loadTransactionEvent(copy: BooksCopy, event: TransactionEvent): void {
  const { transactionId, status, createdAt, updatedAt } = event.transaction;
  const maker = makesTransaction(event) ? makerOf(event) : '';
  copy.run(
    `INSERT INTO transaction_events VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      maker = CASE excluded.maker WHEN '' THEN maker ELSE excluded.maker END,
      event = CASE WHEN (excluded.rank, excluded.at) > (rank, at) THEN excluded.event ELSE event END,
      at = CASE WHEN (excluded.rank, excluded.at) > (rank, at) THEN excluded.at ELSE at END,
      rank = MAX(excluded.rank, rank)`,
    ...[transactionId, ranks[status], updatedAt, createdAt, JSON.stringify(event), maker],
  );
}

/** Returns whether the event's actor gave the command. Later events of queued work have other actors. */
function makesTransaction({ type, transaction: { postings } }: TransactionEvent): boolean {
  switch (type) {
    case 'wallet.funded':
    case 'withdrawal.scheduled':
    case 'withdrawal.accepted':
    case 'withdrawal.returned':
    case 'transfer.scheduled':
    case 'transfer.accepted':
    case 'hold.opened':
    case 'hold.captured':
    case 'refund.completed':
    case 'fees.collected':
      return true;
    case 'transfer.completed':
      // A queued transfer has two more postings when it has arrived, and a fee has one more.
      return postings.length <= 3;
    default:
      return false;
  }
}

function loadWalletEvent(copy: BooksCopy, event: WalletEvent): void {
  const { walletId, balance, limits } = event.wallet;
  if (event.type === 'wallet.limits_changed') {
    copy.run(
      'INSERT OR REPLACE INTO limit_events VALUES (?, ?, ?, ?)',
      ...[walletId, balance.version, JSON.stringify(event), limits?.creditLine ?? 0],
    );
    return;
  }
  copy.run(
    `INSERT INTO wallet_events VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      maker = CASE excluded.maker WHEN '' THEN maker ELSE excluded.maker END,
      event = CASE WHEN excluded.version > version THEN excluded.event ELSE event END,
      version = MAX(excluded.version, version)`,
    ...[walletId, balance.version, JSON.stringify(event), event.type === 'wallet.created' ? makerOf(event) : ''],
  );
}

/** Copies the alias that a wallet has after a change of its details; empty where it has none. */
function loadDetailsEvent(copy: BooksCopy, { details, ownerId = '', occurredAt }: EventOf<'wallet.changed'>): void {
  const { walletId, version, alias = '' } = details;
  copy.run('INSERT OR REPLACE INTO alias_events VALUES (?, ?, ?, ?, ?)', walletId, version, occurredAt, alias, ownerId);
}

/** Copies an event of a standing order. The copy keeps its end, where it has ended, and who opened it. */
function loadOrderEvent(copy: BooksCopy, event: StandingOrderEvent): void {
  const { standingOrderId, status } = event.standingOrder;
  copy.run(
    `INSERT INTO order_events VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      maker = CASE excluded.maker WHEN '' THEN maker ELSE excluded.maker END,
      event = CASE WHEN excluded.has_ended > has_ended THEN excluded.event ELSE event END,
      has_ended = MAX(excluded.has_ended, has_ended)`,
    ...[standingOrderId, status === 'ended' ? 1 : 0, JSON.stringify(event)],
    event.type === 'standing_order.opened' ? makerOf(event) : '',
  );
}

/** Copies an event of an approval. The copy keeps its end, where it has ended. */
function loadApprovalEvent(copy: BooksCopy, event: ApprovalEvent): void {
  const { approvalId, status } = event.approval;
  copy.run(
    `INSERT INTO approval_events VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
      event = CASE WHEN excluded.has_ended > has_ended THEN excluded.event ELSE event END,
      has_ended = MAX(excluded.has_ended, has_ended)`,
    ...[approvalId, status === 'asked' ? 0 : 1, JSON.stringify(event)],
  );
}

function makerOf({ actor, ownerId }: TransactionEvent | WalletEvent | StandingOrderEvent): string {
  if (actor === undefined) return '';
  const { kind, principal, issuer } = actor;
  return JSON.stringify({ kind, principal, issuer, ownerId } satisfies Maker);
}

/** Returns the event that the copy keeps as text. */
export function transactionEventOf(text: string): TransactionEvent {
  return JSON.parse(text) as EventOf<'wallet.funded'>;
}
