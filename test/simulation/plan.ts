/** The faults of external calls, and the plans that choose which calls they strike. */
import { chance, choose } from './chance.ts';

/**
 * Faults that can strike any external call:
 * - `crash-before`, `crash-after`: the process dies before the call leaves, or when it has taken effect.
 * - `lost-request`, `lost-answer`: the caller times out; the call had no effect, or its full effect.
 * - `late`: the caller times out, and the request arrives after that.
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

/** Faults of single services. Each call lists those that it can meet. */
export const dynamodbFaults = [
  'throttled',
  'internal-error',
  /** An internal error that is reported although the call took effect. */
  'internal-error-after',
  'conflict',
  /** A conflict together with a failed condition whose image was read mid-flight and is not true. */
  'conflict-and-untrue-condition',
  /** A conflict in addition to a condition that has really failed. */
  'conflict-and-failed-condition',
  /** A batch read that leaves keys out. */
  'partial-batch',
  /** A batch of statements of which some are throttled. */
  'statements-throttled',
  /** A batch of statements of which some are reported as failed although they took effect. */
  'statements-failed-after',
  /** An index that does not yet show everything. */
  'index-behind',
  /** An eventually consistent read that shows a state from some seconds ago. */
  'stale-read',
] as const;
export const sqsFaults = [
  'refused',
  'duplicated',
  /** Accepted by the queue, and never delivered. */
  'message-lost',
  'message-delayed',
  'partial-batch-refused',
] as const;
export const deliveryFaults = ['delivered-twice', 'delivered-late', 'delete-lost'] as const;
export const bankFaults = [
  /** A bare 503, or 429, which leaves open whether the bank did any work. */
  'unavailable',
  'too-many',
  /** Refused before any work, with the protocol's code. */
  'not-accepted',
  /** The connection fails. */
  'unreachable',
  /** The answer of a proxy, or an answer to another request. */
  'garbled',
  /** Accepted and decided within the bank's window. */
  'decided-later',
  'request-doubled',
] as const;
export const secretFaults = ['secret-refused'] as const;
export const receiverFaults = [
  'answers-500',
  'no-connection',
  /** The name of the receiver has a private address for this connection. */
  'moved',
] as const;
export const busFaults = ['entry-refused'] as const;

export type FaultKind =
  | (typeof everywhere)[number]
  | (typeof dynamodbFaults)[number]
  | (typeof sqsFaults)[number]
  | (typeof deliveryFaults)[number]
  | (typeof bankFaults)[number]
  | (typeof secretFaults)[number]
  | (typeof receiverFaults)[number]
  | (typeof busFaults)[number];

/** A place where a fault may strike: the n-th external call of a task. */
export interface Point {
  /** `<task>/<n>`; the same in every run of the history. */
  readonly id: string;
  /** `dynamodb TransactWriteItems`, `bank POST /payments`, … */
  readonly call: string;
  /** The kind of the change that the call makes, see `kindOfChange`; absent: it changes nothing that an input describes. */
  readonly change?: string;
  readonly kinds: readonly FaultKind[];
}

export interface Fault {
  readonly point: string;
  readonly kind: FaultKind;
}

/** A function that returns the fault that strikes at a point, at this time in ms after the beginning. */
export type Plan = (point: Point, atMs: number) => FaultKind | undefined;

/** A plan without faults. */
export const noFaults: Plan = () => undefined;

/** Returns a plan with exactly these faults. */
export function exactly(faults: readonly Fault[]): Plan {
  const kinds = new Map(faults.map(({ point, kind }) => [point, kind]));
  return ({ id }) => kinds.get(id);
}

/**
 * Returns a plan with random faults.
 *
 * @param frequencies `rate`: share of the points that are struck; `likes`: selects the kinds of this history, so that each
 * of these occurs often; `isStorm`: the times when the table serves no caller
 */
export function atRandom(
  seed: string,
  frequencies: {
    readonly rate: number;
    readonly likes: (kind: FaultKind) => boolean;
    readonly isStorm: (atMs: number) => boolean;
  },
): Plan {
  const { rate, likes, isStorm } = frequencies;
  return ({ id, call, kinds }, atMs) => {
    if (isStorm(atMs) && call.startsWith('dynamodb')) {
      const stormy = kinds.filter((kind) => inStorms.has(kind));
      return choose(stormy, seed, 'storm', id);
    }
    // Few reads follow a write so soon that an earlier state could be shown.
    if (kinds.includes('stale-read') && likes('stale-read') && chance(seed, 'stale?', id) < 4 * rate) {
      return 'stale-read';
    }
    // One history in five has books, and each of them few batches.
    const ofStatements = kinds.filter((kind) => kind.startsWith('statements-'));
    if (ofStatements.length > 0 && chance(seed, 'statements?', id) < 4 * rate) {
      return choose(ofStatements, seed, 'statements', id);
    }
    // There are few calls to the bank, and many invariants depend on them.
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
