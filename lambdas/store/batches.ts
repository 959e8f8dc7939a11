import { GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { gunzipSync, gzipSync } from 'node:zlib';
import { indexes } from '../contract.ts';
import { chunksOf } from '../aws/chunks.ts';
import { batchStatuses, mostPaymentsPerWrite } from '../domain/batch.ts';
import type { Batch, BatchLine, OpenBatch } from '../domain/batch.ts';
import type { WalletError } from '../domain/errors.ts';
import { batchKey, chunkKey } from './keys.ts';
import { batchShard } from './due-keys.ts';
import { putOperation, putRecord, replayedRecord, replayOnly } from './operations.ts';
import type { Operation } from './operations.ts';
import { withRetries } from './table.ts';
import type { Table } from './table.ts';
import { InvalidItem, itemVersion, ofThisVersion, parsed, requireVersion, UnreadableItem } from './unreadable.ts';
import { writeOne } from './write-one.ts';
import { changed, update, write } from './write.ts';
import type { Item, WriteItem } from './write.ts';

/**
 * Lines that are stored in one item: two full writes of payments out of one wallet. Their bytes keep the item below the
 * 400 kB of DynamoDB, also when nothing can be compressed.
 */
const linesPerItem = 2 * mostPaymentsPerWrite;
const mostBytes = 350_000;

/** Splits the lines of a batch into the parts that are stored, in their order. */
export function chunksOfLines(lines: readonly BatchLine[], most = linesPerItem): BatchLine[][] {
  return chunksOf(lines, (line) => Buffer.byteLength(JSON.stringify(line)) + 1, { most, mostBytes });
}

/**
 * Stores a batch with all its lines, in one write: 5 write units, and 2 for each kilobyte of the compressed lines.
 *
 * @param chunks as `chunksOfLines` returns them
 * @param refusal why the batch cannot be accepted; when given, only a repetition is answered
 * @returns the batch as it is now, and whether the key had been used before
 * @throws WalletError `idempotency_key_reused`, `busy`, or `refusal`
 */
export async function acceptBatch(
  table: Table,
  batch: OpenBatch,
  chunks: readonly BatchLine[][],
  operation: Operation,
  refusal?: WalletError,
): Promise<{ readonly batch: Batch; readonly replayed: boolean }> {
  const record = putOperation(table, operation);
  const { fingerprint } = operation;
  const items =
    refusal === undefined
      ? [
          record,
          putRecord(table, { ...batchKey(batch.batchId), v: itemVersion, ...batch, dueShard: batchShard, fingerprint }),
          ...chunks.map((lines, chunk) => putLines(table, batch.batchId, chunk, lines)),
        ]
      : [replayOnly(record, refusal)];
  if (replayedRecord(await write(table, items)) === undefined) return { batch, replayed: false };
  const stored = await getBatch(table, batch.batchId);
  if (stored === undefined) throw new Error(`batch ${batch.batchId} is recorded under its key, and is not stored`);
  return { batch: stored, replayed: true };
}

function putLines(table: Table, batchId: string, chunk: number, lines: readonly BatchLine[]): WriteItem {
  return {
    label: `lines ${chunk} of ${batchId}`,
    request: {
      Put: {
        TableName: table.name,
        Item: { ...chunkKey(batchId, chunk), ...versionOfLines(lines), linesLeft: compressed(lines) },
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    refused: changed,
  };
}

/**
 * The version of lines with a unique reference. A release that does not know it would pay a line whose reference is taken.
 */
const uniqueVersion = 2;

/** The version of lines with an alias: a release that does not know it would debit the payer for no receiver. */
const aliasVersion = 3;

/** Returns the version attributes of lines. */
function versionOfLines(lines: readonly BatchLine[]): Item {
  if (lines.some((line) => line.type === 'transfer' && line.to !== undefined)) {
    return { v: aliasVersion, hasAliases: true };
  }
  const isUnique = lines.some(({ uniqueReference }) => uniqueReference);
  return isUnique ? { v: uniqueVersion, hasReferences: true } : { v: itemVersion };
}

/** Does as `requireVersion` for lines. */
function requireVersionOfLines(item: Item): void {
  const { v, hasReferences, hasAliases } = item;
  const isKnown = (v === uniqueVersion && hasReferences === true) || (v === aliasVersion && hasAliases === true);
  if (!isKnown) requireVersion(item);
}

function compressed(value: unknown): Buffer {
  return gzipSync(JSON.stringify(value));
}

function decompressed(bytes: unknown, item: Item): unknown {
  if (!(bytes instanceof Uint8Array)) throw new InvalidItem(item, 'it has no lines');
  return JSON.parse(gunzipSync(bytes).toString());
}

/** Reads a batch, consistently; undefined when there is none of this id. */
export async function getBatch(table: Table, batchId: string): Promise<Batch | undefined> {
  const item = await getItem(table, batchKey(batchId));
  return item && parseBatch(item);
}

async function getItem(table: Table, Key: Item): Promise<Item | undefined> {
  const command = new GetCommand({ TableName: table.name, Key, ConsistentRead: true });
  return (await withRetries(table, () => table.client.send(command))).Item;
}

/** A part of a batch. `lines`: what is still to be made; absent when it is done. `keys`: of all its lines. */
export interface Chunk {
  readonly keys: readonly string[];
  readonly lines?: readonly BatchLine[];
}

/** Reads a part of a batch, consistently; undefined when there is none of this number. */
export async function getChunk(table: Table, batchId: string, chunk: number): Promise<Chunk | undefined> {
  const item = await getItem(table, chunkKey(batchId, chunk));
  if (item === undefined) return undefined;
  requireVersionOfLines(item);
  // `acceptBatch` and `endChunk` write it, from lines that the route has checked.
  if (item['lineKeys'] !== undefined) return { keys: decompressed(item['lineKeys'], item) as string[] };
  const lines = decompressed(item['linesLeft'], item) as BatchLine[];
  return { keys: item['isRest'] === true ? [] : lines.map(({ key }) => key), lines };
}

/** The result of a part of a batch. */
export interface ChunkResult {
  readonly accepted: number;
  readonly refused: number;
  /** Lines that could not be made yet. They become the last part of the batch. */
  readonly rest: readonly BatchLine[];
  /** ISO 8601 UTC. */
  readonly at: string;
}

/**
 * Ends a part of a batch, in one write: counts its lines, and replaces them by their keys. So no account at a bank stays.
 *
 * @param batch as it was read, with `chunk` as its next part
 * @returns the batch after the write; undefined when another worker was faster, and nothing is written
 * @throws WalletError `busy`
 */
export async function endChunk(
  table: Table,
  batch: OpenBatch,
  { keys }: Chunk,
  { accepted, refused, rest, at }: ChunkResult,
): Promise<Batch | undefined> {
  const { batchId, nextChunk } = batch;
  const chunks = batch.chunks + (rest.length > 0 ? 1 : 0);
  const counted = {
    accepted: batch.accepted + accepted,
    refused: batch.refused + refused,
    nextChunk: nextChunk + 1,
    chunks,
    updatedAt: at,
  };
  const isEnd = counted.nextChunk === chunks;
  const set = isEnd
    ? { ...counted, completedAt: at, status: 'completed' as const }
    : { ...counted, dueAt: at, status: 'executing' as const };
  const header: WriteItem = {
    label: `batch ${batchId}`,
    request: {
      Update: update(table, batchKey(batchId), {
        set: Object.keys(set)
          .map((name) => `${name === 'status' ? '#status' : name} = :${name}`)
          .join(', '),
        ...(isEnd && { remove: 'dueShard, dueAt' }),
        if: `${ofThisVersion.if} AND nextChunk = :seen`,
        values: { ...set, seen: nextChunk, ...ofThisVersion.values },
      }),
    },
    refused: changed,
  };
  const done: WriteItem = {
    label: `lines ${nextChunk} of ${batchId}`,
    request: {
      Update: update(table, chunkKey(batchId, nextChunk), {
        set: 'lineKeys = :keys',
        remove: 'linesLeft',
        if: 'attribute_exists(pk)',
        values: { keys: compressed(keys) },
      }),
    },
    refused: changed,
  };
  const left = rest.length === 0 ? [] : [putRest(table, batch, rest)];
  const { written } = await write(table, [header, done, ...left]);
  if (!written) return undefined;
  const { dueAt, ...known } = batch;
  return { ...known, ...set };
}

/** Returns the put of lines that are left for later, as a further part. Their keys are listed where they were. */
function putRest(table: Table, { batchId, chunks }: OpenBatch, rest: readonly BatchLine[]): WriteItem {
  const { request, ...put } = putLines(table, batchId, chunks, rest);
  return { ...put, request: { Put: request.Put && { ...request.Put, Item: { ...request.Put.Item, isRest: true } } } };
}

/**
 * Lists up to `limit` batches that are not completed, those that went on the longest ago first. One that cannot be read
 * does not fail the others.
 */
export async function listOpenBatches(table: Table, limit: number): Promise<readonly (OpenBatch | UnreadableItem)[]> {
  const { Items = [] } = await withRetries(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: indexes.due,
        KeyConditionExpression: 'dueShard = :shard',
        ExpressionAttributeValues: { ':shard': batchShard },
        Limit: limit,
      }),
    ),
  );
  return Items.flatMap((item) => {
    const batch = parsed(() => parseBatch(item));
    return batch instanceof UnreadableItem || batch.status !== 'completed' ? [batch] : [];
  });
}

