/** Stored items that this release does not know, and those of earlier releases: what their readers make of them. */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { askedApproval } from '../../lambdas/domain/approval.ts';
import { askForApproval, getApproval } from '../../lambdas/store/approvals.ts';
import { getBatch, getChunk } from '../../lambdas/store/batches.ts';
import { listDue } from '../../lambdas/store/due.ts';
import { lastEntry } from '../../lambdas/store/entries.ts';
import { getState, putState } from '../../lambdas/store/integrity.ts';
import { readJournal } from '../../lambdas/store/journal.ts';
import {
  aliasKey,
  approvalKey,
  batchKey,
  chunkKey,
  entryKey,
  integrityKey,
  preferencesKey,
  transactionKey,
  walletKey,
} from '../../lambdas/store/keys.ts';
import { dueShardOf } from '../../lambdas/store/due-keys.ts';
import { aliasItem, getAlias } from '../../lambdas/store/aliases.ts';
import { getPreferences, putPreferences } from '../../lambdas/store/preferences.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { getTransaction } from '../../lambdas/store/transactions.ts';
import { UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { getWallet } from '../../lambdas/store/wallets.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import { useEngine } from '../fixture.ts';
import { sendBatch, transferLine } from './batch-commands.ts';
import { charge, newKey, transfer } from './commands.ts';
import { openHold } from './hold-commands.ts';
import { allItems, changeItem, itemOf, plant } from './inspect.ts';
import { acceptedWithdrawal } from './visits.ts';
import { fundedWallet, openWallet } from './wallets.ts';

const engine = useEngine();
let books: TestBooks;
beforeAll(async () => {
  books = await newBooks(engine);
});
afterAll(() => {
  books.close();
});

type Key = { readonly pk: string; readonly sk: string };

/** An item as this release stores it, where it is, and how it is read. */
interface Stored {
  readonly table: Table;
  readonly key: Key;
  readonly read: () => Promise<unknown>;
}

const at = '2026-03-01T12:00:00.000Z';
const later = '9';

function storedTransaction(transactionId: string): Stored {
  const { table } = books;
  return { table, key: transactionKey(transactionId), read: () => getTransaction(table, transactionId) };
}

/** One item of each type that has a parser. */
const items: Record<string, () => Promise<Stored>> = {
  'a charge': async () => {
    const { transaction } = await charge(books.table, await openWallet(books.table, 'ann'), { amount: 5 });
    return storedTransaction(transaction.transactionId);
  },
  'a withdrawal': async () => storedTransaction((await acceptedWithdrawal(books.table)).transactionId),
  'a transfer': async () => {
    const { table } = books;
    const [from, to] = [await fundedWallet(table, 'ann', 5), await openWallet(table, 'bob')];
    const { transaction } = await transfer(table, from, to, { owner: 'ann', amount: 5 });
    return storedTransaction(transaction.transactionId);
  },
  'a hold': async () => {
    const { transactionId } = await openHold(books.table, await fundedWallet(books.table, 'ann', 40), { amount: 40 });
    return storedTransaction(transactionId);
  },
  'a wallet': async () => {
    const { table } = books;
    const walletId = await openWallet(table, 'ann');
    return { table, key: walletKey(walletId), read: () => getWallet(table, walletId) };
  },
  'an entry': async () => {
    const { table, entries } = books;
    const walletId = await openWallet(table, 'ann');
    await books.follow();
    return { table: entries, key: entryKey(walletId, 0), read: () => lastEntry(entries, walletId) };
  },
  'due work': async () => {
    const { table } = books;
    const { transactionId } = await acceptedWithdrawal(table);
    const shard = Number(dueShardOf('withdrawal', transactionId).slice('DUE#w'.length));
    const read = async () => {
      const { work: listed } = await listDue(table, { type: 'withdrawal', shard, before: later, limit: 100 });
      const failed = listed.find((one) => one instanceof UnreadableItem);
      if (failed !== undefined) throw failed;
      return listed.find((one) => !(one instanceof UnreadableItem) && one.transactionId === transactionId);
    };
    return { table, key: transactionKey(transactionId), read };
  },
  'preferences of an owner': async () => {
    const { table } = books;
    const channels = { email: true, sms: false, push: false };
    await putPreferences(table, 'ann', { channels, mutedEvents: [] }, at);
    return { table, key: preferencesKey('ann'), read: () => getPreferences(table, 'ann') };
  },
  'an alias': async () => {
    const { table } = books;
    await plant(table, aliasItem({ alias: 'ann', ownerId: 'ann', wallets: {}, version: 1, updatedAt: at }));
    return { table, key: aliasKey('ann'), read: () => getAlias(table, 'ann') };
  },
  'an approval': async () => {
    const { table } = books;
    const idempotencyKey = newKey();
    const approval = askedApproval({
      ...{ command: 'charge', path: {}, body: {}, idempotencyKey, fingerprint: 'print', walletIds: ['w_1'], at },
      ...{ askedBy: { kind: 'operator', principal: 'olga' }, expiresAfterMs: 1_000 },
    });
    await askForApproval(table, approval);
    const { approvalId } = approval;
    return { table, key: approvalKey(approvalId), read: () => getApproval(table, approvalId) };
  },
  'a batch': async () => {
    const { table } = books;
    const [from, to] = [await openWallet(table, 'ann'), await openWallet(table, 'bob')];
    const { batchId } = (await sendBatch(table, [transferLine('a', from, to, 1)])).batch;
    return { table, key: batchKey(batchId), read: () => getBatch(table, batchId) };
  },
  'the lines of a batch': async () => {
    const { table } = books;
    const [from, to] = [await openWallet(table, 'ann'), await openWallet(table, 'bob')];
    const { batchId } = (await sendBatch(table, [transferLine('a', from, to, 1)])).batch;
    return { table, key: chunkKey(batchId, 0), read: () => getChunk(table, batchId, 0) };
  },
  'the state of the check': async () => {
    const { entries } = books;
    await putState(entries, 'running', '{}', (await getState(entries, 'running'))?.revision);
    return { table: entries, key: integrityKey('running'), read: () => getState(entries, 'running') };
  },
};

describe('an item that is stored', () => {
  for (const [name, make] of Object.entries(items)) {
    it(`is read the same when an earlier release stored it without a version: ${name}`, async () => {
      const stored = await make();
      const expected = await stored.read();
      assert.notEqual(expected, undefined);
      await changeItem(stored.table, stored.key, { v: undefined });
      assert.deepEqual(await stored.read(), expected);
    });

    it(`is an error of its reader when its version is a newer one: ${name}`, async () => {
      const stored = await make();
      await changeItem(stored.table, stored.key, { v: 2 });
      const { pk } = stored.key;
      await assert.rejects(stored.read(), (error) => {
        assert.ok(error instanceof UnreadableItem);
        assert.ok(error.message.includes(pk) && error.message.includes('version 2'), error.message);
        return true;
      });
      await changeItem(stored.table, stored.key, { v: undefined });
    });
  }

  /** Members that name a type or status of a newer release, or that no item of the type has. */
  const unknown: readonly (readonly [string, object, RegExp])[] = [
    ['a charge', { type: 'loan' }, /type "loan"/],
    ['a charge', { status: 'pending' }, /a charge cannot be pending/],
    ['a charge', { amount: 0.5 }, /its amount is 0.5/],
    ['a charge', { walletId: undefined }, /no wallet/],
    ['a hold', { captured: 0.5 }, /lacks what a hold needs/],
    ['a hold', { captured: 41 }, /lacks what a hold needs/],
    ['a hold', { expiresAt: undefined }, /lacks what a hold needs/],
    ['a hold', { status: 'ended', completedAt: '2026-03-01T12:00:00.000Z' }, /lacks what a hold needs/],
    ['a hold', { dueAt: undefined, dueShard: undefined }, /never due/],
    ['a withdrawal', { destination: undefined }, /lacks what a withdrawal needs/],
    ['a withdrawal', { dueAt: undefined, dueShard: undefined }, /never due/],
    ['a transfer', { counterpartyWalletId: undefined }, /lacks what a transfer needs/],
    ['a transfer', { completedAt: undefined }, /no time of its end/],
    ['a wallet', { status: 'dormant' }, /status "dormant"/],
    ['an entry', { hash: undefined }, /no hash/],
    ['due work', { type: 'loan' }, /type "loan"/],
    ['an approval', { command: 'of-tomorrow' }, /command "of-tomorrow"/],
    ['an approval', { status: 'halted' }, /status "halted"/],
    ['an approval', { body: undefined }, /lacks what an approval needs/],
    ['an approval', { expiresAt: 'soon' }, /lacks what an approval needs/],
    ['an alias', { ownerId: undefined }, /lacks a text/],
    ['an alias', { wallets: { EUR: 'w_1' } }, /EUR has no wallet/],
    ['a batch', { status: 'halted' }, /status "halted"/],
    ['a batch', { nextChunk: undefined }, /lacks what a batch needs/],
    ['the lines of a batch', { linesLeft: undefined }, /has no lines/],
    ['preferences of an owner', { channels: undefined }, /no preferences/],
    ['the state of the check', { text: undefined }, /no text/],
  ];
  for (const [name, members, message] of unknown) {
    it(`is an error of its reader when it is ${name} with ${JSON.stringify(members)}`, async () => {
      const stored = await items[name]!();
      const original = await itemOf(stored.table, stored.key);
      await changeItem(stored.table, stored.key, members);
      await assert.rejects(stored.read(), message);
      await plant(stored.table, original!);
    });
  }

  it('is refused for a transfer in a status that no transfer has', async () => {
    const stored = await items['a transfer']!();
    await changeItem(stored.table, stored.key, { status: 'review' });
    await assert.rejects(stored.read(), /a transfer cannot be review/);
  });

  it('lacks a version only where its kilobyte is full or a write only adds to it', async () => {
    const own = await newBooks(engine);
    await acceptedWithdrawal(own.table);
    await own.follow();
    own.close();
    const unversioned = new Set<string>();
    for (const table of [own.table, own.entries]) {
      for (const { pk, v } of await allItems(table)) {
        if (v === undefined) unversioned.add(String(pk).split('#')[0] ?? '');
      }
    }
    assert.ok(unversioned.has('TX'));
    for (const type of ['WALLET', 'ENTRY', 'JOURNAL']) assert.ok(!unversioned.has(type), type);
  });

  it('is reported by its journal when it is a page of a newer version', async () => {
    const { table, entries, follow } = await newBooks(engine);
    await openWallet(table, 'ann');
    await follow();
    const [page] = (await allItems(entries)).filter(({ lines }) => lines !== undefined);
    assert.ok(page);
    await plant(entries, { ...page, v: 2 });
    const unreadable: string[] = [];
    for await (const read of readJournal(entries, String(page['booked']))) unreadable.push(...read.unreadable);
    assert.deepEqual(unreadable, [page['sk']]);
  });
});
