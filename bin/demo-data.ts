/**
 * The data of `npm start -- --demo`: three owners, and a transaction in each state that an operator meets. Each command has
 * a fixed key, so a second start on the same data makes nothing twice.
 */
import type { Runner } from '../local/runner/runner.ts';

/** Visits to the bank after which a withdrawal of the demo goes to review: ten seconds, and not an hour. */
export const demoVisits = 3;

type Body = Readonly<Record<string, unknown>>;
type Send = (path: string, body: Body) => Promise<Body>;

/** Makes the data, over HTTP as clients do. Throws Error when the service refuses a command. */
export async function makeDemoData(runner: Pick<Runner, 'baseUrl' | 'token'>): Promise<void> {
  const as = async (clientId: string, scope: string): Promise<Send> => {
    const token = await runner.token({ clientId, scope });
    let count = 0;
    return (path, body) => send(`${runner.baseUrl}${path}`, token, `demo-${clientId}-${(count += 1)}`, body);
  };
  const owner = (clientId: string) => as(clientId, 'wallet:read wallet:write');
  const [ada, ben, cleo] = [await owner('ada'), await owner('ben'), await owner('cleo')];
  const [backend, maria] = [await as('backend', 'wallet:operate'), await as('maria', 'wallet:operate')];
  const open = async (by: Send, currency: string) => String((await by('/wallets', { currency }))['walletId']);
  const [adas, bens, cleos] = [await open(ada, 'USD'), await open(ben, 'USD'), await open(cleo, 'USD')];
  const francs = await open(cleo, 'CHF');
  await backend(`/wallets/${await open(ben, 'JPY')}/charge`, { amount: 120_000 });

  await backend(`/wallets/${adas}/charge`, { amount: 250_000, externalReference: 'invoice-1001' });
  await backend(`/wallets/${bens}/charge`, { amount: 90_000, externalReference: 'invoice-1002' });
  await backend(`/wallets/${cleos}/charge`, { amount: 40_000, externalReference: 'invoice-1003' });
  const rent = await ada(`/wallets/${adas}/transfer`, { amount: 85_000, toWalletId: bens, description: 'rent' });
  await ben(`/transactions/${String(rent['transactionId'])}/refund`, { amount: 5_000, reason: 'the heating was out' });
  for (let week = 1; week <= 6; week++) {
    await ada(`/wallets/${adas}/transfer`, {
      amount: 4_200 + 150 * week,
      toWalletId: cleos,
      description: `week ${week}`,
    });
  }
  const inAnHour = new Date(Math.ceil(Date.now() / 3_600_000 + 1) * 3_600_000).toISOString();
  await withdrawAll(ada, adas, ['SIM-OK', 'SIM-FLAKY', 'SIM-REJECT', 'SIM-TIMEOUT-PAID']);
  await withdrawAll(ben, bens, ['SIM-PROCESSING', 'SIM-DOWN']);
  await sendOnce(ada, `/wallets/${adas}/holds`, { amount: 12_000, toWalletId: bens, expiresAt: inAnHour });
  await sendOnce(ben, `/wallets/${bens}/transfer`, { amount: 7_500, toWalletId: adas, executeAt: inAnHour });
  // Above 10,000 francs: it waits for a second operator.
  await maria(`/wallets/${francs}/charge`, { amount: 2_500_000, externalReference: 'sale of a car' });
  await maria(`/wallets/${cleos}/freeze`, { reason: 'the card of the last charge was reported stolen' });
}

async function withdrawAll(by: Send, walletId: string, accounts: readonly string[]): Promise<void> {
  for (const [n, account] of accounts.entries()) {
    const body = { amount: 2_000 + 500 * n, destination: { account }, description: `paid out to ${account}` };
    await by(`/wallets/${walletId}/withdraw`, body);
  }
}

/** Sends a command whose body has a time: a later start has another one, and its key is refused. */
async function sendOnce(by: Send, path: string, body: Body): Promise<void> {
  await by(path, body).catch((error: unknown) => {
    if (!(error instanceof Refused) || error.code !== 'idempotency_key_reused') throw error;
  });
}

class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;

  constructor(path: string, body: Body) {
    super(`the demo's ${path} is refused: ${JSON.stringify(body)}`);
    this.code = String(body['code']);
  }
}

async function send(url: string, token: string, key: string, body: Body): Promise<Body> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Body;
  if (!response.ok) throw new Refused(new URL(url).pathname, answer);
  return answer;
}
