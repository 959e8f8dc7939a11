import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  ApprovalPendingError,
  clientCredentials,
  createWalletClient,
  NotReadyError,
  OtherEndError,
  StatementFailedError,
  StillPendingError,
} from '../../client/src/index.ts';
import { json, refusal, scriptedClient, transaction } from './scripted.ts';

describe('lists', () => {
  const pages = [
    json(200, { items: [{ n: 1 }, { n: 2 }], nextCursor: 'c1' }),
    json(200, { items: [], nextCursor: 'c2' }),
    json(200, { items: [{ n: 3 }] }),
  ];

  it('go over the items of all pages, also over an empty one', async () => {
    const { client, received } = scriptedClient(pages);
    const items: unknown[] = [];
    for await (const item of client.wallet('w_1').transactions({ limit: 2, type: 'charge' })) items.push(item);
    expect(items).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(received.map(({ url }) => new URL(url).search)).toEqual([
      '?limit=2&type=charge',
      '?limit=2&type=charge&cursor=c1',
      '?limit=2&type=charge&cursor=c2',
    ]);
  });

  it('end with an error when a page leads to itself', async () => {
    const { client, received } = scriptedClient([json(200, { items: [], nextCursor: 'same' })]);
    const all = async () => {
      for await (const wallet of client.wallets()) expect(wallet).toBeUndefined();
    };
    await expect(all()).rejects.toThrow('the list does not go on');
    expect(received).toHaveLength(2);
  });

  it('read no further page than is asked for', async () => {
    const { client, received } = scriptedClient(pages);
    const items = client.wallets()[Symbol.asyncIterator]();
    expect(await items.next()).toEqual({ done: false, value: { n: 1 } });
    expect(await client.wallets().page('c1')).toMatchObject({ nextCursor: 'c2' });
    expect(received).toHaveLength(2);
  });
});

describe('a command of two operators', () => {
  it('throws the approval that it waits for: nothing has moved', async () => {
    const approval = { approvalId: 'ap_1', command: 'charge', status: 'asked' };
    const { client } = scriptedClient([json(202, approval)]);
    const charge = client.wallet('w_1').charge({ amount: 1 }, { key: 'k' });
    await expect(charge).rejects.toThrow(ApprovalPendingError);
    await expect(charge).rejects.toMatchObject({ approval, key: 'k' });
  });
});

describe('waitFor', () => {
  const at = (status: string, more = {}) => json(200, { ...transaction, status, ...more });

  it('polls, less and less often, to the end', async () => {
    const { client, received } = scriptedClient([at('pending'), at('executing'), at('executing'), at('failed')]);
    expect(await client.transaction('tx_1').waitFor()).toMatchObject({ status: 'failed' });
    expect(received.map((request) => request.at)).toEqual([0, 250, 750, 1_750]);
  });

  it('throws a time-out that says that the transaction goes on', async () => {
    const { client, now } = scriptedClient([at('executing')]);
    const wait = client.transaction('tx_1').waitFor({ timeoutMs: 9_000 });
    await expect(wait).rejects.toThrow(StillPendingError);
    await expect(wait).rejects.toThrow(
      'tx_1 is executing after 9000 ms: the wait is over, and the transaction goes on',
    );
    expect(now()).toBe(9_000);
  });

  it('stops at the wanted status, and at another end', async () => {
    const review = scriptedClient([at('executing'), at('review')]);
    expect(await review.client.transaction('tx_1').waitFor({ status: 'review' })).toMatchObject({ status: 'review' });
    const failed = scriptedClient([at('failed', { failure: { code: 'rejected', message: 'no such account' } })]);
    const wait = failed.client.transaction('tx_1').waitFor({ status: 'completed' });
    await expect(wait).rejects.toThrow(OtherEndError);
    await expect(wait).rejects.toThrow('tx_1 is failed, not completed: no such account');
  });
});

describe('waitFor of a file of a statement', () => {
  it('polls until there is a link, or throws a time-out', async () => {
    const [pending, ready] = [json(200, { statementId: 'st_1' }), json(200, { statementId: 'st_1', file: {} })];
    const { client, received } = scriptedClient([pending, pending, ready]);
    expect(await client.statementFile('st_1').waitFor()).toMatchObject({ file: {} });
    expect(received.map((request) => request.at)).toEqual([0, 250, 750]);
    const wait = scriptedClient([pending]).client.statementFile('st_1').waitFor({ timeoutMs: 9_000 });
    await expect(wait).rejects.toThrow(NotReadyError);
    await expect(wait).rejects.toThrow('st_1 is not ready after 9000 ms');
  });

  it('throws when the service could not make it', async () => {
    const failure = { code: 'not_made', message: 'The file could not be made' };
    const failed = json(200, { statementId: 'st_1', status: 'failed', failure });
    const { client, received } = scriptedClient([json(200, { statementId: 'st_1', status: 'pending' }), failed]);
    const wait = client.statementFile('st_1').waitFor();
    await expect(wait).rejects.toThrow(StatementFailedError);
    await expect(wait).rejects.toThrow('st_1 has failed: The file could not be made');
    expect(received).toHaveLength(2);
  });
});

