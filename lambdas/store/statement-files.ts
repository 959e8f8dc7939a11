/** Functions of the table of statement files. */
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { WalletError } from '../domain/errors.ts';
import { isSum } from '../domain/money.ts';
import { formatNames, mostFailedTries, statementFailures, statementFileStatuses } from '../domain/statement-file.ts';
import type {
  FailedFile,
  PendingFile,
  StatementFailure,
  StatementFile,
  StatementFileTerms,
  StatementProgress,
} from '../domain/statement-file.ts';
import type { StatementSums } from '../domain/statement.ts';
import { statementKey } from './keys.ts';
import { limitedBy } from './rate-window.ts';
import type { RateLimit } from './rate-window.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, requireVersion } from './unreadable.ts';
import { writeOne } from './write-one.ts';
import { changed, update, write } from './write.ts';
import type { Item } from './write.ts';

/** Both tables of an acceptance: the statement is stored in one, and counted in the other. */
export interface StatementFileTables {
  /** The wallet table. */
  readonly table: Table;
  readonly statements: Table;
}

/**
 * Stores a statement that is to be made, and counts it for its caller. A repetition finds the first one, until that has
 * expired.
 *
 * @param asked the request: its fingerprint, and the allowance to count it in
 * @returns the statement as it is now, and whether the key had been used before
 * @throws WalletError `idempotency_key_reused`, `rate_limited`, `busy`
 */
