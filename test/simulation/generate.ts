/** Random histories: a few callers and operators on a handful of wallets, in bursts, under one set of faults. */
import { defaultBreaker } from '../../lambdas/bank/breaker.ts';
import { between, chance, choose } from './chance.ts';
import type { Action, CommandName, History, Step, WalletName } from './history.ts';
import { notificationOverlapMs, withdrawnAt } from './keys.ts';
import type { Rotation } from './keys.ts';
import {
  balances,
  captureAmounts,
  frequencies,
  holdAmounts,
  holds,
  holdTimes,
  limits,
  refunds,
  splits,
} from './menu.ts';
import { atRandom } from './plan.ts';
import type { Plan } from './plan.ts';
import { randomLimits } from './random-limits.ts';
import { newRefund, originalOf } from './refund-steps.ts';
import { newSplit } from './split-steps.ts';
import { withApprovals } from './random-approvals.ts';
import { withFees } from './random-fees.ts';
import { withBatches } from './random-batches.ts';
import { withAliases } from './random-aliases.ts';
import { withScenes } from './random-scenes.ts';
import { withReferences } from './random-references.ts';
import { withSchedules } from './random-schedules.ts';
import { withWebhooks } from './random-webhooks.ts';
import { quickBreaker } from './service.ts';

const owners = ['alice', 'bob', 'carol'] as const;
const accounts = ['OK-1', 'OK-2', 'REJECT-1', 'LATE-1', 'LATE-REJECT-1'] as const;
const amounts = [1, 90, 100, 300, 700, 1_000] as const;
/** Windows after which "not found" is definite: before a lease ends, after it, and after a message is redelivered. */
const windows = [2_000, 31_000, 45_000, 120_000, 300_000] as const;
const fullBalance = Number.MAX_SAFE_INTEGER - 500;
/** Histories begin at noon. */
const untilMidnightMs = 12 * 3_600_000;

/**
 * Returns a random history.
 *
 * @param most the most steps besides those that open and fill the wallets
 */
