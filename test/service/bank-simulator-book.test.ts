import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, it } from '@jest/globals';
import { eventually } from './eventually.ts';
import { afterTest } from '../fixture.ts';
import { accepted, clientOf, notAccepted, payment, secret, send, start } from './simulated-bank.ts';

describe('book on disk', () => {
  const directories: string[] = [];
  afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))));
  async function newFile(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'bank-'));
    directories.push(directory);
    return join(directory, 'bank', 'book.jsonl');
  }

  it('survives a restart, with its record of each reference', async () => {
    const dataFile = await newFile();
    const first = await start({ dataFile });
    await clientOf(first).submit(payment('SIM-OK'));
    await clientOf(first).submit(payment('SIM-REJECT', 'tx_2'));
    await clientOf(first).submit(payment('SIM-FLAKY', 'tx_3'));
    await first.stop();
    const second = await start({ dataFile });
    assert.deepEqual(second.book(), first.book());
    assert.deepEqual(await clientOf(second).submit(payment('SIM-OK')), accepted);
    assert.equal((await clientOf(second).submit(payment('SIM-REJECT', 'tx_2'))).outcome, 'rejected');
    assert.deepEqual(await clientOf(second).submit(payment('SIM-FLAKY', 'tx_3')), notAccepted);
    assert.deepEqual(await clientOf(second).submit(payment('SIM-FLAKY', 'tx_3')), accepted);
    assert.deepEqual(
      second.book().map(({ timesPaid }) => timesPaid),
      [1, 0, 1],
    );
  });

  it('drops a truncated line, and only that line', async () => {
    const dataFile = await newFile();
    const first = await start({ dataFile });
    await clientOf(first).submit(payment('SIM-OK'));
    await first.stop();
    await appendFile(dataFile, '{"type":"paid","refer');
    const second = await start({ dataFile });
    assert.equal(second.book()[0]?.timesPaid, 1);
    await clientOf(second).submit(payment('SIM-OK', 'tx_2'));
    await second.stop();
    assert.equal((await start({ dataFile })).book().length, 2);
  });

  it('keeps a payment whose answer was lost with the process', async () => {
    const dataFile = await newFile();
    const simulator = new URL('../../local/bank/bank-simulator.ts', import.meta.url).href;
    const options = { latencyMs: 1000, failureRate: 0, dataFile };
    const child = spawn(process.execPath, [
      '--input-type=module',
      '--eval',
      `const { startBankSimulator } = await import(${JSON.stringify(simulator)});
       const keys = () => [${JSON.stringify(secret)}];
       console.log((await startBankSimulator({ ...${JSON.stringify(options)}, keys })).url);`,
    ]);
    const exited = once(child, 'exit');
    afterTest(() => child.kill('SIGKILL'));
    const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
    const client = clientOf({ url }, 5000);
    // Half of the latency follows the payment. Kill in that half.
    const submitted = client.submit(payment('SIM-OK'));
    await eventually(async () => JSON.stringify((await send(url, 'GET', '/book', undefined)).body).includes('paidAt'));
    child.kill('SIGKILL');
    await exited;
    assert.equal((await submitted).outcome, 'unknown');
    const restarted = await start({ dataFile });
    assert.deepEqual(await clientOf(restarted).find(payment('SIM-OK')), accepted);
    assert.deepEqual(await clientOf(restarted).submit(payment('SIM-OK')), accepted);
    assert.equal(restarted.book()[0]?.timesPaid, 1);
  });
});
