/**
 * The consumers of each movement of money: published, sent and archived, also after an outage of their AWS services.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { startService, untilEnded } from './service.ts';
import type { Request } from './service.ts';

interface Event {
  readonly eventId: string;
  readonly type: string;
  readonly walletIds: readonly string[];
  readonly actor?: { readonly kind: string; readonly principal: string; readonly issuer?: string };
  readonly reason?: string;
  readonly transaction?: { readonly transactionId: string; readonly status: string; readonly splitId?: string };
}

const schemas = join(import.meta.dirname, '..', '..', 'docs', 'events');
const patienceMs = 45_000;

const dataDir = mkdtempSync(join(tmpdir(), 'service-events-'));
afterAll(() => {
  rmSync(dataDir, { recursive: true, force: true });
});
let written = '';
const service = await startService({ memory: false, dataDir, log: (text) => (written += text) });

describe('events of the service', () => {
  async function listed<T>(path: string): Promise<T[]> {
    const response = await fetch(`${service.runner.baseUrl}${path}?limit=1000`);
    return ((await response.json()) as { items: T[] }).items;
  }
  const events = async () =>
    (await listed<{ archived: boolean; event: { detail: Event } }>('/local/events')).map((item) => item.event.detail);
  const notified = async () =>
    (await listed<{ message: string }>('/local/notifications')).map(
      ({ message }) => (JSON.parse(message) as { eventId: string }).eventId,
    );
  /** Returns the events of a wallet, oldest first, once all of `types` are among them. */
  async function eventsOf(walletId: string, types: readonly string[]): Promise<Event[]> {
    const limit = Date.now() + patienceMs;
    for (;;) {
      const found = (await events()).filter((event) => event.walletIds.includes(walletId)).reverse();
      if (types.every((type) => found.some((event) => event.type === type))) return found;
      assert.ok(Date.now() < limit, `of ${types.join()} only ${found.map(({ type }) => type).join()}`);
      await sleep(100);
    }
  }
  /** Returns a function that waits until a line that functions log after this call matches. */
  function awaitLog(): (text: RegExp) => Promise<void> {
    const from = written.length;
    return async (text) => {
      const limit = Date.now() + patienceMs;
      while (!text.test(written.slice(from))) {
        assert.ok(Date.now() < limit, `no function has written ${String(text)}`);
        await sleep(50);
      }
    };
  }
  /** Creates a user who asks for every notification by e-mail. */
  async function newReader() {
    const user = await service.newUser();
    const body = { channels: { email: true, sms: false, push: false } };
    assert.equal((await user.ask('/notification-preferences', { method: 'PUT', body })).status, 200);
    return user;
  }
  async function withdraw(ask: Request, walletId: string, account: string): Promise<void> {
    const { body } = await ask(`/wallets/${walletId}/withdraw`, { body: { amount: 100, destination: { account } } });
    await untilEnded(ask, String(body['transactionId']));
  }

  test('each kind of change is published as its schema says, and owners who asked are notified', async () => {
    const ada = await newReader();
    await service.operator(`/wallets/${ada.walletId}/charge`, { body: { amount: 10_000 } });
    const ben = await service.newUser();
    await withdraw(ada.ask, ada.walletId, 'SIM-OK');
    await withdraw(ada.ask, ada.walletId, 'SIM-REJECT');
    const transfer = { amount: 50, toWalletId: ben.walletId };
    const sent = await ada.ask(`/wallets/${ada.walletId}/transfer`, { body: transfer });
    const queued = await ada.ask(`/wallets/${ada.walletId}/transfer`, {
      body: transfer,
      headers: { Prefer: 'respond-async' },
    });
    const legs = [30, 20].map((amount) => {
      return { fromWalletId: ada.walletId, toWalletId: ben.walletId, amount };
    });
    const { body: split } = await ada.ask('/transfers', { body: { legs } });
    const promise = { ...transfer, expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
    const hold = await ada.ask(`/wallets/${ada.walletId}/holds`, { body: promise });
    const holdPath = `/holds/${String(hold.body['transactionId'])}`;
    await ben.ask(`${holdPath}/capture`, { body: { amount: 20 } });
    await ben.ask(`${holdPath}/release`, { body: { reason: 'sold out' } });
    const refund = { amount: 10, reason: 'a part was missing' };
    await ben.ask(`/transactions/${String(sent.body['transactionId'])}/refund`, { body: refund });
    for (const change of ['freeze', 'unfreeze']) {
      await service.operator(`/wallets/${ada.walletId}/${change}`, { body: { reason: `to ${change}` } });
    }
    const limits = { reason: 'new customer', limits: { out: { perDay: 50_000 } } };
    await service.operator(`/wallets/${ada.walletId}/limits`, { method: 'PUT', body: limits });

    const types = [
      ...['wallet.created', 'wallet.funded', 'wallet.frozen', 'wallet.unfrozen', 'wallet.limits_changed'],
      ...['withdrawal.accepted', 'withdrawal.executing', 'withdrawal.completed', 'withdrawal.failed'],
      ...['transfer.accepted', 'transfer.completed', 'hold.opened', 'hold.captured', 'hold.ended'],
      'refund.completed',
    ];
    const limitOfQueued = Date.now() + patienceMs;
    let found = await eventsOf(ada.walletId, types);
    const isArrival = ({ type, transaction }: Event) =>
      type === 'transfer.completed' && transaction?.transactionId === queued.body['transactionId'];
    const legsIn = (all: readonly Event[]) =>
      all.filter(({ transaction }) => transaction?.splitId === split['splitId']);
    while (!(found.some(isArrival) && legsIn(found).length === 2) && Date.now() < limitOfQueued) {
      await sleep(100);
      found = await eventsOf(ada.walletId, types);
    }
    await eventsOf(ben.walletId, [
      'wallet.created',
      'transfer.completed',
      'hold.opened',
      'hold.captured',
      'hold.ended',
      'refund.completed',
    ]);
    assert.deepEqual(
      legsIn(found)
        .map(({ type, transaction }) => [type, transaction?.transactionId])
        .sort(),
      (split['legs'] as { transactionId: string }[])
        .map(({ transactionId }) => ['transfer.completed', transactionId])
        .sort(),
    );
    const changes = found.filter(({ transaction }) => transaction?.transactionId === sent.body['transactionId']);
    assert.equal(changes.length, 1, 'the refunded transfer has no further event');
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    for (const event of await events()) {
      const schema = JSON.parse(readFileSync(join(schemas, `${event.type}.json`), 'utf8')) as object;
      assert.ok(ajv.validate(schema, event), `${event.type}: ${ajv.errorsText()}`);
    }
    const actors = new Set(
      found.map(({ type, actor, reason }) => [type, actor?.kind, reason].filter(Boolean).join(' ')),
    );
    assert.deepEqual([...actors].sort(), [
      'hold.captured owner',
      'hold.ended owner',
      'hold.opened owner',
      'refund.completed owner',
      'transfer.accepted owner',
      'transfer.completed owner',
      'transfer.completed service',
      'wallet.created owner',
      'wallet.frozen operator to freeze',
      'wallet.funded operator',
      'wallet.limits_changed operator new customer',
      'wallet.unfrozen operator to unfreeze',
      'withdrawal.accepted owner',
      'withdrawal.completed bank',
      'withdrawal.executing service',
      'withdrawal.failed bank',
    ]);
    for (const { type, actor } of found) {
      const ofPerson = actor?.kind === 'owner' || actor?.kind === 'operator';
      assert.equal(actor?.issuer !== undefined, ofPerson);
      const isOfReceiver = ['hold.captured', 'hold.ended', 'refund.completed'].includes(type);
      const owner = isOfReceiver ? ben.ownerId : ada.ownerId;
      if (ofPerson) assert.equal(actor.principal, actor.kind === 'owner' ? owner : 'operator');
    }
    const told = [
      ...[
        'withdrawal.completed',
        'wallet.funded',
        'wallet.limits_changed',
        'hold.opened',
        'hold.captured',
        'hold.ended',
      ],
      'refund.completed',
    ];
    const toldOf = found.filter(({ type }) => told.includes(type));
    const limit = Date.now() + patienceMs;
    for (const { eventId } of toldOf) {
      while (!(await notified()).includes(eventId)) {
        assert.ok(Date.now() < limit, `no notification of ${eventId}`);
        await sleep(100);
      }
    }
  });

  test('commands succeed while EventBridge and SNS are down, and everything is delivered afterwards', async () => {
    const { faults } = service.runner;
    faults.set('eventbridge', true);
    faults.set('sns', true);
    const seen = awaitLog();
    const toldBefore = new Set(await notified());
    const { walletId } = await newReader();
    const durations: number[] = [];
    for (let charge = 0; charge < 10; charge++) {
      const started = performance.now();
      const { status } = await service.operator(`/wallets/${walletId}/charge`, { body: { amount: 1 } });
      assert.equal(status, 201);
      durations.push(performance.now() - started);
    }
    assert.equal((await events()).filter((event) => event.walletIds.includes(walletId)).length, 0);
    // The bus comes first and refuses a part of each batch. SNS follows once the notifier has failed on it.
    await seen(/events not published/);
    faults.set('eventbridge', 0.3);
    await eventsOf(walletId, ['wallet.created', 'wallet.funded']);
    faults.set('eventbridge', false);
    await seen(/message failed.*sns is switched/);
    assert.deepEqual(
      (await notified()).filter((eventId) => !toldBefore.has(eventId)),
      [],
    );
    faults.set('sns', false);

    const limit = Date.now() + patienceMs;
    const missing = async (): Promise<string | undefined> => {
      const funded = (await eventsOf(walletId, ['wallet.funded'])).filter(({ type }) => type === 'wallet.funded');
      const transactions = new Set(funded.map(({ transaction }) => transaction?.transactionId));
      if (transactions.size < 10) return `published ${transactions.size} of 10`;
      const told = new Set(await notified());
      const untold = new Set(funded.map(({ eventId }) => eventId).filter((eventId) => !told.has(eventId)));
      return untold.size > 0 ? `${untold.size} not notified` : undefined;
    };
    for (let what = await missing(); what !== undefined; what = await missing()) {
      assert.ok(Date.now() < limit, what);
      await sleep(200);
    }
    assert.ok(Math.max(...durations) < 5_000, `commands waited: ${durations.map(Math.round).join()} ms`);
  });

  test('the audit has each event as a line of a gzipped object by day', async () => {
    const published = (await events()).map(({ eventId }) => eventId);
    await service.runner.stop();
    const folder = service.runner.bucketsFolder;
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const lines = files.flatMap(({ parentPath, name }) => {
      const path = join(parentPath, name);
      assert.match(path.slice(folder.length), /^\/[^/]+\/events\/day=\d{4}-\d\d-\d\d\/[^/]+\.gz$/);
      return gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
    });
    const archived = lines.map((line) => (JSON.parse(line) as Event).eventId);
    assert.deepEqual([...archived].sort(), [...published].sort());
  });
});
