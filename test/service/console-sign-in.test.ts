/** The sign-in of the console at an issuer, in a browser. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from '@jest/globals';
import { findChromium, startChromium } from '../../bin/chromium.ts';
import { answerOf } from '../../lambdas/api/console.ts';
import { buildConsolePage } from '../../lib/console-page.ts';
import { readBody } from '../../local/http/body.ts';
import { listen, sendJson } from '../../local/http/server.ts';
import { watchProblems } from './page-problems.ts';

const executable = findChromium();
const test = executable === undefined ? it.skip : it;

describe('the sign-in at an issuer', () => {
  test('exchanges a code by PKCE, and leaves no trace of it in the address', async () => {
    const issuer = await startIssuer();
    const pages = await listen(0);
    const signIn = {
      authorizeEndpoint: `${issuer.url}/authorize`,
      tokenEndpoint: `${issuer.url}/token`,
      clientId: 'console',
      scope: 'wallet:support',
    };
    const { headers, body } = answerOf(buildConsolePage().page, { signIn, features: [] });
    pages.open((request, response) => {
      const isPage = /^\/prod\/console(\?|$)/.test(request.url ?? '');
      if (isPage) response.writeHead(200, headers).end(body);
      else sendJson(response, 200, { status: 'ok' });
      return Promise.resolve();
    });
    const browser = await startChromium(executable!);
    try {
      const page = await browser.newPage();
      const problems = watchProblems(page);
      await page.goto(`${pages.url}/prod/console#/live`);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'Live' }).waitFor();
      await page.getByText('olga@example.com').waitFor();
      assert.equal(page.url(), `${pages.url}/prod/console#/live`);
      assert.equal(issuer.challenge(), 'S256, and the verifier fits');
      assert.equal(await page.evaluate('Object.keys(sessionStorage).join()'), 'wallet-console.token');
      assert.equal(await page.getByRole('link', { name: 'Try' }).count(), 0, 'test buttons are for the runner');
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
      await Promise.all([pages.close(), issuer.close()]);
    }
  });
});

/** Starts an issuer at which everyone is Olga. */
async function startIssuer() {
  const server = await listen(0);
  let [challenge, verdict] = ['', 'no code was exchanged'];
  server.open(async (request, response) => {
    const url = new URL(request.url ?? '', server.url);
    if (url.pathname === '/authorize') {
      const query = url.searchParams;
      challenge = query.get('code_challenge') ?? '';
      verdict = query.get('code_challenge_method') ?? '';
      const back = new URL(query.get('redirect_uri') ?? '');
      back.search = new URLSearchParams({ code: 'c1', state: query.get('state') ?? '' }).toString();
      response.writeHead(302, { location: back.href }).end();
      return;
    }
    const form = new URLSearchParams(String(await readBody(request, 4_096)));
    const hash = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    verdict += hash === challenge && form.get('code') === 'c1' ? ', and the verifier fits' : ', and it does not fit';
    const claims = { sub: 'olga@example.com', 'cognito:groups': ['wallet-support'], exp: Date.now() / 1000 + 900 };
    const token = ['{}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');
    response.setHeader('access-control-allow-origin', '*');
    sendJson(response, 200, { access_token: token });
  });
  return { url: server.url, challenge: () => verdict, close: () => server.close() };
}
