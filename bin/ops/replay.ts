import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-dynamodb-streams';
import type { _Record } from '@aws-sdk/client-dynamodb-streams';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { ChangeMessageVisibilityCommand, DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import type { Message } from '@aws-sdk/client-sqs';
import { outputs, streamReaders } from '../../lambdas/contract.ts';
import type { StreamReader } from '../../lambdas/contract.ts';
import { UsageError } from '../command.ts';
import type { OpsOptions, Report, Target } from './target.ts';

/** A record of the stream, in the form in which Lambda passes it to a function. */
type LambdaRecord = { readonly dynamodb?: { readonly SequenceNumber?: string } };

/** A message of the queue of records that were set aside, with its records in order. */
interface SetAside {
  readonly message: Message;
  readonly records: readonly LambdaRecord[];
}

/** The place of a batch that Lambda gave up, as Lambda writes it. */
interface GivenUp {
  readonly shardId: string;
  readonly startSequenceNumber: string;
  readonly endSequenceNumber: string;
}

/** Most messages of one run, and the time for which other runs do not see them. */
const mostMessages = 1_000;
const hiddenSeconds = 600;
/** Most pages of the stream that are read for one batch: a page may be empty. */
const mostPages = 100;
/** Most records that a function gets at a time, as from its event source. */
const mostRecords = 100;

/**
 * Hands records that a reader of the stream has set aside back to its function, in the order of the stream. A message is
 * deleted when the function has taken all its records. It may set one aside again: then a new message is in the queue, and
 * the report says so.
 */
export async function replay(target: Target, { subject }: OpsOptions): Promise<Report> {
  const reader = streamReaders.find((name) => name === subject);
  if (reader === undefined) {
    throw new UsageError(`replay needs one of ${streamReaders.join(', ')}, received ${subject ?? 'nothing'}`);
  }
  const queueUrl = target.output(outputs.setAsideUrl(reader));
  const received = await receiveAll(target, queueUrl);
  const left = new Set(received);
  const readable: SetAside[] = [];
  let again: readonly Message[] = [];
  try {
    for (const message of received) {
      const records = await recordsOf(target, message);
      if (records !== undefined) readable.push({ message, records });
    }
    readable.sort((one, other) => (sequenceOf(one) < sequenceOf(other) ? -1 : 1));
    for (const { message, records } of readable) {
      if (!(await handBack(target, reader, records))) break;
      await target.sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
      left.delete(message);
    }
    // The messages that are left are hidden, so these are new.
    if (left.size < received.length) again = await receiveAll(target, queueUrl);
  } finally {
    // Hidden messages would end the alarm, and other runs would not see them. Each is released whatever the others do.
    await Promise.allSettled([...left, ...again].map((message) => release(target, queueUrl, message)));
  }
  const taken = received.length - left.size;
  const notReplayable = received.length - readable.length;
  return {
    lines: [
      `${String(taken)} of ${String(received.length)} messages were handed back to the ${reader}.`,
      ...(again.length > 0
        ? [
            `${String(again.length)} messages were set aside meanwhile: their records still do not fit: ` +
              `docs/runbook.md#${reader}-set-aside`,
          ]
        : []),
      ...(notReplayable > 0
        ? [
            `${String(notReplayable)} cannot be read, or name records that the stream no longer has (it keeps a day): ` +
              `docs/runbook.md#${reader}-set-aside`,
          ]
        : []),
      ...(taken < readable.length ? [`The ${reader} did not take the next one: its log has the reason.`] : []),
    ],
    data: { reader, received: received.length, taken, notReplayable, setAsideAgain: again.length },
    isWrong: taken < received.length || again.length > 0,
  };
}

/** Receives the messages that are in the queue now, each once. */
async function receiveAll({ sqs }: Target, queueUrl: string): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < mostMessages) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: hiddenSeconds,
        WaitTimeSeconds: 1,
      }),
    );
    if (Messages.length === 0) break;
    messages.push(...Messages);
  }
  return messages;
}

async function release({ sqs }: Target, queueUrl: string, { ReceiptHandle }: Message): Promise<void> {
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
}

/** Returns the records of a message; undefined when it has none, or names some that the stream no longer has. */
async function recordsOf(target: Target, { Body = '' }: Message): Promise<readonly LambdaRecord[] | undefined> {
  const { DDBStreamBatchInfo: place, Records: records } = parse(Body);
  if (isPlace(place)) return readStream(target, place);
  return Array.isArray(records) && records.length > 0 && records.every(isRecord) ? records : undefined;
}

