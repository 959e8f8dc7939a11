/**
 * The difference of two sets of ids, in constant memory for any size and order. Ids of one side are added, those of the
 * other are subtracted, and the remaining ids can be read. It is an invertible Bloom lookup table (Goodrich and
 * Mitzenmacher, 2011). The ids are uniformly distributed numbers, so it needs no hash of its own.
 */

/** Count, sum and sum of squares of the ids that fell into a cell. The squares distinguish one id from a mixture. */
type Cell = [count: number, sum: bigint, squares: bigint];

/** The counted ids of both sides. Serializable with `sketchToText`. */
export interface Sketch {
  readonly cells: readonly Cell[];
}

/** Each id falls into one cell of each part. */
const parts = 3;
/** About 100 differences can be read, far more than an operator checks one by one. */
const cellsOfPart = 64;
const bitsOfIndex = 6n;

/** Returns a sketch in which the two sides are equal. */
export function emptySketch(): Sketch {
  return { cells: Array.from({ length: parts * cellsOfPart }, (): Cell => [0, 0n, 0n]) };
}

/**
 * Adds an id to one side.
 *
 * @param id a uniformly distributed number of at least 18 bits
 * @param times 1 for the one side, -1 for the other
 */
export function addTo({ cells }: Sketch, id: bigint, times: number): void {
  for (const index of indexesOf(id)) {
    const cell = cells[index];
    if (cell === undefined) continue;
    cell[0] += times;
    cell[1] += id * BigInt(times);
    cell[2] += id * id * BigInt(times);
  }
}

/**
 * Returns the difference of the sides.
 *
 * @returns how often more each id was added than subtracted; `complete` is false when there are too many to separate
 */
export function differencesOf(sketch: Sketch): { ids: Map<bigint, number>; complete: boolean } {
  const rest: Sketch = { cells: sketch.cells.map((cell): Cell => [...cell]) };
  const ids = new Map<bigint, number>();
  // Each round removes at least one id. More ids than cells cannot be separated.
  for (let round = 0; round < rest.cells.length; round++) {
    let found = false;
    for (const [index, [count, sum, squares]] of rest.cells.entries()) {
      if (count === 0 || sum % BigInt(count) !== 0n) continue;
      const id = sum / BigInt(count);
      if (id < 0n || squares !== BigInt(count) * id * id || !indexesOf(id).includes(index)) continue;
      ids.set(id, (ids.get(id) ?? 0) + count);
      addTo(rest, id, -count);
      found = true;
    }
    if (!found) break;
  }
  return { ids, complete: rest.cells.every(([count, sum]) => count === 0 && sum === 0n) };
}

/** Returns the sketch as text, a few kilobytes. */
export function sketchToText({ cells }: Sketch): string {
  return cells.map(([count, sum, squares]) => `${count},${sum.toString(36)},${squares.toString(36)}`).join(';');
}

/**
 * Returns the sketch of a text.
 *
 * @param text as `sketchToText` returns it
 */
export function sketchFromText(text: string): Sketch {
  const cells = text.split(';').map((cell): Cell => {
    const [count = '0', sum = '0', squares = '0'] = cell.split(',');
    return [Number(count), fromBase36(sum), fromBase36(squares)];
  });
  return { cells };
}

function indexesOf(id: bigint): number[] {
  return Array.from({ length: parts }, (_, part) => {
    const bits = (id >> (BigInt(part) * bitsOfIndex)) & BigInt(cellsOfPart - 1);
    return part * cellsOfPart + Number(bits);
  });
}

function fromBase36(text: string): bigint {
  const negative = text.startsWith('-');
  let value = 0n;
  for (const digit of negative ? text.slice(1) : text) value = value * 36n + BigInt(parseInt(digit, 36));
  return negative ? -value : value;
}
