/** No request is answered with a fault, for any content. `npm run hostile` sends 5,000 of them. */
import assert from 'node:assert/strict';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import fc from 'fast-check';
import { afterAll, it } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import { sign } from '../../lambdas/bank/signature.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import { preferencesKey } from '../../lambdas/store/keys.ts';
import { assertDocumented } from '../documented.ts';
import { agent, hostileRequest, isKeyed, operations, sendRaw } from './hostile.ts';
import type { HostileRequest, Ids } from './hostile.ts';
import { startService } from './service.ts';
import { report } from '../fixture.ts';

const runs = Number(process.env['HOSTILE'] ?? 300);
const keyed = new Set(operations.filter(isKeyed).map(({ operationId }) => operationId));
/** Requests for each user, few enough to stay within the limits of a user. */
const runsPerUser = 200;

const { runner, newUser } = await startService();
const { endpoint, servicesUrl, region, credentials } = runner.aws;
const dynamodb = new DynamoDBClient({ endpoint, region, credentials });
const secrets = new SecretsManagerClient({ endpoint: servicesUrl, region, credentials });
afterAll(() => {
  agent.destroy();
  dynamodb.destroy();
  secrets.destroy();
});
const table = runner.outputs['TableName']!;
const { SecretString: bankKey } = await secrets.send(
  new GetSecretValueCommand({ SecretId: runner.outputs['BankNotificationSecretArn']! }),
);
const operatorToken = await runner.token({ clientId: 'operator', scope: 'wallet:operate' });

interface User {
  readonly ownerId: string;
  readonly token: string;
  readonly ids: Ids;
  /** The id of an open hold, for the routes of holds. */
  readonly holdId: string;
}

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

async function openUser(): Promise<User> {
  const [{ ask, walletId, ownerId }, { walletId: toWalletId }] = await Promise.all([
    newUser(1_000_000),
    newUser(1_000),
  ]);
  const { body } = await ask(`/wallets/${walletId}/transfer`, { body: { amount: 1, toWalletId } });
  const [transactionId, receiptCode] = [String(body['transactionId']), String(body['receiptCode'])];
  const wanted = { amount: 100_000, toWalletId, expiresAt: inAnHour() };
  const hold = await ask(`/wallets/${walletId}/holds`, { body: wanted });
  const holdId = String(hold.body['transactionId']);
  const token = await runner.token({ clientId: ownerId, scope: 'wallet:read wallet:write' });
  return { ownerId, token, ids: { walletId, toWalletId, transactionId, receiptCode }, holdId };
}

/** Returns the keys of the items that are stored permanently. */
async function stored(): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName: table, ConsistentRead: true })) {
    for (const { pk, sk } of Items) {
      if (/^(TX|WALLET)#/.test(pk!.S!)) keys.add(pk!.S!);
      else if (sk!.S === 'PREFERENCES') keys.add(`PREFERENCES ${pk!.S!}`);
    }
  }
  return keys;
}

const preferences = ({ ownerId }: { ownerId: string }) => `PREFERENCES ${preferencesKey(ownerId).pk}`;

/** Returns the request with the ids, token or signature of this user. */
function filledFor(user: User, request: HostileRequest): HostileRequest {
  const ids = request.path.startsWith('/holds/') ? { ...user.ids, transactionId: user.holdId } : user.ids;
  const path = request.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name as keyof Ids]);
  const { body: example, headers } = request;
  let body = example;
  if (example && !example.includes(0xff)) {
    const text = Buffer.from(example).toString('latin1');
    const filled = text
      .replaceAll(/("fromWalletId":")?w_usd_[a-z2-7]{26}(?=")/g, (_, from?: string) =>
        from === undefined ? user.ids.toWalletId : from + user.ids.walletId,
      )
      .replaceAll(/tx_[a-z2-7]{26}(?=")/g, user.ids.transactionId)
      // The document's time is over.
      .replaceAll('2026-03-02T12:00:00Z', inAnHour());
    body = Buffer.from(filled, 'latin1');
  }
  const isGiven = headers.some(([name]) => name === 'authorization');
  const token = request.caller === 'operator' ? operatorToken : user.token;
  const signed = { method: 'POST', path: '/bank/notifications', body: body ?? '' };
  const credentials =
    request.caller === 'bank'
      ? Object.entries(sign(signed, bankKey!, Math.floor(Date.now() / 1000)))
      : isGiven || request.caller === 'anonymous'
        ? []
        : [['authorization', `Bearer ${token}`] as const];
  return { ...request, path, headers: [...headers, ...credentials], ...(body && { body }) };
}

function textOf({ headers, answer }: { headers: Headers; answer: Buffer }): string {
  return (headers.get('content-encoding') === 'gzip' ? gunzipSync(answer) : answer).toString();
}

it(`${String(runs)} hostile requests: no fault, each answer as the document says, nothing stored by a refused one`, async () => {
  let user = await openUser();
  const before = await stored();
  const wanted = new Set<string>();
  const reached = new Set<string>();
  const tally: Record<string, number> = {};
  let count = 0;
  await fc.assert(
    fc.asyncProperty(hostileRequest, async (generated) => {
      if (++count % runsPerUser === 0) {
        const own = await stored();
        user = await openUser();
        for (const key of await stored()) if (!own.has(key)) before.add(key);
      }
      const request = filledFor(user, generated);
      const { method, path, body, headers } = request;
      const { status, headers: answered, ...rest } = await sendRaw(runner.baseUrl, request);
      const answer = textOf({ headers: answered, ...rest });
      assert.ok(status < 500, `${String(status)} ${answer}`);
      const sent = method === 'GET' || method === 'HEAD' || !body ? undefined : Buffer.from(body).toString();
      assertDocumented({ method, path, sent: sent === '' ? undefined : sent, status, headers: answered, answer });
      reached.add(generated.operationId);
      tally[status] = (tally[status] ?? 0) + 1;
      if (status >= 300) return;
      if (keyed.has(generated.operationId)) {
        const key = headers.find(([name]) => name === 'idempotency-key')![1].trim();
        wanted.add(`TX#${transactionIdOf(generated.caller === 'operator' ? 'operator' : user.ownerId, key)}`);
        const { walletId, legs = [] } = JSON.parse(answer) as {
          walletId: string;
          legs?: readonly { transactionId: string }[];
        };
        wanted.add(`WALLET#${walletId}`);
        wanted.add(`DETAILS#${walletId}`);
        for (const { transactionId } of legs) wanted.add(`TX#${transactionId}`);
      } else if (method === 'PUT') {
        wanted.add(preferences(JSON.parse(answer) as { ownerId: string }));
      }
    }),
    { numRuns: runs },
  );
  report(JSON.stringify(tally));
  const unasked = [...(await stored())].filter((key) => !before.has(key) && !wanted.has(key));
  assert.deepEqual(unasked, []);
  // Few requests miss an operation by chance.
  if (runs < 1_000) return;
  const missed = operations.filter(({ operationId }) => !reached.has(operationId));
  assert.deepEqual(missed, [], 'each operation was asked');
});
