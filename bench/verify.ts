/**
 * `node bench/verify.ts [--transactions N] [--wallets N] [--lost N]`: makes books with so many transactions, some of them
 * paid by a bank. Measures the use of `npm run verify` for them: time, read units and memory. Where records of the last
 * transactions are lost, it measures `npm run recover`.
 */
import { BatchWriteItemCommand, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import type { WriteRequest } from '@aws-sdk/client-dynamodb';
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions } from '../bin/options.ts';
import { bookingsOf } from '../lambdas/domain/bookings.ts';
import { entriesAfter } from '../lambdas/domain/entries.ts';
import type { ChainedEntry } from '../lambdas/domain/entries.ts';
import { hourMs, hourOf } from '../lambdas/domain/hours.ts';
import { transactionIdOf, walletIdOf } from '../lambdas/domain/ids.ts';
import { plus } from '../lambdas/domain/money.ts';
import { accounts, isWalletAccount } from '../lambdas/domain/postings.ts';
import { charge } from '../lambdas/domain/charge.ts';
import { transfer } from '../lambdas/domain/transfer.ts';
import { settlePostings, withdrawal } from '../lambdas/domain/withdrawal.ts';
import type { Transaction } from '../lambdas/domain/transaction.ts';
import { openWallet } from '../lambdas/domain/wallet.ts';
import type { Wallet } from '../lambdas/domain/wallet.ts';
import { hashOf } from '../lambdas/store/entries.ts';
import { entryKey, totalKey, transactionKey, walletKey } from '../lambdas/store/keys.ts';
import { historyKeyOf } from '../lambdas/store/history-keys.ts';
import type { Table } from '../lambdas/store/table.ts';
import { countedItem } from '../lambdas/store/totals.ts';
import { toItem } from '../lambdas/store/write.ts';
import { startBankSimulator } from '../local/bank/bank-simulator.ts';
import { startService } from './service.ts';

const usage = `node bench/verify.ts [options]

  --transactions N  transactions to make and verify (100000)
  --wallets N       wallets that they belong to (1000)
  --lost N          records of the last transactions that are lost, and recovered in place of the check (0)`;

const values = readOptions(usage, {
  transactions: { type: 'string', default: '100000' },
  wallets: { type: 'string', default: '1000' },
  lost: { type: 'string', default: '0' },
});
const transactions = Number(values.transactions);
/** The number of transactions whose records stay. */
const kept = transactions - Number(values.lost);
const secret = 'bench';
const folder = mkdtempSync(join(tmpdir(), 'wallet-bench-'));
const dataFile = join(folder, 'book.jsonl');
const service = await startService();
const epoch = Date.parse('2026-03-01T12:00:00.000Z');

interface Account {
  wallet: Wallet;
  last: ChainedEntry | undefined;
}

/** Puts items 25 at a time, a few batches side by side. */
function openWriter(table: Table) {
  let batch: WriteRequest[] = [];
  const running = new Set<Promise<void>>();
  async function flush(): Promise<void> {
    let pending = batch;
    batch = [];
    const work = (async () => {
      while (pending.length > 0) {
        const { UnprocessedItems } = await table.client.send(
          new BatchWriteItemCommand({ RequestItems: { [table.name]: pending } }),
        );
        pending = UnprocessedItems?.[table.name] ?? [];
      }
    })();
    running.add(work);
    void work.finally(() => running.delete(work));
    if (running.size >= 4) await Promise.race(running);
  }
  return {
    async put(item: object) {
      batch.push({ PutRequest: { Item: toItem(item) } });
      if (batch.length === 25) await flush();
    },
    async end() {
      if (batch.length > 0) await flush();
      await Promise.all(running);
    },
  };
}

const ledger = openWriter(service.table);
const entries = openWriter(service.entries);
const totals = new Map<string, bigint>();
const currency = 'EUR';

