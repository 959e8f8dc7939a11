/** The readers of the stream and of the books, on each path that reads or writes another item. */
import assert from 'node:assert/strict';
import { notifiedEvents, screenedEvents } from '../../lambdas/contract.ts';
import type { EventOf, ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { Heads } from '../../lambdas/store/heads.ts';
import { screen } from '../../lambdas/workers/fraud.ts';
import { runCheck } from '../../lambdas/workers/integrity-job.ts';
import { notifyOwners } from '../../lambdas/workers/notifier.ts';
import { project } from '../../lambdas/workers/projector.ts';
import { sweep } from '../../lambdas/workers/sweeper.ts';
import { newSentTable } from '../engine.ts';
import { endUser, operator } from '../request.ts';
import { eventsIn, keepingBus, publisherTo } from '../simulation/consumers.ts';
import { charge, timeOf } from './commands.ts';
import { bankId } from './visits.ts';
import { fundedWallet } from './wallets.ts';
import type { RecordedService } from './access-recorder.ts';

const ann = endUser('ann');

/** Passes the records of the stream to the projector, the screening and the notifier. */
export async function followTheStream({ engine, table, books, watch, as }: RecordedService): Promise<void> {
  const records = await books.takeRecords();
  const setAside = { send: () => Promise.reject(new Error('no record is set aside')) };
  const heads = new Heads();
  await as('projector', () => project(records, { entries: books.entries, setAside, heads }));
  await as('projector', () => project(records, { entries: books.entries, setAside, heads }));

  const events = [...eventsIn(records).values()];
  const of = <T extends ServiceEvent['type']>(types: readonly T[]) =>
    events
      .filter((event): event is EventOf<T> => (types as readonly string[]).includes(event.type))
      .map((event) => ({ envelopeId: event.eventId, event }));
  const activity = await engine.newTable();
  watch(activity);
  const bus = keepingBus();
  const window = { count: 1, amount: 1 };
  const policy = {
    outgoingPerMinute: window,
    outgoingPerHour: window,
    outgoingPerDay: window,
    inAndOut: { minutes: 1, amount: 1 },
    newDestination: { amount: 1 },
  };
  const publisher = publisherTo((entries) => bus.put(entries));
  const failed = await as('fraud', () =>
    screen(of(screenedEvents), { table, activity, publisher, policy, freezeOnSuspicion: true }, 20_000),
  );
  assert.equal(failed.size, 0);

  const sent = engine.openTable(await newSentTable(engine));
  watch(sent);
  const notify = () => Promise.resolve();
  const failures = await as('notifier', () => notifyOwners(of(notifiedEvents), { table, sent, notify }));
  assert.equal(failures.size, 0);
  // The screening has frozen wallets.
  const later = await books.takeRecords();
  await as('projector', () => project(later, { entries: books.entries, setAside, heads: new Heads() }));
}

async function collectFees({ table, books, as }: RecordedService): Promise<void> {
  const walletId = await fundedWallet(table, 'ann', 100);
  await charge(table, walletId, { amount: 100, fee: 1 });
  await as('projector', () => books.follow());
  table.clock.now = books.entries.clock.now = table.clock.now + 2 * 3_600_000;
  const swept = { send: () => Promise.resolve([]), depth: () => Promise.resolve(0) };
  const fees = { entries: books.entries, revenueWallets: { EUR: walletId } };
  await as('sweeper', () => sweep({ table, withdrawals: swept, transfers: swept, fees }));
}

/** Uses every route that only reads, the collection of fees and the check of the books. */
export async function readTheBooks(service: RecordedService): Promise<void> {
  const { table, books, as, ask } = service;
  const { items } = (await ask('list-wallets', { as: ann })) as unknown as { items: { walletId: string }[] };
  const path = { walletId: items[0]!.walletId };
  await ask('get-wallet', { as: ann, path });
  await ask('find-transactions', { as: ann });
  await ask('find-transactions', { as: operator, query: { externalReference: 'invoice-1' } });
  await ask('find-transactions', { as: operator, query: { status: 'review' } });
  await ask('get-balance', { as: ann, path });
  await ask('get-balance', { as: ann, path, query: { at: timeOf(table, -1_000) } });
  await ask('list-entries', { as: ann, path });
  for (const { walletId } of items) {
    const { items: history } = (await ask('list-transactions', { as: ann, path: { walletId } })) as unknown as {
      items: { transactionId: string; receiptCode: string }[];
    };
    for (const { transactionId, receiptCode } of history) {
      await ask('get-transaction', { as: ann, path: { transactionId } });
      await ask('get-receipt', { as: ann, path: { receiptCode } });
    }
  }
  await ask('health', { headers: { Authorization: 'Bearer token' } });
  await collectFees(service);
  const from = '2026-01-01T00:00:00Z';
  for (const { walletId } of items) await ask('get-statement', { as: ann, path: { walletId }, query: { from } });
  const firstPage = await ask('get-statement', { as: ann, path, query: { from, limit: '1' } });
  const rest = { from, limit: '1', cursor: firstPage['nextCursor']! };
  await ask('get-statement', { as: ann, path, query: rest });
  await ask('get-totals', { as: ann, query: { month: '2026-03' } });

  // The check looks twice at a wallet that its ledger does not show yet.
  const { walletId: behind } = await ask('create-wallet', { as: operator, body: { currency: 'EUR' } });
  await ask('charge', { as: operator, path: { walletId: behind! }, body: { amount: 1 } });
  const bus = keepingBus();
  const publisher = publisherTo((entries) => bus.put(entries));
  const paidAt = timeOf(table, -1_000);
  const payment = { reference: `tx_${'a'.repeat(26)}`, amount: 100, currency: 'EUR', paidAt };
  const statement = {
    bankId,
    statement: () => Promise.resolve({ outcome: 'page', items: [payment], next: undefined } as const),
    find: () => Promise.resolve({ outcome: 'not_found' } as const),
  };
  const checked = { table, entries: books.entries, statement };
  for (let run = 0; run < 4; run++) {
    await as('integrity-job', () => runCheck({ books: checked, publisher, passEveryMs: 0 }));
    table.clock.now = books.entries.clock.now += 3_600_000;
    // In the first hour that is wholly in the journal.
    if (run > 0) continue;
    await ask('charge', { as: operator, path: { walletId: behind! }, body: { amount: 1 } });
    await as('projector', () => books.follow());
  }
  await ask('integrity', { as: operator });
}
