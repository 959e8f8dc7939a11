/**
 * Hostile texts, addresses and answers in the console: what callers write reaches an operator's page as text, a broken answer breaks
 * one view at most, and a sign-in between two requests makes no second command.
 */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { findChromium, startChromium } from '../../bin/chromium.ts';
import { answerOf } from '../../lambdas/api/console.ts';
import { consoleFeatures } from '../../lambdas/contract.ts';
import { buildConsolePage } from '../../lib/console-page.ts';
import { listen, sendJson } from '../../local/http/server.ts';
import type { LocalServer } from '../../local/http/server.ts';

const executable = findChromium();
const test = executable === undefined ? it.skip : it;

const walletId = `w_usd_${'a'.repeat(26)}`;
const transactionId = `tx_${'a'.repeat(26)}`;
const at = '2026-03-01T00:00:00.000Z';
const markup = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
const script = 'javascript:window.hacked=1';
/** Turns the letters behind it around. */
const turned = '\u202e4321 moor.live';
const long = 'W'.repeat(10_000);

const wallet = {
  walletId,
  ownerId: script,
  currency: 'USD',
  status: 'active',
  name: `${markup}${long}`,
  alias: script,
  metadata: JSON.parse(`{"__proto__":"a","constructor":"b","x":"${turned}","link":"${script}"}`) as unknown,
  balance: { walletId, currency: 'USD', available: 2 ** 60, held: 0, total: 2 ** 60, version: 1 },
  createdAt: at,
  updatedAt: at,
  lastStatusChange: { status: 'active', at, reason: markup, actor: { kind: 'operator', principal: turned } },
};

const transaction = {
  transactionId,
  receiptCode: `RCP-20260301-${'a'.repeat(26)}`,
  type: 'withdrawal',
  status: 'failed',
  amount: 100,
  currency: 'USD',
  walletId,
  destination: { name: turned, account: '****1234' },
  postings: [{ account: markup, amount: 100 }],
  failure: { code: 'rejected', message: `${markup}${turned}` },
  attempts: [{ at, submitted: true, outcome: '__proto__', reason: `${script} ${long}` }],
  externalReference: script,
  description: markup,
  metadata: wallet.metadata,
  batchId: 'constructor',
  refunds: [transactionId],
  createdAt: at,
  updatedAt: at,
  completedAt: at,
};
const charge = { ...transaction, type: 'charge', status: 'completed', refunds: [], attempts: undefined };

type Answering = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers as a service whose callers are hostile. */
const hostile: Answering = ({ url = '' }, response) => {
  const [path = ''] = url.split('?', 1);
  if (path === '/health') sendJson(response, 200, { status: 'ok', inReview: [] });
  else if (path.startsWith('/transactions/')) sendJson(response, 200, transaction);
  else if (/^\/wallets\/[^/]+$/.test(path)) sendJson(response, 200, wallet);
  else sendJson(response, 200, { items: path.endsWith('/transactions') ? [transaction] : [] });
};

let pages: LocalServer;
let browser: Browser;
let answering: Answering = hostile;
let requested: string[] = [];

