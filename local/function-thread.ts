/** One thread of a function: loads the bundle, then takes one event at a time within the function's time limit. */
import { stop, transformSync } from 'esbuild';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
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

/** The function answered with an error, could not be loaded, crashed, or its time was up. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  /** The error's name, or `Sandbox.Timedout`, `Init.Timeout`, `Runtime.ExitError`, `TooManyRequests` or `Stopped`. */
  readonly errorType: string;

  constructor(errorType: string, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

/** Where functions write to. */
export interface FunctionLog {
  /** Takes whole or half lines, from the runner itself and from threads that have no `fd`. */
  readonly write: (text: string) => void;
  /** The file that threads append to by themselves. */
  readonly fd?: number | undefined;
}

export interface Thread {
  /** False once the thread can take no more events. */
  readonly alive: boolean;
  /** Settles when the thread is no longer alive. */
  readonly ended: Promise<unknown>;
  /** The answer to an event, both as JSON. Only one at a time. Throws FunctionError; out of time ends the thread. */
  run(payload: string): Promise<string>;
  /** Returns the CPU time that the thread has used, ms; 0 once it has ended. */
  cpuMs(): Promise<number>;
  stop(): Promise<unknown>;
}

const initSeconds = 10;
/** V8 would give each thread three times as much and more, which the garbage of an event does not need. */
const youngMb = 6;

// Stripped of its types once, and not in each thread, where that would take longer than the start itself.
const source = readFileSync(new URL('function-worker.ts', import.meta.url), 'utf8');
const { code } = transformSync(source, { loader: 'ts', format: 'esm', target: 'es2024' });
// esbuild would keep a process for the next call, with the memory of the largest one.
void stop();
const entry = new URL(`data:text/javascript,${encodeURIComponent(code)}`);

/** Returns the file of a module, by the extensions that Lambda tries and in its order. Throws FunctionError. */
function moduleIn(folder: string, name: string): string {
  const files = ['.js', '.mjs', '.cjs'].map((extension) => join(folder, name + extension));
  const found = files.find((file) => existsSync(file));
  if (found === undefined) throw new FunctionError('Runtime.ImportModuleError', `${folder} has no module ${name}`);
  return found;
}

/** A thread that has loaded the function. Throws FunctionError when that fails or takes longer than Lambda allows. */
export async function startThread(settings: FunctionSettings, log: FunctionLog): Promise<Thread> {
  const dot = settings.handler.lastIndexOf('.');
  const start: ThreadStart = {
    module: pathToFileURL(moduleIn(settings.folder, settings.handler.slice(0, dot))).href,
    handler: settings.handler.slice(dot + 1),
    logFd: log.fd,
  };
  const worker = new Worker(entry, {
    workerData: start,
    env: { ...settings.environment },
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb, maxYoungGenerationSizeMb: youngMb },
    name: settings.name,
  });
  worker.stdout.setEncoding('utf8').on('data', log.write);
  worker.stderr.setEncoding('utf8').on('data', log.write);

  let alive = true;
  let stopping = false;
  let settle: { resolve: (payload: string) => void; reject: (error: FunctionError) => void } | undefined;
  const ended = Promise.withResolvers<undefined>();

  function fail(error: FunctionError): void {
    if (!stopping)
      log.write(`${new Date().toISOString()} ${settings.name} ERROR ${error.errorType}: ${error.message}\n`);
    settle?.reject(error);
  }
  function end(error: FunctionError): void {
    if (!alive) return;
    alive = false;
    fail(error);
    ended.resolve(undefined);
    void worker.terminate();
  }
  /** The next answer of the thread; the thread ends when there is none in time. */
  function answerWithin(seconds: number, timeout: () => FunctionError): Promise<string> {
    if (!alive) return Promise.reject(new FunctionError('Runtime.ExitError', `${settings.name} has ended`));
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        end(timeout());
      }, seconds * 1000);
      const done = (): void => {
        settle = undefined;
        clearTimeout(timer);
      };
      settle = {
        resolve: (payload) => {
          done();
          resolve(payload);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
    });
  }

  worker.on('message', (answer: ThreadAnswer) => {
    if (answer.kind === 'failure') {
      const error = new FunctionError(answer.errorType, answer.errorMessage);
      log.write(`${answer.trace}\n`);
      fail(error);
    } else {
      settle?.resolve(answer.kind === 'result' ? answer.payload : '');
    }
  });
  worker.once('error', (error: Error) => {
    end(new FunctionError('Runtime.ExitError', error.stack ?? error.message));
  });
  worker.once('exit', (code) => {
    end(new FunctionError('Runtime.ExitError', `${settings.name} exited with code ${code}`));
  });

  const stop = (): Promise<unknown> => {
    stopping = true;
    return worker.terminate();
  };
  try {
    await answerWithin(initSeconds, () => new FunctionError('Init.Timeout', `did not load within ${initSeconds} s`));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get alive() {
      return alive;
    },
    ended: ended.promise,
    stop,
    async cpuMs() {
      if (!alive) return 0;
      // A thread that ends meanwhile has no answer.
      const { user, system } = await worker.cpuUsage().catch(() => ({ user: 0, system: 0 }));
      return (user + system) / 1000;
    },
    run(payload) {
      const requestId = randomUUID();
      const seconds = settings.timeoutSeconds;
      const message = `${requestId} Task timed out after ${seconds.toFixed(2)} seconds`;
      const answer = answerWithin(seconds, () => new FunctionError('Sandbox.Timedout', message));
      const invocation: Invocation = {
        payload,
        deadline: Date.now() + seconds * 1000,
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
      worker.postMessage(invocation);
      return answer;
    },
  };
}
