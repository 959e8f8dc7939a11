/**
 * Histories as plain data: the requests, their callers and their times. Any step can be removed, and the rest still
 * makes sense.
 */
import {
  approvalIdOfTransaction,
  batchIdOfTransaction,
  legIdOf,
  receiptCodeOf,
  standingOrderIdOf,
  transactionIdOf,
  walletIdOf,
} from '../../lambdas/domain/ids.ts';
import type { CallerContext, Request } from '../request.ts';
import { epoch } from '../engine.ts';
import type { BankSettings } from './bank.ts';
import type { Rotation } from './keys.ts';
import type { Limits } from './limits.ts';
import type { RouteName } from './release.ts';
import type { ServiceSettings } from './service.ts';
import { isOfWebhooks, webhookRequest } from './webhook-steps.ts';
import type { WebhookAction, WebhookPlan } from './webhook-steps.ts';

/** A wallet of a history, by the command that opens it. */
export interface WalletName extends CommandName {
  readonly currency: string;
}

/** A command of a history, by its sender and key. */
export interface CommandName {
  readonly principal: string;
  readonly key: string;
  /** Of a split: the index of the leg that is meant. */
  readonly leg?: number;
}

/** A leg of a split. */
export interface LegPlan {
  readonly wallet: WalletName;
  readonly to: WalletName;
  readonly amount: number;
  readonly reference?: string;
}

/** A line of a batch: a transfer, or without `to` a withdrawal to `account`. */
export interface Line {
  readonly key: string;
  readonly wallet: WalletName;
  readonly amount: number;
  readonly to?: WalletName;
  readonly account?: string;
  readonly reference?: string;
}

export type Action =
  | WebhookAction
  | { readonly do: 'create-wallet'; readonly currency: string; readonly owner?: string }
  /** `reference`, here and below: one that the command has for itself alone; absent: its key, and not so. */
  | { readonly do: 'charge'; readonly wallet: WalletName; readonly amount: number; readonly reference?: string }
  | { readonly do: 'find-transactions'; readonly reference: string }
  | {
      readonly do: 'change-wallet';
      readonly wallet: WalletName;
      readonly name: string | null;
      /** Null removes it; absent: it stays. */
      readonly alias?: string | null;
    }
  | {
      readonly do: 'withdraw';
      readonly wallet: WalletName;
      readonly amount: number;
      readonly account: string;
      readonly reference?: string;
      readonly waitSeconds?: number;
      /** Ms after the beginning; absent: at once. */
      readonly executeAt?: number;
    }
  | {
      readonly do: 'transfer';
      readonly wallet: WalletName;
      readonly to: WalletName;
      /** Names the receiver in place of the wallet `to`; also below. */
      readonly alias?: string;
      readonly amount: number;
      readonly queued: boolean;
      readonly reference?: string;
      readonly waitSeconds?: number;
      /** Ms after the beginning; absent: at once. */
      readonly executeAt?: number;
    }
  | { readonly do: 'split'; readonly legs: readonly LegPlan[] }
  | { readonly do: 'freeze' | 'unfreeze' | 'close'; readonly wallet: WalletName }
  /** `version`: that of the limits that the operator expects to replace; absent: any. */
  | { readonly do: 'set-limits'; readonly wallet: WalletName; readonly limits: Limits; readonly version?: number }
  /** `expiresAt`: ms after the beginning. */
  | {
      readonly do: 'open-hold';
      readonly wallet: WalletName;
      readonly to?: WalletName;
      readonly alias?: string;
      readonly amount: number;
      readonly reference?: string;
      readonly expiresAt: number;
    }
  /** `amount` absent: all that is left. */
  | {
      readonly do: 'capture';
      readonly target: CommandName;
      readonly amount?: number;
      readonly isFinal: boolean;
      readonly reference?: string;
    }
  /** `amount` absent: all that is left. */
  | { readonly do: 'refund'; readonly target: CommandName; readonly amount?: number; readonly chargeback?: true }
  | { readonly do: 'resolve' | 'cancel' | 'release'; readonly target: CommandName }
  /** `target`: the command that was asked for. */
  | { readonly do: 'approve' | 'reject' | 'get-approval'; readonly target: CommandName }
  | { readonly do: 'get-wallet' | 'get-balance' | 'list-transactions'; readonly wallet: WalletName }
  /** Asks for the balance at a moment in the past. */
  | { readonly do: 'balance-at'; readonly wallet: WalletName; readonly agoMs: number }
  | { readonly do: 'get-transaction' | 'get-receipt'; readonly target: CommandName }
  | { readonly do: 'list-wallets' | 'health' | 'get-notification-preferences' | 'put-notification-preferences' }
  | { readonly do: 'list-approvals' }
  | { readonly do: 'create-batch'; readonly lines: readonly Line[] }
  /** `target`: the command that sent the batch. */
  | { readonly do: 'get-batch' | 'list-batch-items'; readonly target: CommandName }
  /** `firstAt`: ms after the beginning. */
  | {
      readonly do: 'open-standing-order';
      readonly wallet: WalletName;
      readonly to: WalletName;
      readonly alias?: string;
      readonly amount: number;
      readonly every: 'week' | 'month';
      readonly firstAt: number;
      readonly count?: number;
    }
  | { readonly do: 'cancel-standing-order' | 'get-standing-order'; readonly target: CommandName }
  | { readonly do: 'list-standing-orders'; readonly wallet: WalletName }
  /** Reports the bank's decision, or returns the money. Forged: a stranger reports a return with the withdrawn key. */
  | {
      readonly do: 'bank-notifications';
      readonly target: CommandName;
      readonly returned: boolean;
      readonly forged?: true;
    }
  | { readonly do: 'redrive' | 'sweep' };

