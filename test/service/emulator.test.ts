/** The errors of `npm run emulator` before it deploys anything. The rest needs an emulator: docs/local-testing.md. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from '@jest/globals';
import { freePort } from '../../local/process/free-port.ts';
import { afterTest } from '../fixture.ts';

const file = join(import.meta.dirname, '..', '..', 'bin', 'emulator.ts');
const services = { cloudformation: 'available' };

/** Runs the command. Returns its exit code and what it printed as an error. */
async function run(endpoint: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [file, '--endpoint', endpoint], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [message, [code]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<[number | null]>]);
  return { code, message };
}

/** Starts a server with these health routes. Returns its URL and the requests that it got. */
async function serverWith(routes: Readonly<Record<string, object>>) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const body = routes[request.url ?? ''];
    response.writeHead(body ? 200 : 404).end(body ? JSON.stringify(body) : '<html>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

describe('npm run emulator', () => {
  it('says that no emulator answers', async () => {
    const { code, message } = await run(`http://127.0.0.1:${await freePort()}`);
    assert.equal(code, 1);
    assert.match(message, /^no emulator answers at http:\/\/127\.0\.0\.1:\d+: start one/);
  });

  it('says that another server answers', async () => {
    const { url, requests } = await serverWith({ '/health': { status: 'ok' } });
    const { code, message } = await run(`${url}/`);
    assert.equal(code, 1);
    assert.match(message, /is neither MiniStack nor LocalStack/);
    assert.deepEqual(requests, ['GET /_ministack/health', 'GET /_localstack/health'], 'it deploys nothing');
  });

  it('says that MiniStack is too old', async () => {
    const { url } = await serverWith({ '/_ministack/health': { services, edition: 'light', version: '1.5.4' } });
    const { code, message } = await run(url);
    assert.equal(code, 1);
    assert.match(message, /^MiniStack 1\.5\.4 at .* is too old: the stack needs 1\.5\.33 or later\n$/);
  });

  it('says that the free LocalStack cannot run the stack', async () => {
    const { url } = await serverWith({ '/_localstack/health': { services, edition: 'community', version: '4.14.0' } });
    const { code, message } = await run(url);
    assert.equal(code, 1);
    assert.match(message, /^LocalStack 4\.14\.0 .* has no authorizers: use MiniStack\n$/);
  });

  it("goes to the emulator with nothing of the account's credentials", async () => {
    const { url, requests } = await serverWith({
      '/_ministack/health': { services, edition: 'light', version: '1.10.0' },
    });
    const elsewhere = await serverWith({});
    const { code } = await run(url, {
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
      AWS_ENDPOINT_URL_CLOUDFORMATION: elsewhere.url,
      AWS_PROFILE: 'production',
    });
    assert.equal(code, 1, 'this emulator has no CloudFormation');
    assert.ok(requests.includes('POST /'), 'it asked this emulator');
    assert.deepEqual(elsewhere.requests, []);
  });
});
