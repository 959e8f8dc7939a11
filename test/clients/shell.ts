/** The story with the command `wallet`, each call in a process of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { castOf } from './story.ts';
import type { Facts, Stage } from './story.ts';

/** What a call of the command printed, and its exit code. */
export interface Called {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const script = join(import.meta.dirname, '..', '..', 'client', 'src', 'cli', 'main.ts');

/** Calls `wallet`. It inherits no settings but those that are given. */
export async function callWallet(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<Called> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [script, ...args], { env: { PATH, ...env } });
  child.stdin.end(input);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { exitCode, stdout, stderr };
}

export async function tellInShell(stage: Stage): Promise<Facts> {
  const cast = await castOf(stage);
  const as =
    (token: string) =>
    async (...args: string[]): Promise<Record<string, unknown>> => {
      const env = { WALLET_URL: stage.url, WALLET_TOKEN: token };
      const { exitCode, stdout, stderr } = await callWallet([...args, '--json'], env);
      if (exitCode !== 0) return JSON.parse(stderr) as Record<string, unknown>;
      return JSON.parse(stdout) as Record<string, unknown>;
    };
  const [ada, ben, operator] = [as(cast.ada), as(cast.ben), as(cast.operator)];
  const walletId = String((await ada('open', 'USD'))['walletId']);
  const walletOfBen = String((await ben('open', 'USD'))['walletId']);

  const charge = ['charge', walletId, '10000', '--key', `invoice-${crypto.randomUUID()}`];
  const charged = await operator(...charge);
  const repeated = await operator(...charge);
  const paid = await ada('transfer', walletId, '3000', '--to', walletOfBen);
  const withdrawn = await ada('withdraw', walletId, '2000', '--to', 'SIM-FLAKY', '--wait', '60');
  const transfer = String(paid['transactionId']);
  await ben('refund', transfer, '1000', '--reason', 'a part was missing');

  const refused = await ben('withdraw', walletOfBen, '1000000', '--to', 'SIM-FLAKY');
  const history = (await ada('history', walletId)) as unknown as { readonly type: string }[];
  const left = [await ada('balance', walletId, '--consistent'), await ben('balance', walletOfBen, '--consistent')];
  assert.ok(refused['error'], 'a refusal is printed as an error');
  return {
    ...{ ada: Number(left[0]?.['available']), ben: Number(left[1]?.['available']) },
    sameCharge: charged['transactionId'] === repeated['transactionId'],
    withdrawal: String(withdrawn['status']),
    code: (refused['error'] as { readonly code: string }).code,
    history: history.map(({ type }) => type),
  };
}
