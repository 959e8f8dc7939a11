/** Checks of answers: each refusal must have a reason, and each success must show the true state. */
import { isDeepStrictEqual } from 'node:util';
import { stepAt, windowsOver } from '../../lambdas/domain/rate.ts';
import type { Request, Response } from '../request.ts';
import { heldVersions } from './books.ts';
import type { Books } from './books.ts';
import { stalenessMs } from './dynamodb.ts';
import { isForged, walletIdOfName, transactionIdOfName } from './history.ts';
import type { Action, History, Step } from './history.ts';
import type { SharedKeys } from './keys.ts';
import type { Item, Ledger, TransactionState, Violate, WalletState } from './ledger.ts';
import type { FaultKind } from './plan.ts';
import type { Queues } from './queues.ts';
import { transferQueue, withdrawalQueue } from './service.ts';
import type { RouteName, Service } from './service.ts';
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
  readonly queues: Queues;
  readonly asks: readonly Ask[];
  readonly keys: Pick<SharedKeys, 'hasFailed'>;
  readonly queuedBefore: Service['queuedBefore'];
  /** Returns every fault so far. */
  readonly struck: () => readonly { readonly call: string; readonly kind: FaultKind }[];
  readonly violate: Violate;
}

/** Returns the content of a request. Two requests with the same content ask for the same thing. */
export function contentOf({ route, request }: Pick<Ask, 'route' | 'request'>): string {
  return JSON.stringify([route, request.path, request.body]);
}

/** Checks one answer at the time when it is given. */
export function checkAnswer(asked: Ask, witness: Witness): void {
  const { response } = asked;
  if (response === undefined) return;
  // An eventually consistent read shows a state from some time before the request.
  const isStale = asked.task?.faults.includes('stale-read') ?? false;
  const ask = isStale ? { ...asked, from: witness.ledger.momentAt(asked.startedAt - stalenessMs) } : asked;
  const { violate } = witness;
  const code = ask.route === 'health' && response.status === 503 ? 'unavailable' : codeOf(response);
  const said = `${ask.label}: ${ask.route} answered ${inShort(response)}`;
  // A request with an accepted signature may still be refused for another reason.
  if (isForged(ask.step) && response.status < 500 && code !== 'unauthorized' && !witness.keys.hasFailed()) {
    violate('a withdrawn key is refused', said);
  }
  if (response.status < 300) {
    if (!maySee(ask, witness)) violate('no caller reaches the wallets of others', said);
    if (decidesOwn(ask, witness)) violate('no caller decides about its own', said);
    const wrong = wrongIn(ask, response, witness);
    if (wrong !== undefined) violate('answers are true', `${said}, but ${wrong}`);
    if (mustBeRefused(ask, witness)) violate('too much work is refused', said);
    const replayed = response.headers['Idempotency-Replayed'] !== undefined;
    if (replayed && ask.task !== undefined && witness.queues.hasSent(ask.task)) {
      violate('a replay sends no message', said);
    }
  } else if (code === undefined) {
    violate('refusals have a code', said);
  } else if (!isJust(code, ask, witness)) {
    violate(code === 'insufficient_funds' ? 'no false insufficient_funds' : 'refusals have a reason', said);
  }
}

/** Returns status and code. */
export function inShort(response: Response | undefined): string {
  return response === undefined ? 'no answer' : `${response.status} ${codeOf(response) ?? ''}`.trim();
}

export function codeOf({ body }: Response): string | undefined {
  const code = body?.['code'];
  return typeof code === 'string' ? code : undefined;
}

function depthsSince({ route }: Ask, { queues }: Witness, since: number) {
  return queues.depthsSince(route === 'withdraw' ? withdrawalQueue : transferQueue, since);
}

/** The age at which a request starts a new reading of the depth, ms. */
const depthIsFreshMs = 5_000;
/** The time within which a reading has ended, ms. */
const depthReadingMs = 3_000;

/** Returns whether the container may hold old keys, because a reading of them failed or the container stood still. */
function hasOldKeys({ task }: Ask, { keys }: Witness): boolean {
  return keys.hasFailed() || (task?.faults.length ?? 0) > 0;
}

/**
 * Returns whether the process had to refuse, because it knew of too deep a queue. It knows the depth at an earlier
 * request that it queued, or up to five seconds before that request.
 */
