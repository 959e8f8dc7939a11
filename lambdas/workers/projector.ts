import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Environment } from '../contract.ts';
import { newBooking } from '../domain/bookings.ts';
import { BrokenChain, entriesAfter } from '../domain/entries.ts';
import type { ChainedEntry, Entry } from '../domain/entries.ts';
import { chunksOf } from '../aws/chunks.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { forEachOf } from '../aws/parallel.ts';
import { openQueue } from '../aws/queue.ts';
import { setRecordAside } from '../aws/set-aside.ts';
import type { SetAside, SetAsideQueue } from '../aws/set-aside.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { chained, entriesAt, entriesBetween, insertEntries, lastEntry, mostInserts } from '../store/entries.ts';
import type { Inserted } from '../store/entries.ts';
import { Heads } from '../store/heads.ts';
import { putJournal, readListed } from '../store/journal.ts';
import type { ListedChange } from '../store/journal.ts';
import type { Change } from '../store/stream.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { addToTotals } from '../store/totals.ts';
import type { CountedBooking } from '../store/totals.ts';
import { UnreadableItem } from '../store/unreadable.ts';

export interface ProjectorServices {
  /** The table of entries and totals. */
  readonly entries: Table;
  readonly setAside: SetAsideQueue;
  /** The last entries of wallets from earlier batches of this container. */
  readonly heads: Heads;
}

type WalletChange = Extract<Change, { kind: 'wallet' }>;
type TransactionChange = Extract<Change, { kind: 'transaction' }>;

/** Wallets whose ledgers are read at the same time. */
const readsAtATime = 16;

/** The open changes of a wallet, and the entry behind which its ledger goes on. */
interface Chain {
  readonly walletId: string;
  /** Changes that the ledger may lack, in the order of their versions. */
  changes: { readonly record: DynamoDBRecord; readonly change: WalletChange }[];
  /** Changes behind one that Lambda redelivers: they are redelivered with it. */
  left: Chain['changes'];
  /** The entry that the next one follows; undefined: none. */
  last: ChainedEntry | undefined;
  /**
   * `guessed`: `last` is stored, and may not be the last entry. `read`: it was the last entry when the ledger was read.
   * `unknown`: the ledger must be read.
   */
  state: 'guessed' | 'read' | 'unknown';
  /** Entries that the ledger has already for versions of `changes`, as far as it was read. */
  stored: Map<number, Entry>;
}

/** The function that does a record's work, and returns whether the work of later records may go on. */
type Attempt = (record: DynamoDBRecord, work: () => Promise<void>) => Promise<boolean>;

/**
 * Writes the ledger's entries from changes of wallets, and the totals of the accounts outside from changes of
 * transactions. Leaves stored entries and counted bookings as they are, so batches may repeat and overlap.
 *
 * The stream keeps the order of a wallet, so no retry makes a record fit that does not fit the chain. Such a record is
 * set aside and does not block other wallets. A record that cannot be written now blocks the records behind it, so that
 * none is missing.
 *
 * @param records at most 100
 * @returns the first record to redeliver, with all behind it; undefined when all are written or set aside
 */
export async function project(
  records: readonly DynamoDBRecord[],
  services: ProjectorServices,
): Promise<DynamoDBRecord | undefined> {
  const toRedeliver = new Set<DynamoDBRecord>();
  const attempt: Attempt = async (record, work) => {
    try {
      await work();
      return true;
    } catch (error) {
      const sequenceNumber = record.dynamodb?.SequenceNumber;
      if (isDefinite(error) && (await setRecordAside(services.setAside, record, reasonOf(error)))) return true;
      logger.warn('record not projected, so redelivered', { sequenceNumber, error: describe(error) });
      toRedeliver.add(record);
      return false;
    }
  };

  const listed = new Map<DynamoDBRecord, readonly ListedChange[]>();
  const chains = new Map<string, Chain>();
  const transactions: { record: DynamoDBRecord; change: TransactionChange }[] = [];
  for (const record of records) {
    await attempt(record, () => {
      const { change, listed: journalChange, error } = readListed(record);
      if (journalChange !== undefined) listed.set(record, journalChange);
      if (error !== undefined) throw error;
      if (change?.kind === 'transaction') transactions.push({ record, change });
      if (change?.kind !== 'wallet') return Promise.resolve();
      const { walletId } = change.after;
      const chain = chains.get(walletId) ?? newChain(walletId);
      chain.changes.push({ record, change });
      chains.set(walletId, chain);
      return Promise.resolve();
    });
  }
  await projectWallets([...chains.values()], services, attempt);
  for (const { left } of chains.values()) for (const { record } of left) toRedeliver.add(record);

  // The totals have counted these bookings, so the journal lists them, even behind a record that is redelivered.
  let done = records.filter((record) => !toRedeliver.has(record));
  if (!(await countBookings(transactions, services, attempt))) done = beforeFirst(done, toRedeliver);
  await listDone(done, listed, services, attempt);
  return records.find((record) => toRedeliver.has(record));
}

