/** The views of a batch and of its lines: for operators. Nobody else sees them. */
import type * as z from 'zod';
import type { Actor } from '../domain/actor.ts';
import type { Batch, LineState } from '../domain/batch.ts';
import { transactionIdOfLine } from '../domain/ids.ts';
import type { namedSchemas } from './answer-schemas.ts';
import { shown } from './view.ts';
import type { View } from './view.ts';

type BatchFields = { readonly [Field in keyof Batch]: Batch[Field] };

/** A batch with the fields that are computed for its view. */
interface ShownBatch extends BatchFields {
  readonly completedAt?: string;
  readonly dueAt?: string;
  /** The number of lines that no worker has made or refused yet. */
  readonly waiting: number;
  readonly requestedBy: Actor;
}

const operator = { operator: true } as const;
const internal = { operator: false } as const;

/** The view of a batch. */
const batchFields: View<ShownBatch, 'operator'> = {
  batchId: operator,
  status: operator,
  count: operator,
  waiting: operator,
  accepted: operator,
  refused: operator,
  requestedBy: operator,
  createdAt: operator,
  updatedAt: operator,
  completedAt: operator,
  // In `requestedBy`.
  principal: internal,
  issuer: internal,
  chunks: internal,
  nextChunk: internal,
  dueAt: internal,
};

type BatchView = z.output<(typeof namedSchemas)['Batch']>;

/** Returns a batch as operators see it. */
export function batchView(batch: Batch): BatchView {
  const { count, accepted, refused, principal, issuer } = batch;
  const requestedBy: Actor = { kind: 'operator', principal, ...(issuer !== undefined && { issuer }) };
  const source = { ...batch, waiting: count - accepted - refused, requestedBy };
  return shown(batchFields, source, 'operator') as BatchView;
}

type BatchItemView = z.output<(typeof namedSchemas)['BatchItem']>;

/** Returns a line of a batch as operators see it. `state`: undefined while it waits. */
export function batchItemView(batchId: string, key: string, state: LineState | undefined): BatchItemView {
  const transactionId = transactionIdOfLine(batchId, key);
  if (state === undefined) return { key, transactionId, status: 'waiting' };
  if ('refusal' in state) return { key, transactionId, status: 'refused', failure: state.refusal };
  const { transaction } = state;
  const failure = 'failure' in transaction ? transaction.failure : undefined;
  return {
    key,
    transactionId,
    status: transaction.status,
    ...(failure && { failure: { code: failure.code, message: failure.message } }),
  };
}
