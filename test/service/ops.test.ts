/** `npm run ops` as operators start it: in its own process, against the running service. */
import { DeleteItemCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { PurgeQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { outputs } from '../../lambdas/contract.ts';
import { KnownDiscrepancies } from '../../lambdas/integrity/known.ts';
import { listEntries } from '../../lambdas/store/entries.ts';
import { getState, putState } from '../../lambdas/store/integrity.ts';
import { entryKey, walletKey } from '../../lambdas/store/keys.ts';
import { openTable } from '../../lambdas/store/table.ts';
import { claimWithdrawal, reviewWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { eventually } from './eventually.ts';
import { startService, untilEnded } from './service.ts';

const { newUser, operator, runner } = await startService();
const { aws } = runner;
const services = { endpoint: aws.servicesUrl, region: aws.region, credentials: aws.credentials };
const engine = { endpoint: aws.endpoint, region: aws.region, credentials: aws.credentials };
const sqs = new SQSClient(services);
const streams = new DynamoDBStreamsClient(engine);
const dynamodb = new DynamoDBClient(engine);
const table = openTable(dynamodb, output(outputs.table));
const entries = openTable(dynamodb, output(outputs.entriesTable));
afterAll(() => {
  for (const client of [sqs, streams, dynamodb]) client.destroy();
});

function output(name: string): string {
  const value = runner.outputs[name];
  assert.ok(value, `output ${name}`);
  return value;
}

/** The projector follows within a second; an overloaded machine takes longer. */
const patient = { limitMs: 60_000, everyMs: 200 };

interface Result {
  readonly code: number;
  readonly text: string;
}

const script = join(import.meta.dirname, '..', '..', 'bin', 'ops.ts');

function ops(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args, '--url', runner.baseUrl], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr });
    });
  });
}

type User = Awaited<ReturnType<typeof newUser>>;

/** Accepts a withdrawal whose message the queue refuses. Returns its id. */
async function withdrawWithoutMessage({ ask, walletId }: User, key: string): Promise<string> {
  runner.faults.set('sqs', true);
  try {
    const body = { amount: 400, destination: { account: 'DE89370400440532013000' } };
    const answer = await ask(`/wallets/${walletId}/withdraw`, { body, key });
    assert.equal(answer.status, 202);
    return String(answer.body['transactionId']);
  } finally {
    runner.faults.set('sqs', false);
  }
}

