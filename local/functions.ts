/** Lambda functions from their bundles: worker threads that take one event at a time, as many as demand asks for. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { transformSync } from 'esbuild';
import type { Invocation, ThreadAnswer, ThreadStart } from './function-worker.ts';

export interface FunctionSettings {
  readonly name: string;
  readonly arn: string;
  /** Folder with the bundle. */
  readonly folder: string;
  /** `<file without extension>.<export>`. */
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly reservedConcurrency?: number | undefined;
}

/** The function answered with an error, could not be loaded or crashed. */
export class FunctionError extends Error {
  override readonly name: string = 'FunctionError';
  readonly errorType: string;

  constructor(errorType: string, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

/** The function's time was up; its thread has been ended. */
export class FunctionTimeout extends FunctionError {
  override readonly name = 'FunctionTimeout';
}

export interface LocalFunction {
  readonly settings: FunctionSettings;
  /** Events that can run at the same time. */
  readonly concurrency: number;
  /** The answer to `event`; both go through JSON. Waits for a thread. Throws FunctionError and FunctionTimeout. */
  invoke(event: unknown): Promise<unknown>;
}

export interface Functions {
  define(settings: FunctionSettings): LocalFunction;
  byName(name: string): LocalFunction | undefined;
  /** By ARN, with or without a qualifier. */
  byArn(arn: string): LocalFunction | undefined;
  /** Starts a thread for each function that has none, a few at a time. */
  warm(): Promise<void>;
  /** Ends all threads at once. */
  stop(): Promise<void>;
}

export interface FunctionsOptions {
  /** Threads of one function at most; default 8 for each processor, at least 16. */
  readonly maxThreads?: number | undefined;
  /** Takes what functions write, as it comes. */
  readonly log: (text: string) => void;
}

interface Job {
  readonly payload: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  run(job: Job): Promise<void>;
}

const initSeconds = 10;

export function createFunctions({ maxThreads, log }: FunctionsOptions): Functions {
  const processors = availableParallelism();
  const ceiling = maxThreads ?? Math.max(16, 8 * processors);
  const source = readFileSync(new URL('function-worker.ts', import.meta.url), 'utf8');
  const { code } = transformSync(source, { loader: 'ts', format: 'esm', target: 'es2024' });
  const entry = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const functions = new Map<string, LocalFunction & { start(): Promise<void> }>();
  const workers = new Set<Worker>();
  const boots: (() => void)[] = [];
  let booting = 0;
  let stopped = false;

  // Threads start no more than one for each processor at a time: a start costs more than most events.
  async function takeBootTurn(): Promise<void> {
    if (booting >= processors) await new Promise<void>((resolve) => boots.push(resolve));
    booting += 1;
  }
  function endBootTurn(): void {
    booting -= 1;
    boots.shift()?.();
  }

  function define(settings: FunctionSettings): LocalFunction {
    const concurrency = Math.max(1, Math.min(settings.reservedConcurrency ?? ceiling, ceiling));
    const idle: Thread[] = [];
    const waiting: Job[] = [];
    let threads = 0;
    let starting = 0;

    function next(): void {
      while (waiting.length > 0) {
        const thread = idle.pop();
        if (!thread) break;
        const job = waiting.shift();
        if (job) void thread.run(job).then(next);
      }
      if (waiting.length > starting && threads < concurrency && !stopped) void start();
    }

    async function start(): Promise<void> {
      threads += 1;
      starting += 1;
      await takeBootTurn();
      try {
        if (stopped) return;
        // Events may have found another thread while this one waited for its turn.
        if (waiting.length === 0 && threads > 1) {
          threads -= 1;
          return;
        }
        const thread = await startThread(
          settings,
          entry,
          log,
          workers,
          (ended) => {
            threads -= 1;
            const index = idle.indexOf(ended);
            if (index >= 0) idle.splice(index, 1);
          },
          (ready) => {
            idle.push(ready);
          },
        );
        idle.push(thread);
      } catch (error) {
        threads -= 1;
        for (const job of waiting.splice(0)) job.reject(error);
      } finally {
        starting -= 1;
        endBootTurn();
        next();
      }
    }

    const made = {
      settings,
      concurrency,
      invoke: (event: unknown) =>
        new Promise<unknown>((resolve, reject) => {
          if (stopped) {
            reject(new FunctionError('Stopped', 'the runner is stopping'));
            return;
          }
          waiting.push({ payload: JSON.stringify(event), resolve, reject });
          next();
        }),
      start: () => (threads === 0 ? start() : Promise.resolve()),
    };
    functions.set(settings.arn, made);
    return made;
  }

  return {
    define,
    byName: (name) => [...functions.values()].find((made) => made.settings.name === name),
    byArn: (arn) => functions.get(arn.split(':').slice(0, 7).join(':')),
    async warm() {
      await Promise.all([...functions.values()].map((made) => made.start()));
    },
    async stop() {
      stopped = true;
      await Promise.all([...workers].map((worker) => worker.terminate()));
    },
  };
}

/** A thread that has loaded the function. Throws FunctionError when the function cannot be loaded. */
function startThread(
  settings: FunctionSettings,
  entry: URL,
  log: (text: string) => void,
  workers: Set<Worker>,
  onEnd: (thread: Thread) => void,
  onIdle: (thread: Thread) => void,
): Promise<Thread> {
  const [file = '', handler = ''] = splitHandler(settings.handler);
  const start: ThreadStart = { module: pathToFileURL(join(settings.folder, `${file}.mjs`)).href, handler };
  const worker = new Worker(entry, {
    workerData: start,
    env: { ...settings.environment },
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb },
    name: settings.name,
  });
  workers.add(worker);
  worker.stdout.setEncoding('utf8').on('data', log);
  worker.stderr.setEncoding('utf8').on('data', log);
  const line = (text: string): void => {
    log(`${new Date().toISOString()} ${settings.name} ${text}\n`);
  };

  return new Promise((resolve, reject) => {
    let current: Job | undefined;
    let finish: (() => void) | undefined;
    let timer = setTimeout(() => {
      end(new FunctionTimeout('Init.Timeout', `${settings.name} did not load within ${initSeconds} s`));
    }, initSeconds * 1000);
    let ended = false;

    const thread: Thread = {
      worker,
      run(job) {
        current = job;
        const requestId = randomUUID();
        const invocation: Invocation = {
          payload: job.payload,
          deadline: Date.now() + settings.timeoutSeconds * 1000,
          context: {
            awsRequestId: requestId,
            functionName: settings.name,
            functionVersion: '$LATEST',
            invokedFunctionArn: settings.arn,
            memoryLimitInMB: String(settings.memoryMb),
            logGroupName: `/aws/lambda/${settings.name}`,
            logStreamName: `local/${worker.threadId}`,
          },
        };
        timer = setTimeout(() => {
          const message = `${requestId} Task timed out after ${settings.timeoutSeconds.toFixed(2)} seconds`;
          end(new FunctionTimeout('Sandbox.Timedout', message));
        }, settings.timeoutSeconds * 1000);
        worker.postMessage(invocation);
        return new Promise((done) => {
          finish = done;
        });
      },
    };

    // The thread is over: out of time, crashed, or the runner is stopping.
    function end(error: FunctionError): void {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      workers.delete(worker);
      void worker.terminate();
      line(`ERROR ${error.errorType}: ${error.message}`);
      if (current) {
        onEnd(thread);
        current.reject(error);
      } else if (finish) {
        onEnd(thread);
      } else {
        reject(error);
      }
      finish?.();
    }

    worker.on('message', (answer: ThreadAnswer) => {
      if (ended) return;
      clearTimeout(timer);
      if (answer.kind === 'ready') {
        resolve(thread);
        return;
      }
      if (!current) {
        if (answer.kind === 'failure') end(new FunctionError(answer.errorType, answer.errorMessage));
        return;
      }
      const job = current;
      current = undefined;
      if (answer.kind === 'result') {
        job.resolve(JSON.parse(answer.payload));
      } else {
        line(`ERROR ${answer.trace}`);
        job.reject(new FunctionError(answer.errorType, answer.errorMessage));
      }
      onIdle(thread);
      finish?.();
    });
    worker.once('error', (error) => {
      end(
        new FunctionError('Runtime.ExitError', error instanceof Error ? (error.stack ?? error.message) : String(error)),
      );
    });
    worker.once('exit', (code) => {
      end(new FunctionError('Runtime.ExitError', `${settings.name} exited with code ${code}`));
    });
  });
}

function splitHandler(handler: string): [string, string] {
  const dot = handler.lastIndexOf('.');
  return [handler.slice(0, dot), handler.slice(dot + 1)];
}
