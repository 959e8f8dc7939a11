import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { localCredentials } from '../../local/dynamodb/dynamodb.ts';
import { createQueueService } from '../../local/sqs/queue-service.ts';
import { openQueues } from '../../local/sqs/queues.ts';
import type { Queues, QueueSettings } from '../../local/sqs/queues.ts';
import { openEndpoint } from '../../local/machine/endpoint.ts';
import type { Endpoint } from '../../local/machine/endpoint.ts';

const folder = mkdtempSync(join(tmpdir(), 'runner-queues-'));
const started: { client: SQSClient; endpoint: Endpoint; queues: Queues }[] = [];

const arn = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`;
const settings = (name: string, more: Partial<QueueSettings> = {}): QueueSettings => ({
  name,
  arn: arn(name),
  visibilityTimeoutSeconds: 30,
  delaySeconds: 0,
  waitSeconds: 0,
  retentionSeconds: 345_600,
  maximumBytes: 262_144,
  ...more,
});

async function serve(path = ':memory:') {
  let url = '';
  const queues = openQueues(path);
  queues.create(settings('dead'));
  queues.create(settings('work', { redrive: { arn: arn('dead'), maxReceiveCount: 2 } }));
  const endpoint = await openEndpoint();
  url = endpoint.url;
  endpoint.serve(
    'AmazonSQS',
    createQueueService(queues, (name) => `${url}/0/${name}`),
  );
  const client = new SQSClient({ endpoint: url, region: 'us-east-1', credentials: localCredentials });
  started.push({ client, endpoint, queues });
  return { client, queues, work: `${url}/0/work`, dead: `${url}/0/dead` };
}

async function stopAll(): Promise<void> {
  for (const { client, endpoint, queues } of started.splice(0)) {
    client.destroy();
    await endpoint.close();
    queues.close();
  }
}

describe('the SQS of the runner, seen by the SDK', () => {
  let queue: Awaited<ReturnType<typeof serve>>;
  const send = (body: string, more: { DelaySeconds?: number } = {}) =>
    queue.client.send(new SendMessageCommand({ QueueUrl: queue.work, MessageBody: body, ...more }));
  const receive = async (more: Partial<ConstructorParameters<typeof ReceiveMessageCommand>[0]> = {}) =>
    (await queue.client.send(new ReceiveMessageCommand({ QueueUrl: queue.work, ...more }))).Messages ?? [];

  beforeEach(async () => {
    await stopAll();
    queue = await serve();
  });
  afterAll(async () => {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a received message is invisible, and gone when deleted', async () => {
    await send('héllo');
    const [message] = await receive();
    assert.equal(message?.Body, 'héllo'); // The SDK has compared MD5s.
    assert.deepEqual(await receive(), []);
    await queue.client.send(
      new DeleteMessageCommand({ QueueUrl: queue.work, ReceiptHandle: message.ReceiptHandle ?? '' }),
    );
    assert.deepEqual(queue.queues.get('work')?.counts(), { visible: 0, notVisible: 0, delayed: 0 });
  });

  test('visibility ends: the message comes again, counted, and an old handle deletes nothing', async () => {
    await send('again');
    const [first] = await receive({ VisibilityTimeout: 0 });
    const [second] = await receive({ MessageSystemAttributeNames: ['All'], WaitTimeSeconds: 1 });
    assert.equal(second?.Attributes?.['ApproximateReceiveCount'], '2');
    await queue.client.send(
      new DeleteMessageCommand({ QueueUrl: queue.work, ReceiptHandle: first?.ReceiptHandle ?? '' }),
    );
    assert.equal(queue.queues.get('work')?.counts().notVisible, 1);
  });

  test('changing the visibility brings a message back at once', async () => {
    await send('soon');
    const [message] = await receive();
    const waiting = receive({ WaitTimeSeconds: 5 });
    const before = performance.now();
    await queue.client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queue.work,
        ReceiptHandle: message?.ReceiptHandle ?? '',
        VisibilityTimeout: 0,
      }),
    );
    assert.equal((await waiting)[0]?.Body, 'soon');
    assert.ok(performance.now() - before < 500);
  });

  test('long polling wakes at the send, not later', async () => {
    const waiting = receive({ WaitTimeSeconds: 5 });
    await sleep(50);
    const before = performance.now();
    await send('now');
    assert.equal((await waiting).length, 1);
    assert.ok(performance.now() - before < 500);
  });

  test('a delayed message is not there before its time', async () => {
    await send('later', { DelaySeconds: 1 });
    assert.equal((await receive()).length, 0);
    assert.equal(queue.queues.get('work')?.counts().delayed, 1);
    const before = performance.now();
    assert.equal((await receive({ WaitTimeSeconds: 3 })).length, 1);
    assert.ok(performance.now() - before > 700);
  });

  test('the third receive finds the message in the dead letter queue, and a move task brings it back', async () => {
    await send('poison');
    await receive({ VisibilityTimeout: 0 });
    await sleep(5);
    await receive({ VisibilityTimeout: 0 });
    await sleep(5);
    assert.equal((await receive()).length, 0);
    assert.equal(queue.queues.get('dead')?.counts().visible, 1);
    await queue.client.send(new StartMessageMoveTaskCommand({ SourceArn: arn('dead') }));
    assert.equal((await receive())[0]?.Body, 'poison');
  });

  test('a batch reports each entry, with message attributes that the SDK can check', async () => {
    const sent = await queue.client.send(
      new SendMessageBatchCommand({
        QueueUrl: queue.work,
        Entries: [
          { Id: 'a', MessageBody: '1', MessageAttributes: { Kind: { DataType: 'String', StringValue: 'x' } } },
          { Id: 'b', MessageBody: '2', DelaySeconds: 5000 },
        ],
      }),
    );
    assert.deepEqual(
      sent.Successful?.map((entry) => entry.Id),
      ['a'],
    );
    assert.deepEqual(
      sent.Failed?.map((entry) => [entry.Id, entry.Code]),
      [['b', 'InvalidParameterValue']],
    );
    const [message] = await receive({ MessageAttributeNames: ['All'] });
    assert.equal(message?.MessageAttributes?.['Kind']?.StringValue, 'x');
    assert.equal(message.MD5OfMessageAttributes, sent.Successful[0]?.MD5OfMessageAttributes);
  });

  test('attributes, address and purge', async () => {
    await send('one');
    const { QueueUrl } = await queue.client.send(new GetQueueUrlCommand({ QueueName: 'work' }));
    assert.equal(QueueUrl, queue.work);
    const attributes = await queue.client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    assert.equal(attributes.Attributes?.['ApproximateNumberOfMessages'], '1');
    assert.equal(attributes.Attributes['QueueArn'], arn('work'));
    await queue.client.send(new PurgeQueueCommand({ QueueUrl }));
    assert.equal(queue.queues.get('work')?.counts().visible, 0);
  });

  test('errors are the classes that the SDK knows', async () => {
    const rejects = (promise: Promise<unknown>, name: string) =>
      assert.rejects(promise, (error: Error) => {
        assert.equal(error.name, name);
        return true;
      });
    await rejects(
      queue.client.send(new SendMessageCommand({ QueueUrl: `${queue.work}-not`, MessageBody: 'x' })),
      'QueueDoesNotExist',
    );
    await rejects(
      queue.client.send(new DeleteMessageCommand({ QueueUrl: queue.work, ReceiptHandle: 'nonsense' })),
      'ReceiptHandleIsInvalid',
    );
    await rejects(
      queue.client.send(new SendMessageBatchCommand({ QueueUrl: queue.work, Entries: [] })),
      'EmptyBatchRequest',
    );
    await rejects(send('bell \u0007'), 'InvalidMessageContents');
    await rejects(send('x'.repeat(262_145)), 'InvalidParameterValue');
    await send('x');
    const [message] = await receive({ VisibilityTimeout: 0 });
    await sleep(5);
    await rejects(
      queue.client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: queue.work,
          ReceiptHandle: message?.ReceiptHandle ?? '',
          VisibilityTimeout: 1,
        }),
      ),
      'MessageNotInflight',
    );
  });

  test('messages outlive the process; those in flight are visible again, delayed ones keep their time', async () => {
    await stopAll();
    const path = join(folder, 'kept.sqlite');
    queue = await serve(path);
    await send('waiting');
    await receive();
    await send('delayed', { DelaySeconds: 900 });
    assert.throws(() => openQueues(path), /locked/, 'a second runner is kept out');
    await stopAll();
    queue = await serve(path);
    assert.deepEqual(queue.queues.get('work')?.counts(), { visible: 1, notVisible: 0, delayed: 1 });
    const [message] = await receive({ MessageSystemAttributeNames: ['All'] });
    assert.equal(message?.Body, 'waiting');
    assert.equal(message.Attributes?.['ApproximateReceiveCount'], '2');
  });
});