describe('where', () => {
  it('shows a withdrawal without its account, and what happens next', async () => {
    const user = await newUser(1_000);
    const transactionId = await withdrawWithoutMessage(user, 'where');
    const { code, text } = await ops('where', transactionId);
    assert.equal(code, 0, text);
    assert.match(text, new RegExp(`^${transactionId}: withdrawal, pending$`, 'm'));
    assert.match(text, /^next: a worker claims it and asks the bank to pay; it is (overdue by|due in) \d+ s$/m);
    assert.match(text, /destination: \*{4}3000/);
    assert.doesNotMatch(text, /DE89/);
    const asJson = await ops('where', transactionId, '--json');
    assert.equal((JSON.parse(asJson.text) as { status: string }).status, 'pending');
    assert.doesNotMatch(asJson.text, /DE89/);
  });

  it('shows a hold with its captures, without the words of its parties', async () => {
    const [payer, shop] = [await newUser(1_000), await newUser()];
    const opened = await payer.ask(`/wallets/${payer.walletId}/holds`, {
      body: {
        ...{ amount: 100, toWalletId: shop.walletId, description: 'a present' },
        expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      },
    });
    const holdId = String(opened.body['transactionId']);
    const captured = await shop.ask(`/holds/${holdId}/capture`, { body: { amount: 40 } });
    const open = await ops('where', holdId);
    assert.match(open.text, new RegExp(`^receiver: ${shop.walletId}\ncaptured: 40, expires: 2\\S+$`, 'm'));
    assert.match(open.text, /^next: its receiver or an operator captures it or releases it; .* it is due in \d+ s$/m);
    assert.match((await ops('where', String(captured.body['transactionId']))).text, new RegExp(`^of: ${holdId}$`, 'm'));
    await shop.ask(`/holds/${holdId}/release`, { body: { reason: 'sold out' } });
    const ended = await ops('where', holdId, '--json');
    assert.deepEqual((JSON.parse(ended.text) as { end: string }).end, 'released');
    for (const { text } of [ended, await ops('where', holdId)]) assert.doesNotMatch(text, /a present|sold out/);
  });

  it('shows a transaction with its refunds, a chargeback, and the debt that it leaves', async () => {
    const [payer, shop] = [await newUser(1_000), await newUser()];
    const charged = await operator(`/wallets/${shop.walletId}/charge`, { body: { amount: 300 } });
    const chargeId = String(charged.body['transactionId']);
    const everything = { amount: 300, toWalletId: payer.walletId };
    await shop.ask(`/wallets/${shop.walletId}/transfer`, { body: everything });
    const body = { amount: 200, reason: 'dispute of Mrs Example', chargeback: true };
    const refunded = await operator(`/transactions/${chargeId}/refund`, { body });
    const refundId = String(refunded.body['transactionId']);
    assert.match((await ops('where', chargeId)).text, new RegExp(`^refunded: 200, by ${refundId}$`, 'm'));
    const shown = [await ops('where', refundId), await ops('where', refundId, '--json')];
    assert.match(shown[0]!.text, new RegExp(`^of: ${chargeId}\na chargeback$`, 'm'));
    for (const { text } of shown) assert.doesNotMatch(text, /Mrs Example/);
    const { text } = await ops('where', shop.walletId);
    assert.match(text, /^balance: -200 available, 0 held, -200 total \(USD, minor units\)\ncharged back: 200$/m);
  });

  it('shows a split with its legs, by its id, and a leg with its split', async () => {
    const [payer, shop] = [await newUser(1_000), await newUser()];
    const leg = { fromWalletId: payer.walletId, toWalletId: shop.walletId };
    const legs = [40, 2].map((amount) => ({ ...leg, amount, description: 'a present' }));
    const { body } = await payer.ask('/transfers', { body: { legs } });
    const [splitId, made] = [String(body['splitId']), body['legs'] as { transactionId: string }[]];
    const shown = await ops('where', splitId);
    assert.match(shown.text, new RegExp(`^${splitId}: split with 2 legs$`, 'm'));
    const second = `${made[1]!.transactionId}, 2 USD \\(minor units\\) from ${payer.walletId} to ${shop.walletId}`;
    assert.match(shown.text, new RegExp(`^legs\\[1\\]: ${second}$`, 'm'));
    const shownLeg = await ops('where', made[1]!.transactionId);
    assert.match(shownLeg.text, new RegExp(`^leg of the split: ${splitId}$`, 'm'));
    for (const { text } of [shown, shownLeg]) assert.doesNotMatch(text, /a present/);
  });

  it('finds a transaction by its receipt, and by the key of its caller', async () => {
    const user = await newUser();
    const charged = await operator(`/wallets/${user.walletId}/charge`, { body: { amount: 250 }, key: 'by-key' });
    const transactionId = String(charged.body['transactionId']);
    const { body } = await user.ask(`/transactions/${transactionId}`);
    const line = new RegExp(`^${transactionId}: charge, completed$`, 'm');
    assert.match((await ops('where', String(body['receiptCode']))).text, line);
    assert.match((await ops('where', '--principal', 'operator', '--key', 'by-key')).text, line);
  });

  it('shows a wallet, and how far its ledger is', async () => {
    const { walletId } = await newUser(700);
    await eventually(async () => (await ops('where', walletId)).text.includes('ledger: has every change'), patient);
    assert.match(
      (await ops('where', walletId)).text,
      /^balance: 700 available, 0 held, 700 total \(USD, minor units\)$/m,
    );
  });

  it('shows the limits of a wallet, and what is used of them', async () => {
    const { walletId } = await newUser(700);
    assert.doesNotMatch((await ops('where', walletId)).text, /limits/);
    const set = (limits: object) =>
      operator(`/wallets/${walletId}/limits`, { method: 'PUT', body: { reason: 'case 4711', limits } });
    await set({ out: { perTransaction: 5 }, in: { perMonth: 900 }, creditLine: 70 });
    const { text } = await ops('where', walletId);
    assert.match(text, /^limits: out\.perTransaction 5, in\.perMonth 900, creditLine 70 \(version 1, since 2\S+\)$/m);
    assert.match(text, /^in\.perMonth: 0 used, 900 left until 2\S+$/m);
    await set({});
    assert.match((await ops('where', walletId)).text, /^limits: none \(version 2, since 2\S+\)$/m);
  });

  it('names an id that does not exist, and one that is none', async () => {
    const missing = await ops('where', 'tx_aaaaaaaaaaaaaaaaaaaaaaaaaa');
    assert.equal(missing.code, 1);
    assert.match(missing.text, /no transaction has this id/);
    const wrong = await ops('where', 'abc');
    assert.equal(wrong.code, 2);
    assert.match(wrong.text, /"abc" is no id/);
  });
});