export interface Step {
  /** The name of the step's tasks. */
  readonly id: string;
  /** Ms after the beginning, or for a later step after everything else is at rest. */
  readonly at: number;
  /** Whether the step is one of the days after that: the retries of webhooks take so long. */
  readonly isLater?: true;
  readonly principal: string;
  readonly operator: boolean;
  readonly key: string;
  /** The most repetitions, with the same key, after no answer or an answer that asks for a retry. */
  readonly retries: number;
  readonly action: Action;
}

/** The losses of a restore, and the recovery. Times in ms. */
export interface RecoveryPlan {
  /** Each item is restored to a time of its own, up to so much earlier or later. */
  readonly tornMs: number;
  /** Events of so long before the loss had not reached the archive; undefined: there is no archive. */
  readonly archiveLagMs: number | undefined;
  /** `torn`: some items of the entries table are lost, too. */
  readonly entries: 'kept' | 'torn' | 'lost';
  /** The call at which the first run of the recovery dies; undefined: it does not. */
  readonly diesAt: number | undefined;
}

export interface History {
  readonly seed: string;
  readonly steps: readonly Step[];
  readonly service: ServiceSettings;
  /** True if the database's answers name the time. Some stand-ins for DynamoDB do not. */
  readonly databaseNamesTime: boolean;
  readonly bank: Omit<BankSettings, 'down' | 'replacedAt'>;
  /** The times when the bank is down; ms after the beginning. */
  readonly bankDown: readonly { readonly from: number; readonly to: number }[];
  /** The time when the service switches to another bank, which has none of the payments; ms after the beginning. */
  readonly bankReplacedAt?: number;
  /** The replacement of both keys. Containers still have the old ones. */
  readonly rotation?: Rotation;
  /** The times when the table serves no caller: throttled, contended, or down; ms after the beginning. */
  readonly storms: readonly { readonly from: number; readonly to: number }[];
  /** Share of withdrawals whose decision the bank reports unasked. */
  readonly notified: number;
  /** Share of the sweeper's runs that happen although no work is overdue. */
  readonly idleSweeps: number;
  /** The time of the last fault, ms after the beginning; absent: the plan decides alone. */
  readonly calmAt?: number;
  /** True if the projector writes the stream to a table of entries, which takes time. */
  readonly hasBooks: boolean;
  /**
   * Puts the wallet table back to its state at `to`, and leaves the table of entries unchanged. No process runs for
   * `stoppedMs`, which is longer than the bank's window. Times in ms after the beginning.
   */
  readonly restore?: {
    readonly at: number;
    readonly to: number;
    readonly stoppedMs: number;
    /** The recovery of the books before anything starts again. */
    readonly recovery?: RecoveryPlan;
  };
  /** Absent: the service has no webhooks. */
  readonly webhooks?: WebhookPlan;
  /** Share of external calls that a random plan strikes. */
  readonly faultRate: number;
}

