/**
 * Runs one function in a worker thread, one event at a time. Loaded as text, so that threads start without stripping
 * types again; it may import nothing but Node.
 */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** What a thread is started with. */
export interface ThreadStart {
  /** file: URL of the bundle. */
  readonly module: string;
  /** Name of the export that handles events. */
  readonly handler: string;
  /** File descriptor that the function writes to; undefined sends what it writes to the runner. */
  readonly logFd: number | undefined;
}

/** One event for a thread. */
export interface Invocation {
  readonly payload: string;
  /** Milliseconds since the epoch at which the function's time is up. */
  readonly deadline: number;
  readonly context: Readonly<Record<string, string>>;
}

/** What a thread answers: first `ready` or a failed import, then one for each invocation. */
export type ThreadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly payload: string }
  | { readonly kind: 'failure'; readonly errorType: string; readonly errorMessage: string; readonly trace: string };

const port = parentPort;
if (!port) throw new Error('this module runs in a worker thread');
const { module, handler: handlerName, logFd } = workerData as ThreadStart;
const answer = (message: ThreadAnswer): void => {
  port.postMessage(message);
};

function failed(error: unknown): ThreadAnswer {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'failure', errorType: name, errorMessage: message, trace: stack ?? '' };
}

if (logFd !== undefined) {
  // Through the runner each line would cost two messages between threads, which is more than most handlers cost.
  const write = (text: string | Uint8Array): boolean => {
    writeSync(logFd, typeof text === 'string' ? Buffer.from(text) : text);
    return true;
  };
  process.stdout.write = write;
  process.stderr.write = write;
}

try {
  const exports = (await import(module)) as Record<string, unknown>;
  const handler = exports[handlerName] as ((event: unknown, context: object) => unknown) | undefined;
  if (typeof handler !== 'function') throw new Error(`${module} does not export a function ${handlerName}`);
  port.on('message', (invocation: Invocation) => {
    void (async () => {
      try {
        const context = {
          ...invocation.context,
          callbackWaitsForEmptyEventLoop: true,
          getRemainingTimeInMillis: () => Math.max(0, invocation.deadline - Date.now()),
        };
        const result: unknown = await handler(JSON.parse(invocation.payload) as unknown, context);
        answer({ kind: 'result', payload: JSON.stringify(result ?? null) });
      } catch (error) {
        answer(failed(error));
      }
    })();
  });
  answer({ kind: 'ready' });
} catch (error) {
  answer(failed(error));
}