it('review lists a withdrawal that waits for an operator, and doctor names its entry of the runbook', async () => {
  const user = await newUser(1_000);
  const transactionId = await withdrawWithoutMessage(user, 'review');
  const at = new Date().toISOString();
  const claim = { claimId: randomUUID(), at, leaseUntil: at, submitBy: at, bankId: 'bank' };
  const claimed = await claimWithdrawal(table, transactionId, claim);
  assert.ok(claimed.claimed);
  const attempt = { at, submitted: true, outcome: 'unknown', reason: 'time-out' } as const;
  const reviewed = await reviewWithdrawal(table, { withdrawal: claimed.before, claimId: claim.claimId, at }, attempt);
  assert.ok(reviewed);
  const { code, text } = await ops('review');
  assert.equal(code, 1, text);
  assert.match(text, new RegExp(`^${transactionId}: withdrawal, review$`, 'm'));
  assert.match(text, /visit .*: submitted, unknown \(time-out\)/);
  const looked = await ops('doctor');
  assert.equal(looked.code, 1, looked.text);
  assert.match(looked.text, /^wrong +in review: \d+ withdrawals.*docs\/runbook.md#withdrawal-in-review$/m);
  for (const check of [
    'api',
    'expired holds',
    'bank',
    'relay set aside',
    'projector set aside',
    'discrepancies',
    'stream',
  ]) {
    assert.match(looked.text, new RegExp(`^ok +${check}: `, 'm'));
  }
});

it('cancel ends a withdrawal that has not left, also when it is repeated', async () => {
  const user = await newUser(1_000);
  const transactionId = await withdrawWithoutMessage(user, 'cancel');
  for (let time = 0; time < 2; time++) {
    const { code, text } = await ops('cancel', transactionId, '--reason', 'asked by phone');
    assert.equal(code, 0, text);
    assert.match(text, /failed; its money is available/);
  }
  const again = await ops('cancel', transactionId, '--reason', 'another reason');
  assert.equal(again.code, 2);
  assert.match(again.text, /not cancelled: 409 not_cancellable/);
});

it('redrive moves a dead letter back, and its withdrawal ends', async () => {
  const user = await newUser(1_000);
  const transactionId = await withdrawWithoutMessage(user, 'redrive');
  const MessageBody = JSON.stringify({ version: 1, transactionId });
  await sqs.send(new SendMessageCommand({ QueueUrl: output(outputs.deadLettersUrl('withdrawal')), MessageBody }));
  const { code, text } = await ops('redrive', 'withdrawal');
  assert.equal(code, 0, text);
  assert.match(text, /About 1 messages move back to the withdrawal queue/);
  await untilEnded(user.ask, transactionId);
  assert.match((await ops('redrive', 'withdrawal')).text, /SQS counts no withdrawal in the dead letters/);
});

describe('replay', () => {
  /** Returns the shard and the record of the change that made a version of a wallet. */
  async function recordOf(walletId: string, version: number) {
    const described = await dynamodb.send(new DescribeTableCommand({ TableName: table.name }));
    const StreamArn = described.Table?.LatestStreamArn;
    const { StreamDescription: stream } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    for (const { ShardId } of stream?.Shards ?? []) {
      const start = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
      let { ShardIterator } = await streams.send(new GetShardIteratorCommand(start));
      for (let pages = 0; ShardIterator !== undefined && pages < 50; pages++) {
        const { Records = [], NextShardIterator } = await streams.send(new GetRecordsCommand({ ShardIterator }));
        const found = Records.find(
          ({ dynamodb: change }) =>
            change?.Keys?.['pk']?.S === walletKey(walletId).pk && change.NewImage?.['version']?.N === String(version),
        );
        if (found) return { shardId: ShardId, record: found };
        ShardIterator = NextShardIterator;
      }
    }
    throw new Error('the stream has no such record');
  }

  const versions = async (walletId: string) =>
    (await listEntries(entries, { walletId, limit: 10, before: undefined })).items.map(({ version }) => version);

  for (const form of ['whole', 'as the place of a batch']) {
    it(`hands a record that was set aside ${form} to the projector, which adds the missing entry`, async () => {
      const { walletId } = await newUser(300);
      await eventually(async () => (await versions(walletId)).length === 2, patient);
      const { shardId, record } = await recordOf(walletId, 1);
      await dynamodb.send(new DeleteItemCommand({ TableName: entries.name, Key: toItem(entryKey(walletId, 1)) }));
      const at = record.dynamodb?.SequenceNumber;
      const place = { shardId, startSequenceNumber: at, endSequenceNumber: at, batchSize: 1 };
      const seconds = (record.dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0) / 1000;
      const whole = { ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: seconds } };
      const body = form === 'whole' ? { Records: [whole] } : { DDBStreamBatchInfo: place };
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: output(outputs.setAsideUrl('projector')),
          MessageBody: JSON.stringify(body),
        }),
      );
      const { code, text } = await ops('replay', 'projector');
      assert.equal(code, 0, text);
      assert.match(text, /^1 of 1 messages were handed back to the projector\.$/m);
      assert.deepEqual(await versions(walletId), [1, 0]);
      assert.match((await ops('replay', 'projector')).text, /^0 of 0 messages/m);
    });
  }

  it('exits with 1 and a line when a record does not fit and is set aside again', async () => {
    const QueueUrl = output(outputs.setAsideUrl('projector'));
    const { walletId } = await newUser(300);
    await operator(`/wallets/${walletId}/charge`, { body: { amount: 5 }, key: 'does-not-fit' });
    await eventually(async () => (await versions(walletId)).length === 3, patient);
    const { record } = await recordOf(walletId, 2);
    for (const version of [0, 1, 2]) {
      const Key = toItem(entryKey(walletId, version));
      await dynamodb.send(new DeleteItemCommand({ TableName: entries.name, Key }));
    }
    const seconds = (record.dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0) / 1000;
    const whole = { ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: seconds } };
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ Records: [whole] }) }));
    for (let time = 0; time < 2; time++) {
      const { code, text } = await ops('replay', 'projector');
      assert.equal(code, 1, text);
      assert.match(text, /^1 of 1 messages were handed back to the projector\.$/m);
      assert.match(text, /^1 messages were set aside meanwhile: .*#projector-set-aside$/m);
    }
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  });

  it('leaves messages that it cannot hand back in the queue, and exits with 1', async () => {
    const QueueUrl = output(outputs.setAsideUrl('projector'));
    const { walletId } = await newUser(300);
    await eventually(async () => (await versions(walletId)).length === 2, patient);
    const { shardId, record } = await recordOf(walletId, 1);
    const at = record.dynamodb?.SequenceNumber ?? '';
    const endsLater = { shardId, startSequenceNumber: at, endSequenceNumber: `${at}0` };
    const bodies = [
      'not JSON',
      '{"Records":[]}',
      '{"DDBStreamBatchInfo":null}',
      '{"Records":[{"dynamodb":{"SequenceNumber":"x"}}]}',
      JSON.stringify({ DDBStreamBatchInfo: { ...endsLater, startSequenceNumber: '' } }),
      JSON.stringify({ DDBStreamBatchInfo: endsLater }),
    ];
    for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    for (let time = 0; time < 2; time++) {
      const { code, text } = await ops('replay', 'projector');
      assert.equal(code, 1, text);
      assert.match(text, /^0 of 6 messages were handed back/m);
      assert.match(text, /^6 cannot be read, or name records that the stream no longer has/m);
    }
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  });
});

