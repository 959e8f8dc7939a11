/** Histories as plain data: who asks for what, when. Any step may be left out, and the rest still makes sense. */
import { receiptCodeOf, transactionIdOf, walletIdOf } from '../../lambdas/store/keys.ts';
import type { CallerContext, Request } from '../request.ts';
import type { BankSettings } from './bank.ts';
import type { Rotation } from './keys.ts';
import type { RouteName, ServiceSettings } from './service.ts';

/** A wallet of a history, by the command that opens it. */
export interface WalletName extends CommandName {
  readonly currency: string;
}

/** A command of a history, by who sent it and the key. */
export interface CommandName {
  readonly principal: string;
  readonly key: string;
}

export type Action =
  | { readonly do: 'create-wallet'; readonly currency: string; readonly owner?: string }
  | { readonly do: 'charge'; readonly wallet: WalletName; readonly amount: number }
  | {
      readonly do: 'withdraw';
      readonly wallet: WalletName;
      readonly amount: number;
      readonly account: string;
      readonly waitSeconds?: number;
    }
  | {
      readonly do: 'transfer';
      readonly wallet: WalletName;
      readonly to: WalletName;
      readonly amount: number;
      readonly queued: boolean;
      readonly waitSeconds?: number;
    }
  | { readonly do: 'freeze' | 'unfreeze' | 'close'; readonly wallet: WalletName }
  | { readonly do: 'resolve' | 'cancel'; readonly target: CommandName }
  | { readonly do: 'get-wallet' | 'get-balance' | 'list-transactions'; readonly wallet: WalletName }
  /** The balance at a moment in the past. */
  | { readonly do: 'balance-at'; readonly wallet: WalletName; readonly agoMs: number }
  | { readonly do: 'get-transaction' | 'get-receipt'; readonly target: CommandName }
  | { readonly do: 'list-wallets' | 'health' | 'get-notification-preferences' | 'put-notification-preferences' }
  /** The bank says what it has decided, or sends the money back; forged: a stranger says so, with the key that was withdrawn. */
  | {
      readonly do: 'bank-notifications';
      readonly target: CommandName;
      readonly returned: boolean;
      readonly forged?: true;
    }
  | { readonly do: 'redrive' | 'sweep' };

export interface Step {
  /** Names the step's tasks. */
  readonly id: string;
  /** Ms after the beginning. */
  readonly at: number;
  readonly principal: string;
  readonly operator: boolean;
  readonly key: string;
  /** How often the client repeats, with the same key, a request without an answer or with one that asks to retry. */
  readonly retries: number;
  readonly action: Action;
}

export interface History {
  readonly seed: string;
  readonly steps: readonly Step[];
  readonly service: ServiceSettings;
  /** Whether the database's answers name the time; those of some stand-ins do not. */
  readonly databaseNamesTime: boolean;
  readonly bank: Omit<BankSettings, 'down' | 'replacedAt'>;
  /** When the bank answers nothing of use; ms after the beginning. */
  readonly bankDown: readonly { readonly from: number; readonly to: number }[];
  /** When the service is given another bank, which knows none of the payments; ms after the beginning. */
  readonly bankReplacedAt?: number;
  /** When both keys are replaced; containers still have the old ones. */
  readonly rotation?: Rotation;
  /** When the table serves no caller: throttled, contended, or down; ms after the beginning. */
  readonly storms: readonly { readonly from: number; readonly to: number }[];
  /** Share of withdrawals of which the bank says unasked what it has decided. */
  readonly notified: number;
  /** Share of the sweeper's runs that are made although there is nothing to find. */
  readonly idleSweeps: number;
  /** When nothing goes wrong any more, ms after the beginning; absent: the plan decides alone. */
  readonly calmAt?: number;
  /** Whether the projector follows the stream into a table of entries, which takes its time. */
  readonly hasBooks: boolean;
  /**
   * The wallet table is put back to what it was at `to`, and the table of entries is not. Nothing runs for `stoppedMs`, which
   * is longer than the bank's window. Times in ms after the beginning.
   */
  readonly restore?: { readonly at: number; readonly to: number; readonly stoppedMs: number };
  /** Share of external calls that a random plan strikes. */
  readonly faultRate: number;
}

