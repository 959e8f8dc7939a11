import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, test } from '@jest/globals';
import { ensureTable, localCredentials, startEngine } from '../../local/dynamodb/dynamodb.ts';
import { openTableStream } from '../../local/dynamodb/table-streams.ts';

const region = 'us-east-1';
const TableName = 'streamed';
const streamArn = `arn:aws:dynamodb:${region}:000000000000:table/${TableName}/stream/local`;

describe("the stream of the engine's table", () => {
  const folder = mkdtempSync(join(tmpdir(), 'runner-streams-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  async function open() {
    const engine = await startEngine(join(folder, 'dynamodb.sqlite'));
    const client = new DynamoDBClient({ endpoint: engine.endpoint, region, credentials: localCredentials });
    await ensureTable(engine.endpoint, region, {
      create: {
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      },
    });
    const stream = await openTableStream(engine.endpoint, TableName, streamArn);
    assert.ok(stream);
    return { engine, client, stream };
  }
  const setTo = (client: DynamoDBClient, n: number) =>
    client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: { S: 'a' } },
        UpdateExpression: 'SET n = :n',
        ExpressionAttributeValues: { ':n': { N: String(n) } },
      }),
    );

  test('has records as Lambda hands them over, none for a write that changes nothing, and outlives the engine', async () => {
    const first = await open();
    await first.client.send(
      new PutItemCommand({ TableName, Item: { pk: { S: 'a' }, n: { N: '1' }, bytes: { B: Buffer.from('xyz') } } }),
    );
    await setTo(first.client, 2);
    await setTo(first.client, 2);
    const [shard] = await first.stream.shards();
    const shardId = shard?.ShardId ?? '';
    const page = await first.stream.read(shardId, '');
    assert.deepEqual(
      page.records.map(({ eventName }) => eventName),
      ['INSERT', 'MODIFY'],
    );
    const [insert, modify] = page.records;
    const bytes = { B: Buffer.from('xyz').toString('base64') };
    const { ApproximateCreationDateTime: created, SizeBytes: size, ...change } = modify?.dynamodb ?? {};
    assert.deepEqual(change, {
      Keys: { pk: { S: 'a' } },
      NewImage: { pk: { S: 'a' }, n: { N: '2' }, bytes },
      OldImage: { pk: { S: 'a' }, n: { N: '1' }, bytes },
      SequenceNumber: '2',
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    });
    assert.ok(typeof size === 'number' && typeof created === 'number' && Math.abs(created - Date.now() / 1000) < 60);
    assert.ok(!('OldImage' in (insert?.dynamodb ?? {})));
    const { eventID, dynamodb: _, ...envelope } = insert ?? {};
    assert.match(eventID ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(envelope, {
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: region,
      eventSourceARN: streamArn,
    });
    first.stream.close();
    await first.engine.stop();

    const second = await open();
    await setTo(second.client, 3);
    const next = await second.stream.read(shardId, page.position);
    assert.deepEqual(
      next.records.map(({ dynamodb }) => dynamodb.NewImage?.['n']),
      [{ N: '3' }],
    );
    assert.deepEqual((await second.stream.read(shardId, next.position)).records, []);

    const path = join(folder, 'dynamodb.sqlite');
    const aged = new DatabaseSync(path);
    aged.exec('UPDATE _stream_records SET created_at = created_at - 100000');
    aged.close();
    second.engine.trimStream(TableName, next.position);
    await setTo(second.client, 4);
    const left = await second.stream.read(shardId, '');
    assert.deepEqual(
      left.records.map(({ dynamodb }) => dynamodb.NewImage?.['n']),
      [{ N: '3' }, { N: '4' }],
    );
    second.stream.close();
    second.client.destroy();
    first.client.destroy();
    await second.engine.stop();
  });
});
