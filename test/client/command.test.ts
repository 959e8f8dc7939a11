/** The command `wallet` without a service: its arguments, its output and its exit codes. */
import { describe, expect, it } from '@jest/globals';
import { exits } from '../../client/src/cli/exits.ts';
import { run } from '../../client/src/cli/run.ts';
import { columns, historyText, money } from '../../client/src/cli/text.ts';
import { amountIn, timeIn } from '../../client/src/cli/usage.ts';
import type { Transaction } from '../../client/src/index.ts';
import { json, refusal } from './scripted.ts';

/** Runs a command line against a service that answers so. */
async function wallet(
  args: readonly string[],
  answers: Response | Error | readonly (Response | Error)[] = json(200, {}),
  signal?: AbortSignal,
) {
  const inTurn = [answers].flat();
  const lines: string[] = [];
  const notes: string[] = [];
  const requests: { readonly url: string; readonly headers: Headers; readonly body: unknown }[] = [];
  const exitCode = await run([...args, '--retry', '0'], {
    print: (line) => lines.push(line),
    note: (line) => notes.push(line),
    env: { HOME: '/nonexistent', WALLET_TOKEN: 'secret' },
    readInput: () => Promise.resolve(''),
    fetch: ((url: string, { headers, body }: RequestInit) => {
      requests.push({
        url,
        headers: new Headers(headers),
        body: body === undefined ? undefined : JSON.parse(body as string),
      });
      const answer = inTurn[Math.min(requests.length, inTurn.length) - 1]!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer.clone());
    }) as typeof fetch,
    signal: signal ?? new AbortController().signal,
  });
  return { exitCode, out: lines.join('\n'), err: notes.join('\n'), requests };
}

const transaction = {
  ...{ transactionId: 'tx_1', type: 'withdrawal', status: 'pending', amount: 1_250, currency: 'USD', walletId: 'w_1' },
  postings: [
    { account: 'wallet:w_1:available', amount: -1_250 },
    { account: 'external:USD', amount: 1_250 },
  ],
  createdAt: '2026-03-01T12:00:00.000Z',
};

/** Control characters but the end of a line, and one that turns the direction of a text. */
const obeyed = /(?!\n)[\p{Cc}\u202e]/u;

describe('amounts', () => {
  it.each([
    ['1', 1],
    ['1250', 1_250],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is taken', (text, amount) => {
    expect(amountIn(text)).toBe(amount);
  });

  it.each(['0', '-1', '+1', '01', '1e3', '0x10', ' 1', '9007199254740992', '', 'all', '1_000', 'Infinity'])(
    '%j is refused',
    (text) => {
      expect(() => amountIn(text)).toThrow('a whole number of minor units');
    },
  );

  it.each(['12.50', '12,50', '0.1', '100.0'])('%s is refused with a hint about minor units', (text) => {
    expect(() => amountIn(text)).toThrow('12.50 is 1250');
  });

  it('are shown exactly, by the decimals of the currency', () => {
    expect(money(1_250, 'USD')).toBe('12.50 USD (1250)');
    expect(money(-5, 'EUR')).toBe('-0.05 EUR (-5)');
    expect(money(1_250, 'JPY')).toBe('1250 JPY (1250)');
    expect(money(Number.MAX_SAFE_INTEGER, 'BHD')).toBe('9007199254740.991 BHD (9007199254740991)');
  });
});

it('times are given, or counted from now', () => {
  expect(timeIn('2026-03-01T12:00:00+01:00', 'at')).toBe('2026-03-01T11:00:00.000Z');
  expect(timeIn('2h', 'at', 0)).toBe('1970-01-01T02:00:00.000Z');
  expect(() => timeIn('tomorrow', 'at')).toThrow('--at takes a time');
});

