import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { workMessage } from '../contract.ts';
import type { Environment, WorkMessage } from '../contract.ts';
import { acceptedBatch, mostLines, problemsOfLine } from '../domain/batch.ts';
import type { BatchLine } from '../domain/batch.ts';
import { WalletError } from '../domain/errors.ts';
import { batchIdOfTransaction, currencyOfWalletId } from '../domain/ids.ts';
import { referenceTwiceIn } from '../domain/transaction-record.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { openQueue } from '../aws/queue.ts';
import type { Queue } from '../aws/queue.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { annotations, fields, uniqueReference, withReference } from '../http/body-fields.ts';
import type { Caller } from '../http/caller.ts';
import { destination } from '../http/destination.ts';
import { priceOf, readFees } from '../http/fees.ts';
import type { FeeServices } from '../http/fees.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import type { RouteServices } from '../http/http.ts';
import { linesMediaType, linesOf, pathInLine } from '../http/lines.ts';
import { readOperatorLimits } from '../http/operator-limits.ts';
import { receiverFields, withOneReceiver, withReceiver } from '../http/receiver.ts';
import { checkFields, idempotencyKeyFormat, invalid, mostErrors } from '../http/request.ts';
import { batchView } from '../views/batch-view.ts';
import { acceptBatch, chunksOfLines } from '../store/batches.ts';
import { openTable } from '../store/table.ts';

const members = {
  key: z.string().check(z.regex(idempotencyKeyFormat, 'must be 1 to 255 printable ASCII characters')),
  walletId: fields.walletId,
  amount: fields.amount,
  uniqueReference,
  ...annotations,
};
const line = z.discriminatedUnion('type', [
  z
    .strictObject({ ...members, type: z.literal('transfer'), ...receiverFields })
    .check(withReference, withReceiver, withOneReceiver),
  z.strictObject({ ...members, type: z.literal('withdrawal'), destination }).check(withReference),
]);
const body = z.array(line);

/** Largest body, in bytes. */
const mostBytes = 3 * 1024 * 1024;

/** The services of the route. */
export interface BatchServices extends RouteServices, FeeServices {
  readonly queue: Pick<Queue<WorkMessage>, 'send'>;
  /** Most lines that one item stores; absent: as many as fit. */
  readonly linesPerPart?: number;
}

/**
 * `POST /batches`: up to 10,000 transfers and withdrawals, one JSON object on each line. The file is checked and stored as
 * a whole, and a worker makes the payments. Each has the fee of a single command.
 */
export const createBatch = command<typeof body, BatchServices>({
  name: 'create-batch',
  body,
  mediaType: linesMediaType,
  read: (event) => readLines(event),
  async handle({ caller, body, operation, transactionId, event }, services) {
    const { table, queue, linesPerPart } = services;
    const { lines, refusal } = priced(body, caller, services);
    const chunks = chunksOfLines(lines, linesPerPart);
    const batchId = batchIdOfTransaction(transactionId);
    const accepting = acceptedBatch({
      batchId,
      by: caller,
      count: lines.length,
      chunks: chunks.length,
      at: operation.at,
    });
    const { batch, replayed } = await acceptBatch(table, accepting, chunks, operation, refusal);
    if (!replayed) {
      try {
        await queue.send({ ...workMessage(transactionId), requestId: event.requestContext.requestId });
      } catch (error) {
        logger.error('batch not queued: the sweeper queues it', { batchId, error: describe(error) });
      }
    }
    return committed(202, batchView(batch), replayed);
  },
});

function readLines(event: APIGatewayProxyEvent): BatchLine[] {
  const lines = linesOf(event, { mostLines, mostBytes }, (value): BatchLine => {
    const checked = checkFields(line, value);
    const problems = problemsOfLine(checked);
    if (problems.length > 0) throw invalid(problems);
    return checked;
  });
  const first = new Map<string, number>();
  const repeated = lines.flatMap(({ key }, index) => {
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, index);
    return earlier === undefined
      ? []
      : [{ path: pathInLine(index, 'key'), message: `is the key of line ${earlier + 1}` }];
  });
  if (repeated.length > 0) throw invalid(repeated.slice(0, mostErrors));
  const twice = referenceTwiceIn(lines);
  if (twice !== undefined) {
    const message = `is the unique reference of line ${twice.first + 1}`;
    throw invalid([{ path: pathInLine(twice.at, 'externalReference'), message }]);
  }
  return lines;
}

/** Returns the lines with their fees, and the refusal of the first one that its fee or the operator's limit refuses. */
function priced(
  lines: readonly BatchLine[],
  caller: Caller,
  services: FeeServices,
): { readonly lines: BatchLine[]; readonly refusal: WalletError | undefined } {
  let first: WalletError | undefined;
  const withFees = lines.map((one, index): BatchLine => {
    const { type, walletId, amount } = one;
    const money = { amount, currency: currencyOfWalletId(walletId) ?? '' };
    const { price, refusal } = priceOf(services, caller, type, money);
    if (refusal !== undefined) first ??= inLine(refusal, index);
    return price.fee === 0 ? one : { ...one, fee: price.fee };
  });
  return { lines: withFees, refusal: first };
}

/** Returns the refusal of a line, which names it. */
function inLine({ code, details: { detail, errors } }: WalletError, index: number): WalletError {
  return new WalletError(code, {
    ...(detail !== undefined && { detail: `${pathInLine(index, 'amount')}: ${detail}` }),
    ...(errors && { errors: errors.map(({ path, message }) => ({ path: pathInLine(index, path), message })) }),
  });
}

export const open = (environment: Environment<'create-batch'>) =>
  serve(createBatch, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    queue: openQueue(sqsClient(), environment.BATCH_QUEUE_URL),
    operatorLimits: readOperatorLimits(environment.OPERATOR_LIMITS),
    fees: readFees(environment.FEES),
  });