function beforeFirst(records: readonly DynamoDBRecord[], toRedeliver: ReadonlySet<DynamoDBRecord>): DynamoDBRecord[] {
  const open = records.findIndex((record) => toRedeliver.has(record));
  return open < 0 ? [...records] : records.slice(0, open);
}

/** Adds the bookings of transactions to the totals. Returns whether all are counted. */
async function countBookings(
  transactions: readonly { readonly record: DynamoDBRecord; readonly change: TransactionChange }[],
  { entries }: ProjectorServices,
  attempt: Attempt,
): Promise<boolean> {
  const bookings = transactions.flatMap(({ change }): CountedBooking[] => {
    const booking = newBooking(change.before, change.after);
    return booking ? [{ ...booking, transactionId: change.after.transactionId }] : [];
  });
  const [first] = transactions;
  let contradicted: CountedBooking[] = [];
  // One failure redelivers all of them. Those that were counted are known then.
  const add = async () => {
    contradicted = await addToTotals(entries, bookings);
  };
  if (first && !(await attempt(first.record, add))) return false;
  for (const { transactionId, count } of contradicted) {
    const contradicting = transactions.find(
      ({ change: { after } }) => after.transactionId === transactionId && after.postings.length === count,
    );
    const error = new OtherBooking(`${transactionId} was counted in the totals with another content`);
    if (contradicting) await attempt(contradicting.record, () => Promise.reject(error));
  }

  return true;
}

/**
 * Lists written changes in the journal before the batch is acknowledged. After a failure Lambda redelivers all of them.
 * The journal comes last, so that listed changes have their entries.
 */
async function listDone(
  done: readonly DynamoDBRecord[],
  listed: ReadonlyMap<DynamoDBRecord, readonly ListedChange[]>,
  { entries }: ProjectorServices,
  attempt: Attempt,
): Promise<void> {
  const changes = done.flatMap((record) => listed.get(record) ?? []);
  const [first] = done;
  if (first && changes.length > 0) await attempt(first, () => putJournal(entries, changes));
}

function newChain(walletId: string): Chain {
  return { walletId, changes: [], left: [], last: undefined, state: 'unknown', stored: new Map() };
}

/**
 * Writes the entries of all wallets in rounds. Each round inserts the next entry of each wallet, in as few calls as
 * possible. So an entry is inserted only when the entry before it is known to be stored.
 */
async function projectWallets(chains: readonly Chain[], services: ProjectorServices, attempt: Attempt): Promise<void> {
  await guessLast(chains, services, attempt);
  for (let open = chains; open.length > 0; open = open.filter(({ changes }) => changes.length > 0)) {
    await forEachOf(open, readsAtATime, (chain) => readIfUnknown(chain, services, attempt));
    const next = new Map<ChainedEntry, Chain>();
    for (const chain of open) {
      const entry = await nextEntry(chain, attempt);
      if (entry !== undefined) next.set(entry, chain);
    }
    const calls = chunksOf([...next.keys()], () => 1, { most: mostInserts, mostBytes: mostInserts });
    await Promise.all(
      calls.map(async (batch) => {
        const outcomes = await insertEntries(services.entries, batch);
        for (const [index, entry] of batch.entries()) {
          const [chain, outcome] = [next.get(entry), outcomes[index]];
          if (chain && outcome) await applyOutcome(chain, { entry, outcome }, services, attempt);
        }
      }),
    );
  }
}

/**
 * Guesses the last entry of each wallet: the entry of the version before its first change. It comes from an earlier
 * batch, or from one read with the others. If the entry is missing, or is not the last one, the wallet's ledger is
 * read.
 */
async function guessLast(
  chains: readonly Chain[],
  { entries, heads }: ProjectorServices,
  attempt: Attempt,
): Promise<void> {
  const unread = new Map<string, { readonly chain: Chain; readonly version: number }>();
  for (const chain of chains) {
    const version = (chain.changes[0]?.change.after.version ?? 0) - 1;
    const kept = heads.get(chain.walletId);
    // A kept entry of a later version shows that the batch is a repetition.
    if (kept !== undefined && kept.version > version) continue;
    if (kept?.version === version || version < 0) guess(chain, kept);
    else unread.set(chain.walletId, { chain, version });
  }
  try {
    const positions = [...unread].map(([walletId, { version }]) => ({ walletId, version }));
    for (const entry of await entriesAt(entries, positions)) {
      const chain = unread.get(entry.walletId)?.chain;
      if (chain) guess(chain, entry);
    }
  } catch (error) {
    // Each ledger is read by itself then: an entry that cannot be read must not set other wallets' changes aside.
    if (error instanceof UnreadableItem) return;
    for (const { chain } of unread.values()) await giveUp(chain, error, attempt);
  }
}