function mustBeRefused(ask: Ask, witness: Witness): boolean {
  const { action } = ask.step;
  const queued = action.do === 'withdraw' || (action.do === 'transfer' && action.queued);
  const queuedAt = ask.task === undefined ? [] : witness.queuedBefore(ask.task);
  const earlier = queuedAt.findLast((at) => at <= ask.startedAt - depthReadingMs);
  // A depth that cannot be read counts as zero.
  return (
    queued &&
    ask.response?.headers['Idempotency-Replayed'] === undefined &&
    earlier !== undefined &&
    depthsSince(ask, witness, earlier - depthIsFreshMs).least > witness.history.service.queueDepthLimit &&
    !witness.struck().some(({ call }) => call === 'sqs GetQueueAttributes')
  );
}

function isJust(code: string, ask: Ask, witness: Witness): boolean {
  const { step, route } = ask;
  const { action } = step;
  const { ledger, history } = witness;
  const [source, target] = walletsOf(action);
  const sources = source === undefined ? [] : walletLooks(ledger, source, ask);
  const targets = target === undefined ? [] : walletLooks(ledger, target, ask);
  const amount = 'amount' in action ? action.amount : 0;
  // A queued transfer looks at its receiver later.
  const touched = action.do === 'transfer' && !action.queued ? [...sources, ...targets] : sources;
  const credited = action.do === 'charge' ? sources : targets;
  switch (code) {
    case 'insufficient_funds':
      return sources.some((wallet) => wallet !== undefined && wallet.available < amount);
    case 'wallet_not_found':
      return (
        touched.includes(undefined) ||
        (action.do === 'balance-at' && sources.some((wallet) => String(wallet?.['createdAt']) > momentOf(ask))) ||
        (!step.operator && sources.some((wallet) => wallet?.ownerId !== step.principal))
      );
    // The moment may lie in the future of the service's clock. A lost key may have been used for another amount.
    case 'invalid_request':
      if (route === 'bank-notifications') return ledger.restored()?.lost.has(referenceOf(ask)) ?? false;
      return action.do === 'balance-at' && action.agoMs < history.service.clocksDifferMs;
    case 'ledger_behind':
      // A ledger that no longer fits its wallet stays behind.
      return (
        action.do === 'balance-at' &&
        ((witness.books?.wasBehind(ask.startedAt) ?? false) ||
          (ledger.restored()?.wallets.has(walletIdOfName(action.wallet)) ?? false))
      );
    case 'wallet_frozen':
    case 'wallet_closed':
      return sources.some((wallet) => wallet?.status === code.slice('wallet_'.length));
    case 'wallet_not_empty':
      return action.do === 'close' && sources.some((wallet) => wallet?.total !== 0);
    case 'receiver_unavailable':
      // A payer does not learn which of the three it is.
      return (
        action.do === 'transfer' &&
        credited.some(
          (wallet) =>
            wallet !== undefined && (wallet.status !== 'active' || wallet.total > Number.MAX_SAFE_INTEGER - amount),
        )
      );
    case 'balance_limit_exceeded':
      return credited.some((wallet) => wallet !== undefined && wallet.total > Number.MAX_SAFE_INTEGER - amount);
    case 'currency_mismatch':
      return action.do === 'transfer' && action.wallet.currency !== action.to.currency;
    case 'same_wallet':
      return source !== undefined && source === target;
    case 'forbidden':
      return !step.operator || decidesOwn(ask, witness);
    case 'idempotency_key_reused':
      return witness.asks.some(
        (other) =>
          other.step.key === step.key && other.step.principal === step.principal && contentOf(other) !== contentOf(ask),
      );
    case 'rate_limited':
      return !step.operator && (hasCommanded(ask, witness) || hasRead(ask, witness));
    case 'not_in_review':
      return transactionLooks(ledger, targetOf(action), ask).some((one) => one?.status !== 'review');
    case 'not_cancellable':
      return transactionLooks(ledger, targetOf(action), ask).some((one) => one !== undefined && !isCancellable(one));
    case 'unauthorized':
      // While the keys cannot be read, the service does not know the bank's new one yet. The bank repeats its report.
      return route === 'bank-notifications' && (isForged(step) || hasOldKeys(ask, witness));
    case 'transaction_not_found':
      if (route === 'bank-notifications') return ledger.restored()?.lost.has(referenceOf(ask)) ?? false;
      return !seesTransaction(ask, witness);
    case 'overloaded':
      // The depth may have been read some seconds earlier.
      return depthsSince(ask, witness, ask.startedAt - 2 * depthIsFreshMs).most > history.service.queueDepthLimit;
    // Without a fault, the service is neither busy nor broken.
    case 'busy':
    case 'unavailable':
      return (ask.task?.faults.length ?? 0) > 0;
    case 'internal_error':
      // A signature that cannot be checked is an error. The bank repeats its report.
      return route === 'bank-notifications' && (ask.task?.faults.length ?? 0) > 0;
    default:
      return false;
  }
}