/**
 * Marks a batch as going on at `at`, so that it is not queued again while its message is on the way.
 *
 * @returns false when a worker has moved it meanwhile
 * @throws WalletError `busy`
 */
export async function touchBatch(table: Table, { batchId, dueAt }: OpenBatch, at: string): Promise<boolean> {
  const command = update(table, batchKey(batchId), {
    set: 'dueAt = :at',
    if: 'dueAt = :seen',
    values: { at, seen: dueAt },
  });
  return (await writeOne(table, new UpdateCommand(command))).written;
}

/**
 * Returns the batch in a stored item.
 *
 * @throws UnreadableItem for a newer version or an unknown status; InvalidItem for an item that lacks a member
 */
function parseBatch(item: Item): Batch {
  requireVersion(item);
  const { pk, sk, v, fingerprint, dueShard, ...batch } = item;
  const { batchId, status, principal, createdAt, dueAt, completedAt } = batch;
  if (typeof batchId !== 'string') throw new UnreadableItem(item, 'it has no id');
  if (batchKey(batchId).pk !== pk) throw new InvalidItem(item, `its id is ${batchId}`);
  if (!batchStatuses.some((one) => one === status)) {
    throw new UnreadableItem(item, `status "${String(status)}", which this release does not know`);
  }
  const counts = ['count', 'accepted', 'refused', 'chunks', 'nextChunk'].map((name) => batch[name]);
  const texts = [principal, createdAt, status === 'completed' ? completedAt : dueAt];
  if (!counts.every(Number.isSafeInteger) || !texts.every((text) => typeof text === 'string')) {
    throw new InvalidItem(item, 'it lacks what a batch needs');
  }
  return batch as unknown as Batch;
}
