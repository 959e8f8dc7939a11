/** What can go wrong with an external call, and which calls it goes wrong with. */
import { chance, choose } from './chance.ts';

/**
 * What can happen to any external call:
 *
 * - `crash-before`, `crash-after`: the process dies before the call leaves, or when it has taken effect.
 * - `lost-request`, `lost-answer`: the caller waits in vain; nothing happened, or all of it.
 * - `late`: the caller waits in vain, and the request arrives after that.
 * - `pause`: the call works, but the process is frozen for minutes before it reads the answer, and its time limit too.
 * - `stall`: the call works, but the process stands still for seconds before it reads the answer.
 */
export const everywhere = [
  'crash-before',
  'crash-after',
  'lost-request',
  'lost-answer',
  'late',
  'pause',
  'stall',
] as const;

/** What only some services do; each says itself what its calls can meet. */
export const dynamodbFaults = [
  'throttled',
  'internal-error',
  /** An internal error that is reported although the call took effect. */
  'internal-error-after',
  'conflict',
  /** A conflict together with a failed condition whose image was read mid-flight and is not true. */
  'conflict-and-untrue-condition',
  /** A conflict on top of a condition that has really failed. */
  'conflict-and-failed-condition',
  /** A batch read that leaves keys out. */
  'partial-batch',
  /** A batch of statements of which some are throttled. */
  'statements-throttled',
  /** A batch of statements of which some are reported as failed although they took effect. */
  'statements-failed-after',
  /** An index that does not yet show everything. */
  'index-behind',
  /** An eventually consistent read that shows what was true some seconds ago. */
  'stale-read',
] as const;
export const sqsFaults = [
  'refused',
  'duplicated',
  /** Taken by the queue, and never delivered. */
  'message-lost',
  'message-delayed',
  'partial-batch-refused',
] as const;
export const deliveryFaults = ['delivered-twice', 'delivered-late', 'delete-lost'] as const;
export const bankFaults = [
  /** A bare 503, or 429, of which nobody knows what went before. */
  'unavailable',
  'too-many',
  /** Refused before any work, in the protocol's words. */
  'not-accepted',
  /** No connection comes about. */
  'unreachable',
  /** Some proxy's words, or an answer to somebody else. */
  'garbled',
  /** Taken for later; decided within the bank's window. */
  'decided-later',
  'request-doubled',
] as const;
export const secretFaults = ['secret-refused'] as const;

export type FaultKind =
  | (typeof everywhere)[number]
  | (typeof dynamodbFaults)[number]
  | (typeof sqsFaults)[number]
  | (typeof deliveryFaults)[number]
  | (typeof bankFaults)[number]
  | (typeof secretFaults)[number];

/** A place at which a fault may strike: the n-th external call of a task. */
export interface Point {
  /** `<task>/<n>`; the same whenever the history is run. */
  readonly id: string;
  /** `dynamodb TransactWriteItems`, `bank POST /payments`, … */
  readonly call: string;
  readonly kinds: readonly FaultKind[];
}

export interface Fault {
  readonly point: string;
  readonly kind: FaultKind;
}

/** Decides what strikes at a point, so many ms after the beginning. */
export type Plan = (point: Point, atMs: number) => FaultKind | undefined;

/** Nothing goes wrong. */
export const noFaults: Plan = () => undefined;

/** Exactly these faults. */
export function exactly(faults: readonly Fault[]): Plan {
  const kinds = new Map(faults.map(({ point, kind }) => [point, kind]));
  return ({ id }) => kinds.get(id);
}

/**
 * Faults at random.
 *
 * @param weather `rate`: share of the points that are struck; `likes`: which part of all kinds this history knows, so
 *   that some kinds come in numbers in some histories; `isStorm`: when the table serves nobody
 */
export function atRandom(
  seed: string,
  weather: {
    readonly rate: number;
    readonly likes: (kind: FaultKind) => boolean;
    readonly isStorm: (atMs: number) => boolean;
  },
): Plan {
  const { rate, likes, isStorm } = weather;
  return ({ id, call, kinds }, atMs) => {
    if (isStorm(atMs) && call.startsWith('dynamodb')) {
      const stormy = kinds.filter((kind) => inStorms.has(kind));
      return choose(stormy, seed, 'storm', id);
    }
    // Few reads come so soon after a write that there is a past to be shown.
    if (kinds.includes('stale-read') && likes('stale-read') && chance(seed, 'stale?', id) < 4 * rate)
      return 'stale-read';
    // One history in five has books, and each of them few batches.
    const ofStatements = kinds.filter((kind) => kind.startsWith('statements-'));
    if (ofStatements.length > 0 && chance(seed, 'statements?', id) < 4 * rate)
      return choose(ofStatements, seed, 'statements', id);
    // There are few calls to the bank, and much depends on them.
    if (chance(seed, 'fault?', id) >= (call.startsWith('bank') ? 4 * rate : rate)) return undefined;
    const liked = kinds.filter(likes);
    return liked.length === 0 ? undefined : choose(liked, seed, 'kind', id);
  };
}

const inStorms: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'throttled',
  'conflict',
  'internal-error',
  'lost-request',
]);
