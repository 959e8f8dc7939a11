/** The withdrawals and holds of a history, as traces of the models in test/model. */
import type { Observation, Trace } from '../model/traces.ts';
import type { BookEntry } from './bank.ts';
import type { History } from './history.ts';
import type { TransactionState } from './items.ts';
import type { Ledger } from './ledger.ts';

/** A decision of a bank, and the number of writes before it. */
export interface Decided {
  readonly reference: string;
  readonly decision: BookEntry['decision'];
  readonly moment: number;
}

/**
 * Returns the trace of each withdrawal and hold. There is none for a history that the models do not have: one whose table is
 * restored, or whose bank is replaced.
 */
export function tracesIn(history: History, ledger: Ledger, decided: readonly Decided[]): Trace[] {
  if (history.restore !== undefined || history.bankReplacedAt !== undefined) return [];
  const decisions = Map.groupBy(decided, ({ reference }) => reference);
  const { policy, clocksDifferMs, wrongByMs } = history.service;
  // The simulated clocks are up to half of this ahead or behind, and some are wrong besides.
  const skewMs = clocksDifferMs / 2 + wrongByMs;
  return ledger.transactions().flatMap((transaction): Trace[] => {
    const { type, transactionId } = transaction;
    // The models begin with the money: a scheduled payment has moved none yet, and one that failed before never did.
    const looks = ledger.looksOf(transactionId).filter(({ transaction: look }) => look.postings.length > 0);
    if (looks.length === 0) return [];
    if (type === 'withdrawal') {
      const constants = { MaxAttempts: policy.maxAttempts };
      const states = statesOfWithdrawal(looks, decisions.get(transactionId) ?? []);
      // One that was never executed has no life in the model.
      return states.length === 0 ? [] : [{ model: 'withdrawal', constants, states: distinct(states) }];
    }
    return type === 'hold' ? [traceOfHold(looks, skewMs)] : [];
  });
}

/** A stored state of a transaction. */
interface Look {
  readonly moment: number;
  /** Epoch ms. */
  readonly since: number;
  readonly transaction: TransactionState;
}

function statesOfWithdrawal(looks: readonly Look[], decisions: readonly Decided[]): Observation[] {
  let claims = 0;
  let lastClaimId: string | undefined;
  const decisionAt = (moment: number) => decisions.findLast((one) => one.moment < moment)?.decision ?? 'none';
  return looks.flatMap(({ moment, transaction }, n) => {
    // The model begins when the payment is executed.
    if (transaction.executedAt === undefined && transaction.executeAt !== undefined) return [];
    const { status, claimId, attempts = [], failure } = transaction;
    // A try of a claim may arrive late, when its worker has given the claim back. In the model it is a claim of its own,
    // whose worker crashes at once.
    if (claimId !== undefined && claimId !== lastClaimId) claims++;
    lastClaimId = claimId;
    const isOpen = status === 'pending' || status === 'executing';
    const isLive = isOpen || status === 'review';
    const seen = {
      status,
      claim: isOpen && claimId !== undefined ? claims : 0,
      isOut: isOpen && transaction['submitBy'] !== undefined,
      attempts: isLive ? attempts.filter(({ outcome }) => outcome === 'unknown').length : 0,
      isVisited: isLive && attempts.length > 0,
      isCancelled: failure?.code === 'cancelled',
    };
    const until = looks[n + 1]?.moment ?? Infinity;
    const later = decisions.filter((one) => one.moment >= moment && one.moment < until);
    return [decisionAt(moment), ...later.map(({ decision }) => decision)].map((decision) => ({ ...seen, decision }));
  });
}

/**
 * Returns the trace of a hold. What each capture took, and what the end gave back, counts as one, whatever its amount: the
 * model compares amounts, and counts nothing else with them.
 */
function traceOfHold(looks: readonly Look[], skewMs: number): Trace {
  let before = { captured: 0, returned: 0 };
  const sums = { captured: 0, returned: 0 };
  const steps = looks.map(({ since, transaction }) => {
    const { amount, status, captured = 0, end, expiresAt = '' } = transaction;
    const returned = status === 'ended' ? amount - captured : 0;
    sums.captured += Number(captured > before.captured);
    sums.returned += Number(returned > before.returned);
    before = { captured, returned };
    const isEarly = end === 'expired' && since < Date.parse(expiresAt) - skewMs;
    return { status, isEarly, isEmpty: captured + returned === amount, ...sums };
  });
  const parts = sums.captured + sums.returned;
  // What an open hold still has is one more part.
  const amount = steps.at(-1)?.isEmpty === true ? parts : parts + 1;
  return {
    model: 'hold',
    constants: { Amount: amount },
    states: distinct(
      steps.map(({ isEmpty, ...seen }) => ({ ...seen, remaining: amount - seen.captured - seen.returned })),
    ),
  };
}

/** Leaves out a state that equals the one before it. */
function distinct(states: readonly Observation[]): Observation[] {
  return states.filter((state, n) => JSON.stringify(state) !== JSON.stringify(states[n - 1]));
}
