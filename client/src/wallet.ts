/** The commands and reads of one wallet. */
import type { operations } from './openapi.generated.ts';
import type { Pages } from './pages.ts';
import { commandCall, dataOf, listOf, signalOf } from './transport.ts';
import type { CallOptions, CommandOptions, Transport, WaitingOptions } from './transport.ts';
import { doneOf } from './approval.ts';
import type {
  Balance,
  DryRun,
  Entry,
  Schemas,
  StandingOrder,
  Statement,
  StatementFile,
  Transaction,
  Wallet,
  WalletLimits,
} from './types.ts';

type Query<Name extends keyof operations> = Omit<NonNullable<operations[Name]['parameters']['query']>, 'cursor'>;

/** A command that can also be asked what it would cost: with `dryRun` no money moves. */
export interface PricedCommand<Body, Options> {
  (body: Body & { readonly dryRun: true }, options?: Options): Promise<DryRun>;
  (body: Omit<Body, 'dryRun'>, options?: Options): Promise<Transaction>;
}

/** One wallet. Nothing is read or checked before a method is called. */
export interface WalletHandle {
  readonly walletId: string;
  get(options?: CallOptions): Promise<Wallet>;
  /** Reads the balance. `consistent`: after all commands that were answered. `at`: as it was at a moment, ISO 8601 UTC. */
  balance(options?: { readonly consistent?: boolean; readonly at?: string } & CallOptions): Promise<Balance>;
  /** The history, newest first. */
  transactions(options?: Query<'listTransactions'> & CallOptions): Pages<Transaction>;
  /** The lines of the ledger in a period, with what was before and after them. Other formats: `http`, with `parseAs`. */
  statement(
    options?: Omit<Query<'getStatement'>, 'format'> & { readonly cursor?: string } & CallOptions,
  ): Promise<Statement>;
  /** Asks for a statement of any length as a file: see `statementFile` of the client. */
  requestStatementFile(body: Schemas['CreateStatementFileRequest'], options?: CommandOptions): Promise<StatementFile>;
  /** The ledger, newest first. */
  entries(options?: Query<'listEntries'> & CallOptions): Pages<Entry>;
  /** Books money that was paid in elsewhere. For operators. */
  readonly charge: PricedCommand<Schemas['ChargeRequest'], CommandOptions>;
  /** Pays money out through the bank. It ends later: see `wait`, and `waitFor` of its transaction. */
  readonly withdraw: PricedCommand<Schemas['WithdrawRequest'], WaitingOptions>;
  /** Sends money to another wallet. `async`: lets a worker credit the receiver, for one with many payers at once. */
  readonly transfer: PricedCommand<Schemas['TransferRequest'], WaitingOptions & { readonly async?: boolean }>;
  /** Promises money to another wallet, or to the world outside, until a time. */
  hold(body: Schemas['OpenHoldRequest'], options?: CommandOptions): Promise<Transaction>;
  /** Changes name or metadata. */
  change(body: Schemas['ChangeWalletRequest'], options?: CommandOptions): Promise<Wallet>;
  freeze(body?: Schemas['FreezeRequest'], options?: CommandOptions): Promise<Wallet>;
  unfreeze(body?: Schemas['UnfreezeRequest'], options?: CommandOptions): Promise<Wallet>;
  close(body?: Schemas['CloseRequest'], options?: CommandOptions): Promise<Wallet>;
  /** Replaces the limits. */
  setLimits(body: Schemas['SetLimitsRequest'], options?: CommandOptions): Promise<WalletLimits>;
  standingOrders(options?: Query<'listStandingOrders'> & CallOptions): Pages<StandingOrder>;
  openStandingOrder(body: Schemas['OpenStandingOrderRequest'], options?: CommandOptions): Promise<StandingOrder>;
}

/** Returns the methods of a wallet. */
export function walletHandle(transport: Transport, walletId: string): WalletHandle {
  return { walletId, ...reads(transport, walletId), ...payments(transport, walletId), ...states(transport, walletId) };
}

function reads(transport: Transport, walletId: string) {
  const { http } = transport;
  const path = { walletId };
  return {
    get: (options = {}) => dataOf(http.GET('/wallets/{walletId}', { params: { path }, ...signalOf(options) })),
    balance({ signal, consistent, at } = {}) {
      const query = {
        ...(consistent === true && { consistent: 'true' as const }),
        ...(at !== undefined && { at }),
      };
      return dataOf(http.GET('/wallets/{walletId}/balance', { params: { path, query }, ...signalOf({ signal }) }));
    },
    transactions: (options = {}) =>
      listOf(options, (query, init) =>
        http.GET('/wallets/{walletId}/transactions', { params: { path, query }, ...init }),
      ),
    statement({ signal, ...query } = {}) {
      return dataOf(
        http.GET('/wallets/{walletId}/statement', { params: { path, query }, ...signalOf({ signal }) }),
      ) as Promise<Statement>;
    },
    requestStatementFile(body, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/wallets/{walletId}/statements', { params: { path, header }, body, ...init }));
    },
    entries: (options = {}) =>
      listOf(options, (query, init) => http.GET('/wallets/{walletId}/entries', { params: { path, query }, ...init })),
    standingOrders: (options = {}) =>
      listOf(options, (query, init) =>
        http.GET('/wallets/{walletId}/standing-orders', { params: { path, query }, ...init }),
      ),
  } satisfies Partial<WalletHandle>;
}

function payments(transport: Transport, walletId: string) {
  const { http } = transport;
  const path = { walletId };
  return {
    charge: ((body: Schemas['ChargeRequest'], options?: CommandOptions) => {
      const { key, header, init } = commandCall(transport, options);
      return doneOf(http.POST('/wallets/{walletId}/charge', { params: { path, header }, body, ...init }), key);
    }) as WalletHandle['charge'],
    withdraw: ((body: Schemas['WithdrawRequest'], options?: WaitingOptions) => {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/wallets/{walletId}/withdraw', { params: { path, header }, body, ...init }));
    }) as WalletHandle['withdraw'],
    transfer: ((body: Schemas['TransferRequest'], options?: Parameters<WalletHandle['transfer']>[1]) => {
      const prefer = options?.async === true ? ['respond-async'] : [];
      const { header, init } = commandCall(transport, options, prefer);
      return dataOf(http.POST('/wallets/{walletId}/transfer', { params: { path, header }, body, ...init }));
    }) as WalletHandle['transfer'],
    hold(body, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/wallets/{walletId}/holds', { params: { path, header }, body, ...init }));
    },
    openStandingOrder(body, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/wallets/{walletId}/standing-orders', { params: { path, header }, body, ...init }));
    },
  } satisfies Partial<WalletHandle>;
}

function states(transport: Transport, walletId: string) {
  const { http } = transport;
  const path = { walletId };
  return {
    change(body, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.PATCH('/wallets/{walletId}', { params: { path, header }, body, ...init }));
    },
    freeze(body = {}, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/wallets/{walletId}/freeze', { params: { path, header }, body, ...init }));
    },
    unfreeze(body = {}, options) {
      const { key, header, init } = commandCall(transport, options);
      return doneOf(http.POST('/wallets/{walletId}/unfreeze', { params: { path, header }, body, ...init }), key);
    },
    close(body = {}, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/wallets/{walletId}/close', { params: { path, header }, body, ...init }));
    },
    setLimits(body, options) {
      const { key, header, init } = commandCall(transport, options);
      return doneOf(http.PUT('/wallets/{walletId}/limits', { params: { path, header }, body, ...init }), key);
    },
  } satisfies Partial<WalletHandle>;
}