describe('the other calls', () => {
  it('of health gives the answer of a service that is down, at once', async () => {
    const { client, received } = scriptedClient([json(503, { status: 'unavailable' }, { 'Retry-After': '5' })]);
    expect(await client.health()).toEqual({ status: 'unavailable' });
    expect(received).toHaveLength(1);
    await expect(scriptedClient([refusal(503, 'busy')]).client.health()).rejects.toMatchObject({ code: 'busy' });
  });

  it('of a batch sends a line for each payment', async () => {
    const { client, received } = scriptedClient([json(202, { batchId: 'b_1' })]);
    const lines = ['a', 'b'].map((key) => {
      return { key, type: 'transfer' as const, walletId: 'w_1', toWalletId: 'w_2', amount: 1 };
    });
    await client.createBatch(lines);
    expect(received[0]!.body!.split('\n')).toEqual([...lines.map((line) => JSON.stringify(line)), '']);
    expect(received[0]!.headers.get('Content-Type')).toBe('application/x-ndjson');
  });

  it('through the typed routes have token and retries, and throw the same errors', async () => {
    const { client, received } = scriptedClient([refusal(503, 'busy'), refusal(404, 'wallet_not_found')]);
    const read = client.http.GET('/wallets/{walletId}', { params: { path: { walletId: 'w/1' } } });
    await expect(read).rejects.toMatchObject({ code: 'wallet_not_found' });
    expect(received).toHaveLength(2);
    expect(received[0]!.url).toBe('https://wallet.example/prod/wallets/w%2F1');
    expect(received[0]!.headers.get('Authorization')).toBe('Bearer secret-token');
  });

  it('ask for a token before each attempt, and send none without one', async () => {
    let n = 0;
    const counted = scriptedClient([refusal(503, 'busy'), json(200, {})], { token: () => `t${(n += 1)}` });
    await counted.client.integrity();
    expect(counted.received.map(({ headers }) => headers.get('Authorization'))).toEqual(['Bearer t1', 'Bearer t2']);
    const open = scriptedClient([json(200, { status: 'ok' })], { token: undefined });
    await open.client.health();
    expect(open.received[0]!.headers.has('Authorization')).toBe(false);
  });
});

it('the client works where a request does not show its body, as in Firefox', async () => {
  const shown = Object.getOwnPropertyDescriptor(Request.prototype, 'body')!;
  Object.defineProperty(Request.prototype, 'body', { get: () => undefined, configurable: true });
  try {
    const { client, received } = scriptedClient([json(201, transaction)]);
    await client.wallet('w_1').get();
    await client.wallet('w_1').charge({ amount: 1 });
    expect(received.map(({ body }) => body)).toEqual([undefined, '{"amount":1}']);
  } finally {
    Object.defineProperty(Request.prototype, 'body', shown);
  }
});

describe('clientCredentials', () => {
  it('keeps a token, and asks again when it ends or was refused', async () => {
    const answers = [
      json(200, { access_token: 'short', expires_in: 59 }),
      json(200, { access_token: 'long', expires_in: 3600 }),
    ];
    const asked: string[] = [];
    const token = clientCredentials({
      tokenUrl: 'https://issuer.example/oauth/token',
      clientId: 'shop',
      clientSecret: 's3cret',
      scope: 'wallet:read',
      fetch: ((_url: string, { body }: { body: URLSearchParams }) => {
        asked.push(body.toString());
        return Promise.resolve(answers[asked.length - 1] ?? json(400, { error: 'invalid_client' }));
      }) as typeof fetch,
    });
    expect(await Promise.all([token(), token()])).toEqual(['short', 'short']);
    expect(await Promise.all([token(), token(), token()])).toEqual(['long', 'long', 'long']);
    expect(asked[0]).toBe('grant_type=client_credentials&client_id=shop&client_secret=s3cret&scope=wallet%3Aread');
    expect(asked).toHaveLength(2);
  });
});

it('clientCredentials sends its secret to the token endpoint alone, and follows no redirect', async () => {
  const got: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    got.push(request.url);
    response.setHeader('Content-Type', 'application/json').end('{"access_token":"other"}');
  });
  const issuer = createServer((_request, response) => {
    response.writeHead(307, { Location: `http://127.0.0.1:${portOf(other)}/` }).end();
  });
  for (const server of [other, issuer]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  try {
    const tokenUrl = `http://127.0.0.1:${portOf(issuer)}/oauth/token`;
    await expect(clientCredentials({ tokenUrl, clientId: 'shop', clientSecret: 's3cret' })()).rejects.toThrow();
    expect(got).toEqual([]);
  } finally {
    for (const server of [other, issuer]) server.close();
  }
});

const portOf = (server: Server) => String((server.address() as AddressInfo).port);

it('createWalletClient sends nothing before it is asked to', () => {
  expect(() => createWalletClient({ url: 'http://127.0.0.1:1' }).wallet('w_1').transactions()).not.toThrow();
});