function parse(text: string): { readonly Records?: unknown; readonly DDBStreamBatchInfo?: unknown } {
  try {
    return Object(JSON.parse(text)) as ReturnType<typeof parse>;
  } catch {
    return {};
  }
}

/** An operator may have sent the message by hand, so its members may be anything. */
function isPlace(value: unknown): value is GivenUp {
  const { shardId, startSequenceNumber, endSequenceNumber } = Object(value) as {
    readonly [Member in keyof GivenUp]?: unknown;
  };
  return typeof shardId === 'string' && isSequenceNumber(startSequenceNumber) && isSequenceNumber(endSequenceNumber);
}

function isRecord(value: unknown): value is LambdaRecord {
  const { dynamodb } = Object(value) as { readonly dynamodb?: unknown };
  const { SequenceNumber = '0' } = Object(dynamodb) as { readonly SequenceNumber?: unknown };
  return isSequenceNumber(SequenceNumber);
}

function isSequenceNumber(value: unknown): value is string {
  return typeof value === 'string' && /^\d+$/.test(value);
}

async function readStream({ dynamodb, table }: Target, place: GivenUp): Promise<LambdaRecord[] | undefined> {
  const { Table: description } = await dynamodb.send(new DescribeTableCommand({ TableName: table.name }));
  const { region, credentials, endpoint } = dynamodb.config;
  const streams = new DynamoDBStreamsClient({
    region,
    credentials,
    ...(endpoint && { endpoint: async () => endpoint() }),
  });
  try {
    const { ShardIterator: first } = await streams.send(
      new GetShardIteratorCommand({
        StreamArn: description?.LatestStreamArn,
        ShardId: place.shardId,
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        SequenceNumber: place.startSequenceNumber,
      }),
    );
    const end = BigInt(place.endSequenceNumber);
    const found: LambdaRecord[] = [];
    let iterator = first;
    for (let pages = 0; iterator !== undefined && pages < mostPages; pages++) {
      const { Records = [], NextShardIterator } = await streams.send(
        new GetRecordsCommand({ ShardIterator: iterator }),
      );
      const wanted = Records.filter(({ dynamodb: { SequenceNumber = '0' } = {} }) => BigInt(SequenceNumber) <= end);
      found.push(...wanted.map(toLambda));
      if (found.at(-1)?.dynamodb?.SequenceNumber === place.endSequenceNumber) return found;
      iterator = wanted.length < Records.length ? undefined : NextShardIterator;
    }
    // Some records are missing, so the message is the only trace of them.
    return undefined;
  } catch (error) {
    if (error instanceof Error && ['TrimmedDataAccessException', 'ResourceNotFoundException'].includes(error.name)) {
      return undefined;
    }
    throw error;
  } finally {
    streams.destroy();
  }
}

function toLambda(record: _Record): LambdaRecord {
  const { dynamodb: change = {}, ...rest } = record;
  const { ApproximateCreationDateTime: at, Keys, NewImage, OldImage, ...facts } = change;
  return {
    ...rest,
    dynamodb: {
      ...facts,
      ...(at && { ApproximateCreationDateTime: at.getTime() / 1000 }),
      ...(Keys && { Keys: inJson(Keys) }),
      ...(NewImage && { NewImage: inJson(NewImage) }),
      ...(OldImage && { OldImage: inJson(OldImage) }),
    },
  } as LambdaRecord;
}

/** Returns an image with its bytes in Base64, as Lambda passes them. */
function inJson(image: Record<string, AttributeValue>): unknown {
  return JSON.parse(
    JSON.stringify(image, (_name, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
    ),
  );
}

function sequenceOf({ records }: SetAside): bigint {
  return BigInt(records[0]?.dynamodb?.SequenceNumber ?? 0);
}

/** Returns whether the reader's function has taken all records. */
async function handBack(
  { lambda, output }: Target,
  reader: StreamReader,
  records: readonly LambdaRecord[],
): Promise<boolean> {
  for (let from = 0; from < records.length; from += mostRecords) {
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({
        FunctionName: output(outputs.readerFunctionName(reader)),
        Payload: JSON.stringify({ Records: records.slice(from, from + mostRecords) }),
      }),
    );
    const answer = JSON.parse(Payload?.transformToString() ?? '{}') as { batchItemFailures?: readonly unknown[] };
    if (FunctionError !== undefined || (answer.batchItemFailures?.length ?? 0) > 0) return false;
  }
  return true;
}