export function walletIdOfName({ principal, key, currency }: WalletName): string {
  return walletIdOf(principal, key, currency);
}

export function transactionIdOfName({ principal, key, leg }: CommandName): string {
  const id = transactionIdOf(principal, key);
  return leg === undefined ? id : legIdOf(id, leg);
}

export function batchIdOfName(name: CommandName): string {
  return batchIdOfTransaction(transactionIdOfName(name));
}

/** Returns the name of the transaction that a line makes: no caller has it. */
export function nameOfLine(batch: CommandName, { key }: Pick<Line, 'key'>): CommandName {
  return { principal: `batch ${batchIdOfName(batch)}`, key };
}

/** Returns the body of a file of lines. */
function textOfLines(lines: readonly Line[]): string {
  const requests = lines.map(({ key, wallet, amount, to, account, reference }) => {
    const unique = reference !== undefined && { externalReference: reference, uniqueReference: true };
    const common = { key, walletId: walletIdOfName(wallet), amount, ...unique };
    return to === undefined
      ? { ...common, type: 'withdrawal', destination: { account } }
      : { ...common, type: 'transfer', toWalletId: walletIdOfName(to) };
  });
  return requests.map((line) => JSON.stringify(line)).join('\n');
}

/** Returns the request of a step, or undefined for a step that uses no route. */
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
  // The key is also part of the record, so that an auditor can match a transaction with its command.
  const externalReference = key;
  if (isOfWebhooks(action)) return webhookRequest(action, { as, key });
  switch (action.do) {
    case 'create-wallet': {
      const { currency, owner: ownerId } = action;
      return { route: action.do, request: { as, key, body: { currency, ...(ownerId !== undefined && { ownerId }) } } };
    }
    case 'charge':
      return {
        route: action.do,
        request: { as, key, path: onWallet(action.wallet), body: { amount: action.amount, ...referring(action, key) } },
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
          body: { amount: action.amount, destination, ...referring(action, key), ...later(action) },
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
          body: {
            amount: action.amount,
            ...receiverIn(action),
            ...referring(action, key),
            ...later(action),
          },
        },
      };
    case 'split': {
      const legs = action.legs.map(({ wallet, to, amount, ...leg }) => {
        return { fromWalletId: walletIdOfName(wallet), toWalletId: walletIdOfName(to), amount, ...referring(leg, key) };
      });
      return { route: action.do, request: { as, key, body: { legs } } };
    }
    case 'find-transactions':
      return { route: action.do, request: { as, query: { externalReference: action.reference } } };
    case 'change-wallet': {
      const { name, alias } = action;
      const body = { name, ...(alias !== undefined && { alias }) };
      return { route: action.do, request: { as, key, path: onWallet(action.wallet), body } };
    }
    case 'freeze':
    case 'unfreeze':
    case 'close':
      return { route: action.do, request: { as, key, path: onWallet(action.wallet) } };
    case 'set-limits': {
      const { limits, version } = action;
      const body = { limits, reason: 'the customer asked for it', ...(version !== undefined && { version }) };
      return { route: action.do, request: { as, key, path: onWallet(action.wallet), body } };
    }
    case 'resolve': {
      const body = { outcome: facts.resolution(), evidence: 'the bank says so' };
      return { route: action.do, request: { as, key, path: onTransaction(action.target), body } };
    }
    case 'open-hold': {
      const { amount } = action;
      const expiresAt = new Date(epoch + action.expiresAt).toISOString();
      const body = { amount, expiresAt, ...receiverIn(action), ...referring(action, key) };
      return { route: action.do, request: { as, key, path: onWallet(action.wallet), body } };
    }
    case 'capture': {
      const { amount, isFinal } = action;
      const body = {
        ...(amount !== undefined && { amount }),
        ...(isFinal && { final: true }),
        ...referring(action, key),
      };
      return { route: action.do, request: { as, key, path: onTransaction(action.target), body } };
    }
    case 'refund': {
      const { amount, chargeback } = action;
      const body = {
        ...{ reason: 'sorry', externalReference },
        ...(amount !== undefined && { amount }),
        ...(chargeback && { chargeback }),
      };
      return { route: action.do, request: { as, key, path: onTransaction(action.target), body } };
    }
    case 'cancel':
    case 'release':
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
    case 'approve':
    case 'reject': {
      const body = action.do === 'approve' ? {} : { reason: 'no' };
      return { route: action.do, request: { as, key, path: onApproval(action.target), body } };
    }
    case 'get-approval':
      return { route: action.do, request: { as, path: onApproval(action.target) } };
    case 'create-batch':
      return { route: action.do, request: { as, key, body: textOfLines(action.lines) } };
    case 'get-batch':
    case 'list-batch-items':
      return { route: action.do, request: { as, path: { batchId: batchIdOfName(action.target) } } };
    case 'open-standing-order': {
      const { amount, every, count } = action;
      const firstAt = new Date(epoch + action.firstAt).toISOString();
      const body = { amount, every, firstAt, ...(count !== undefined && { count }), ...receiverIn(action) };
      return { route: action.do, request: { as, key, path: onWallet(action.wallet), body } };
    }
    case 'cancel-standing-order':
      return { route: action.do, request: { as, key, path: onOrder(action.target), body: { reason: 'sorry' } } };
    case 'get-standing-order':
      return { route: action.do, request: { as, path: onOrder(action.target) } };
    case 'list-standing-orders':
      return { route: action.do, request: { as, path: onWallet(action.wallet) } };
    case 'list-wallets':
    case 'list-approvals':
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

