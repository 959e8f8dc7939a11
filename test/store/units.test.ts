/** Figures of capacity are checked on an engine that counts as DynamoDB does, and on no other. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, it } from '@jest/globals';
import { afterTest, useEngine } from '../fixture.ts';
import { checkUnits, probeUnits } from '../units.ts';

const engine = useEngine();

/** Starts a server in front of the engine that counts 2 units for each transaction. Returns its URL. */
async function miscounting(): Promise<string> {
  const server = createServer((request, response) => {
    void buffer(request).then(async (body) => {
      const target = String(request.headers['x-amz-target']);
      const { authorization = '', 'x-amz-date': date = '' } = request.headers;
      const answer = await fetch(engine.endpoint, {
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-date': String(date),
          'x-amz-target': target,
        },
        body: body.toString(),
      });
      const text = await answer.text();
      const shown = target.endsWith('TransactWriteItems')
        ? text.replaceAll(/"CapacityUnits": ?[\d.]+/g, '"CapacityUnits":2.0')
        : text;
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(shown);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Returns whether figures are checked after a probe of this engine. */
async function checksOn(endpoint: string): Promise<boolean> {
  const before = process.env['TEST_UNITS_UNKNOWN'];
  delete process.env['TEST_UNITS_UNKNOWN'];
  try {
    await probeUnits(endpoint);
    let checked = false;
    checkUnits(() => {
      checked = true;
    });
    return checked;
  } finally {
    if (before === undefined) delete process.env['TEST_UNITS_UNKNOWN'];
    else process.env['TEST_UNITS_UNKNOWN'] = before;
  }
}

describe('figures of capacity', () => {
  it('are checked on the engine of the tests', async () => {
    if (process.env['DYNAMODB_ENDPOINT'] === undefined) assert.equal(await checksOn(engine.endpoint), true);
  });

  it('are not checked on an engine that counts transactions otherwise', async () => {
    assert.equal(await checksOn(await miscounting()), false);
  });
});
