/** DynamoDB stream event source mappings: batches in the order of each key, from each shard after its parent. */
import type { Shard } from '@aws-sdk/client-dynamodb-streams';
import type { TableStream } from '../dynamodb/table-streams.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';
import { afterErrorMs, pause } from '../process/pause.ts';
import { createBatchProcessor } from './stream-batch.ts';
import type { Positions } from './stream-positions.ts';
import { ShardConsumer } from './stream-shard.ts';
import type { StreamSourceSettings } from './stream-shard.ts';

/** Delivers until stopped; `stop` waits for the batches under way. */
export function startStreamSource(
  stream: TableStream,
  target: LocalFunction,
  positions: Positions,
  settings: StreamSourceSettings,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const process = createBatchProcessor(target, settings, signal);
  const consumers = new Map<string, { readonly consumer: ShardConsumer; readonly running: Promise<void> }>();

  /** Starts a consumer for each shard whose parent has ended. */
  async function discover(): Promise<void> {
    let shards: readonly Shard[] | undefined;
    while (!shards && !signal.aborted) {
      shards = await stream.shards().catch(() => undefined);
      if (!shards) await pause(afterErrorMs, signal);
    }
    const known = new Set(shards?.map(({ ShardId }) => ShardId));
    for (const { ShardId: id = '', ParentShardId: parent } of shards ?? []) {
      const waits = parent !== undefined && known.has(parent) && !consumers.get(parent)?.consumer.hasEnded;
      if (waits || consumers.has(id) || signal.aborted) continue;
      const consumer = new ShardConsumer(id, { stream, positions, settings, process, signal });
      const running = consumer.run(() => {
        discovering = discover();
      });
      consumers.set(id, { consumer, running });
    }
  }
  let discovering = discover();

  return {
    async stop() {
      stopping.abort();
      await discovering;
      await Promise.all([...consumers.values()].map(({ running }) => running));
      stream.close();
    },
  };
}
