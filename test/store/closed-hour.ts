/** A closed hour of business, the faults to plant in it, and the check that must find them. */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import assert from 'node:assert/strict';
import type { StatementItem } from '../../lambdas/bank/answers.ts';
import type { Discrepancy } from '../../lambdas/domain/discrepancy.ts';
import type { ChainedEntry } from '../../lambdas/domain/entries.ts';
import { hourMs, startOf } from '../../lambdas/domain/hours.ts';
import { transactionIdOf } from '../../lambdas/domain/ids.ts';
import type { HourBooks } from '../../lambdas/integrity/bank-hours.ts';
import { beginHours, runHours } from '../../lambdas/integrity/hours.ts';
import type { Hours } from '../../lambdas/integrity/hours.ts';
import type { RunOutcome } from '../../lambdas/integrity/pass.ts';
import { hashOf, readEntries } from '../../lambdas/store/entries.ts';
import { entryKey, transactionKey, walletKey } from '../../lambdas/store/keys.ts';
import { toItem } from '../../lambdas/store/write.ts';
import { newBooks } from '../books.ts';
import type { TestBooks } from '../books.ts';
import type { TestEngine } from '../engine.ts';
import { queueTransfer, transfer, withdraw } from './commands.ts';
import { arrive, bankThatPaid, busyHistory, sendTogether } from './histories.ts';
import type { History } from './histories.ts';
import { allItems, itemOf, plant } from './inspect.ts';
import { bankId } from './visits.ts';
import { openWallet, setStatus } from './wallets.ts';

export const quarterMs = hourMs / 4;
/** The hour of all commands. */
export const hour = '2026-03-01T13';
export const closedAt = startOf(hour) + hourMs;

/** Books with a busy hour, the bank's payments, and the findings of the check. */
export interface Scene extends TestBooks {
  readonly history: History;
  readonly payments: StatementItem[];
  readonly hours: Hours;
  readonly found: (Discrepancy & { readonly at: number })[];
}

/** Creates books with a busy hour that is over. */
export async function newScene(engine: TestEngine): Promise<Scene> {
  const tables = await newBooks(engine);
  setClock(tables, startOf(hour) - 60_000);
  const hours = beginHours(tables.table.now(), bankId);
  assert.equal(hours.hour, hour);
  setClock(tables, startOf(hour) + 600_000);
  const history = await busyHistory(tables.table);
  const paidAt = new Date(tables.table.now()).toISOString();
  setClock(tables, tables.table.now());
  await tables.follow();
  setClock(tables, closedAt);
  return { ...tables, history, payments: history.paid.map((one) => ({ ...one, paidAt })), hours, found: [] };
}

/** Sets the time of both tables. */
export function setClock({ table, entries }: TestBooks, now: number): void {
  table.clock.now = now;
  entries.clock.now = now;
}

/** Returns the books, with a bank that has paid the payments of the scene. */
export function booksOf({ table, entries, payments }: Scene): HourBooks {
  return { table, entries, statement: bankThatPaid(payments) };
}

/** Runs the check until it is done, waits, or is stopped. */
export async function runOnce(scene: Scene, hours = scene.hours, stop = () => false): Promise<RunOutcome> {
  return runHours(booksOf(scene), hours, {
    now: scene.table.now,
    stop,
    secondLookMs: 300_000,
    report: (discrepancy) => scene.found.push({ ...discrepancy, at: scene.table.now() }),
  });
}

/** Runs the check every quarter of an hour until `ms` after the end of the hour. Returns its findings. */
export async function check(scene: Scene, ms = 2 * hourMs): Promise<string[]> {
  for (let now = scene.table.now(); now <= closedAt + ms; now += quarterMs) {
    setClock(scene, now);
    await runOnce(scene);
  }
  return [...new Set(scene.found.map(({ kind, subject }) => `${kind} ${subject}`))].sort();
}

async function remove({ client, name }: TestBooks['table'], key: object): Promise<void> {
  await client.send(new DeleteItemCommand({ TableName: name, Key: toItem(key) }));
}

async function change(table: TestBooks['table'], key: { pk: string; sk: string }, members: object): Promise<void> {
  await plant(table, { ...(await itemOf(table, key)), ...members });
}