export function walletIdOfName({ principal, key, currency }: WalletName): string {
  return walletIdOf(principal, key, currency);
}

export function transactionIdOfName({ principal, key }: CommandName): string {
  return transactionIdOf(principal, key);
}

/** What the step asks of the service; undefined when it asks nothing of a route. */
export function requestOf(
  step: Step,
  facts: {
    readonly resolution: () => string;
    readonly createdAt: (transactionId: string) => string | undefined;
    /** Epoch ms. */
    readonly now: number;
  },
): { route: RouteName; request: Request } | undefined {
  const { action, key } = step;
  const as: CallerContext = { principal: step.principal, scopes: step.operator ? 'operate' : 'read write' };
  // The key is also part of the record, so that an auditor knows which command a transaction belongs to.
  const externalReference = key;
  switch (action.do) {
    case 'create-wallet': {
      const { currency, owner: ownerId } = action;
      return { route: action.do, request: { as, key, body: { currency, ...(ownerId !== undefined && { ownerId }) } } };
    }
    case 'charge':
      return {
        route: action.do,
        request: { as, key, path: onWallet(action.wallet), body: { amount: action.amount, externalReference } },
      };
    case 'withdraw': {
      const destination = { account: action.account, name: key.slice(0, 100) };
      return {
        route: action.do,
        request: {
          as,
          key,
          path: onWallet(action.wallet),
          headers: prefer(false, action.waitSeconds),
          body: { amount: action.amount, destination, externalReference },
        },
      };
    }
    case 'transfer':
      return {
        route: action.do,
        request: {
          as,
          key,
          path: onWallet(action.wallet),
          headers: prefer(action.queued, action.waitSeconds),
          body: { amount: action.amount, toWalletId: walletIdOfName(action.to), externalReference },
        },
      };
    case 'freeze':
    case 'unfreeze':
    case 'close':
      return { route: action.do, request: { as, key, path: onWallet(action.wallet) } };
    case 'resolve': {
      const body = { outcome: facts.resolution(), evidence: 'the bank says so' };
      return { route: action.do, request: { as, key, path: onTransaction(action.target), body } };
    }
    case 'cancel':
      return { route: action.do, request: { as, key, path: onTransaction(action.target), body: { reason: 'sorry' } } };
    case 'get-wallet':
    case 'get-balance':
    case 'list-transactions':
      return { route: action.do, request: { as, path: onWallet(action.wallet) } };
    case 'balance-at': {
      const at = new Date(facts.now - action.agoMs).toISOString();
      return { route: 'get-balance', request: { as, path: onWallet(action.wallet), query: { at } } };
    }
    case 'get-transaction':
      return { route: action.do, request: { as, path: onTransaction(action.target) } };
    case 'get-receipt': {
      const transactionId = transactionIdOfName(action.target);
      const createdAt = facts.createdAt(transactionId) ?? new Date(0).toISOString();
      return { route: action.do, request: { as, path: { receiptCode: receiptCodeOf({ transactionId, createdAt }) } } };
    }
    case 'list-wallets':
    case 'get-notification-preferences':
      return { route: action.do, request: { as } };
    case 'put-notification-preferences':
      return { route: action.do, request: { as, body: { channels: { email: true, sms: false, push: false } } } };
    case 'health':
      return { route: action.do, request: { headers: { Authorization: 'Bearer operator' } } };
    case 'bank-notifications':
    case 'redrive':
    case 'sweep':
      return undefined;
  }
}

/** Whether a step is a stranger's, who says with a withdrawn key that a payment came back. */
export function isForged({ action }: Pick<Step, 'action'>): boolean {
  return action.do === 'bank-notifications' && action.forged === true;
}

function onWallet(wallet: WalletName) {
  return { walletId: walletIdOfName(wallet) };
}

function onTransaction(target: CommandName) {
  return { transactionId: transactionIdOfName(target) };
}

function prefer(queued: boolean, waitSeconds: number | undefined): Record<string, string> {
  const preferences = [
    ...(queued ? ['respond-async'] : []),
    ...(waitSeconds === undefined ? [] : [`wait=${waitSeconds}`]),
  ];
  return preferences.length === 0 ? {} : { Prefer: preferences.join(', ') };
}
