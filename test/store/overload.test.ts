/** The growth of a queue beyond its limit, and the requests that wait for the reading of its depth. */
import assert from 'node:assert/strict';
import { beforeAll, describe, it } from '@jest/globals';
import { silence } from '../../bench/silence.ts';
import { modelWithdrawals } from '../../bench/withdraw-latency.ts';
import { watchDepth } from '../../lambdas/http/overload.ts';

beforeAll(silence);

const readingMs = 40;

/** Returns a clock, and a queue that keeps every message, with readings of its depth that take `readingMs`. */
function newQueue(depth: number) {
  const queue = { now: 0, depth, readings: 0 };
  const under: { readonly endsAt: number; readonly resolve: (depth: number) => void }[] = [];
  return {
    queue,
    now: () => queue.now,
    readDepth: () => {
      queue.readings += 1;
      return new Promise<number>((resolve) => under.push({ endsAt: queue.now + readingMs, resolve }));
    },
    /** Advances the clock, and ends the readings that are due. */
    pass: async (ms: number) => {
      queue.now += ms;
      for (const reading of under.splice(0)) {
        if (reading.endsAt <= queue.now) reading.resolve(queue.depth);
        else under.push(reading);
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

it('a withdrawal is answered after two round trips: its write and its message', async () => {
  assert.equal((await modelWithdrawals(1)).roundTrips, 2);
});

describe('the depth of a queue', () => {
  it('is read beside the command: no accepted command waits for it', async () => {
    const { queue, now, readDepth } = newQueue(1_000);
    const isOverloaded = watchDepth(readDepth, 10, now);
    // This reading never ends.
    assert.equal(await isOverloaded(), false);
    queue.now += 60_000;
    assert.equal(await isOverloaded(), false);
    assert.equal(queue.readings, 1, 'one reading at a time');
  });

  it('refuses from its reading on, and only by a reading of the last five seconds', async () => {
    const { queue, now, readDepth, pass } = newQueue(11);
    const isOverloaded = watchDepth(readDepth, 10, now);
    assert.equal(await isOverloaded(), false, 'a container that knows no depth');
    await pass(readingMs);
    assert.equal(await isOverloaded(), true);
    queue.depth = 0;
    await pass(4_000);
    assert.equal(await isOverloaded(), true, 'read 4 s ago');
    await pass(60_000);
    const answer = isOverloaded();
    await pass(readingMs);
    assert.equal(await answer, false, 'read again before it refuses');
  });

  it('counts as shallow while it cannot be read', async () => {
    const { queue, now, readDepth, pass } = newQueue(11);
    let fails = false;
    const isOverloaded = watchDepth(() => (fails ? Promise.reject(new Error('no answer')) : readDepth()), 10, now);
    await isOverloaded();
    await pass(readingMs);
    assert.equal(await isOverloaded(), true);
    fails = true;
    queue.now += 5_000;
    assert.equal(await isOverloaded(), false);
  });

  it('exceeds its limit by the arrivals of five seconds and a reading, and one command for each container', async () => {
    const [limit, containers, everyMs] = [500, 40, 5];
    const { queue, now, readDepth, pass } = newQueue(0);
    const watches = Array.from({ length: containers }, () => watchDepth(readDepth, limit, now));
    const half = containers / 2;
    for (let nth = 0; nth < 20_000; nth++) {
      // Half of the containers sleep until the queue is full.
      const awake = queue.now < 60_000 ? half : containers;
      const refused = watches[nth % awake]?.();
      await pass(everyMs);
      // A refusal may wait for its reading.
      const isRefused = await Promise.race([refused, Promise.resolve(true)]);
      if (!isRefused) queue.depth += 1;
    }
    const most = limit + (5_000 + readingMs) / everyMs + containers;
    assert.ok(queue.depth > limit && queue.depth <= most, `${queue.depth} messages, at most ${most} expected`);
  });
});
