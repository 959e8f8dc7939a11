/** `npm run smoke` against the running service, with tokens of several scopes, and through the outputs of a stack. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { describe, it } from '@jest/globals';
import { afterTest } from '../fixture.ts';
import { startService } from './service.ts';

const { runner, operator, as } = await startService();

/** Runs the command. Returns its exit code and what it printed. */
async function smoke(options: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const file = join(import.meta.dirname, '..', '..', 'bin', 'smoke.ts');
  const child = spawn(process.execPath, [file, ...options], {
    env: { ...process.env, TOKEN: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const [printed, message, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, printed, message, wallets: printed.match(/\bw_[a-z]{3}_\w+/g) ?? [] };
}

const smokeAs = async (clientId: string, scope: string, ...options: string[]) =>
  smoke(['--url', `${runner.baseUrl}/`, ...options], { TOKEN: await runner.token({ clientId, scope }) });

async function movements(walletId: string): Promise<unknown[]> {
  const { body } = await operator(`/wallets/${walletId}/transactions`);
  return (body['items'] as { type: string; amount: number }[]).map(({ type, amount }) => `${type} ${amount}`);
}

describe('npm run smoke', () => {
  it('as an operator charges a unit of money, pays all of it out, and closes its wallets', async () => {
    const { code, printed, wallets } = await smokeAs('olga', 'wallet:operate', '--account', 'SIM-OK');
    assert.equal(code, 0, printed);
    assert.match(printed, /Every figure is right\.\n$/);
    assert.equal(wallets.length, 2);
    for (const walletId of wallets) {
      const { body } = await operator(`/wallets/${walletId}`);
      const { available, held } = body['balance'] as { available: number; held: number };
      assert.deepEqual([body['status'], available, held], ['closed', 0, 0]);
      assert.match(String(body['ownerId']), /^smoke-(Ada|Ben)-\w{8}$/);
    }
    const [last, paid, again, cancelled, first, second, ...before] = await movements(wallets[0]);
    assert.deepEqual([last, paid, again, cancelled], ['withdrawal 42', 'transfer 1', 'transfer 1', 'transfer 5']);
    // The legs of a split have one time.
    assert.deepEqual([first, second].sort(), ['transfer 1', 'transfer 4']);
    assert.deepEqual(before, [
      ...['refund 10', 'capture 15', 'hold 25', 'withdrawal 20'],
      ...['transfer 30', 'charge 100'],
    ]);
  });

  it('without an account moves no money', async () => {
    const { code, printed, wallets } = await smokeAs('olga', 'wallet:operate');
    assert.equal(code, 0, printed);
    for (const walletId of wallets) assert.deepEqual(await movements(walletId), []);
  });

  it('as a backend moves no money, and uses the same two wallets each time', async () => {
    const run = () => smokeAs('backend', 'wallet:charge wallet:read');
    const [first, second] = [await run(), await run()];
    assert.deepEqual([first.code, second.code], [0, 0], first.printed);
    assert.deepEqual(first.wallets, second.wallets);
    const { body } = await (await as('backend', 'wallet:read'))('/wallets');
    assert.equal((body['items'] as unknown[]).length, 2);
    for (const walletId of first.wallets) assert.deepEqual(await movements(walletId), []);
  });

  it('exits with 1 when a figure is wrong, and closes no wallet that has money', async () => {
    const { code, printed, wallets } = await smokeAs('olga', 'wallet:operate', '--account', 'SIM-REJECT');
    assert.equal(code, 1);
    assert.match(printed, /✗ in the end: failed, must be completed/);
    const left = await Promise.all(wallets.map((walletId) => operator(`/wallets/${walletId}`)));
    assert.deepEqual(
      left.map(({ body }) => [body['status'], (body['balance'] as { available: number }).available]),
      [
        ['active', 42],
        ['active', 38],
      ],
    );
  });

  it('refuses an account with a token that can move no money there', async () => {
    for (const scope of ['wallet:charge wallet:read', 'wallet:read wallet:write']) {
      const { code, printed, message } = await smokeAs('backend', scope, '--account', 'SIM-OK');
      const needs = '--account needs a token with operate, or with charge and write\n';
      assert.deepEqual([code, printed, message], [1, '', needs], scope);
    }
  });

  it('says what a token lacks', async () => {
    const reader = await smokeAs('ann', 'wallet:read');
    assert.deepEqual([reader.code, reader.message], [1, 'the token must open wallets and read them; it has read\n']);
    assert.equal((await smoke(['--url', runner.baseUrl], { TOKEN: 'x' })).message.split(':')[0], 'the token is no JWT');
    assert.match((await smoke(['--url', runner.baseUrl])).message, /^--url and --token are needed, or --stack\n/);
  });

  it("takes the address and a backend's token from the outputs of a stack", async () => {
    const cloud = await startCloud({
      ApiUrl: 'https://abc.execute-api.us-east-1.amazonaws.com/prod/',
      ClientId: 'backend-client',
      UserPoolId: 'pool',
      TokenEndpoint: `${runner.baseUrl}/oauth/token`,
    });
    const env = {
      AWS_ENDPOINT_URL: cloud,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    };
    const { code, printed, message } = await smoke(['--stack', 'Wallet'], env);
    assert.equal(code, 0, printed + message);
    assert.match(printed, /\/_aws\/execute-api\/abc\/prod, as backend-client with read, charge\n/);
    const other = await smoke(['--stack', 'Other'], env);
    assert.match(other.message, /^there is no stack Other/);
  });
});

/** Starts CloudFormation with one stack, Cognito, and the running service as an API of theirs. Returns its URL. */
async function startCloud(outputs: Readonly<Record<string, string>>): Promise<string> {
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  const stack = `<member><StackName>Wallet</StackName><Outputs>${members.join('')}</Outputs></member>`;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const path = /^\/_aws\/execute-api\/abc\/prod(\/.*)/.exec(request.url ?? '')?.[1];
    if (path !== undefined) {
      const { authorization = '', 'content-type': type = 'text/plain', 'idempotency-key': key = '' } = request.headers;
      const real = await fetch(runner.baseUrl + path, {
        method: request.method ?? 'GET',
        headers: { ...(authorization && { authorization }), 'content-type': type, 'idempotency-key': String(key) },
        ...(body.length > 0 && { body: body.toString() }),
      });
      response.writeHead(real.status).end(await real.text());
    } else if ('x-amz-target' in request.headers) {
      response.end(JSON.stringify({ UserPoolClient: { ClientId: outputs['ClientId'], ClientSecret: 'secret' } }));
    } else if (new URLSearchParams(body.toString()).get('StackName') === 'Wallet') {
      response.end(
        `<DescribeStacksResponse><DescribeStacksResult><Stacks>${stack}</Stacks></DescribeStacksResult></DescribeStacksResponse>`,
      );
    } else {
      const error = '<Code>ValidationError</Code><Message>Stack with id Other does not exist</Message>';
      response.writeHead(400).end(`<ErrorResponse><Error>${error}</Error></ErrorResponse>`);
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
