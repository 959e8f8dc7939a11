import { GetQueueAttributesCommand, SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, test } from '@jest/globals';
import { startRunner } from '../../local/runner/runner.ts';
import type { Runner } from '../../local/runner/runner.ts';
import { FixtureStack } from './runner-fixture/stack.ts';
import { synthesized } from './runner-fixture/synthesized.ts';
import { eventually } from './eventually.ts';

interface Line {
  readonly worker: 'start' | 'end';
  readonly bodies: readonly string[];
  readonly event?: SQSEvent;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

describe('event sources of the runner', () => {
  let runner: Runner;
  let sqs: SQSClient;
  let work = '';
  let dead = '';
  const lines: Line[] = [];

  beforeAll(async () => {
    runner = await startRunner({
      synthesize: synthesized((app) => new FixtureStack(app, 'Fixture')),
      log(text) {
        for (const line of text.split('\n').filter((each) => each.includes(',"worker":"'))) {
          lines.push(JSON.parse(line) as Line);
        }
      },
    });
    const { servicesUrl, region, credentials } = runner.aws;
    sqs = new SQSClient({ endpoint: servicesUrl, region, credentials });
    const queue = (name: string) => runner.resources.find(({ logicalId }) => logicalId.startsWith(name))?.ref ?? '';
    work = queue('WorkB');
    dead = queue('DeadLetters');
    await send({ id: 'warm' });
    await eventually(() => starts('warm').length === 1);
  });
  afterAll(async () => {
    sqs.destroy();
    await runner.stop();
  });
  beforeEach(() => {
    lines.length = 0;
  });

  const send = (body: object) =>
    sqs.send(new SendMessageCommand({ QueueUrl: work, MessageBody: JSON.stringify(body) }));
  const starts = (id: string) =>
    lines.filter((line) => line.worker === 'start' && line.bodies.some((body) => body.includes(`"id":"${id}"`)));
  async function depth(url: string): Promise<number> {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
    );
    return (
      Number(Attributes['ApproximateNumberOfMessages']) + Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
    );
  }

  test('an idle worker has a message within milliseconds, in the shape of SQS events', async () => {
    const before = Date.now();
    await send({ id: 'quick' });
    await eventually(() => starts('quick').length === 1);
    assert.ok((starts('quick')[0]?.at ?? Infinity) - before < 300);
    const record = starts('quick')[0]?.event?.Records[0];
    assert.equal(record?.body, '{"id":"quick"}');
    assert.equal(record.eventSource, 'aws:sqs');
    assert.equal(record.awsRegion, 'us-east-1');
    assert.match(record.eventSourceARN, /^arn:aws:sqs:us-east-1:000000000000:/);
    assert.equal(record.attributes.ApproximateReceiveCount, '1');
    assert.match(record.md5OfBody, /^[0-9a-f]{32}$/);
    await eventually(async () => (await depth(work)) === 0);
  });

  test('of a batch only the failed message comes again, after its visibility', async () => {
    const messages = [{ id: 'good' }, { id: 'bad', fail: true }];
    await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: work,
        Entries: messages.map((body, index) => ({ Id: String(index), MessageBody: JSON.stringify(body) })),
      }),
    );
    await eventually(() => starts('bad').length === 2);
    assert.equal(starts('good').length, 1);
    const [first, second] = starts('bad');
    assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= 1900);
    await eventually(async () => (await depth(dead)) === 1);
    assert.equal(starts('bad').length, 3, 'three receives, then the dead letter queue');
  });

  test('no more invocations at a time than MaximumConcurrency', async () => {
    const many = () => lines.filter(({ bodies }) => bodies.every((body) => body.includes('many')));
    const ended = () => many().filter(({ worker }) => worker === 'end');
    // Longer than an event waits for two busy threads: without a limit a third one would start.
    for (let index = 0; index < 12; index++) await send({ id: `many-${index}`, sleepMs: 800 });
    await eventually(() => ended().flatMap(({ bodies }) => bodies).length >= 12);
    let running = 0;
    let most = 0;
    for (const { worker } of many()) {
      running += worker === 'start' ? 1 : -1;
      most = Math.max(most, running);
    }
    assert.equal(most, 2);
  });

  test('an exception, a malformed answer and a time-out each fail the whole batch', async () => {
    const orders = [
      { id: 'thrown', throw: true },
      { id: 'odd', odd: true },
      { id: 'slow', sleepMs: 1500 },
    ];
    for (const order of orders) {
      await send(order);
      await eventually(() => starts(order.id).length === 1);
    }
    await eventually(() => orders.every(({ id }) => starts(id).length >= 2));
  });
});
