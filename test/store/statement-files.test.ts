/** Statements as files: equal to the ledger and to the statement in one answer, made once, by workers that may die. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { transactionIdOfStatement } from '../../lambdas/domain/ids.ts';
import { askAgainMs } from '../../lambdas/domain/statement-file.ts';
import type { FormatName } from '../../lambdas/domain/statement-file.ts';
import { leaseMs, takeStatementFile } from '../../lambdas/store/statement-files.ts';
import { writeStatement } from '../../lambdas/workers/statement-writer.ts';
import { useEngine } from '../fixture.ts';
import { endUser, operator } from '../request.ts';
import { charge, newKey } from './commands.ts';
import { changeItem } from './inspect.ts';
import { entryKey } from '../../lambdas/store/keys.ts';
import { fileOf, idOf, mortal, newFileHistory } from './statement-file-scenes.ts';
import type { Death, FileScene } from './statement-file-scenes.ts';
import { after, ask } from './statement-scenes.ts';

const engine = useEngine();
const formats: readonly FormatName[] = ['json', 'csv', 'camt.053'];

const newHistory = (sizes?: Parameters<typeof newFileHistory>[1]) => newFileHistory(engine, sizes);

/** Returns a text without the time at which it was made. */
const timeless = (text: string) => text.replaceAll(/<CreDtTm>[^<]*<\/CreDtTm>/g, '');

describe('a statement as a file', () => {
  it.each(formats)('in %s is the statement of one answer, in one part or in many', async (format) => {
    for (const sizes of [{}, { partBytes: 1_000_000 }, { partBytes: 1 }]) {
      const scene = await newHistory(sizes);
      const asked = await scene.askFor(scene.ann, format);
      assert.deepEqual([asked.status, asked.body?.['status']], [202, 'pending']);
      assert.equal(asked.headers['Location'], `/prod/statements/${idOf(asked.body)}`);
      await scene.work();
      const { from, to } = asked.body as { from: string; to: string };
      const whole = await ask(scene, scene.ann, { query: { from, to, format } });
      assert.equal(timeless(await fileOf(scene, idOf(asked.body))), timeless(whole.text));
      const { body } = await scene.look(idOf(asked.body));
      const json = JSON.parse((await ask(scene, scene.ann, { query: { from, to } })).text) as Record<string, unknown>;
      const { opening, closing, sums, final } = json;
      assert.deepEqual(
        [body?.['opening'], body?.['closing'], body?.['sums'], body?.['final']],
        [opening, closing, sums, final],
      );
    }
  });

  it('covers what the ledger had when it was asked for, however much comes later', async () => {
    const scene = await newHistory();
    const to = after(scene.table.clock.now - Date.parse(after(0)));
    const asked = await scene.askFor(scene.ann, 'csv', { body: { to } });
    assert.equal(asked.body?.['final'], false);
    await charge(scene.table, scene.ann, { amount: 77 });
    await scene.follow();
    await scene.work();
    const content = await fileOf(scene, idOf(asked.body));
    const { hash } = asked.body['closing'] as { hash: string };
    assert.ok(content.endsWith(`,${hash}\r\n`) && content.includes(',interim,'));
  });

  it('is made again from the ledger wherever its worker dies, and is the same', async () => {
    const deaths = (call: number): Death[] => [false, true].map((isMade) => ({ call, isMade }));
    const scene = await newHistory({ partBytes: 1, entriesAtATime: 8 });
    const reference = await scene.askFor(scene.ann, 'camt.053', { as: operator });
    await scene.work();
    const expected = scene.files.content.get(`files/${idOf(reference.body)}.xml`);
    assert.ok(expected);
    let calls = 0;
    for (let isOver = false; !isOver; calls++) {
      for (const death of deaths(calls)) {
        const asked = await scene.askFor(scene.ann, 'camt.053', { as: operator, body: periodOf(reference.body) });
        const [{ transactionId } = assert.fail()] = scene.queued.splice(0);
        const process = mortal(scene, death);
        await writeStatement(process.services, transactionId).catch(() => undefined);
        isOver = !process.isDead();
        process.bury(scene);
        // The message was not deleted. A dead process may also have sent the next one.
        for (let tries = 0; tries < 3; tries++) {
          await writeStatement(scene.worker, transactionId).catch(() => undefined);
          await scene.work();
        }
        const content = scene.files.content.get(`files/${idOf(asked.body)}.xml`);
        assert.equal(timeless(content ?? ''), timeless(expected), `died at call ${String(calls)}`);
        assert.equal((await scene.look(idOf(asked.body), operator)).body?.['status'], 'ready');
      }
    }
    assert.ok(calls > 8, 'each part has calls of its own');
  });

  it('goes on in further turns, each behind the others of the queue', async () => {
    const scene = await newHistory({ partBytes: 1 });
    const asked = await scene.askFor(scene.ann);
    const expected = (await ask(scene, scene.ann, { query: { ...periodOf(asked.body), format: 'csv' } })).text;
    const slow = { ...scene.worker, table: { ...scene.table, now: () => scene.pass(20_000) } };
    let turns = 0;
    for (let message = scene.queued.shift(); message !== undefined; message = scene.queued.shift(), turns++) {
      assert.equal(await writeStatement(slow, message.transactionId), undefined);
    }
    assert.ok(turns > 2, `${String(turns)} turns`);
    assert.equal(await fileOf(scene, idOf(asked.body)), expected);
  });

  it('is made by one worker at a time: another one waits for the lease, and a late one stores nothing', async () => {
    const scene = await newHistory();
    const asked = await scene.askFor(scene.ann);
    const statementId = idOf(asked.body);
    const id = transactionIdOfStatement(statementId);
    await takeStatementFile(scene.statements, statementId, 'first');
    assert.equal(await writeStatement(scene.worker, id), scene.statements.clock.now + leaseMs);
    scene.pass(leaseMs);
    const put = scene.files.put.bind(scene.files);
    scene.files.put = async (...args) => {
      scene.files.put = put;
      scene.pass(leaseMs);
      await takeStatementFile(scene.statements, statementId, 'third');
      return scene.files.put(...args);
    };
    await assert.rejects(writeStatement(scene.worker, id), { name: 'LeaseLost' });
    assert.equal((await scene.look(statementId)).body?.['status'], 'pending');
    scene.pass(leaseMs);
    await scene.work();
    assert.ok((await fileOf(scene, statementId)).includes('closing'));
    assert.equal(await writeStatement(scene.worker, id), undefined, 'it is ready');
  });

  it('waits while the ledger lacks an entry, and is never made from a ledger that was changed', async () => {
    const scene = await newHistory();
    const asked = await scene.askFor(scene.ann);
    const [{ transactionId } = assert.fail()] = scene.queued;
    await changeItem(scene.entries, entryKey(scene.ann, 3), { hash: 'other' });
    await assert.rejects(writeStatement(scene.worker, transactionId), /is broken at version 3/);
    assert.equal((await scene.look(idOf(asked.body))).body?.['status'], 'pending');
  });
});

