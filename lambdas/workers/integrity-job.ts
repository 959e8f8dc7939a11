import { randomUUID } from 'node:crypto';
import { openBank } from '../bank/client.ts';
import { bankIdOf } from '../bank/identity.ts';
import { openRequestKeys } from '../bank/secret.ts';
import { metrics as names } from '../contract.ts';
import type { Environment } from '../contract.ts';
import type { Discrepancy } from '../domain/discrepancy.ts';
import { bankAt } from '../integrity/bank-hours.ts';
import type { HourBooks } from '../integrity/bank-hours.ts';
import { costOf } from '../integrity/cost.ts';
import { beginHours, hoursFromText, hoursToText, runHours, uncheckedMs } from '../integrity/hours.ts';
import type { Hours } from '../integrity/hours.ts';
import { KnownDiscrepancies } from '../integrity/known.ts';
import { beginPass, passFromText, passToText } from '../integrity/pass.ts';
import { runPass } from '../integrity/run-pass.ts';
import type { Pass, RunControl, RunOutcome } from '../integrity/pass.ts';
import { openPublisher, publishEvents } from '../events/bus.ts';
import type { Publisher } from '../events/bus.ts';
import { dynamodbClient, eventBridgeClient, secretsClient } from '../aws/clients.ts';
import { discrepancyEvent } from '../events/events.ts';
import { positiveInteger } from '../aws/environment.ts';
import { describe, logger, metrics } from '../aws/telemetry.ts';
import { countItems } from '../store/books.ts';
import { getState, putState } from '../store/integrity.ts';
import type { IntegrityItem } from '../store/keys.ts';
import { openTable } from '../store/table.ts';
import type { Table } from '../store/table.ts';

export interface IntegrityServices {
  readonly books: HourBooks;
  readonly publisher: Publisher;
  /**
   * Time from the beginning of a pass over all books to that of the next one, ms. A longer pass is followed at once.
   */
  readonly passEveryMs: number;
}

const hourMs = 3_600_000;
/** How long a run works. Well below the function's time limit, so that it ends by itself. */
const runMs = 600_000;
/** How often progress is stored. A run that crashes repeats at most this much work. */
const storeEveryMs = 60_000;
/** How long after its first look a suspect is looked at again: in the next run as a rule. */
const secondLookMs = 300_000;
/** How many segments of the table are read side by side. */
const segments = 4;

/** An item of the check. Another run may store it meanwhile, and an operator the list of discrepancies. */
class Item {
  text: string | undefined;
  readonly #table: Table;
  readonly #which: IntegrityItem;
  #revision: number | undefined;

  private constructor(table: Table, which: IntegrityItem, stored: Awaited<ReturnType<typeof getState>>) {
    this.#table = table;
    this.#which = which;
    this.text = stored?.text;
    this.#revision = stored?.revision;
  }

  static async read(table: Table, which: IntegrityItem): Promise<Item> {
    return new Item(table, which, await getState(table, which));
  }

  /**
   * Stores a new text.
   *
   * @throws StoredMeanwhile when another writer has stored the item
   */
  async store(text: string): Promise<void> {
    if (!(await this.tryStore(text))) throw new StoredMeanwhile(`another writer has stored ${this.#which}`);
  }