function guess(chain: Chain, last: ChainedEntry | undefined): void {
  chain.last = last;
  chain.state = 'guessed';
}

async function readIfUnknown(chain: Chain, { entries, heads }: ProjectorServices, attempt: Attempt): Promise<void> {
  if (chain.state !== 'unknown' || chain.changes.length === 0) return;
  try {
    const last = await lastEntry(entries, chain.walletId);
    chain.stored = await readKnown(entries, chain.changes, last);
    chain.last = last;
    chain.state = 'read';
    if (last) heads.keep(last);
  } catch (error) {
    await giveUp(chain, error, attempt);
  }
}

/**
 * Returns the next entry that the wallet's changes add; undefined when there is none, or the ledger must be read first.
 * Drops the changes that the ledger has, and those that were set aside.
 */
async function nextEntry(chain: Chain, attempt: Attempt): Promise<ChainedEntry | undefined> {
  for (let [first] = chain.changes; first !== undefined; [first] = chain.changes) {
    const { change } = first;
    try {
      const [entry] = entriesAfter(chain.last, change, chain.stored.get(change.after.version));
      if (entry !== undefined) return chained(entry, chain.last);
      chain.changes.shift();
    } catch (error) {
      if (chain.state !== 'read') {
        // A change that does not fit a guess may fit the ledger.
        chain.state = 'unknown';
        return undefined;
      }
      await giveUp(chain, error, attempt);
    }
  }
  return undefined;
}

/** Applies the outcome of an insert: goes on behind the entry, reads the ledger first, or ends the change's work. */
async function applyOutcome(
  chain: Chain,
  { entry, outcome }: { readonly entry: ChainedEntry; readonly outcome: Inserted },
  { heads }: ProjectorServices,
  attempt: Attempt,
): Promise<void> {
  if (outcome === 'known') {
    chain.state = 'unknown';
  } else if (outcome === 'stored') {
    chain.last = entry;
    chain.stored.set(entry.version, entry);
    heads.keep(entry);
    // The entry may belong to the version before the change, whose own record never arrived.
    if (entry.version === chain.changes[0]?.change.after.version) chain.changes.shift();
  } else {
    await giveUp(chain, outcome.error, attempt);
  }
}

/** Ends the work on the wallet's first change. Ends it on all changes, unless the first was set aside. */
async function giveUp(chain: Chain, error: unknown, attempt: Attempt): Promise<void> {
  const [first, ...others] = chain.changes;
  const goesOn =
    first !== undefined &&
    (await attempt(first.record, () => {
      throw error;
    }));
  if (!goesOn) chain.left = others;
  chain.changes = goesOn ? others : [];
}

/** Reads the ledger's entries of the versions of these changes, to compare them. There are none as a rule. */
async function readKnown(
  entries: Table,
  changes: readonly { readonly change: WalletChange }[],
  last: Entry | undefined,
): Promise<Map<number, Entry>> {
  const versions = changes
    .map(({ change }) => change.after.version)
    .filter((version) => version < (last?.version ?? 0));
  if (last === undefined || versions.length === 0) return new Map();
  const range = { first: Math.min(...versions), last: Math.max(...versions) };
  const known = await entriesBetween(entries, last.walletId, range);
  return new Map(known.map((entry) => [entry.version, entry]));
}

/**
 * The error for a transaction that the totals count with another booking: the table was restored to an earlier state.
 */
class OtherBooking extends Error {
  override readonly name = 'OtherBooking';
}

function isDefinite(error: unknown): error is Error {
  return error instanceof BrokenChain || error instanceof OtherBooking || error instanceof UnreadableItem;
}

function reasonOf(error: Error) {
  return { walletId: error instanceof BrokenChain ? error.walletId : undefined, error: describe(error) };
}

/** Opens the consumer of the table's stream. Its result names the record from which Lambda redelivers. */
export function open(environment: Environment<'projector'>) {
  const services: ProjectorServices = {
    entries: openTable(dynamodbClient(), environment.ENTRIES_TABLE_NAME),
    setAside: openQueue<SetAside>(sqsClient(), environment.SET_ASIDE_QUEUE_URL),
    heads: new Heads(),
  };
  return async (event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const first = await project(event.Records, services);
    return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first.dynamodb?.SequenceNumber ?? '' }] };
  };
}
