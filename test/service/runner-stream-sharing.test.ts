import assert from 'node:assert/strict';
import { describe, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { shareStream } from '../../local/dynamodb/stream-sharing.ts';
import type { StreamRecord, TableStream } from '../../local/dynamodb/table-streams.ts';

/** Returns a stream of pages with one record each. The record's number is the position behind it. */
function streamOf(pages: number) {
  const reads: string[] = [];
  const state = { pages, isDown: false, isOpen: true };
  const stream: TableStream = {
    arn: 'stream',
    shards: () => Promise.resolve([{ ShardId: 'shard' }]),
    async read(_, position) {
      reads.push(position);
      await sleep(5);
      if (state.isDown) throw new Error('the engine is down');
      const next = Number(position) + 1;
      if (next > state.pages) return { records: [], position, ended: false };
      return { records: [{ eventID: String(next) } as StreamRecord], position: String(next), ended: false };
    },
    close() {
      state.isOpen = false;
    },
  };
  return { shared: shareStream(stream), reads, state };
}

/** Reads until a page is empty. */
async function readAll(reader: TableStream): Promise<string[]> {
  const ids: string[] = [];
  for (let position = ''; ;) {
    const page = await reader.read('shard', position);
    if (page.records.length === 0) return ids;
    ids.push(...page.records.map(({ eventID }) => eventID));
    ({ position } = page);
  }
}

describe('a stream with several mappings', () => {
  test('is read once for readers at the same place, and again for one that is far behind', async () => {
    const { shared, reads } = streamOf(5);
    const both = await Promise.all([readAll(shared.reader()), readAll(shared.reader())]);
    assert.deepEqual(both, [
      ['1', '2', '3', '4', '5'],
      ['1', '2', '3', '4', '5'],
    ]);
    assert.deepEqual(reads, ['', '1', '2', '3', '4', '5']);
    assert.deepEqual(await readAll(shared.reader()), ['1', '2', '3', '4', '5']);
  });

  test('has its new records after an empty page', async () => {
    const { shared, state } = streamOf(1);
    const reader = shared.reader();
    assert.deepEqual((await reader.read('shard', '1')).records, []);
    state.pages = 2;
    await sleep(100);
    assert.equal((await reader.read('shard', '1')).position, '2');
  });

  test('is read again after a failure', async () => {
    const { shared, state } = streamOf(1);
    const reader = shared.reader();
    state.isDown = true;
    await assert.rejects(reader.read('shard', ''), /down/);
    state.isDown = false;
    assert.equal((await reader.read('shard', '')).position, '1');
  });

  test('is closed with its last reader', () => {
    const { shared, state } = streamOf(0);
    const [first, second] = [shared.reader(), shared.reader()];
    first.close();
    assert.ok(state.isOpen);
    second.close();
    assert.ok(!state.isOpen);
  });
});
