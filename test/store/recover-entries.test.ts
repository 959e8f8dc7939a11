/** The loss of the entries table alone: a recovery makes its ledgers and totals again from the wallet table. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { recoverBooks } from '../../bin/recover/recover.ts';
import { Recovery } from '../../bin/recover/recovery.ts';
import type { SetAside } from '../../lambdas/aws/set-aside.ts';
import { runPass } from '../../lambdas/integrity/run-pass.ts';
import { Heads } from '../../lambdas/store/heads.ts';
import { project } from '../../lambdas/workers/projector.ts';
import { newEntriesTable } from '../books.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { newScene, passOver } from './busy-books.ts';
import { charge } from './commands.ts';
import { setStatus } from './wallets.ts';

const engine = useEngine();

describe('a recovery of the books whose entries table was lost', () => {
  it('makes sound books, on which the projector goes on', async () => {
    const scene = await newScene(engine);
    afterTest(scene.close);
    const { table, found, control, history } = scene;
    const lostAt = table.now();
    // Changes whose records the projector meets after the recovery only.
    await charge(table, history.ann, { amount: 3 });
    await setStatus(table, history.ann, 'frozen');
    await setStatus(table, history.ann, 'active');

    const entries = await newEntriesTable(engine, `${table.name}-made`);
    entries.clock.now = table.clock.now = Date.now();
    const report = { repairs: () => undefined, differs: ({ kind }: { kind: string }) => assert.fail(kind) };
    const options = { bank: undefined, comparedFrom: lostAt, dryRun: false, restartsChecks: true, report };
    const recovery = new Recovery({ table, entries, ...options }, true);
    afterTest(() => {
      recovery.close();
    });
    await recoverBooks(recovery, { setSettings: () => Promise.resolve() });

    const missed = await scene.takeRecords();
    await charge(table, history.ann, { amount: 4 });
    await setStatus(table, history.cid, 'frozen');
    const later = await scene.takeRecords();
    const aside: string[] = [];
    const projectAll = (records: typeof missed) =>
      project(records, {
        ...{ entries, heads: new Heads() },
        setAside: {
          send: ({ Records }: SetAside) => {
            aside.push(...Records.map(({ dynamodb }) => dynamodb?.Keys?.['sk']?.S ?? ''));
            return Promise.resolve();
          },
        },
      });
    assert.equal(await projectAll(missed), undefined);
    // The ledger that was made again may have an older change under another version. No booking is counted twice.
    assert.deepEqual(new Set(aside), new Set(['WALLET']));
    const before = aside.length;
    assert.equal(await projectAll(later), undefined);
    assert.equal(aside.length, before);

    const books = { ...scene.books, table, entries };
    assert.equal(await runPass(books, passOver(scene, true), control), 'done');
    assert.deepEqual(found, []);
  });
});
