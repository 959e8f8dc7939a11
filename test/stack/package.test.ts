/** The package, as another CDK app uses it: packed, unpacked below another folder's node_modules, and imported. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { promisify } from 'node:util';
import { environments } from '../../lambdas/contract.ts';
import { bundleFile, codeFile } from '../../lib/bundle-files.ts';
import type { Resource } from './synthesized.ts';

const run = promisify(execFile);
const root = dirname(dirname(import.meta.dirname));
const folder = mkdtempSync(join(tmpdir(), 'wallet-package-test-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const packed = await run(process.execPath, [join(root, 'bin', 'package.ts'), '--out', folder]);
const tarball = packed.stdout.trim();

/** The app of the package's README. */
const app = /```ts\n([^]*?)```/.exec(readFileSync(join(root, 'lib', 'README.md'), 'utf8'))?.[1] ?? '';
const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: object };

/** Makes a folder with its own node_modules, which has the CDK and these packages. */
function newProject(name: string, source: string): string {
  const project = join(folder, name);
  mkdirSync(join(project, 'node_modules', '@types'), { recursive: true });
  for (const each of ['aws-cdk-lib', 'constructs', '@types/node']) {
    symlinkSync(join(root, 'node_modules', each), join(project, 'node_modules', each), 'junction');
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(project, 'app.ts'), source);
  return project;
}

interface Synthesized {
  readonly template: { readonly Resources: Readonly<Record<string, Resource>> };
  readonly outdir: string;
}

async function synthesize(project: string, file = 'app.ts'): Promise<Synthesized> {
  const outdir = join(project, 'cdk.out');
  const env = { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) };
  await run(process.execPath, [file], { cwd: project, env });
  const template = readFileSync(join(outdir, 'Payments.template.json'), 'utf8');
  return { template: JSON.parse(template) as Synthesized['template'], outdir };
}

const project = newProject('app', app);
const installed = join(project, 'node_modules', 'wallet-service');
mkdirSync(installed);
await run('tar', ['-xzf', tarball, '--strip-components', '1', '-C', installed]);
const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;

