/** Statements whose file is never made: they end as failed, and the same request has them tried anew. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { metrics } from '../../lambdas/contract.ts';
import { transactionIdOfStatement } from '../../lambdas/domain/ids.ts';
import { mostFailedTries } from '../../lambdas/domain/statement-file.ts';
import { entryKey } from '../../lambdas/store/keys.ts';
import { leaseMs, saveStep, takeStatementFile } from '../../lambdas/store/statement-files.ts';
import { writeStatement } from '../../lambdas/workers/statement-writer.ts';
import { useEngine } from '../fixture.ts';
import { operator } from '../request.ts';
import { watchMetrics } from '../watch-metrics.ts';
import { newKey } from './commands.ts';
import { removeItem } from './inspect.ts';
import { fileOf, idOf, newFileHistory } from './statement-file-scenes.ts';
import type { FileScene } from './statement-file-scenes.ts';

const engine = useEngine();
let reported: string[] = [];

beforeEach(() => {
  reported = [];
  watchMetrics((name) => name === metrics.statementsFailed && reported.push(name));
});

/** Asks for a file, with a key to ask again, and takes its message from the queue. */
async function asked(scene: FileScene) {
  const request = { key: newKey(), body: { to: new Date(scene.statements.clock.now).toISOString() } };
  const again = () => scene.askFor(scene.ann, 'csv', request);
  const statementId = idOf((await again()).body);
  const [{ transactionId } = assert.fail()] = scene.queued.splice(0);
  const look = async () => (await scene.look(statementId)).body ?? {};
  return { statementId, transactionId, again, look, work: () => writeStatement(scene.worker, transactionId) };
}

/** Lets all tries fail, as the bucket takes nothing. Returns a function that mends it. */
async function useUp({ files }: FileScene, work: () => Promise<unknown>, tries = mostFailedTries) {
  const put = files.put.bind(files);
  files.put = () => Promise.reject(new Error('S3 has answered 403'));
  for (let count = 0; count < tries; count++) await assert.rejects(work(), /S3 has answered/);
  return () => (files.put = put);
}

describe('a statement that is never made', () => {
  it('fails when its tries are used up, with a reason and a metric', async () => {
    const scene = await newFileHistory(engine);
    const { look, work } = await asked(scene);
    await useUp(scene, work);
    assert.deepEqual([(await look())['status'], reported], ['pending', []]);
    assert.equal(await work(), undefined, 'its message is done');
    const { status, failure, file } = await look();
    assert.deepEqual(
      [status, failure, file],
      ['failed', { code: 'not_made', message: 'The file could not be made' }, undefined],
    );
    assert.deepEqual(reported, [metrics.statementsFailed]);
    assert.equal(await work(), undefined, 'a further message has nothing to do');
    assert.equal(reported.length, 1);
  });

  it('names a ledger that is behind', async () => {
    const scene = await newFileHistory(engine);
    const { look, work } = await asked(scene);
    await removeItem(scene.entries, entryKey(scene.ann, 3));
    for (let count = 0; count < mostFailedTries; count++) await assert.rejects(work(), { code: 'ledger_behind' });
    await work();
    assert.equal(((await look())['failure'] as { code: string }).code, 'ledger_behind');
  });

  it('counts a worker that dies, and a late one stores nothing, also when it is tried anew', async () => {
    const scene = await newFileHistory(engine);
    const { statementId, again, look, work } = await asked(scene);
    const take = (leaseId: string) => takeStatementFile(scene.statements, statementId, leaseId);
    let last = await take('0');
    for (let count = 1; count < mostFailedTries; count++) {
      scene.pass(leaseMs);
      last = await take(String(count));
    }
    assert.ok(last.kind === 'taken');
    const { taken } = last;
    assert.equal(await work(), scene.statements.clock.now + leaseMs, 'the last worker still has it');
    scene.pass(leaseMs);
    await work();
    assert.equal((await look())['status'], 'failed');
    const done = { fileBytes: 1, sums: { lines: 0, in: 0, out: 0, fees: 0 } };
    const late = () => assert.rejects(saveStep(scene.statements, taken, { done }), { name: 'LeaseLost' });
    await late();
    assert.equal((await again()).body?.['status'], 'pending');
    await late();
    await scene.work();
    await fileOf(scene, statementId);
  });

  it('is ended once by two workers at the same time', async () => {
    const scene = await newFileHistory(engine);
    const { look, work } = await asked(scene);
    await useUp(scene, work);
    assert.deepEqual(await Promise.all([work(), work(), work()]), [undefined, undefined, undefined]);
    assert.equal((await look())['status'], 'failed');
  });

  it('is made when it goes well after all, in turns that are no failed tries', async () => {
    const scene = await newFileHistory(engine, { partBytes: 1, entriesAtATime: 1 });
    const { statementId, transactionId, work } = await asked(scene);
    const mend = await useUp(scene, work, mostFailedTries - 1);
    mend();
    const slow = { ...scene.worker, table: { ...scene.table, now: () => scene.pass(20_000) } };
    scene.queued.push({ version: 1, transactionId });
    let turns = 0;
    for (; scene.queued.shift() !== undefined; turns++) {
      assert.equal(await writeStatement(slow, transactionId), undefined);
    }
    assert.ok(turns > 2, `${String(turns)} turns`);
    await fileOf(scene, statementId);
    assert.deepEqual(reported, []);
  });
});

