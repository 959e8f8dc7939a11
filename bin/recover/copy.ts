/**
 * A copy of the books in a database of its own, for sums and joins that memory has no room for. Each repair is made in
 * the copy, too, so no repair waits for an index of DynamoDB.
 */
import { aliasNameOf } from '../../lambdas/domain/alias.ts';
import type { Alias } from '../../lambdas/domain/alias.ts';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { scratchFolder } from '../../lib/scratch.ts';
import { service } from '../../lambdas/domain/actor.ts';
import type { Approval } from '../../lambdas/domain/approval.ts';
import { bookingsOf, entryNameOf, hasWholeBookings } from '../../lambdas/domain/bookings.ts';
import type { ChainedEntry } from '../../lambdas/domain/entries.ts';
import { bookedAtOf } from '../../lambdas/domain/entries.ts';
import { accounts, walletOfAccount } from '../../lambdas/domain/postings.ts';
import type { Posting } from '../../lambdas/domain/postings.ts';
import type { StandingOrder } from '../../lambdas/domain/standing-order.ts';
import type { Transaction } from '../../lambdas/domain/transaction.ts';
import type { Wallet } from '../../lambdas/domain/wallet.ts';
import { stateFromText, stateToText } from '../../lambdas/integrity/text.ts';
import type { FeeState } from '../../lambdas/store/fees.ts';
import { referenceItem, referringIn } from '../../lambdas/store/references.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { openStore, Query } from '../../local/storage/store.ts';
import { indexes, tables } from './copy-tables.ts';
import { counterpartOf, refundsOf } from './links.ts';

/** What a copy keeps of a transaction's record. */
const recordColumns = {
  id: 'text',
  type: 'text',
  status: 'text',
  wallet_id: 'text',
  amount: 'number',
  currency: 'text',
  created_at: 'text',
  bank_id: 'text',
  counterpart: 'text',
  postings: 'number',
  marked: 'number',
  refunds: 'text',
} as const;

/** Sums are exact, as text: a number holds no more than 2^53-1. */
const balanceColumns = { available: 'text', held: 'text' } as const;
export const sums = 'CAST(SUM(available) AS TEXT) AS available, CAST(SUM(held) AS TEXT) AS held';

/** The reason on the record of an open withdrawal that was restored: a submit may have left after the restored moment. */
export const restoredReason = 'the table was restored';

/** The description of a charge that a recovery books in place of a forgotten credit. */
export const standInDescription = 'in place of a credit that a restore forgot';

/** The attributes of a stored transaction that its kind does not show. */
export interface StoredFacts {
  /** Where a transfer arrived in a crowd, its receiver. */
  readonly crowdOf?: string | undefined;
}

/** The copy of the books. Its methods change the copy only. */
export class BooksCopy {
  readonly database: DatabaseSync;
  readonly #folder: string | undefined;
  readonly #statements = new Map<string, StatementSync>();
  readonly #queries = new Map<string, object>();
  readonly #wallet: Query<{ item: 'text' }>;
  readonly #record: Query<typeof recordColumns>;
  readonly #balance: Query<typeof balanceColumns>;

  /** @param isSmall keeps the copy in memory */
  constructor(isSmall = false) {
    this.#folder = isSmall ? undefined : scratchFolder('recover');
    this.database = openStore(this.#folder === undefined ? undefined : join(this.#folder, 'books.sqlite'));
    this.database.exec(`PRAGMA cache_size = -65536; ${tables}`);
    this.#wallet = this.query({ item: 'text' }, 'SELECT item FROM wallets WHERE wallet_id = ?');
    this.#record = this.query(recordColumns, 'SELECT * FROM records WHERE id = ?');
    this.#balance = this.query(
      balanceColumns,
      `SELECT ${sums} FROM (SELECT 0 AS available, 0 AS held UNION ALL
        SELECT available, held FROM bookings WHERE account = ?)`,
    );
  }

  /** Returns whether a query finds a row. */
  has(sql: string, ...parameters: SQLInputValue[]): boolean {
    return this.#prepared(sql).get(...parameters) !== undefined;
  }

  /** Ends the loading. */
  index(): void {
    this.database.exec(indexes);
  }

