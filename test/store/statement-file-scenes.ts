/** Statements as files, on the real engine: a bucket and a queue in memory, and a worker that may die at any call. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createStatementFile, getStatementFileRoute } from '../../lambdas/api/statement-files.ts';
import type { FileStore, Served } from '../../lambdas/aws/objects.ts';
import type { WorkMessage } from '../../lambdas/contract.ts';
import type { FormatName } from '../../lambdas/domain/statement-file.ts';
import { serve } from '../../lambdas/http/http.ts';
import { openLimits } from '../../lambdas/http/limits.ts';
import { leaseMs } from '../../lambdas/store/statement-files.ts';
import { writeStatement } from '../../lambdas/workers/statement-writer.ts';
import type { StatementWriterServices } from '../../lambdas/workers/statement-writer.ts';
import { newBooks } from '../books.ts';
import { newStatementTable } from '../engine.ts';
import type { TestEngine } from '../engine.ts';
import { piecesOf } from '../bank-files.ts';
import { afterTest } from '../fixture.ts';
import { endUser, send } from '../request.ts';
import type { Request } from '../request.ts';
import { newKey } from './commands.ts';
import { after, steps } from './statement-scenes.ts';
import { fundedWallet } from './wallets.ts';

/** A bucket in memory, which takes parts of any size. */
export class MemoryFiles implements FileStore {
  readonly content = new Map<string, string>();
  readonly served = new Map<string, Served>();
  readonly uploads = new Map<string, { key: string; served: Served; parts: Map<number, string> }>();
  #uploads = 0;

  get(key: string) {
    const content = this.content.get(key);
    return Promise.resolve(
      content === undefined ? undefined : { size: Buffer.byteLength(content), content: piecesOf(content) },
    );
  }

  put(key: string, content: string, served: Served) {
    this.content.set(key, content);
    this.served.set(key, served);
    return Promise.resolve();
  }

  beginUpload(key: string, served: Served) {
    const uploadId = `upload-${String(++this.#uploads)}`;
    this.uploads.set(uploadId, { key, served, parts: new Map() });
    return Promise.resolve(uploadId);
  }

  putPart(_key: string, { uploadId, number }: { readonly uploadId: string; readonly number: number }, content: string) {
    this.uploads.get(uploadId)?.parts.set(number, content);
    return Promise.resolve(this.uploads.has(uploadId) ? etagOf(content) : undefined);
  }

  completeUpload(_key: string, uploadId: string, etags: readonly string[]) {
    const upload = this.uploads.get(uploadId);
    const parts = etags.map((etag, index) => ({ etag, content: upload?.parts.get(index + 1) }));
    const isWhole = parts.every(({ etag, content }) => content !== undefined && etagOf(content) === etag);
    if (upload === undefined || !isWhole) return Promise.resolve(false);
    this.uploads.delete(uploadId);
    return this.put(upload.key, parts.map(({ content }) => content).join(''), upload.served).then(() => true);
  }

  linkTo(key: string, seconds: number) {
    return Promise.resolve(`https://bucket.example/${key}?seconds=${String(seconds)}`);
  }
}

const etagOf = (content: string) => createHash('md5').update(content).digest('hex');

/** The error of a process that has died. */
class Died extends Error {
  override readonly name = 'Died';
}

