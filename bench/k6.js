/**
 * The load of `npm run load` for k6 (https://k6.io, which this project does not install). It is 200 users for five
 * minutes, or an open loop of up to 4,000 commands a second. It needs a token with every scope, and wallets with money:
 *
 *   k6 run -e URL=http://127.0.0.1:3000 -e TOKEN=… bench/k6.js
 *   k6 run -e URL=… -e TOKEN=… -e SCENARIO=rate -e RATE=4000 bench/k6.js
 */
import http from 'k6/http';
import { check, sleep } from 'k6';

const { URL: url = 'http://127.0.0.1:3000', TOKEN: token, SCENARIO: scenario = 'users', RATE: rate = '4000' } = __ENV;
const wallets = 200;

const scenarios = {
  users: { executor: 'constant-vus', vus: 200, duration: '5m' },
  rate: {
    executor: 'ramping-arrival-rate',
    startRate: 10,
    timeUnit: '1s',
    preAllocatedVUs: 500,
    maxVUs: 4_000,
    stages: [
      { target: Number(rate), duration: '2m' },
      { target: Number(rate), duration: '3m' },
    ],
  },
};

export const options = {
  scenarios: { load: scenarios[scenario] },
  thresholds: {
    checks: ['rate>0.999'],
    'http_req_duration{request:charge}': ['p(99)<100'],
    'http_req_duration{request:withdraw}': ['p(99)<50'],
    'http_req_duration{request:balance}': ['p(99)<10'],
  },
};

function send(name, path, body) {
  const parameters = {
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      ...(body && { 'Idempotency-Key': `k6-${Date.now()}-${Math.random()}-${Math.random()}` }),
    },
    tags: { request: name },
  };
  return body ? http.post(`${url}${path}`, JSON.stringify(body), parameters) : http.get(`${url}${path}`, parameters);
}

/** Opens the wallets that all users share. */
export function setup() {
  if (!token) throw new Error('give a token: -e TOKEN=…');
  return Array.from({ length: wallets }, () => {
    const walletId = send('open', '/wallets', { currency: 'EUR', ownerId: 'load' }).json('walletId');
    send('fund', `/wallets/${walletId}/charge`, { amount: 1_000_000_000 });
    return walletId;
  });
}

/** Runs one user: ten charges to two withdrawals, two transfers and twelve reads. */
export default function user(walletIds) {
  const pick = () => walletIds[Math.floor(walletIds.length * Math.random() ** 3)];
  const walletId = pick();
  const amount = 1 + Math.floor(Math.random() * 100);
  const turn = Math.random() * 26;
  let response;
  if (turn < 10) response = send('charge', `/wallets/${walletId}/charge`, { amount });
  else if (turn < 12)
    response = send('withdraw', `/wallets/${walletId}/withdraw`, {
      amount,
      destination: { account: 'DE89370400440532013000' },
    });
  else if (turn < 14) {
    let toWalletId = pick();
    while (toWalletId === walletId) toWalletId = pick();
    response = send('transfer', `/wallets/${walletId}/transfer`, { amount, toWalletId });
  } else response = send('balance', `/wallets/${walletId}/balance`);
  check(response, { 'is answered with success': ({ status }) => status < 300 });
  if (scenario === 'users') sleep(1);
}
