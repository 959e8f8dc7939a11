/**
 * What callers get, and what becomes of the money, when SQS, EventBridge, SNS or Secrets Manager throttles, fails or
 * loses an answer. No emulator does that on request, so here the SDK's clients answer as the test says.
 */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PublishBatchCommand, SNSClient } from '@aws-sdk/client-sns';
import type { PublishBatchCommandInput, PublishBatchRequestEntry } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Context, DynamoDBRecord, SQSEvent } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import assert from 'node:assert/strict';
import { beforeAll, beforeEach, describe, it } from '@jest/globals';
import { bankNotifications } from '../../lambdas/api/bank-notifications.ts';
import { withdraw } from '../../lambdas/api/withdraw.ts';
import { secretsClient, snsClient, sqsClient } from '../../lambdas/aws/clients.ts';
import { openQueue, openQueueDepth } from '../../lambdas/aws/queue.ts';
import { openBank } from '../../lambdas/bank/client.ts';
import { openRequestKeys, openSecret } from '../../lambdas/bank/secret.ts';
import { sign } from '../../lambdas/bank/signature.ts';
import { notifiedEvents } from '../../lambdas/contract.ts';
import type { WorkMessage } from '../../lambdas/contract.ts';
import { consumeEvents } from '../../lambdas/events/event-consumer.ts';
import { openTopic } from '../../lambdas/events/topic.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { watchDepth } from '../../lambdas/http/overload.ts';
import { putPreferences } from '../../lambdas/store/preferences.ts';
import { notifyOwners } from '../../lambdas/workers/notifier.ts';
import { open as openRelay } from '../../lambdas/workers/relay.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { advanceWithdrawal } from '../../lambdas/workers/withdrawals.ts';
import { sampleEnvironment } from '../../bench/sample-environment.ts';
import { newBooks } from '../books.ts';
import { newSentTable } from '../engine.ts';
import { useEngine, useTable } from '../fixture.ts';
import { endUser, send } from '../request.ts';
import { eventsIn } from '../simulation/consumers.ts';
import { charge, destination, newKey, timeOf } from './commands.ts';
import { acceptedWithdrawal, bankId } from './visits.ts';
import { balanceOf, fundedWallet } from './wallets.ts';

/** An error as the SDK throws it. */
function failure(name: string, fault: 'client' | 'server', status?: number): Error {
  return Object.assign(new Error(name), { name, $fault: fault, $metadata: { httpStatusCode: status } });
}

const failures = {
  throttles: failure('ThrottlingException', 'client', 400),
  'has an internal error': failure('InternalError', 'server', 500),
  'loses its answer': failure('TimeoutError', 'client'),
};

const sqs = mockClient(SQSClient);
const bus = mockClient(EventBridgeClient);
const sns = mockClient(SNSClient);
const secrets = mockClient(SecretsManagerClient);
beforeEach(() => {
  for (const client of [sqs, bus, sns, secrets]) client.reset();
  sqs.on(GetQueueAttributesCommand).resolves({ Attributes: {} });
  secrets.on(GetSecretValueCommand).resolves({ SecretString: 'a key' });
});

const engine = useEngine();
const table = useTable(engine);
const queueUrl = 'http://127.0.0.1:9/queue';

function sweepAll() {
  const client = sqsClient();
  const queue = { send: openQueue<WorkMessage>(client, queueUrl).sendAll, depth: openQueueDepth(client, queueUrl) };
  return sweep({ table, withdrawals: queue, transfers: queue });
}

/** Returns how often the queue was sent this id, whatever it answered. */
function timesSent(transactionId: unknown): number {
  const single = sqs.commandCalls(SendMessageCommand).map(({ args: [{ input }] }) => input.MessageBody ?? '');
  const batches = sqs.commandCalls(SendMessageBatchCommand).flatMap(({ args: [{ input }] }) => input.Entries ?? []);
  const bodies = [...single, ...batches.map(({ MessageBody = '' }) => MessageBody)];
  return bodies.filter((body) => body.includes(String(transactionId))).length;
}

