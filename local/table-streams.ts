/** Reads the streams of DynamoDB tables through the Streams API, as an event source mapping does: shard by shard. */
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { localCredentials } from './dynamodb.ts';
import { region } from './machine.ts';

/** A record as Lambda hands it to a function, in JSON. */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: string;
  readonly eventVersion: string;
  readonly eventSource: string;
  readonly awsRegion: string;
  readonly eventSourceARN: string;
  readonly userIdentity?: unknown;
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Readonly<Record<string, unknown>>;
    readonly NewImage?: Readonly<Record<string, unknown>>;
    readonly OldImage?: Readonly<Record<string, unknown>>;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: string;
  };
}

export interface Page {
  readonly records: readonly StreamRecord[];
  /** Position behind this page, for the next read; the last record's sequence number. */
  readonly position: string;
  /** The shard has ended and this was its last page. */
  readonly ended: boolean;
}

export interface TableStream {
  /** The engine's own ARN, another one when the table was made anew. */
  readonly arn: string;
  shards(): Promise<readonly Shard[]>;
  /** What comes after `position`, the beginning where it is ''; an empty page when there is nothing new. */
  read(shardId: string, position: string): Promise<Page>;
  close(): void;
}

const pageSize = 1000;
const limits = { region, credentials: localCredentials, maxAttempts: 3 };

/** @param streamArn the ARN that functions see @returns undefined when the table has no stream */
export async function openTableStream(
  endpoint: string,
  tableName: string,
  streamArn: string,
): Promise<TableStream | undefined> {
  const tables = new DynamoDBClient({ endpoint, ...limits });
  const { Table } = await tables.send(new DescribeTableCommand({ TableName: tableName })).finally(() => {
    tables.destroy();
  });
  const arn = Table?.LatestStreamArn;
  if (arn === undefined) return undefined;
  const client = new DynamoDBStreamsClient({ endpoint, ...limits });
  // It copies each answer for a log that nothing writes, which costs a third of a read.
  client.middlewareStack.remove('loggerMiddleware');
  // The next iterator of a shard with the position it stands for; without one a read asks for the position.
  const iterators = new Map<string, { readonly position: string; readonly iterator: string }>();

  async function iteratorAt(shardId: string, position: string): Promise<string | undefined> {
    const kept = iterators.get(shardId);
    if (kept?.position === position) return kept.iterator;
    const from =
      position === ''
        ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
        : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: position } as const);
    const answer = await client.send(new GetShardIteratorCommand({ StreamArn: arn, ShardId: shardId, ...from }));
    return answer.ShardIterator;
  }

  return {
    arn,
    async shards() {
      const shards: Shard[] = [];
      for (let from: string | undefined; ;) {
        const { StreamDescription: stream } = await client.send(
          new DescribeStreamCommand({ StreamArn: arn, ...(from && { ExclusiveStartShardId: from }) }),
        );
        shards.push(...(stream?.Shards ?? []));
        from = stream?.LastEvaluatedShardId;
        if (!from) return shards;
      }
    },
    async read(shardId, position) {
      const iterator = await iteratorAt(shardId, position);
      iterators.delete(shardId);
      if (iterator === undefined) return { records: [], position, ended: true };
      const { Records = [], NextShardIterator } = await client.send(
        new GetRecordsCommand({ ShardIterator: iterator, Limit: pageSize }),
      );
      const last = Records.at(-1)?.dynamodb?.SequenceNumber ?? position;
      if (NextShardIterator) iterators.set(shardId, { position: last, iterator: NextShardIterator });
      // A write that changes nothing leaves no record in DynamoDB; the engine makes one.
      const changed = Records.filter(
        ({ dynamodb: change }) => !change?.OldImage || !isDeepStrictEqual(change.OldImage, change.NewImage),
      );
      return {
        records: changed.map((record) => asLambdaSees(record, streamArn)),
        position: last,
        ended: !NextShardIterator,
      };
    },
    close() {
      client.destroy();
    },
  };
}

function asLambdaSees(record: _Record, streamArn: string): StreamRecord {
  const { ApproximateCreationDateTime: created, ...change } = record.dynamodb ?? {};
  const identity = record.userIdentity;
  return {
    eventID: createHash('md5')
      .update(`${streamArn} ${String(change.SequenceNumber)}`)
      .digest('hex'),
    eventName: record.eventName ?? '',
    eventVersion: record.eventVersion ?? '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    eventSourceARN: streamArn,
    ...(identity && { userIdentity: { type: identity.Type, principalId: identity.PrincipalId } }),
    dynamodb: {
      ...(plain(change) as Omit<StreamRecord['dynamodb'], 'ApproximateCreationDateTime'>),
      ApproximateCreationDateTime: Math.floor((created?.getTime() ?? Date.now()) / 1000),
    },
  };
}

/** Binary values as JSON has them. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