/** Returns whether a step is a stranger's report of a return, signed with a withdrawn key. */
export function isForged({ action }: Pick<Step, 'action'>): boolean {
  return action.do === 'bank-notifications' && action.forged === true;
}

function onWallet(wallet: WalletName) {
  return { walletId: walletIdOfName(wallet) };
}

function onTransaction(target: CommandName) {
  return { transactionId: transactionIdOfName(target) };
}

function onApproval(target: CommandName) {
  return { approvalId: approvalIdOfTransaction(transactionIdOfName(target)) };
}

function onOrder(target: CommandName) {
  return { standingOrderId: standingOrderIdOf(transactionIdOfName(target)) };
}

/** Returns the receiver that a payment names, if any. */
function receiverIn({ to, alias }: { readonly to?: WalletName; readonly alias?: string }) {
  if (alias !== undefined) return { to: `@${alias}` };
  return to === undefined ? {} : { toWalletId: walletIdOfName(to) };
}

/** Returns the reference of a command: its key, or one that it has for itself alone. */
function referring({ reference }: { readonly reference?: string }, key: string) {
  return reference === undefined ? { externalReference: key } : { externalReference: reference, uniqueReference: true };
}

function later({ executeAt }: { readonly executeAt?: number }): { readonly executeAt?: string } {
  return executeAt === undefined ? {} : { executeAt: new Date(epoch + executeAt).toISOString() };
}

function prefer(queued: boolean, waitSeconds: number | undefined): Record<string, string> {
  const preferences = [
    ...(queued ? ['respond-async'] : []),
    ...(waitSeconds === undefined ? [] : [`wait=${waitSeconds}`]),
  ];
  return preferences.length === 0 ? {} : { Prefer: preferences.join(', ') };
}