describe('a withdrawal', () => {
  /** Withdraws 30 of 100 by the route, in a new container. */
  async function newCaller() {
    const walletId = await fundedWallet(table, 'ann', 100);
    const client = sqsClient();
    const handler = serve(withdraw, {
      table,
      queue: openQueue(client, queueUrl),
      isOverloaded: watchDepth(openQueueDepth(client, queueUrl), 10, table.now),
      limits: openLimits({ readsPerHour: 1_000, refusalsPerHour: 1_000, perHour: 1_000 }),
    });
    const request = { as: endUser('ann'), path: { walletId }, key: newKey(), body: { amount: 30, destination } };
    return { walletId, ask: () => send('withdraw', handler, request) };
  }

  for (const [how, error] of Object.entries(failures)) {
    it(`is accepted while SQS ${how}, holds its money once, and is queued by the sweeper`, async () => {
      sqs.on(SendMessageCommand).rejects(error);
      const { walletId, ask } = await newCaller();
      const answer = await ask();
      assert.deepEqual([answer.status, answer.body?.['status']], [202, 'pending']);
      const id = answer.body?.['transactionId'];
      const repeated = await ask();
      assert.deepEqual([repeated.status, repeated.body?.['transactionId']], [202, id]);
      assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
      assert.equal(timesSent(id), 1);
      sqs.on(SendMessageBatchCommand).resolves({});
      table.clock.now += 120_000;
      await sweepAll();
      assert.equal(timesSent(id), 2);
    });

    it(`is accepted while SQS ${how} when it is asked for its depth`, async () => {
      sqs.on(GetQueueAttributesCommand).rejects(error);
      sqs.on(SendMessageCommand).resolves({});
      const { ask } = await newCaller();
      for (let command = 0; command < 2; command++) assert.equal((await ask()).status, 202);
    });

    it(`stays due when SQS ${how} in a sweep, and the next sweep queues it`, async () => {
      const { walletId, transactionId } = await acceptedWithdrawal(table);
      table.clock.now += 120_000;
      sqs.on(SendMessageBatchCommand).rejects(error);
      await assert.rejects(sweepAll(), { name: error.name });
      const before = timesSent(transactionId);
      assert.equal(before, 1);
      sqs.on(SendMessageBatchCommand).resolves({});
      await sweepAll();
      assert.equal(timesSent(transactionId), before, 'not within the grace');
      table.clock.now += 61_000;
      await sweepAll();
      assert.equal(timesSent(transactionId), before + 1);
      assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    });

    it(`keeps its hold and never meets the bank while Secrets Manager ${how}`, async () => {
      const { walletId, transactionId } = await acceptedWithdrawal(table);
      let calls = 0;
      const bank = openBank({
        url: 'http://127.0.0.1:9',
        keys: openRequestKeys(secretsClient(), 'secret', table.now),
        send() {
          calls++;
          return Promise.resolve({ status: 503, text: '' });
        },
      });
      const policy = { maxAttempts: 5, notFoundWindowMs: 60_000 };
      secrets.on(GetSecretValueCommand).rejects(error);
      await assert.rejects(advanceWithdrawal(transactionId, { table, bank, bankId, policy }), { name: error.name });
      assert.equal(calls, 0);
      assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    });
  }
});

describe('a notification of the bank', () => {
  for (const [how, error] of Object.entries(failures)) {
    it(`is a 500 while Secrets Manager ${how}, so that the bank sends it again`, async () => {
      const { walletId, transactionId } = await acceptedWithdrawal(table);
      const keys = openSecret({ client: secretsClient(), secretArn: 'secret', now: table.now });
      const handler = serve(bankNotifications, { table, keys, bankId });
      const body = JSON.stringify({ reference: transactionId, status: 'paid', amount: 30, currency: 'EUR' });
      const signed = sign({ method: 'POST', path: '/bank/notifications', body }, 'a key', table.now() / 1000);
      const notify = () =>
        send('bank-notifications', handler, { headers: { 'Content-Type': 'application/json', ...signed }, body });
      secrets.on(GetSecretValueCommand).rejects(error);
      assert.equal((await notify()).status, 500);
      assert.deepEqual(await balanceOf(table, walletId), { available: 70, held: 30, total: 100 });
    });
  }
});

