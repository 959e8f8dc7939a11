/** The keys of the `due` index: the partitions of open work, and positions among it. */
import { createHash } from 'node:crypto';
import { defaultDueShards } from '../contract.ts';
import { isTransactionId, lastBitsOf } from '../domain/ids.ts';
import type { OpenStatus, TransactionType } from '../domain/transaction.ts';
import { timeFormat } from './keys.ts';

/** The types of work with workers of their own. */
export const queuedTypes = ['withdrawal', 'transfer'] as const;
export type QueuedType = (typeof queuedTypes)[number];

/** The types of open work. Each has partitions of the `due` index of its own. The sweeper itself ends holds. */
export const dueTypes = [...queuedTypes, 'hold'] as const;
export type DueType = (typeof dueTypes)[number];

/**
 * Partitions of the `due` index with open holds, for every stack: some 5,000 holds a second. Never fewer: holds in the
 * removed ones would not end. Work with workers has messages too, so its number may change.
 */
export const holdShards = 16;

/** Partitions of the `due` index with scheduled payments, for every stack. Never fewer, as for holds. */
export const scheduleShards = 16;

/** What a partition of the `due` index holds: the open work of a type, or the payments whose time has not come. */
export type DueKind = DueType | 'scheduled';

/**
 * Returns the partition of the `due` index that a transaction's open work is written to. The sweeper reads the
 * partitions of every number of shards that a stack may have had.
 *
 * @param shards number of partitions that work with workers is spread over, 1 to 256
 */
export function dueShardOf(kind: DueKind, transactionId: string, shards = defaultDueShards): string {
  return dueShard(kind, lastBitsOf(transactionId) % shardsOf(kind, shards));
}

/**
 * Returns the partition of the `due` index that a payment waits in for its time. All that one owner has asked for are in one
 * partition, and those that operators have asked for with others of their wallet. So a crowd of one payer keeps no payments
 * of other partitions waiting.
 */
export function scheduleShardOf({
  ownerId,
  walletId,
}: {
  readonly ownerId?: string | undefined;
  readonly walletId: string;
}): string {
  const payer = createHash('sha256')
    .update(ownerId ?? walletId)
    .digest();
  return dueShard('scheduled', payer.readUInt8(0) % scheduleShards);
}

/** Returns the number of partitions of a kind. `shards`: that of work with workers. */
export function shardsOf(kind: DueKind, shards: number): number {
  if (kind === 'hold') return holdShards;
  return kind === 'scheduled' ? scheduleShards : shards;
}

/** The partition of the `due` index with all withdrawals that wait for an operator; there are few. */
export const reviewShard = 'REVIEW';

/** The partition of the `due` index with the withdrawals that wait for their wallet to be unfrozen; there are few. */
export const waitingShard = 'WAITING';

/** The partition of the `due` index with the commands that wait for a second operator, by their expiry; there are few. */
export const approvalShard = 'APPROVAL';

/** The partition of the `due` index with the batches that are not completed; there are few. */
export const batchShard = 'BATCH';

/** Partitions of the `due` index with active standing orders, for every stack. Never fewer, as for holds. */
export const orderShards = 4;

/** Returns the partition of the `due` index that an active order is written to. */
export function orderShardOf(standingOrderId: string): string {
  return orderShard(lastBitsOf(standingOrderId) % orderShards);
}

export function orderShard(shard: number): string {
  return `DUE#o${shard}`;
}

/** Returns for instance `DUE#w3` for withdrawals. It is short, as a history page's read is paid by its size. */
export function dueShard(kind: DueKind, shard: number): string {
  return `DUE#${kind.charAt(0)}${shard}`;
}

/** The kinds of the partitions of the `due` index that have the transactions of an open status, and their types. */
const kindsOf: Readonly<Record<Exclude<OpenStatus, 'review'>, readonly (readonly [DueKind, ...TransactionType[]])[]>> =
  {
    scheduled: [['scheduled', 'withdrawal', 'transfer']],
    pending: [
      ['withdrawal', 'withdrawal'],
      ['transfer', 'transfer'],
    ],
    executing: [['withdrawal', 'withdrawal']],
    open: [['hold', 'hold']],
  };

/**
 * Returns the partitions of the `due` index with all transactions of an open status, of one type or of all.
 *
 * @param shards number of partitions that work with workers is spread over
 */
export function openShards(status: OpenStatus, type: TransactionType | undefined, shards = defaultDueShards): string[] {
  if (status === 'review') return type === undefined || type === 'withdrawal' ? [reviewShard] : [];
  const kinds = kindsOf[status].flatMap(([kind, ...types]) => (type === undefined || types.includes(type) ? kind : []));
  return [
    ...kinds.flatMap((kind) => Array.from({ length: shardsOf(kind, shards) }, (_, shard) => dueShard(kind, shard))),
    ...(kinds.includes('withdrawal') ? [waitingShard] : []),
  ];
}

/** A position among open work, which is ordered by the time when it is due and by partition. */
export interface OpenPosition {
  /** ISO 8601 UTC. */
  readonly dueAt: string;
  readonly shard: string;
  /** The last transaction in front of the position, which is in this partition. */
  readonly transactionId: string;
}

/** Returns the text of such a position. */
export function textOfPosition({ dueAt, shard, transactionId }: OpenPosition): string {
  return `${dueAt} ${shard} ${transactionId}`;
}

/** Returns the position that a text stands for; undefined when it stands for none. */
export function positionOfText(text: string): OpenPosition | undefined {
  const [dueAt = '', shard = '', transactionId = '', ...others] = text.split(' ');
  const isShard = /^(?:DUE#[a-z]\d{1,3}|REVIEW|WAITING)$/.test(shard);
  const isPosition = others.length === 0 && timeFormat.test(dueAt) && isShard && isTransactionId(transactionId);
  return isPosition ? { dueAt, shard, transactionId } : undefined;
}