/** Returns whether a window of the route's accepted commands was full. */
function hasCommanded({ step, route, startedAt, from, to }: Ask, { ledger, history }: Witness): boolean {
  const looks = ledger.looks(`RATE#${step.principal}#${route}`, 'RATE', from, to);
  const windows = windowsAround(startedAt, history);
  return looks.some((look) => windows.some((window) => Number(look?.[`w${window}`] ?? 0) >= history.service.perHour));
}

/** Returns the windows that cover a time. The service's clocks may be in another step. */
function windowsAround(time: number, { service: { clocksDifferMs } }: History): number[] {
  return [-clocksDifferMs, clocksDifferMs].flatMap((ms) => windowsOver(stepAt(time + ms)));
}

/** Returns whether the caller had used up its limit of requests that move no money, within one window. */
function hasRead({ step, startedAt }: Ask, { asks, history }: Witness): boolean {
  const earliest = (Math.min(...windowsAround(startedAt, history)) - 1) * 20 * 60_000;
  const lately = asks.filter((one) => one.step.principal === step.principal && one.startedAt >= earliest);
  return lately.length > history.service.readsPerHour;
}

/** Returns the fault of a successful answer, if any. */
function wrongIn(ask: Ask, { status, body }: Response, { ledger }: Witness): string | undefined {
  const { step, route } = ask;
  const { action } = step;
  if (body === undefined) return 'it is empty';
  switch (action.do) {
    case 'charge':
    case 'withdraw':
    case 'transfer': {
      const look = transactionLooks(ledger, step, ask).find((one) => shows(body, one, ask, ledger));
      if (look === undefined) return 'no transaction looked like that';
      if (look.type !== 'withdrawal' && look.queued === undefined) return status === 201 ? undefined : 'it is over';
      const ended = !['pending', 'executing'].includes(look.status);
      return status === 202 || (status === 200 && ended) ? undefined : `it is ${look.status}`;
    }
    case 'cancel':
      if ((body['failure'] as Item | undefined)?.['code'] !== 'cancelled') return 'it is not cancelled';
      return transactionLooks(ledger, action.target, ask).some((look) => shows(body, look, ask, ledger))
        ? undefined
        : 'no transaction looked like that';
    case 'resolve':
    case 'get-transaction':
    case 'get-receipt':
      return transactionLooks(ledger, action.target, ask).some((look) => shows(body, look, ask, ledger))
        ? undefined
        : 'no transaction looked like that';
    case 'balance-at':
      if (ledger.restored()?.wallets.has(walletIdOfName(action.wallet))) return undefined;
      return showsWallet(body, heldVersions(ledger, walletIdOfName(action.wallet), String(body['at']), ask));
    case 'get-balance':
      return showsWallet(body, walletLooks(ledger, walletIdOfName(action.wallet), ask));
    case 'freeze':
    case 'unfreeze':
    case 'close':
    case 'get-wallet':
      return showsWallet(body['balance'] as Item, walletLooks(ledger, walletIdOfName(action.wallet), ask));
    case 'create-wallet':
      return walletLooks(ledger, String(body['walletId']), ask).some((wallet) => wallet?.ownerId === body['ownerId'])
        ? undefined
        : 'there is no such wallet';
    case 'list-transactions': {
      const walletId = walletIdOfName(action.wallet);
      const items = body['items'] as Item[];
      const strange = items.find((item) => item['walletId'] !== walletId && item['counterpartyWalletId'] !== walletId);
      return strange === undefined ? undefined : `${String(strange['transactionId'])} is not of this wallet`;
    }
    case 'list-wallets': {
      const strange = (body['items'] as Item[]).find((item) => item['ownerId'] !== step.principal);
      return strange === undefined ? undefined : `${String(strange['walletId'])} is not the caller's`;
    }
    case 'health':
    case 'get-notification-preferences':
    case 'put-notification-preferences':
    case 'bank-notifications':
    case 'redrive':
    case 'sweep':
      return status === 200 ? undefined : `${route} has no such answer`;
  }
}

/** Returns whether the caller has the right to the successful request. */
function maySee(ask: Ask, witness: Witness): boolean {
  const { step, route } = ask;
  const { action } = step;
  if (step.operator || route === 'bank-notifications' || route === 'health') return true;
  if (['charge', 'freeze', 'unfreeze', 'close', 'resolve'].includes(route)) return false;
  if (action.do === 'create-wallet') return (action.owner ?? step.principal) === step.principal;
  if (action.do === 'get-transaction' || action.do === 'get-receipt' || action.do === 'cancel') {
    return seesTransaction(ask, witness);
  }
  const [source] = walletsOf(action);
  if (source === undefined) return true;
  return walletLooks(witness.ledger, source, ask).some((wallet) => wallet?.ownerId === step.principal);
}