const periodOf = (body: Readonly<Record<string, unknown>> | undefined) => {
  const { from, to } = body as { from: string; to: string };
  return { from, to };
};

describe('asking for a file', () => {
  it('has one answer for each key', async () => {
    const scene = await newHistory();
    const key = newKey();
    const [first, again] = [
      await scene.askFor(scene.ann, 'csv', { key }),
      await scene.askFor(scene.ann, 'csv', { key }),
    ];
    assert.equal(again.headers['Idempotency-Replayed'], 'true');
    assert.deepEqual([again.body, scene.queued.length], [first.body, 1]);
    const other = await scene.askFor(scene.ann, 'json', { key });
    assert.deepEqual([other.status, other.body?.['code']], [422, 'idempotency_key_reused']);
    const bens = await scene.askFor(scene.ben, 'csv', { key, as: endUser('ben') });
    assert.notEqual(idOf(bens.body), idOf(first.body));
  });

  it('is counted, and refused beyond the limit of an hour; at the same time, too', async () => {
    const scene = await newHistory();
    const answers = await Promise.all(Array.from({ length: 8 }, () => scene.askFor(scene.ann)));
    const counted = Map.groupBy(answers, ({ status }) => status);
    assert.deepEqual([counted.get(202)?.length, counted.get(429)?.length, scene.queued.length], [3, 5, 3]);
    assert.equal((await scene.askFor(scene.ben, 'csv', { as: endUser('ben') })).status, 202);
    assert.equal((await scene.askFor(scene.ann, 'csv', { as: operator })).status, 202);
  });

  it('counts by the changes that it covers, and the largest one alone is still accepted', async () => {
    const scene = await newHistory({ changesOfOne: 10 });
    const day = { from: after(0), to: after(scene.table.clock.now - Date.parse(after(0)) - 60_000) };
    const asked = async (body?: object) => (await scene.askFor(scene.ann, 'csv', { ...(body && { body }) })).status;
    assert.ok((await scene.askFor(scene.ann, 'csv', { as: operator })).status === 202, 'no limit of operators');
    assert.deepEqual([await asked(), await asked(day)], [202, 429]);
  });

  it('refuses what is not right, and stores nothing', async () => {
    const scene = await newHistory();
    const refusals: [Parameters<FileScene['askFor']>[2], number, string][] = [
      [{ body: { from: 'yesterday' } }, 400, 'invalid_request'],
      [{ body: { from: after(0), to: after(0) } }, 400, 'invalid_request'],
      [{ body: { to: '2126-01-01T00:00:00Z' } }, 400, 'invalid_request'],
      [{ body: { format: 'pdf' } }, 400, 'invalid_request'],
      [{ body: { more: 1 } }, 400, 'invalid_request'],
      [{ key: '' }, 400, 'idempotency_key_required'],
      [{ body: { from: '2020-01-01T00:00:00Z', to: '2020-02-01T00:00:00Z' } }, 404, 'wallet_not_found'],
      [{ as: endUser('ben') }, 404, 'wallet_not_found'],
      [{ as: { ...endUser('ann'), scopes: 'charge' } }, 403, 'forbidden'],
    ];
    for (const [request, status, code] of refusals) {
      const answer = await scene.askFor(scene.ann, 'csv', request);
      assert.deepEqual([answer.status, answer.body?.['code']], [status, code], JSON.stringify(request));
    }
    assert.deepEqual(
      [scene.queued.length, scene.statements.calls.filter(({ operation }) => /Write/.test(operation)).length],
      [0, 0],
    );
  });

  it('sends few messages for a file that waits in the queue, however often its caller looks', async () => {
    const scene = await newHistory();
    const asked = await scene.askFor(scene.ann);
    for (let minutes = 0; minutes < 64; minutes += 2) {
      scene.pass(askAgainMs);
      await scene.look(idOf(asked.body));
    }
    // After 2, 6, 14, 30 and 62 minutes. Each message has turns of its own, at the cost of the others in the queue.
    assert.equal(scene.queued.length, 6);
  });

  it('is answered when the queue is down, and a look later sends the message, one in two minutes', async () => {
    const scene = await newHistory();
    scene.queue.isDown = true;
    const asked = await scene.askFor(scene.ann);
    assert.equal(asked.status, 202);
    scene.queue.isDown = false;
    const look = () => scene.look(idOf(asked.body));
    await look();
    assert.equal(scene.queued.length, 0);
    scene.pass(askAgainMs);
    await Promise.all([look(), look(), look()]);
    assert.equal(scene.queued.length, 1);
    await scene.work();
    assert.ok(await fileOf(scene, idOf(asked.body)));
    scene.pass(askAgainMs);
    await look();
    assert.equal(scene.queued.length, 0);
  });
});