/** Books with wallets of ann, ben and cid, and all that makes files of their statements. */
export async function newFileScene(
  engine: TestEngine,
  { changesOfOne, ...sizes }: { partBytes?: number; entriesAtATime?: number; changesOfOne?: number } = {},
) {
  const books = await newBooks(engine);
  afterTest(books.close);
  const { table, entries } = books;
  const statements = await newStatementTable(engine);
  const wallets = {
    ann: await fundedWallet(table, 'ann', 1_000),
    ben: await fundedWallet(table, 'ben', 1_000),
    cid: await fundedWallet(table, 'cid', 1_000),
  };
  const files = new MemoryFiles();
  const queued: WorkMessage[] = [];
  const queue = {
    isDown: false,
    send(message: WorkMessage) {
      if (queue.isDown) return Promise.reject(new Error('the queue is down'));
      queued.push(message);
      return Promise.resolve();
    },
  };
  const limits = openLimits({ readsPerHour: 1_000_000, refusalsPerHour: 1_000_000, perHour: 3 });
  const services = { table, entries, statements, files, queue, changesOfOne };
  const routes = { ...services, limits: { ...limits, isKeyUsed: undefined } };
  const pass = (ms: number) => (table.clock.now = entries.clock.now = statements.clock.now = table.clock.now + ms);
  const worker = { ...routes, partBytes: 300, entriesAtATime: 2, ...sizes };
  return {
    ...{ ...books, ...wallets, wallets, statements, files, queued, queue, worker, pass },
    /** Brings the ledger up to date, more than a minute later: a statement of what was is final. */
    follow() {
      pass(61_000);
      return books.follow();
    },
    /** Asks for a file: of the whole time, as ann, unless the request says otherwise. */
    askFor(walletId: string, format: FormatName = 'csv', { body, ...request }: Request & { body?: object } = {}) {
      const handler = serve(createStatementFile, routes);
      const period = { from: after(-3_600_000), to: after(table.clock.now - Date.parse(after(0)) - 60_000) };
      const sent = { as: endUser('ann'), key: newKey(), path: { walletId }, ...request };
      return send('create-statement-file', handler, { ...sent, body: { ...period, format, ...body } });
    },
    look(statementId: string, as = endUser('ann')) {
      return send('get-statement-file', serve(getStatementFileRoute, routes), { as, path: { statementId } });
    },
    /** Hands the messages in the queue to workers, until it is empty. */
    async work() {
      for (let message = queued.shift(); message !== undefined; message = queued.shift()) {
        const again = await writeStatement(worker, message.transactionId);
        if (again !== undefined) throw new Error('another worker has the statement');
      }
    },
  };
}
export type FileScene = Awaited<ReturnType<typeof newFileScene>>;

/** Books with a line of each kind, and all that makes files of their statements. */
export async function newFileHistory(engine: TestEngine, sizes?: Parameters<typeof newFileScene>[1]) {
  const scene = await newFileScene(engine, sizes);
  for (const [index, step] of Object.values(steps).entries()) {
    scene.pass(10);
    await step(scene, scene.wallets, index + 2);
  }
  await scene.follow();
  return scene;
}

/** Returns the id of a statement in an answer. */
export const idOf = (body: Readonly<Record<string, unknown>> | undefined) => String(body?.['statementId']);

/** A call at which a worker dies: before it is made, or when it is made and its answer does not arrive. */
export interface Death {
  readonly call: number;
  readonly isMade: boolean;
}

/**
 * Returns the services of a process that dies at a call to the bucket, the queue, or the table of statements. No later call
 * of the process is made.
 */
export function mortal({ worker, statements }: FileScene, death: Death) {
  let calls = 0;
  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    const mine = calls++;
    if (mine > death.call || (mine === death.call && !death.isMade)) throw new Died();
    const answer = await call();
    if (mine === death.call) throw new Died();
    return answer;
  };
  statements.fault = (_call, made) => guarded(made);
  const { files, queue } = worker;
  const services: StatementWriterServices = {
    ...worker,
    files: {
      get: (key) => guarded(() => files.get(key)),
      put: (...args) => guarded(() => files.put(...args)),
      beginUpload: (...args) => guarded(() => files.beginUpload(...args)),
      putPart: (...args) => guarded(() => files.putPart(...args)),
      completeUpload: (...args) => guarded(() => files.completeUpload(...args)),
      linkTo: (...args) => files.linkTo(...args),
    },
    queue: { send: (message) => guarded(() => queue.send(message)) },
  };
  return {
    services,
    /** Whether the process has died. */
    isDead: () => calls > death.call,
    /** Ends the process, whose lease then ends. */
    bury: (scene: FileScene) => {
      statements.fault = undefined;
      scene.pass(leaseMs);
    },
  };
}

/** Returns the file of a statement that is ready, of the size that its view says. */
export async function fileOf(scene: FileScene, statementId: string): Promise<string> {
  const { status, body, text } = await scene.look(statementId);
  assert.equal(status, 200, text);
  assert.equal(body?.['status'], 'ready', text);
  const { bytes, url } = body['file'] as { bytes: number; url: string };
  const content = scene.files.content.get(new URL(url).pathname.slice(1));
  assert.ok(content !== undefined);
  assert.equal(Buffer.byteLength(content), bytes);
  return content;
}