/** Returns whether the caller unfreezes its own wallet, or resolves its own withdrawal. */
function decidesOwn(ask: Ask, { ledger }: Witness): boolean {
  const { action, principal } = ask.step;
  const owns = (walletId: string) => walletLooks(ledger, walletId, ask).some((wallet) => wallet?.ownerId === principal);
  if (action.do === 'unfreeze') return owns(walletIdOfName(action.wallet));
  if (action.do !== 'resolve') return false;
  const withdrawal = transactionLooks(ledger, action.target, ask).at(-1);
  return action.target.principal === principal || (withdrawal !== undefined && owns(withdrawal.walletId));
}

/** Returns whether the transaction existed all the time, and moves money of the caller. */
function seesTransaction(ask: Ask, { ledger }: Witness): boolean {
  const looks = transactionLooks(ledger, targetOf(ask.step.action), ask);
  const transaction = looks.at(-1);
  if (transaction === undefined) return false;
  // It may have been written after the read.
  if (ask.response?.status === 404 && looks.includes(undefined)) return false;
  if (ask.step.operator) return true;
  return [transaction.walletId, transaction.counterpartyWalletId ?? ''].some((walletId) =>
    walletLooks(ledger, walletId, ask).some((wallet) => wallet?.ownerId === ask.step.principal),
  );
}

/** Returns whether no payment is or ever was with the bank. */
function isCancellable({ type, status, submitBy, attempts }: TransactionState): boolean {
  const open = status === 'pending' || status === 'executing';
  return type === 'withdrawal' && open && submitBy === undefined && attempts === undefined;
}

function shows(body: Item, look: TransactionState | undefined, ask: Ask, ledger: Ledger): boolean {
  return (
    look !== undefined &&
    ['transactionId', 'type', 'status', 'amount', 'currency', 'walletId', 'counterpartyWalletId'].every((field) =>
      isDeepStrictEqual(body[field], look[field]),
    ) &&
    isDeepStrictEqual(body['postings'], postingsFor(look, ask, ledger))
  );
}

/** Returns the postings that the caller may see: the receiver of a transfer sees only those of its own wallet. */
function postingsFor(look: TransactionState, ask: Ask, ledger: Ledger): TransactionState['postings'] {
  const { operator, principal } = ask.step;
  const isSender = walletLooks(ledger, look.walletId, ask).some((wallet) => wallet?.ownerId === principal);
  if (operator || isSender) return look.postings;
  return look.postings.filter(({ account }) => account === `wallet:${look.counterpartyWalletId}:available`);
}

function showsWallet(balance: Item, looks: readonly (WalletState | undefined)[]): string | undefined {
  const shown = looks.some(
    (look) =>
      look !== undefined &&
      // As a reader of JSON gets them: rounded beyond 2^53-1.
      ['available', 'held', 'total', 'version'].every((figure) => balance[figure] === Number(look[figure])),
  );
  return shown ? undefined : `the wallet never had ${JSON.stringify(balance)}`;
}

/** Returns the reference of the payment in a notification of the bank. */
function referenceOf({ request }: Ask): string {
  return String((JSON.parse(String(request.body)) as Item)['reference']);
}

/** Returns the moment of the requested balance, ISO 8601. */
function momentOf({ request }: Ask): string {
  return request.query?.['at'] ?? '';
}

function walletsOf(action: Action): [source?: string, target?: string] {
  if (!('wallet' in action)) return [];
  const source = walletIdOfName(action.wallet);
  return action.do === 'transfer' ? [source, walletIdOfName(action.to)] : [source];
}

function targetOf(action: Action) {
  return 'target' in action ? action.target : { principal: '', key: '' };
}

function walletLooks(ledger: Ledger, walletId: string, { from, to }: Ask): (WalletState | undefined)[] {
  return ledger.looks(`WALLET#${walletId}`, 'WALLET', from, to) as (WalletState | undefined)[];
}

function transactionLooks(
  ledger: Ledger,
  name: { principal: string; key: string },
  { from, to }: Ask,
): (TransactionState | undefined)[] {
  const looks = ledger.looks(`TX#${transactionIdOfName(name)}`, 'TX', from, to);
  return looks.map((look) => (look?.['type'] === 'operation' ? undefined : (look as TransactionState | undefined)));
}
