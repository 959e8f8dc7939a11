/**
 * The content of the files in a database of its own, sorted by date. So files of any size and order need little memory, and no
 * line is written before all are checked.
 *
 * The database is one transaction that never ends. So pages go straight into its file, with no journal beside it.
 */
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { scratchFolder } from '../../lib/scratch.ts';
import { fingerprintOf } from '../../lambdas/domain/ids.ts';
import { importedWalletId, importKey } from '../../lambdas/domain/import.ts';
import { openStore, Query } from '../../local/storage/store.ts';
import type { Row } from '../../local/storage/store.ts';
import type { ImportRecord, MovementRecord, WalletRecord } from './record.ts';
import { LineError } from './refusals.ts';
import type { Place } from './refusals.ts';

/** Negative: in KiB. Sorting takes as much once more. */
const cacheSize = -16_384;

const tables = `
  CREATE TABLE wallets (ref TEXT PRIMARY KEY, key TEXT UNIQUE NOT NULL, wallet_id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL,
    currency TEXT NOT NULL, opened TEXT NOT NULL, details TEXT NOT NULL, content TEXT NOT NULL, file TEXT NOT NULL,
    line INTEGER NOT NULL, balance INTEGER NOT NULL DEFAULT 0, changes INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'new') WITHOUT ROWID;
  CREATE TABLE lines (seq INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, wallet TEXT NOT NULL,
    receiver TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, at TEXT NOT NULL, exact TEXT NOT NULL,
    facts TEXT NOT NULL, content TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL, known INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE repeats (key TEXT NOT NULL, file TEXT NOT NULL);`;

const walletColumns = {
  ref: 'text',
  key: 'text',
  wallet_id: 'text',
  owner: 'text',
  currency: 'text',
  opened: 'text',
  details: 'text',
  content: 'text',
  file: 'text',
  line: 'number',
  balance: 'number',
  changes: 'number',
  state: 'text',
} as const;
/** A wallet of the files. `opened` is empty while it is not known. */
export type WalletRow = Row<typeof walletColumns>;

const lineColumns = {
  seq: 'number',
  key: 'text',
  kind: 'text',
  amount: 'number',
  at: 'text',
  content: 'text',
  file: 'text',
  line: 'number',
  known: 'number',
  wallet_id: 'text',
  receiver_id: 'text',
  wallet_currency: 'text',
} as const;
/** A movement with the ids of its wallets here. `receiver_id` is empty where there is none. */
export type LineRow = Row<typeof lineColumns>;

const writeColumns = { ...lineColumns, id: 'text', facts: 'text' } as const;
/** A movement with all that is written. */
export type WriteRow = Row<typeof writeColumns>;

const linesFrom = `FROM lines JOIN wallets payer ON payer.ref = lines.wallet LEFT JOIN wallets payee ON payee.ref = lines.receiver`;
const lineMembers = `seq, lines.key AS key, kind, amount, at, lines.content AS content, lines.file AS file, lines.line AS line,
  known, payer.wallet_id AS wallet_id, payer.currency AS wallet_currency, COALESCE(payee.wallet_id, '') AS receiver_id`;

/** A number of movements and their sum, in two parts: a sum of SQLite ends at 2^63, and one amount may have 2^53. */
const totalColumns = { count: 'number', high: 'number', low: 'number' } as const;
const lowBits = 27;
const totals = `COUNT(*) AS count, SUM(amount >> ${lowBits}) AS high, SUM(amount & ${2 ** lowBits - 1}) AS low`;

/** A number of movements, and the sum of their amounts in minor units. */
export interface Sum {
  readonly count: number;
  readonly amount: bigint;
}

function sumIn({ count, high, low }: Row<typeof totalColumns>): Sum {
  return { count, amount: (BigInt(high) << BigInt(lowBits)) + BigInt(low) };
}

/** The state of a wallet in the table: none, one that the import can go on with, or one that others have written. */
export type WalletState = 'new' | 'open' | 'closed';

/** The content of the files of a run. */
export class Book {
  readonly #database: DatabaseSync;
  readonly #folder: string;
  readonly #statements = new Map<string, StatementSync>();
  /** Lines that repeat an earlier one, to the letter. */
  repeated = 0;
  #seq = 0;

  constructor() {
    this.#folder = scratchFolder('import');
    this.#database = openStore(join(this.#folder, 'book.sqlite'));
    this.#database.exec(`PRAGMA journal_mode = MEMORY; PRAGMA cache_size = ${cacheSize}; BEGIN; ${tables}`);
  }

