/** A statement of any length, which a worker of the service makes as a file. */
import { NotReadyError, StatementFailedError } from './errors.ts';
import { poll } from './polling.ts';
import type { Patience } from './polling.ts';
import { dataOf, signalOf } from './transport.ts';
import type { CallOptions, Transport } from './transport.ts';
import type { StatementFile } from './types.ts';

/** One file of a statement. Nothing is read or checked before a method is called. */
export interface StatementFileHandle {
  readonly statementId: string;
  /** Reads its state. Where it is ready, `file` has a link that works for some minutes; another call has another link. */
  get(options?: CallOptions): Promise<StatementFile>;
  /**
   * Reads it until the file is ready.
   *
   * @throws NotReadyError after `timeoutMs`: the service still makes the file
   * @throws StatementFailedError when the service could not make it
   */
  waitFor(options?: Patience): Promise<StatementFile>;
}

/** Returns the methods of a file of a statement. */
export function statementFileHandle({ http, clock }: Transport, statementId: string): StatementFileHandle {
  const get = (options: CallOptions = {}): Promise<StatementFile> =>
    dataOf(http.GET('/statements/{statementId}', { params: { path: { statementId } }, ...signalOf(options) }));
  return {
    statementId,
    get,
    async waitFor(options = {}) {
      const seen = await poll(
        clock,
        options,
        get,
        ({ file, status }) => file !== undefined || status === 'failed',
        (last, timeoutMs) => new NotReadyError(last, timeoutMs),
      );
      if (seen.status === 'failed') throw new StatementFailedError(seen);
      return seen;
    },
  };
}
