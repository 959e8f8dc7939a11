/**
 * `node bench/import.ts [--lines N] [--wallets N]`: makes a file with so many past transactions, and measures time and memory of
 * `npm run import` for it, engine included.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions } from '../bin/options.ts';
import { nodeArguments } from './script.ts';
import { startService } from './service.ts';

const usage = `node bench/import.ts [options]

  --lines N    past transactions in the file (1000000)
  --wallets N  wallets that they belong to (10000)
  --dry-run    measures reading and checking alone`;

const options = readOptions(usage, {
  lines: { type: 'string', default: '1000000' },
  wallets: { type: 'string', default: '10000' },
  'dry-run': { type: 'boolean', default: false },
});
const [lines, wallets] = [Number(options.lines), Number(options.wallets)];
const start = Date.parse('2024-01-01T00:00:00Z');

/** Returns an id as other systems have it: the ids of a file are in no order. */
const idOf = (n: number) => createHash('md5').update(String(n)).digest('hex');

/** Returns the transaction `n`: a charge, a transfer or a withdrawal, of each a third. */
function lineOf(n: number): object {
  const date = new Date(start + 60_000 * n).toISOString();
  const facts = { id: idOf(n), wallet: `w-${n % wallets}`, date, description: 'a past payment' };
  if (n % 3 === 0) return { ...facts, kind: 'charge', amount: 500 };
  if (n % 3 === 1) return { ...facts, kind: 'withdrawal', amount: 1 };
  return { ...facts, kind: 'transfer', toWallet: `w-${(n + 1) % wallets}`, amount: 1 };
}

const folder = mkdtempSync(join(tmpdir(), 'wallet-bench-'));
const file = join(folder, 'past.jsonl');
const service = await startService();
try {
  const out = createWriteStream(file);
  const put = async (record: object) => {
    if (!out.write(`${JSON.stringify(record)}\n`)) await once(out, 'drain');
  };
  const date = new Date(start).toISOString();
  for (let n = 0; n < wallets; n++) {
    await put({ kind: 'wallet', id: `w-${n}`, ownerId: `owner-${n}`, currency: 'EUR', date });
    await put({ kind: 'opening', wallet: `w-${n}`, amount: 1_000_000, date });
  }
  for (let n = 0; n < lines; n++) await put(lineOf(n));
  out.end();
  await once(out, 'finish');
  const args = ['--table', service.table.name, '--endpoint', service.endpoint, file];
  const more = options['dry-run'] ? ['--dry-run'] : [];
  const child = spawn(process.execPath, [...nodeArguments('import'), ...args, ...more], { stdio: 'inherit' });
  await once(child, 'exit');
} finally {
  await service.stop();
  rmSync(folder, { recursive: true });
}