async function ledgerOf({ entries }: TestBooks, walletId: string): Promise<ChainedEntry[]> {
  return (await readEntries(entries, { walletId, after: undefined, consistent: true })).items;
}

/** Applies a change to a wallet once more, as a write without its condition would. */
async function again(scene: Scene, walletId: string, by: { available: number; held?: number }): Promise<void> {
  await scene.follow();
  const { version, available, held, ...wallet } = (await itemOf(scene.table, walletKey(walletId)))!;
  const after = { available: Number(available) + by.available, held: Number(held) + (by.held ?? 0) };
  const total = after.available + after.held;
  await plant(scene.table, { ...wallet, ...after, total, version: Number(version) + 1 });
  await scene.follow();
  setClock(scene, closedAt);
}

/** Sends three queued transfers of 9 together, before the end of the hour. */
async function sendThree(scene: Scene) {
  const { ann, ben } = scene.history;
  setClock(scene, closedAt - 1_000);
  return sendTogether(scene.table, ann, [
    [ben, 2],
    [ben, 3],
    [ben, 4],
  ]);
}

/** The faults to plant in the hour that was just closed. Each returns the finding that the check must report. */
export const plants: Record<string, (scene: Scene) => Promise<string> | string> = {
  'a balance that was edited': async (scene) => {
    await change(scene.table, walletKey(scene.history.ann), { available: 1, total: 1 });
    return `balance_differs ${scene.history.ann}`;
  },
  'a balance that was edited, seen by the stream': async (scene) => {
    await change(scene.table, walletKey(scene.history.ann), { available: 1, total: 1 });
    await scene.follow();
    return `balance_differs ${scene.history.ann}`;
  },
  'a wallet that was put back to an earlier state': async (scene) => {
    const { table, history } = scene;
    const earlier = await itemOf(table, walletKey(history.ann));
    await setStatus(table, history.ann, 'frozen');
    await scene.follow();
    await plant(table, earlier!);
    return `balance_differs ${history.ann}`;
  },
  'a wallet that is missing': async (scene) => {
    await remove(scene.table, walletKey(scene.history.cid));
    return `balance_differs ${scene.history.cid}`;
  },
  'a wallet that cannot be read': async (scene) => {
    const { walletId, ...rest } = (await itemOf(scene.table, walletKey(scene.history.cid)))!;
    await plant(scene.table, rest);
    return `unreadable ${String(walletId)}`;
  },
  'an entry that is missing': async (scene) => {
    await remove(scene.entries, entryKey(scene.history.ann, 2));
    return `entry_missing ${scene.history.ann}`;
  },
  'a last entry that is missing': async (scene) => {
    const last = (await ledgerOf(scene, scene.history.ann)).at(-1)!;
    await remove(scene.entries, entryKey(scene.history.ann, last.version));
    return `entry_missing ${scene.history.ann}`;
  },
  'an entry that was edited': async (scene) => {
    await change(scene.entries, entryKey(scene.history.ann, 1), { bookedAt: '2026-03-01T13:00:00.000Z' });
    return `chain_broken ${scene.history.ann}`;
  },
  'an entry and all later ones that were rewritten': async (scene) => {
    const { ann } = scene.history;
    const ledger = await ledgerOf(scene, ann);
    let hash = ledger[0]!.hash;
    for (const [version, entry] of [...ledger.entries()].slice(1)) {
      const { balanceAfter, changes } = entry;
      const more = version === 1 ? 7 : 0;
      const forged = {
        ...entry,
        changes: changes.map((one) => ({ ...one, amount: Number(one.amount) + more })),
        balanceAfter: { ...balanceAfter, available: Number(balanceAfter.available) + 7 },
      };
      hash = hashOf(forged, hash);
      await change(scene.entries, entryKey(ann, version), { ...forged, walletId: undefined, version: undefined, hash });
    }
    const wallet = (await itemOf(scene.table, walletKey(ann)))!;
    await plant(scene.table, {
      ...wallet,
      available: Number(wallet['available']) + 7,
      total: Number(wallet['total']) + 7,
    });
    return `postings_differ ${ann}`;
  },
  'a transaction that was edited': async (scene) => {
    const [{ reference }] = scene.history.paid;
    await change(scene.table, transactionKey(reference), { amount: 7 });
    return `transaction_invalid ${reference}`;
  },
  'a transfer that was booked twice': async (scene) => {
    const { table, history } = scene;
    setClock(scene, closedAt - 1_000);
    const dan = await openWallet(table, 'dan');
    await transfer(table, history.ann, dan, { owner: 'ann', amount: 2 });
    await again(scene, dan, { available: 2 });
    return `postings_differ ${dan}`;
  },
  'a hold that was booked twice': async (scene) => {
    const { table, history } = scene;
    setClock(scene, closedAt - 1_000);
    await withdraw(table, history.ann, { owner: 'ann', amount: 2 });
    await again(scene, history.ann, { available: -2, held: 2 });
    return `postings_differ ${history.ann}`;
  },
  'transfers that arrived together twice': async (scene) => {
    const { table, history } = scene;
    setClock(scene, closedAt - 1_000);
    const dan = await openWallet(table, 'dan');
    const queued = [];
    for (const amount of [2, 3]) queued.push(await queueTransfer(table, history.ann, dan, { owner: 'ann', amount }));
    await arrive(table, ...queued.map(({ transaction }) => transaction.transactionId));
    await again(scene, dan, { available: 5 });
    return `postings_differ ${dan}`;
  },
  'transfers that were sent together twice': async (scene) => {
    await sendThree(scene);
    await again(scene, scene.history.ann, { available: -9 });
    return `postings_differ ${scene.history.ann}`;
  },
  'a transfer whose entry is not that of the others that were sent with it': async (scene) => {
    const [, second] = await sendThree(scene);
    await change(scene.table, transactionKey(second!.transactionId), { sentWith: second!.transactionId });
    await scene.follow();
    return `postings_differ ${scene.history.ann}`;
  },
  'a transfer that is missing among those that were sent together': async (scene) => {
    const [, second] = await sendThree(scene);
    await scene.follow();
    await remove(scene.table, transactionKey(second!.transactionId));
    return `postings_differ ${scene.history.ann}`;
  },
  'a transaction that is missing': async (scene) => {
    const [{ reference }] = scene.history.paid;
    await remove(scene.table, transactionKey(reference));
    return `transaction_invalid ${reference}`;
  },
  'a transaction that no wallet knows of': async (scene) => {
    const [{ reference }] = scene.history.paid;
    const record = (await itemOf(scene.table, transactionKey(reference)))!;
    const transactionId = transactionIdOf('stranger', 'planted');
    await plant(scene.table, { ...record, ...transactionKey(transactionId), transactionId });
    await scene.follow();
    return `postings_differ ${scene.history.ann}`;
  },
  'a hold without its withdrawal': async (scene) => {
    const ledger = await ledgerOf(scene, scene.history.ben);
    const hold = ledger.find(({ changes }) => changes.some(({ account }) => account === 'held'))!;
    const postings = ((await itemOf(scene.table, transactionKey(hold.transactionId!)))!['postings'] as object[]).map(
      (one) => ({ ...one, account: 'external:EUR' }),
    );
    await change(scene.table, transactionKey(hold.transactionId!), { postings });
    return `postings_differ ${scene.history.ben}`;
  },
  'a total that was edited': async (scene) => {
    const total = (await allItems(scene.entries)).find(({ pk }) => String(pk).startsWith('TOTAL#external:EUR'))!;
    await plant(scene.entries, { ...total, booked: Number(total['booked']) + 1 });
    return 'total_differs external:EUR';
  },
  'a payment without a withdrawal': (scene) => {
    const [first] = scene.payments;
    const reference = transactionIdOf('stranger', 'asked');
    scene.payments.push({ ...first!, reference });
    return `payment_differs ${reference}`;
  },
  'a payment of another amount': (scene) => {
    const [first] = scene.payments;
    scene.payments[0] = { ...first!, amount: first!.amount + 1 };
    return `payment_differs ${first!.reference}`;
  },
  'a payment that is missing': (scene) => {
    const [first] = scene.payments.splice(0, 1);
    return `payment_missing ${first!.reference}`;
  },
  'a payment that was made twice': (scene) => {
    const [first] = scene.payments;
    scene.payments.push({ ...first!, paidAt: new Date(closedAt - 1).toISOString() });
    return `payment_differs ${first!.reference}`;
  },
};