describe('the package', () => {
  it('has the code, types, bundles, documents and licenses that it needs, and nothing else', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.trim().split('\n');
    const folders = new Set(files.map((file) => file.split('/').slice(1, -1)[0] ?? file.slice('package/'.length)));
    assert.deepEqual([...folders].sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bundles',
      'docs',
      'lambdas',
      'lib',
      'package.json',
    ]);
    const compiled = files.filter((file) => /^package\/(lib|lambdas)\//.test(file));
    assert.deepEqual(
      compiled.filter((file) => !/(\.d\.ts|\.js|\.js\.map)$/.test(file)),
      [],
    );
    assert.ok(!compiled.some((file) => file.endsWith('/bundle.js')), 'esbuild is not needed');
    const bundled = ['@smithy/core', '@aws-sdk/client-dynamodb', 'aws-jwt-verify', 'cockatiel', 'zod'];
    const licenses = readFileSync(join(installed, 'bundles', 'LICENSES.txt'), 'utf8');
    for (const name of bundled) assert.match(licenses, new RegExp(`^${name} \\d.* \\((MIT|Apache-2.0)\\)$`, 'm'));
    assert.match(licenses, /Permission is hereby granted/);
  });

  it('has no link to a file that it lacks', () => {
    const documents = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.md'),
    );
    assert.ok(documents.length > 10);
    const dangling = documents.flatMap((document) => {
      const text = readFileSync(join(installed, document), 'utf8');
      const targets = Array.from(text.matchAll(/\]\(([^)\s#]+)/g), ([, target = '']) => target);
      return targets
        .filter(
          (target) => !/^(https?|mailto):/.test(target) && !existsSync(join(installed, dirname(document), target)),
        )
        .map((target) => `${document}: ${target}`);
    });
    assert.equal(dangling.join('\n'), '');
    assert.match(
      readFileSync(join(installed, 'docs', 'deploy.md'), 'utf8'),
      /The authorizer \(`lambdas\/http\/tokens\.ts` in the repository\)/,
    );
  });

  it('depends on the CDK alone, in ranges that have the tested releases', () => {
    const { dependencies, devDependencies, optionalDependencies, scripts, peerDependencies } = manifest;
    assert.deepEqual([dependencies, devDependencies, optionalDependencies, scripts], Array(4).fill(undefined));
    assert.deepEqual(Object.keys(peerDependencies as object), ['aws-cdk-lib', 'constructs']);
    for (const [name, range] of Object.entries(peerDependencies as Record<string, string>)) {
      const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
        version: string;
      };
      const [[major, minor = 0], [least, leastMinor = 0]] = [version, range.slice(1)].map((text) =>
        text.split('.').map(Number),
      ) as [number[], number[]];
      assert.ok(range.startsWith('^') && major === least && minor >= leastMinor, `${name} ${version} is in ${range}`);
    }
  });

  it('has types by which the app of its README compiles, and a wrong prop does not', async () => {
    const wrong = app.replace('operatorLimits: {', 'dueShards: "many", operatorLimits: {');
    writeFileSync(join(project, 'wrong.ts'), wrong);
    const compilerOptions = {
      ...{ strict: true, noEmit: true, target: 'es2024', module: 'nodenext', types: ['node'] },
      skipLibCheck: true,
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const compiler = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js');
    const compiled = run(process.execPath, [compiler, '--project', project], { cwd: project });
    await assert.rejects(compiled, ({ stdout }: { stdout: string }) => {
      assert.match(stdout, /^wrong\.ts\(\d+,\d+\): error TS2322: Type 'string' is not assignable to type 'number'\.$/m);
      assert.equal(stdout.match(/error TS/g)?.length, 1, stdout);
      return true;
    });
  });

  it('exports the type of each prop', () => {
    const files = ['wallet-service-props', 'feature-props', 'load-props', 'operation-props'];
    const sources = files.map((name) => readFileSync(join(root, 'lib', `${name}.ts`), 'utf8'));
    const exported = readFileSync(join(root, 'lib', 'exports.ts'), 'utf8');
    const used = sources.flatMap((source) => {
      const props = /interface \w+Props [^\n]*\{\n([^]*?)\n\}/.exec(source)?.[1] ?? '';
      const own = [...source.matchAll(/^import type \{([^}]*)\} from '\.\.?\//gm)].flatMap(([, names = '']) =>
        names.split(',').map((name) => name.trim()),
      );
      return own.filter((name) => new RegExp(`^ {2}readonly .*\\b${name}\\b`, 'm').test(props));
    });
    assert.ok(used.length > 10, `only ${used.length} types`);
    for (const name of used) assert.match(exported, new RegExp(`\\b${name}\\b`), `lib/exports.ts lacks ${name}`);
  });

  it('makes the stack that the repository makes, with the same bundles', async () => {
    const own = newProject('own', app.replace("'wallet-service'", `'${join(root, 'lib', 'exports.ts')}'`));
    const [packaged, expected] = await Promise.all([synthesize(project), synthesize(own)]);
    assert.deepEqual(packaged.template, expected.template);
    const functions = Object.values(packaged.template.Resources).filter(
      ({ Type, Properties }) =>
        Type === 'AWS::Lambda::Function' && String(Properties['Description']).startsWith('Wallet service: '),
    );
    assert.equal(functions.length, Object.keys(environments).length);
    for (const { Properties } of functions) {
      const { S3Key } = Properties['Code'] as { S3Key: string };
      const asset = join(packaged.outdir, `asset.${S3Key.replace('.zip', '')}`);
      for (const file of [bundleFile, codeFile]) assert.ok(existsSync(join(asset, file)), `${asset} lacks ${file}`);
    }
  });

  it('can be required by an app of CommonJS, and reads no feature flags of the repository', async () => {
    const commonJs = app.replace(/^import (\{.*\}) from ('.*');$/gm, 'const $1 = require($2);');
    writeFileSync(join(project, 'app.cjs'), commonJs);
    const outdir = join(project, 'cjs.out');
    await run(process.execPath, ['app.cjs'], { cwd: project, env: { ...process.env, CDK_OUTDIR: outdir } });
    assert.ok(existsSync(join(outdir, 'Payments.template.json')));
  });
});
