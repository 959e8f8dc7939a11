/** EventBridge. One write stores an event and its deliveries to the targets of the rules that match it. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { accountId, region } from '../cloudformation/account.ts';
import { isRecord } from '../cloudformation/template.ts';
import { ServiceError } from '../machine/endpoint.ts';
import type { Input, JsonService } from '../machine/endpoint.ts';
import type { Faults } from '../machine/faults.ts';
import type { Deliveries } from '../storage/deliveries.ts';
import { atomically, Query } from '../storage/store.ts';
import type { Matches } from './event-pattern.ts';

/** An event in the form that targets receive. */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface BusRule {
  /** Name of its bus. */
  readonly bus: string;
  readonly matches: Matches;
  /** The routes of its targets, each with the body that it sends. */
  readonly targets: readonly { readonly routeId: string; bodyOf(event: BusEvent): string }[];
}

export interface BusArchive {
  readonly bus: string;
  readonly matches: Matches;
}

/** An event in the list of what was published. */
export interface PublishedEvent {
  readonly bus: string;
  /** Whether an archive of the bus keeps it. */
  readonly archived: boolean;
  readonly event: BusEvent;
}

export interface EventBuses {
  readonly service: JsonService;
  addBus(name: string): void;
  addRule(rule: BusRule): void;
  addArchive(archive: BusArchive): void;
  /** Returns published events, newest first. */
  list(query: EventQuery): PublishedEvent[];
}

export interface EventQuery {
  readonly limit: number;
  /** @default events of every type */
  readonly type?: string | undefined;
}

const columns = { bus: 'text', archived: 'number', event: 'text' } as const;

const maxEntries = 10;
const maxEntryBytes = 262_144;
/** The list of published events has this many events that no archive keeps. */
const maxRemembered = 10_000;

export function createEventBuses(database: DatabaseSync, deliveries: Deliveries, faults: Faults): EventBuses {
  const log = new EventLog(database);
  const buses = new Set(['default']);
  const rules: BusRule[] = [];
  const archives: BusArchive[] = [];

  function publish(bus: string, event: BusEvent): void {
    log.add({ bus, event, archived: archives.some((archive) => archive.bus === bus && archive.matches(event)) });
    for (const rule of rules) {
      if (rule.bus !== bus || !rule.matches(event)) continue;
      for (const target of rule.targets) deliveries.add(target.routeId, target.bodyOf(event));
    }
  }

  function put(entry: Input): object {
    const bus = busName(entry['EventBusName']);
    if (!buses.has(bus)) return refused('ResourceNotFoundException', `event bus ${bus} does not exist`);
    const read = readEntry(entry);
    if ('refusal' in read) return read.refusal;
    if (faults.refuses('eventbridge')) {
      return refused('InternalFailure', 'eventbridge is switched to refuse this entry');
    }
    publish(bus, read.event);
    return { EventId: read.event.id };
  }

  return {
    service(operation, input) {
      faults.check('eventbridge');
      if (operation !== 'PutEvents') {
        throw new ServiceError('UnknownOperationException', `the operation ${operation} is not supported`);
      }
      const entries = entriesOf(input);
      const Entries = atomically(database, () => {
        const answers = entries.map(put);
        log.forgetOldest();
        return answers;
      });
      return { FailedEntryCount: Entries.filter((answer) => 'ErrorCode' in answer).length, Entries };
    },
    addBus(name) {
      buses.add(name);
    },
    addRule(rule) {
      rules.push(rule);
    },
    addArchive(archive) {
      archives.push(archive);
    },
    list: (query) => log.list(query),
  };
}

/** Published events: all that an archive keeps, and the newest of the others. */
class EventLog {
  readonly #insert: StatementSync;
  readonly #forget: StatementSync;
  readonly #newest: Query<typeof columns>;
  readonly #newestOfType: Query<typeof columns>;