async function makeBooks(): Promise<void> {
  const all: Account[] = [];
  for (let i = 0; i < Number(values.wallets); i++) {
    const at = new Date(epoch).toISOString();
    const ownerId = `owner-${i}`;
    const account: Account = {
      wallet: openWallet({
        walletId: walletIdOf(ownerId, 'key', currency),
        ownerId,
        currency,
        at,
        createdBy: { kind: 'owner', principal: ownerId },
      }),
      last: undefined,
    };
    all.push(account);
    await enter(account, undefined);
  }
  // A tenth of the wallets has half of the movements.
  const some = (i: number, salt: number) =>
    all[((i * 7919 + salt) % (i % 2 ? all.length : Math.ceil(all.length / 10))) % all.length] as Account;
  for (let i = 0; i < transactions; i++) {
    const account = some(i, 1);
    const at = new Date(epoch + i * 100).toISOString();
    const facts = {
      transactionId: transactionIdOf('bench', String(i)),
      principal: 'bench',
      ownerId: account.wallet.ownerId,
      walletId: account.wallet.walletId,
      amount: 1 + (i % 50),
      currency,
      at,
    };
    const { amount, transactionId } = facts;
    const other = some(i, 2);
    if (i % 10 < 5 || account.wallet.available < amount || other === account) {
      await move(account, { available: amount, held: 0, total: amount }, transactionId, at);
      await record(charge({ ...facts, amount }));
    } else if (i % 10 < 8) {
      await move(account, { available: -amount, held: 0, total: -amount }, transactionId, at);
      await move(other, { available: amount, held: 0, total: amount }, transactionId, at);
      await record(transfer({ ...facts, toWalletId: other.wallet.walletId }));
    } else {
      const destination = { account: 'SIM-OK' };
      const paidAt = new Date(epoch + i * 100 + 50).toISOString();
      const accepted = withdrawal({ ...facts, destination });
      await move(account, { available: -amount, held: amount, total: 0 }, transactionId, at);
      await move(account, { available: 0, held: -amount, total: -amount }, transactionId, paidAt);
      await record({
        ...accepted,
        status: 'completed',
        postings: [...accepted.postings, ...settlePostings(accepted)],
        updatedAt: paidAt,
        completedAt: paidAt,
      });
      const payment = { reference: transactionId, amount, currency, destination };
      const lines = [
        { type: 'submitted', at, payment },
        { type: 'paid', at: paidAt, reference: transactionId },
      ];
      appendFileSync(dataFile, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    }
    if (i % 10_000 === 9_999) console.log(`  ${i + 1} transactions`);
  }
  for (const { wallet } of all) await ledger.put({ ...walletKey(wallet.walletId), ...wallet });
  // Any part of a total is right.
  const total = (hour: string) => totalKey(accounts.external(currency), hour, 'tx_aa');
  for (const [hour, booked] of totals) await entries.put({ ...total(hour), booked });
  await Promise.all([ledger.end(), entries.end()]);
}

async function move(
  account: Account,
  by: Pick<Wallet, 'available' | 'held' | 'total'>,
  transactionId: string,
  at: string,
) {
  const before = account.wallet;
  account.wallet = {
    ...before,
    available: plus(before.available, by.available),
    held: plus(before.held, by.held),
    total: plus(before.total, by.total),
    version: before.version + 1,
    lastTransactionId: transactionId,
    updatedAt: at,
  };
  await enter(account, before);
}

async function enter(account: Account, before: Wallet | undefined): Promise<void> {
  for (const entry of entriesAfter(account.last, { before, after: account.wallet })) {
    const hash = hashOf(entry, account.last?.hash ?? '');
    account.last = { ...entry, hash };
    const { walletId, version, ...rest } = entry;
    await entries.put({ ...entryKey(walletId, version), ...rest, hash });
  }
}

let records = 0;

async function record(transaction: Transaction): Promise<void> {
  const item = {
    ...transactionKey(transaction.transactionId),
    historyKey: historyKeyOf(transaction),
    fingerprint: 'bench',
    ...transaction,
  };
  if (++records <= kept) await ledger.put(item);
  const { transactionId } = transaction;
  for (const [nth, booking] of bookingsOf(transaction).entries()) {
    const outside = booking.postings.filter(({ account }) => !isWalletAccount(account));
    if (outside.length === 0) continue;
    const hour = hourOf(booking.at);
    for (const { amount } of outside) totals.set(hour, (totals.get(hour) ?? 0n) + BigInt(amount));
    // The projector remembers for days that it has counted a booking. A recovery looks at those of the last hour.
    if (Date.parse(booking.at) < epoch + (kept * 100 - hourMs)) continue;
    await entries.put(countedItem({ ...booking, transactionId, count: 2 + 2 * nth }, Date.parse(booking.at)));
  }
}

// The books are made as they would be in the end, and not by what happens on the way.
await service.table.client.send(
  new UpdateTableCommand({ TableName: service.table.name, StreamSpecification: { StreamEnabled: false } }),
);
console.log(`Making ${transactions} transactions of ${values.wallets} wallets`);
await makeBooks();
const bank = await startBankSimulator({ keys: () => [secret], latencyMs: 0, failureRate: 0, dataFile });
try {
  const isLost = kept < transactions;
  const script = join(import.meta.dirname, '..', 'bin', isLost ? 'recover.ts' : 'verify.ts');
  const restoredTo = new Date(epoch + kept * 100).toISOString();
  const args = ['--table', service.table.name, '--entries-table', service.entries.name, '--endpoint', service.endpoint];
  const command = isLost ? ['--stopped', '--restored-to', restoredTo] : ['--stand-still'];
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...env } = process.env;
  const child = spawn(process.execPath, [script, ...args, '--bank-url', bank.url, ...command], {
    env: { ...env, BANK_SECRET: secret },
    stdio: 'inherit',
  });
  process.exitCode = await new Promise<number>((resolve) =>
    child.once('exit', (code) => {
      resolve(code ?? 1);
    }),
  );
} finally {
  await bank.stop();
  await service.stop();
  rmSync(folder, { recursive: true });
}
