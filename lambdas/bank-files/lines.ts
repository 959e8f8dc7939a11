import { BankFileError, limits } from './format.ts';
import type { BankLine } from './format.ts';

/** Bytes of the texts' blocks, and elements of the columns' blocks. */
const blockBytes = 1 << 20;
const blockLength = 1 << 16;
/** The first number of a link of a further key; no line has a higher index. */
const firstFurther = 1 << 30;
/** The number of values of the lower part of an amount. */
const lowValues = 2 ** 32;
const encoder = new TextEncoder();

type Column = Uint8Array | Uint16Array | Int32Array | Uint32Array;

/** Numbers in blocks, so that growing copies nothing. A block of zeros takes no memory. */
class Numbers {
  readonly #make: () => Column;
  readonly #blocks: Column[] = [];

  constructor(make: () => Column) {
    this.#make = make;
  }

  get(index: number): number {
    return this.#blocks[index >>> 16]?.[index & 0xffff] ?? 0;
  }

  set(index: number, value: number): void {
    const block = this.#blocks[index >>> 16];
    if (block) block[index & 0xffff] = value;
    else if (value !== 0) (this.#blocks[index >>> 16] = this.#make())[index & 0xffff] = value;
  }
}

const bytes = () => new Numbers(() => new Uint8Array(blockLength));
const shorts = () => new Numbers(() => new Uint16Array(blockLength));
const integers = () => new Numbers(() => new Int32Array(blockLength));
const naturals = () => new Numbers(() => new Uint32Array(blockLength));

/** The bits of a line. */
const bits = { in: 1, pending: 2, failed: 4, compared: 8 } as const;

/** A line as it was kept. */
export interface KeptLine extends Omit<BankLine, 'references' | 'bankReference'> {
  readonly index: number;
  /** The number of its file, from 0. */
  readonly file: number;
  /** A hash of the bank's reference; 0 when there is none. */
  readonly bankReferenceHash: number;
}

/**
 * The lines of bank files, found by their references. Each takes about 55 bytes, so that a million fit where as many
 * objects would not.
 */
export class KeptLines {
  /** The number of lines. */
  count = 0;
  /** The number of references. */
  keyCount = 0;
  readonly #place = integers();
  readonly #file = shorts();
  /** The lower and upper parts of the amounts: few have an upper one. */
  readonly #amount = naturals();
  readonly #amountAbove = naturals();
  readonly #currency = shorts();
  readonly #day = shorts();
  readonly #bits = bytes();
  readonly #bankReference = integers();
  readonly #currencies: string[] = [];
  readonly #currencyNumbers = new Map<string, number>();

  readonly #texts: Uint8Array[] = [];
  #textEnd = blockBytes;
  readonly #keyStart = naturals();
  readonly #keyLength = shorts();
  readonly #keySeen = bytes();
  /** The last link of each key. The link of a line's first key is the line's index plus one. */
  readonly #lastLink = integers();
  /** The link before that of a line; 0 for the first one of its key. */
  readonly #lineBefore = integers();
  /** The links of the lines' further keys, which few lines have: the line of each, and the link before it. */
  readonly #furtherLine = integers();
  readonly #furtherBefore = integers();
  #furtherCount = 0;
  /** Keys by their hashes, plus one. At most half of it is used. */
  #table = new Int32Array(1 << 10);
  /** Random, so that a bank's file cannot have references that all share one hash. */
  readonly #seed = (Math.random() * 2 ** 32) | 0;

  /** Keeps a line under its keys. Returns its index. Throws BankFileError when there are too many. */
  add(line: Omit<BankLine, 'references'>, file: number, keys: readonly string[]): number {
    if (this.count >= limits.lines) throw new BankFileError('too_many_lines', line.line, 'there are too many lines');
    const index = this.count++;
    this.#place.set(index, line.line);
    this.#file.set(index, file);
    this.#amount.set(index, line.amount % lowValues);
    this.#amountAbove.set(index, Math.floor(line.amount / lowValues));
    this.#currency.set(index, this.#currencyNumber(line.currency));
    this.#day.set(index, line.day);
    const status = line.status === 'booked' ? 0 : bits[line.status];
    this.#bits.set(index, (line.direction === 'in' ? bits.in : 0) | status);
    this.#bankReference.set(
      index,
      line.bankReference === undefined ? 0 : this.#hash(encoder.encode(line.bankReference)),
    );
    for (const [nth, text] of keys.entries()) this.#link(this.#keyOf(encoder.encode(text)), index, nth === 0);
    return index;
  }