const claims = { sub: turned, scope: 'wallet:operate', exp: 4_000_000_000 };
const token = ['{}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

beforeAll(async () => {
  if (executable === undefined) return;
  pages = await listen(0);
  const { headers, body } = answerOf(buildConsolePage().page, { features: consoleFeatures });
  pages.open((request, response) => {
    if (request.url === '/console') {
      response.writeHead(200, headers).end(body);
    } else {
      requested.push(request.url ?? '');
      answering(request, response);
    }
    return Promise.resolve();
  });
  browser = await startChromium(executable);
});

afterEach(async () => {
  if (executable !== undefined) await Promise.all(browser.contexts().map((context) => context.close()));
});

afterAll(async () => {
  if (executable === undefined) return;
  await browser.close();
  await pages.close();
});

/** Opens a view as a signed-in operator. Returns the page, and what the browser reports as wrong. */
async function open(hash: string): Promise<{ readonly page: Page; readonly problems: readonly string[] }> {
  requested = [];
  const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  page.setDefaultTimeout(40_000);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.addInitScript(`sessionStorage.setItem('wallet-console.token', ${JSON.stringify(token)})`);
  await page.goto(`${pages.url}/console${hash}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return { page, problems };
}

/** Checks that no text of a caller has become more than text, and that the view fits a phone. */
async function assertPlain(page: Page, problems: readonly string[]): Promise<void> {
  assert.equal(await page.evaluate('window.hacked'), undefined);
  assert.equal(await page.evaluate('document.querySelectorAll("main img, main script, main iframe").length'), 0);
  const links: readonly string[] = await page.evaluate(
    'Array.from(document.querySelectorAll("a"), (a) => a.getAttribute("href"))',
  );
  assert.deepEqual(
    links.filter((href) => !href.startsWith('#')),
    [],
  );
  const widest = Number(await page.evaluate('document.documentElement.scrollWidth'));
  assert.ok(widest <= 360, `${widest} pixels`);
  assert.deepEqual(problems, []);
}

describe('the console', () => {
  test('shows what callers wrote as text, in its own direction', async () => {
    answering = hostile;
    for (const [hash, text] of [
      [`#/wallets/${walletId}`, '≈ 11,529,215,046,068,469.76 USD'],
      [`#/transactions/${transactionId}`, 'Metadata __proto__'],
      [`#/search/${encodeURIComponent(markup + long)}`, 'Transactions with'],
    ] as const) {
      const { page, problems } = await open(hash);
      await page.getByText(text).first().waitFor();
      await assertPlain(page, problems);
    }
    const { page } = await open(`#/transactions/${transactionId}`);
    const account = page.locator('bdi', { hasText: '****1234' });
    await account.waitFor();
    // A name with a mark of direction must not turn the account number around.
    const [name, number] = [await page.locator('bdi').first().boundingBox(), await account.boundingBox()];
    assert.ok(name && number && (number.y > name.y || number.x >= name.x + name.width));
  });

  test('takes any address: a part of it, or a search, and never another route of the API', async () => {
    answering = hostile;
    const { page, problems } = await open('#/');
    for (const hash of [
      ...['#/wallets/%', '#/wallets/%E0%A4%A', '#/search/%ZZ', '#/wallets/..', '#/transactions/%2e%2e', '#//', '#/%00'],
      ...['#/batches/..%2F..%2Fhealth', '#/wallets/a%2Fb', '#/__proto__/x', '#/constructor/x', `#/wallets/${long}`],
      ...[`#/wallets/${encodeURIComponent(markup)}`, `#${script}`],
    ]) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.getByRole('heading', { level: 1, name: 'Search' }).waitFor();
    }
    await page.getByRole('search').waitFor();
    await assertPlain(page, problems);
    const paths = new Set(requested.map((url) => url.split('?', 1)[0]));
    assert.deepEqual([...paths].sort(), ['/health', '/transactions', '/wallets']);
  });

  test('goes on behind an answer that it cannot show', async () => {
    for (const body of ['{}', '[]', '{"balance":{"available":1e999}}']) {
      answering = (request, response) => {
        if (request.url === '/health') hostile(request, response);
        else response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      };
      const { page } = await open(`#/wallets/${walletId}`);
      await page.getByRole('main').getByRole('alert').first().waitFor();
      await page.getByRole('link', { name: 'Search' }).click();
      await page.getByRole('heading', { level: 1, name: 'Search' }).waitFor();
    }
  });

  test('says what is wrong with an answer of another kind', async () => {
    answering = ({ url = '' }, response) => {
      const kind = new URL(url, 'http://x').pathname.split('/').at(-1);
      if (kind === 'html') response.writeHead(200, { 'content-type': 'text/html' }).end(markup);
      else if (kind === 'empty') response.writeHead(200).end();
      else response.writeHead(500, { 'content-type': 'text/html' }).end(markup);
    };
    // Each waits for the end of the client's retries.
    await Promise.all(
      ['html', 'empty', 'fault'].map(async (kind) => {
        const { page } = await open(`#/transactions/${kind}`);
        await page.getByRole('main').getByRole('alert').first().waitFor();
        await page.getByRole('button', { name: 'Try again' }).waitFor();
        assert.equal(await page.evaluate('window.hacked'), undefined);
      }),
    );
  });

  test('repeats a command with its key after a lost answer and a sign-in', async () => {
    const keys: unknown[] = [];
    answering = (request, response) => {
      if (request.method !== 'POST') {
        if (request.url?.startsWith('/transactions/') === true) sendJson(response, 200, charge);
        else hostile(request, response);
        return;
      }
      keys.push(request.headers['idempotency-key']);
      if (keys.length === 1) request.socket.destroy();
      else if (keys.length === 2) sendJson(response, 401, { title: 'No', status: 401, code: 'unauthorized' });
      else sendJson(response, 201, { ...charge, type: 'refund' });
    };
    const { page } = await open(`#/transactions/${transactionId}`);
    const form = page.getByRole('form', { name: 'Refund' });
    const refund = async () => {
      await form.getByLabel('Amount to refund').fill('0.40');
      await form.getByLabel('Reason to refund').fill('sent twice');
      await form.getByRole('button', { name: 'Refund' }).click();
    };
    await refund();
    await page.getByRole('button', { name: 'Sign in again' }).click();
    await page.getByRole('textbox', { name: 'Access token' }).fill(token);
    await page.getByRole('button', { name: 'Use the token' }).click();
    await refund();
    await form.getByText('Refunded: 1.00 USD has moved.').waitFor();
    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1, 'one command, whose money moves once');
  });

  test('freezes a wallet once more after a lost answer, though the reason is the same', async () => {
    const keys: unknown[] = [];
    let changedAt = at;
    answering = (request, response) => {
      if (request.method !== 'POST') {
        const lastStatusChange = { ...wallet.lastStatusChange, at: changedAt };
        if (request.url === `/wallets/${walletId}`) sendJson(response, 200, { ...wallet, lastStatusChange });
        else hostile(request, response);
        return;
      }
      keys.push(request.headers['idempotency-key']);
      sendJson(response, 401, { title: 'No', status: 401, code: 'unauthorized' });
    };
    const { page } = await open(`#/wallets/${walletId}`);
    const freeze = async () => {
      await page.getByRole('button', { name: 'Freeze' }).click();
      await page.getByRole('button', { name: 'Sign in again' }).waitFor();
    };
    await freeze();
    await page.reload();
    await freeze();
    assert.equal(new Set(keys).size, 1, 'the wallet is as it was: one command');
    // It was frozen and unfrozen meanwhile.
    changedAt = '2026-03-01T00:01:00.000Z';
    await page.reload();
    await freeze();
    assert.equal(new Set(keys).size, 2, `${keys.length} requests`);
  });
});