  constructor(database: DatabaseSync) {
    database.exec(`
      CREATE TABLE IF NOT EXISTS events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, bus TEXT NOT NULL, type TEXT NOT NULL, archived INTEGER NOT NULL,
        event TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS events_by_type ON events (type, seq);
      CREATE INDEX IF NOT EXISTS events_not_archived ON events (seq) WHERE archived = 0;`);
    this.#insert = database.prepare('INSERT INTO events (bus, type, archived, event) VALUES (?, ?, ?, ?)');
    this.#forget = database.prepare(
      `DELETE FROM events WHERE archived = 0 AND seq <=
        (SELECT seq FROM events WHERE archived = 0 ORDER BY seq DESC LIMIT 1 OFFSET ${maxRemembered})`,
    );
    const select = 'SELECT bus, archived, event FROM events';
    this.#newest = new Query(database, columns, `${select} ORDER BY seq DESC LIMIT ?`);
    this.#newestOfType = new Query(database, columns, `${select} WHERE type = ? ORDER BY seq DESC LIMIT ?`);
  }

  add({ bus, archived, event }: PublishedEvent): void {
    this.#insert.run(bus, event['detail-type'], archived ? 1 : 0, JSON.stringify(event));
  }

  forgetOldest(): void {
    this.#forget.run();
  }

  list({ limit, type }: EventQuery): PublishedEvent[] {
    const rows = type === undefined ? this.#newest.all(limit) : this.#newestOfType.all(type, limit);
    return rows.map(({ bus, archived, event }) => ({
      bus,
      archived: archived === 1,
      event: JSON.parse(event) as BusEvent,
    }));
  }
}

/** Returns the entries of a PutEvents call. Throws ServiceError for too many or too large ones. */
function entriesOf(input: Input): Input[] {
  const entries = Array.isArray(input['Entries']) ? (input['Entries'] as unknown[]).filter(isRecord) : [];
  if (entries.length === 0 || entries.length > maxEntries) {
    const rule = `length less than or equal to ${maxEntries} and greater than or equal to 1`;
    throw new ServiceError('ValidationException', `value at 'entries' failed to satisfy constraint: ${rule}`);
  }
  if (entries.reduce((sum, entry) => sum + size(entry), 0) > maxEntryBytes) {
    throw new ServiceError('ValidationException', `total size of the entries in the request is over the limit`);
  }
  return entries;
}

/** Returns the event that an entry describes, or the answer that refuses the entry. */
function readEntry(entry: Input): { readonly event: BusEvent } | { readonly refusal: object } {
  const { Source: source, DetailType: type, Detail: detail, Time: seconds, Resources: resources } = entry;
  for (const [field, value] of Object.entries({ Source: source, DetailType: type, Detail: detail })) {
    if (typeof value !== 'string' || value === '') {
      return { refusal: refused('InvalidArgument', `parameter ${field} is not valid`) };
    }
  }
  if (String(source).startsWith('aws.')) {
    const message = `not authorized for the source ${String(source)}`;
    return { refusal: refused('NotAuthorizedForSourceException', message) };
  }
  const parsed = parse(String(detail));
  if (!parsed) return { refusal: refused('MalformedDetail', 'detail is malformed') };
  const time = typeof seconds === 'number' ? new Date(seconds * 1000) : new Date();
  const event: BusEvent = {
    version: '0',
    id: randomUUID(),
    'detail-type': String(type),
    source: String(source),
    account: accountId,
    time: `${time.toISOString().slice(0, 19)}Z`,
    region,
    resources: Array.isArray(resources) ? resources.map(String) : [],
    detail: parsed,
  };
  return { event };
}

function refused(ErrorCode: string, ErrorMessage: string): object {
  return { ErrorCode, ErrorMessage };
}

/** Returns the name of a bus that is given by its name or ARN; without either, that of the default bus. */
export function busName(nameOrArn: unknown): string {
  return typeof nameOrArn === 'string' ? (nameOrArn.split('/').at(-1) ?? '') : 'default';
}

function parse(detail: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(detail);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes of an entry as EventBridge counts them. */
function size(entry: Input): number {
  const texts = [entry['Source'], entry['DetailType'], entry['Detail'], ...[entry['Resources'] ?? []].flat()];
  const time = entry['Time'] === undefined ? 0 : 14;
  return texts.reduce((sum: number, text) => sum + (typeof text === 'string' ? Buffer.byteLength(text) : 0), time);
}