  get(index: number): KeptLine {
    const flags = this.#bits.get(index);
    return {
      index,
      line: this.#place.get(index),
      file: this.#file.get(index),
      direction: flags & bits.in ? 'in' : 'out',
      status: flags & bits.pending ? 'pending' : flags & bits.failed ? 'failed' : 'booked',
      amount: this.#amountAbove.get(index) * lowValues + this.#amount.get(index),
      currency: this.#currencies[this.#currency.get(index)] ?? '',
      day: this.#day.get(index),
      bankReferenceHash: this.#bankReference.get(index),
    };
  }

  /** Returns the number of a key; -1 when no line has it. */
  find(key: string): number {
    const text = encoder.encode(key);
    return (this.#table[this.#slotOf(text)] ?? 0) - 1;
  }

  /** Returns the lines of a key, in the order in which they came. */
  linesOf(key: number): KeptLine[] {
    return this.indexesOf(key).map((index) => this.get(index));
  }

  /** Returns the indexes of the lines of a key, in the order in which they came. */
  indexesOf(key: number): number[] {
    const indexes: number[] = [];
    if (key < 0) return indexes;
    for (let link = this.#lastLink.get(key); link > 0;) {
      const isFurther = link >= firstFurther;
      const at = isFurther ? link - firstFurther : link - 1;
      indexes.push(isFurther ? this.#furtherLine.get(at) : at);
      link = (isFurther ? this.#furtherBefore : this.#lineBefore).get(at);
    }
    return indexes.reverse();
  }

  keyText(key: number): string {
    return new TextDecoder().decode(this.#keyBytes(key));
  }

  /** Marks a key as compared. */
  see(key: number): void {
    this.#keySeen.set(key, 1);
  }

  isSeen(key: number): boolean {
    return this.#keySeen.get(key) === 1;
  }

  /** Marks a line as compared with a transaction. */
  markCompared(index: number): void {
    this.#bits.set(index, this.#bits.get(index) | bits.compared);
  }

  isCompared(index: number): boolean {
    return (this.#bits.get(index) & bits.compared) !== 0;
  }

  #currencyNumber(currency: string): number {
    const known = this.#currencyNumbers.get(currency);
    if (known !== undefined) return known;
    this.#currencyNumbers.set(currency, this.#currencies.length);
    return this.#currencies.push(currency) - 1;
  }

  #keyBytes(key: number): Uint8Array {
    const start = this.#keyStart.get(key);
    const block = this.#texts[Math.floor(start / blockBytes)] ?? new Uint8Array();
    const at = start % blockBytes;
    return block.subarray(at, at + this.#keyLength.get(key));
  }

  #keyOf(text: Uint8Array): number {
    const slot = this.#slotOf(text);
    const known = this.#table[slot] ?? 0;
    if (known > 0) return known - 1;
    const key = this.keyCount++;
    if (this.#textEnd + text.length > blockBytes) {
      this.#texts.push(new Uint8Array(blockBytes));
      this.#textEnd = 0;
    }
    this.#texts.at(-1)?.set(text, this.#textEnd);
    this.#keyStart.set(key, (this.#texts.length - 1) * blockBytes + this.#textEnd);
    this.#keyLength.set(key, text.length);
    this.#textEnd += text.length;
    this.#table[slot] = key + 1;
    if (2 * this.keyCount > this.#table.length) this.#grow();
    return key;
  }

  #grow(): void {
    this.#table = new Int32Array(2 * this.#table.length);
    for (let key = 0; key < this.keyCount; key++) this.#table[this.#slotOf(this.#keyBytes(key))] = key + 1;
  }

  /** Returns the place of a key in the table: where it is, or where it would be put. */
  #slotOf(text: Uint8Array): number {
    const mask = this.#table.length - 1;
    for (let slot = this.#hash(text) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#table[slot] ?? 0;
      if (known === 0 || isSame(this.#keyBytes(known - 1), text)) return slot;
    }
  }

  /** Returns a hash of a text: FNV-1a from a secret beginning, with its bits mixed once more. Never 0. */
  #hash(text: Uint8Array): number {
    let hash = this.#seed;
    for (const byte of text) hash = Math.imul(hash ^ byte, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) | 0 || 1;
  }

  #link(key: number, line: number, isFirst: boolean): void {
    const before = this.#lastLink.get(key);
    if (isFirst) {
      this.#lineBefore.set(line, before);
      this.#lastLink.set(key, line + 1);
      return;
    }
    const at = this.#furtherCount++;
    this.#furtherLine.set(at, line);
    this.#furtherBefore.set(at, before);
    this.#lastLink.set(key, firstFurther + at);
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
