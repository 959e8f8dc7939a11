import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { GetTopicAttributesCommand, PublishBatchCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Message } from '@aws-sdk/client-sqs';
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRunner } from '../../local/runner/runner.ts';
import type { Runner } from '../../local/runner/runner.ts';
import { EventsStack } from './runner-fixture/events-stack.ts';
import { synthesized } from './runner-fixture/synthesized.ts';
import { eventually } from './eventually.ts';
import { afterTest } from '../fixture.ts';

interface Published {
  readonly archived: boolean;
  readonly event: { readonly 'detail-type': string; readonly detail: { readonly id: string; readonly n: number } };
}

/** Starts a fixture. Returns it with the parts that the tests read. */
async function start(dataDir?: string) {
  const lines: string[] = [];
  const runner = await startRunner({
    synthesize: synthesized((app) => new EventsStack(app, 'Events')),
    dataDir,
    log: (text) => lines.push(...text.split('\n')),
  });
  const { endpoint, servicesUrl, region, credentials } = runner.aws;
  const local = { endpoint: servicesUrl, region, credentials, maxAttempts: 1 };
  const dynamodb = new DynamoDBClient({ ...local, endpoint });
  const sqs = new SQSClient(local);
  const ref = (name: string, type: string): string => {
    const found = runner.resources.find((each) => each.type === type && each.logicalId.startsWith(name));
    assert.ok(found, `${type} ${name}`);
    return found.ref;
  };
  return {
    runner,
    ref,
    lines,
    eventbridge: new EventBridgeClient(local),
    sns: new SNSClient(local),
    async put(id: string, n: number, poison = false): Promise<void> {
      const Item = { pk: { S: id }, n: { N: String(n) }, ...(poison && { poison: { BOOL: true } }) };
      await dynamodb.send(new PutItemCommand({ TableName: ref('Things', 'AWS::DynamoDB::GlobalTable'), Item }));
    },
    /** Receives messages from a queue until `enough` of them are there. */
    async take(queue: string, enough: (messages: readonly Message[]) => boolean): Promise<readonly Message[]> {
      const taken: Message[] = [];
      const QueueUrl = ref(queue, 'AWS::SQS::Queue');
      const limit = Date.now() + 20_000;
      while (!enough(taken)) {
        assert.ok(Date.now() < limit, `${queue}: not in time, after ${JSON.stringify(taken)}`);
        const { Messages = [] } = await sqs
          .send(
            new ReceiveMessageCommand({
              QueueUrl,
              MaxNumberOfMessages: 10,
              WaitTimeSeconds: 1,
              MessageAttributeNames: ['All'],
            }),
          )
          .catch(() => ({ Messages: [] }));
        taken.push(...Messages);
        for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
      return taken;
    },
    async published(query = ''): Promise<Published[]> {
      const response = await fetch(`${runner.baseUrl}/local/events${query}`);
      return ((await response.json()) as { items: Published[] }).items;
    },
  };
}

const has =
  (...ids: string[]) =>
  (messages: readonly Message[]) =>
    ids.every((id) => messages.some(({ Body = '' }) => Body.includes(`"${id}"`)));

const within20s = (isSo: () => boolean | Promise<boolean>) => eventually(isSo, { limitMs: 20_000 });

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

describe('the way of an event', () => {
  let fixture: Awaited<ReturnType<typeof start>>;
  let runner: Runner;
  beforeAll(async () => {
    fixture = await start();
    ({ runner } = fixture);
  });
  afterAll(() => runner.stop());

  const entry = (more: PutEventsRequestEntry = {}): PutEventsRequestEntry => ({
    EventBusName: fixture.ref('Bus', 'AWS::Events::EventBus'),
    Source: 'things',
    DetailType: 'thing.told',
    Detail: JSON.stringify({ id: 'told', n: 1 }),
    ...more,
  });

  test('a change of an item becomes an event, a message, a line of an object and an item of the archive', async () => {
    await fixture.put('apple', 1);
    await fixture.put('apple', 2);
    await fixture.put('pear', 1);
    const messages = await fixture.take('Inbox', (taken) => taken.length >= 3);
    const details = messages.map(({ Body = '' }) => JSON.parse(Body) as Published['event']);
    const told = details.map(({ 'detail-type': type, detail }) => `${type} ${detail.id} ${detail.n}`);
    assert.deepEqual(told.sort(), ['thing.insert apple 1', 'thing.insert pear 1', 'thing.modify apple 2']);
    assert.deepEqual(Object.keys(details[0] ?? {}), [
      'version',
      'id',
      'detail-type',
      'source',
      'account',
      'time',
      'region',
      'resources',
      'detail',
    ]);

    const published = await fixture.published();
    assert.deepEqual(
      published.map(({ archived, event }) => `${event.detail.id} ${event.detail.n} ${archived}`).sort(),
      ['apple 1 true', 'apple 2 false', 'pear 1 true'],
    );
    assert.equal((await fixture.published('?type=thing.modify')).length, 1);
    assert.equal((await fixture.published('?limit=2')).length, 2);
    assert.equal((await fetch(`${runner.baseUrl}/local/events?limit=0`)).status, 400);

    const bucket = join(runner.bucketsFolder, fixture.ref('Bucket', 'AWS::S3::Bucket'));
    const lines = (): string[] =>
      files(bucket).flatMap((file) => readFileSync(join(bucket, file), 'utf8').split('\n').filter(Boolean));
    await within20s(() => lines().length === 3);
    assert.deepEqual([...lines()].sort(), ['{"id":"apple","n":1}', '{"id":"apple","n":2}', '{"id":"pear","n":1}']);
    for (const file of files(bucket)) {
      assert.match(file, /^events\/day=\d{4}-\d\d-\d\d\/[^/]+-1-(\d+-){6}[0-9a-f-]{36}$/);
    }
    await within20s(() => fixture.lines.filter((line) => line.includes('"listener":"apple"')).length === 1);
  });

  test('one record that always fails does not hold up the others, and its place is reported', async () => {
    await fixture.put('before', 1);
    await fixture.put('poison', 1, true);
    await fixture.put('behind', 1);
    await fixture.take('Inbox', has('before', 'behind'));
    const [given] = await fixture.take('GivenUp', (taken) => taken.length > 0);
    const report = JSON.parse(given?.Body ?? '') as {
      requestContext: { condition: string; approximateInvokeCount: number; functionArn: string };
      DDBStreamBatchInfo: {
        batchSize: number;
        startSequenceNumber: string;
        endSequenceNumber: string;
        shardId: string;
      };
    };
    assert.equal(report.requestContext.condition, 'RetryAttemptsExhausted');
    assert.equal(report.requestContext.approximateInvokeCount, 4);
    assert.match(report.requestContext.functionArn, /^arn:aws:lambda:us-east-1:000000000000:function:/);
    assert.equal(report.DDBStreamBatchInfo.batchSize, 1);
    assert.equal(report.DDBStreamBatchInfo.startSequenceNumber, report.DDBStreamBatchInfo.endSequenceNumber);
  });

  test('while the bus is away, and while it refuses some entries, writes go on; then everything is delivered', async () => {
    const change = await fetch(`${runner.baseUrl}/local/faults`, { method: 'PUT', body: '{"eventbridge": true}' });
    assert.deepEqual(await change.json(), { eventbridge: true, sns: false, sqs: false });
    await fixture.put('away-1', 1);
    await assert.rejects(
      fixture.eventbridge.send(new PutEventsCommand({ Entries: [entry()] })),
      (error: Error & { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode === 503,
    );
    await sleep(200);
    assert.ok(!(await fixture.published()).some(({ event }) => event.detail.id === 'away-1'));
    runner.faults.set('eventbridge', 0.5);
    const Entries = Array.from({ length: 4 }, () => entry());
    const partial = await fixture.eventbridge.send(new PutEventsCommand({ Entries }));
    assert.ok(partial.FailedEntryCount === 2, JSON.stringify(partial));
    assert.deepEqual(partial.Entries?.map(({ ErrorCode = 'sent' }) => ErrorCode).sort(), [
      'InternalFailure',
      'InternalFailure',
      'sent',
      'sent',
    ]);
    await fixture.put('away-2', 1);
    await fixture.take('Inbox', has('away-1', 'away-2'));
    runner.faults.set('eventbridge', false);
    const wrong = await fetch(`${runner.baseUrl}/local/faults`, { method: 'PUT', body: '{"s3": true}' });
    assert.deepEqual([wrong.status, await wrong.json()], [400, { message: 's3 is not one of eventbridge, sns, sqs' }]);
  });

  test('while SQS is away, what was published waits', async () => {
    runner.faults.set('sqs', true);
    await fixture.put('patient', 1);
    await within20s(async () => (await fixture.published()).some(({ event }) => event.detail.id === 'patient'));
    await sleep(300);
    runner.faults.set('sqs', false);
    await fixture.take('Inbox', has('patient'));
  });

  test('what a target does not take ends in its dead letters', async () => {
    await fixture.put('large', 1000);
    const [letter] = await fixture.take('Undelivered', (taken) => taken.length > 0);
    const { what, more } = JSON.parse(letter?.Body ?? '') as { what: string; more: string };
    assert.deepEqual([what, more.length], ['large', 2000]);
    const attribute = (name: string) => letter?.MessageAttributes?.[name]?.StringValue;
    assert.equal(attribute('EXHAUSTED_RETRY_CONDITION'), 'MaximumRetryAttempts');
    assert.equal(attribute('RETRY_ATTEMPTS'), '1');
  });

  test('a function that fails on an event gets it again, and then its destination', async () => {
    await fixture.put('disliked', 1);
    const [report] = await fixture.take('Disliked', (taken) => taken.length > 0);
    const { requestContext, requestPayload, responsePayload } = JSON.parse(report?.Body ?? '') as {
      requestContext: object;
      requestPayload: Published['event'];
      responsePayload: object;
    };
    assert.equal((requestContext as { condition: string }).condition, 'RetriesExhausted');
    assert.equal(requestPayload.detail.id, 'disliked');
    assert.deepEqual(responsePayload, { errorType: 'Error', errorMessage: 'not this one' });
    assert.equal(fixture.lines.filter((line) => line.includes('"listener":"disliked"')).length, 2);
  });

  test('entries that EventBridge would refuse are refused one by one, a request as a whole', async () => {
    const { FailedEntryCount, Entries } = await fixture.eventbridge.send(
      new PutEventsCommand({
        Entries: [
          entry(),
          entry({ Detail: '[1]' }),
          entry({ Detail: 'no' }),
          entry({ Source: undefined }),
          entry({ Source: 'aws.things' }),
          entry({ EventBusName: 'stranger' }),
        ],
      }),
    );
    assert.equal(FailedEntryCount, 5);
    assert.deepEqual(
      Entries?.map(({ ErrorCode, EventId }) => ErrorCode ?? typeof EventId),
      [
        'string',
        'MalformedDetail',
        'MalformedDetail',
        'InvalidArgument',
        'NotAuthorizedForSourceException',
        'ResourceNotFoundException',
      ],
    );
    const put = (Entries: PutEventsRequestEntry[]) => fixture.eventbridge.send(new PutEventsCommand({ Entries }));
    await assert.rejects(put(Array.from({ length: 11 }, () => entry())), { name: 'ValidationException' });
    await assert.rejects(put([]), { name: 'ValidationException' });
    const long = JSON.stringify({ text: 'x'.repeat(262_144) });
    await assert.rejects(put([entry({ Detail: long })]), { name: 'ValidationException' });
  });

  test('a message reaches those who subscribed to it, and can be looked at', async () => {
    const { sns } = fixture;
    const TopicArn = fixture.ref('Topic', 'AWS::SNS::Topic');
    const text = 'a < b & "c" + é 😀\nnext';
    const channel = (StringValue: string) => ({ channel: { DataType: 'String', StringValue } });
    const { MessageId } = await sns.send(
      new PublishCommand({ TopicArn, Message: text, Subject: 'hello', MessageAttributes: channel('email') }),
    );
    const batch = await sns.send(
      new PublishBatchCommand({
        TopicArn,
        PublishBatchRequestEntries: [
          { Id: 'sms', Message: 'by sms', MessageAttributes: channel('sms') },
          { Id: 'empty', Message: '' },
        ],
      }),
    );
    assert.deepEqual(
      batch.Successful?.map(({ Id }) => Id),
      ['sms'],
    );
    assert.deepEqual(
      batch.Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault]),
      [['empty', 'InvalidParameter', true]],
    );
    const [raw] = await fixture.take('Mail', (taken) => taken.length > 0);
    assert.equal(raw?.Body, text);
    assert.equal(raw.MessageAttributes?.['channel']?.StringValue, 'email');
    const wrapped = await fixture.take('Everything', (taken) => taken.length >= 2);
    const envelopes = wrapped.map(({ Body = '' }) => JSON.parse(Body) as Record<string, unknown>);
    const first = envelopes.find((envelope) => envelope['MessageId'] === MessageId);
    assert.equal(first?.['Message'], text);
    assert.deepEqual(first['MessageAttributes'], { channel: { Type: 'String', Value: 'email' } });
    await within20s(() => fixture.lines.some((line) => line.includes('"listener":"by sms"')));

    const response = await fetch(`${runner.baseUrl}/local/notifications?limit=2`);
    const { items } = (await response.json()) as { items: { message: string; attributes: object }[] };
    assert.deepEqual(
      items.map(({ message }) => message),
      ['by sms', text],
    );
    assert.deepEqual(items[1]?.attributes, channel('email'));

    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
    assert.equal(Attributes?.['SubscriptionsConfirmed'], '3');
    await assert.rejects(sns.send(new PublishCommand({ TopicArn: `${TopicArn}-not`, Message: 'x' })), {
      name: 'NotFoundException',
    });
    await assert.rejects(sns.send(new PublishCommand({ TopicArn, Message: 'x'.repeat(262_145) })), {
      name: 'InvalidParameterException',
    });
    runner.faults.set('sns', true);
    await assert.rejects(sns.send(new PublishCommand({ TopicArn, Message: 'x' })), /switched off/);
    runner.faults.set('sns', false);
  });
});

test('what was not delivered when the runner stopped is delivered by the next one', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'runner-events-'));
  afterTest(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });
  const first = await start(dataDir);
  afterTest(() => first.runner.stop());
  await first.put('seen', 1);
  await first.take('Inbox', has('seen'));
  first.runner.faults.set('sqs', true);
  await first.put('waiting', 1);
  await within20s(async () => (await first.published()).some(({ event }) => event.detail.id === 'waiting'));
  first.runner.faults.set('eventbridge', true);
  await first.put('unread', 1);
  await first.runner.stop();

  const second = await start(dataDir);
  afterTest(() => second.runner.stop());
  const messages = await second.take('Inbox', has('waiting', 'unread'));
  assert.ok(!has('seen')(messages), 'the position in the stream was kept');
  assert.equal((await second.published()).length, 3);
});