describe('asking again for a statement that has failed', () => {
  /** A statement that has failed, and whose cause is gone. */
  async function failed(scene: FileScene) {
    const statement = await asked(scene);
    const mend = await useUp(scene, statement.work);
    await statement.work();
    mend();
    return statement;
  }

  it('tries it anew, with the same terms and all tries, and sends one message', async () => {
    const scene = await newFileHistory(engine);
    const { statementId, transactionId, again, look } = await failed(scene);
    const before = await look();
    scene.pass(1_000);
    const answers = await Promise.all([again(), again()]);
    for (const { status, body } of answers) {
      const { failure, ...terms } = before;
      assert.deepEqual([status, body], [202, { ...terms, status: 'pending' }]);
    }
    assert.deepEqual(
      answers.map(({ headers }) => headers['Idempotency-Replayed']).toSorted(),
      ['true', undefined],
      'one of them has done it',
    );
    assert.deepEqual(
      scene.queued.map((message) => message.transactionId),
      [transactionId],
    );
    const mend = await useUp(scene, () => writeStatement(scene.worker, transactionId), mostFailedTries - 1);
    mend();
    await scene.work();
    await fileOf(scene, statementId);
  });

  it('counts in the limit of an hour', async () => {
    const scene = await newFileHistory(engine);
    const { again, look } = await failed(scene);
    assert.equal((await scene.askFor(scene.ann)).status, 202);
    assert.equal((await scene.askFor(scene.ann)).status, 202);
    const refused = await again();
    assert.deepEqual([refused.status, refused.body?.['code']], [429, 'rate_limited']);
    assert.equal((await look())['status'], 'failed');
  });

  it('with another request has no effect, nor has looking at it', async () => {
    const scene = await newFileHistory(engine);
    const { statementId } = await failed(scene);
    scene.pass(3_600_000);
    assert.equal((await scene.look(statementId, operator)).body?.['status'], 'failed');
    const key = newKey();
    assert.equal((await scene.askFor(scene.ann, 'csv', { key })).status, 202);
    const other = await scene.askFor(scene.ann, 'json', { key });
    assert.equal(other.body?.['code'], 'idempotency_key_reused');
    assert.equal(scene.queued.length, 1);
    assert.ok(scene.queued.every(({ transactionId }) => transactionId !== transactionIdOfStatement(statementId)));
  });
});
