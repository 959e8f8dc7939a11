/** The client of the wallet service. */
import createClient from 'openapi-fetch';
import { approvalHandle } from './approval.ts';
import type { ApprovalHandle } from './approval.ts';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import type { operations, paths } from './openapi.generated.ts';
import type { Pages } from './pages.ts';
import { sender } from './retries.ts';
import type { Retries } from './retries.ts';
import { holdHandle, transactionHandle } from './transaction.ts';
import type { HoldHandle, TransactionHandle } from './transaction.ts';
import { commandCall, dataOf, listOf, signalOf } from './transport.ts';
import type { CallOptions, CommandOptions, Http, Transport } from './transport.ts';
import type {
  Approval,
  Batch,
  BatchItem,
  Health,
  Integrity,
  NotificationPreferences,
  Schemas,
  Split,
  SplitDryRun,
  StandingOrder,
  Transaction,
  Unavailable,
  Wallet,
} from './types.ts';
import { statementFileHandle } from './statement-file.ts';
import type { StatementFileHandle } from './statement-file.ts';
import { walletHandle } from './wallet.ts';
import type { WalletHandle } from './wallet.ts';

/** A bearer token, or a function that returns one. It is called before each attempt, so it should keep the token. */
export type TokenSource = string | (() => string | Promise<string>);

/** Settings of a client. */
export interface WalletClientOptions {
  /** The base URL of the service, with the stage where it has one. Empty: the origin of the page. */
  readonly url: string;
  /** Absent: only the open routes answer. */
  readonly token?: TokenSource | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
  readonly retries?: Retries | undefined;
  /** @default the time of the machine */
  readonly clock?: Clock | undefined;
}

type Query<Name extends keyof operations> = Omit<NonNullable<operations[Name]['parameters']['query']>, 'cursor'>;

/** A client of the wallet service. */
export interface WalletClient {
  /** The typed routes of the document, for all that has no method here. They throw the same errors. */
  readonly http: Http;
  openWallet(body: Schemas['CreateWalletRequest'], options?: CommandOptions): Promise<Wallet>;
  /** The caller's wallets; with `ownerId` those of another, for operators. */
  wallets(options?: Query<'listWallets'> & CallOptions): Pages<Wallet>;
  wallet(walletId: string): WalletHandle;
  /** Transactions of all wallets that the caller may see: by reference, by owner, or the open work. */
  transactions(options?: Query<'findTransactions'> & CallOptions): Pages<Transaction>;
  transaction(transactionId: string): TransactionHandle;
  hold(transactionId: string): HoldHandle;
  statementFile(statementId: string): StatementFileHandle;
  /** Reads the transaction with this receipt code. */
  receipt(receiptCode: string, options?: CallOptions): Promise<Transaction>;
  /** Makes many transfers: all of them or none. */
  split(body: Schemas['SplitRequest'] & { readonly dryRun: true }, options?: CommandOptions): Promise<SplitDryRun>;
  split(body: Omit<Schemas['SplitRequest'], 'dryRun'>, options?: CommandOptions): Promise<Split>;
  standingOrder(standingOrderId: string): StandingOrderHandle;
  approvals(options?: Query<'listApprovals'> & CallOptions): Pages<Approval>;
  approval(approvalId: string): ApprovalHandle;
  /** Sends a file of payments, a line for each. */
  createBatch(lines: readonly Schemas['CreateBatchRequest'][number][], options?: CommandOptions): Promise<Batch>;
  batch(batchId: string): BatchHandle;
  notificationPreferences(
    options?: Query<'getNotificationPreferences'> & CallOptions,
  ): Promise<NotificationPreferences>;
  setNotificationPreferences(
    body: Schemas['PutNotificationPreferencesRequest'],
    options?: CallOptions,
  ): Promise<NotificationPreferences>;
  /** The state of the service, asked once. An operator's token shows more. */
  health(options?: CallOptions): Promise<Health | Unavailable>;
  /** The result of the check of the books. For operators. */
  integrity(options?: CallOptions): Promise<Integrity>;
}

/** One standing order. */
export interface StandingOrderHandle {
  readonly standingOrderId: string;
  get(options?: CallOptions): Promise<StandingOrder>;
  cancel(body?: Schemas['CancelStandingOrderRequest'], options?: CommandOptions): Promise<StandingOrder>;
}