describe('acknowledge', () => {
  const subject = 'tx_acknowledge';
  const since = '2026-01-01T00:00:00.000Z';
  const found = { kind: 'payment_missing', subject, detail: 'paid nothing', since, seenAt: since };
  const named = ['--by', 'Ann', '--evidence', 'ticket 7: paid by hand'];

  it('takes a discrepancy out of the alarm, and keeps it on the list with its evidence', async () => {
    const stored = await getState(entries, 'known');
    const before = new KnownDiscrepancies(stored?.text);
    const differs = { ...found, kind: 'payment_differs' };
    const list = [...before.all, found, { ...differs, bankId: 'old' }, { ...differs, bankId: 'new' }];
    assert.ok(await putState(entries, 'known', JSON.stringify(list), stored?.revision));
    assert.match((await ops('doctor')).text, /^wrong +discrepancies: .*payment_missing tx_acknowledge/m);

    const several = await ops('acknowledge', subject, ...named);
    assert.equal(several.code, 2);
    assert.match(
      several.text,
      /several discrepancies, add --kind, --hour or --bank \(none: .*\): payment_missing .*; payment_differs .* of the bank old/,
    );
    for (const [kind, bank, about] of [
      ['payment_missing', 'none', ''],
      ['payment_differs', 'old', ' of the bank old'],
      ['payment_differs', 'new', ' of the bank new'],
    ] as const) {
      const { code, text } = await ops('acknowledge', subject, '--kind', kind, '--bank', bank, ...named);
      assert.equal(code, 0, text);
      assert.match(text, new RegExp(`^${kind} ${subject}${about}: acknowledged by Ann\\.`, 'm'));
    }
    assert.match((await ops('doctor')).text, /^ok +discrepancies: none; 3 acknowledged/m);
    const { body } = await operator('/integrity');
    const listed = (body as { discrepancies: { subject: string; acknowledged?: object }[] }).discrepancies;
    const { at, ...rest } = Object(listed.find((one) => one.subject === subject)?.acknowledged) as Record<
      string,
      string
    >;
    assert.ok(Date.parse(at ?? ''));
    assert.deepEqual(rest, { by: 'Ann', evidence: 'ticket 7: paid by hand' });
  });

  it('names what is missing, and what it does not know', async () => {
    assert.match((await ops('acknowledge')).text, /needs the subject/);
    assert.match(
      (await ops('acknowledge', 'tx_other', '--by', 'Ann')).text,
      /needs --evidence with 1 to 300 characters/,
    );
    assert.match((await ops('acknowledge', 'tx_other', ...named)).text, /no discrepancy of "tx_other" is on the list/);
    assert.match((await ops('acknowledge', subject, '--kind', 'odd', ...named)).text, /--kind must be one of .*"odd"/);
  });
});

it('a command that does not exist, and a service that does not answer, are named', async () => {
  const unknown = await ops('fix');
  assert.equal(unknown.code, 2);
  assert.match(unknown.text, /there is no command "fix"/);
  assert.match((await ops('redrive', 'everything')).text, /redrive needs one of withdrawal, transfer/);
});