  close(): void {
    this.#database.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Ends the reading. */
  index(): void {
    this.#database.exec('CREATE INDEX by_time ON lines (exact, seq)');
  }

  /**
   * Adds a line.
   *
   * @throws LineError `duplicate_id` for an id that an earlier line has with another content
   */
  add(place: Place, record: ImportRecord): void {
    const content = fingerprintOf(record);
    const key = importKey(keyKinds[record.kind], record.id);
    const table = record.kind === 'wallet' ? 'wallets' : 'lines';
    const earlier = this.#first(`SELECT content, file, line FROM ${table} WHERE key = ?`, key);
    if (earlier !== undefined) {
      if (earlier['content'] !== content) {
        const where = `${basename(String(earlier['file']))}:${String(earlier['line'])}`;
        throw new LineError('duplicate_id', `${key} is at ${where}, too, with another content`);
      }
      this.repeated++;
      this.#run('INSERT INTO repeats (key, file) VALUES (?, ?)', key, place.file);
    } else if (record.kind === 'wallet') {
      this.#addWallet(place, record, { key, content });
    } else {
      this.#addLine(place, record, { key, content });
    }
  }

  #addWallet({ file, line }: Place, wallet: WalletRecord, { key, content }: { key: string; content: string }): void {
    const { id, ownerId, currency, name, metadata, opened, walletId = importedWalletId(key, currency) } = wallet;
    if (this.#first('SELECT 1 FROM wallets WHERE wallet_id = ?', walletId) !== undefined) {
      throw new LineError('duplicate_id', `another wallet is ${walletId}, too`);
    }
    const details = name === undefined && metadata === undefined ? '' : JSON.stringify({ name, metadata });
    this.#run(
      `INSERT INTO wallets (ref, key, wallet_id, owner, currency, opened, details, content, file, line)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, key, walletId, ownerId, currency, opened?.at ?? '', details, content, file, line],
    );
  }

  #addLine({ file, line }: Place, movement: MovementRecord, { key, content }: { key: string; content: string }): void {
    const { kind, id, wallet, toWallet = '', amount, currency = '', date, ...facts } = movement;
    this.#run(
      `INSERT INTO lines (seq, key, id, kind, wallet, receiver, amount, currency, at, exact, facts, content, file, line)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[++this.#seq, key, id, kind, wallet, toWallet, amount, currency, date.at, date.exact, JSON.stringify(facts)],
      ...[content, file, line],
    );
  }

  /** Returns a query with these columns. */
  query<const C extends ConstructorParameters<typeof Query>[1]>(columns: C, sql: string): Query<C> {
    return new Query(this.#database, columns, sql);
  }

  /** Yields the wallets, so many at a time. */
  *walletPages(size: number): Generator<WalletRow[]> {
    const query = this.query(walletColumns, `SELECT * FROM wallets WHERE ref > ? ORDER BY ref LIMIT ${size}`);
    for (let page = query.all(''); page.length > 0; page = query.all(page.at(-1)?.ref ?? '')) yield page;
  }

  /** Yields the movements of at least `least`, in the order of the files, so many at a time. */
  *linePages(size: number, least: 0 | 1): Generator<LineRow[]> {
    const query = this.query(
      lineColumns,
      `SELECT ${lineMembers} ${linesFrom} WHERE seq > ? AND amount >= ? ORDER BY seq LIMIT ${size}`,
    );
    for (let page = query.all(0, least); page.length > 0; page = query.all(page.at(-1)?.seq ?? 0, least)) yield page;
  }

  /** Yields the movements that are not in the table yet, by date. */
  linesToWrite(): Generator<WriteRow> {
    return this.query(
      writeColumns,
      `SELECT ${lineMembers}, id, facts ${linesFrom} WHERE known = 0 AND amount > 0 ORDER BY exact, seq`,
    ).each();
  }

  /** Yields the sums of movements of more than 0, by currency, kind and whether the table has them. */
  *sums(): Generator<Sum & { readonly currency: string; readonly kind: string; readonly known: number }> {
    const columns = { currency: 'text', kind: 'text', known: 'number', ...totalColumns } as const;
    const query = this.query(
      columns,
      `SELECT payer.currency AS currency, kind, known, ${totals} ${linesFrom} WHERE amount > 0 GROUP BY 1, 2, 3`,
    );
    for (const { currency, kind, known, ...parts } of query.each()) yield { currency, kind, known, ...sumIn(parts) };
  }

  /** Yields the sums of the movements in each file, by currency. A line that repeats an earlier one counts. */
  *fileSums(): Generator<Sum & { readonly file: string; readonly currency: string }> {
    const query = this.query(
      { file: 'text', currency: 'text', ...totalColumns },
      `SELECT moved.file AS file, wallets.currency AS currency, ${totals} FROM (SELECT file, wallet, amount FROM lines
          UNION ALL SELECT repeats.file, wallet, amount FROM repeats JOIN lines ON lines.key = repeats.key) moved
        JOIN wallets ON ref = wallet GROUP BY 1, 2`,
    );
    for (const { file, currency, ...parts } of query.each()) yield { file, currency, ...sumIn(parts) };
  }

  /** Keeps what the movements of a wallet add up to, and when it was opened. */
  setWallet(ref: string, { balance, changes, opened }: Pick<WalletRow, 'balance' | 'changes' | 'opened'>): void {
    this.#run('UPDATE wallets SET balance = ?, changes = ?, opened = ? WHERE ref = ?', balance, changes, opened, ref);
  }

  setWalletState(ref: string, state: WalletState): void {
    this.#run('UPDATE wallets SET state = ? WHERE ref = ?', state, ref);
  }

  setKnown(seq: number): void {
    this.#run('UPDATE lines SET known = 1 WHERE seq = ?', seq);
  }

  #first(sql: string, ...parameters: (string | number)[]): Record<string, unknown> | undefined {
    return this.#prepared(sql).get(...parameters);
  }

  #run(sql: string, ...parameters: (string | number)[]): void {
    this.#prepared(sql).run(...parameters);
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

const keyKinds = {
  wallet: 'wallet',
  opening: 'opening',
  charge: 'transaction',
  withdrawal: 'transaction',
  transfer: 'transaction',
} as const;