export function generate(seed: string, most: number): History {
  const draw = (...names: (string | number)[]) => chance(seed, 'history', ...names);
  const pick = <T>(choices: readonly T[], ...names: (string | number)[]) => choose(choices, seed, 'pick', ...names);
  const within = (least: number, last: number, ...names: (string | number)[]) =>
    between(least, last, seed, 'within', ...names);

  const wallets = Array.from({ length: within(2, 4, 'wallets') }, (_, n): WalletName & { owner: string } => {
    const owner = pick(owners, 'owner', n);
    const principal = draw('opened by', n) < 0.3 ? 'operator' : owner;
    return { owner, principal, key: `wallet-${n}`, currency: draw('currency', n) < 0.96 ? 'EUR' : 'JPY' };
  });
  const hasBooks = draw('books') < 0.2;
  const steps: Step[] = wallets.flatMap(({ owner, ...wallet }, n) => {
    const { principal, key, currency } = wallet;
    const operator = principal === 'operator';
    const open: Action = { do: 'create-wallet', currency, ...(operator && { owner }) };
    // An empty wallet can be closed.
    const amount = draw('full', n) < 0.05 ? fullBalance : 1_000;
    const isEmpty = n > 0 && draw('empty', n) < 0.2;
    const opens: Step = {
      id: `w${n}`,
      at: within(0, 30, 'opens', n),
      principal,
      operator,
      key,
      retries: 3,
      action: open,
    };
    if (isEmpty) return [opens];
    return [
      opens,
      {
        id: `c${n}`,
        at: within(1_000, 3_000, 'fills', n),
        principal: 'operator',
        operator: true,
        key: `charge-${n}`,
        retries: 3,
        action: { do: 'charge', wallet, amount },
      },
    ];
  });

  // A history without some kinds of step has more of the others.
  const kinds = hasBooks ? ([...frequencies, ...balances] as const) : frequencies;
  const others = kinds.filter((kind) => kind === 'withdraw' || draw('menu', kind) < 0.6);
  const withHolds = draw('holds') < 0.4 ? [...others, ...holds] : others;
  const hasRefunds = draw('refunds') < 0.35;
  const withRefunds = hasRefunds ? [...withHolds, ...refunds] : withHolds;
  const withSplits = draw('splits') < 0.35 ? [...withRefunds, ...splits] : withRefunds;
  const hasLimits = draw('limits') < 0.35;
  const menu = hasLimits ? [...withSplits, ...limits] : withSplits;
  const length = within(Math.ceil(most / 3), most, 'length');
  const commands: Step[] = [];
  let burst = 4_000;
  // Windows begin at midnight.
  const midnight = hasLimits && draw('midnight') < 0.25 ? within(1, length, 'midnight') : undefined;
  for (let n = 0; n < length; n++) {
    if (n === midnight) burst = untilMidnightMs - within(0, 60, 'midnight');
    if (draw('new burst', n) < 0.35) burst += within(20, 90_000, 'burst', n);
    const at = burst + within(0, 25, 'at', n);
    commands.push(newStep(n, at, commands));
  }
  steps.push(...commands);
  if (hasLimits) steps.push(...wallets.flatMap(firstLimits));

  /** Limits most wallets from the beginning. */
  function firstLimits(wallet: WalletName, n: number): Step[] {
    if (draw('limited', n) < 0.3) return [];
    const action: Action = { do: 'set-limits', wallet: nameOf(wallet), limits: randomLimits(seed, 'first', n) };
    const at = within(3_100, 3_900, 'limited', n);
    return [{ id: `l${n}`, at, principal: 'operator', operator: true, key: `limits-${n}`, retries: 3, action }];
  }

  function newStep(n: number, at: number, earlier: readonly Step[]): Step {
    const repeated = earlier.length > 0 && draw('again', n) < 0.25 ? pick(earlier, 'again', n) : undefined;
    const key = repeated?.key ?? `key-${n}`;
    const retries = pick([0, 1, 4], 'retries', n);
    if (repeated !== undefined && draw('same', n) < 0.7) return { ...repeated, id: `s${n}`, at, retries };
    const wallet = pick(wallets, 'wallet', n);
    const operator = draw('operator', n) < 0.15;
    const stranger = draw('stranger', n) < 0.08;
    const principal = operator ? 'operator' : stranger ? pick(owners, 'stranger', n) : wallet.owner;
    const action = newAction(n, at, nameOf(wallet), earlier);
    const byOperator = operatorsOnly.has(action.do) && draw('forbidden', n) < 0.95;
    const reader = 'target' in action && draw('reader', n) < 0.7 ? action.target.principal : principal;
    const receiver = draw('receiver', n) < 0.8 ? receiverOf(action, earlier) : undefined;
    const sender = repeated?.principal ?? (byOperator ? 'operator' : (receiver ?? reader));
    return {
      id: `s${n}`,
      at: timeOf(n, at, action, earlier),
      principal: sender,
      operator: sender === 'operator',
      key,
      retries,
      action,
    };
  }

  /** Returns the hold that a step captures or releases, and undefined for other steps. */
  function holdOf(action: Action, earlier: readonly Step[]) {
    if (action.do !== 'capture' && action.do !== 'release') return undefined;
    const { principal, key } = action.target;
    const opened = earlier.find((step) => step.principal === principal && step.key === key);
    return opened?.action.do === 'open-hold' ? { at: opened.at, ...opened.action } : undefined;
  }

  /**
   * Returns the caller that may capture a hold or refund: the owner of the wallet that gets, or got, the money. It is an
   * operator where there is none.
   */
  function receiverOf(action: Action, earlier: readonly Step[]): string | undefined {
    const original = originalOf(action, [...steps, ...earlier])?.action;
    if (original?.do === 'charge') return 'operator';
    if (original?.do === 'split' && action.do === 'refund') {
      const to = original.legs[action.target.leg ?? 0]?.to;
      return wallets.find(({ key }) => key === to?.key)?.owner;
    }
    if (original?.do === 'transfer') return wallets.find(({ key }) => key === original.to.key)?.owner;
    if (original !== undefined) return receiverOf(original, earlier);
    const hold = holdOf(action, earlier);
    if (hold === undefined) return undefined;
    return hold.to === undefined ? 'operator' : wallets.find(({ key }) => key === hold.to?.key)?.owner;
  }

  function timeOf(n: number, at: number, action: Action, earlier: readonly Step[]): number {
    // A payment cannot be returned before the bank has paid it.
    if (action.do === 'bank-notifications') return at + within(500, 90_000, 'later', n);
    const original = originalOf(action, [...steps, ...earlier]);
    if (original !== undefined) return Math.max(at, original.at + within(0, 5_000, 'soon', n));
    const hold = holdOf(action, earlier);
    if (hold !== undefined) {
      // Soon after another command on it, or around the expiry.
      const soon = hold.at + within(20, 5_000, 'soon', n);
      const late = hold.expiresAt + within(-3_000, 1_000, 'soon', n);
      return pick([Math.max(soon, at), soon, soon, late], 'when', n);
    }
    const withdrawal = earlier.findLast(action.do === 'freeze' ? holdsMoney : isWithdraw);
    if (withdrawal === undefined || (action.do !== 'cancel' && action.do !== 'freeze')) return at;
    // Around the claim, so that either may be the first.
    return draw('soon', n) < 0.7 ? withdrawal.at + within(10, pick([60, 60, 5_000], 'soon', n), 'soon', n) : at;
  }

  function newAction(n: number, at: number, wallet: WalletName, earlier: readonly Step[]): Action {
    const amount = pick(amounts, 'amount', n);
    const others = wallets.filter(({ key }) => key !== wallet.key || draw('same wallet', n) < 0.1);
    const to = nameOf(pick(others, 'to', n));
    const waitSeconds = draw('waits', n) < 0.15 ? { waitSeconds: within(1, 4, 'wait', n) } : {};
    const moved = earlier.filter(({ action: { do: kind } }) => ['withdraw', 'transfer', 'split'].includes(kind));
    const target = moved.length === 0 ? wallet : transactionIn(pick(moved, 'target', n));
    const paid = moved.findLast(({ action: { do: kind } }) => kind === 'withdraw') ?? target;
    const opened = earlier.filter(({ action: { do: kind } }) => kind === 'open-hold');
    const latest = draw('latest', n) < 0.7 ? opened.at(-1) : undefined;
    const some = latest ?? (opened.length === 0 ? target : pick(opened, 'hold', n));
    const hold = commandOf(draw('no hold', n) < 0.05 ? target : some);
    const wanted = pick(menu, 'action', n);
    const needsHold = wanted === 'capture' || wanted === 'release';
    const kind = needsHold && opened.length === 0 && draw('no hold', n) < 0.95 ? 'open-hold' : wanted;
    switch (kind) {
      case 'open-hold': {
        const expiresAt = at + pick(holdTimes, 'expires', n);
        return {
          do: kind,
          wallet,
          amount: pick(holdAmounts, 'amount', n),
          expiresAt,
          ...(draw('no receiver', n) < 0.85 && { to }),
        };
      }
      case 'capture': {
        const part = pick(captureAmounts, 'part', n);
        return { do: kind, target: hold, isFinal: draw('final', n) < 0.3, ...(part > 0 && { amount: part }) };
      }
      case 'release':
        return { do: kind, target: hold };
      case 'refund':
        return newRefund(steps, earlier, target, seed, n);
      case 'charge':
        return { do: kind, wallet, amount: draw('huge', n) < 0.05 ? fullBalance : amount };
      case 'withdraw':
        return { do: kind, wallet, amount, account: pick(accounts, 'account', n), ...waitSeconds };
      case 'transfer':
        return { do: kind, wallet, to, amount, queued: false };
      case 'queued':
        return { do: 'transfer', wallet, to, amount, queued: true, ...waitSeconds };
      case 'split':
        return newSplit(wallets, wallet, seed, n);
      case 'freeze': {
        const payment = earlier.findLast(({ action }) => action.do === 'transfer')?.action;
        // A refund of it cannot arrive then.
        if (payment?.do === 'transfer' && hasRefunds && draw('payer', n) < 0.5) {
          return { do: kind, wallet: payment.wallet };
        }
        const last = earlier.findLast(holdsMoney)?.action;
        if (last?.do === 'open-hold' && last.to !== undefined && draw('to', n) < 0.4) {
          return { do: kind, wallet: last.to };
        }
        return {
          do: kind,
          wallet: last !== undefined && 'wallet' in last && draw('last', n) < 0.5 ? last.wallet : wallet,
        };
      }
      case 'set-limits': {
        const version = draw('version', n) < 0.3 ? { version: within(0, 2, 'version', n) } : {};
        return { do: kind, wallet, limits: randomLimits(seed, n), ...version };
      }
      case 'unfreeze':
      case 'close':
      case 'get-wallet':
      case 'get-balance':
      case 'list-transactions':
        return { do: kind, wallet };
      case 'balance-at': {
        // Soon after a change, which the ledger may not show yet.
        const agoMs = draw('ago', n) < 0.7 ? within(0, 500, 'ago', n) : within(0, 200_000, 'ago', n);
        return { do: kind, wallet, agoMs };
      }
      case 'cancel':
        return { do: kind, target: commandOf(paid) };
      case 'resolve':
      case 'get-transaction':
      case 'get-receipt':
        return { do: kind, target: commandOf(target) };
      case 'returned':
        return { do: 'bank-notifications', target: commandOf(paid), returned: true };
      case 'create-wallet':
        return { do: kind, currency: 'EUR' };
      case 'list-wallets':
      case 'health':
      case 'redrive':
      case 'sweep':
        return { do: kind };
    }
  }

  const bankWindowMs = pick(windows, 'window');
  const restore = hasBooks && draw('restore') < 0.5 ? newRestore() : undefined;
  if (restore !== undefined) steps.push(...afterRestore(restore.at + restore.stoppedMs));

  function newRestore(): NonNullable<History['restore']> {
    const at = within(4_500, burst + 10_000, 'restored');
    return { at, to: Math.max(3_500, at - within(0, 60_000, 'restored to')), stoppedMs: bankWindowMs + 30_000 };
  }

  /** Makes some versions again that the ledger has from before the restore. */
  function afterRestore(resumedAt: number): Step[] {
    return Array.from({ length: within(0, 4, 'after restore') }, (_, n): Step => {
      const action: Action = {
        do: 'charge',
        wallet: nameOf(pick(wallets, 'after restore', n)),
        amount: pick(amounts, 'after restore', n),
      };
      const at = resumedAt + within(1_000, 20_000, 'after restore', n);
      return { id: `r${n}`, at, principal: 'operator', operator: true, key: `after-${n}`, retries: 3, action };
    });
  }

  const rotation = draw('rotation') < 0.2 ? newRotation() : undefined;
  if (rotation !== undefined) steps.push(...forgeries(withdrawnAt(rotation)));

  function newRotation(): Rotation {
    const endedAfter = pick([120_000, 400_000, Infinity], 'overlap');
    return {
      at: within(4_000, burst + 10_000, 'rotated'),
      acceptedAfter: within(0, 120_000, 'key accepted'),
      usedAfter: within(0, Math.min(endedAfter, notificationOverlapMs) - 30_000, 'key used'),
      endedAfter,
    };
  }

  /** Tries the old key on every withdrawal. */
  function forgeries(from: number): Step[] {
    return commands
      .filter(({ action }) => action.do === 'withdraw')
      .map((target, n): Step => ({
        id: `f${n}`,
        at: from + within(0, 30_000, 'forged', n),
        principal: 'a stranger',
        operator: false,
        key: '',
        retries: 0,
        action: { do: 'bank-notifications', target: commandOf(target), returned: true, forged: true },
      }));
  }

  const queue = { visibilityMs: 180_000, maxReceives: pick([3, 20], 'receives') };
  const history = withFees(
    withBatches(
      withApprovals({
        seed,
        steps,
        service: {
          policy: {
            maxAttempts: pick([2, 3, 5, 10], 'attempts'),
            notFoundWindowMs: pick(windows, 'window'),
          },
          breaker: pick([defaultBreaker, quickBreaker], 'breaker'),
          clocksDifferMs: pick([0, 0, 900, 5_000], 'clocks'),
          wrongByMs: draw('wrong clocks') < 0.25 ? pick([10_000, 45_000, 180_000, 290_000], 'wrong by') : 0,
          perHour: pick([2, 5, 1_000, 1_000], 'per hour'),
          readsPerHour: pick([2, 8, 1_000, 1_000], 'reads per hour'),
          queueDepthLimit: pick([1, 3, 1_000, 1_000], 'depth'),
          withdrawals: { ...queue, batchSize: pick([1, 10], 'withdrawals'), gatherMs: 0 },
          transfers: { ...queue, batchSize: pick([1, 10, 100], 'transfers'), gatherMs: 1_000 },
        },
        databaseNamesTime: true,
        bank: { windowMs: bankWindowMs, forgetful: draw('forgetful') < 0.5 },
        bankDown: Array.from({ length: draw('down') < 0.2 ? 1 : 0 }, () => {
          const from = within(4_000, burst, 'down');
          return { from, to: from + within(30_000, 400_000, 'down for') };
        }),
        // A restored record may not name the bank that its withdrawal went to.
        ...(draw('replaced') < 0.2 &&
          restore === undefined && { bankReplacedAt: within(4_000, burst + 30_000, 'replaced') }),
        ...(rotation && { rotation }),
        storms: Array.from({ length: draw('storms') < 0.15 ? 2 : 0 }, (_, n) => {
          const from = within(3_000, burst, 'storm', n);
          return { from, to: from + within(500, 12_000, 'storm for', n) };
        }),
        notified: pick([0, 0.3, 1], 'notified'),
        idleSweeps: 0.05,
        hasBooks,
        ...(restore && { restore }),
        calmAt: burst + within(1_000, 300_000, 'calm'),
        faultRate: pick([0, 0.02, 0.05, 0.1, 0.2], 'faults'),
      }),
    ),
  );
  return withWebhooks(withAliases(withReferences(withSchedules(withScenes(history)))));
}

/** Returns the faults of a history. They are of some kinds only, so that each of these occurs often. */
export function planOf({ seed, faultRate, storms }: History): Plan {
  return atRandom(seed, {
    rate: faultRate,
    likes: (kind) => chance(seed, 'weather', kind) < 0.6,
    isStorm: (atMs) => storms.some(({ from, to }) => from <= atMs && atMs < to),
  });
}

const operatorsOnly: ReadonlySet<string> = new Set(['charge', 'freeze', 'unfreeze', 'close', 'set-limits', 'resolve']);

const isWithdraw = ({ action }: Step) => action.do === 'withdraw';
const holdsMoney = ({ action }: Step) => action.do === 'withdraw' || action.do === 'open-hold';

function nameOf({ principal, key, currency }: WalletName): WalletName {
  return { principal, key, currency };
}

function commandOf({ principal, key, leg }: CommandName): CommandName {
  return { principal, key, ...(leg !== undefined && { leg }) };
}

/** Returns the name of a transaction that a step makes: of a split, its first leg. */
function transactionIn({ principal, key, action }: Step): CommandName {
  return { principal, key, ...(action.do === 'split' && { leg: 0 }) };
}
