import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, test } from '@jest/globals';
import { startRunner } from '../../local/runner/runner.ts';
import type { Runner } from '../../local/runner/runner.ts';
import { FixtureStack } from './runner-fixture/stack.ts';
import { synthesized } from './runner-fixture/synthesized.ts';

const folder = mkdtempSync(join(tmpdir(), 'runner-restart-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

type Aws = Pick<Runner, 'aws' | 'resources'>;

function refOf({ resources }: Aws, type: string, start = ''): string {
  const found = resources.find((resource) => resource.type === type && resource.logicalId.startsWith(start));
  assert.ok(found);
  return found.ref;
}

async function put(target: Aws, pk: string): Promise<void> {
  const { endpoint, region, credentials } = target.aws;
  const client = new DynamoDBClient({ endpoint, region, credentials, maxAttempts: 1 });
  const TableName = refOf(target, 'AWS::DynamoDB::GlobalTable');
  await client.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, sk: { S: 'x' } } })).finally(() => {
    client.destroy();
  });
}

async function has(target: Aws, pk: string): Promise<boolean> {
  const { endpoint, region, credentials } = target.aws;
  const client = new DynamoDBClient({ endpoint, region, credentials });
  const TableName = refOf(target, 'AWS::DynamoDB::GlobalTable');
  const { Item } = await client.send(
    new GetItemCommand({ TableName, Key: { pk: { S: pk }, sk: { S: 'x' } }, ConsistentRead: true }),
  );
  client.destroy();
  return Item !== undefined;
}

async function secretOf(target: Aws): Promise<string | undefined> {
  const { servicesUrl: endpoint, region, credentials } = target.aws;
  const client = new SecretsManagerClient({ endpoint, region, credentials });
  const SecretId = refOf(target, 'AWS::SecretsManager::Secret');
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }));
  client.destroy();
  return SecretString;
}

function start(dataDir: string, port?: number): Promise<Runner> {
  return startRunner({
    synthesize: synthesized((app) => new FixtureStack(app, 'Fixture')),
    dataDir,
    ...(port !== undefined && { port }),
  });
}

async function portTaken(): Promise<{ port: number; close: () => void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** Starts a runner in a process of its own, which prints its address and then waits to be killed. */
async function startProcess(dataDir: string): Promise<{ child: ChildProcess; target: Aws }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'runner-fixture', 'main.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  return { child, target: JSON.parse(line) as Aws };
}

describe('a runner with a data folder', () => {
  test('finds items, messages, secret and signing key again', async () => {
    const dataDir = join(folder, 'kept');
    const first = await start(dataDir);
    await put(first, 'kept');
    const secret = await secretOf(first);
    assert.equal(secret?.length, 48);
    const { servicesUrl: endpoint, region, credentials } = first.aws;
    const sqs = new SQSClient({ endpoint, region, credentials });
    const QueueUrl = refOf(first, 'AWS::SQS::Queue', 'DeadLetters');
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'kept' }));
    sqs.destroy();
    const kid = async (runner: Runner) => (await runner.token({ clientId: 'a' })).split('.')[0];
    const firstKid = await kid(first);
    await assert.rejects(start(dataDir), /DataInUseError: .* is in use by another runner/);
    await first.stop();
    assert.equal(statSync(join(dataDir, 'secrets.json')).mode & 0o777, 0o600);
    assert.equal(statSync(join(dataDir, 'issuer.json')).mode & 0o777, 0o600);

    const second = await start(dataDir);
    const again = new SQSClient({ ...second.aws, endpoint: second.aws.servicesUrl });
    const { Attributes } = await again.send(
      new GetQueueAttributesCommand({
        QueueUrl: refOf(second, 'AWS::SQS::Queue', 'DeadLetters'),
        AttributeNames: ['ApproximateNumberOfMessages'],
      }),
    );
    again.destroy();
    assert.equal(Attributes?.['ApproximateNumberOfMessages'], '1');
    assert.ok(await has(second, 'kept'));
    assert.equal(await secretOf(second), secret);
    assert.equal(await kid(second), firstKid);
    await second.stop();
  });

  test('killed at any moment, comes back with everything that was acknowledged', async () => {
    const dataDir = join(folder, 'killed');
    const acknowledged: string[] = [];
    for (let kill = 0; kill < 3; kill++) {
      const { child, target } = await startProcess(dataDir);
      const writes = Array.from({ length: 40 }, async (_, index) => {
        const key = `kill-${kill}-${index}`;
        await put(target, key).then(
          () => acknowledged.push(key),
          () => undefined, // Not acknowledged: it may be there or not.
        );
      });
      await Promise.race(writes.slice(10 * (kill + 1)));
      child.kill('SIGKILL');
      await once(child, 'exit');
      await Promise.all(writes);
    }
    const runner = await start(dataDir);
    assert.ok(acknowledged.length > 0);
    for (const key of acknowledged) assert.ok(await has(runner, key), key);
    await runner.stop();
  });

  test('says so when its port is taken, and leaves nothing behind', async () => {
    const { port, close } = await portTaken();
    const dataDir = join(folder, 'port');
    await assert.rejects(start(dataDir, port), /PortInUseError: port \d+ is in use/);
    close();
    const runner = await start(dataDir, port);
    assert.equal(runner.baseUrl, `http://127.0.0.1:${port}`);
    await runner.stop();
  });
});
