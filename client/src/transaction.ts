/** The commands and reads of one transaction. */
import { doneOf } from './approval.ts';
import { OtherEndError, StillPendingError } from './errors.ts';
import { poll } from './polling.ts';
import type { Patience } from './polling.ts';
import { commandCall, dataOf, signalOf } from './transport.ts';
import type { CallOptions, CommandOptions, Transport } from './transport.ts';
import type { Schemas, Transaction, TransactionStatus } from './types.ts';
import type { PricedCommand } from './wallet.ts';

/** Settings of a wait. */
export interface WaitOptions extends Patience {
  /**
   * The status to wait for.
   * @default any end
   */
  readonly status?: TransactionStatus | undefined;
}

/** A transaction that can be read and waited for. */
export interface ReadHandle {
  readonly transactionId: string;
  get(options?: CallOptions): Promise<Transaction>;
  /**
   * Reads the transaction until it has ended, or has the wanted status.
   *
   * @throws StillPendingError after `timeoutMs`: the transaction goes on
   * @throws OtherEndError when it has ended with another status than the wanted one
   */
  waitFor(options?: WaitOptions): Promise<Transaction>;
}

/** One transaction. Nothing is read or checked before a method is called. */
export interface TransactionHandle extends ReadHandle {
  /** Gives back a part of a payment, or all of it. */
  refund(body: Schemas['RefundRequest'], options?: CommandOptions): Promise<Transaction>;
  /** Ends a withdrawal that has not left for the bank, or a scheduled payment. */
  cancel(body?: Schemas['CancelRequest'], options?: CommandOptions): Promise<Transaction>;
  /** Ends a withdrawal in review. For operators. */
  resolve(body: Schemas['ResolveRequest'], options?: CommandOptions): Promise<Transaction>;
}

/** One hold: promised money. */
export interface HoldHandle extends ReadHandle {
  /** Takes the promised money, or a part of it. */
  readonly capture: PricedCommand<Schemas['CaptureRequest'], CommandOptions>;
  /** Gives the rest of the promised money back to the payer. */
  release(body?: Schemas['ReleaseRequest'], options?: CommandOptions): Promise<Transaction>;
}

const ends: readonly string[] = ['completed', 'failed', 'ended'];

/** Returns the methods of a transaction. */
export function transactionHandle(transport: Transport, transactionId: string): TransactionHandle {
  const { http } = transport;
  const path = { transactionId };
  return {
    ...readHandle(transport, transactionId),
    refund(body, options) {
      const { key, header, init } = commandCall(transport, options);
      return doneOf(
        http.POST('/transactions/{transactionId}/refund', { params: { path, header }, body, ...init }),
        key,
      );
    },
    cancel(body = {}, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/transactions/{transactionId}/cancel', { params: { path, header }, body, ...init }));
    },
    resolve(body, options) {
      const { key, header, init } = commandCall(transport, options);
      return doneOf(
        http.POST('/transactions/{transactionId}/resolve', { params: { path, header }, body, ...init }),
        key,
      );
    },
  };
}

/** Returns the methods of a hold. */
export function holdHandle(transport: Transport, transactionId: string): HoldHandle {
  const { http } = transport;
  const path = { transactionId };
  return {
    ...readHandle(transport, transactionId),
    capture: ((body: Schemas['CaptureRequest'], options?: CommandOptions) => {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/holds/{transactionId}/capture', { params: { path, header }, body, ...init }));
    }) as HoldHandle['capture'],
    release(body = {}, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/holds/{transactionId}/release', { params: { path, header }, body, ...init }));
    },
  };
}

function readHandle({ http, clock }: Transport, transactionId: string): ReadHandle {
  const get = (options: CallOptions = {}): Promise<Transaction> =>
    dataOf(http.GET('/transactions/{transactionId}', { params: { path: { transactionId } }, ...signalOf(options) }));
  return {
    transactionId,
    get,
    async waitFor({ status: wanted, ...patience } = {}) {
      const hasEnded = ({ status }: Transaction): boolean => ends.includes(status);
      const isOver = (seen: Transaction): boolean => seen.status === wanted || hasEnded(seen);
      const late = (seen: Transaction, timeoutMs: number): Error => new StillPendingError(seen, timeoutMs);
      const transaction = await poll(clock, patience, get, isOver, late);
      if (wanted !== undefined && transaction.status !== wanted) throw new OtherEndError(transaction, wanted);
      return transaction;
    },
  };
}