describe('a command', () => {
  it('sends what its options say, with the key that is given', async () => {
    const args = ['withdraw', 'w_1', '1250', '--to', 'DE1', '--name', 'Ada', '--key', 'k', '--reference', 'r'];
    const { exitCode, out, requests } = await wallet(args, json(202, transaction));
    expect(exitCode).toBe(exits.done);
    expect(out).toContain('amount       12.50 USD (1250)');
    expect(requests[0]!.body).toEqual({
      ...{ amount: 1_250, destination: { account: 'DE1', name: 'Ada' }, externalReference: 'r' },
    });
    expect(requests[0]!.headers.get('Idempotency-Key')).toBe('k');
    expect(requests[0]!.headers.get('Authorization')).toBe('Bearer secret');
  });

  it('prints the answer as it is with --json', async () => {
    const { out } = await wallet(['tx', 'tx_1', '--json'], json(200, transaction));
    expect(JSON.parse(out)).toEqual(transaction);
  });

  it('shows no character that a terminal obeys', async () => {
    const hostile = '\u001b]0;mine\u0007\u009b2J\u202e\ntx_2  completed';
    const answer = json(200, { ...transaction, description: hostile });
    const shown = await wallet(['tx', 'tx_1'], answer);
    expect(shown.out).toContain('\ufffd]0;mine\ufffd\ufffd2J\ufffd\ufffdtx_2  completed');
    const { out } = await wallet(['tx', 'tx_1', '--json'], answer);
    for (const text of [shown.out, out]) expect(text).not.toMatch(obeyed);
    expect(JSON.parse(out)).toMatchObject({ description: hostile });
    const refused = json(404, { code: 'transaction_not_found', detail: hostile, requestId: '\u001b[2J' });
    const { err, exitCode } = await wallet(['tx', 'tx_1'], refused);
    expect(exitCode).toBe(exits.notFound);
    expect(err).not.toMatch(obeyed);
  });

  it('asks only for the fee with --dry-run', async () => {
    const price = { dryRun: true, amount: 100, fee: 5, currency: 'USD' };
    const { out, requests } = await wallet(['transfer', 'w_1', '100', '--to', 'w_2', '--dry-run'], json(200, price));
    expect(requests[0]!.body).toEqual({ amount: 100, toWalletId: 'w_2', dryRun: true });
    expect(out).toContain('no money has moved');
  });

  it('makes a statement as a file, and prints the link to it', async () => {
    const pending = json(202, { statementId: 'st_1', status: 'pending' });
    const ready = json(200, { statementId: 'st_1', status: 'ready', file: { url: 'https://files.example/st_1' } });
    const args = ['statement', 'w_1', '--from', '2026-03-01T00:00:00Z', '--key', 'k'];
    const { exitCode, out, requests } = await wallet(args, [pending, ready]);
    expect([exitCode, out]).toEqual([exits.done, 'https://files.example/st_1']);
    expect(requests[0]!.body).toEqual({ from: '2026-03-01T00:00:00.000Z', format: 'csv' });
    expect(requests[1]!.url).toContain('/statements/st_1');
    const late = await wallet([...args, '--timeout', '0'], [pending, pending]);
    expect(late.exitCode).toBe(exits.stillPending);
    expect(late.err).toContain('st_1 is not ready after 0 ms');
  });

  it('that was accepted and cannot be waited for prints its transaction', async () => {
    const args = ['withdraw', 'w_1', '1250', '--to', 'DE1', '--wait', '5'];
    const { exitCode, out, err } = await wallet(args, [json(202, transaction), new TypeError('fetch failed')]);
    expect(exitCode).toBe(exits.stillPending);
    expect(out).toContain('tx_1');
    expect(err).toContain('the wait has ended');
  });

  it('says when it was carried out before', async () => {
    const replay = json(201, transaction, { 'Idempotency-Replayed': 'true' });
    expect((await wallet(['charge', 'w_1', '1', '--key', 'k'], replay)).err).toContain('carried out before');
  });
});

