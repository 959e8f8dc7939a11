/** Pages of other sites at the servers of this machine: by a name that they point here, and by a form. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { startBankSimulator } from '../../local/bank/bank-simulator.ts';
import { startIssuer } from '../../local/cognito/issuer-server.ts';
import { startRunner } from '../../local/runner/runner.ts';
import type { Runner } from '../../local/runner/runner.ts';
import { FixtureStack } from './runner-fixture/stack.ts';
import { synthesized } from './runner-fixture/synthesized.ts';

interface Reply {
  readonly status: number | undefined;
  readonly text: string;
}

/** Sends a request with these headers, `Host` among them, which `fetch` does not let a caller choose. */
function send(url: string, headers: Record<string, string>, method = 'GET', body = ''): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, text });
      });
    });
    sent.on('error', reject).end(body);
  });
}

const tokenForm = 'grant_type=client_credentials&client_id=eve';
const codeOf = ({ text }: Reply) => (JSON.parse(text) as { code?: unknown }).code;

describe('the runner', () => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await startRunner({
      synthesize: synthesized((app) => new FixtureStack(app, 'Fixture')),
      parameters: { Greeting: 'good' },
      host: 'host.docker.internal',
    });
  });
  afterAll(() => runner.stop());

  it('answers only requests that name this machine, on every port', async () => {
    const { port } = new URL(runner.baseUrl);
    for (const name of ['127.0.0.1', 'LOCALHOST', '[::1]', 'host.docker.internal']) {
      for (const host of [name, `${name}:${port}`]) {
        assert.equal((await send(`${runner.baseUrl}/`, { host })).status, 200, host);
      }
    }
    for (const host of ['rebound.example', '127.0.0.1.rebound.example', 'localhost.', '10.0.0.1', '127.0.0.1@x']) {
      for (const url of [runner.baseUrl, runner.aws.servicesUrl]) {
        const refused = await send(`${url}/oauth/token`, { host }, 'POST', tokenForm);
        assert.equal(refused.status, 421, `${url} ${host}`);
        assert.equal(codeOf(refused), 'unknown_host');
        assert.doesNotMatch(refused.text, /access_token/);
      }
    }
    const { text } = await send(runner.baseUrl, { host: `rebound.example:${port}` });
    assert.match(text, /127\.0\.0\.1, localhost or \[::1\].*restart the command with --host/);
  });

  it('lets pages of other sites change nothing: neither its faults nor its queues', async () => {
    const { host } = new URL(runner.baseUrl);
    for (const origin of ['https://rebound.example', 'null', 'http://127.0.0.1.rebound.example', 'http://x@y:z']) {
      const token = await send(`${runner.baseUrl}/oauth/token`, { host, origin }, 'POST', tokenForm);
      assert.deepEqual([token.status, codeOf(token)], [403, 'foreign_page'], origin);
      const faults = await send(`${runner.baseUrl}/local/faults`, { host, origin }, 'PUT', '{"sqs":true}');
      assert.equal(faults.status, 403);
      const headers = { origin, 'content-type': 'application/x-www-form-urlencoded' };
      assert.equal((await send(runner.aws.servicesUrl, headers, 'POST', 'Action=Publish')).status, 403);
    }
    assert.equal(runner.faults.state().sqs, false);
    for (const origin of [runner.baseUrl, 'http://localhost:5173']) {
      assert.equal((await send(`${runner.baseUrl}/oauth/token`, { host, origin }, 'POST', tokenForm)).status, 200);
    }
  });
});

describe('the issuer and the bank beside a stack on another host', () => {
  it('answer to the name that functions in containers have for this machine, and to no other', async () => {
    const host = 'host.docker.internal';
    const issuer = await startIssuer({ audience: 'wallet', allow: ['wallet', ['read']], host });
    const bank = await startBankSimulator({ keys: () => ['key'], host });
    try {
      for (const url of [issuer.jwksUri, `${bank.url}/book`]) {
        assert.equal((await send(url, { host: `${host}:9010` })).status, 200);
        assert.equal((await send(url, { host: 'rebound.example' })).status, 421);
      }
    } finally {
      await Promise.all([issuer.stop(), bank.stop()]);
    }
  });
});
