/** SQLite files of this machine's services. */
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';

/** Opens the file for this process alone, or memory where `path` is undefined. Throws when another process has it open. */
export function openStore(path: string | undefined): DatabaseSync {
  const database = new DatabaseSync(path ?? ':memory:');
  try {
    // Without fsync, a commit survives the death of this process, though not of the machine.
    database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
      BEGIN IMMEDIATE; COMMIT`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Runs `work` in a transaction: all of its writes are kept, or none. */
export function atomically<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** The kinds of values that a column holds. */
interface Kinds {
  readonly text: string;
  readonly number: number;
  readonly 'number or null': number | null;
}
type Columns = Readonly<Record<string, keyof Kinds>>;
/** A row with these columns. */
export type Row<C extends Columns> = { readonly [Name in keyof C]: Kinds[C[Name]] };

/** A prepared query, whose rows are checked against the columns that it names. */
export class Query<const C extends Columns> {
  readonly #columns: readonly (readonly [string, keyof Kinds])[];
  readonly #statement: StatementSync;

  constructor(database: DatabaseSync, columns: C, sql: string) {
    this.#columns = Object.entries(columns);
    this.#statement = database.prepare(sql);
  }

  all(...parameters: SQLInputValue[]): Row<C>[] {
    return this.#statement.all(...parameters).map((row) => this.#checked(row));
  }

  first(...parameters: SQLInputValue[]): Row<C> | undefined {
    const row = this.#statement.get(...parameters);
    return row && this.#checked(row);
  }

  /** Yields the rows one at a time: memory need not hold them all. */
  *each(...parameters: SQLInputValue[]): Generator<Row<C>> {
    for (const row of this.#statement.iterate(...parameters)) yield this.#checked(row);
  }

  #checked(row: Record<string, unknown>): Row<C> {
    for (const [name, kind] of this.#columns) {
      const value = row[name];
      const fits = kind === 'text' ? typeof value === 'string' : typeof value === 'number';
      if (!fits && !(value === null && kind === 'number or null')) {
        throw new Error(`the column ${name} has no ${kind}: ${String(value)}`);
      }
    }
    return row as Row<C>;
  }
}
