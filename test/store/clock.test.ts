/** The functions' client on a machine whose clock is wrong, with an engine whose clock is right. */
import assert from 'node:assert/strict';
import { it, jest } from '@jest/globals';
import { WalletError } from '../../lambdas/domain/errors.ts';
import { dynamodbClient } from '../../lambdas/aws/clients.ts';
import { localCredentials } from '../../local/dynamodb/dynamodb.ts';
import { charge, withdraw } from './commands.ts';
import { openWallet } from './wallets.ts';
import { afterTest, useEngine } from '../fixture.ts';

const engine = useEngine();

it('a failed condition is a refusal even when the clock is wrong by an hour', async () => {
  const table = await engine.newTable();
  // As Lambda sets it for a function.
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
  });
  const client = dynamodbClient();
  afterTest(() => {
    client.destroy();
  });
  const wrong = { ...table, client };
  const walletId = await openWallet(wrong, 'ann');
  await charge(wrong, walletId, { amount: 100 });
  const rightNow = Date.now.bind(Date);
  jest.spyOn(Date, 'now').mockImplementation(() => rightNow() + 3_600_000);
  for (let n = 0; n < 3; n++) {
    await assert.rejects(
      withdraw(wrong, walletId, { owner: 'ann', amount: 500 }),
      (error: unknown) => error instanceof WalletError && error.code === 'insufficient_funds',
    );
  }
});