describe('a command line that is wrong sends nothing', () => {
  it.each([
    [['pay', 'w_1'], 'there is no command pay'],
    [['toString'], 'there is no command toString'],
    [['charge', 'w_1'], 'write: wallet charge WALLET AMOUNT'],
    [['charge', 'w_1', '12.50'], '12.50 is 1250'],
    [['charge', 'w_1', '1', '--amount', '2'], "Unknown option '--amount'"],
    [['transfer', 'w_1', '1'], '--to is missing'],
    [['hold', 'w_1', '1', '--expires', 'soon'], '--expires takes a time'],
    [['history', 'w_1', '--limit', 'x'], '--limit takes a whole number'],
    [['balance', 'w_1', '--profile', 'shop'], 'wallet login --profile shop'],
    [['health', '--url', 'ftp://x'], '--url takes an address'],
    [['login'], '--client-id or --token-command'],
    [['completion', 'csh'], 'bash, zsh or fish'],
  ])('%j', async (args, message) => {
    const { exitCode, err, requests } = await wallet(args);
    expect(exitCode).toBe(exits.usage);
    expect(err).toContain(message);
    expect(requests).toHaveLength(0);
  });
});

describe('a failure has an exit code and a next step', () => {
  it.each([
    [refusal(422, 'insufficient_funds'), exits.refused, 'wallet balance'],
    [refusal(401, 'unauthorized'), exits.notAllowed, 'wallet login'],
    [refusal(403, 'forbidden'), exits.notAllowed, 'scope'],
    [refusal(404, 'wallet_not_found'), exits.notFound, 'wallet wallets'],
    [refusal(429, 'rate_limited', { 'Retry-After': '90' }), exits.tryLater, 'in 90 s with --key k'],
    [refusal(503, 'busy'), exits.unknownOutcome, 'repeat the same command with --key k'],
    [new TypeError('fetch failed'), exits.unknownOutcome, 'repeat the same command with --key k'],
    [json(202, { approvalId: 'ap_1' }), exits.approvalPending, 'wallet approve ap_1'],
  ] as const)('%#', async (answer, code, advice) => {
    const { exitCode, err, out } = await wallet(['charge', 'w_1', '1', '--key', 'k'], answer);
    expect(exitCode).toBe(code);
    expect(err).toContain(advice);
    expect(out).toBe('');
  });

  it('of an interrupted command names the key that it had', async () => {
    const interrupt = new AbortController();
    interrupt.abort(new Error('interrupted'));
    const { exitCode, err } = await wallet(['charge', 'w_1', '1'], json(201, transaction), interrupt.signal);
    expect(exitCode).toBe(exits.interrupted);
    expect(err).toMatch(/repeat the same command with --key [0-9a-f-]{36}$/);
  });

  it('of a read names no key', async () => {
    const { exitCode, err } = await wallet(['balance', 'w_1'], new TypeError('fetch failed'));
    expect(exitCode).toBe(exits.tryLater);
    expect(err).toContain('is the service running, and is --url right?');
  });
});

describe('the output for people', () => {
  it('aligns columns', () => {
    expect(
      columns(
        [
          ['a', '10'],
          ['bbb', '5'],
        ],
        [1],
      ),
    ).toBe('a    10\nbbb   5');
  });

  it('shows money out with a minus, money in with a plus, and money that only waits without a sign', () => {
    const to = (walletId: string) => ({
      ...transaction,
      postings: [{ account: `wallet:${walletId}:available`, amount: 1_250 }],
    });
    const held = [
      { account: 'wallet:w_1:available', amount: -1_250 },
      { account: 'wallet:w_1:held', amount: 1_250 },
    ];
    const shown = historyText('w_1', [transaction, to('w_1'), { ...transaction, postings: held }] as Transaction[]);
    expect(
      shown
        .split('\n')
        .slice(1)
        .map((line) => /\S+ USD \(-?\d+\)/.exec(line)?.[0]),
    ).toEqual(['-12.50 USD (-1250)', '+12.50 USD (1250)', '12.50 USD (1250)']);
  });

  it('of help and of completion has every command', async () => {
    const { out } = await wallet(['--help']);
    const names = [...out.matchAll(/^ {2}(\w+) {2}/gm)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(20);
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = (await wallet(['completion', shell])).out;
      for (const name of names) expect(script).toMatch(new RegExp(`\\b${name}\\b`));
    }
    expect((await wallet(['charge', '--help'])).out).toContain('--key KEY');
  });
});
