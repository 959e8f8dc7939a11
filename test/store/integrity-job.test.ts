import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { metrics as names } from '../../lambdas/contract.ts';
import { passFromText } from '../../lambdas/integrity/pass.ts';
import { KnownDiscrepancies } from '../../lambdas/integrity/known.ts';
import { getState, putState } from '../../lambdas/store/integrity.ts';
import { integrityKey, walletKey } from '../../lambdas/store/keys.ts';
import { fromItem, toItem } from '../../lambdas/store/write.ts';
import { runCheck } from '../../lambdas/workers/integrity-job.ts';
import { bankThatPaid } from './histories.ts';
import { itemOf, plant } from './inspect.ts';
import { bankId } from './visits.ts';
import { useEngine } from '../fixture.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { newScene } from './busy-books.ts';
import type { Scene } from './busy-books.ts';

const engine = useEngine();

const hourMs = 3_600_000;

/** A bank that gives no answer. */
const silent = () => Promise.resolve({ outcome: 'unknown', reason: 'time-out' } as const);

async function edit({ table }: Scene, walletId: string, available: number): Promise<void> {
  await table.client.send(
    new UpdateItemCommand({
      TableName: table.name,
      Key: toItem(walletKey(walletId)),
      UpdateExpression: 'SET available = :available',
      ExpressionAttributeValues: toItem({ ':available': available }),
    }),
  );
}

