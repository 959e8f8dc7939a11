import { statSync } from 'node:fs';

/** Files that take longest, although they are small. */
const long = ['simulation/exhaustive.test.ts', 'simulation/random.test.ts', 'service/kills.test.ts'];

/** The order of the test files: the longest first, so that no long one is left for the end. The others by size. */
export default class LongFirst {
  sort(tests) {
    const weightOf = ({ path }) => (long.some((name) => path.endsWith(name)) ? Infinity : statSync(path).size);
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
