import { statSync } from 'node:fs';

/** Files that take longest, although they are small. Some wait for minutes of the service, others compute meanwhile. */
const long = [
  'simulation/exhaustive.test.ts',
  'service/schedules.test.ts',
  'simulation/random.test.ts',
  'service/drill.test.ts',
  'service/kills.test.ts',
  'simulation/model.test.ts',
  'simulation/upgrade.test.ts',
  'simulation/restores.test.ts',
  'service/ops.test.ts',
];

/** The order of the test files: the longest first, so that no long one is left for the end. The others by size. */
export default class LongFirst {
  sort(tests) {
    const weightOf = ({ path }) => {
      const rank = long.findIndex((name) => path.endsWith(name));
      return rank < 0 ? statSync(path).size : Number.MAX_SAFE_INTEGER - rank;
    };
    return tests
      .map((test) => ({ test, weight: weightOf(test) }))
      .sort((a, b) => (a.weight === b.weight ? 0 : b.weight - a.weight))
      .map(({ test }) => test);
  }

  shard(tests) {
    return tests;
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}
