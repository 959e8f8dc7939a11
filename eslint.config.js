import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Forbids imports whose path matches the regular expression. */
const forbid = (regex, message) => ({ 'no-restricted-imports': ['error', { patterns: [{ regex, message }] }] });

/** The folders of lambdas/ above domain/, and those that each may import. */
const layers = {
  aws: ['domain'],
  store: ['domain', 'aws'],
  views: ['domain'],
  bank: ['domain', 'aws'],
  webhooks: ['domain'],
  events: ['domain', 'aws', 'store', 'views'],
  http: ['domain', 'aws', 'store', 'views'],
  integrity: ['domain', 'aws', 'store', 'bank'],
  'bank-files': ['domain', 'aws', 'store'],
  api: ['domain', 'aws', 'store', 'views', 'bank', 'webhooks', 'http', 'integrity', '../docs'],
  workers: ['domain', 'aws', 'store', 'views', 'bank', 'webhooks', 'events', 'integrity', 'bank-files'],
};
const localBase = ['cloudformation', 'http', 'process', 'storage'];
/** The folders of local/, and what each may import from outside itself: a service knows no stack, and no bank. */
const localLayers = {
  process: [],
  http: [],
  storage: ['process', '../lib/scratch.ts'],
  cloudformation: ['process', '../lib/scratch.ts'],
  machine: localBase,
  dynamodb: [...localBase, 'machine', '../lib/scratch.ts'],
  'secrets-manager': [...localBase, 'machine'],
  cognito: [...localBase, 'machine'],
  sqs: [...localBase, 'machine'],
  lambda: [...localBase, 'machine', 'sqs'],
  'api-gateway': [...localBase, 'machine', 'lambda'],
  s3: [...localBase, 'machine'],
  firehose: [...localBase, 'machine', 's3'],
  eventbridge: [...localBase, 'machine', 'firehose', 'lambda', 'sqs'],
  sns: [...localBase, 'machine', 'eventbridge', 'lambda', 'sqs'],
  'event-sources': [...localBase, 'machine', 'dynamodb', 'eventbridge', 'lambda', 'sqs'],
};
localLayers.runner = Object.keys(localLayers);
localLayers.bank = [...localBase, 'machine', 'runner', '../lambdas/bank'];
/** Only store/ and aws/ know the database. */
const databaseFor = (folder) => (['store', 'aws'].includes(folder) ? [] : ['^@aws-sdk/client-dynamodb']);

export default defineConfig(
  globalIgnores(['node_modules/', 'cdk.out/', 'dist/', '.wallet/', 'client/src/openapi.generated.ts']),
  {
    files: ['**/*.{js,mjs}'],
    extends: [js.configs.recommended],
    languageOptions: { globals: { console: 'readonly', process: 'readonly' } },
  },
  {
    // It runs in k6.
    files: ['bench/k6.js'],
    languageOptions: { globals: { __ENV: 'readonly', __ITER: 'readonly', __VU: 'readonly' } },
  },
  {
    // It runs in a browser.
    files: ['test/service/labels.js'],
    languageOptions: { globals: { document: 'readonly' } },
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      // Types are imported by statements of their own.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      'no-duplicate-imports': ['error', { allowSeparateTypeImports: true }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportSpecifier[importKind="type"]', message: 'import types by `import type`' },
      ],
      // A statement on a line of its own has braces.
      curly: ['error', 'multi-line', 'consistent'],
      // Taking a field off with a rest sibling is how a copy without it is made.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Numbers and booleans in messages read as they are.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    },
  },

  {
    // A function fits on a screen.
    files: ['bench/**', 'bin/**', 'client/**', 'console/**', 'lambdas/**', 'lib/**', 'local/**'],
    rules: { 'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }] },
  },

  // The layers, as the arrows of imports.
  {
    files: ['lambdas/domain/**'],
    rules: forbid(String.raw`^(?!\./[^/]+$|node:crypto$)`, 'domain is pure: it imports nothing from outside itself'),
  },
  ...Object.entries(layers).map(([folder, below]) => ({
    files: [`lambdas/${folder}/**`],
    rules: forbid(
      [
        String.raw`^\..*/(local|lib)/`,
        String.raw`^\.\./(?!contract\.ts$|(${below.join('|')})/)`,
        ...databaseFor(folder),
      ].join('|'),
      `${folder}/ imports from: contract.ts, ${below.join(', ')}`,
    ),
  })),
  {
    files: ['lib/**'],
    rules: forbid(
      String.raw`^\..*/local/|/lambdas/(?!contract\.ts$)`,
      'lib shares only lambdas/contract.ts with the code, and nothing with the runner',
    ),
  },
  {
    files: ['bench/**', 'bin/**'],
    rules: forbid(String.raw`^\..*/test/`, 'nothing outside test/ imports it'),
  },
  {
    // Browsers and Deno run it, too.
    files: ['client/src/*.ts'],
    rules: forbid(String.raw`^(?!\./[^/]+$|openapi-fetch$)`, 'the client imports openapi-fetch alone; cli/ has Node'),
  },
  {
    files: ['console/**'],
    rules: {
      ...forbid(
        String.raw`^(?!\.\.?/(views/)?[^/]+$|(\.\./)+client/src/index\.ts$|(\.\./)+lambdas/contract\.ts$|preact(/hooks)?$|uplot$)`,
        'the console uses the client, the settings of its function, preact and uplot, and nothing else',
      ),
      // A handler is an arrow with one call.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  { files: ['local/**'], rules: forbid(String.raw`^\.\./`, 'localLayers names what this folder imports') },
  ...Object.entries(localLayers).map(([folder, below]) => ({
    files: [`local/${folder}/**`],
    rules: forbid(
      String.raw`^\.\./(?!(${below.map((each) => each.replaceAll('.', String.raw`\.`)).join('|')})(/|$))`,
      `local/${folder}/ imports from: ${below.join(', ') || 'no other folder'}`,
    ),
  })),
  {
    files: ['test/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
);
