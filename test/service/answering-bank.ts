/** A bank whose answers the test chooses, and the payment that it is asked for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Payment } from '../../lambdas/bank/answers.ts';
import type { KeySource } from '../../lambdas/bank/secret.ts';
import { afterTest } from '../fixture.ts';

export const payment: Payment = {
  reference: 'tx_1',
  amount: 1250,
  currency: 'EUR',
  destination: { account: 'NL91ABNA0417164300', name: 'A. Payee' },
};
export const paid = { reference: 'tx_1', status: 'paid', amount: 1250, currency: 'EUR' };
export const notAccepted = { reference: 'tx_1', amount: 1250, currency: 'EUR', code: 'not_accepted', message: 'later' };
export const rejected = { ...paid, status: 'rejected', code: 'account_closed', message: 'the account is closed' };
export const keys: KeySource = () => Promise.resolve(['the key']);

export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Starts a server that records its requests and answers with `answer`. */
export async function serve(answer: Answer) {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    request.resume().once('end', () => {
      answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `http://127.0.0.1:${String(address.port)}`, seen };
}

/** Answers with a status and a body of JSON. */
export function json(response: ServerResponse, status: number, body: unknown): ServerResponse {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
