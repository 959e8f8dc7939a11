/** The tables, the copy and the writes of one recovery. */
import { isDeepStrictEqual } from 'node:util';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Statement } from '../../lambdas/integrity/statement.ts';
import type { ChainedEntry } from '../../lambdas/domain/entries.ts';
import { storedEntry } from '../../lambdas/store/entries.ts';
import { entryKey, integrityKey } from '../../lambdas/store/keys.ts';
import { askedPrefix } from '../../lambdas/store/operations.ts';
import { readItems } from '../../lambdas/store/read.ts';
import { withRetries } from '../../lambdas/store/table.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { fromItem, namedValues, toItem } from '../../lambdas/store/write.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { writeOne } from '../../lambdas/store/write-one.ts';
import { BooksCopy } from './copy.ts';
import type { Report } from './report.ts';
import { CannotRecover } from './report.ts';

/** What a recovery works on. */
export interface RecoveryInput {
  readonly table: Table;
  readonly entries: Table;
  readonly bank: Statement | undefined;
  /** The earliest time (epoch ms) of an event or payment that the restored table may lack. */
  readonly comparedFrom: number;
  /** Changes the copy and no table. */
  readonly dryRun: boolean;
  /** Whether the check of the books begins anew: its state is of books before the loss. */
  readonly restartsChecks: boolean;
  readonly report: Report;
}

/** One recovery. */
export class Recovery {
  readonly table: Table;
  readonly entries: Table;
  readonly bank: Statement | undefined;
  readonly comparedFrom: string;
  readonly dryRun: boolean;
  readonly report: Report;
  readonly copy: BooksCopy;
  /** The time of the repairs, ISO 8601. */
  readonly at: string;
  #checksAreCurrent: boolean;

  /** @param isSmall keeps the copy in memory */
  constructor(input: RecoveryInput, isSmall = false) {
    const { table, entries, bank, comparedFrom, dryRun, restartsChecks, report } = input;
    this.#checksAreCurrent = !restartsChecks;
    this.table = table;
    this.entries = entries;
    this.bank = bank;
    this.dryRun = dryRun;
    this.report = report;
    this.comparedFrom = new Date(comparedFrom).toISOString();
    this.at = new Date(table.now()).toISOString();
    this.copy = new BooksCopy(isSmall);
  }

  /** Reads an item of the wallet table, consistently. In a dry run, returns it as the run would have written it. */
  async read(key: Item): Promise<Item | undefined> {
    return this.copy.unwritten(key) ?? (await readItems(this.table, [key]))[0];
  }

  /**
   * Puts an item, on condition that it is still as it was seen.
   *
   * @param seen undefined: there was none
   * @throws CannotRecover when another writer has changed it
   */
  async put(table: Table, item: Item, seen: Item | undefined): Promise<void> {
    if (this.dryRun && table === this.table) this.copy.putUnwritten(item);
    const names = ['version', 'updatedAt', 'booked'].filter((name) => seen?.[name] !== undefined);
    const conditions = ['attribute_exists(pk)', ...names.map((name) => `${name} = :${name}`)];
    const wanted = fromItem(toItem(item));
    await this.#write(async () => {
      const command = new PutCommand({
        TableName: table.name,
        Item: item,
        ...(seen === undefined ? unusedRecord : { ConditionExpression: conditions.join(' AND ') }),
        ...(names.length > 0 && {
          ExpressionAttributeValues: namedValues(Object.fromEntries(names.map((name) => [name, seen?.[name]]))),
        }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      const result = await writeOne(table, command);
      // A try whose answer was lost may have written: then the next one meets its own item.
      if (!result.written && !isDeepStrictEqual(result.image, wanted)) throw changedByOthers(item);
    });
  }

  /**
   * Deletes an item of the entries table: entries and counted bookings follow the records. The condition keeps a late try
   * from deleting the item that follows under the same key.
   *
   * @param seen a member of the item as it was seen
   */
  async delete(key: Item, seen: { readonly name: 'hash' | 'content'; readonly value: string }): Promise<void> {
    const { entries } = this;
    const command = new DeleteCommand({
      ...{ TableName: entries.name, Key: key },
      ...(seen.value !== '' && {
        ConditionExpression: 'attribute_not_exists(pk) OR #seen = :seen',
        ExpressionAttributeNames: { '#seen': seen.name },
        ExpressionAttributeValues: { ':seen': seen.value },
      }),
    });
    await this.#write(() => withRetries(entries, () => entries.client.send(command)));
  }

  /**
   * Puts an entry in place of another one of its version. A late try meets the new entry, and writes nothing else. A delete
   * and an insert would not be safe: a late delete could find the same entry again.
   *
   * @param seen the hash of the other entry; empty for one that cannot be read
   */
  async replaceEntry(entry: ChainedEntry, seen: string): Promise<void> {
    const { entries } = this;
    if (seen === entry.hash) return;
    const command = new PutCommand({
      ...{ TableName: entries.name, Item: storedEntry(entry) },
      ...(seen !== '' && {
        ConditionExpression: '#hash IN (:seen, :hash)',
        ExpressionAttributeNames: { '#hash': 'hash' },
        ExpressionAttributeValues: { ':seen': seen, ':hash': entry.hash },
      }),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await this.#write(async () => {
      if (!(await writeOne(entries, command)).written) throw changedByOthers(entryKey(entry.walletId, entry.version));
    });
  }

  /** Runs a write of another kind. */
  async write(work: () => Promise<unknown>): Promise<void> {
    await this.#write(work);
  }

  async #write(work: () => Promise<unknown>): Promise<void> {
    if (this.dryRun) return;
    if (!this.#checksAreCurrent) await this.#restartChecks();
    await work();
  }

  /** Removes the state of the check of the books: its journal lists changes that no record has now. */
  async #restartChecks(): Promise<void> {
    const { entries } = this;
    for (const which of ['hours', 'running'] as const) {
      await withRetries(entries, () =>
        entries.client.send(new DeleteCommand({ TableName: entries.name, Key: integrityKey(which) })),
      );
    }
    this.#checksAreCurrent = true;
  }

  close(): void {
    this.copy.close();
  }
}

/** The condition that there is no item, or only the key of a request that waits for a second operator. */
const unusedRecord = {
  ConditionExpression: 'attribute_not_exists(pk) OR begins_with(fingerprint, :asked)',
  ExpressionAttributeValues: { ':asked': askedPrefix },
};

/** Returns the error for an item that another writer has changed. */
export function changedByOthers({ pk }: Item): CannotRecover {
  return new CannotRecover(`${String(pk)} was changed by another writer: stop the service, and run the recovery again`);
}
