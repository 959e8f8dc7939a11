/** Requests with their answers, and what the ledger shows of the wallets and transactions that they name. */
import type { Request, Response } from '../request.ts';
import { approvalLooks } from './approvals.ts';
import type { Books } from './books.ts';
import { walletIdOfName, transactionIdOfName } from './history.ts';
import type { Action, CommandName, History, Step } from './history.ts';
import type { SharedKeys } from './keys.ts';
import type { TransactionState, Violate, WalletState } from './items.ts';
import type { Ledger } from './ledger.ts';
import type { FaultKind } from './plan.ts';
import type { Queues } from './queues.ts';
import type { RouteName } from './release.ts';
import type { Service } from './service.ts';
import type { Webhooks } from './webhooks.ts';
import type { Task } from './world.ts';

/** A request and its answer. Moments are the ledger's. */
export interface Ask {
  readonly label: string;
  readonly step: Step;
  readonly route: RouteName;
  readonly request: Request;
  readonly from: number;
  readonly startedAt: number;
  to: number;
  /** Undefined: no answer reached the caller. */
  response?: Response;
  task?: Task;
}

export interface Witness {
  readonly history: History;
  readonly ledger: Ledger;
  readonly books: Books | undefined;
  readonly webhooks: Webhooks | undefined;
  readonly queues: Queues;
  readonly asks: readonly Ask[];
  readonly keys: Pick<SharedKeys, 'hasFailed'>;
  readonly queuedBefore: Service['queuedBefore'];
  /** Returns every fault so far. */
  readonly struck: () => readonly { readonly call: string; readonly kind: FaultKind }[];
  readonly violate: Violate;
  /** Returns the true time, epoch ms. */
  readonly now: () => number;
  /** Returns whether a task met an item of a newer version than its release reads. */
  readonly isPuzzled: (task: Task | undefined) => boolean;
}

/** Returns the content of a request. Two requests with the same content ask for the same thing. */
export function contentOf({ route, request }: Pick<Ask, 'route' | 'request'>): string {
  return JSON.stringify([route, request.path, request.body]);
}

export function codeOf({ body }: Response): string | undefined {
  const code = body?.['code'];
  return typeof code === 'string' ? code : undefined;
}

/** Returns whether the caller unfreezes its own wallet, resolves its own withdrawal, or approves what it asked for. */
export function decidesOwn(ask: Ask, { ledger }: Witness): boolean {
  const { action, principal } = ask.step;
  const owns = (walletId: string) => walletLooks(ledger, walletId, ask).some((wallet) => wallet?.ownerId === principal);
  // Asking decides nothing.
  if (ask.response?.status === 202) return false;
  if (action.do === 'approve') {
    const approval = approvalLooks(ledger, action.target, ask).at(-1);
    return action.target.principal === principal || (approval?.walletIds.some(owns) ?? false);
  }
  if (action.do === 'unfreeze' || action.do === 'set-limits') return owns(walletIdOfName(action.wallet));
  if (action.do !== 'resolve') return false;
  const withdrawal = transactionLooks(ledger, action.target, ask).at(-1);
  return action.target.principal === principal || (withdrawal !== undefined && owns(withdrawal.walletId));
}

/** Returns whether the transaction existed all the time, and moves money of the caller. */
export function seesTransaction(ask: Ask, { ledger }: Witness): boolean {
  const looks = transactionLooks(ledger, targetOf(ask.step.action), ask);
  const transaction = looks.at(-1);
  if (transaction === undefined) return false;
  // It may have been written after the read.
  if (ask.response?.status === 404 && looks.includes(undefined)) return false;
  if (ask.step.operator) return true;
  // The receiver of a scheduled transfer does not see it before it is executed.
  const isHidden = (look: TransactionState | undefined) =>
    look?.executeAt !== undefined && look.executedAt === undefined;
  const receiver = (ask.response?.status === 404 ? looks.some(isHidden) : looks.every(isHidden))
    ? ''
    : (transaction.counterpartyWalletId ?? '');
  return [transaction.walletId, receiver].some((walletId) =>
    walletLooks(ledger, walletId, ask).some((wallet) => wallet?.ownerId === ask.step.principal),
  );
}

/** Returns whether the caller owns the wallet that gets the money of a transfer, hold or capture. */
export function receivesMoney(ask: Ask, { ledger }: Pick<Witness, 'ledger'>): boolean {
  const { counterpartyWalletId = '' } = transactionLooks(ledger, targetOf(ask.step.action), ask).at(-1) ?? {};
  return walletLooks(ledger, counterpartyWalletId, ask).some((wallet) => wallet?.ownerId === ask.step.principal);
}

/** A transaction that a caller wants to refund. */
export interface RefundLook {
  readonly type: string;
  /** The wallet that received the money; undefined when the transaction cannot be refunded. */
  readonly giver: string | undefined;
  readonly receiver: string | undefined;
  readonly left: number;
}

/** Returns the states of a transaction that is to be refunded. */
export function refundLooks(ask: Ask, { ledger }: Pick<Witness, 'ledger'>, original: CommandName): RefundLook[] {
  return transactionLooks(ledger, original, ask).flatMap((look): RefundLook[] => {
    if (look === undefined) return [];
    const { type, status, walletId, counterpartyWalletId, amount, refunded = 0 } = look;
    const isPaid = ['transfer', 'capture'].includes(type) && status === 'completed';
    const giver = type === 'charge' ? walletId : isPaid ? counterpartyWalletId : undefined;
    return [{ type, giver, receiver: type === 'charge' ? undefined : walletId, left: amount - refunded }];
  });
}

export function walletsOf(action: Action): [source?: string, target?: string] {
  if (!('wallet' in action)) return [];
  const source = walletIdOfName(action.wallet);
  return action.do === 'transfer' ? [source, walletIdOfName(action.to)] : [source];
}

export function targetOf(action: Action) {
  return 'target' in action ? action.target : { principal: '', key: '' };
}

export function walletLooks(ledger: Ledger, walletId: string, { from, to }: Ask): (WalletState | undefined)[] {
  return ledger.looks(`WALLET#${walletId}`, 'WALLET', from, to) as (WalletState | undefined)[];
}

export function transactionLooks(
  ledger: Ledger,
  name: CommandName,
  { from, to }: Ask,
): (TransactionState | undefined)[] {
  const looks = ledger.looks(`TX#${transactionIdOfName(name)}`, 'TX', from, to);
  return looks.map((look) => (look?.['type'] === 'operation' ? undefined : (look as TransactionState | undefined)));
}
