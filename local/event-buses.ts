/** EventBridge: events put on a bus are kept, matched against its rules and promised to the targets in one write. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Deliveries } from './deliveries.ts';
import type { Matches } from './event-pattern.ts';
import type { Faults } from './faults.ts';
import { accountId, region } from './machine.ts';
import { ServiceError, type Input, type Service } from './services.ts';
import { atomically } from './store.ts';
import { isRecord } from './template.ts';

/** An event as targets get it. */
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
  /** Routes of its targets, with what each makes of an event. */
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
  readonly service: Service;
  addBus(name: string): void;
  addRule(rule: BusRule): void;
  addArchive(archive: BusArchive): void;
  /** Published events, newest first. */
  list(query: { readonly limit: number; readonly type?: string | undefined }): PublishedEvent[];
}

interface Row {
  readonly bus: string;
  readonly archived: number;
  readonly event: string;
}

const maxEntries = 10;
const maxEntryBytes = 262_144;
/** Events that no archive keeps are remembered for the list of published events, up to this many. */
const maxRemembered = 10_000;

const refused = (ErrorCode: string, ErrorMessage: string): object => ({ ErrorCode, ErrorMessage });

export function createEventBuses(database: DatabaseSync, deliveries: Deliveries, faults: Faults): EventBuses {
  database.exec(`
    CREATE TABLE IF NOT EXISTS events (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, bus TEXT NOT NULL, type TEXT NOT NULL, archived INTEGER NOT NULL,
      event TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS events_by_type ON events (type, seq);
    CREATE INDEX IF NOT EXISTS events_not_archived ON events (seq) WHERE archived = 0;`);
  const insert = database.prepare('INSERT INTO events (bus, type, archived, event) VALUES (?, ?, ?, ?)');
  const forget = database.prepare(
    `DELETE FROM events WHERE archived = 0 AND seq <=
      (SELECT seq FROM events WHERE archived = 0 ORDER BY seq DESC LIMIT 1 OFFSET ${maxRemembered})`,
  );
  const newest = database.prepare('SELECT bus, archived, event FROM events ORDER BY seq DESC LIMIT ?');
  const newestOfType = database.prepare(
    'SELECT bus, archived, event FROM events WHERE type = ? ORDER BY seq DESC LIMIT ?',
  );
  const buses = new Set(['default']);
  const rules: BusRule[] = [];
  const archives: BusArchive[] = [];

  function publish(bus: string, event: BusEvent): void {
    const archived = archives.some((archive) => archive.bus === bus && archive.matches(event));
    insert.run(bus, event['detail-type'], archived ? 1 : 0, JSON.stringify(event));
    for (const rule of rules) {
      if (rule.bus !== bus || !rule.matches(event)) continue;
      for (const target of rule.targets) deliveries.add(target.routeId, target.bodyOf(event));
    }
  }

  function put(entry: Input): object {
    const name = busName(entry['EventBusName']);
    if (!buses.has(name)) return refused('ResourceNotFoundException', `event bus ${name} does not exist`);
    const { Source: source, DetailType: type, Detail: detail } = entry;
    for (const [field, value] of Object.entries({ Source: source, DetailType: type, Detail: detail })) {
      if (typeof value !== 'string' || value === '')
        return refused('InvalidArgument', `parameter ${field} is not valid`);
    }
    if (String(source).startsWith('aws.')) {
      return refused('NotAuthorizedForSourceException', `not authorized for the source ${String(source)}`);
    }
    const parsed = parse(String(detail));
    if (!parsed) return refused('MalformedDetail', 'detail is malformed');
    if (faults.refuses('eventbridge'))
      return refused('InternalFailure', 'eventbridge is switched to refuse this entry');
    const time = typeof entry['Time'] === 'number' ? new Date(entry['Time'] * 1000) : new Date();
    const event: BusEvent = {
      version: '0',
      id: randomUUID(),
      'detail-type': String(type),
      source: String(source),
      account: accountId,
      time: `${time.toISOString().slice(0, 19)}Z`,
      region,
      resources: Array.isArray(entry['Resources']) ? entry['Resources'].map(String) : [],
      detail: parsed,
    };
    publish(name, event);
    return { EventId: event.id };
  }

  return {
    service(operation, input) {
      faults.check('eventbridge');
      if (operation !== 'PutEvents') {
        throw new ServiceError('UnknownOperationException', `the operation ${operation} is not supported`);
      }
      const entries = Array.isArray(input['Entries']) ? (input['Entries'] as unknown[]).filter(isRecord) : [];
      if (entries.length === 0 || entries.length > maxEntries) {
        const rule = `length less than or equal to ${maxEntries} and greater than or equal to 1`;
        throw new ServiceError('ValidationException', `value at 'entries' failed to satisfy constraint: ${rule}`);
      }
      if (entries.reduce((sum, entry) => sum + size(entry), 0) > maxEntryBytes) {
        throw new ServiceError('ValidationException', `total size of the entries in the request is over the limit`);
      }
      const Entries = atomically(database, () => {
        const answers = entries.map(put);
        forget.run();
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
    list({ limit, type }) {
      const rows = type === undefined ? newest.all(limit) : newestOfType.all(type, limit);
      return (rows as unknown as Row[]).map(({ bus, archived, event }) => ({
        bus,
        archived: archived === 1,
        event: JSON.parse(event) as BusEvent,
      }));
    },
  };
}

/** A bus by its name or ARN; the default one where none is given. */
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