export async function acceptStatementFile(
  { table, statements }: StatementFileTables,
  terms: StatementFileTerms,
  asked: { readonly fingerprint: string; readonly rate: RateLimit | undefined },
): Promise<{ readonly file: StatementFile; readonly replayed: boolean }> {
  const { statementId, createdAt, expiresAt } = terms;
  const { fingerprint, rate } = asked;
  const file: StatementFile = { ...terms, status: 'pending', askedAt: Date.parse(createdAt) };
  const ttl = Math.ceil(Date.parse(expiresAt) / 1000);
  const result = await write(table, [
    {
      label: `statement ${statementId}`,
      request: {
        Put: {
          TableName: statements.name,
          Item: { ...statementKey(statementId), v: itemVersion, ...file, fingerprint, ttl },
          // DynamoDB deletes an expired item days later.
          ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :now',
          ExpressionAttributeValues: { ':now': createdAt },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
      },
      refused: (image) => image && { kind: 'replay', record: image },
    },
    ...limitedBy(table, rate, createdAt).items,
  ]);
  if (result.written) return { file, replayed: false };
  const [refusal] = result.refusals;
  if (refusal.kind === 'denied') throw refusal.error;
  if (refusal.kind !== 'replay') throw new WalletError('busy', { retryAfterSeconds: 1 });
  return { file: replayOf(refusal.record, fingerprint), replayed: true };
}

/**
 * Makes a failed statement pending once more, with the same terms, and counts it for its caller as a new one.
 *
 * @returns whether the caller must send a message: no other request was faster
 * @throws WalletError `rate_limited`, `busy`
 */
export async function restartStatementFile(
  { table, statements }: StatementFileTables,
  { statementId }: FailedFile,
  { rate, at }: { readonly rate: RateLimit | undefined; readonly at: string },
): Promise<boolean> {
  const result = await write(table, [
    {
      label: `statement ${statementId}`,
      request: {
        Update: update(statements, statementKey(statementId), {
          set: '#status = :pending, askedAt = :now',
          remove: 'failure, asks, tries',
          if: '#status = :failed',
          values: { pending: 'pending', failed: 'failed', now: Date.parse(at) },
        }),
      },
      refused: changed,
    },
    ...limitedBy(table, rate, at).items,
  ]);
  if (result.written) return true;
  const [refusal] = result.refusals;
  if (refusal.kind === 'denied') throw refusal.error;
  return false;
}

function replayOf(record: Item, fingerprint: string): StatementFile {
  if (record['fingerprint'] !== fingerprint) throw new WalletError('idempotency_key_reused');
  return parseFile(record);
}

/**
 * Returns the statement that a repeated request made; undefined for a new request.
 *
 * @throws WalletError `idempotency_key_reused`, `busy`
 */
export async function repeatedFile(
  statements: Table,
  statementId: string,
  fingerprint: string,
): Promise<StatementFile | undefined> {
  const item = await readFile(statements, statementId);
  return item && replayOf(item, fingerprint);
}

/** Reads a statement, consistently; undefined when there is none of this id, also when it has expired. */
export async function getStatementFile(statements: Table, statementId: string): Promise<StatementFile | undefined> {
  const item = await readFile(statements, statementId);
  return item && parseFile(item);
}

async function readFile(statements: Table, statementId: string): Promise<Item | undefined> {
  const { Item: item } = await withRetries(statements, () =>
    statements.client.send(
      new GetCommand({ TableName: statements.name, Key: statementKey(statementId), ConsistentRead: true }),
    ),
  );
  const isOver = item !== undefined && String(item['expiresAt']) <= new Date(statements.now()).toISOString();
  return isOver ? undefined : item;
}

/**
 * Marks a pending statement as asked for once more, where no worker has it and no other request was faster.
 *
 * @returns whether the caller must send a message
 */
export async function askAgain(statements: Table, { statementId, askedAt, asks = 0 }: PendingFile): Promise<boolean> {
  const now = statements.now();
  const { written } = await writeOne(
    statements,
    new UpdateCommand(
      update(statements, statementKey(statementId), {
        set: 'askedAt = :now, asks = :asks',
        if: '#status = :pending AND askedAt = :seen AND ' + isFree,
        values: { now, pending: 'pending', seen: askedAt, asks: asks + 1 },
      }),
    ),
  );
  return written;
}

/** The condition that no worker has a statement at `:now`. */
const isFree = '(attribute_not_exists(leaseUntil) OR leaseUntil <= :now)';

/** How long a lease excludes other workers, ms: longer than one invocation of the worker can run. */
export const leaseMs = 330_000;

/** A statement that one worker has. */
export interface TakenFile {
  readonly file: PendingFile;
  readonly leaseId: string;
}

/** What becomes of a try to take a statement. */
export type Turn =
  | { readonly kind: 'taken'; readonly taken: TakenFile }
  /** Another worker has it until this time, epoch ms. */
  | { readonly kind: 'held'; readonly until: number }
  /** It has had all its tries, and no worker has it: it must fail. */
  | { readonly kind: 'used up'; readonly file: PendingFile }
  /** There is nothing to do. */
  | { readonly kind: 'over' };

/**
 * Takes a pending statement: until it is given back, or `leaseMs` have passed, no other worker has it. The try is counted
 * here, so that one of a worker that dies counts.
 *
 * @param leaseId names this try of the worker
 */
export async function takeStatementFile(statements: Table, statementId: string, leaseId: string): Promise<Turn> {
  const now = statements.now();
  const taken = await writeOne(
    statements,
    new UpdateCommand({
      ...update(statements, statementKey(statementId), {
        set: 'leaseId = :leaseId, leaseUntil = :until, tries = if_not_exists(tries, :none) + :one',
        if: `#status = :pending AND (leaseId = :leaseId OR (${isFree} AND (attribute_not_exists(tries) OR tries < :most)))`,
        values: { leaseId, until: now + leaseMs, pending: 'pending', now, none: 0, one: 1, most: mostFailedTries },
      }),
      ReturnValues: 'ALL_NEW',
    }),
  );
  const image = taken.written ? taken.attributes : taken.image;
  const file = image && parseFile(image);
  if (file?.status !== 'pending') return { kind: 'over' };
  if (taken.written) return { kind: 'taken', taken: { file, leaseId } };
  const { leaseUntil: until = 0 } = file;
  return until > now ? { kind: 'held', until } : { kind: 'used up', file };
}

/** Ends a statement that has had all its tries. Where another worker ended it first, or it was asked for anew, nothing happens. */
export async function failStatementFile(
  statements: Table,
  { statementId, problem = 'not_made' }: PendingFile,
): Promise<void> {
  await writeOne(
    statements,
    new UpdateCommand(
      update(statements, statementKey(statementId), {
        set: '#status = :failed, failure = :problem',
        // A worker that comes back late has no lease any more, and stores nothing.
        remove: 'leaseId, leaseUntil, progress, problem',
        if: `#status = :pending AND ${isFree} AND tries >= :most`,
        values: { failed: 'failed', problem, pending: 'pending', now: statements.now(), most: mostFailedTries },
      }),
    ),
  );
}

/** The error of a worker whose lease has ended: another one may have the statement now. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** A change of a statement by the worker that has it. `progress: undefined` begins again. */
type Step =
  | { readonly progress: StatementProgress | undefined }
  | { readonly done: { readonly fileBytes: number; readonly sums: StatementSums } };

/**
 * Stores a step of the worker, and lengthens its lease.
 *
 * @throws LeaseLost
 */
export async function saveStep(statements: Table, { file, leaseId }: TakenFile, step: Step): Promise<void> {
  const lease = 'leaseUntil = :until';
  const until = statements.now() + leaseMs;
  const change =
    'done' in step
      ? {
          set: '#status = :ready, fileBytes = :fileBytes, sums = :sums',
          remove: 'leaseId, leaseUntil, progress, problem',
          values: { ready: 'ready', ...step.done },
        }
      : step.progress === undefined
        ? { set: lease, remove: 'progress', values: { until } }
        : { set: `progress = :progress, ${lease}`, values: { progress: step.progress, until } };
  const { written, ...refused } = await writeOne(
    statements,
    new UpdateCommand(
      update(statements, statementKey(file.statementId), {
        ...change,
        if: 'leaseId = :leaseId',
        values: { ...change.values, leaseId },
      }),
    ),
  );
  // The answer of a first try may be lost.
  const isDone = 'done' in step && 'image' in refused && refused.image?.['status'] === 'ready';
  if (!written && !isDone) throw new LeaseLost(`the lease of ${file.statementId} has ended`);
}

/**
 * Gives a statement back, so that the next message takes it at once.
 *
 * @param problem why the try failed; undefined for a turn that ended as it should, which is no failed try
 */
export async function giveBack(
  statements: Table,
  { file, leaseId }: TakenFile,
  problem: StatementFailure | undefined,
): Promise<void> {
  const count =
    problem === undefined
      ? { set: 'tries = :before', values: { before: (file.tries ?? 1) - 1 } }
      : { set: 'problem = :problem', values: { problem } };
  await writeOne(
    statements,
    new UpdateCommand(
      update(statements, statementKey(file.statementId), {
        set: `leaseUntil = :none, ${count.set}`,
        if: 'leaseId = :leaseId',
        values: { none: 0, leaseId, ...count.values },
      }),
    ),
  );
}

/**
 * Returns the statement in a stored item.
 *
 * @throws UnreadableItem for a newer version; InvalidItem for an item that lacks a member
 */
function parseFile(item: Item): StatementFile {
  requireVersion(item);
  const { pk, v, fingerprint, ttl, leaseId, ...file } = item;
  const { statementId, walletId, from, to, expiresAt, closing, by } = file;
  const isWhole =
    [statementId, walletId, from, to, expiresAt].every((text) => typeof text === 'string') &&
    pk === statementKey(String(statementId)).pk &&
    formatNames.some((name) => name === file['format']) &&
    statementFileStatuses.some((status) => status === file['status']) &&
    typeof (by as Item | undefined)?.['principal'] === 'string' &&
    typeof (closing as Item | undefined)?.['hash'] === 'string' &&
    hasStateOf(file);
  if (!isWhole) throw new InvalidItem(item, 'it lacks what a statement needs');
  return file as unknown as StatementFile;
}

/** Whether an item has what its status needs. */
function hasStateOf({ status, askedAt, fileBytes, sums, failure }: Item): boolean {
  switch (status) {
    case 'pending':
      return Number.isSafeInteger(askedAt);
    case 'ready':
      return Number.isSafeInteger(fileBytes) && isSums(sums);
    default:
      return Object.hasOwn(statementFailures, String(failure));
  }
}

function isSums(value: unknown): value is StatementSums {
  const sums = (value ?? {}) as { [Name in keyof StatementSums]?: unknown };
  return [sums.lines, sums.in, sums.out, sums.fees].every(isSum);
}
