/** Counts each movement of a wallet once, with a bounded memory of the counted movements. */
import { countMovement, noActivity } from './fraud.ts';
import type { Activity, FraudLimits, Movement, Signal } from './fraud.ts';

/** A movement that was counted. */
export interface Mark {
  /** Stands for the movement's transaction. */
  readonly mark: string;
  /** Time of the movement, epoch milliseconds. */
  readonly atMs: number;
}

/** A signal that a movement gave when it was counted. */
export interface GivenSignal extends Mark, Omit<Signal, 'transactionId'> {}

/** The memory that the screening keeps of a wallet. */
export interface Memory {
  readonly activity: Activity;
  /** Movements that were counted, the latest last. */
  readonly marks: readonly Mark[];
  /** Epoch milliseconds. A movement of this time or before counts as known, as its mark may be forgotten. */
  readonly forgottenUntilMs: number;
  /** The latest signals, for messages that are redelivered before the signal was published. The latest last. */
  readonly signals: readonly GivenSignal[];
}

/** The memory of a wallet without movements. */
export const noMemory: Memory = { activity: noActivity, marks: [], forgottenUntilMs: 0, signals: [] };

/** Number of remembered signals beyond those of the latest call. */
const mostSignals = 20;
/** Longer than a message can wait in a queue and then in the dead letters, 14 days each. */
const signalMs = 30 * 86_400_000;

/** The result of `countOnce`. */
export interface Counted<M> {
  readonly memory: Memory;
  /** Whether the memory has changed. */
  readonly isNew: boolean;
  /** The signals of all movements: from this call, or from the call that first counted the movement. */
  readonly signals: readonly { readonly signal: Signal; readonly movement: M }[];
}

/**
 * Counts the movements that were not counted before.
 *
 * @param movements of one wallet, each with the mark that stands for its transaction
 */
export function countOnce<M extends Movement & Mark>(
  memory: Memory,
  movements: readonly M[],
  limitsOf: (movement: M) => FraudLimits,
): Counted<M> {
  const known = new Set(memory.marks.map(({ mark }) => mark));
  let { activity } = memory;
  const marks: Mark[] = [];
  const given: GivenSignal[] = [];
  for (const movement of movements) {
    const { mark, atMs } = movement;
    if (known.has(mark) || atMs <= memory.forgottenUntilMs) continue;
    const counted = countMovement(activity, movement, limitsOf(movement));
    activity = counted.activity;
    known.add(mark);
    marks.push({ mark, atMs });
    given.push(...counted.signals.map(({ rule, figures, limits }) => ({ mark, atMs, rule, figures, limits })));
  }
  const ofMark = new Map(movements.map((movement) => [movement.mark, movement]));
  const signals = [...memory.signals, ...given].flatMap(({ mark, rule, figures, limits }) => {
    const movement = ofMark.get(mark);
    if (movement === undefined) return [];
    return [{ movement, signal: { rule, transactionId: movement.transactionId, figures, limits } }];
  });
  const all = [...memory.marks, ...marks].sort((a, b) => a.atMs - b.atMs);
  const oldestMs = (all.at(-1)?.atMs ?? 0) - signalMs;
  const remembered = memory.signals.filter(({ atMs }) => atMs > oldestMs).slice(-mostSignals);
  return {
    memory: { ...memory, activity, marks: all, signals: [...remembered, ...given] },
    isNew: marks.length > 0,
    signals,
  };
}

/** The time before the latest movement whose marks are kept up to the larger bound. A redelivery is seldom later. */
const busyMs = 900_000;

/**
 * Drops the oldest marks.
 *
 * @param few number of marks that are kept at any age
 * @param most number of marks that are kept when all are from the last quarter of an hour
 */
export function forgetMarks(memory: Memory, few: number, most: number): Memory {
  const { marks } = memory;
  const latestMs = marks.at(-1)?.atMs ?? 0;
  const young = marks.filter(({ atMs }) => atMs > latestMs - busyMs).length;
  const forgotten = marks.slice(0, Math.max(0, marks.length - Math.max(few, Math.min(young, most))));
  const forgottenUntilMs = Math.max(memory.forgottenUntilMs, forgotten.at(-1)?.atMs ?? 0);
  return { ...memory, marks: marks.slice(forgotten.length), forgottenUntilMs };
}
