/** The client as another project uses it: packed, unpacked below its node_modules, compiled against and run. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, it } from '@jest/globals';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'wallet-client-test-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const modules = join(folder, 'node_modules');
const installed = join(modules, 'wallet-service-client');
mkdirSync(installed, { recursive: true });
const packed = await run(process.execPath, [join(root, 'bin', 'package-client.ts'), '--out', folder]);
await run('tar', ['-xzf', packed.stdout.trim(), '-C', installed, '--strip-components', '1']);
for (const name of ['openapi-fetch', 'openapi-typescript-helpers']) {
  symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
}
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');

describe('the packed client', () => {
  it('is compiled against by the first minute of its README, as for a browser', async () => {
    const [, example = ''] = /```ts\n([^]*?)```/.exec(readFileSync(join(installed, 'README.md'), 'utf8')) ?? [];
    writeFileSync(join(folder, 'minute.ts'), example);
    const compiler = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js');
    const compilerOptions = {
      ...{ noEmit: true, strict: true, module: 'esnext', moduleResolution: 'bundler', target: 'es2022', types: [] },
      lib: ['es2022', 'dom', 'dom.iterable'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['minute.ts'] }));
    const compiled = run(process.execPath, [compiler, '--project', folder]);
    await compiled.catch((error: unknown) => assert.fail((error as { readonly stdout: string }).stdout));
  });

  it('imports nothing of Node, and runs', async () => {
    const script = `import('wallet-service-client').then((m) => console.log(Object.keys(m).sort().join()))`;
    const { stdout } = await run(process.execPath, ['-e', script], { cwd: folder });
    assert.match(stdout, /ApprovalPendingError,.*clientCredentials,createWalletClient/);
    const code = readFileSync(join(installed, 'dist', 'retries.js'), 'utf8');
    assert.doesNotMatch(code, /from 'node:/);
  });

  it('has the command, with the dependencies that its manifest names', async () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      bin: { wallet: string };
      dependencies: object;
      private?: boolean;
    };
    assert.deepEqual([Object.keys(manifest.dependencies), manifest.private], [['openapi-fetch'], undefined]);
    const { stdout } = await run(process.execPath, [join(installed, manifest.bin.wallet), '--help'], { cwd: folder });
    assert.match(stdout, /^wallet COMMAND/);
  });
});