describe('the relay', () => {
  let records: DynamoDBRecord[];
  beforeAll(async () => {
    const books = await newBooks(engine);
    const walletId = await fundedWallet(books.table, 'ann', 100);
    await charge(books.table, walletId, { amount: 1 });
    records = await books.takeRecords();
    books.close();
  });

  /** Passes records to a new container that has this much time. Returns where Lambda redelivers from. */
  async function hand(batch: readonly DynamoDBRecord[], remainingMs = 30_000): Promise<string[]> {
    const context = { getRemainingTimeInMillis: () => remainingMs } as Context;
    const handler = openRelay(sampleEnvironment);
    const { batchItemFailures } = await handler({ Records: [...batch] }, context);
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  }

  /** Returns the ids of the events in each call to the bus. */
  function putIds(): string[][] {
    return bus
      .commandCalls(PutEventsCommand)
      .map(({ args: [{ input }] }) =>
        (input.Entries ?? []).map(({ Detail = '' }) => (JSON.parse(Detail) as { eventId: string }).eventId),
      );
  }

  it('has its batch redelivered while it has no key, and publishes nothing', async () => {
    secrets.on(GetSecretValueCommand).rejects(failures['has an internal error']);
    await assert.rejects(hand(records), { name: 'InternalError' });
    assert.deepEqual(putIds(), []);
  });

  for (const [how, error] of Object.entries(failures)) {
    it(`sends a call again when EventBridge ${how}, with the same ids`, async () => {
      bus.on(PutEventsCommand).rejectsOnce(error).resolves({ Entries: [] });
      assert.deepEqual(await hand(records), []);
      const ids = [...eventsIn(records).values()].map(({ eventId }) => eventId);
      assert.equal(ids.length, 3);
      assert.equal(putIds().length, 2);
      assert.deepEqual(new Set(putIds().flat()).size, 3);
    });

    it(`names the first record while EventBridge ${how} until its time is over`, async () => {
      bus.on(PutEventsCommand).rejects(error);
      const first = records.find((record) => eventsIn([record]).size > 0);
      assert.deepEqual(await hand(records, 8_100), [first?.dynamodb?.SequenceNumber]);
    });

    it(`names a record that it cannot set aside while SQS ${how}`, async () => {
      bus.on(PutEventsCommand).resolves({ Entries: [] });
      const first = records.find((record) => eventsIn([record]).size > 0);
      const NewImage = { ...first?.dynamodb?.NewImage, total: { N: '1e100' } };
      const broken = { ...first, dynamodb: { ...first?.dynamodb, NewImage } };
      sqs.on(SendMessageCommand).rejectsOnce(error).resolves({});
      assert.deepEqual(await hand([broken]), [first?.dynamodb?.SequenceNumber]);
      assert.deepEqual(await hand([broken]), []);
      assert.equal(sqs.commandCalls(SendMessageCommand).length, 2);
    });
  }

  it('sends only the refused event again when EventBridge throttles one of a call', async () => {
    bus
      .on(PutEventsCommand)
      .resolvesOnce({ Entries: [{ EventId: 'one' }, { ErrorCode: 'ThrottlingException' }, { EventId: 'three' }] })
      .resolves({ Entries: [] });
    assert.deepEqual(await hand(records), []);
    const [all = [], again] = putIds();
    assert.deepEqual(again, [all[1]]);
  });
});

describe('the notifier', () => {
  const email = { channels: { email: true, sms: true, push: false }, mutedEvents: [] };

  async function newNotifier() {
    const books = await newBooks(engine);
    await putPreferences(books.table, 'ann', email, timeOf(table));
    await fundedWallet(books.table, 'ann', 100);
    const events = [...eventsIn(await books.takeRecords()).values()].filter(({ type }) => type === 'wallet.funded');
    books.close();
    const sent = engine.openTable(await newSentTable(engine));
    const handler = consumeEvents({
      queue: openQueue(sqsClient(), queueUrl),
      types: notifiedEvents,
      handle: (deliveries) =>
        notifyOwners(deliveries, { table: books.table, sent, notify: openTopic(snsClient(), 'arn:topic') }),
    });
    const Records = events.map((detail, index) => ({
      messageId: String(index),
      receiptHandle: String(index),
      body: JSON.stringify({ id: detail.eventId, detail }),
      attributes: { ApproximateReceiveCount: '1' },
    }));
    return async () => {
      const { batchItemFailures } = await handler({ Records } as unknown as SQSEvent, {} as Context);
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    };
  }

  /** Returns the channels in each call to SNS. */
  function channels(): (string | undefined)[][] {
    return sns
      .commandCalls(PublishBatchCommand)
      .map(({ args: [{ input }] }) => (input.PublishBatchRequestEntries ?? []).map(channelOf));
  }

  function channelOf({ MessageAttributes }: PublishBatchRequestEntry): string | undefined {
    return MessageAttributes?.['channel']?.StringValue;
  }

  for (const [how, error] of Object.entries(failures)) {
    it(`has a message redelivered when SNS ${how}, also when SQS cannot delay it, and then notifies`, async () => {
      const deliver = await newNotifier();
      sns.on(PublishBatchCommand).rejectsOnce(error).resolves({});
      sqs.on(ChangeMessageVisibilityCommand).rejects(error);
      assert.deepEqual(await deliver(), ['0']);
      assert.deepEqual(await deliver(), []);
      // On a busy machine the two are not always in one call.
      const [, ...accepted] = channels();
      assert.deepEqual(accepted.flat().sort(), ['email', 'sms']);
    });
  }

  it('does not repeat what SNS accepted when it refused another notification of the message', async () => {
    const deliver = await newNotifier();
    sqs.on(ChangeMessageVisibilityCommand).resolves({});
    let refusals = 0;
    sns.on(PublishBatchCommand).callsFake(({ PublishBatchRequestEntries = [] }: PublishBatchCommandInput) => {
      const refused = PublishBatchRequestEntries.filter((entry) => channelOf(entry) === 'sms' && refusals++ === 0);
      return { Failed: refused.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false })) };
    });
    assert.deepEqual(await deliver(), ['0']);
    assert.deepEqual(await deliver(), []);
    assert.deepEqual(channels().flat().sort(), ['email', 'sms', 'sms']);
  });
});
