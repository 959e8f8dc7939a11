/** One thread of a function: loads the bundle, then runs one event at a time within the function's time limit. */
import { stop, transformSync } from 'esbuild';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FunctionLog } from '../storage/function-log.ts';
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

/** A failed invocation: the function threw, could not be loaded, crashed or timed out. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  /** The error's name, or `Sandbox.Timedout`, `Init.Timeout`, `Runtime.ExitError`, `TooManyRequests` or `Stopped`. */
  readonly errorType: string;

  constructor(errorType: string, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

export interface Thread {
  /** False once the thread can take no more events. */
  readonly alive: boolean;
  /** Settles when the thread is no longer alive. */
  readonly ended: Promise<unknown>;
  /** Returns the answer to an event, both as JSON; one event at a time. Throws FunctionError. A time-out ends the thread. */
  run(payload: string): Promise<string>;
  /** Returns the CPU time that the thread has used, ms; 0 once it has ended. */
  cpuMs(): Promise<number>;
  stop(): Promise<unknown>;
}

const initSeconds = 10;
/** V8 would give each thread three times as much and more, which the garbage of an event does not need. */
const youngMb = 6;

// Types are stripped once here: in each thread it would take longer than the start itself.
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

/** Returns a thread that has loaded the function. Throws FunctionError when that fails or takes longer than Lambda allows. */
export async function startThread(settings: FunctionSettings, log: FunctionLog): Promise<Thread> {
  const thread = new FunctionThread(settings, log);
  try {
    await thread.load();
  } catch (error) {
    await thread.stop();
    throw error;
  }
  return thread;
}

class FunctionThread implements Thread {
  readonly #settings: FunctionSettings;
  readonly #log: FunctionLog;
  readonly #worker: Worker;
  readonly #ended = Promise.withResolvers<undefined>();
  #isAlive = true;
  #isStopping = false;
  /** The answer that is awaited. */
  #settle: { resolve: (payload: string) => void; reject: (error: FunctionError) => void } | undefined;

  constructor(settings: FunctionSettings, log: FunctionLog) {
    this.#settings = settings;
    this.#log = log;
    const dot = settings.handler.lastIndexOf('.');
    const start: ThreadStart = {
      name: settings.name,
      module: pathToFileURL(moduleIn(settings.folder, settings.handler.slice(0, dot))).href,
      handler: settings.handler.slice(dot + 1),
      logFd: log.fd,
    };
    this.#worker = new Worker(entry, {
      workerData: start,
      env: { ...settings.environment },
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb, maxYoungGenerationSizeMb: youngMb },
      name: settings.name,
    });
    this.#worker.stdout.setEncoding('utf8').on('data', log.write);
    this.#worker.stderr.setEncoding('utf8').on('data', log.write);
    this.#worker.on('message', (answer: ThreadAnswer) => {
      this.#take(answer);
    });
    this.#worker.once('error', (error: Error) => {
      this.#end(new FunctionError('Runtime.ExitError', error.stack ?? error.message));
    });
    this.#worker.once('exit', (code) => {
      this.#end(new FunctionError('Runtime.ExitError', `${settings.name} exited with code ${code}`));
    });
  }

  get alive(): boolean {
    return this.#isAlive;
  }

  get ended(): Promise<unknown> {
    return this.#ended.promise;
  }

  /** Resolves when the thread has loaded the function. Throws FunctionError. */
  async load(): Promise<void> {
    const message = `did not load within ${initSeconds} s`;
    await this.#answerWithin(initSeconds, () => new FunctionError('Init.Timeout', message));
  }

  run(payload: string): Promise<string> {
    const { name, arn, memoryMb, timeoutSeconds } = this.#settings;
    const requestId = randomUUID();
    const message = `${requestId} Task timed out after ${timeoutSeconds.toFixed(2)} seconds`;
    const answer = this.#answerWithin(timeoutSeconds, () => new FunctionError('Sandbox.Timedout', message));
    const invocation: Invocation = {
      payload,
      deadline: Date.now() + timeoutSeconds * 1000,
      context: {
        awsRequestId: requestId,
        functionName: name,
        functionVersion: '$LATEST',
        invokedFunctionArn: arn,
        memoryLimitInMB: String(memoryMb),
        logGroupName: `/aws/lambda/${name}`,
        logStreamName: `local/${this.#worker.threadId}`,
      },
    };
    this.#worker.postMessage(invocation);
    return answer;
  }

  async cpuMs(): Promise<number> {
    if (!this.#isAlive) return 0;
    // A thread that ends meanwhile has no answer.
    const { user, system } = await this.#worker.cpuUsage().catch(() => ({ user: 0, system: 0 }));
    return (user + system) / 1000;
  }

  stop(): Promise<unknown> {
    this.#isStopping = true;
    return this.#worker.terminate();
  }

  /** Returns the next answer of the thread. Without an answer in time the thread ends. */
  #answerWithin(seconds: number, timeout: () => FunctionError): Promise<string> {
    if (!this.#isAlive) {
      return Promise.reject(new FunctionError('Runtime.ExitError', `${this.#settings.name} has ended`));
    }
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(timeout());
      }, seconds * 1000);
      const done = (): void => {
        this.#settle = undefined;
        clearTimeout(timer);
      };
      this.#settle = {
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

  #take(answer: ThreadAnswer): void {
    if (answer.kind === 'failure') {
      this.#write(answer.trace);
      this.#fail(new FunctionError(answer.errorType, answer.errorMessage));
    } else {
      this.#settle?.resolve(answer.kind === 'result' ? answer.payload : '');
    }
  }

  #fail(error: FunctionError): void {
    if (!this.#isStopping) this.#write(`${new Date().toISOString()} ERROR ${error.errorType}: ${error.message}`);
    this.#settle?.reject(error);
  }

  /** Writes to the log, the function's name in front of each line. */
  #write(text: string): void {
    this.#log.write(text.replace(/^/gm, `${this.#settings.name} `) + '\n');
  }

  #end(error: FunctionError): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#fail(error);
    this.#ended.resolve(undefined);
    void this.#worker.terminate();
  }
}