describe('looking at a file', () => {
  it('is for the one who asked for it, and for operators', async () => {
    const scene = await newHistory();
    const own = idOf((await scene.askFor(scene.ann)).body);
    const key = newKey();
    const asOperator = { ...operator, principal: 'ann' };
    const operators = idOf((await scene.askFor(scene.ann, 'csv', { as: asOperator, key })).body);
    await scene.work();
    const statusesOf = async (as: typeof operator) =>
      [await scene.look(own, as), await scene.look(operators, as)].map(({ status }) => status);
    assert.deepEqual(await statusesOf(operator), [200, 200]);
    assert.deepEqual(await statusesOf(endUser('ann')), [200, 404], 'the file of an operator shows more');
    assert.deepEqual(await statusesOf(endUser('ben')), [404, 404]);
    assert.deepEqual(await statusesOf({ ...endUser('ann'), issuer: 'https://other.example' }), [404, 404]);
    const repeated = await scene.askFor(scene.ann, 'csv', { as: endUser('ann'), key });
    assert.equal(repeated.body?.['code'], 'idempotency_key_reused');
  });

  it('gives a link for five minutes, and nothing after a week', async () => {
    const scene = await newHistory();
    const { body } = await scene.askFor(scene.ann);
    await scene.work();
    const { file } = (await scene.look(idOf(body))).body as { file: { url: string; expiresAt: string } };
    assert.ok(file.url.endsWith('?seconds=300'));
    assert.equal(Date.parse(file.expiresAt), scene.statements.clock.now + 300_000);
    scene.pass(7 * 86_400_000);
    const late = await scene.look(idOf(body));
    assert.deepEqual([late.status, late.body?.['code']], [404, 'statement_not_found']);
    assert.equal((await scene.look('st_nothing')).status, 404);
  });
});
