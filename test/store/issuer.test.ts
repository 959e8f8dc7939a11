/** The token issuer of a stack, as the authorizer records it, on the real engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { authorize, openHoldToIssuer } from '../../lambdas/api/authorizer.ts';
import { claimIssuer, getIssuer } from '../../lambdas/store/issuer.ts';
import { issuerKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import type { TestTable } from '../engine.ts';
import { useEngine } from '../fixture.ts';
import { answer, inTurn, lostAnswer, lostRequest, twice } from '../faults.ts';
import { plant } from './inspect.ts';

const [first, other] = ['https://first.example', 'https://other.example'];
const event = {
  methodArn: 'arn/stage/GET/wallets',
  requestContext: { identity: { sourceIp: '192.0.2.1' } },
} as unknown as APIGatewayRequestAuthorizerEvent;

const engine = useEngine();
let table: TestTable;
beforeEach(async () => (table = await engine.newTable()));

/** Returns a container of the authorizer. It finds every token valid and from this issuer. */
function newAuthorizer(issuer: string) {
  const verify = () => Promise.resolve({ principal: 'ann', scopes: 'read write', issuer });
  const handler = authorize(verify, openHoldToIssuer(table));
  return async () => (await handler(event)).context;
}

describe('a stack', () => {
  it('admits the first issuer, and refuses another with an error, not a 401, that names both and the runbook', async () => {
    assert.equal((await newAuthorizer(first)())?.['issuer'], first);
    const refused = newAuthorizer(other);
    for (let times = 0; times < 2; times++) {
      await assert.rejects(refused(), (error: Error) => {
        assert.notEqual(error.message, 'Unauthorized');
        for (const part of [first, other, 'docs/runbook.md#the-token-issuer-was-changed']) {
          assert.ok(error.message.includes(part), error.message);
        }
        return true;
      });
    }
    assert.equal((await newAuthorizer(first)())?.['issuer'], first);
  });

  it('belongs to one of two issuers that race, a hundred times', async () => {
    const winners = new Set<string>();
    for (let race = 0; race < 100; race++) {
      const issuers = race % 2 === 0 ? [first, other] : [other, first];
      const results = await Promise.all([...issuers, ...issuers].map((issuer) => claimIssuer(table, issuer)));
      assert.equal(new Set(results).size, 1);
      assert.equal(await getIssuer(table), results[0]);
      winners.add(results[0]!);
      await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: toItem(issuerKey()) }));
    }
    assert.equal(winners.size, 2);
  });

  it('is read once for each container, and written once to record its issuer', async () => {
    const authorizer = newAuthorizer(first);
    for (let times = 0; times < 3; times++) await authorizer();
    assert.deepEqual(
      table.calls.map(({ operation }) => operation),
      ['GetItem', 'PutItem'],
    );
    const next = newAuthorizer(first);
    for (let times = 0; times < 3; times++) await next();
    assert.deepEqual(table.calls.length, 3);
  });
});

describe('recording the issuer', () => {
  const writes = (fault: typeof lostAnswer) => inTurn((_call, send) => send(), fault);

  for (const [name, fault] of Object.entries({
    'a lost answer': lostAnswer,
    'a lost request': lostRequest,
    'a request that arrives twice': twice,
  })) {
    it(`survives ${name}`, async () => {
      table.fault = writes(fault);
      assert.equal(await claimIssuer(table, first), first);
      table.fault = undefined;
      assert.equal(await getIssuer(table), first);
      assert.equal(await claimIssuer(table, other), first);
    });
  }

  it('finds another issuer that was recorded between read and write', async () => {
    table.fault = inTurn(
      (_call, send) => send(),
      async (_call, send) => {
        await claimIssuer(table, other);
        return send();
      },
    );
    assert.equal(await claimIssuer(table, first), other);
  });

  it('fails when the one that was recorded between read and write cannot be read', async () => {
    table.fault = inTurn(
      (_call, send) => send(),
      async (_call, send) => {
        await plant(table, { ...issuerKey(), issuer: 7 });
        return send();
      },
    );
    await assert.rejects(claimIssuer(table, first), /cannot be read/);
  });

  it('fails while the table is unreachable, and is retried with the next token', async () => {
    const authorizer = newAuthorizer(first);
    table.fault = answer('InternalServerError', 500);
    await assert.rejects(authorizer(), { code: 'busy' });
    table.fault = lostAnswer;
    await assert.rejects(authorizer(), { code: 'busy' });
    table.fault = undefined;
    assert.equal((await authorizer())?.['issuer'], first);
  });
});
