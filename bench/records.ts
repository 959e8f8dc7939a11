/** Reads the stream of a table as a consumer gets it. */
import type { DynamoDBRecord } from 'aws-lambda';
import { openTableStream } from '../local/dynamodb/table-streams.ts';

export interface Records {
  /** Returns the records that no earlier call returned, oldest first. */
  readonly next: () => Promise<DynamoDBRecord[]>;
  readonly close: () => void;
}

export async function openRecords(endpoint: string, tableName: string): Promise<Records> {
  const stream = await openTableStream(endpoint, tableName, 'arn:aws:dynamodb:us-east-1:1:table/t/stream/s');
  if (stream === undefined) throw new Error(`table ${tableName} has no stream`);
  const positions = new Map<string, string>();
  return {
    async next() {
      const taken: DynamoDBRecord[] = [];
      for (const { ShardId = '' } of await stream.shards()) {
        for (;;) {
          const page = await stream.read(ShardId, positions.get(ShardId) ?? '');
          if (page.records.length === 0) break;
          positions.set(ShardId, page.position);
          taken.push(...(page.records as unknown as DynamoDBRecord[]));
        }
      }
      return taken;
    },
    close() {
      stream.close();
    },
  };
}
