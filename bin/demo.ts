/**
 * `npm run demo`: a story about two owners, over HTTP against the running service (`npm start`). Without a URL, and if
 * nothing listens, it starts a service of its own. Exits 0 only if every figure is right.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalService } from './local-service.ts';
import { readOptions } from './options.ts';

const usualUrl = 'http://127.0.0.1:3000';
const usage = `npm run demo -- [options]

  --url URL  the service that npm start runs (${usualUrl}, or one of its own when nothing answers there)`;

const { url } = readOptions(usage, { url: { type: 'string' } });

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

interface Caller {
  readonly name: string;
  readonly token: string;
}

const patienceMs = 60_000;
let wrong = 0;

const given = (url ?? usualUrl).replace(/\/+$/, '');
const isRunning = await isUp(given);
if (url !== undefined && !isRunning) {
  console.error(`nothing answers at ${url}`);
  process.exit(1);
}
const started = isRunning ? undefined : await startOwn();
const baseUrl = started?.baseUrl ?? given;
try {
  await story();
} finally {
  await started?.stop();
}
console.log(wrong === 0 ? '\nEvery figure is right.' : `\n${wrong} figures are WRONG.`);
process.exitCode = wrong === 0 ? 0 : 1;

async function story(): Promise<void> {
  // New names for each run, so that the story can run twice on the same data.
  const run = randomUUID().slice(0, 8);
  const operator = await signIn(`operator-${run}`, 'wallet:operate');
  const ada = await signIn(`ada-${run}`, 'wallet:read wallet:write');
  const ben = await signIn(`ben-${run}`, 'wallet:read wallet:write');

  chapter('Ada and Ben each open a wallet in euros');
  const adas = await openWallet(ada);
  const bens = await openWallet(ben);

  chapter('A payment provider was paid 100.00 by Ada: an operator charges her wallet');
  const charged = await post(operator, `/wallets/${adas}/charge`, { amount: 100_00, externalReference: 'invoice 1' });
  check('answered', charged.status, 201);
  await showBalances({ [adas]: [100_00, 0], [bens]: [0, 0] });

  chapter('Ada sends Ben 30.00, and her client repeats the request because it lost the answer');
  const key = randomUUID();
  const sent = await post(ada, `/wallets/${adas}/transfer`, { amount: 30_00, toWalletId: bens }, key);
  const repeated = await post(ada, `/wallets/${adas}/transfer`, { amount: 30_00, toWalletId: bens }, key);
  check('first answer', sent.status, 201);
  check('repetition is marked', repeated.headers.get('idempotency-replayed'), 'true');
  check('same transaction', repeated.body['transactionId'], sent.body['transactionId']);
  await showBalances({ [adas]: [70_00, 0], [bens]: [30_00, 0] });

  chapter('The same key with another amount is refused');
  const reused = await post(ada, `/wallets/${adas}/transfer`, { amount: 31_00, toWalletId: bens }, key);
  check('code', reused.body['code'], 'idempotency_key_reused');

  chapter('Ada tries to send more than she has');
  const overdraft = await post(ada, `/wallets/${adas}/transfer`, { amount: 70_01, toWalletId: bens });
  check('code', overdraft.body['code'], 'insufficient_funds');
  await showBalances({ [adas]: [70_00, 0], [bens]: [30_00, 0] });

  chapter('Ada withdraws 20.00; the bank fails twice before it pays');
  const flaky = await post(ada, `/wallets/${adas}/withdraw`, { amount: 20_00, destination: { account: 'SIM-FLAKY' } });
  check('answered at once', flaky.status, 202);
  check('status', flaky.body['status'], 'pending');
  const paid = await untilEnded(ada, flaky);
  check('in the end', paid['status'], 'completed');
  check('attempts', (paid['attempts'] as unknown[]).length, 3);
  await showBalances({ [adas]: [50_00, 0], [bens]: [30_00, 0] });

  chapter('Ben withdraws 10.00; the bank rejects it, and the money is back');
  const rejected = await post(ben, `/wallets/${bens}/withdraw`, {
    amount: 10_00,
    destination: { account: 'SIM-REJECT' },
  });
  check('answered at once', rejected.status, 202);
  const failed = await untilEnded(ben, rejected);
  check('in the end', failed['status'], 'failed');
  await showBalances({ [adas]: [50_00, 0], [bens]: [30_00, 0] });

  chapter('Ada reads her receipt and her history');
  const receipt = await get(ada, `/receipts/${String(sent.body['receiptCode'])}`);
  check('receipt', receipt.body['transactionId'], sent.body['transactionId']);
  const history = await get(ada, `/wallets/${adas}/transactions`);
  const types = (history.body['items'] as { type: string }[]).map(({ type }) => type);
  check('newest first', types.join(', '), 'withdrawal, transfer, charge');

  chapter("Ben cannot see Ada's wallet");
  const stranger = await get(ben, `/wallets/${adas}`);
  check('code', stranger.body['code'], 'wallet_not_found');

  async function showBalances(expected: Record<string, [available: number, held: number]>): Promise<void> {
    for (const [walletId, [available, held]] of Object.entries(expected)) {
      const { body } = await get(operator, `/wallets/${walletId}/balance?consistent=true`);
      const owner = walletId === adas ? 'Ada' : 'Ben';
      check(`${owner}'s balance`, euros(body['available'], body['held']), euros(available, held));
    }
  }
}

async function openWallet(owner: Caller): Promise<string> {
  const { status, body } = await post(owner, '/wallets', { currency: 'EUR' });
  check(`${owner.name} has a wallet`, status, 201);
  return String(body['walletId']);
}

async function untilEnded(caller: Caller, accepted: Answer): Promise<Record<string, unknown>> {
  const deadline = Date.now() + patienceMs;
  let seen = '';
  for (;;) {
    const { body } = await get(caller, `/transactions/${String(accepted.body['transactionId'])}`);
    const attempts = (body['attempts'] as unknown[] | undefined)?.length ?? 0;
    const now = `${String(body['status'])}, ${attempts} visits to the bank`;
    if (now !== seen) console.log(`    … ${now}`);
    seen = now;
    if (body['completedAt'] !== undefined || body['status'] === 'review' || Date.now() > deadline) return body;
    await sleep(200);
  }
}

async function signIn(clientId: string, scope: string): Promise<Caller> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, scope });
  const response = await fetch(`${baseUrl}/oauth/token`, { method: 'POST', body: form });
  const body = (await response.json()) as { access_token?: string };
  if (body.access_token === undefined) throw new Error(`no token from ${baseUrl}: is that the local runner?`);
  return { name: clientId, token: body.access_token };
}

function post(caller: Caller, path: string, body: object, idempotencyKey: string = randomUUID()): Promise<Answer> {
  return call(caller, 'POST', path, { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey }, body);
}

function get(caller: Caller, path: string): Promise<Answer> {
  return call(caller, 'GET', path, {});
}

async function call(
  caller: Caller,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: object,
): Promise<Answer> {
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { Authorization: `Bearer ${caller.token}`, ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

function chapter(title: string): void {
  console.log(`\n${title}`);
}

function check(subject: string, actual: unknown, expected: unknown): void {
  const right = actual === expected;
  if (!right) wrong++;
  console.log(`  ${right ? '✓' : '✗'} ${subject}: ${String(actual)}${right ? '' : `, must be ${String(expected)}`}`);
}

function euros(available: unknown, held: unknown): string {
  const text = (amount: unknown) => (Number(amount) / 100).toFixed(2);
  return `${text(available)} available, ${text(held)} held`;
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

async function startOwn() {
  console.log(`Nothing listens at ${usualUrl}: starting a service in memory for this story.`);
  return startLocalService({ port: 0, memory: true });
}