/** One file of payments. */
export interface BatchHandle {
  readonly batchId: string;
  get(options?: CallOptions): Promise<Batch>;
  /** Its lines in the order of the file, each with its state now. */
  items(options?: Query<'listBatchItems'> & CallOptions): Pages<BatchItem>;
}

const defaults = { totalMs: 60_000, attemptMs: 30_000 };

/** Returns a client. No request is sent before a method is called. */
export function createWalletClient(options: WalletClientOptions): WalletClient {
  const { url, token, fetch: ownFetch = globalThis.fetch, retries = {}, clock = systemClock } = options;
  const send = sender({
    fetch: ownFetch,
    token: async () => (typeof token === 'function' ? token() : token),
    totalMs: retries.totalMs ?? defaults.totalMs,
    attemptMs: retries.attemptMs ?? defaults.attemptMs,
    clock,
  });
  const http = createClient<paths>({ baseUrl: url, fetch: (request) => send(request) });
  const transport: Transport = { http, send, clock };
  return {
    http,
    wallet: (walletId) => walletHandle(transport, walletId),
    transaction: (transactionId) => transactionHandle(transport, transactionId),
    hold: (transactionId) => holdHandle(transport, transactionId),
    statementFile: (statementId) => statementFileHandle(transport, statementId),
    approval: (approvalId) => approvalHandle(transport, approvalId),
    standingOrder: (standingOrderId) => standingOrderHandle(transport, standingOrderId),
    batch: (batchId) => batchHandle(transport, batchId),
    ...lists(transport),
    ...commands(transport),
    ...states(transport),
  };
}

function lists({ http }: Transport) {
  return {
    wallets: (options = {}) => listOf(options, (query, init) => http.GET('/wallets', { params: { query }, ...init })),
    approvals: (options = {}) =>
      listOf(options, (query, init) => http.GET('/approvals', { params: { query }, ...init })),
    transactions: (options = {}) =>
      listOf(options, (query, init) => http.GET('/transactions', { params: { query }, ...init })),
    receipt: (receiptCode, options = {}) =>
      dataOf(http.GET('/receipts/{receiptCode}', { params: { path: { receiptCode } }, ...signalOf(options) })),
  } satisfies Partial<WalletClient>;
}

function commands(transport: Transport) {
  const { http } = transport;
  return {
    openWallet(body, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/wallets', { params: { header }, body, ...init }));
    },
    split: ((body: Schemas['SplitRequest'], options?: CommandOptions) => {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/transfers', { params: { header }, body, ...init }));
    }) as WalletClient['split'],
    createBatch(lines, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(
        http.POST('/batches', {
          params: { header },
          body: [...lines],
          bodySerializer: (body) => body.map((line) => `${JSON.stringify(line)}\n`).join(''),
          headers: { 'Content-Type': 'application/x-ndjson' },
          ...init,
        }),
      );
    },
  } satisfies Partial<WalletClient>;
}

function states({ http, send }: Transport) {
  return {
    notificationPreferences({ signal, ...query } = {}) {
      return dataOf(http.GET('/notification-preferences', { params: { query }, ...signalOf({ signal }) }));
    },
    setNotificationPreferences: (body, options = {}) =>
      dataOf(http.PUT('/notification-preferences', { body, ...signalOf(options) })),
    async health(options = {}) {
      const once = (request: Request) => send(request, { once: true, accepts: 503 });
      const { data, error } = await http.GET('/health', { ...signalOf(options), fetch: once });
      return data ?? error;
    },
    integrity: (options = {}) => dataOf(http.GET('/integrity', signalOf(options))),
  } satisfies Partial<WalletClient>;
}

function standingOrderHandle(transport: Transport, standingOrderId: string): StandingOrderHandle {
  const { http } = transport;
  const path = { standingOrderId };
  return {
    standingOrderId,
    get: (options = {}) =>
      dataOf(http.GET('/standing-orders/{standingOrderId}', { params: { path }, ...signalOf(options) })),
    cancel(body = {}, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(
        http.POST('/standing-orders/{standingOrderId}/cancel', { params: { path, header }, body, ...init }),
      );
    },
  };
}

function batchHandle({ http }: Transport, batchId: string): BatchHandle {
  const path = { batchId };
  return {
    batchId,
    get: (options = {}) => dataOf(http.GET('/batches/{batchId}', { params: { path }, ...signalOf(options) })),
    items: (options = {}) =>
      listOf(options, (query, init) => http.GET('/batches/{batchId}/items', { params: { path, query }, ...init })),
  };
}
