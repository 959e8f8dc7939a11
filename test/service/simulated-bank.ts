/** The simulated bank, a client of it, and payments for it. */
import { openBank } from '../../lambdas/bank/client.ts';
import type { Payment } from '../../lambdas/bank/answers.ts';
import { sign } from '../../lambdas/bank/signature.ts';
import { startBankSimulator } from '../../local/bank/bank-simulator.ts';
import type { BankSimulator, BankSimulatorOptions } from '../../local/bank/bank-simulator.ts';
import { afterTest } from '../fixture.ts';

export const secret = 'the key that both sides have';
export const accepted = { outcome: 'accepted' };
export const notFound = { outcome: 'not_found' };
export const notAccepted = { outcome: 'not_accepted', reason: 'status 503' };
export const unavailable = { outcome: 'unknown', reason: 'status 503 unavailable' };
export const timedOut = { outcome: 'unknown', reason: 'time-out' };

/** Starts a bank without latency and random failures. It stops after the test. */
export async function start(options: Partial<BankSimulatorOptions> = {}): Promise<BankSimulator> {
  const bank = await startBankSimulator({
    keys: () => [secret],
    latencyMs: 0,
    failureRate: 0,
    lostAnswerMs: 60_000,
    ...options,
  });
  afterTest(() => bank.stop());
  return bank;
}

/** Returns the service's client of this bank. */
export function clientOf({ url }: { url: string }, timeoutMs = 1000) {
  // A breaker that never opens: it has its own tests.
  const breaker = { lastCalls: 1000, inARow: 1000, openMs: 1, tries: 1 };
  return openBank({ url, keys: () => Promise.resolve([secret]), timeoutMs, breaker });
}

/** Returns a payment to an account, whose name decides what the bank does. */
export function payment(account: string, reference = 'tx_1', amount = 1250): Payment {
  return { reference, amount, currency: 'EUR', destination: { account, name: 'A. Payee' } };
}

/** Sends a request to the bank past the client. Returns its status and body. */
export async function send(
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(url + path, { method, headers, ...(text !== undefined && { body: text }) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Returns the headers that sign a request. */
export function signed(method: string, path: string, body: unknown, key = secret, atSeconds = Date.now() / 1000) {
  const text = body === undefined ? '' : JSON.stringify(body);
  return sign({ method, path, body: text }, key, Math.floor(atSeconds));
}