describe('the job', () => {
  const published: string[] = [];
  const services = (scene: Scene, statement = scene.books.statement) => ({
    books: { ...scene.books, statement },
    passEveryMs: 0,
    publisher: {
      put: (entries: readonly { Detail?: string | undefined }[]) => {
        published.push(...entries.map(({ Detail = '' }) => Detail));
        return Promise.resolve(entries.map(() => undefined));
      },
      busName: 'bus',
      now: scene.table.now,
      random: () => 0.5,
      sleep: () => Promise.resolve(),
    },
  });
  const passAfter = async (given: ReturnType<typeof services>) => (await runCheck(given))?.pass;
  const stored = async (scene: Scene, which: 'running' | 'last') => {
    const { Item } = await scene.entries.client.send(
      new GetItemCommand({ TableName: scene.entries.name, Key: toItem(integrityKey(which)), ConsistentRead: true }),
    );
    return Item && passFromText(fromItem(Item)['text'] as string);
  };

  it('stores a pass that came to its end, and begins another one the next time', async () => {
    const scene = await newScene(engine);
    const first = await passAfter(services(scene));
    assert.equal(first?.stage, 'done');
    assert.equal((await stored(scene, 'last'))?.passId, first.passId);
    const second = await passAfter(services(scene));
    assert.equal(second?.stage, 'done');
    assert.notEqual(second.passId, first.passId);
    assert.equal((await stored(scene, 'last'))?.passId, second.passId);
    scene.close();
  });

  it('goes on in the next run, and tells what is wrong once, with the wallet', async () => {
    const scene = await newScene(engine);
    const { table, entries, history } = scene;
    table.clock.now += 2 * hourMs;
    entries.clock.now = table.now();
    await edit(scene, history.ann, 1);
    const first = await passAfter(services(scene));
    assert.equal(first?.stage, 'books');
    assert.deepEqual(
      first.suspects.map(({ walletId }) => walletId),
      [history.ann],
    );
    assert.deepEqual(published, []);
    table.clock.now += hourMs;
    entries.clock.now = table.now();
    const second = await passAfter(services(scene));
    assert.equal(second?.passId, first.passId);
    assert.equal(second.runs, 2);
    assert.equal(second.stage, 'done');
    const events = published.map(
      (detail) => JSON.parse(detail) as { type: string; walletIds: string[]; eventId: string },
    );
    assert.deepEqual(
      events.map(({ type, walletIds }) => [type, walletIds]),
      [['ledger.discrepancy', [history.ann]]],
    );
    assert.ok(second.found > events.length, 'what is of one kind and subject is one discrepancy');
    scene.close();
  });

  it('counts the discrepancies until a pass has not found them again, and the hours since a pass ended', async () => {
    const scene = await newScene(engine);
    const { table, entries, history } = scene;
    const counted: (readonly [name: string, value: number])[] = [];
    watchMetrics((name, _unit, value) => counted.push([name, value]));
    /** Runs the job after so many hours. Returns the two gauges at its end. */
    const run = async (hours: number, passEveryMs = 0) => {
      table.clock.now += hours * hourMs;
      entries.clock.now = table.now();
      counted.length = 0;
      await runCheck({ ...services(scene), passEveryMs });
      const gauges = Object.fromEntries(counted);
      return [gauges[names.discrepancies], gauges[names.hoursSincePass]];
    };
    assert.deepEqual(await run(2), [0, 0], 'the first pass has ended');
    const before = await itemOf(table, walletKey(history.ann));
    await edit(scene, history.ann, 1);
    assert.deepEqual(await run(1), [0, 1], 'the next one looks at a wallet again');
    assert.deepEqual(await run(1), [1, 0]);
    await plant(table, before!);
    assert.deepEqual(await run(3, 24 * hourMs), [1, 3], 'no pass is due');
    assert.deepEqual(await run(30, 24 * hourMs), [0, 0]);
    scene.close();
  });

  it('reports a discrepancy once, lists it as long as passes find it, and reports it again when it comes back', async () => {
    const scene = await newScene(engine);
    const { table, entries, history } = scene;
    published.length = 0;
    const before = await itemOf(table, walletKey(history.ann));
    const pass = async () => {
      for (let run = 0; run < 2; run++) {
        table.clock.now += hourMs;
        entries.clock.now = table.now();
        await runCheck(services(scene));
      }
      const known = new KnownDiscrepancies((await getState(entries, 'known'))?.text).all;
      return [known.map(({ kind, subject }) => `${kind} ${subject}`), published.length];
    };
    const known = [`balance_differs ${history.ann}`];
    await edit(scene, history.ann, 1);
    assert.deepEqual(await pass(), [known, 1]);
    assert.deepEqual(await pass(), [known, 1], 'it is known');
    await plant(table, before!);
    assert.deepEqual(await pass(), [[], 1], 'it is gone');
    await edit(scene, history.ann, 2);
    assert.deepEqual(await pass(), [known, 2], 'it is another one');
    assert.equal(new Set(published.map((detail) => (JSON.parse(detail) as { eventId: string }).eventId)).size, 2);
    scene.close();
  });

  it('keeps discrepancies of payments until a pass has compared a statement', async () => {
    const scene = await newScene(engine);
    const { table, entries } = scene;
    const denies = bankThatPaid([], '');
    /** Runs the job some hours later. Returns the kinds of the known discrepancies of payments. */
    async function after(hours: number, statement: Scene['books']['statement']) {
      table.clock.now += hours * hourMs;
      entries.clock.now = table.now();
      await runCheck(services(scene, statement));
      const { all: list } = new KnownDiscrepancies((await getState(entries, 'known'))?.text);
      return list.map(({ kind }) => kind).filter((kind) => kind.startsWith('payment'));
    }
    assert.deepEqual(await after(30, denies), ['payment_missing', 'payment_missing']);
    // The list is full, so that no further discrepancy is noted in it.
    const known = await getState(entries, 'known');
    const full = JSON.parse(known?.text ?? '[]') as object[];
    const others = Array.from({ length: 500 - full.length }, (_, n) => ({
      ...full[0],
      kind: 'unreadable',
      subject: `${n}`,
    }));
    await putState(entries, 'known', JSON.stringify([...full, ...others]), known?.revision);
    for (let run = 0; run < 3; run++) {
      assert.deepEqual(
        await after(2, { ...denies, statement: silent }),
        ['payment_missing', 'payment_missing'],
        'silence proves nothing',
      );
    }
    await after(2, scene.books.statement);
    assert.deepEqual(await after(2, scene.books.statement), []);
    scene.close();
  });

  it('keeps discrepancies of payments of a former bank until an operator acknowledges them', async () => {
    const scene = await newScene(engine);
    const { table, entries } = scene;
    const gauges: number[] = [];
    watchMetrics((name, _unit, value) => {
      if (name === names.discrepancies) gauges.push(value);
    });
    /** Runs the job some hours later. Returns the subjects of the known discrepancies of payments, and the gauge. */
    async function after(hours: number, statement: Scene['books']['statement']) {
      table.clock.now += hours * hourMs;
      entries.clock.now = table.now();
      await runCheck(services(scene, statement));
      const { all: list } = new KnownDiscrepancies((await getState(entries, 'known'))?.text);
      return [list.filter(({ kind }) => kind.startsWith('payment')).length, gauges.at(-1)];
    }
    assert.deepEqual(await after(30, bankThatPaid([], '')), [2, 2]);
    const newBank = { ...bankThatPaid([], ''), bankId: 'new-bank' };
    for (let run = 0; run < 3; run++) assert.deepEqual(await after(2, newBank), [2, 2], 'it cannot know');

    const stored = await getState(entries, 'known');
    const known = new KnownDiscrepancies(stored?.text);
    for (const one of known.all) one.acknowledged = { by: 'Ann', evidence: 'ticket 7', at: one.since };
    await putState(entries, 'known', known.text(), stored?.revision);
    assert.deepEqual(await after(0, { ...newBank, statement: silent }), [2, 0], 'acknowledged ones are not counted');
    assert.deepEqual(await after(2, newBank), [0, 0]);
    scene.close();
  });

  it('keeps an acknowledgement that an operator stores while a pass ends, and ends the pass', async () => {
    const scene = await newScene(engine);
    const { table, entries, history } = scene;
    const before = await itemOf(table, walletKey(history.ann));
    const after = async (given: Scene) => {
      table.clock.now += 2 * hourMs;
      entries.clock.now = table.now();
      return runCheck(services(given));
    };
    await edit(scene, history.ben, 1);
    for (let run = 0; run < 3; run++) await after(scene);
    await edit(scene, history.ann, 1);
    for (let run = 0; run < 2; run++) await after(scene);
    await plant(table, before!);
    const acknowledge = async () => {
      const stored = await getState(entries, 'known');
      const known = new KnownDiscrepancies(stored?.text);
      for (const one of known.all) {
        if (one.subject === history.ben) one.acknowledged = { by: 'Ann', evidence: 'ticket 7', at: one.since };
      }
      assert.ok(await putState(entries, 'known', known.text(), stored?.revision));
    };
    let acknowledged: Promise<void> | undefined;
    const statement: Scene['books']['statement'] = {
      ...bankThatPaid([], ''),
      // The pass asks the bank last, so the operator is between the job's reading and its storing.
      async statement(...range) {
        await (acknowledged ??= acknowledge());
        return bankThatPaid([], '').statement(...range);
      },
    };
    const ended = await after({ ...scene, books: { ...scene.books, statement } });
    assert.ok(acknowledged && ended, 'the run has ended');
    assert.equal((await stored(scene, 'last'))?.passId, ended.pass?.passId);
    const { all: list } = new KnownDiscrepancies((await getState(entries, 'known'))?.text);
    const wallets = list.filter(({ kind }) => kind === 'balance_differs');
    assert.deepEqual(
      wallets.map(({ subject, acknowledged }) => [subject, acknowledged?.by]),
      [[history.ben, 'Ann']],
    );
    scene.close();
  });

  it('begins no pass before the last one is as old as a prop says, and checks closed hours meanwhile', async () => {
    const scene = await newScene(engine);
    const { table, entries } = scene;
    const daily = { ...services(scene), passEveryMs: 24 * hourMs };
    const runs: (string | undefined)[][] = [];
    for (let n = 0; n < 30; n++) {
      table.clock.now += hourMs;
      entries.clock.now = table.now();
      const { hours, pass } = (await runCheck(daily))!;
      runs.push([hours.last?.hour, pass?.stage]);
    }
    const passes = runs.flatMap(([, stage], run) => (stage === undefined ? [] : [run]));
    assert.deepEqual(passes, [0, 24]);
    assert.deepEqual(runs.at(-1)?.[0], new Date(table.now() - 2 * hourMs).toISOString().slice(0, 13));
    scene.close();
  });

  it('begins another pass when the bank is another one', async () => {
    const scene = await newScene(engine);
    const first = await passAfter(services(scene, { bankId, statement: silent, find: silent }));
    assert.equal(first?.stage, 'bank');
    const statement = { ...bankThatPaid([], ''), bankId: 'new-bank' };
    const second = await passAfter(services(scene, statement));
    assert.notEqual(second?.passId, first.passId);
    assert.deepEqual([second?.stage, second?.found], ['done', 0]);
    scene.close();
  });

  it('ends when another run is at work', async () => {
    const scene = await newScene(engine);
    const [one, other] = await Promise.all([runCheck(services(scene)), runCheck(services(scene))]);
    assert.equal([one, other].filter((pass) => pass === undefined).length, 1);
    scene.close();
  });
});
