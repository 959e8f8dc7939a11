/**
 * Runs one function in a worker thread, one event at a time. Loaded as text, so that threads start without stripping
 * types again; it may import nothing but Node.
 */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** The data with which a thread is started. */
export interface ThreadStart {
  /** Name of the function. */
  readonly name: string;
  /** file: URL of the bundle. */
  readonly module: string;
  /** Name of the export that handles events. */
  readonly handler: string;
  /** File descriptor that the function writes to; undefined: its output goes to the runner. */
  readonly logFd: number | undefined;
}

/** One event for a thread. */
export interface Invocation {
  readonly payload: string;
  /** Milliseconds since the epoch at which the function's time is up. */
  readonly deadline: number;
  readonly context: Readonly<Record<string, string>>;
}

/** An answer of a thread: first `ready` or a failed import, then one for each invocation. */
export type ThreadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly payload: string }
  | { readonly kind: 'failure'; readonly errorType: string; readonly errorMessage: string; readonly trace: string };

const port = parentPort;
if (!port) throw new Error('this module runs in a worker thread');
const { name, module, handler: handlerName, logFd } = workerData as ThreadStart;
const answer = (message: ThreadAnswer): void => {
  port.postMessage(message);
};

function failed(error: unknown): ThreadAnswer {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  // The frames of this module would print all of it: it is loaded as text.
  const frames = (stack ?? '').split('\n').filter((line) => !line.includes('data:text/javascript'));
  return { kind: 'failure', errorType: name, errorMessage: message, trace: frames.join('\n') };
}

/** Returns what names the function in each line: as the first field of a JSON object, else in front of the line. */
function lineNamer(): (text: string) => string {
  let isAtStart = true;
  return (text) => {
    let named = '';
    for (const line of text.split(/(?<=\n)/)) {
      if (isAtStart && line !== '') named += line.startsWith('{"') ? `{"function":"${name}",` : `${name} `;
      named += isAtStart && line.startsWith('{"') ? line.slice(1) : line;
      isAtStart = line.endsWith('\n') || (isAtStart && line === '');
    }
    return named;
  };
}

for (const stream of [process.stdout, process.stderr]) {
  const addName = lineNamer();
  const toRunner = stream.write.bind(stream);
  // Through the runner each line would cost two messages between threads, which is more than most handlers cost.
  const write = logFd === undefined ? toRunner : (text: string) => writeSync(logFd, text) > 0;
  stream.write = (text: string | Uint8Array): boolean =>
    write(addName(typeof text === 'string' ? text : Buffer.from(text).toString()));
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