  close(): void {
    this.database.close();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Returns a query with these columns. Rows of one query are read to their end before it is used again. */
  query<const C extends ConstructorParameters<typeof Query>[1]>(columns: C, sql: string): Query<C> {
    const known = this.#queries.get(sql) as Query<C> | undefined;
    if (known !== undefined) return known;
    const query = new Query(this.database, columns, sql);
    this.#queries.set(sql, query);
    return query;
  }

  run(sql: string, ...parameters: SQLInputValue[]): void {
    this.#prepared(sql).run(...parameters);
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  putWallet(wallet: Wallet): void {
    this.run('INSERT OR REPLACE INTO wallets VALUES (?, ?)', wallet.walletId, stateToText(wallet));
  }

  putOrder(order: StandingOrder): void {
    const { standingOrderId, walletId, status } = order;
    const values = [standingOrderId, walletId, status === 'active' ? 1 : 0, stateToText(order)];
    this.run('INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)', ...values);
  }

  /** Keeps an order that cannot be read: it counts for its wallet. */
  putHiddenOrder(standingOrderId: string, walletId: string, isActive: boolean): void {
    this.run("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, '')", standingOrderId, walletId, isActive ? 1 : 0);
  }

  putApproval(approval: Approval): void {
    this.run('INSERT OR REPLACE INTO approvals VALUES (?, ?)', approval.approvalId, stateToText(approval));
  }

  wallet(walletId: string): Wallet | undefined {
    const row = this.#wallet.first(walletId);
    return row && (stateFromText(row.item) as Wallet);
  }

  record(id: string) {
    return this.#record.first(id);
  }

  /** Keeps a transaction in place of an earlier state of it. */
  putTransaction(transaction: Transaction, { crowdOf }: StoredFacts = {}): void {
    const { transactionId: id, type, status, walletId, amount, currency, createdAt, postings } = transaction;
    this.run('DELETE FROM bookings WHERE id = ?', id);
    const isMarked = type === 'withdrawal' && transaction.attempts?.at(-1)?.reason === restoredReason;
    const bankId = type === 'withdrawal' ? transaction.bankId : undefined;
    this.run(
      'INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[id, type, status, walletId, amount, currency, createdAt, bankId ?? '', counterpartOf(transaction) ?? ''],
      ...[hasWholeBookings(transaction) ? postings.length : 0, Number(isMarked), refundsOf(transaction)],
    );
    if (type === 'refund' && transaction.chargeback) {
      this.run('INSERT OR REPLACE INTO chargebacks VALUES (?, ?, ?)', id, walletId, amount);
    }
    if (type === 'charge' && isStandIn(transaction)) {
      this.run('INSERT OR REPLACE INTO stand_ins VALUES (?, ?)', id, walletId);
    }
    const referring = referringIn(transaction);
    if (referring !== undefined) {
      const item = referenceItem(referring);
      this.run(
        'INSERT OR REPLACE INTO referring VALUES (?, ?, ?, ?)',
        id,
        String(item['pk']),
        createdAt,
        JSON.stringify(item),
      );
    }
    if (crowdOf !== undefined) this.run('INSERT OR REPLACE INTO crowds VALUES (?)', crowdOf);
    if (!hasWholeBookings(transaction)) return;
    let count = 0;
    for (const [nth, booking] of bookingsOf(transaction).entries()) {
      count += booking.postings.length;
      for (const [account, change] of changesOf(booking.postings)) {
        const name = entryNameOf(transaction, nth, account);
        this.run(
          'INSERT INTO bookings VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
          ...[id, nth, account, name, booking.at, change.available, change.held, count],
        );
      }
    }
  }

  putAlias(alias: Alias): void {
    this.run('INSERT OR REPLACE INTO aliases VALUES (?, ?)', aliasNameOf(alias.alias), JSON.stringify(alias));
  }

  /** Keeps that an alias counts as one of those that its owner took. */
  putCountedAlias(name: string, ownerId: string): void {
    this.run('INSERT OR REPLACE INTO counted_aliases VALUES (?, ?)', name, ownerId);
  }

  /** Keeps what is known of the fees of a currency. */
  putFees(state: FeeState): void {
    this.run('INSERT OR REPLACE INTO fees VALUES (?, ?)', state.currency, stateToText(state));
  }

  /** Returns what is known of the fees of a currency. */
  fees(currency: string): FeeState | undefined {
    const row = this.query({ item: 'text' }, 'SELECT item FROM fees WHERE currency = ?').first(currency);
    return row && (stateFromText(row.item) as FeeState);
  }

  /** Keeps an item that a dry run does not write to the wallet table. */
  putUnwritten(item: Item): void {
    this.run(
      'INSERT OR REPLACE INTO unwritten VALUES (?, ?, ?)',
      String(item['pk']),
      String(item['sk']),
      stateToText(item),
    );
  }

  /** Returns the item that a dry run would have written under a key. */
  unwritten({ pk, sk }: Item): Item | undefined {
    const row = this.query({ item: 'text' }, 'SELECT item FROM unwritten WHERE pk = ? AND sk = ?').first(
      String(pk),
      String(sk),
    );
    return row && (stateFromText(row.item) as Item);
  }

  putEntry(entry: ChainedEntry): void {
    const sum = (account: string) =>
      entry.changes.reduce((total, one) => (one.account === account ? total + BigInt(one.amount) : total), 0n);
    this.run(
      'INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ...[entry.walletId, entry.version, entry.transactionId ?? '', bookedAtOf(entry)],
      ...[sum('available'), sum('held'), entry.hash, stateToText(entry)],
    );
  }

  /** Returns whether the table has the wallet or record, readable or not. */
  knows(id: string): boolean {
    return this.has(
      `SELECT 1 WHERE ?1 IN (SELECT wallet_id FROM wallets) OR ?1 IN (SELECT id FROM records)
        OR ?1 IN (SELECT id FROM operations) OR ?1 IN (SELECT id FROM unreadable)`,
      id,
    );
  }

  /** Returns the id of a charge that a recovery has booked on a wallet in place of a forgotten credit. */
  standInOf(walletId: string): string | undefined {
    return this.query({ id: 'text' }, 'SELECT id FROM stand_ins WHERE wallet_id = ? LIMIT 1').first(walletId)?.id;
  }

  /** Returns what a transaction, as the copy has it, has changed of the available money of a wallet. */
  availableBy(id: string, walletId: string): bigint {
    const sum = this.query(
      { available: 'text' },
      'SELECT CAST(COALESCE(SUM(available), 0) AS TEXT) AS available FROM bookings WHERE id = ? AND account = ?',
    );
    return BigInt(sum.first(id, walletId)?.available ?? '0');
  }

  /** Returns what the captures of a hold have taken out of its held money, and given back. */
  takenOf(holdId: string): bigint {
    const sum = this.query(
      { taken: 'text' },
      `SELECT CAST(COALESCE(-SUM(held), 0) AS TEXT) AS taken FROM records JOIN bookings
        ON bookings.id = records.id AND account = wallet_id WHERE type = 'capture' AND counterpart = ?`,
    );
    return BigInt(sum.first(holdId)?.taken ?? '0');
  }

  /** Returns what the refunds of a transaction have given back, also those that cannot be read and show it. */
  refundedOf(originalId: string): bigint {
    const sum = this.query(
      { refunded: 'text' },
      `SELECT CAST(COALESCE(SUM(amount), 0) AS TEXT) AS refunded FROM (
        SELECT amount FROM records WHERE type = 'refund' AND counterpart = ?1
        UNION ALL SELECT amount FROM unreadable WHERE original = ?1)`,
    );
    return BigInt(sum.first(originalId)?.refunded ?? '0');
  }

  /** Returns the number of payments from a wallet that are scheduled. */
  scheduledOf(walletId: string): number {
    const count = this.query(
      { count: 'number' },
      "SELECT COUNT(*) AS count FROM records WHERE wallet_id = ? AND status = 'scheduled'",
    );
    return count.first(walletId)?.count ?? 0;
  }

  /** Returns the number of standing orders of a wallet that are active. */
  ordersOf(walletId: string): number {
    const count = this.query(
      { count: 'number' },
      'SELECT COUNT(*) AS count FROM orders WHERE wallet_id = ? AND is_active',
    );
    return count.first(walletId)?.count ?? 0;
  }

  /** Returns the sum of the chargebacks of a wallet. */
  chargedBackOf(walletId: string): bigint {
    const sum = this.query(
      { amount: 'text' },
      'SELECT CAST(COALESCE(SUM(amount), 0) AS TEXT) AS amount FROM chargebacks WHERE wallet_id = ?',
    );
    return BigInt(sum.first(walletId)?.amount ?? '0');
  }

  /** Returns the sum of the bookings on an account outside of wallets; of those before a time where one is given. */
  sumOf(account: string, before = '~'): bigint {
    const sum = this.query(
      { amount: 'text' },
      'SELECT CAST(COALESCE(SUM(available), 0) AS TEXT) AS amount FROM bookings WHERE account = ? AND at < ?',
    );
    return BigInt(sum.first(account, before)?.amount ?? '0');
  }

  /** Returns the balance of a wallet by its transactions. */
  balanceOf(walletId: string): Amounts {
    const { available = '0', held = '0' } = this.#balance.first(walletId) ?? {};
    return { available: BigInt(available), held: BigInt(held) };
  }
}

/** Returns whether a charge stands in for a forgotten credit. Only the service itself makes charges in its own name. */
function isStandIn({ principal, description }: Transaction): boolean {
  return principal === service.principal && description === standInDescription;
}

/** The amounts of a wallet. An account outside of wallets has its amount as `available`. */
export interface Amounts {
  readonly available: bigint;
  readonly held: bigint;
}

/** Returns the changes of wallets, by id, and of the accounts outside, by name. */
export function changesOf(postings: readonly Posting[]): Map<string, Amounts> {
  const changes = new Map<string, Amounts>();
  for (const { account, amount } of postings) {
    const walletId = walletOfAccount(account);
    const name = walletId ?? account;
    const { available, held } = changes.get(name) ?? { available: 0n, held: 0n };
    const isHeld = walletId !== undefined && account === accounts.held(walletId);
    changes.set(
      name,
      isHeld ? { available, held: held + BigInt(amount) } : { available: available + BigInt(amount), held },
    );
  }
  return changes;
}
