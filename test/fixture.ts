/** What the tests of a file open together, and what one test leaves to be closed. */
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { startTestEngine } from './engine.ts';
import type { TestEngine, TestTable } from './engine.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (let cleanUp = cleanups.pop(); cleanUp !== undefined; cleanUp = cleanups.pop()) await cleanUp();
});

/** Calls `cleanUp` after the test that runs now; the last one registered comes first. */
export function afterTest(cleanUp: () => unknown): void {
  cleanups.push(cleanUp);
}

/** Starts an engine before the tests of the file or suite, and stops it after them. It is used in tests and hooks. */
export function useEngine(): TestEngine {
  let engine: TestEngine | undefined;
  beforeAll(async () => {
    engine = await startTestEngine();
  });
  afterAll(() => engine?.stop());
  const started = (): TestEngine => {
    if (engine === undefined) throw new Error('the engine starts before the first test, and not sooner');
    return engine;
  };
  return {
    get endpoint() {
      return started().endpoint;
    },
    newTable: () => started().newTable(),
    openTable: (name) => started().openTable(name),
    stop: () => started().stop(),
  };
}

/** Creates one table for the tests of the file or suite, on an engine of its own unless it is given one. */
export function useTable(engine: TestEngine = useEngine()): TestTable {
  let table: TestTable | undefined;
  beforeAll(async () => {
    table = await engine.newTable();
  });
  const created = (): TestTable => {
    if (table === undefined) throw new Error('the table is created before the first test, and not sooner');
    return table;
  };
  return {
    get client() {
      return created().client;
    },
    get name() {
      return created().name;
    },
    get retry() {
      return created().retry;
    },
    get limitHints() {
      return created().limitHints;
    },
    get clock() {
      return created().clock;
    },
    get calls() {
      return created().calls;
    },
    get fault() {
      return created().fault;
    },
    set fault(fault) {
      created().fault = fault;
    },
    now: () => created().now(),
    random: () => created().random(),
    sleep: (ms) => created().sleep(ms),
  };
}

/** Prints figures that a test has measured. */
export function report(text: string): void {
  process.stdout.write(`${text}\n`);
}
