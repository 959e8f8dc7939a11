/** A thread of `npm run exhaustive`: examines each operation whose name it is sent, with every fault, on its own engine. */
import { parentPort } from 'node:worker_threads';
import { openEngines } from './engines.ts';
import { examine } from './exhaustive.ts';
import type { Examination } from './exhaustive.ts';
import { operations } from './operations.ts';

export interface Examined {
  readonly name: string;
  /** Number of external calls that were struck. */
  readonly calls: number;
  /** Number of histories that were run. */
  readonly runs: number;
  readonly failures: Examination['failures'];
}

if (parentPort === null) throw new Error('this module runs as a thread');
const port = parentPort;
const engines = openEngines();

/** One message at a time: the next comes after the answer. The last one is null. */
port.on('message', (name: string | null) => {
  void answer(name);
});

async function answer(name: string | null): Promise<void> {
  if (name !== null) {
    port.postMessage(await examined(name));
    return;
  }
  await engines.close();
  port.close();
}

async function examined(name: string): Promise<Examined> {
  const operation = operations.find((one) => one.name === name);
  if (operation === undefined) throw new Error(`no operation is called "${name}"`);
  const { calls, runs, failures } = await examine(engines, operation, () => true);
  return { name, calls: calls.length, runs, failures };
}
