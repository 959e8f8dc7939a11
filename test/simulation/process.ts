/** The parts of the service that the whole process shares: the clock of libraries, the log and the metrics. */
import type { WalletError } from '../../lambdas/domain/errors.ts';
import type { Telemetry } from './release.ts';
import type { Task, World } from './world.ts';

/** A line that the service has logged as an error. */
export interface LoggedError {
  readonly message: unknown;
  /** The code of the answer, if the line is about an answer. */
  readonly code: unknown;
  readonly error: unknown;
}

/** Receives what the service logs and counts. */
export interface Listener {
  readonly onError: (logged: LoggedError, task: Task) => void;
  /** Receives each line of the log as a text; absent: none is made. */
  readonly onLog?: ((text: string) => void) | undefined;
  /** Receives each metric that has left the process. */
  readonly onMetric: (name: string, task: Task, value: number) => void;
}

/**
 * Puts the process on the world's clock, and records the logs and metrics of the tasks of these releases, until the
 * returned function is called. The circuit breaker's library and the bank client's signatures read `Date.now`.
 */
export function inhabit(world: World, telemetry: readonly Telemetry[], listener: Listener): () => void {
  const realNow = Date.now;
  Date.now = world.clock;
  const stops = telemetry.map((one) => listenTo(one, world, listener));
  return () => {
    Date.now = realNow;
    for (const stop of stops) stop();
  };
}

function listenTo({ logger, metrics }: Telemetry, world: World, listener: Listener): () => void {
  const logError = logger.error.bind(logger);
  const others = (['warn', 'info'] as const).map((level) => ({ level, log: logger[level].bind(logger) }));
  const addMetric = metrics.addMetric.bind(metrics);
  const addDimension = metrics.addDimension.bind(metrics);
  const publish = metrics.publishStoredMetrics.bind(metrics);
  const counted = new Map<Task, (readonly [name: string, value: number])[]>();
  const read = (...line: unknown[]) => listener.onLog?.(JSON.stringify(line));
  for (const { level } of others) logger[level] = read;
  logger.error = (message, ...extra) => {
    read(message, ...extra);
    const task = world.current();
    const [about = {}] = extra as Record<string, unknown>[];
    if (task !== undefined && !task.died) {
      listener.onError({ message, code: about['code'], error: about['error'] }, task);
    }
  };
  // The tasks share one process, so their dimensions would mix.
  metrics.addDimension = () => metrics;
  metrics.addMetric = (name, unit, value, ...rest) => {
    const task = world.current();
    if (task !== undefined) counted.set(task, [...(counted.get(task) ?? []), [name, value]]);
    return addMetric(name, unit, value, ...rest);
  };
  metrics.publishStoredMetrics = () => {
    const task = world.current();
    const published = (task && counted.get(task)) ?? [];
    if (task !== undefined) counted.delete(task);
    if (task?.died === false) for (const [name, value] of published) listener.onMetric(name, task, value);
    return publish();
  };
  return () => {
    logger.error = logError;
    for (const { level, log } of others) logger[level] = log;
    metrics.addMetric = addMetric;
    metrics.addDimension = addDimension;
    metrics.publishStoredMetrics = publish;
  };
}

/** Returns whether an error of a worker only reports an injected fault. */
export function isInjected(error: unknown, task: Task): boolean {
  if (task.faults.length === 0) return false;
  if (isWalletError(error) && error.code !== 'internal_error') return error.code === 'busy';
  for (let cause: unknown = error; typeof cause === 'object' && cause !== null; cause = (cause as Error).cause) {
    const { name } = cause as Error;
    if (name === 'Injected' || name === 'TimeoutError') return true;
  }
  return false;
}

/** Returns whether an error, or a cause of it, says that the release cannot read an item. */
export function isUnreadable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { name, cause } = error as Error;
  return name === 'UnreadableItem' || isUnreadable(cause);
}

/** Each release has its own class of this name. */
function isWalletError(error: unknown): error is WalletError {
  return error instanceof Error && error.name === 'WalletError';
}

export function reportError(error: unknown): string {
  const { name, message, cause } = error as Error;
  return `${name}: ${message}${cause === undefined ? '' : `, because ${reportError(cause)}`}`;
}
