const ignored = ['<rootDir>/cdk.out/', '<rootDir>/dist/', '<rootDir>/.wallet/'];

/**
 * A tier of tests; `--selectProjects` picks it by its name.
 *
 * @param setUp the file that prepares a run with this tier
 */
const tier = (name, setUp = 'test/set-up.ts') => ({
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: '<rootDir>/test/realm.js',
  // Node runs the service's files as they are, as ES modules without types. So do the tests.
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/strip-types.js' },
  moduleNameMapper: { '^#bundles$': '<rootDir>/test/prebuilt-bundles.ts' },
  globalSetup: `<rootDir>/${setUp}`,
  globalTeardown: '<rootDir>/test/tear-down.ts',
  restoreMocks: true,
  modulePathIgnorePatterns: ignored,
  watchPathIgnorePatterns: ignored,
});

export default {
  testSequencer: '<rootDir>/test/long-first.js',
  projects: [
    ...['domain', 'client', 'store'].map((name) => tier(name)),
    tier('stack', 'test/stack/set-up.ts'),
    tier('service', 'test/service/set-up.ts'),
    tier('simulation'),
  ],
  // One more than the cores of continuous integration: tests of the running service wait for most of their time.
  maxWorkers: 3,
  // No test is timed by the runner: a busy machine is slow, and what must end says so itself.
  testTimeout: 600_000,
  // Modules of finished files stay in memory; a worker above this size is replaced.
  workerIdleMemoryLimit: '1GB',
  // One line for each file while it runs, and all failures again at the end.
  reporters: ['default', ['summary', { summaryThreshold: 0 }]],
  coverageProvider: 'v8',
  collectCoverageFrom: ['lambdas/{domain,store}/**/*.ts'],
  // Files of a report would be linted and formatted.
  coverageReporters: ['text'],
  // Just below what the tests of these two tiers cover. Only `npm run coverage` measures it.
  coverageThreshold: {
    './lambdas/domain/': { lines: 99.5, functions: 98, branches: 98 },
    './lambdas/store/': { lines: 99.5, functions: 98.5, branches: 94 },
  },
};
