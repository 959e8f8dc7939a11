import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalFunction } from '../../local/lambda/function-pool.ts';
import { createFunctions } from '../../local/lambda/functions.ts';
import { eventually } from './eventually.ts';
import { afterTest } from '../fixture.ts';

const handlers = `
export const wait = async ({ ms }) => { await new Promise((resolve) => setTimeout(resolve, ms)); return ms; };
export const call = async ({ url }) => (await fetch(url)).status;`;

describe('the threads of all functions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'runner-threads-'));
  writeFileSync(join(folder, 'index.mjs'), handlers);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function start(spareThreads: number, longestWaitMs = 30_000) {
    const functions = createFunctions({ spareThreads, longestWaitMs, log: { write: () => undefined } });
    afterTest(() => functions.stop());
    const define = (name: string, handler: 'wait' | 'call' = 'wait'): LocalFunction =>
      functions.define({
        name,
        arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
        folder,
        handler: `index.${handler}`,
        environment: {},
        memoryMb: 128,
        timeoutSeconds: 30,
      });
    const threads = async (name?: string): Promise<number> =>
      (await functions.usage())
        .filter((one) => name === undefined || one.name === name)
        .reduce((sum, one) => sum + one.threads, 0);
    return { functions, define, threads };
  }

  /** Runs work, and returns the most that `count` answers meanwhile. */
  async function mostWhile(work: Promise<unknown>, count: () => Promise<number>): Promise<number> {
    let most = 0;
    const isDone = async (): Promise<boolean> => {
      most = Math.max(most, await count());
      return Promise.race([work.then(() => true), sleep(10, false)]);
    };
    while (!(await isDone()));
    return most;
  }

  test('200 requests at once to many functions are answered by a bounded number of threads, which end', async () => {
    const { define, threads } = start(4);
    const all = Array.from({ length: 10 }, (_, index) => define(`function-${index}`));
    const answers = Promise.all(
      Array.from({ length: 20 }, () => all.map((target) => target.invoke({ ms: 100 }, 'request'))).flat(),
    );
    const most = await mostWhile(answers, () => threads());
    assert.ok(most <= 14, `${most} threads of 10 functions`);
    assert.deepEqual(await answers, Array(200).fill(100));
    await eventually(async () => (await threads()) <= 10, { limitMs: 30_000 });
  });

  test('a function without a free thread gets the idle one of another function', async () => {
    const { define, threads } = start(2);
    const [first, second] = [define('first'), define('second')];
    const five = (target: LocalFunction) =>
      Promise.all(Array.from({ length: 5 }, () => target.invoke({ ms: 1000 }, 'request')));
    await five(first);
    assert.equal(await threads('first'), 3);
    assert.equal(await mostWhile(five(second), () => threads('second')), 3);
    assert.equal(await threads('first'), 1);
  });

  test('a function that is busy leaves its threads to another one that waits, once it has no more work', async () => {
    const { define, threads } = start(4);
    const [busy, other] = [define('busy'), define('other')];
    const before = Promise.all(Array.from({ length: 25 }, () => busy.invoke({ ms: 200 }, 'request')));
    await eventually(async () => (await threads('busy')) === 5);
    const answers = Promise.all(Array.from({ length: 100 }, () => other.invoke({ ms: 150 }, 'request')));
    await before;
    // Without that it would wait until the threads have been idle for ten seconds.
    await eventually(async () => (await threads('other')) >= 3, { limitMs: 9_000 });
    await answers;
  });

  test('functions that wait for another one leave it a thread', async () => {
    const { define } = start(2);
    const [outer, inner] = [define('outer', 'call'), define('inner')];
    const server = createServer((_, response) => {
      void inner.invoke({ ms: 10 }, 'request').then(() => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterTest(() => {
      server.close();
      server.closeAllConnections();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answers = await Promise.all(Array.from({ length: 30 }, () => outer.invoke({ url }, 'request')));
    assert.deepEqual(answers, Array(30).fill(200));
  });

  test('events leave half of the threads to requests', async () => {
    const { define, threads } = start(4);
    const [consumer, route] = [define('consumer'), define('route')];
    const events = Promise.all(Array.from({ length: 20 }, () => consumer.invoke({ ms: 500 }, 'event')));
    await eventually(async () => (await threads('consumer')) === 3);
    const requests = Promise.all(Array.from({ length: 6 }, () => route.invoke({ ms: 2_000 }, 'request')));
    const ofRoute = await mostWhile(requests, () => threads('route'));
    assert.ok(ofRoute > 1, 'the route has a thread beside its first one');
    assert.ok((await mostWhile(events, () => threads('consumer'))) <= 3);
  });

  test('a request waits for a limited time, and for less of it while more requests come than end', async () => {
    const { define } = start(0, 2_000);
    const target = define('busy');
    await target.invoke({ ms: 1 }, 'request');
    /** Milliseconds until the answer; negative for a refusal. */
    const timeOf = async (): Promise<number> => {
      const since = performance.now();
      const isAnswered = await target.invoke({ ms: 500 }, 'request').then(
        () => true,
        () => false,
      );
      return isAnswered ? performance.now() - since : since - performance.now();
    };
    const times: Promise<number>[] = [];
    for (let sent = 0; sent < 60; sent++) {
      times.push(timeOf());
      await sleep(100);
    }
    const ended = await Promise.all(times);
    const [early, late] = [ended.slice(0, 15), ended.slice(45)];
    assert.ok(Math.max(...early) > 1_500, 'the first ones wait in line');
    assert.ok(Math.min(...late) < 0 && Math.min(...late) > -1_500, 'the last ones are refused soon');
    assert.ok(Math.max(...late) > 0 && Math.max(...late) < 1_800, 'or answered soon');
  });

  test('a request that finds a thousand waiting is refused and does not begin, and an event waits', async () => {
    const { functions, define } = start(0);
    const target = define('busy');
    const waiting = Array.from({ length: 1000 }, () => target.invoke({ ms: 60_000 }, 'request'));
    const ending = Promise.allSettled([...waiting, target.invoke({ ms: 1 }, 'event')]);
    await assert.rejects(target.invoke({ ms: 1 }, 'request'), { errorType: 'TooManyRequests' });
    await functions.stop();
    const ends = await ending;
    const reasons = ends.map((end) => end.status === 'rejected' && (end.reason as { errorType: string }).errorType);
    assert.deepEqual([...new Set(reasons)], ['Stopped']);
  });
});
