/** Firehose delivery streams into S3: records are kept until they are written as objects, which are files here. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { TemplateError } from '../cloudformation/template.ts';
import { Query } from '../storage/store.ts';

export interface DeliveryStreamSettings {
  readonly name: string;
  /** Folder of the bucket. */
  readonly folder: string;
  /** Prefix of the objects' keys, with Firehose's expressions. */
  readonly prefix: string;
  readonly extension: string;
  readonly gzip: boolean;
  /** Put behind each record. */
  readonly delimiter: string;
  /** An object is written this long after its first record, or when its records have this many bytes. */
  readonly intervalSeconds: number;
  readonly maxBytes: number;
}

export interface DeliveryStream {
  put(record: string): void;
  /** Writes what has gathered. */
  stop(): Promise<void>;
}

/** Takes records at once, also those of an earlier run. Throws TemplateError for a prefix it cannot evaluate. */
export function openDeliveryStream(database: DatabaseSync, settings: DeliveryStreamSettings): DeliveryStream {
  keyOf(settings, new Date()); // Refuses the prefix now, rather than with the first object.
  database.exec(`
    CREATE TABLE IF NOT EXISTS delivery_records (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, record TEXT NOT NULL, arrived INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS records_of_stream ON delivery_records (stream, seq);`);
  const insert = database.prepare('INSERT INTO delivery_records (stream, record, arrived) VALUES (?, ?, ?)');
  const gathered = new Query(
    database,
    { seq: 'number', record: 'text', arrived: 'number' },
    'SELECT seq, record, arrived FROM delivery_records WHERE stream = ? ORDER BY seq',
  );
  const remove = database.prepare('DELETE FROM delivery_records WHERE stream = ? AND seq <= ?');
  const intervalMs = settings.intervalSeconds * 1000;
  let timer: NodeJS.Timeout | undefined;
  let bytes = 0;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    bytes = 0;
    const rows = gathered.all(settings.name);
    const [first, last] = [rows[0], rows.at(-1)];
    if (!first || !last) return;
    const path = join(settings.folder, keyOf(settings, new Date(first.arrived)));
    mkdirSync(dirname(path), { recursive: true });
    const content = rows.map(({ record }) => record + settings.delimiter).join('');
    writeFileSync(`${path}.new`, settings.gzip ? gzipSync(content) : content, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    remove.run(settings.name, last.seq);
  }

  if (gathered.first(settings.name)) timer = setTimeout(flush, intervalMs);
  return {
    put(record) {
      insert.run(settings.name, record, Date.now());
      bytes += Buffer.byteLength(record);
      if (bytes >= settings.maxBytes) flush();
      else timer ??= setTimeout(flush, intervalMs);
    },
    stop() {
      flush();
      return Promise.resolve();
    },
  };
}

/** Returns the key of the object whose first record arrived at `time`, as Firehose names it. */
function keyOf({ name, prefix, extension, gzip }: DeliveryStreamSettings, time: Date): string {
  const parts: Record<string, string> = {
    yyyy: String(time.getUTCFullYear()),
    MM: twoDigits(time.getUTCMonth() + 1),
    dd: twoDigits(time.getUTCDate()),
    HH: twoDigits(time.getUTCHours()),
    mm: twoDigits(time.getUTCMinutes()),
    ss: twoDigits(time.getUTCSeconds()),
  };
  const formatted = (pattern: string): string =>
    pattern.replace(/'([^']*)'|yyyy|MM|dd|HH|mm|ss/g, (token, quoted?: string) => quoted ?? parts[token] ?? token);
  const evaluated = prefix.replace(/!\{([^:}]*):([^}]*)\}/g, (expression, namespace: string, value: string) => {
    if (namespace === 'timestamp') return formatted(value);
    if (namespace === 'firehose' && value === 'random-string') return randomUUID().slice(0, 11);
    throw new TemplateError(`${name}: the prefix expression ${expression} is not supported`);
  });
  const path = prefix.includes('!{') ? evaluated : `${evaluated}${formatted('yyyy/MM/dd/HH/')}`;
  return `${path}${name}-1-${formatted('yyyy-MM-dd-HH-mm-ss')}-${randomUUID()}${extension || (gzip ? '.gz' : '')}`;
}

const twoDigits = (number: number): string => String(number).padStart(2, '0');
