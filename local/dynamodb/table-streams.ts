/** Reads the streams of DynamoDB tables through the Streams API, as an event source mapping does: shard by shard. */
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeStreamCommand, DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { Shard } from '@aws-sdk/client-dynamodb-streams';
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { region } from '../cloudformation/account.ts';
import { localCredentials } from './dynamodb.ts';

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
  /** Reads the records after `position`; '' is the beginning. Returns an empty page when there is no new record. */
  read(shardId: string, position: string): Promise<Page>;
  close(): void;
}

const pageSize = 1000;
/** An engine that takes longer is down, ms. */
const callMs = 10_000;
const limits = { region, credentials: localCredentials, maxAttempts: 3 };
/** No engine checks a signature; each finds its tables by the name of the key and the region. */
const authorization =
  `AWS4-HMAC-SHA256 Credential=${localCredentials.accessKeyId}/20260101/${region}/dynamodb/aws4_request, ` +
  'SignedHeaders=host, Signature=0';

/** A record as the Streams API writes it, which is how Lambda hands it over but for the envelope. */
interface WrittenRecord {
  readonly eventName?: string;
  readonly eventVersion?: string;
  readonly userIdentity?: { readonly Type?: string; readonly PrincipalId?: string };
  readonly dynamodb: Omit<StreamRecord['dynamodb'], 'ApproximateCreationDateTime'> & {
    /** Seconds since the epoch, with fractions. */
    readonly ApproximateCreationDateTime?: number;
  };
}

/**
 * Opens the stream of a table; returns undefined when the table has none.
 *
 * @param streamArn the ARN that functions see
 */
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
  // No SDK: it takes ten times as long to read a page, as it signs, and makes each value again by its schema.
  const agent = new Agent({ keepAlive: true });
  const call = <T>(operation: string, input: object) => callEngine<T>(agent, endpoint, operation, input);
  // The next iterator of a shard with the position it stands for; without one a read asks for the position.
  const iterators = new Map<string, { readonly position: string; readonly iterator: string }>();

  async function iteratorAt(shardId: string, position: string): Promise<string | undefined> {
    const kept = iterators.get(shardId);
    if (kept?.position === position) return kept.iterator;
    const from =
      position === ''
        ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
        : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: position } as const);
    const input = { StreamArn: arn, ShardId: shardId, ...from };
    const answer = await call<{ readonly ShardIterator?: string }>('GetShardIterator', input);
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
      const { Records: records = [], NextShardIterator: next } = await call<{
        readonly Records?: readonly WrittenRecord[];
        readonly NextShardIterator?: string | null;
      }>('GetRecords', { ShardIterator: iterator, Limit: pageSize });
      const last = records.at(-1)?.dynamodb.SequenceNumber ?? position;
      if (next) iterators.set(shardId, { position: last, iterator: next });
      // A write that changes nothing leaves no record in DynamoDB; the engine makes one.
      const changed = records.filter(
        ({ dynamodb: change }) => !change.OldImage || !isDeepStrictEqual(change.OldImage, change.NewImage),
      );
      return { records: changed.map((record) => asLambdaSees(record, streamArn)), position: last, ended: !next };
    },
    close() {
      agent.destroy();
      client.destroy();
    },
  };
}

/** Calls the Streams API. Throws Error with the answer when that is none of success. */
function callEngine<T>(agent: Agent, endpoint: string, operation: string, input: object): Promise<T> {
  const body = JSON.stringify(input);
  const headers = {
    authorization,
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(body),
    'x-amz-date': '20260101T000000Z',
    'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
  };
  return new Promise<T>((resolve, reject) => {
    const sent = request(endpoint, { agent, method: 'POST', headers, timeout: callMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject).on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text) as T);
        else reject(new Error(`${operation} was answered ${String(response.statusCode)}: ${text}`));
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`${operation} had no answer within ${callMs} ms`)));
    sent.on('error', reject).end(body);
  });
}

function asLambdaSees(record: WrittenRecord, streamArn: string): StreamRecord {
  const { userIdentity: identity, dynamodb: change } = record;
  return {
    eventID: createHash('md5').update(`${streamArn} ${change.SequenceNumber}`).digest('hex'),
    eventName: record.eventName ?? '',
    eventVersion: record.eventVersion ?? '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    eventSourceARN: streamArn,
    ...(identity && { userIdentity: { type: identity.Type, principalId: identity.PrincipalId } }),
    dynamodb: {
      ...change,
      ApproximateCreationDateTime: Math.floor(change.ApproximateCreationDateTime ?? Date.now() / 1000),
    },
  };
}
