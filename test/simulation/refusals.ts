/** Whether a refusal has a reason, and whether a request had to be refused. */
import { stepAt, windowsOver } from '../../lambdas/domain/rate.ts';
import { caps } from '../../lambdas/domain/wallet.ts';
import { epoch } from '../engine.ts';
import { approvalLooks } from './approvals.ts';
import type { ApprovalState } from './approvals.ts';
import { batchLooks, isBadLine } from './batches.ts';
import { isForged, transactionIdOfName, walletIdOfName } from './history.ts';
import type { CommandName, History } from './history.ts';
import type { Item, TransactionState, WalletState } from './items.ts';
import { feesAround, isPaidByReceiver } from './fees.ts';
import { exceededBy, versionOf } from './limits.ts';
import { orderLooks, seesOrder } from './orders.ts';
import { transferQueue, withdrawalQueue } from './release.ts';
import {
  contentOf,
  decidesOwn,
  refundLooks,
  seesTransaction,
  targetOf,
  transactionLooks,
  walletLooks,
  walletsOf,
} from './asks.ts';
import type { Ask, Witness } from './asks.ts';
import { isJustByAlias, paidByAlias } from './aliases.ts';
import { isTaken } from './references.ts';
import { isJustForSplit, isTorn } from './splits.ts';

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
export function mustBeRefused(ask: Ask, witness: Witness): boolean {
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

/** Returns whether the state of that time justifies the refusal. */
export function isJust(code: string, ask: Ask, witness: Witness): boolean {
  const { step, route } = ask;
  const { action } = step;
  const { ledger, history } = witness;
  const { clocksDifferMs } = history.service;
  const ofSplit = isJustForSplit(code, ask, witness, daysAround(ask, history));
  if (ofSplit !== undefined) return ofSplit;
  const ofAlias = isJustByAlias(code, ask, witness);
  if (ofAlias !== undefined) return ofAlias;
  const holds = action.do === 'capture' || action.do === 'release' ? transactionLooks(ledger, action.target, ask) : [];
  const hold = holds.at(-1);
  const isDecision = action.do === 'approve' || action.do === 'reject';
  const approvals = isDecision || action.do === 'get-approval' ? approvalLooks(ledger, action.target, ask) : [];
  const approval = approvals.at(-1);
  const about = approval === undefined ? targetOf(action) : nameOf(approval, history);
  const isRefund = action.do === 'refund' || approval?.command === 'refund';
  const originals = isRefund ? refundLooks(ask, witness, about) : [];
  const [source, target] =
    action.do === 'capture'
      ? [hold?.walletId, hold?.counterpartyWalletId]
      : action.do === 'refund'
        ? [originals.at(-1)?.giver, originals.at(-1)?.receiver]
        : (approval?.walletIds ?? walletsOf(action));
  const sources = source === undefined ? [] : walletLooks(ledger, source, ask);
  const byAlias = paidByAlias(ask, ledger);
  const receivers = byAlias ?? (target === undefined ? [] : [target]);
  const targets = receivers.flatMap((walletId) => walletLooks(ledger, walletId, ask));
  const amount =
    ('amount' in action ? action.amount : (hold?.amount ?? approval?.amount)) ??
    Math.max(0, ...originals.map(({ left }) => left));
  // A queued transfer looks at its receiver later, and a hold when it is captured.
  const isLater = 'executeAt' in action;
  const isDirect = action.do === 'transfer' && !action.queued && !isLater;
  const looksAtBoth = action.do === 'capture' || isRefund || isDirect;
  // Nobody learns that an alias has no wallet.
  const touched = looksAtBoth && byAlias === undefined ? [...sources, ...targets] : sources;
  const isToAlias = byAlias !== undefined || hold?.to !== undefined;
  const credited = action.do === 'charge' || approval?.command === 'charge' ? sources : targets;
  // A capture without an amount takes what is left when it is written.
  const isRest = action.do === 'capture' && action.amount === undefined;
  const asked = isRest ? holds.map((one) => Number(one?.amount) - Number(one?.captured)) : [amount];
  const priced = asked.filter(Number.isInteger).flatMap((each) => {
    const about = { type: typeOf(ask, approval), amount: each, currency: currencyOf(ask, hold, approval) };
    const isOutside = action.do === 'capture' && target === undefined;
    const fees = isOutside ? [0] : feesAround(history.service.fees, ask.startedAt, about);
    return fees.map((fee) => ({ amount: each, fee, isOnTop: !isPaidByReceiver(about.type) }));
  });
  const movedIn = {
    out: priced.map(({ amount: each, fee, isOnTop }) => (isOnTop ? each + fee : each)),
    in: priced.map(({ amount: each, fee, isOnTop }) => (isOnTop ? each : each - fee)),
  };
  const exceeded = (looks: typeof sources, direction: 'out' | 'in') =>
    looks.flatMap((wallet) =>
      daysAround(ask, history).flatMap((day) =>
        movedIn[direction].flatMap((largest) =>
          wallet === undefined ? [] : exceededBy(wallet, direction, { amount: BigInt(largest), largest }, day),
        ),
      ),
    );
  switch (code) {
    case 'insufficient_funds':
      return (
        !isLater && sources.some((wallet) => movedIn.out.some((sum) => wallet !== undefined && wallet.available < sum))
      );
    case 'fee_exceeds_amount':
      return priced.some(({ amount: each, fee, isOnTop }) => !isOnTop && fee >= each);
    case 'wallet_not_found':
      return (
        touched.includes(undefined) ||
        (action.do === 'balance-at' && sources.some((wallet) => String(wallet?.['createdAt']) > momentOf(ask))) ||
        (!step.operator && !('target' in action) && sources.some((wallet) => wallet?.ownerId !== step.principal))
      );
    // The moment may lie in the future of the service's clock. A lost key may have been used for another amount.
    case 'invalid_request':
      if (route === 'bank-notifications') return ledger.restored()?.lost.has(referenceOf(ask)) ?? false;
      if (action.do === 'create-batch') return action.lines.some(isBadLine);
      if (isLater) return epoch + action.executeAt < ask.startedAt + 60_000 + clocksDifferMs;
      if (action.do === 'open-standing-order') {
        return epoch + action.firstAt < ask.startedAt + 3_600_000 + clocksDifferMs;
      }
      if (action.do === 'open-hold') return epoch + action.expiresAt < ask.startedAt + 60_000 + clocksDifferMs;
      return action.do === 'balance-at' && action.agoMs < clocksDifferMs;
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
      return action.do === 'close' && sources.some(hasOpen);
    case 'receiver_unavailable':
      // A payer does not learn which of these it is. Refunds are not limited.
      return (
        looksAtBoth &&
        ((!isRefund && exceeded(credited, 'in').length > 0) ||
          (isToAlias && credited.includes(undefined)) ||
          credited.some(
            (wallet) =>
              wallet !== undefined && (wallet.status !== 'active' || wallet.total > Number.MAX_SAFE_INTEGER - amount),
          ))
      );
    case 'limit_exceeded': {
      if (isLater) return false;
      const { limit, left } = ask.response?.body ?? {};
      // The payer of a transfer does not learn of the receiver's limits, and the receiver of a capture does of its own.
      const isIn = ['charge', 'capture', 'approve'].includes(action.do);
      const found = isIn ? exceeded(credited, 'in') : exceeded(sources, 'out');
      return found.some((one) => one.limit === limit && (one.left < 0n ? 0n : one.left) === BigInt(Number(left)));
    }
    case 'too_many_scheduled':
      return (
        (isLater || action.do === 'open-standing-order') &&
        sources.some((wallet) => (wallet?.scheduled ?? 0) >= (history.service.caps ?? caps).scheduled)
      );
    case 'too_many_standing_orders':
      return sources.some((wallet) => (wallet?.orders ?? 0) >= (history.service.caps ?? caps).orders);
    case 'reference_taken':
      return isTaken(ask, witness);
    case 'limits_changed':
      if (approval?.command === 'set-limits') {
        return sources.some((wallet) => wallet && versionOf(wallet) !== approval['limitsVersion']);
      }
      return action.do === 'set-limits' && sources.some((wallet) => wallet && versionOf(wallet) !== action.version);
    case 'balance_limit_exceeded':
      return credited.some((wallet) => wallet !== undefined && wallet.total > Number.MAX_SAFE_INTEGER - amount);
    case 'currency_mismatch':
      return byAlias === undefined && 'to' in action && action.wallet.currency !== action.to.currency;
    case 'same_wallet':
      if (byAlias !== undefined) return byAlias.some((walletId) => walletId === source);
      return 'to' in action && walletIdOfName(action.to) === source;
    case 'hold_ended':
      return holds.some((one) => one?.status === 'ended');
    case 'hold_expired':
      return holds.some((one) => Date.parse(one?.expiresAt ?? '') <= ask.startedAt + clocksDifferMs);
    case 'exceeds_hold':
      return action.do === 'capture' && holds.some((one) => amount > Number(one?.amount) - Number(one?.captured));
    case 'not_a_hold':
      return holds.some((one) => one !== undefined && one.type !== 'hold');
    case 'not_refundable':
      return originals.some(
        ({ giver, type }) => giver === undefined || (action.do === 'refund' && action.chargeback && type !== 'charge'),
      );
    case 'exceeds_refundable':
      return originals.some(({ left }) => left === 0 || amount > left);
    case 'forbidden':
      return !step.operator || decidesOwn(ask, witness);
    case 'idempotency_key_reused':
      // A split whose legs a restore has forgotten is not booked again.
      if (action.do === 'split' && isTorn(ask, ledger)) return true;
      return witness.asks.some(
        (other) =>
          other.step.key === step.key && other.step.principal === step.principal && contentOf(other) !== contentOf(ask),
      );
    case 'rate_limited':
      return !step.operator && (hasCommanded(ask, witness) || hasRead(ask, witness));
    case 'batch_not_found':
      return (
        (action.do === 'get-batch' || action.do === 'list-batch-items') &&
        batchLooks(ledger, action.target, ask).includes(undefined)
      );
    case 'standing_order_not_found':
      return !seesOrder(ask, witness);
    case 'standing_order_ended':
      return orderLooks(ledger, targetOf(action), ask).some((one) => one?.status === 'ended');
    case 'approval_not_found':
      return approvals.includes(undefined);
    case 'approval_ended':
      return approvals.some((one) => one !== undefined && one.status !== 'asked');
    case 'approval_expired':
      return (
        // A restore has torn the request from its approval.
        (!isDecision && ledger.restored() !== undefined && approvalLooks(ledger, step, ask).includes(undefined)) ||
        approvals.some((one) => Date.parse(one?.expiresAt ?? '') <= ask.startedAt + clocksDifferMs) ||
        (approval?.command === 'unfreeze' && sources.some((wallet) => hasOtherStatus(wallet, approval))) ||
        (approval?.command === 'charge' && priced.some(({ fee }) => fee !== (approval['fee'] ?? 0)))
      );
    case 'not_in_review':
      return transactionLooks(ledger, about, ask).some((one) => one?.status !== 'review');
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
      return (ask.task?.faults.length ?? 0) > 0 || (action.do === 'set-limits' && areOther(sources));
    case 'unavailable':
      return (ask.task?.faults.length ?? 0) > 0;
    case 'internal_error':
      // A signature that cannot be checked is an error. The bank repeats its report.
      return witness.isPuzzled(ask.task) || (route === 'bank-notifications' && (ask.task?.faults.length ?? 0) > 0);
    default:
      return false;
  }
}

/** Returns the type of the transaction that a command would make. */
function typeOf({ step: { action } }: Ask, approval: ApprovalState | undefined): string {
  if (action.do === 'withdraw') return 'withdrawal';
  return action.do === 'approve' ? (approval?.command ?? '') : action.do;
}

/** Returns the currency of a command that may have a fee. */
function currencyOf(
  { step: { action } }: Ask,
  hold: TransactionState | undefined,
  approval: ApprovalState | undefined,
): string {
  if ('wallet' in action) return action.wallet.currency;
  return String(hold?.currency ?? approval?.['currency']);
}

/** Returns whether a wallet cannot be closed: it has money, or pays later. */
function hasOpen(wallet: WalletState | undefined): boolean {
  return wallet?.total !== 0 || wallet.held !== 0 || (wallet.scheduled ?? 0) !== 0;
}

/** Returns whether another change of a wallet's status is the latest one than at the request for its approval. */
function hasOtherStatus(wallet: Item | undefined, approval: ApprovalState): boolean {
  const { at } = (wallet?.['lastStatusChange'] ?? {}) as { at?: string };
  return at !== approval['statusChangedAt'];
}

/** Returns whether limits were set between the looks at a wallet. */
function areOther(looks: readonly (WalletState | undefined)[]): boolean {
  return new Set(looks.map((wallet) => wallet && versionOf(wallet))).size > 1;
}

/** Returns the name of the transaction that an approved resolution or refund is about. */
function nameOf({ path }: ApprovalState, { steps }: History): CommandName {
  return steps.find((step) => transactionIdOfName(step) === path['transactionId']) ?? { principal: '', key: '' };
}

/** Returns whether a window of the route's accepted commands was full. */
function hasCommanded({ step, route, startedAt, from, to }: Ask, { ledger, history }: Witness): boolean {
  const looks = ledger.looks(`RATE#${step.principal}#${route}`, 'RATE', from, to);
  const windows = windowsAround(startedAt, history);
  const counted = step.action.do === 'split' ? step.action.legs.length : 1;
  return looks.some((look) =>
    windows.some((window) => Number(look?.[`w${window}`] ?? 0) + counted > history.service.perHour),
  );
}

/** Returns the days of a time, by the clocks of the service. */
function daysAround({ startedAt }: Ask, { service: { clocksDifferMs } }: History): string[] {
  return [
    ...new Set([-clocksDifferMs, clocksDifferMs].map((ms) => new Date(startedAt + ms).toISOString().slice(0, 10))),
  ];
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

/** Returns whether no payment is or ever was with the bank, or its time has not come. */
function isCancellable({ type, status, submitBy, attempts }: TransactionState): boolean {
  if (status === 'scheduled') return true;
  const open = status === 'pending' || status === 'executing';
  return type === 'withdrawal' && open && submitBy === undefined && attempts === undefined;
}

/** Returns the reference of the payment in a notification of the bank. */
function referenceOf({ request }: Ask): string {
  return String((JSON.parse(String(request.body)) as Item)['reference']);
}

/** Returns the moment of the requested balance, ISO 8601. */
function momentOf({ request }: Ask): string {
  return request.query?.['at'] ?? '';
}
