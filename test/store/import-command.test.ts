/** `npm run import` from a shell: its exit codes, what it prints, and the examples of docs/import.md. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, it } from '@jest/globals';
import type { TestTable } from '../engine.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { walletIdFor } from './import-scenes.ts';
import { assertWritesNothing } from './inspect.ts';
import { balanceOf } from './wallets.ts';

const engine = useEngine();
let table: TestTable;

beforeAll(async () => {
  table = await engine.newTable();
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wallet-test-'));
  afterTest(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

async function run(...args: readonly string[]) {
  const place = ['--endpoint', engine.endpoint, '--table', table.name];
  const child = spawn(process.execPath, ['bin/import.ts', ...place, ...args]);
  const exit = once(child, 'exit') as Promise<[number]>;
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, error, code };
}

/** Returns the text between fences of a language in the documentation. */
function documented(language: string): string {
  const [, block = ''] =
    new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(readFileSync('docs/import.md', 'utf8')) ?? [];
  return block;
}

describe('npm run import', () => {
  it('checks and then imports the example of the documentation, and prints its sums', async () => {
    const folder = newFolder();
    const [file, ids] = [join(folder, 'all.jsonl'), join(folder, 'ids.csv')];
    writeFileSync(file, documented('json'));
    await assertWritesNothing(table, [0, true], async () => {
      const { out, code } = await run(file, '--dry-run');
      return [code, out.includes('All lines can be imported. Nothing was written.')];
    });
    const { out, error, code } = await run(folder, '--ids', ids);
    assert.deepEqual([code, error], [0, '']);
    assert.match(out, /^USD charge: 1 of 5000, 1 of 5000 of them new; in the table 1 of 5000$/m);
    assert.match(out, /^2 wallets: 2 new, 2 made active\.$/m);
    assert.equal((await balanceOf(table, walletIdFor('acc-1', 'USD'))).total, 12_000);
    const expected = ['acc-1', 'acc-2'].map((id) => `"${id}",${walletIdFor(id, 'USD')}\n`);
    assert.equal(readFileSync(ids, 'utf8'), `id,walletId\n${expected.join('')}`);
    const again = await run(file);
    assert.match(again.out, /^2 wallets: 0 new, 0 made active\.$/m);
  });

  it('imports what the query of the documentation makes of a database of Blnk', async () => {
    const file = join(newFolder(), 'blnk.csv');
    // As psql writes it, with ids and times as Blnk makes them.
    const lines = [
      'kind,id,wallet,toWallet,ownerId,currency,amount,date,externalReference,description',
      'wallet,bln_0be360ca-86fe-457d-be43-daa3f966d8f0,,,idt_3b63c8da-af29-4cd5-ad17-df3b1ff2d2c5,USD,,2024-11-26T08:40:56.094231Z,,',
      'wallet,bln_28edb3e5-c168-4127-a1c4-16274e7a28d3,,,bln_28edb3e5-c168-4127-a1c4-16274e7a28d3,USD,,2024-11-26T08:41:01.5Z,,',
      'charge,txn_6164573b-6cc8-45a4-ad2e-7b4ba6a60f7d,bln_0be360ca-86fe-457d-be43-daa3f966d8f0,,,USD,750.5,2024-11-26T08:42:00.000001Z,ref_001adcfgf,"Card payment, by ""A"""',
      'transfer,txn_25e9cb8f-2e0d-4c6c-9f6f-1a5c1e8c4a01,bln_0be360ca-86fe-457d-be43-daa3f966d8f0,bln_28edb3e5-c168-4127-a1c4-16274e7a28d3,,USD,250,2024-11-26T08:42:00.000002Z,ref_002,',
      'withdrawal,txn_c4a6d3f1-9f5b-4a0e-8a7e-0e6f1b2c3d4e,bln_28edb3e5-c168-4127-a1c4-16274e7a28d3,,,USD,100.01,2024-11-27T00:00:00Z,ref_003,Payout',
    ];
    assert.equal(/AS kind.*AS description/s.exec(documented('sql'))?.length, 1);
    writeFileSync(file, `${lines.join('\n')}\n`);
    const { out, code } = await run(file, '--amounts', 'major');
    assert.equal(code, 0, out);
    const balance = (id: string) => balanceOf(table, walletIdFor(id, 'USD'));
    assert.equal((await balance('bln_0be360ca-86fe-457d-be43-daa3f966d8f0')).total, 50_050);
    assert.equal((await balance('bln_28edb3e5-c168-4127-a1c4-16274e7a28d3')).total, 14_999);
  });

  it('exits with 2 for an empty folder, a mapping of no file, and ids into its own input', async () => {
    const folder = newFolder();
    const [file, mapping] = [join(folder, 'all.jsonl'), join(newFolder(), 'mapping.json')];
    writeFileSync(file, documented('json'));
    writeFileSync(mapping, '{"All.jsonl":{"columns":{},"amounts":"major"}}');
    const outcomes = await Promise.all([run(newFolder()), run(file, '--mapping', mapping), run(file, '--ids', file)]);
    for (const [index, pattern] of [/no file in it ends/, /--mapping names All\.jsonl/, /would overwrite/].entries()) {
      const { code, error } = outcomes[index]!;
      assert.equal(code, 2);
      assert.match(error, pattern);
    }
    assert.equal(readFileSync(file, 'utf8'), documented('json'));
  });

  it('prints no control characters of a file', async () => {
    const file = join(newFolder(), 'bad.jsonl');
    writeFileSync(file, '{"kind":"\\u001b[2J\\n0 lines"}\n{"kind":"wallet","\\u001b[2J":1}\n\u001b[2J\n');
    const { out, code } = await run(file);
    assert.equal(code, 1);
    assert.doesNotMatch(out, /(?!\n)\p{Cc}|^0 lines/mu);
    assert.match(out, /"\?\[2J\?0 lines"/);
  });

  it('exits with 1 for refused lines, and with 2 for what cannot be read', async () => {
    const folder = newFolder();
    const [bad, mapping] = [join(folder, 'bad.jsonl'), join(folder, 'mapping.json')];
    writeFileSync(bad, '{"kind":"wallet"}\n');
    writeFileSync(mapping, '{"a.csv":{"columns":{"balance":"x"}}}');
    const outcomes = await Promise.all([
      run(bad),
      run(join(folder, 'none.csv')),
      run(bad, '--table', 'none'),
      run(bad, '--mapping', mapping),
      run(bad, '--from', 'formance', '--accounts', '('),
    ]);
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [1, 2, 2, 2, 2],
    );
    const [{ out }, ...others] = outcomes;
    assert.match(out, /^REFUSED missing_member .*bad\.jsonl:1: it has no id$/m);
    assert.match(out, /^1 lines are refused\. Nothing was written\.$/m);
    const [first = '', second = '', third = '', fourth = ''] = others.map(({ error }) => error.split('\n')[0] ?? '');
    assert.match(first, /^cannot read .*none\.csv: ENOENT/);
    assert.match(second, /^cannot read --table none: ResourceNotFoundException/);
    assert.match(third, /^--mapping .*: it is not valid/);
    assert.match(fourth, /^--accounts \(: Invalid regular expression/);
  });
});
