import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { hourMs } from '../../lambdas/domain/hours.ts';
import { hoursFromText, hoursToText } from '../../lambdas/integrity/hours.ts';
import { Heads } from '../../lambdas/store/heads.ts';
import { entryKey, journalKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { project } from '../../lambdas/workers/projector.ts';
import { measure } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { check, closedAt, hour, newScene, quarterMs, runOnce, setClock } from './closed-hour.ts';
import type { Scene } from './closed-hour.ts';
import { charge } from './commands.ts';
import { allItems, itemOf, plant } from './inspect.ts';

const engine = useEngine();

async function change(table: Scene['table'], key: { pk: string; sk: string }, members: object): Promise<void> {
  await plant(table, { ...(await itemOf(table, key)), ...members });
}

const ofEntry = (members: object) => async (scene: Scene) => {
  await change(scene.entries, entryKey(scene.history.ann, 1), members);
  return `chain_broken ${scene.history.ann}`;
};
const ofTransaction = (members: object) => async (scene: Scene) => {
  const [{ reference }] = scene.history.paid;
  await change(scene.table, transactionKey(reference), members);
  return `transaction_invalid ${reference}`;
};
const ofTotal = (booked: unknown) => async (scene: Scene) => {
  const total = (await allItems(scene.entries)).find(({ pk }) => String(pk).startsWith('TOTAL#external:EUR'))!;
  await plant(scene.entries, { ...total, booked });
  return 'total_differs external:EUR';
};
const ofJournal = (members: object) => async (scene: Scene) => {
  await plant(scene.entries, { ...journalKey(hour, 'x'), booked: hour, ...members });
  return `unreadable journal of ${hour}`;
};

/** Items of another shape. Each returns the finding that the check must report. */
const malformed: Record<string, (scene: Scene) => Promise<string>> = {
  'an entry whose changes are null': ofEntry({ changes: [null] }),
  'an entry whose balance is null': ofEntry({ balanceAfter: null }),
  'an entry whose times are numbers': ofEntry({ at: 5, bookedAt: 6 }),
  'an entry whose moment is a number': ofEntry({ at: undefined, moment: 5 }),
  'a transaction whose postings are null': ofTransaction({ postings: [null] }),
  'a transaction whose first time is a number': ofTransaction({ createdAt: 5 }),
  'a transaction whose last time is a number': ofTransaction({ completedAt: 5 }),
  'a total that is no whole number': ofTotal(1.5),
  'a line of the journal without content': ofJournal({}),
  'a line of the journal with other content': ofJournal({ lines: new Uint8Array([1, 2, 3]) }),
  'a line of the journal of no hour': ofJournal({ booked: 'x' }),
};

describe('the check of a closed hour, and an item of another shape', () => {
  for (const [name, put] of Object.entries(malformed)) {
    it(`names ${name}, and goes on with the next hour`, async () => {
      const scene = await newScene(engine);
      const expected = await put(scene);
      const names = await check(scene);
      assert.ok(names.includes(expected), `${expected}, and not only ${names.join(', ')}`);
      assert.ok(scene.hours.hour > hour);
      scene.close();
    });
  }

  for (const members of [{ postings: [null] }, { createdAt: 5 }]) {
    it(`sets a record with ${JSON.stringify(members)} aside, and projects those behind it`, async () => {
      const scene = await newScene(engine);
      await ofTransaction(members)(scene);
      await charge(scene.table, scene.history.ann, { amount: 1 });
      await scene.follow();
      const version = Number((await itemOf(scene.table, walletKey(scene.history.ann)))!['version']);
      assert.ok(await itemOf(scene.entries, entryKey(scene.history.ann, version)));
      assert.equal(scene.aside.length, 1);
      scene.close();
    });
  }

  it('keeps a cursor of the bank that looks like a sum', async () => {
    const scene = await newScene(engine);
    for (const cursor of ['1234n', '~5n']) {
      scene.hours.bank.after = cursor;
      assert.equal(hoursFromText(hoursToText(scene.hours)).bank.after, cursor);
    }
    scene.close();
  });
});

describe('the check of a closed hour, and what is slow', () => {
  it('finds nothing while the projector waits at one record and has counted those behind it', async () => {
    const scene = await newScene(engine);
    setClock(scene, closedAt - 300_000);
    const wallet = (await itemOf(scene.table, walletKey(scene.history.cid)))!;
    await plant(scene.table, { ...wallet, version: Number(wallet['version']) - 1 });
    await charge(scene.table, scene.history.ann, { amount: 500 });
    const records = await scene.takeRecords();
    const send = () => Promise.reject(new Error('the queue is down'));
    assert.ok(await project(records, { entries: scene.entries, heads: new Heads(), setAside: { send } }));
    await plant(scene.table, wallet);
    setClock(scene, closedAt);
    assert.deepEqual(await check(scene, 3 * quarterMs), []);
    scene.close();
  });

  it('checks a suspect of a day ago from a few hours of the journal, and gets on however slow that is', async () => {
    const scene = await newScene(engine);
    const { ann } = scene.history;
    await change(scene.table, walletKey(ann), { available: 1, total: 1 });
    setClock(scene, closedAt + 24 * hourMs);
    await runOnce(scene);
    setClock(scene, scene.table.now() + quarterMs);
    let looks = 0;
    const { calls } = await measure(scene.entries, () => runOnce(scene, scene.hours, () => ++looks > 1));
    const queries = calls.filter(({ operation }) => operation === 'Query').length;
    assert.ok(queries <= 4 * 32 + 8, `${queries} queries`);
    assert.deepEqual(scene.hours.suspects, []);
    assert.ok(scene.found.some(({ subject }) => subject === ann));
    scene.close();
  });
});