  /** Stores a new text. Returns false when another writer has stored the item; `text` is theirs then. */
  async tryStore(text: string): Promise<boolean> {
    const revision = await putState(this.#table, this.#which, text, this.#revision);
    if (revision === undefined) {
      const stored = await getState(this.#table, this.#which);
      this.text = stored?.text;
      this.#revision = stored?.revision;
      return false;
    }
    this.#revision = revision;
    return true;
  }
}

/** The error of a run that must end, because another writer has stored what it would overwrite. */
class StoredMeanwhile extends Error {
  override readonly name = 'StoredMeanwhile';
}

/** A part of a run: its work until it has to stop, and the storing of its state. */
interface Part {
  /** Returns the hour or pass of new discrepancies. */
  readonly where: () => string;
  readonly run: (control: RunControl) => Promise<RunOutcome>;
  readonly store: () => Promise<void>;
}

/**
 * Does one run: checks the closed hours, and advances the pass over all books in the time that is left. Both go on at
 * the state that the last run stored.
 *
 * @returns both as they are after the run; undefined when another writer stored an item meanwhile
 */
export async function runCheck(
  services: IntegrityServices,
  limitMs = runMs,
): Promise<{ hours: Hours; pass: Pass | undefined } | undefined> {
  const { entries } = services.books;
  const until = entries.now() + limitMs;
  try {
    const known = await Item.read(entries, 'known');
    const all = { item: known, discrepancies: new KnownDiscrepancies(known.text) };
    const hours = await checkHours(services, all, until);
    const pass = await goOnWithPass(services, all, until);
    publishOpenCount(all);
    return { hours, pass };
  } catch (error) {
    if (error instanceof StoredMeanwhile) {
      logger.info('the next run goes on', { reason: error.message });
      return undefined;
    }
    throw error;
  }
}

interface Known {
  readonly item: Item;
  readonly discrepancies: KnownDiscrepancies;
}

async function checkHours(services: IntegrityServices, known: Known, until: number): Promise<Hours> {
  const { entries, statement } = services.books;
  const item = await Item.read(entries, 'hours');
  const bankId = statement?.bankId;
  const hours = item.text === undefined ? beginHours(entries.now(), bankId) : hoursFromText(item.text);
  // Withdrawals that were noted for another bank cannot be compared with this bank's statement.
  if (hours.bank.bankId !== bankId) hours.bank = bankAt(hours.hour, bankId);
  await runPart(services, known, until, {
    where: () => hours.hour,
    run: (control) => runHours(services.books, hours, control),
    store: () => item.store(hoursToText(hours)),
  });
  const uncheckedHours = uncheckedMs(hours, entries.now()) / hourMs;
  logger.info('hours checked', { next: hours.hour, stage: hours.stage, bankFrom: hours.bank.from, uncheckedHours });
  metrics.addMetric(names.uncheckedHours, 'Count', uncheckedHours);
  metrics.publishStoredMetrics();
  return hours;
}

/** Advances the running pass, or begins one when it is due. Stores a pass that ends as the last one. */
async function goOnWithPass(services: IntegrityServices, known: Known, until: number): Promise<Pass | undefined> {
  const { books, passEveryMs } = services;
  const { entries } = books;
  const item = await Item.read(entries, 'running');
  let pass = item.text === undefined ? undefined : passFromText(item.text);
  const bankId = books.statement?.bankId;
  // A pass that was begun with another bank's withdrawals cannot be compared with this bank's statement.
  const isOver = pass === undefined || pass.stage === 'done' || pass.bankId !== bankId;
  // A run that crashed may have stored the end of the pass, and not what follows from it.
  if (pass?.stage === 'done' && !(await isLast(entries, pass))) await endPass(entries, known, pass);
  if (pass?.stage === 'done' && pass.bankId === bankId && entries.now() < Date.parse(pass.startedAt) + passEveryMs) {
    publishHoursSincePass(pass, entries.now());
    return undefined;
  }
  if (pass === undefined || isOver) {
    pass = beginPass({
      ...{ passId: randomUUID(), now: entries.now(), segments, standStill: false, bankId },
      items: await countItems(books.table),
      ...(pass && { lastEndedAt: lastEndOf(pass) }),
    });
  }
  pass.runs++;
  const running = pass;
  const outcome = await runPart(services, known, until, {
    where: () => running.passId,
    run: (control) => runPass(books, running, control),
    store: () => item.store(passToText(running)),
  });
  if (outcome === 'done') await endPass(entries, known, pass);
  const { passId, stage, counts, found } = pass;
  logger.info('books checked', { passId, stage, counts, found, ...costOf(pass) });
  publishHoursSincePass(pass, entries.now());
  return pass;
}

/** Drops the discrepancies that a pass has not found again, and stores it as the last one. A repetition does no harm. */
async function endPass(entries: Table, known: Known, pass: Pass): Promise<void> {
  await storeKnown(known, () => {
    known.discrepancies.dropNotSeenSince(pass.startedAt, comparedBankOf(pass));
  });
  await (await Item.read(entries, 'last')).store(passToText(pass));
}

async function isLast(entries: Table, { passId }: Pass): Promise<boolean> {
  const last = await getState(entries, 'last');
  return last !== undefined && passFromText(last.text).passId === passId;
}

/** How often the list of discrepancies is stored again because an operator has stored it meanwhile. */
const mostTries = 10;
/** How many discrepancies without room a log line names. */
const mostNamed = 20;

/**
 * Stores the list of discrepancies. What another writer has stored meanwhile is kept, above all acknowledgements.
 *
 * @param change is made before each try
 * @throws StoredMeanwhile when others store the list all the time
 */
async function storeKnown({ item, discrepancies }: Known, change: () => void = () => undefined): Promise<void> {
  for (let tries = 0; tries < mostTries; tries++) {
    change();
    if (await item.tryStore(discrepancies.text())) return;
    const dropped = discrepancies.merge(new KnownDiscrepancies(item.text));
    if (dropped.length > 0) {
      const named = dropped.slice(0, mostNamed).map(({ kind, subject }) => `${kind} ${subject}`);
      logger.error(
        'the list of discrepancies is full: the next pass reports these again. Correct or acknowledge those on it',
        {
          ...{ count: dropped.length, named },
        },
      );
    }
  }
  throw new StoredMeanwhile('other writers store the list of discrepancies all the time');
}

/** Returns when a pass last ended (ISO 8601); before the end of the first one, when the first one began. */
function lastEndOf({ finishedAt, lastEndedAt, startedAt }: Pass): string {
  return finishedAt ?? lastEndedAt ?? startedAt;
}

/**
 * Returns the bank whose payments a pass that has ended compared; undefined: none. A bank that gives no statement proves
 * no payment right.
 */
function comparedBankOf({ bankId, noStatementSince }: Pass): string | undefined {
  return noStatementSince === undefined ? bankId : undefined;
}

function publishHoursSincePass(pass: Pass, now: number): void {
  metrics.addMetric(names.hoursSincePass, 'Count', (now - Date.parse(lastEndOf(pass))) / hourMs);
  metrics.publishStoredMetrics();
}

/** Runs a part until it is done, waits, or the time is over. Stores its state at intervals. */
async function runPart(
  { books: { entries, statement }, publisher }: IntegrityServices,
  known: Known,
  until: number,
  part: Part,
): Promise<RunOutcome> {
  const { now } = entries;
  for (;;) {
    const found: { discrepancy: Discrepancy; where: string }[] = [];
    const before = known.discrepancies.text();
    const storeAt = Math.min(now() + storeEveryMs, until);
    const outcome = await part.run({
      now,
      stop: () => now() >= storeAt,
      secondLookMs,
      report: (discrepancy, hour) => {
        const at = new Date(now()).toISOString();
        const isNew = known.discrepancies.note(discrepancy, { hour, bankId: statement?.bankId, at });
        if (isNew) found.push({ discrepancy, where: part.where() });
      },
    });
    if (found.length > 0) publishOpenCount(known);
    // Publish before saving: a crash in between publishes twice, under the same id, but never loses the report.
    await publish(found, publisher);
    if (known.discrepancies.text() !== before) await storeKnown(known);
    await part.store();
    if (outcome !== 'stopped' || now() >= until) return outcome;
  }
}

/**
 * Publishes the number of discrepancies that are neither over nor acknowledged. Its alarm lasts until a whole pass has not
 * found them again, or an operator has acknowledged them.
 */
function publishOpenCount({ discrepancies }: Known): void {
  metrics.addMetric(names.discrepancies, 'Count', discrepancies.open.length);
  metrics.publishStoredMetrics();
}

/** Publishes each new discrepancy as a log line and an event. */
async function publish(
  found: readonly { readonly discrepancy: Discrepancy; readonly where: string }[],
  publisher: Publisher,
): Promise<void> {
  if (found.length === 0) return;
  for (const { discrepancy, where } of found) logger.error('discrepancy in the books', { where, ...discrepancy });
  const events = found.map(({ discrepancy, where }) => discrepancyEvent(discrepancy, where, publisher.now()));
  const failures = await publishEvents(publisher, events, publisher.now() + publishMs);
  // The metric raises the alarm: the check goes on without the bus.
  for (const [event, { code }] of failures) logger.error('discrepancy not published', { code, eventId: event.eventId });
}

const publishMs = 30_000;
/** Time limits for a page of a megabyte and its retries. No caller waits for the answer. */
const pageTimeoutMs = 5_000;
const patienceMs = 60_000;

/** Opens the job that runs four times an hour. */
export function open(environment: Environment<'integrity-job'>) {
  const client = dynamodbClient({ requestTimeoutMs: pageTimeoutMs });
  const services: IntegrityServices = {
    books: {
      table: openTable(client, environment.TABLE_NAME, patienceMs),
      entries: openTable(client, environment.ENTRIES_TABLE_NAME, patienceMs),
      statement: {
        ...openBank({
          url: environment.BANK_URL,
          keys: openRequestKeys(secretsClient(), environment.BANK_REQUEST_SECRET_ARN),
          onBreaker(state) {
            logger.warn('circuit breaker of the bank changed', { state });
          },
        }),
        bankId: bankIdOf(environment.BANK_ID),
      },
    },
    publisher: openPublisher(eventBridgeClient(), environment.EVENT_BUS_NAME),
    passEveryMs: hourMs * positiveInteger(environment, 'FULL_PASS_HOURS'),
  };
  return async (): Promise<void> => {
    try {
      await runCheck(services);
    } catch (error) {
      logger.error('the check of the books failed', { error: describe(error) });
      throw error;
    }
  };
}
