/**
 * The screening's memory of a wallet as bytes, so that one write unit holds it. Integers are in groups of seven bits,
 * the lowest first. A set high bit means that another group follows.
 */
import { figureNames, fraudRules } from '../domain/fraud.ts';
import type { Bucket } from '../domain/fraud.ts';
import type { GivenSignal, Mark, Memory } from '../domain/screening.ts';

/** A memory, and the salt of its short names. */
export interface SaltedMemory {
  readonly salt: Uint8Array;
  readonly memory: Memory;
}

const format = 1;
export const saltBytes = 8;
/** Bytes of a short name, which is base64url as text. */
export const nameBytes = 5;

const series = ['outMinute', 'outHour', 'outDay', 'outRecent', 'inRecent'] as const;

/** Returns the bytes from which `memoryIn` reads the same memory. */
export function bytesOf({ salt, memory }: SaltedMemory): Uint8Array {
  const bytes: number[] = [];
  const integer = (value: number) => {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  };
  const list = <T>(items: readonly T[], put: (item: T) => void) => {
    integer(items.length);
    items.forEach(put);
  };
  const name = (text: string) => bytes.push(...Buffer.from(text, 'base64url'));

  bytes.push(format, ...salt);
  integer(memory.forgottenUntilMs);
  for (const each of series) {
    let last = 0;
    list(memory.activity[each], ([start, count, amount]) => {
      integer(start - last);
      integer(count);
      integer(amount);
      last = start;
    });
  }
  list(memory.activity.destinations, name);
  list(memory.signals, ({ mark, atMs, rule, figures, limits }) => {
    name(mark);
    integer(atMs);
    integer(fraudRules.indexOf(rule));
    for (const figure of figureNames[rule]) {
      integer(figures[figure] ?? 0);
      integer(limits[figure] ?? 0);
    }
  });
  let last = 0;
  list(memory.marks, ({ mark, atMs }) => {
    name(mark);
    integer(atMs - last);
    last = atMs;
  });
  return Uint8Array.from(bytes);
}

/** Returns how many of the latest marks fit into this many bytes of a memory. */
export function marksWithin(marks: readonly Mark[], bytes: number): number {
  let left = bytes;
  let count = 0;
  let next: Mark | undefined;
  for (const mark of marks.toReversed()) {
    // The first mark has its whole time, each other one the time since the one before it.
    left -= nameBytes + groupsIn(next === undefined ? mark.atMs : next.atMs - mark.atMs);
    if (left < 0) break;
    count += 1;
    next = mark;
  }
  return count;
}

/** Returns the number of bytes of an integer. */
function groupsIn(value: number): number {
  return value < 128 ? 1 : 1 + groupsIn(Math.floor(value / 128));
}

/**
 * Returns the memory in these bytes.
 *
 * @throws when they are cut short, or of another format
 */
export function memoryIn(bytes: Uint8Array): SaltedMemory {
  let position = 0;
  const next = (length: number) => {
    if (position + length > bytes.length) throw new Error(`memory is cut short after ${bytes.length} bytes`);
    return bytes.subarray(position, (position += length));
  };
  const byte = () => next(1)[0] ?? 0;
  const integer = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const group = byte();
      value += (group % 128) * factor;
      if (group < 128) return value;
    }
  };
  const list = <T>(item: () => T): T[] => Array.from({ length: integer() }, item);
  const name = () => Buffer.from(next(nameBytes)).toString('base64url');
  const buckets = () => {
    let last = 0;
    return list((): Bucket => [(last += integer()), integer(), integer()]);
  };
  const marks = () => {
    let last = 0;
    return list((): Mark => ({ mark: name(), atMs: (last += integer()) }));
  };
  const signal = (): GivenSignal => {
    const [mark, atMs] = [name(), integer()];
    const rule = fraudRules[integer()];
    if (rule === undefined) throw new Error('memory has a signal of an unknown rule');
    const figures: Record<string, number> = {};
    const limits: Record<string, number> = {};
    for (const figure of figureNames[rule]) {
      figures[figure] = integer();
      limits[figure] = integer();
    }
    return { mark, atMs, rule, figures, limits };
  };

  const version = byte();
  if (version !== format) throw new Error(`memory of format ${version}, not ${format}`);
  const salt = next(saltBytes);
  const forgottenUntilMs = integer();
  const [outMinute, outHour, outDay, outRecent, inRecent] = [buckets(), buckets(), buckets(), buckets(), buckets()];
  const activity = { outMinute, outHour, outDay, outRecent, inRecent, destinations: list(name) };
  return { salt, memory: { activity, forgottenUntilMs, signals: list(signal), marks: marks() } };
}
