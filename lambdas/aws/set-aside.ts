import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Queue } from './queue.ts';
import { describe, logger } from './telemetry.ts';

/**
 * A record of the stream that no retry would process, in the form of its consumer's own input. So an operator who has
 * fixed the cause can send it to the consumer again. See docs/runbook.md.
 */
export type SetAside = Pick<DynamoDBStreamEvent, 'Records'>;

/** The queue of the records that a consumer of the stream has set aside. */
export type SetAsideQueue = Pick<Queue<SetAside>, 'send'>;

/**
 * Sets a record aside, so that it does not block those behind it. After a lost answer it may be in the queue twice.
 *
 * @param reason what the log says about it
 * @returns false when the record is not set aside, and must be redelivered
 */
export async function setRecordAside(
  queue: SetAsideQueue,
  record: DynamoDBRecord,
  reason: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  logger.error('record set aside', { sequenceNumber: record.dynamodb?.SequenceNumber, ...reason });
  try {
    await queue.send({ Records: [record] });
    return true;
  } catch (error) {
    logger.error('record not set aside', { error: describe(error) });
    return false;
  }
}
